/* A run: setup, phases, verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "io/hash.h"
#include "io/virtual/random.h"

#define SECOND UINT64_C(1000000000)

/* What goes into the hash of a run besides the traces of its Ios. */
enum { NOTE_PHASE = 1, NOTE_VERDICT };

void tp_sim_note(struct tp_sim *sim, uint32_t what, uint64_t a, uint64_t b)
{
    uint64_t words[4] = {tp_world_now_ns(sim->world), what, a, b};

    sim->trace = tp_hash_words(words, 4, sim->trace);
}

uint64_t tp_sim_moment(const struct tp_sim *sim, uint64_t span_ns)
{
    uint64_t now_ns = tp_world_now_ns(sim->world);

    return span_ns < TP_NEVER - now_ns ? now_ns + span_ns : TP_NEVER;
}

void tp_sim_at(struct tp_sim *sim, uint64_t at_ns, enum tp_sim_due due, uint32_t node)
{
    tp_assert(node < UINT32_C(1) << TP_DUE_SHIFT);
    if (at_ns != TP_NEVER)
        tp_world_at(sim->world, at_ns, 0, sim->party, (uint32_t)due << TP_DUE_SHIFT | node);
}

void tp_sim_conclude(struct tp_sim *sim, enum tp_verdict verdict, const char *file,
                     uint32_t line, const char *format, ...)
{
    struct tp_sim_outcome *outcome = sim->outcome;
    uint64_t words[2] = {(uint64_t)verdict << 32 | line, 0};
    va_list arguments;

    if (sim->over)
        return;
    sim->over = true;
    outcome->verdict = (uint32_t)verdict;
    outcome->phase = (uint32_t)sim->phase;
    if (file != NULL)
        words[1] = tp_hash(file, strlen(file), 0);
    outcome->kind = tp_hash_words(words, 2, 0) | 1;
    va_start(arguments, format);
    (void)vsnprintf(outcome->message, sizeof outcome->message, format, arguments);
    va_end(arguments);
    /* Without the line: compilers differ in that of a call over several lines. */
    tp_sim_note(sim, NOTE_VERDICT, (uint64_t)verdict, words[1]);
    tp_sim_tell(sim, TP_FACT_VERDICT, (uint32_t)verdict, NULL, outcome->message);
}

/* ------------------------------------------------------------------ the loop */

static void do_pending(struct tp_sim *sim)
{
    sim->pending = false;
    tp_chaos_strike(sim);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        enum tp_end how = (enum tp_end)sim->nodes[i]->pending;

        sim->nodes[i]->pending = TP_END_NONE;
        if (how != TP_END_NONE)
            tp_node_end(sim->nodes[i], how);
    }
}

static __attribute__((noinline)) void tick_ready(struct tp_sim *sim)
{
    bool ticked = false;

    if (sim->pending)
        do_pending(sim);
    while (sim->ready_first != NULL && !sim->over) {
        struct tp_node *node = sim->ready_first;

        sim->ready_first = node->next_ready;
        if (sim->ready_first == NULL)
            sim->ready_last = NULL;
        node->ready = false;
        if (node->io == NULL)
            continue;
        if (node->paused) {
            node->wanted = true;
            continue;
        }
        tp_node_tick(node);
        ticked = true;
        if (sim->pending)
            do_pending(sim);
    }
    if (ticked && !sim->over && sim->scenario->invariant != NULL)
        sim->scenario->invariant(sim);
}

/* Everyone for whom something has come ticks, until nothing is left at this moment. Most
 * events are nobody's business. */
static inline void settle(struct tp_sim *sim)
{
    if (sim->pending || sim->ready_first != NULL)
        tick_ready(sim);
}

static bool is_done(struct tp_sim *sim)
{
    if (sim->scenario->done != NULL)
        return sim->scenario->done(sim);
    return sim->unfinished == 0;
}

enum ended { STEPPED, DONE, LATE, QUIET, OVER };

/* One event more, unless the work is done, or a time has come, or nothing can come. */
static enum ended go_on(struct tp_sim *sim)
{
    uint64_t next_ns;

    settle(sim);
    if (sim->over)
        return OVER;
    if (is_done(sim))
        return DONE;
    next_ns = tp_world_next_ns(sim->world);
    if (next_ns == TP_NEVER)
        return QUIET;
    if (next_ns > sim->until_ns) {
        tp_world_run(sim->world, sim->until_ns);
        return LATE;
    }
    (void)tp_world_step(sim->world);
    return STEPPED;
}

static void due(void *context, uint32_t what)
{
    struct tp_sim *sim = context;
    enum tp_sim_due kind = (enum tp_sim_due)(what >> TP_DUE_SHIFT);

    if (kind == TP_DUE_MEND) {
        tp_act_due(sim, what & ((UINT32_C(1) << TP_DUE_SHIFT) - 1));
        return;
    }
    if (kind == TP_DUE_HEAL) {
        if (tp_world_now_ns(sim->world) == sim->heal_ns)
            tp_chaos_heal_links(sim);
        return;
    }
    tp_node_due(sim->nodes[what & ((UINT32_C(1) << TP_DUE_SHIFT) - 1)], kind);
}

/* ------------------------------------------------------------------ phases */

static void enter(struct tp_sim *sim, enum tp_sim_phase phase)
{
    sim->phase = phase;
    for (uint32_t i = 0; i < sim->node_count; i++)
        sim->nodes[i]->exits = 0;
    tp_sim_note(sim, NOTE_PHASE, (uint64_t)phase, 0);
    tp_sim_tell(sim, TP_FACT_PHASE, (uint32_t)phase, NULL, NULL);
}

/* Which nodes have not finished, for the message. */
static void list_unfinished(const struct tp_sim *sim, char *ret_text, size_t size_bytes)
{
    size_t used = 0;

    ret_text[0] = '\0';
    for (uint32_t i = 0; i < sim->node_count && used + 32 < size_bytes; i++) {
        const struct tp_node *node = sim->nodes[i];

        if (!node->finished)
            used += (size_t)snprintf(ret_text + used, size_bytes - used, "%s%s%s",
                                     used == 0 ? "" : ", ", tp_node_name(node),
                                     node->io == NULL ? " (down)" : "");
    }
}

/* All was well, and the work did not get done. */
static void give_up(struct tp_sim *sim, enum ended how)
{
    char who[256];

    list_unfinished(sim, who, sizeof who);
    if (how == LATE)
        tp_sim_conclude(sim, TP_VERDICT_LIVENESS, NULL, (uint32_t)sim->phase,
                        "in %s nothing went wrong, and after %llu ms work is left: %s",
                        tp_phase_name((uint32_t)sim->phase),
                        (unsigned long long)(sim->given_ns / 1000000), who);
    else
        tp_sim_conclude(sim, TP_VERDICT_DEADLOCK, NULL, (uint32_t)sim->phase,
                        "in %s nothing can happen any more, and work is left: %s",
                        tp_phase_name((uint32_t)sim->phase), who);
}

static void give_time(struct tp_sim *sim, uint64_t given_ns)
{
    sim->given_ns = given_ns == 0 ? 60 * SECOND : given_ns;
    sim->until_ns = tp_sim_moment(sim, sim->given_ns);
}

static void boot_all(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_node_boot(sim->nodes[i]);
}

static void begin_liveness(struct tp_sim *sim)
{
    tp_chaos_heal(sim);
    sim->runs = !sim->over;
    if (sim->over)
        return;
    enter(sim, TP_PHASE_LIVENESS);
    give_time(sim, sim->scenario->liveness_ns);
}

static void begin_chaos(struct tp_sim *sim)
{
    tp_chaos_begin(sim);
    if (sim->over)
        begin_liveness(sim);
    else
        give_time(sim, sim->scenario->chaos_ns);
}

static void begin_work(struct tp_sim *sim)
{
    bool warms_up = sim->scenario->warm_up_ns > 0;

    sim->runs = true;
    enter(sim, warms_up ? TP_PHASE_WARM_UP : TP_PHASE_CHAOS);
    boot_all(sim);
    if (warms_up)
        sim->until_ns = sim->scenario->warm_up_ns;
    else
        begin_chaos(sim);
}

static void begin_recovery(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_node_end(sim->nodes[i], TP_END_POWER);
    enter(sim, TP_PHASE_RECOVERY);
    boot_all(sim);
    give_time(sim, sim->scenario->recovery_ns);
}

static void check(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_node_end(sim->nodes[i], TP_END_OVER);
    sim->runs = false;
    enter(sim, TP_PHASE_CHECK);
    if (sim->scenario->check != NULL)
        sim->scenario->check(sim);
    if (!sim->spawned)
        tp_sim_conclude(sim, TP_VERDICT_EMPTY, NULL, 0,
                        "nothing was run: no boot started a machine; tp_node_spawn() does");
}

/* A phase has come to its end, in one of the ways: the next one begins, if there is one. */
static void end_phase(struct tp_sim *sim, enum ended how)
{
    switch (sim->phase) {
    case TP_PHASE_WARM_UP:
        enter(sim, TP_PHASE_CHAOS);
        begin_chaos(sim);
        return;
    case TP_PHASE_CHAOS:
        begin_liveness(sim);
        return;
    case TP_PHASE_LIVENESS:
    case TP_PHASE_RECOVERY:
        if (how == DONE && sim->phase == TP_PHASE_LIVENESS && !sim->options.ends_uncut)
            begin_recovery(sim);
        else if (how == DONE)
            check(sim);
        else
            sim->runs = false;
        if (how == LATE || how == QUIET)
            give_up(sim, how);
        return;
    case TP_PHASE_SETUP:
    case TP_PHASE_CHECK:
    case TP_PHASES:
        break;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ life */

static void set_up(struct tp_sim *sim)
{
    const struct tp_scenario *scenario = sim->scenario;
    struct tp_net_config net = {
        .tape = sim->tape, .hosts_max = 1, .allocator = &sim->memory.allocator};
    uint32_t plain = scenario->nodes == 0 && scenario->setup == NULL ? 1 : scenario->nodes;

    for (uint32_t i = 0; i < plain; i++)
        (void)tp_sim_add_node(sim, NULL);
    if (scenario->setup != NULL)
        scenario->setup(sim);
    tp_assert(sim->node_count > 0); /* a scenario has nodes */
    net.hosts_max = sim->node_count;
    if (tp_net_create(&net, sim->world, &sim->net) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a network");
    tp_swarm_draw(sim);
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_swarm_shape(sim->nodes[i]);
    tp_act_begin(sim);
}

static void create(struct tp_sim *sim)
{
    size_t bytes = sim->scenario->state_bytes;

    tp_memory_init(&sim->memory);
    sim->state = tp_alloc(NULL, bytes == 0 ? 1 : bytes, 64);
    sim->tape = sim->options.tape;
    if (sim->tape == NULL && tp_tape_from_seed(sim->options.seed, false,
                                               &sim->memory.allocator, &sim->own_tape) == 0)
        sim->tape = sim->own_tape;
    if (sim->state == NULL || sim->tape == NULL ||
        tp_world_create(&sim->memory.allocator, &sim->world) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a run");
    sim->party = tp_world_join(sim->world, due, sim);
}

static void destroy(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_node_destroy(sim->nodes[i]);
    tp_act_end(sim);
    tp_free(NULL, sim->nodes, sim->node_capacity * sizeof(struct tp_node *), 16);
    tp_net_destroy(sim->net);
    tp_world_leave(sim->world, sim->party);
    tp_world_destroy(sim->world);
    tp_tape_destroy(sim->own_tape);
    tp_free(NULL, sim->state,
            sim->scenario->state_bytes == 0 ? 1 : sim->scenario->state_bytes, 64);
    tp_memory_deinit(&sim->memory);
}

uint64_t tp_sim_trace(const struct tp_sim *sim)
{
    uint64_t trace = sim->trace;

    for (uint32_t i = 0; i < sim->node_count; i++) {
        const struct tp_node *node = sim->nodes[i];
        uint64_t words[2] = {i, node->trace};

        if (node->io != NULL) {
            uint64_t boot[2] = {node->trace, tp_virtual_io_trace_hash(node->io)};

            words[1] = tp_hash_words(boot, 2, 0);
        }
        trace = tp_hash_words(words, 2, trace);
    }
    return trace;
}

static void sum_up(struct tp_sim *sim)
{
    struct tp_sim_outcome *outcome = sim->outcome;

    outcome->trace = tp_sim_trace(sim);
    outcome->events = tp_world_events(sim->world);
    outcome->virtual_ns = tp_world_now_ns(sim->world);
    outcome->drawn = sim->swarm.on;
    tp_swarm_count_net(sim);
    if (!sim->over)
        outcome->phase = TP_PHASE_CHECK;
}

struct tp_sim *tp_sim_create(const struct tp_scenario *scenario,
                             const struct tp_sim_options *options,
                             struct tp_sim_outcome *ret_outcome)
{
    struct tp_sim *sim = tp_alloc(NULL, sizeof *sim, _Alignof(struct tp_sim));

    if (sim == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a run");
    tp_assert(scenario->size == 0 || scenario->size == sizeof *scenario);
    tp_assert(options == NULL || options->size == 0 || options->size == sizeof *options);
    tp_assert(scenario->name != NULL &&
              (scenario->boot != NULL || scenario->setup != NULL));
    memset(ret_outcome, 0, sizeof *ret_outcome);
    sim->scenario = scenario;
    if (options != NULL)
        sim->options = *options;
    sim->outcome = ret_outcome;
    sim->heal_ns = TP_NEVER;
    create(sim);
    set_up(sim);
    return sim;
}

void tp_sim_finish(struct tp_sim *sim)
{
    if (sim->finished)
        return;
    for (uint32_t i = 0; i < sim->node_count; i++)
        tp_node_end(sim->nodes[i], TP_END_OVER);
    if (sim->scenario->finish != NULL)
        sim->scenario->finish(sim);
    sum_up(sim);
    sim->finished = true;
}

void tp_sim_begin(struct tp_sim *sim)
{
    if (sim->phase != TP_PHASE_SETUP || sim->over)
        return;
    begin_work(sim);
    settle(sim);
}

bool tp_sim_advance(struct tp_sim *sim)
{
    tp_sim_begin(sim);
    tp_act_replay(sim);
    while (sim->runs) {
        enum ended how = go_on(sim);

        if (how == STEPPED) {
            settle(sim); /* what it leads to, too: acts come after that */
            return true;
        }
        end_phase(sim, how);
    }
    return false;
}

void tp_sim_destroy(struct tp_sim *sim)
{
    tp_sim_finish(sim);
    destroy(sim);
    tp_free(NULL, sim, sizeof *sim, _Alignof(struct tp_sim));
}

void tp_sim_run(const struct tp_scenario *scenario, const struct tp_sim_options *options,
                struct tp_sim_outcome *ret_outcome)
{
    struct tp_sim *sim = tp_sim_create(scenario, options, ret_outcome);

    while (tp_sim_advance(sim))
        ;
    tp_sim_destroy(sim);
}

void tp_sim_run_choices(const struct tp_scenario *scenario,
                        const struct tp_sim_options *options,
                        const struct tp_sim_choice *choices, size_t count,
                        struct tp_sim_outcome *ret_outcome)
{
    static const struct tp_sim_options defaults;
    struct tp_sim_options with = options == NULL ? defaults : *options;
    int error = tp_tape_empty(NULL, &with.tape);

    for (size_t i = 0; i < count && error == 0; i++) {
        struct tp_draw_entry entry = {.bound = UINT64_MAX, .value = choices[i].value};

        error = tp_tape_put(with.tape, choices[i].stream, choices[i].index, entry);
    }
    if (error < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a tape");
    tp_sim_run(scenario, &with, ret_outcome);
    tp_tape_destroy(with.tape);
}

void tp_sim_fuzz(const struct tp_scenario *scenario, const void *bytes, size_t len_bytes)
{
    struct tp_sim_options options = {.size = sizeof options};
    struct tp_sim_outcome outcome;

    if (tp_tape_from_bytes(bytes, len_bytes, NULL, &options.tape) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a tape");
    tp_sim_run(scenario, &options, &outcome);
    tp_tape_destroy(options.tape);
    if (outcome.verdict != TP_VERDICT_PASSED)
        tp_stopf(__FILE__, __LINE__, "%s: %s: %s", scenario->name,
                 tp_verdict_name(outcome.verdict), outcome.message);
}
