/* A run that is made smaller does not become a longer one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/sim/shrink.h"

enum { SOON = 20, LATE = 2000 };

struct waiter {
    struct tp_machine machine;
    struct tp_node *node;
    uint64_t rounds;
};

/* How many rounds until it fails: 0, which is milder, is much later. */
struct plan {
    uint64_t soon;
};

static enum tp_step waiter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct waiter *w = tp_container_of(machine, struct waiter, machine);
    struct tp_sim *sim = tp_node_sim(w->node);
    const struct plan *plan = tp_sim_state(sim);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; w->rounds < (plan->soon != 0 ? SOON : LATE); w->rounds++)
        TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    tp_sim_fail(sim, "after %llu rounds", (unsigned long long)w->rounds);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct waiter *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, waiter_tick, "waiter");
}

static void set_up(struct tp_sim *sim)
{
    struct plan *plan = tp_sim_state(sim);

    plan->soon = tp_sim_draw(sim, 2);
    (void)tp_sim_add_node(sim, NULL);
}

static const struct tp_scenario scenario = {
    .name = "shrink", .state_bytes = sizeof(struct plan), .setup = set_up, .boot = boot};

static const struct tp_batch_job job = {
    .scenario = &scenario, .options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1}};

/* A seed whose run fails soon, its outcome and its tape. */
static struct tp_tape *find_soon(struct tp_trial *trial, struct tp_sim_outcome *ret_outcome)
{
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct tp_tape *tape = NULL;

        cr_assert(eq(int, tp_trial_seed(trial, seed, ret_outcome, &tape), 0));
        cr_assert(eq(u32, ret_outcome->verdict, TP_VERDICT_FAILED));
        if (ret_outcome->events < LATE)
            return tape;
        tp_tape_destroy(tape);
    }
    cr_fatal("no seed of these fails soon");
}

Test(shrink, what_fails_alike_and_much_later_is_no_smaller)
{
    struct tp_trial trial;
    struct tp_shrink shrink = {.trial = &trial, .until_ns = UINT64_MAX};
    uint64_t events;

    cr_assert(eq(int, tp_trial_open(&trial, &job), 0));
    shrink.best = find_soon(&trial, &shrink.outcome);
    events = shrink.outcome.events;
    cr_assert(eq(int, tp_shrink_run(&shrink), 0));
    cr_assert(le(u64, shrink.outcome.events, events));
    cr_assert(eq(u32, tp_shrink_choices(shrink.best), 1)); /* which makes it fail soon */
    tp_tape_destroy(shrink.best);
    tp_trial_close(&trial);
}

Test(shrink, a_run_that_is_too_long_is_ended_and_has_passed)
{
    struct tp_trial trial;
    struct tp_sim_outcome outcome, cut;
    struct tp_tape *tape = NULL;

    cr_assert(eq(int, tp_trial_open(&trial, &job), 0));
    tape = find_soon(&trial, &outcome);
    trial.events_max = outcome.events / 2;
    cr_assert(eq(int, tp_trial_replay(&trial, tape, &cut), 0));
    cr_assert(eq(u32, cut.verdict, TP_VERDICT_PASSED));
    trial.events_max = outcome.events * 2;
    cr_assert(eq(int, tp_trial_replay(&trial, tape, &cut), 0));
    cr_assert(eq(u32, cut.verdict, TP_VERDICT_FAILED));
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
}
