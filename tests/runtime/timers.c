/** tests/runtime/timers.c - the heap, timers of one moment, deadlines. */
#include "runtime/timers.h"

#include "tests/runtime/fixture.h"

TestSuite(timers, .init = set_up, .fini = tear_down);

/* A random history of heap and queues against a plain array: of few delays, of more than
 * there are queues, and of unknown ones, with a clock that goes on. */
static void agrees_with_an_array(uint32_t delays)
{
    enum { SLOTS = 200 };
    struct tp_slots slots = {0};
    struct tp_timers heap = {0};
    uint64_t model[SLOTS + 1] = {0};
    uint64_t random = 1, now = 0, delay;

    cr_assert(eq(int, tp_slots_init(&slots, SLOTS, 0, NULL), 0));
    cr_assert(eq(int, tp_timers_init(&heap, SLOTS, NULL), 0));
    heap.sequence = UINT32_MAX - 1000; /* it wraps on the way */
    for (uint32_t i = 0; i < SLOTS; i++)
        cr_assert(eq(u32, tp_slots_take(&slots), i + 1));
    for (uint32_t step = 0; step < 100000; step++) {
        uint32_t slot;
        uint64_t least = TP_NEVER;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        slot = (uint32_t)(random >> 33) % SLOTS + 1;
        if (model[slot] == 0) {
            delay = 1 + (random >> 13) % (delays == 0 ? 64 : delays);
            now += delays == 0 ? 0 : (random >> 20) % 2;
            model[slot] = now + delay;
            tp_timers_set(&heap, &slots, slot, model[slot], delays == 0 ? 0 : delay);
        } else {
            model[slot] = 0;
            tp_timers_remove(&heap, &slots, slot);
        }
        for (uint32_t i = 1; i <= SLOTS; i++) {
            if (model[i] != 0 && model[i] < least)
                least = model[i];
            cr_assert(eq(int, model[i] != 0, slots.slots[i].timer != 0));
        }
        cr_assert(eq(u64, tp_timers_next_ns(&heap), least));
    }
    tp_timers_remove(&heap, &slots, 1);
    tp_timers_remove(&heap, &slots, 1); /* none: nothing happens */
    tp_timers_deinit(&heap, NULL);
    tp_slots_deinit(&slots, NULL);
}

Test(heap, agrees_with_an_array)
{
    agrees_with_an_array(0);
}

Test(queues, agree_with_an_array)
{
    agrees_with_an_array(TP_TIMER_QUEUES - 3);
    agrees_with_an_array(TP_TIMER_QUEUES * 2);
}

/* (deadline, order of setting), whichever of them are in queues and which in the heap. */
Test(queues, and_heap_keep_one_order)
{
    static const uint64_t deadlines[] = {50, 50, 70, 50, 60, 50};
    static const uint64_t delays[] = {0, 10, 10, 20, 0, 20};
    static const uint32_t order[] = {1, 2, 4, 6, 5, 3};
    struct tp_slots slots = {0};
    struct tp_timers timers = {0};

    cr_assert(eq(int, tp_slots_init(&slots, 6, 0, NULL), 0));
    cr_assert(eq(int, tp_timers_init(&timers, 6, NULL), 0));
    for (uint32_t i = 0; i < 6; i++)
        tp_timers_set(&timers, &slots, tp_slots_take(&slots), deadlines[i], delays[i]);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t slot = tp_timers_first(&timers)->slot;

        cr_assert(eq(u32, slot, order[i]));
        cr_assert(eq(u64, tp_timers_next_ns(&timers), deadlines[slot - 1]));
        tp_timers_remove(&timers, &slots, slot);
    }
    cr_assert(eq(u64, tp_timers_next_ns(&timers), TP_NEVER));
    tp_timers_deinit(&timers, NULL);
    tp_slots_deinit(&slots, NULL);
}

static enum tp_step sleeps(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, part->count), &part->result);
    note(part->letter);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(timers, of_one_moment_fire_in_the_order_in_which_they_were_set)
{
    struct part parts[20];

    memset(parts, 0, sizeof parts);
    for (int i = 0; i < 20; i++) {
        parts[i].letter = (char)('a' + i);
        parts[i].count = 100;
        tp_spawn(scheduler, &parts[i].machine, sleeps, "part");
    }
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "abcdefghijklmnopqrst"));
    cr_assert(eq(u64, manual.now_ns, 1100));
    cr_assert(eq(u64, tp_io_stats(&manual.io)->parks, 1));
}

static enum tp_step zero_and_never(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->other = tp_timer(cx, TP_NEVER);
    TP_AWAIT(cx, tp_timer(cx, 0), &part->result);
    cr_assert(eq(i32, part->result.value, 0));
    tp_cancel(cx, part->other);
    TP_AWAIT(cx, part->other, &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(timers, of_zero_fire_in_the_next_iteration_and_of_never_do_not)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, zero_and_never, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ECANCELED));
    cr_assert(eq(u64, manual.now_ns, 1000));
}

static enum tp_step reads_within(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_open(cx, "f", (struct tp_open_options){.read = true});
    tp_deadline(cx, part->op, 10);
    tp_deadline(cx, part->op, part->count); /* replaces the first */
    TP_AWAIT(cx, part->op, &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(timers, as_deadlines_cancel_and_give_etimedout)
{
    struct part part = {.count = 500};

    tp_spawn(scheduler, &part.machine, reads_within, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ETIMEDOUT));
    cr_assert(eq(u64, manual.now_ns, 1500));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->expired, 1));
}

Test(timers, as_deadlines_that_come_second_change_nothing)
{
    struct part part = {.count = 500};

    tp_spawn(scheduler, &part.machine, reads_within, "part");
    (void)settle();
    manual_complete(manual_find(&manual, TP_OPEN), -ENOENT);
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ENOENT));
    cr_assert(eq(u32, tp_scheduler_stats(scheduler)->timers, 0));
}

Test(timers, as_deadlines_lose_to_a_success_that_the_cancel_did_not_stop)
{
    struct part part = {.count = 500};

    manual.ignore_cancels = true;
    tp_spawn(scheduler, &part.machine, reads_within, "part");
    (void)settle();
    manual.now_ns += 1000;
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 1));
    manual_complete(manual_find(&manual, TP_OPEN), -EACCES);
    (void)settle();
    cr_assert(eq(i32, part.machine.result, -EACCES));
}

static enum tp_step cut_timer(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_deadline(cx, tp_timer(cx, 100), 1000), &part->result);
    cr_assert(eq(i32, part->result.value, 0), "the timer came first");
    TP_AWAIT(cx, tp_deadline(cx, tp_timer(cx, 1000), 100), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(timers, have_deadlines_too)
{
    struct part part = {.count = 0};

    tp_spawn(scheduler, &part.machine, cut_timer, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ETIMEDOUT));
    cr_assert(eq(u64, manual.now_ns, 1200));
}

/* A deadline ends a timer early; what replaces or removes it gives the timer back its own
 * moment. */
static enum tp_step timer_of_other_deadlines(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_deadline(cx, tp_timer(cx, 1000), 100);
    TP_AWAIT(cx, tp_deadline(cx, part->op, TP_NEVER), &part->result);
    cr_assert(eq(i32, part->result.value, 0), "its deadline was removed");
    cr_assert(eq(u64, manual.now_ns, 2000));
    part->op = tp_deadline(cx, tp_timer(cx, 1000), 100);
    TP_AWAIT(cx, tp_deadline(cx, part->op, 5000), &part->result);
    cr_assert(eq(i32, part->result.value, 0), "a later one replaced it");
    cr_assert(eq(u64, manual.now_ns, 3000));
    part->op = tp_deadline(cx, tp_timer(cx, 1000), 100);
    TP_AWAIT(cx, tp_deadline(cx, part->op, 300), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(timers, have_the_last_deadline_that_they_were_given)
{
    struct part part = {.count = 0};

    tp_spawn(scheduler, &part.machine, timer_of_other_deadlines, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ETIMEDOUT));
    cr_assert(eq(u64, manual.now_ns, 3300));
}
