#include "apps/sim/cuts.h"

#include <string.h>

#include "apps/sim/sim_internal.h"

static void note_cut(struct tp_cuts *cuts, const struct tp_node *node)
{
    if (cuts->count < TP_CUTS_MAX)
        cuts->draws[cuts->count++] =
            tp_tape_asked(node->sim->tape, tp_stream(node->number, TP_CONCERN_CRASH));
}

static void note_of_node(struct tp_cuts *cuts, const struct tp_fact *fact)
{
    if (fact->kind == TP_FACT_BOOT)
        cuts->recovers = fact->detail > 0;
    if (fact->kind == TP_FACT_END && fact->detail == TP_END_POWER)
        note_cut(cuts, fact->node);
    if ((fact->kind == TP_FACT_PROMISE || fact->kind == TP_FACT_END) && cuts->recovers)
        cuts->recovered = true;
}

static void note(void *context, const struct tp_fact *fact)
{
    struct tp_cuts *cuts = context;
    uint32_t index;

    if (fact->kind == TP_FACT_PHASE && fact->detail == TP_PHASE_RECOVERY)
        cuts->ended = true;
    if (fact->node == NULL)
        return;
    index = fact->node->index;
    tp_assert(index < TP_TAPE_NODES_MAX);
    cuts->spared[index] = fact->node->config.spared;
    if (index + 1 > cuts->nodes)
        cuts->nodes = index + 1;
    if (index == cuts->node)
        note_of_node(cuts, fact);
    if (fact->kind != TP_FACT_OPERATION || fact->moment->stage != TP_VIRTUAL_BEGUN ||
        cuts->ended || cuts->spared[index])
        return;
    cuts->operations[index]++;
    cuts->recovery += index == cuts->node && cuts->recovers && !cuts->recovered;
}

void tp_cuts_init(struct tp_cuts *cuts, uint32_t node)
{
    memset(cuts, 0, sizeof *cuts);
    cuts->node = node;
    cuts->watch = (struct tp_sim_watch){note, cuts};
}
