/** tests/runtime/operations.c - claim, tag, await, children, race, abandon, detach. */
#include "tests/runtime/fixture.h"

TestSuite(operations, .init = set_up, .fini = tear_down);

static enum tp_step opens_and_reads(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "file", (struct tp_open_options){.read = true, .write = true}),
             &part->result);
    if (part->result.value < 0)
        return tp_end(machine, part->result.value);
    part->fd = tp_into_fd(cx, part->result);
    part->buf = tp_buf_empty(part->memory, sizeof part->memory);
    TP_AWAIT(cx, tp_tag(cx, tp_read_at(cx, part->fd, &part->buf, 0), 5), &part->result);
    part->value = part->result.value;
    cr_assert(eq(ptr, part->result.buf, &part->buf));
    cr_assert(eq(u64, part->result.tag, 5));
    TP_AWAIT(cx, tp_close(cx, part->fd), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(operations, claims_return_the_buffer_with_its_length)
{
    struct part part = {.letter = 'a'};

    tp_spawn(scheduler, &part.machine, opens_and_reads, "part");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual_complete(manual_find(&manual, TP_OPEN), 3);
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual_complete(manual_find(&manual, TP_READ), 17);
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    cr_assert(eq(i32, part.value, 17));
    cr_assert(eq(u32, part.buf.len, 17));
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(i32, part.machine.result, 0));
}

static enum tp_step takes_by_tag(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);
    struct tp_result result;

    if (part->count == 0) {
        for (; part->count < 8; part->count++)
            tp_tag(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}),
                   part->count);
        return TP_WAIT;
    }
    while (tp_next_cqe(cx, &result)) {
        note((char)('0' + result.tag));
        part->count--;
    }
    return part->count == 0 ? tp_end(machine, 0) : TP_WAIT;
}

Test(operations, next_yields_completions_in_the_order_of_arrival)
{
    struct part part = {.count = 0};

    tp_spawn(scheduler, &part.machine, takes_by_tag, "part");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual_complete(&manual.ops[6], -EIO);
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual_complete(&manual.ops[1], -EIO);
    manual_complete(&manual.ops[3], -EIO);
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    while (manual_find(&manual, TP_OPEN) != NULL)
        manual_complete(manual_find(&manual, TP_OPEN), -EIO);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(str, events, "61302457"), "%s", events);
}

static enum tp_step keeps_what_arrives(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->other = tp_nop(cx);
    cr_assert(not(tp_get_cqe(cx, tp_no_op(), &part->result)), "none is never there");
    TP_AWAIT(cx, tp_timer(cx, 100), &part->result);
    TP_AWAIT(cx, part->other, &part->result);
    return tp_end(machine, 1);
    TP_END(cx);
}

Test(operations, what_arrives_during_an_await_is_kept_until_asked_for)
{
    struct part part = {.count = 0};

    tp_spawn(scheduler, &part.machine, keeps_what_arrives, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, 1));
}

/* ------------------------------------------------------------------ children */

static enum tp_step child_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    note(part->letter);
    TP_AWAIT(cx, tp_timer(cx, part->count), &part->result);
    note(part->letter);
    return tp_end(machine, part->result.value < 0 ? part->result.value : part->value);
    TP_END(cx);
}

static struct part children[4];

static enum tp_step joins(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    for (part->count = 0; part->count < 3; part->count++)
        part->ops[part->count] =
            tp_start(cx, &children[part->count].machine, child_tick, "child");
    for (part->count = 0; part->count < 3; part->count++) {
        TP_AWAIT(cx, part->ops[part->count], &part->result);
        part->value += part->result.value;
    }
    return tp_end(machine, part->value);
    TP_END(cx);
}

Test(operations, join_awaits_the_ends_of_children)
{
    struct part parent = {.value = 0};

    for (int i = 0; i < 3; i++) {
        children[i].letter = (char)('a' + i);
        children[i].count = (uint32_t)(300 - i * 100);
        children[i].value = 1 << i;
    }
    tp_spawn(scheduler, &parent.machine, joins, "parent");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "abccba"));
    cr_assert(eq(i32, parent.machine.result, 7));
}

static enum tp_step limits_child(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             tp_deadline(cx, tp_start(cx, &children[0].machine, child_tick, "child"), 50),
             &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(operations, a_deadline_on_a_childs_end_cancels_the_child)
{
    struct part parent = {.value = 0};

    children[0].letter = 'c';
    children[0].count = 1000;
    tp_spawn(scheduler, &parent.machine, limits_child, "parent");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, children[0].machine.result, -ECANCELED));
    cr_assert(eq(i32, parent.machine.result, -ETIMEDOUT));
    cr_assert(eq(u64, manual.now_ns, 1050));
}

/* ------------------------------------------------------------------ race */

static enum tp_step races(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->ops[0] = tp_timer(cx, 100);
    part->ops[1] = tp_open(cx, "a", (struct tp_open_options){.read = true});
    part->ops[2] = tp_open(cx, "b", (struct tp_open_options){.read = true});
    part->ops[3] = tp_no_op();
    TP_AWAIT_RACE(cx, part->ops, 4, &part->value);
    cr_assert(tp_get_cqe(cx, part->ops[part->value], &part->result));
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(operations, race_drains_the_losers_and_closes_what_they_own)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, races, "part");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual.ignore_cancels = true;
    manual_complete(&manual.ops[0], -ENOENT);
    cr_assert(eq(int, settle(), TP_WAIT_IO), "the loser is awaited");
    cr_assert(eq(u32, manual.cancels, 1));
    manual_complete(manual_find(&manual, TP_OPEN), 9);
    cr_assert(eq(int, settle(), TP_WAIT_IO), "it opened a file, which is being closed");
    cr_assert(eq(i32, part.value, 1));
    cr_assert(eq(i32, part.machine.result, -ENOENT));
    cr_assert(not(tp_machine_alive(&part.machine)));
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
}

Test(operations, race_prefers_operations_to_timers_on_a_tie)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, races, "part");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    manual.now_ns += 100;
    manual_complete(manual_find(&manual, TP_OPEN), -EIO);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(i32, part.value, 2));
}

/* ------------------------------------------------------------------ abandon, detach */

static enum tp_step abandons(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    tp_abandon(cx, tp_no_op());
    tp_abandon(cx, tp_open(cx, "a", (struct tp_open_options){.read = true}));
    tp_abandon(cx, tp_timer(cx, 1000000));
    part->buf = tp_buf_empty(part->memory, 8);
    return tp_end(machine, 4);
}

static enum tp_step awaits_abandoner(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_start(cx, &children[0].machine, abandons, "abandoner"), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(operations, abandoned_ones_hold_the_end_back_and_are_closed)
{
    struct part part = {.value = 0};

    manual.ignore_cancels = true;
    tp_spawn(scheduler, &part.machine, awaits_abandoner, "parent");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    cr_assert(eq(u32, manual.cancels, 1));
    cr_assert(tp_machine_alive(&children[0].machine), "its operation may still write");
    manual_complete(manual_find(&manual, TP_OPEN), 6);
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    cr_assert(not(tp_machine_alive(&children[0].machine)));
    cr_assert(eq(i32, part.machine.result, 4));
    manual_complete(manual_find(&manual, TP_CLOSE), -EIO);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->detached_failures, 1));
    cr_assert(eq(i32, tp_scheduler_stats(scheduler)->detached_error, -EIO));
}

static enum tp_step detaches(struct tp_machine *machine, struct tp_ctx *cx)
{
    tp_detach(cx, tp_remove(cx, "a"));
    tp_detach(cx, tp_timer(cx, 0));
    tp_detach(cx, tp_timer(cx, 50));
    return tp_end(machine, 0);
}

Test(operations, detached_ones_outlive_their_machine)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, detaches, "part");
    cr_assert(eq(int, settle(), TP_WAIT_IO));
    cr_assert(not(tp_machine_alive(&part.machine)));
    manual_complete(manual_find(&manual, TP_REMOVE), -ENOENT);
    cr_assert(eq(int, settle(), TP_WAIT_TIMER));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->detached_failures, 1));
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
}

/* ------------------------------------------------------------------ many */

static enum tp_step hammers(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);
    struct tp_result result;

    while (tp_next_cqe(cx, &result))
        part->count--;
    while (part->value > 0 && tp_room(cx) > 0) {
        (void)tp_nop(cx);
        part->value--;
        part->count++;
    }
    return part->count == 0 ? tp_end(machine, 0) : TP_WAIT;
}

Test(operations, room_bounds_what_is_in_flight)
{
    struct part part = {.value = 100000};

    tp_spawn(scheduler, &part.machine, hammers, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(u32, tp_scheduler_stats(scheduler)->ops_max, 4096));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->completed, 100000));
}
