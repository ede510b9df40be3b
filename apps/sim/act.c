#include "apps/sim/act.h"

#include <errno.h>
#include <stdio.h>

#include "apps/sim/record.h"
#include "apps/sim/sim_internal.h"
#include "io/virtual/disk_internal.h"

#define MS          UINT64_C(1000000)
#define SPAN_MAX_NS (UINT64_C(1) << 53) /* 104 days; a tape may say anything */

enum { WORDS = 4, NOTE_ACT = 64 };

const struct tp_act_info tp_act_info[TP_ACTS] = {
#define INFO(act, name, ms, words) [act] = {name, words, (ms)*MS},
    TP_ACT_TABLE(INFO)
#undef INFO
};

/* Node 0 is the run as a whole, which has no power that could be cut: its stream is free.
 */
static uint32_t stream_of_acts(void)
{
    return tp_stream(0, TP_CONCERN_CRASH);
}

/* ------------------------------------------------------------------ on the tape */

/* What follows an act's `what`, in this order. */
static const enum tp_draw kinds[WORDS] = {TP_DRAW_ACT, TP_DRAW_ACT_AT, TP_DRAW_ACT_WHERE,
                                          TP_DRAW_ACT_SPAN};

static void bounds_of(uint32_t node_count, uint64_t *ret_bounds)
{
    ret_bounds[0] = TP_ACTS;
    ret_bounds[1] = ret_bounds[3] = UINT64_MAX;
    ret_bounds[2] = (uint64_t)node_count * node_count;
}

static struct tp_act act_of(const uint64_t *values, uint32_t node_count)
{
    struct tp_act act = {.event = values[1],
                         .span_ns = values[3],
                         .kind = (uint32_t)values[0],
                         .node = (uint32_t)(values[2] / node_count),
                         .other = (uint32_t)(values[2] % node_count)};

    return act;
}

uint32_t tp_act_count(const struct tp_tape *tape)
{
    return (uint32_t)(tp_tape_count(tape, stream_of_acts()) / WORDS);
}

struct tp_act tp_act_of(const struct tp_tape *tape, uint32_t index, uint32_t node_count)
{
    uint64_t values[WORDS], bounds[WORDS];

    bounds_of(node_count, bounds);
    for (uint32_t i = 0; i < WORDS; i++) {
        values[i] =
            tp_tape_entry(tape, stream_of_acts(), (uint64_t)index * WORDS + i).value;
        values[i] = values[i] < bounds[i] ? values[i] : bounds[i] - 1;
    }
    return act_of(values, node_count);
}

static void read_next(struct tp_sim *sim)
{
    uint64_t values[WORDS] = {0}, bounds[WORDS];
    uint64_t from = tp_tape_asked(sim->tape, stream_of_acts());

    bounds_of(sim->node_count, bounds);
    values[0] = tp_tape_draw(sim->tape, stream_of_acts(), kinds[0], bounds[0]);
    for (uint32_t i = 1; i < WORDS && values[0] != TP_ACT_NONE; i++)
        values[i] = tp_tape_draw(sim->tape, stream_of_acts(), kinds[i], bounds[i]);
    sim->act = act_of(values, sim->node_count);
    sim->act_words = tp_tape_asked(sim->tape, stream_of_acts()) - from;
}

void tp_act_begin(struct tp_sim *sim)
{
    if (tp_tape_replays(sim->tape) && tp_tape_count(sim->tape, stream_of_acts()) > 0)
        read_next(sim);
}

/* Before the one that is to come, or the word that says that there is none: behind that no
 * replay would look. A tape that was edited may end within an act that has befallen, and
 * with zeros left out: those are said then. */
static int note_on_tape(struct tp_sim *sim, const struct tp_act *act)
{
    uint64_t values[WORDS] = {act->kind, act->event,
                              (uint64_t)act->node * sim->node_count + act->other,
                              act->span_ns};
    uint64_t at = tp_tape_asked(sim->tape, stream_of_acts()) - sim->act_words;
    uint32_t left_out = (uint32_t)((WORDS - at % WORDS) % WORDS), count = left_out + WORDS;
    struct tp_draw_entry entries[2 * WORDS];
    uint64_t bounds[WORDS];

    bounds_of(sim->node_count, bounds);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = (uint32_t)((at + i) % WORDS);

        entries[i] = (struct tp_draw_entry){bounds[word], i < left_out ? 0 : values[word],
                                            (uint32_t)kinds[word], 0};
    }
    return tp_tape_insert(sim->tape, stream_of_acts(), sim->act_words, entries, count);
}

/* ------------------------------------------------------------------ links */

static size_t cut_bytes(const struct tp_sim *sim)
{
    return (size_t)sim->node_count * sim->node_count * sizeof *sim->cut_until;
}

bool tp_act_is_cut(const struct tp_sim *sim, uint32_t from, uint32_t to)
{
    return sim->cut_until != NULL && sim->cut_until[from * sim->node_count + to] != 0;
}

static void cut(struct tp_sim *sim, uint32_t from, uint32_t to, uint64_t span_ns)
{
    uint32_t link = from * sim->node_count + to;

    if (sim->cut_until == NULL)
        sim->cut_until = tp_alloc(NULL, cut_bytes(sim), 16);
    if (sim->cut_until == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for cut links");
    sim->cut_until[link] = tp_sim_moment(sim, span_ns);
    tp_sim_at(sim, sim->cut_until[link], TP_DUE_MEND, link);
}

static void mend(struct tp_sim *sim, uint32_t from, uint32_t to)
{
    if (sim->cut_until != NULL)
        sim->cut_until[from * sim->node_count + to] = 0;
}

static void mend_all(struct tp_sim *sim)
{
    for (uint32_t i = 0; sim->cut_until != NULL && i < sim->node_count * sim->node_count;
         i++)
        sim->cut_until[i] = 0;
}

static void cut_at_least(struct tp_sim *sim, uint32_t from, uint32_t to, uint64_t span_ns)
{
    if (!tp_act_is_cut(sim, from, to) ||
        sim->cut_until[from * sim->node_count + to] < tp_sim_moment(sim, span_ns))
        cut(sim, from, to, span_ns);
}

void tp_node_part(struct tp_node *node, struct tp_node *other, uint64_t duration_ns)
{
    struct tp_sim *sim = node->sim;
    char text[TP_RECORD_TEXT];

    tp_assert(node != other && other->sim == sim);
    (void)snprintf(text, sizeof text, "it cannot reach %s", tp_node_name(other));
    tp_sim_tell(sim, TP_FACT_EVENT, 0, node, text);
    cut_at_least(sim, node->index, other->index, duration_ns);
    cut_at_least(sim, other->index, node->index, duration_ns);
    tp_chaos_set_links(sim);
}

void tp_act_due(struct tp_sim *sim, uint32_t link)
{
    if (sim->cut_until == NULL || sim->cut_until[link] != tp_world_now_ns(sim->world))
        return; /* mended since, or cut for longer */
    sim->cut_until[link] = 0;
    tp_chaos_set_links(sim);
}

void tp_act_end(struct tp_sim *sim)
{
    tp_free(NULL, sim->cut_until, sim->cut_until == NULL ? 0 : cut_bytes(sim), 16);
}

/* ------------------------------------------------------------------ disks */

static void fill(struct tp_node *node)
{
    struct tp_disk_usage usage = tp_disk_usage(node->disk);

    if (node->room_bytes == 0)
        node->room_bytes = usage.capacity_bytes;
    /* A disk has room for a page at least. */
    tp_disk_set_capacity(node->disk, usage.used_bytes < TP_PAGE_BYTES ? TP_PAGE_BYTES
                                                                      : usage.used_bytes);
}

static void make_room(struct tp_node *node)
{
    if (node->room_bytes != 0)
        tp_disk_set_capacity(node->disk, node->room_bytes);
    node->room_bytes = 0;
}

void tp_act_heal(struct tp_sim *sim)
{
    if (sim->cut_until != NULL) {
        mend_all(sim);
        tp_chaos_set_links(sim);
    }
    for (uint32_t i = 0; i < sim->node_count; i++)
        make_room(sim->nodes[i]);
}

/* ------------------------------------------------------------------ nodes */

static void end_node(struct tp_node *node, const struct tp_act *act, uint64_t span_ns)
{
    tp_tape_set_harsh(node->sim->tape, act->kind == TP_ACT_HARSH);
    tp_node_end(node, act->kind == TP_ACT_KILL ? TP_END_KILL : TP_END_POWER);
    tp_tape_set_harsh(node->sim->tape, false);
    tp_node_start(node, span_ns);
}

static void act_on_node(struct tp_node *node, const struct tp_act *act, uint64_t span_ns)
{
    switch ((enum tp_act_kind)act->kind) {
    case TP_ACT_POWER:
    case TP_ACT_HARSH:
    case TP_ACT_KILL:
        end_node(node, act, span_ns);
        return;
    case TP_ACT_PAUSE:
        tp_node_stand_still(node, span_ns);
        return;
    case TP_ACT_RESUME:
        tp_node_resume(node);
        return;
    case TP_ACT_SYNC:
        tp_virtual_io_fail_sync(node->io);
        return;
    case TP_ACT_FILL:
        fill(node);
        return;
    case TP_ACT_ROOM:
        make_room(node);
        return;
    case TP_ACT_START:
        tp_node_boot(node);
        return;
    case TP_ACT_NONE:
    case TP_ACT_CUT:
    case TP_ACT_PART:
    case TP_ACT_MEND:
    case TP_ACT_HEAL:
    case TP_ACTS:
        break;
    }
    tp_unreachable();
}

static void act_on_links(struct tp_sim *sim, const struct tp_act *act, uint64_t span_ns)
{
    uint32_t a = act->node, b = act->other;

    if (act->kind == TP_ACT_HEAL) {
        mend_all(sim);
        if (sim->heal_ns != TP_NEVER)
            tp_chaos_heal_links(sim);
    } else if (act->kind == TP_ACT_MEND) {
        mend(sim, a, b);
        mend(sim, b, a);
    } else {
        cut(sim, a, b, span_ns);
        if (act->kind == TP_ACT_PART)
            cut(sim, b, a, span_ns);
    }
    tp_chaos_set_links(sim);
}

static bool is_of_links(uint32_t kind)
{
    return kind >= TP_ACT_CUT && kind <= TP_ACT_HEAL;
}

/* ------------------------------------------------------------------ doing it */

static int32_t check(const struct tp_sim *sim, const struct tp_act *act)
{
    const struct tp_node *node;

    if (sim->over || !sim->runs)
        return -EBUSY;
    if (act->kind == TP_ACT_NONE || act->kind >= TP_ACTS || act->node >= sim->node_count ||
        act->other >= sim->node_count)
        return -EINVAL;
    node = sim->nodes[act->node];
    if (is_of_links(act->kind))
        return act->kind != TP_ACT_HEAL && act->node == act->other ? -EINVAL : 0;
    if (node->config.spared && act->kind != TP_ACT_START)
        return -EPERM;
    if (node->io == NULL && (act->kind == TP_ACT_KILL || act->kind == TP_ACT_PAUSE ||
                             act->kind == TP_ACT_RESUME || act->kind == TP_ACT_SYNC))
        return -ENOTCONN;
    return 0;
}

static void tell(struct tp_sim *sim, const struct tp_act *act)
{
    char text[128];

    if (is_of_links(act->kind) && act->kind != TP_ACT_HEAL) {
        (void)snprintf(text, sizeof text, "%s: %s, %s", tp_act_info[act->kind].words,
                       tp_node_name(sim->nodes[act->node]),
                       tp_node_name(sim->nodes[act->other]));
        tp_sim_tell(sim, TP_FACT_EVENT, TP_EVENT_ACT | act->kind, NULL, text);
        return;
    }
    tp_sim_tell(sim, TP_FACT_EVENT, TP_EVENT_ACT | act->kind,
                is_of_links(act->kind) ? NULL : sim->nodes[act->node],
                tp_act_info[act->kind].words);
}

static void apply(struct tp_sim *sim, const struct tp_act *act)
{
    uint64_t span_ns = act->span_ns == 0 ? tp_act_info[act->kind].span_ns : act->span_ns;

    span_ns = span_ns < SPAN_MAX_NS ? span_ns : SPAN_MAX_NS;
    tp_sim_note(sim, NOTE_ACT,
                (uint64_t)act->kind << 48 | (uint64_t)act->node << 24 | act->other,
                span_ns);
    tell(sim, act);
    sim->touched = true;
    if (is_of_links(act->kind))
        act_on_links(sim, act, span_ns);
    else
        act_on_node(sim->nodes[act->node], act, span_ns);
    if (sim->phase >= TP_PHASE_LIVENESS)
        sim->until_ns = tp_sim_moment(sim, sim->given_ns);
}

int32_t tp_act_now(struct tp_sim *sim, const struct tp_act *act)
{
    struct tp_act now = *act;
    int32_t error = check(sim, &now);

    if (error < 0)
        return error;
    now.event = tp_world_events(sim->world);
    if (note_on_tape(sim, &now) < 0)
        return -ENOMEM;
    apply(sim, &now);
    return 0;
}

void tp_act_replay(struct tp_sim *sim)
{
    while (sim->act.kind != TP_ACT_NONE && sim->act.event <= tp_world_events(sim->world)) {
        struct tp_act act = sim->act;

        read_next(sim);
        if (check(sim, &act) == 0) /* a tape that was edited may ask for anything */
            apply(sim, &act);
    }
}
