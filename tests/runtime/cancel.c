/** tests/runtime/cancel.c - law 4: cancel is a level, and a machine runs to its own end. */
#include "tests/runtime/fixture.h"

TestSuite(cancel, .init = set_up, .fini = tear_down);

/* Opens, reads, closes: no line of it knows of cancel. */
static enum tp_step worker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}), &part->result);
    if (part->result.value < 0)
        return tp_end(machine, part->result.value);
    part->fd = tp_into_fd(cx, part->result);
    part->buf = tp_buf_empty(part->memory, 64);
    TP_AWAIT(cx, tp_read_at(cx, part->fd, &part->buf, 0), &part->result);
    part->value = part->result.value;
    if (part->value >= 0) {
        TP_AWAIT(cx, tp_timer(cx, 1000), &part->result);
        part->value = part->result.value;
    }
    TP_AWAIT(cx, tp_close(cx, part->fd), &part->result);
    cr_assert(eq(i32, part->result.value, 0), "clean-up runs though cancelled");
    return tp_end(machine, part->value);
    TP_END(cx);
}

static void run_to(struct part *part, enum tp_kind kind, int32_t value)
{
    (void)part;
    manual_complete(manual_find(&manual, kind), value);
    (void)settle();
}

Test(cancel, at_every_point_runs_the_machine_to_its_end)
{
    for (int point = 0; point < 4; point++) {
        struct part part = {.value = 0};

        tp_spawn(scheduler, &part.machine, worker_tick, "worker");
        if (point > 0)
            (void)settle();
        if (point > 1)
            run_to(&part, TP_OPEN, 3);
        if (point > 2)
            run_to(&part, TP_READ, 10);
        tp_machine_cancel(&part.machine);
        tp_machine_cancel(&part.machine); /* a level: once is enough, twice is harmless */
        (void)settle();
        if (point >= 2)
            run_to(&part, TP_CLOSE, 0);
        cr_assert(not(tp_machine_alive(&part.machine)), "point %d", point);
        cr_assert(eq(i32, part.machine.result, -ECANCELED), "point %d", point);
        cr_assert(eq(int, tick(), TP_FINISHED));
    }
}

Test(cancel, may_lose_to_a_success)
{
    struct part part = {.value = 0};

    manual.ignore_cancels = true;
    tp_spawn(scheduler, &part.machine, worker_tick, "worker");
    (void)settle();
    tp_machine_cancel(&part.machine);
    (void)settle();
    run_to(&part, TP_OPEN, 3);  /* succeeded all the same */
    run_to(&part, TP_CLOSE, 0); /* the read was refused, and the file is closed */
    cr_assert(eq(i32, part.machine.result, -ECANCELED));
}

static enum tp_step never_runs(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    note('!');
    return tp_end(machine, 0);
}

static struct part child;

static enum tp_step starts_late(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT_UNTIL(cx, tp_cancelled(cx));
    TP_AWAIT(cx, tp_start(cx, &child.machine, never_runs, "child"), &part->result);
    cr_assert(eq(i32, part->result.value, -ECANCELED));
    TP_AWAIT(cx, tp_timer(cx, 5), &part->result);
    cr_assert(eq(i32, part->result.value, -ECANCELED));
    tp_shield(cx, true);
    TP_AWAIT(cx, tp_timer(cx, 5), &part->result);
    cr_assert(eq(i32, part->result.value, 0), "shielded");
    part->op = tp_timer(cx, 5);
    tp_shield(cx, false);
    TP_AWAIT(cx, part->op, &part->result);
    cr_assert(eq(i32, part->result.value, -ECANCELED),
              "asked to stop when the shield went");
    return tp_end(machine, 1);
    TP_END(cx);
}

Test(cancel, refuses_new_operations_but_for_the_shielded)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, starts_late, "part");
    cr_assert(eq(int, settle(), TP_STUCK));
    tp_scheduler_stop(scheduler);
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, 1));
    cr_assert(eq(str, events, ""), "a child of a cancelled machine never runs");
}

/* ------------------------------------------------------------------ trees */

static struct part grandchild;

static enum tp_step leaf_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 1000000), &part->result);
    note('g');
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

static enum tp_step branch_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_start(cx, &grandchild.machine, leaf_tick, "leaf"), &part->result);
    note('c');
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

static enum tp_step root_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_start(cx, &child.machine, branch_tick, "branch");
    TP_AWAIT(cx, part->op, &part->result);
    note('p');
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(cancel, reaches_children_first_and_they_end_first)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, root_tick, "root");
    cr_assert(eq(int, settle(), TP_WAIT_TIMER));
    tp_scheduler_stop(scheduler);
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(str, events, "gcp"));
    cr_assert(eq(i32, part.machine.result, -ECANCELED));
}

static enum tp_step cancels_one(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_timer(cx, 100);
    part->other = tp_timer(cx, 50);
    tp_cancel(cx, part->op);
    tp_cancel(cx, part->op);
    tp_cancel(cx, tp_no_op());
    TP_AWAIT(cx, part->other, &part->result);
    cr_assert(eq(i32, part->result.value, 0));
    TP_AWAIT(cx, part->op, &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

Test(cancel, of_one_operation_leaves_the_others)
{
    struct part part = {.value = 0};

    tp_spawn(scheduler, &part.machine, cancels_one, "part");
    cr_assert(eq(int, tp_scheduler_run(scheduler), 0));
    cr_assert(eq(i32, part.machine.result, -ECANCELED));
}
