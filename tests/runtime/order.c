/** tests/runtime/order.c - who ticks when: wake order, yield, progress, the end. */
#include "tests/common/allocator.h"
#include "tests/runtime/fixture.h"

TestSuite(order, .init = set_up, .fini = tear_down);

static enum tp_step once(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    note(part_of(machine)->letter);
    return tp_end(machine, 0);
}

Test(order, machines_tick_in_the_order_in_which_they_were_woken)
{
    struct part parts[5] = {{.letter = 'a'},
                            {.letter = 'b'},
                            {.letter = 'c'},
                            {.letter = 'd'},
                            {.letter = 'e'}};

    for (int i = 4; i >= 0; i--)
        tp_spawn(scheduler, &parts[i].machine, once, "part");
    cr_assert(eq(int, tick(), TP_FINISHED));
    cr_assert(eq(str, events, "edcba"));
    cr_assert(eq(u32, tp_scheduler_stats(scheduler)->machines, 0));
}

static enum tp_step wakes_peer(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    (void)cx;
    note(part->letter);
    if (part->count-- == 0)
        return tp_end(machine, 0);
    if (part->peer != NULL && tp_machine_alive(&part->peer->machine)) {
        tp_wake(&part->peer->machine);
        tp_wake(&part->peer->machine); /* coalesced */
    }
    return TP_WAIT;
}

Test(order, a_wake_of_one_that_has_not_ticked_is_for_this_iteration_else_for_the_next)
{
    struct part a = {.letter = 'a', .count = 1}, b = {.letter = 'b', .count = 1};

    tp_spawn(scheduler, &b.machine, wakes_peer, "b");
    cr_assert(eq(int, tick(), TP_STUCK));
    a.peer = &b; /* b waits; a wakes it: both tick in one iteration */
    b.peer = NULL;
    tp_spawn(scheduler, &a.machine, wakes_peer, "a");
    cr_assert(eq(int, tick(), TP_STUCK));
    cr_assert(eq(str, events, "bab"));
    tp_wake(&a.machine);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(str, events, "baba"));
}

Test(order, a_wake_of_one_that_has_ticked_is_for_the_next_iteration)
{
    struct part a = {.letter = 'a', .count = 1},
                b = {.letter = 'b', .count = 1, .peer = &a};

    tp_spawn(scheduler, &a.machine, wakes_peer, "a");
    tp_spawn(scheduler, &b.machine, wakes_peer, "b");
    cr_assert(eq(int, tick(), TP_PROGRESS));
    cr_assert(eq(str, events, "ab"));
    cr_assert(eq(int, tick(), TP_STUCK));
    cr_assert(eq(str, events, "aba"));
    tp_wake(&b.machine);
    cr_assert(eq(int, tick(), TP_FINISHED));
}

static enum tp_step yields(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    (void)cx;
    note(part->letter);
    return part->count-- == 0 ? tp_end(machine, 7) : TP_YIELD;
}

Test(order, yield_is_always_the_next_iteration)
{
    struct part a = {.letter = 'a', .count = 2}, b = {.letter = 'b', .count = 2};

    tp_spawn(scheduler, &a.machine, yields, "a");
    tp_spawn(scheduler, &b.machine, yields, "b");
    cr_assert(eq(int, tick(), TP_PROGRESS));
    cr_assert(eq(str, events, "ab"));
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "ababab"));
    cr_assert(eq(i32, a.machine.result, 7));
}

/* ------------------------------------------------------------------ progress */

static enum tp_step reads(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    if (part->op.handle == 0)
        part->op = tp_open(cx, "file", (struct tp_open_options){.read = true});
    if (!tp_take(cx, &part->op, &part->result))
        return TP_WAIT;
    return tp_end(machine, part->result.value);
}

static enum tp_step sleeps(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 500), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(order, tick_says_what_there_is_to_wait_for_and_leaves_nothing_unsubmitted)
{
    struct part reader = {.letter = 'r'}, sleeper = {.letter = 's'}, idle = {.count = 1};

    cr_assert(eq(int, tick(), TP_FINISHED));
    tp_spawn(scheduler, &idle.machine, wakes_peer, "idle");
    cr_assert(eq(int, tick(), TP_STUCK));
    tp_scheduler_expect_wake(scheduler, 1);
    cr_assert(eq(int, tick(), TP_WAIT_WAKE));
    tp_scheduler_expect_wake(scheduler, -1);
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), -1));
    tp_spawn(scheduler, &sleeper.machine, sleeps, "sleeper");
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), 0));
    cr_assert(eq(int, tick(), TP_WAIT_TIMER));
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), 500));
    manual.now_ns += 200;
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), 300), "a fresh clock");
    tp_spawn(scheduler, &reader.machine, reads, "reader");
    cr_assert(eq(int, tick(), TP_WAIT_IO));
    cr_assert(eq(u32, tp_io_unsubmitted(&manual.io), 0));
    manual.begins = 2;
    cr_assert(eq(int, tick(), TP_PROGRESS), "both polls have begun something");
    cr_assert(eq(int, tick(), TP_WAIT_IO));
    cr_assert(eq(u32, tp_io_unsubmitted(&manual.io), 0));
    manual_complete(manual_find(&manual, TP_OPEN), -EIO);
    manual.now_ns += 300;
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), 0));
    cr_assert(eq(int, tick(), TP_STUCK));
    cr_assert(eq(i32, reader.machine.result, -EIO));
    tp_wake(&idle.machine);
    cr_assert(eq(int, settle(), TP_FINISHED));
}

Test(order, run_tells_of_being_stuck_and_goes_on_when_woken)
{
    struct part idle = {.letter = 'i', .count = 1};
    char census[512];

    tp_spawn(scheduler, &idle.machine, wakes_peer, "idle");
    cr_assert(eq(int, tp_scheduler_run(scheduler), -EDEADLK));
    tp_scheduler_census(scheduler, census, sizeof census);
    cr_assert(ne(ptr, strstr(census, "machine idle waits for a wake"), NULL), "%s", census);
    tp_wake(&idle.machine);
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
}

static enum tp_step reads_the_clock(struct tp_machine *machine, struct tp_ctx *cx)
{
    uint64_t now = tp_now_ns(cx), wall = tp_wall_ns(cx);

    manual.now_ns += 10;
    manual.wall_ns -= 10;
    cr_assert(eq(u64, tp_now_ns(cx), now));
    cr_assert(eq(u64, tp_wall_ns(cx), wall));
    if (part_of(machine)->count-- == 0)
        return tp_end(machine, (int32_t)now);
    return TP_YIELD;
}

Test(order, the_clock_stands_still_within_an_iteration)
{
    struct part a = {.count = 1}, b = {.count = 1};

    tp_spawn(scheduler, &a.machine, reads_the_clock, "a");
    tp_spawn(scheduler, &b.machine, reads_the_clock, "b");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, a.machine.result, 1020));
    cr_assert(eq(i32, b.machine.result, 1020), "one reading for all");
}

static enum tp_step draws(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    for (uint32_t i = 0; i < 8; i++)
        ((uint64_t *)(void *)part->memory)[i] = tp_random(cx);
    return tp_end(machine, 0);
}

Test(order, random_streams_follow_from_the_seed_and_the_order_of_starts)
{
    struct part a[2] = {{.letter = 'a'}, {.letter = 'b'}},
                b[2] = {{.letter = 'a'}, {.letter = 'b'}};
    struct tp_scheduler_config config = {.size = sizeof config, .ops_max = 8, .seed = 11};

    for (int round = 0; round < 2; round++) {
        struct part *parts = round == 0 ? a : b;
        struct tp_scheduler *other;

        manual.io.describe = NULL; /* one scheduler after the other on one Io */
        cr_assert(eq(int, tp_scheduler_create_with(&manual.io, &config, &other), 0));
        tp_spawn(other, &parts[0].machine, draws, "a");
        tp_spawn(other, &parts[1].machine, draws, "b");
        cr_assert(eq(int, tp_scheduler_run(other), 0));
        tp_scheduler_destroy(other);
    }
    cr_assert(eq(int, memcmp(a[0].memory, b[0].memory, 64), 0));
    cr_assert(eq(int, memcmp(a[1].memory, b[1].memory, 64), 0));
    cr_assert(ne(int, memcmp(a[0].memory, a[1].memory, 64), 0));
}

/* ------------------------------------------------------------------ ended() */

static void on_end(struct tp_machine *machine)
{
    note('!');
    free(part_of(machine));
}

Test(order, ended_is_called_between_ticks_and_may_free)
{
    for (int i = 0; i < 3; i++) {
        struct part *part = calloc(1, sizeof *part);

        part->letter = (char)('a' + i);
        part->count = (uint32_t)i;
        part->machine.ended = on_end;
        tp_spawn(scheduler, &part->machine, yields, "heap");
    }
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "a!bcb!cc!"));
}

static enum tp_step wakes_and_ends(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    note(part_of(machine)->letter);
    if (part_of(machine)->peer != NULL)
        tp_wake(&part_of(machine)->peer->machine);
    return tp_end(machine, 0);
}

Test(order, a_machine_that_ends_while_woken_is_not_ticked_again)
{
    struct part *woken = calloc(1, sizeof *woken);
    struct part waker = {.letter = 'w', .peer = woken};

    woken->letter = 'x';
    woken->peer = woken; /* wakes itself, and ends */
    woken->machine.ended = on_end;
    tp_spawn(scheduler, &waker.machine, wakes_and_ends, "waker");
    tp_spawn(scheduler, &woken->machine, wakes_and_ends, "woken");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "wx!"));
}

/* ------------------------------------------------------------------ memory */

Test(order, creation_fails_cleanly_whichever_allocation_fails)
{
    for (uint32_t nth = 1;; nth++) {
        struct allocator allocator;
        struct tp_scheduler_config config = {
            .ops_max = 16, .machines_max = 16, .allocator = &allocator.hooks};
        struct tp_scheduler *other;
        int result;

        allocator_init(&allocator);
        allocator.fail_in = nth;
        allocator.fails_on = true;
        manual.io.describe = NULL;
        result = tp_scheduler_create_with(&manual.io, &config, &other);
        if (result == 0) {
            cr_assert(lt(u32, 5, nth));
            tp_scheduler_destroy(other);
            cr_assert(eq(u64, allocator.live_blocks, 0));
            break;
        }
        cr_assert(eq(int, result, -ENOMEM));
        cr_assert(eq(u64, allocator.live_blocks, 0), "allocation %u", nth);
    }
}

Test(order, a_config_of_another_size_is_refused)
{
    struct tp_scheduler_config config = {.size = 3};
    struct tp_scheduler *other;

    manual.io.describe = NULL;
    cr_assert(eq(int, tp_scheduler_create_with(&manual.io, &config, &other), -EINVAL));
}

Test(order, a_crash_drops_everything_at_once)
{
    struct part reader = {.letter = 'r'};

    tp_spawn(scheduler, &reader.machine, reads, "reader");
    cr_assert(eq(int, tick(), TP_WAIT_IO));
    manual.io.dead = true;
    cr_assert(eq(int, tp_scheduler_run(scheduler), -ESHUTDOWN));
    tp_scheduler_crash(scheduler);
    cr_assert(not(tp_machine_alive(&reader.machine)));
    manual.io.dead = false;
    scheduler = NULL;
}
