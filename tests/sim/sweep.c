/* A sweep cuts where it says, as far as it says, and nobody who is spared. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "apps/sim/sweep.h"

enum { OPERATIONS = TP_CHAOS_WITHIN + 9 };

/* What outlives the nodes: operations of the one that is not spared. */
struct begun {
    uint64_t operations;
};

struct worker {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_statx statx;
    uint32_t rounds;
};

/* A boot after a cut says how many operations there were before it. It promises at once, so
 * there is no recovery in which the power could go again. */
static enum tp_step worker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_sim *sim = tp_node_sim(w->node);
    struct begun *begun = tp_sim_state(sim);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_node_promised(w->node, "up");
    if (tp_node_boots(w->node) > 1 && begun->operations < OPERATIONS)
        tp_sim_fail(sim, "cut at %llu", (unsigned long long)begun->operations);
    for (; begun->operations < OPERATIONS; begun->operations++)
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step spared_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; w->rounds < 5; w->rounds++)
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, tp_node_index(node) == 0 ? worker_tick : spared_tick,
                  "worker");
}

static void set_up(struct tp_sim *sim)
{
    struct tp_node_config plain = {.name = "plain"};
    struct tp_node_config spared = {.name = "spared", .spared = true};

    (void)tp_sim_add_node(sim, &plain);
    (void)tp_sim_add_node(sim, &spared);
}

static const struct tp_scenario scenario = {
    .name = "sweep", .state_bytes = sizeof(struct begun), .setup = set_up, .boot = boot};

static uint32_t cuts_at[OPERATIONS + 1];

static void note_cut(void *context, const struct tp_sweep *sweep,
                     const struct tp_tape *tape, const struct tp_sim_outcome *outcome)
{
    const char *at = strstr(outcome->message, "cut at ");

    (void)context;
    (void)tape;
    cr_assert(ne(ptr, (void *)(uintptr_t)at, NULL), "%s", outcome->message);
    /* The operation that had begun had not come to its end. */
    cr_assert(eq(u64, strtoull(at + strlen("cut at "), NULL, 10) + 1, sweep->first));
    cr_assert(eq(u32, sweep->node, 0));
    cuts_at[sweep->first]++;
}

static void nothing(void *context, const struct tp_sweep *sweep)
{
    (void)context;
    (void)sweep;
}

Test(sweep, cuts_at_each_operation_that_can_be_reached)
{
    const struct tp_batch_job job = {
        .scenario = &scenario,
        .options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1}};
    struct tp_trial trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *base = NULL;
    struct tp_sweep sweep = {.trial = &trial,
                             .survivors = 1,
                             .failed = note_cut,
                             .progress = nothing,
                             .until_ns = UINT64_MAX};

    cr_assert(eq(int, tp_trial_open(&trial, &job), 0));
    cr_assert(eq(int, tp_trial_seed(&trial, 1, &outcome, &base), 0));
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    tp_sweep_options(&trial.job.options);
    sweep.base = base;
    cr_assert(eq(int, tp_sweep_run(&sweep), 0));
    cr_assert(eq(u64, sweep.points, OPERATIONS));
    cr_assert(eq(u64, sweep.points_done, TP_CHAOS_WITHIN));
    cr_assert(eq(u64, sweep.failures, TP_CHAOS_WITHIN));
    for (uint32_t at = 1; at <= TP_CHAOS_WITHIN; at++)
        cr_assert(eq(u32, cuts_at[at], 1), "operation %u", at);
    tp_tape_destroy(base);
    tp_trial_close(&trial);
}
