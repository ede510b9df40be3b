/* A run that is made smaller does not become a longer one; and it becomes the same, however
 * many processors there are. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

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

/* ------------------------------------------------------------------ jobs */

enum { COMMANDS = 30, REST = 150, HIGH = 5, BELOW = 10, TOO_MANY = 3 };

struct adder {
    struct tp_machine machine;
    struct tp_node *node;
    uint32_t commands, rest, high;
};

/* It fails when so many commands were high. In between it waits, so that a run takes long
 * enough to be tried beside others. */
static enum tp_step adder_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct adder *a = tp_container_of(machine, struct adder, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; a->commands < COMMANDS; a->commands++) {
        a->high += tp_node_draw(a->node, BELOW) >= HIGH;
        for (a->rest = 0; a->rest < REST; a->rest++)
            TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    }
    if (a->high >= TOO_MANY)
        tp_sim_fail(tp_node_sim(a->node), "too many");
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_adder(struct tp_node *node)
{
    struct adder *a = tp_node_new(node, sizeof *a);

    a->node = node;
    tp_node_spawn(node, &a->machine, adder_tick, "adder");
}

static const struct tp_scenario adds = {.name = "adds", .boot = boot_adder};

/* Shrinks the first seed; the tape that is left goes into `bytes`. */
static size_t shrink_with(uint32_t jobs, void *bytes, size_t size, uint64_t *ret_tried)
{
    const struct tp_batch_job of_adds = {
        .scenario = &adds, .options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1}};
    struct tp_trial trial;
    struct tp_shrink shrink = {.trial = &trial, .jobs = jobs, .until_ns = UINT64_MAX};
    size_t len;

    cr_assert(eq(int, tp_trial_open(&trial, &of_adds), 0));
    cr_assert(eq(int, tp_trial_seed(&trial, 1, &shrink.outcome, &shrink.best), 0));
    cr_assert(eq(u32, shrink.outcome.verdict, TP_VERDICT_FAILED));
    cr_assert(eq(int, tp_shrink_run(&shrink), 0));
    cr_assert(eq(u32, tp_shrink_choices(shrink.best), TOO_MANY));
    *ret_tried = shrink.tried;
    len = tp_tape_save(shrink.best, bytes, size);
    tp_tape_destroy(shrink.best);
    tp_trial_close(&trial);
    return len;
}

Test(shrink, comes_to_the_same_with_any_number_of_jobs, .timeout = 60)
{
    static uint8_t one[65536], three[65536];
    uint64_t tried_one, tried_three;
    size_t len = shrink_with(1, one, sizeof one, &tried_one);

    cr_assert(le(u64, len, sizeof one));
    cr_assert(eq(u64, shrink_with(3, three, sizeof three, &tried_three), len));
    cr_assert(eq(int, memcmp(one, three, len), 0));
    cr_assert(eq(u64, tried_three, tried_one));
}
