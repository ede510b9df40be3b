/** tests/sm/control.c - group, retry and periodic timer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sm/group.h"
#include "sm/periodic.h"
#include "sm/retry.h"
#include "tests/sm/harness.h"

#define MS UINT64_C(1000000)

enum { CHILDREN = 10 };

static struct harness world;

static void run(struct tp_machine *machine, tp_tick_fn *tick, uint64_t seed)
{
    harness_open(&world, "control", ON_VIRTUAL, seed);
    memset(machine, 0, sizeof *machine);
    tp_spawn(world.scheduler, machine, tick, "parent");
    harness_finish(&world);
    harness_close(&world);
}

/* ------------------------------------------------------------------ group */

struct child {
    struct tp_machine machine;
    uint64_t delay_ns;
    int32_t value;
};

static enum tp_step child_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct child *c = tp_container_of(machine, struct child, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, c->delay_ns), &result);
    return tp_end(machine, result.value < 0 ? result.value : c->value);
    TP_END(cx);
}

static struct {
    struct tp_machine machine;
    struct tp_group group;
    struct tp_group_item items[CHILDREN];
    struct child children[CHILDREN];
    enum tp_group_policy policy;
    uint32_t count;
    uint64_t took_ns;
    bool cancel_itself;
} family;

static enum tp_step family_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    TP_BEGIN(cx);
    tp_group_init(&family.group, family.items, CHILDREN, family.policy);
    for (uint32_t i = 0; i < family.count; i++)
        (void)tp_group_add(&family.group,
                           tp_start(cx, &family.children[i].machine, child_tick, "child"));
    if (family.cancel_itself)
        tp_machine_cancel(machine);
    family.took_ns = tp_now_ns(cx);
    TP_AWAIT_UNTIL(cx, tp_group_joined(cx, &family.group));
    family.took_ns = tp_now_ns(cx) - family.took_ns;
    return tp_end(machine, family.group.error);
    TP_END(cx);
}

static void raise_family(enum tp_group_policy policy, uint32_t count)
{
    memset(&family, 0, sizeof family);
    family.policy = policy;
    family.count = count;
    for (uint32_t i = 0; i < count; i++) {
        family.children[i].delay_ns = (i + 1) * 10 * MS;
        family.children[i].value = (int32_t)i;
    }
}

Test(group, joins_all)
{
    raise_family(TP_GROUP_ALL, CHILDREN);
    run(&family.machine, family_tick, 1);
    expect(&world, family.machine.result == 0 && family.group.joined == CHILDREN);
    for (uint32_t i = 0; i < CHILDREN; i++)
        expect(&world, family.items[i].result.value == (int32_t)i);
    expect(&world, family.took_ns >= 100 * MS);
}

Test(group, of_none_is_joined_at_once)
{
    raise_family(TP_GROUP_ALL, 0);
    run(&family.machine, family_tick, 1);
    expect(&world, family.machine.result == 0 && family.took_ns == 0);
}

Test(group, runs_all_to_their_end_when_told_so)
{
    raise_family(TP_GROUP_ALL, CHILDREN);
    family.children[2].value = -EIO;
    family.children[4].value = -ENOSPC;
    run(&family.machine, family_tick, 1);
    expect(&world, family.machine.result == -EIO && family.group.first_failed == 2);
    expect(&world, family.group.failed == 2 && family.items[9].result.value == 9);
}

Test(group, ends_the_rest_with_the_first_failure)
{
    raise_family(TP_GROUP_FAIL_FAST, CHILDREN);
    family.children[2].value = -EIO;
    run(&family.machine, family_tick, 1);
    expect(&world, family.machine.result == -EIO && family.group.first_failed == 2);
    expect(&world, family.group.failed == 8 && family.group.joined == CHILDREN);
    expect(&world, family.items[0].result.value == 0);
    expect(&world, family.items[9].result.value == -ECANCELED);
    expect(&world, family.took_ns < 50 * MS);
}

Test(group, is_joined_in_a_cancelled_machine_too)
{
    raise_family(TP_GROUP_ALL, CHILDREN);
    family.cancel_itself = true;
    run(&family.machine, family_tick, 1);
    expect(&world, family.machine.result == -ECANCELED && family.group.failed == CHILDREN);
    expect(&world, family.took_ns < 10 * MS);
}

/* ------------------------------------------------------------------ retry */

static struct {
    struct tp_machine machine;
    struct tp_retry retry;
    struct tp_retry_options options;
    struct child attempt;
    uint32_t succeeds_at; /* the number of the attempt that does */
    uint32_t attempts;
    uint64_t began_ns[32];
    int32_t fatal; /* the error that is not worth another attempt */
    uint64_t deadline_ns;
    uint64_t takes_ns;
} trial;

static struct tp_op attempt(void *context, struct tp_ctx *cx, uint32_t number)
{
    expect(&world, context == &trial && number == trial.attempts);
    trial.began_ns[trial.attempts++ % 32] = tp_now_ns(cx);
    trial.attempt.delay_ns = trial.takes_ns;
    trial.attempt.value = number == trial.succeeds_at ? 42 : -EIO;
    return tp_start(cx, &trial.attempt.machine, child_tick, "attempt");
}

static bool again(void *context, int32_t error)
{
    (void)context;
    return error != trial.fatal;
}

static enum tp_step trial_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             tp_deadline(
                 cx,
                 tp_retry_start(cx, &trial.retry, attempt, &trial, again, &trial.options),
                 trial.deadline_ns),
             &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static void set_trial(uint32_t succeeds_at)
{
    memset(&trial, 0, sizeof trial);
    trial.succeeds_at = succeeds_at;
    trial.deadline_ns = TP_NEVER;
    trial.takes_ns = 1000;
}

Test(retry, tries_until_it_works)
{
    set_trial(3);
    run(&trial.machine, trial_tick, 1);
    expect(&world, trial.machine.result == 42 && trial.attempts == 4);
    expect(&world, trial.retry.attempts == 4 && trial.retry.last.value == 42);
    for (uint32_t i = 1; i < 4; i++) {
        uint64_t delay_ns = trial.began_ns[i] - trial.began_ns[i - 1];
        expect(&world, delay_ns >= (5 * MS << (i - 1)) && delay_ns < (11 * MS << (i - 1)));
    }
}

Test(retry, gives_the_last_error_when_enough_is_enough)
{
    set_trial(UINT32_MAX);
    trial.options.attempts_max = 7;
    trial.options.delay_ns_first = MS;
    trial.options.delay_ns_max = 4 * MS;
    run(&trial.machine, trial_tick, 1);
    expect(&world, trial.machine.result == -EIO && trial.attempts == 7);
    expect(&world, trial.began_ns[6] - trial.began_ns[5] < 5 * MS);
}

Test(retry, stops_at_an_error_that_is_not_worth_it)
{
    set_trial(3);
    trial.fatal = -EIO;
    run(&trial.machine, trial_tick, 1);
    expect(&world, trial.machine.result == -EIO && trial.attempts == 1);
}

Test(retry, ends_when_it_is_cancelled_in_an_attempt_or_a_delay)
{
    for (uint64_t deadline_ns = 1000; deadline_ns < 40 * MS; deadline_ns += 777777) {
        set_trial(UINT32_MAX);
        trial.takes_ns = 3 * MS;
        trial.options.attempts_max = UINT32_MAX;
        trial.deadline_ns = deadline_ns;
        run(&trial.machine, trial_tick, deadline_ns);
        expect(&world, trial.machine.result == -ETIMEDOUT || trial.machine.result == -EIO);
        expect(&world, trial.attempts < 8);
    }
}

Test(retry, bounds_each_attempt)
{
    set_trial(0);
    trial.takes_ns = 100 * MS;
    trial.options.attempts_max = 2;
    trial.options.attempt_ns_max = 10 * MS;
    run(&trial.machine, trial_tick, 1);
    expect(&world, trial.machine.result == -ETIMEDOUT && trial.attempts == 2);
}

Test(retry, wants_delays_that_make_sense)
{
    set_trial(0);
    trial.options.delay_ns_first = 2;
    trial.options.delay_ns_max = 1;
    run(&trial.machine, trial_tick, 1);
    expect(&world, trial.machine.result == -EINVAL && trial.attempts == 0);
}

Test(backoff, doubles_up_to_the_longest_and_spreads_by_half)
{
    for (uint32_t number = 0; number < 100; number++) {
        uint64_t whole = number < 7 ? UINT64_C(10) << number : 1000;
        cr_assert_eq(tp_backoff_ns(10, 1000, number, 0), whole - whole / 2);
        for (uint64_t random = 0; random < 3000; random += 7) {
            uint64_t delay_ns = tp_backoff_ns(10, 1000, number, random);
            cr_assert(delay_ns >= whole / 2 && delay_ns <= whole);
        }
    }
    cr_assert(tp_backoff_ns(1, UINT64_MAX, 63, UINT64_MAX) >= UINT64_C(1) << 62);
    cr_assert(tp_backoff_ns(UINT64_MAX, UINT64_MAX, 64, 12345) >= UINT64_MAX / 2);
    cr_assert_eq(tp_backoff_ns(0, 1000, 5, 77), 0);
}

/* ------------------------------------------------------------------ periodic */

static struct {
    struct tp_machine machine;
    struct tp_periodic periodic;
    enum tp_periodic_policy policy;
    uint64_t began_ns, work_ns;
    uint64_t told_ns[20];
    uint32_t count;
} clockwork;

static enum tp_step clockwork_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    clockwork.began_ns = tp_now_ns(cx);
    tp_periodic_init(cx, &clockwork.periodic, 10 * MS, clockwork.policy);
    while (clockwork.count < 20) {
        TP_AWAIT(cx, tp_periodic_next(cx, &clockwork.periodic), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        clockwork.told_ns[clockwork.count++] = tp_now_ns(cx) - clockwork.began_ns;
        /* Work that takes 3 ms, and once 47 ms. */
        clockwork.work_ns = clockwork.count == 5 ? 47 * MS : 3 * MS;
        TP_AWAIT(cx, tp_timer(cx, clockwork.work_ns), &result);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void run_clockwork(enum tp_periodic_policy policy)
{
    memset(&clockwork, 0, sizeof clockwork);
    clockwork.policy = policy;
    run(&clockwork.machine, clockwork_tick, 1);
    expect(&world, clockwork.machine.result == 0);
}

static bool is_at(uint32_t index, uint64_t point_ns)
{
    return clockwork.told_ns[index] >= point_ns && clockwork.told_ns[index] < point_ns + MS;
}

Test(periodic, skips_what_it_missed_and_does_not_drift)
{
    run_clockwork(TP_PERIODIC_SKIP);
    for (uint32_t i = 0; i < 5; i++)
        expect(&world, is_at(i, (i + 1) * 10 * MS));
    /* From 50 ms to 97 ms it worked: 60, 70, 80 and 90 have passed. */
    expect(&world, clockwork.periodic.missed == 4);
    for (uint32_t i = 5; i < 20; i++)
        expect(&world, is_at(i, (i + 5) * 10 * MS));
}

Test(periodic, tells_all_when_told_so)
{
    run_clockwork(TP_PERIODIC_ALL);
    expect(&world, clockwork.periodic.missed == 0);
    expect(&world, is_at(5, 97 * MS) && is_at(6, 100 * MS) && is_at(7, 103 * MS));
    /* 10 ms a point against 3 ms of work: it has caught up by the end. */
    expect(&world, is_at(19, 200 * MS));
}
