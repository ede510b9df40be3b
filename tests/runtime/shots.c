/** tests/runtime/shots.c - multishot operations: one handle, many completions (shots). */
#include "tests/runtime/shooter.h"

TestSuite(shots, .init = set_up_bufs, .fini = tear_down_empty);

/* ------------------------------------------------------------------ order and claim */

Test(shots, are_claimed_in_their_tick_in_order_of_arrival)
{
    start(claims_all);
    receive("abc");
    (void)settle();
    receive("d");
    (void)settle();
    expect_events("abcd");
    cr_assert(eq(u32, tp_scheduler_stats(scheduler)->ops, 1), "shots are no operations");
    receive("ef");
    manual_complete(many(), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("abcdef.");
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->shots, 6));
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
}

Test(shots, of_accept_many_are_fds)
{
    shooter.accepts = true;
    start(claims_all);
    manual_shot(&manual, many(), 4);
    manual_shot(&manual, many(), 5);
    (void)settle();
    manual_shot(&manual, many(), 6);
    manual_complete(many(), -EMFILE);
    (void)settle();
    expect_events("456E");
    cr_assert(eq(i32, shooter.machine.result, -EMFILE));
    cr_assert(eq(u32, manual_pending(&manual), 3), "each is closed");
    while (manual_find(&manual, TP_CLOSE) != NULL)
        manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
}

/* An end has no fd, whatever its value: fd 0 belongs to somebody else. */
Test(shots, of_accept_many_end_without_a_fd)
{
    static const char site[] = "elsewhere.c";

    (void)fd_of(0);
    tp_io_fd_site(&manual.io, 0, site, 1);
    shooter.accepts = true;
    start(claims_all);
    manual_complete(many(), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events(".");
    cr_assert(eq(ptr, (void *)(uintptr_t)manual.io.fds->entries[0].file,
                 (void *)(uintptr_t)site));
}

/* More than would be kept: nothing pauses for a machine that claims. */
Test(shots, are_not_bounded_while_they_are_claimed)
{
    shooter.keep = 2;
    start(claims_all);
    receive("0123456789");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 0));
    manual_complete(many(), 0);
    (void)settle();
    expect_events("0123456789.");
}

/* A multishot, a single operation and another multishot, each in its place. */
static struct tp_op three_ops[3];

static enum tp_step has_three(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    three_ops[0] = tp_tag(cx, tp_recv_many(cx, s->fd), 'r');
    three_ops[1] =
        tp_tag(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}), 'o');
    three_ops[2] = tp_tag(cx, tp_accept_many(cx, s->fd), 'a');
    TP_AWAIT(cx, tp_timer(cx, 1000), &s->result);
    while (tp_next_cqe(cx, &s->result)) {
        note((char)s->result.tag);
        note((s->result.flags & TP_MORE) != 0 ? '+' : '.');
        if (s->result.buf != NULL)
            tp_give_back(cx, s->result.buf);
        for (uint32_t i = 0; i < 3; i++)
            cr_assert(eq(int, s->result.op.handle == three_ops[i].handle,
                         s->result.tag == (uint64_t) "roa"[i]));
        if (s->result.tag == 'a' && s->result.value >= 0)
            tp_detach(cx, tp_close(cx, tp_into_fd(cx, s->result)));
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(shots, and_other_operations_keep_their_order)
{
    start(has_three);
    manual_shot(&manual, manual_find(&manual, TP_ACCEPT_MANY), 5);
    (void)settle();
    receive("x");
    manual_shot(&manual, manual_find(&manual, TP_ACCEPT_MANY), 6);
    manual_complete(manual_find(&manual, TP_OPEN), -EIO);
    receive("y");
    (void)settle();
    manual_complete(manual_find(&manual, TP_ACCEPT_MANY), -ENOMEM);
    (void)settle();
    receive("z");
    manual_complete(many(), 0);
    (void)settle();
    manual.now_ns += 1000;
    (void)settle();
    expect_events("a+r+r+o.a+a.r+r.");
    while (manual_find(&manual, TP_CLOSE) != NULL)
        manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
}

/* A part of a machine claims its multishot, and leaves the rest for others. */
static enum tp_step claims_one_of_three(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    three_ops[0] = tp_tag(cx, tp_recv_many(cx, s->fd), 'r');
    three_ops[1] =
        tp_tag(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}), 'o');
    three_ops[2] = tp_tag(cx, tp_accept_many(cx, s->fd), 'a');
    cr_assert(not(tp_next_of(cx, &three_ops[0], &s->result)));
    TP_AWAIT(cx, tp_timer(cx, 1000), &s->result);
    while (tp_next_of(cx, &three_ops[0], &s->result)) {
        note((char)s->result.tag);
        note((s->result.flags & TP_MORE) != 0 ? '+' : '.');
        if (s->result.buf != NULL)
            tp_give_back(cx, s->result.buf);
    }
    cr_assert(not(tp_op_is_some(three_ops[0])), "none after its end");
    cr_assert(not(tp_next_of(cx, &three_ops[0], &s->result)), "and asked for again");
    while (tp_next_cqe(cx, &s->result)) {
        note((char)s->result.tag);
        note((s->result.flags & TP_MORE) != 0 ? '+' : '.');
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(shots, of_one_multishot_are_claimed_among_others)
{
    start(claims_one_of_three);
    manual_complete(manual_find(&manual, TP_OPEN), -EIO);
    receive("x");
    (void)settle();
    manual_complete(manual_find(&manual, TP_ACCEPT_MANY), -ENOMEM);
    receive("yz");
    manual_complete(manual_find(&manual, TP_RECV_MANY), 0);
    (void)settle();
    manual.now_ns += 1000;
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("r+r+r+r.o.a.");
}

/* ------------------------------------------------------------------ pausing */

Test(shots, at_the_bound_pause_while_the_machine_awaits_and_go_on_after_the_claims)
{
    uint64_t handle;

    shooter.keep = 3;
    start(awaits_and_claims);
    handle = many()->request.handle;
    receive("ab");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 0), "below the bound");
    receive("c");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 1));
    cr_assert(eq(ptr, many(), NULL), "nothing of it is with the Io");
    cr_assert(eq(u32, tp_io_in_flight(&manual.io), 0));
    cr_assert(eq(int, tick(), TP_WAIT_TIMER));
    expect_events("");
    pass_time();
    expect_events("abc");
    cr_assert(ne(ptr, many(), NULL), "begun again");
    cr_assert(eq(u64, many()->request.handle, handle), "under the same handle");
    cr_assert(eq(u32, many()->request.fd.number, 3));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->resumed, 1));
    receive("d");
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
    expect_events("abcd.");
    cr_assert(eq(int, settle(), TP_FINISHED));
}

Test(shots, kept_are_at_most_64_unless_another_bound_is_asked_for)
{
    start(awaits_and_claims);
    for (uint32_t i = 0; i < 63; i++)
        receive("x");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 0));
    receive("y");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 1));
    pass_time();
    cr_assert(eq(u32, (uint32_t)strlen(events), 64));
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
}

Test(shots, that_arrive_before_the_pause_takes_hold_are_kept_too)
{
    shooter.keep = 2;
    shooter.claims = 2;
    start(awaits_and_claims);
    manual.ignore_cancels = true;
    receive("abc");
    (void)settle();
    receive("de");
    (void)settle();
    cr_assert(eq(u32, manual.cancels, 1), "asked once");
    manual_complete(many(), -ECANCELED);
    (void)settle();
    pass_time();
    expect_events("ab");
    cr_assert(eq(ptr, many(), NULL), "some are still kept");
    pass_time();
    expect_events("abcd");
    cr_assert(eq(ptr, many(), NULL));
    pass_time();
    expect_events("abcde");
    cr_assert(ne(ptr, many(), NULL));
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
    expect_events("abcde.");
}

Test(shots, claimed_before_the_pause_takes_hold_let_it_go_on_at_once)
{
    shooter.keep = 2;
    start(awaits_and_claims);
    manual.ignore_cancels = true;
    receive("ab");
    (void)settle();
    pass_time();
    expect_events("ab");
    receive("c");
    (void)settle();
    pass_time();
    expect_events("abc");
    manual_complete(many(), -ECANCELED);
    (void)settle();
    cr_assert(ne(ptr, many(), NULL), "begun again without a claim");
    expect_events("abc");
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
    expect_events("abc.");
}

/* ------------------------------------------------------------------ attributes, bounds */

static enum tp_step has_a_deadline(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    if (!tp_op_is_some(s->many)) {
        begin(cx, s);
        (void)tp_deadline(cx, s->many, 500);
    }
    while (tp_next_cqe(cx, &s->result))
        note_result(cx, s);
    return s->ended ? tp_end(machine, s->end) : TP_WAIT;
}

Test(shots, have_one_deadline_for_all_of_them)
{
    start(has_a_deadline);
    for (uint32_t i = 0; i < 4; i++) {
        receive("x");
        pass_time();
    }
    expect_events("xxxx");
    pass_time();
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("xxxxT");
}

static enum tp_step begins_when_cancelled(struct tp_machine *machine, struct tp_ctx *cx)
{
    if (!tp_cancelled(cx))
        return TP_WAIT;
    return claims_all(machine, cx);
}

Test(shots, of_a_machine_that_is_cancelled_already_never_begin)
{
    start(begins_when_cancelled);
    tp_machine_cancel(&shooter.machine);
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("C");
    cr_assert(eq(u32, manual.cancels, 0));
}

static uint32_t rooms[3];

static enum tp_step looks_at_room(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    begin(cx, s);
    rooms[0] = tp_room(cx);
    TP_AWAIT(cx, tp_timer(cx, s->delay_ns), &s->result);
    rooms[1] = tp_room(cx);
    while (tp_next_cqe(cx, &s->result))
        note_result(cx, s);
    rooms[2] = tp_room(cx);
    TP_AWAIT_NEXT(cx, &s->result);
    return tp_end(machine, s->result.value);
    TP_END(cx);
}

/* A scheduler with more room than its Io, so that the Io's is what counts. */
Test(shots, that_are_paused_keep_their_room)
{
    struct tp_scheduler *narrow = scheduler;
    const uint32_t all = tp_io_room(&manual.io);

    tp_scheduler_destroy(narrow);
    scheduler = tp_scheduler_create(&manual.io, 2 * all);
    shooter.keep = 2;
    start(looks_at_room);
    receive("ab");
    (void)settle();
    cr_assert(eq(u32, tp_io_room(&manual.io), all), "paused");
    pass_time();
    cr_assert(eq(u32, rooms[0], all - 1));
    cr_assert(eq(u32, rooms[1], all - 1), "it will be with the Io again");
    cr_assert(eq(u32, rooms[2], all - 1));
    manual_complete(many(), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
}

Test(shots, are_counted_in_the_statistics)
{
    char text[4096];

    shooter.keep = 1;
    start(awaits_and_claims);
    receive("a");
    (void)settle();
    pass_time();
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
    tp_scheduler_stats_print(scheduler, text, sizeof text);
    cr_assert(ne(ptr, strstr(text, "multishot        1 completions, 1 times paused"), NULL),
              "%s", text);
    cr_assert(ne(ptr, strstr(text, "receive buffers 1 at most"), NULL), "%s", text);
}

/* A buffer may be another machine's to give back. */
static struct tp_buf *handed_on;

static enum tp_step hands_on(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    begin(cx, s);
    TP_AWAIT_NEXT(cx, &s->result);
    handed_on = s->result.buf;
    TP_AWAIT_UNTIL(cx, handed_on == NULL);
    tp_abandon(cx, s->many);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step gives_back(struct tp_machine *machine, struct tp_ctx *cx)
{
    tp_give_back(cx, handed_on);
    handed_on = NULL;
    tp_wake(&shooter.machine);
    return tp_end(machine, 0);
}

Test(shots, buffers_are_given_back_by_any_machine)
{
    struct part other = {.count = 0};

    start(hands_on);
    receive("a");
    (void)settle();
    tp_spawn(scheduler, &other.machine, gives_back, "other");
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
}
