/** tests/runtime/shots_crossed.c - a pause crossed by the end, a cancel, a deadline, a
 * close; and multishots that are given up. */
#include "tests/runtime/shooter.h"

TestSuite(shots_crossed, .init = set_up_bufs, .fini = tear_down_empty);

/* ------------------------------------------------------------------ pauses crossed */

enum crossed { PAUSING, PAUSED };

/* Brings the shooter to where its multishot is being stopped, or has been. */
static void pause_at(enum crossed crossed)
{
    shooter.keep = 2;
    start(awaits_and_claims);
    manual.ignore_cancels = true;
    receive("ab");
    (void)settle();
    if (crossed == PAUSED)
        manual_complete(many(), -ECANCELED);
    (void)settle();
    cr_assert(eq(int, many() == NULL, crossed == PAUSED));
}

Test(shots_crossed, whose_end_comes_before_the_pause_end)
{
    pause_at(PAUSING);
    manual_complete(many(), 0);
    (void)settle();
    pass_time();
    expect_events("ab.");
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->resumed, 0));
}

Test(shots_crossed, whose_error_comes_before_the_pause_end)
{
    pause_at(PAUSING);
    manual_complete(many(), -ECONNRESET);
    (void)settle();
    pass_time();
    expect_events("abE");
    cr_assert(eq(int, settle(), TP_FINISHED));
}

static uint64_t its_deadline_ns; /* 0: it cancels */

static enum tp_step cancels_in_between(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    begin(cx, s);
    TP_AWAIT(cx, tp_timer(cx, s->delay_ns), &s->result);
    if (its_deadline_ns != 0)
        (void)tp_deadline(cx, s->many, its_deadline_ns);
    else
        tp_cancel(cx, s->many);
    TP_AWAIT(cx, tp_timer(cx, s->delay_ns), &s->result);
    while (!s->ended) {
        TP_AWAIT_NEXT(cx, &s->result);
        note_result(cx, s);
    }
    return tp_end(machine, s->end);
    TP_END(cx);
}

static void cancel_when(enum crossed crossed)
{
    shooter.keep = 2;
    start(cancels_in_between);
    manual.ignore_cancels = true;
    receive("ab");
    (void)settle();
    if (crossed == PAUSED)
        manual_complete(many(), -ECANCELED);
    (void)settle();
    pass_time(); /* it cancels, or sets its deadline */
    if (its_deadline_ns != 0)
        pass_time();
    if (crossed == PAUSING)
        manual_complete(many(), -ECANCELED);
    (void)settle();
    pass_time();
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->resumed, 0));
}

Test(shots_crossed, cancelled_while_they_pause_end_once)
{
    cancel_when(PAUSING);
    expect_events("abC");
}

Test(shots_crossed, cancelled_while_they_are_paused_end_once)
{
    cancel_when(PAUSED);
    expect_events("abC");
}

Test(shots_crossed, whose_deadline_comes_while_they_pause_time_out)
{
    its_deadline_ns = 50;
    cancel_when(PAUSING);
    expect_events("abT");
}

Test(shots_crossed, whose_deadline_comes_while_they_are_paused_time_out)
{
    its_deadline_ns = 50;
    cancel_when(PAUSED);
    expect_events("abT");
}

Test(shots_crossed, of_a_cancelled_machine_end_whether_they_pause_or_not)
{
    pause_at(PAUSING);
    tp_machine_cancel(&shooter.machine);
    (void)settle();
    manual_complete(many(), -ECANCELED);
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("abC");
}

Test(shots_crossed, of_a_cancelled_machine_end_though_they_are_paused)
{
    pause_at(PAUSED);
    tp_machine_cancel(&shooter.machine);
    cr_assert(eq(int, settle(), TP_FINISHED));
    expect_events("abC");
}

/* The fd is closed meanwhile, and its number may be another file's: never begun again. */
static void close_while_paused(bool reopened)
{
    struct tp_request request = tp_request_close((struct tp_fd){0, 0});
    struct tp_completion completion;

    pause_at(PAUSED);
    request = tp_request_close(shooter.fd);
    request.handle = UINT64_C(0x7777);
    tp_io_submit(&manual.io, &request);
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    tp_io_poll(&manual.io);
    cr_assert(tp_io_get_cqe(&manual.io, request.handle, &completion));
    if (reopened)
        (void)fd_of(3);
    pass_time();
    expect_events("ab");
    pass_time();
    expect_events("abC");
    cr_assert(eq(ptr, many(), NULL));
    cr_assert(eq(int, settle(), TP_FINISHED));
}

Test(shots_crossed, of_a_fd_that_was_closed_end_as_cancelled)
{
    close_while_paused(false);
}

Test(shots_crossed, of_a_fd_whose_number_is_used_again_end_as_cancelled)
{
    close_while_paused(true);
}

/* ------------------------------------------------------------------ abandon */

static enum tp_step abandons(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *s = shooter_of(machine);

    TP_BEGIN(cx);
    begin(cx, s);
    TP_AWAIT(cx, tp_timer(cx, s->delay_ns), &s->result);
    tp_abandon(cx, s->many);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(shots_crossed, abandoned_are_given_back_those_that_come_later_too)
{
    start(abandons);
    manual.ignore_cancels = true;
    receive("abc");
    (void)settle();
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 3));
    pass_time();
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    cr_assert(tp_machine_alive(&shooter.machine), "its end waits for the multishot's");
    receive("de");
    (void)settle();
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    receive("f");
    manual_complete(many(), 0);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    cr_assert(eq(u32, manual.io.recv_bufs->returned_count, BUFS));
}

static uint32_t complete_closes(void)
{
    uint32_t count = 0;

    for (; manual_find(&manual, TP_CLOSE) != NULL; count++)
        manual_complete(manual_find(&manual, TP_CLOSE), 0);
    (void)settle();
    return count;
}

Test(shots_crossed, abandoned_that_are_fds_are_closed)
{
    shooter.accepts = true;
    start(abandons);
    manual.ignore_cancels = true;
    manual_shot(&manual, many(), 4);
    manual_shot(&manual, many(), 5);
    (void)settle();
    pass_time();
    cr_assert(eq(u32, complete_closes(), 2));
    manual_shot(&manual, many(), 4);
    (void)settle();
    cr_assert(eq(u32, complete_closes(), 1));
    manual_shot(&manual, many(), 5);
    manual_complete(many(), -ECANCELED);
    (void)settle();
    cr_assert(eq(u32, complete_closes(), 1));
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u32, manual.io.fds->open_count, 1), "the listener's");
}

/* All is there already, the end included. */
Test(shots_crossed, abandoned_after_their_end_are_closed)
{
    shooter.accepts = true;
    start(abandons);
    for (int32_t fd = 4; fd < 9; fd++)
        manual_shot(&manual, many(), fd);
    manual_complete(many(), -EMFILE);
    (void)settle();
    pass_time();
    cr_assert(eq(u32, complete_closes(), 5));
    cr_assert(eq(int, settle(), TP_FINISHED));
}

static void abandon_when(enum crossed crossed)
{
    shooter.keep = 2;
    start(abandons);
    manual.ignore_cancels = true;
    receive("ab");
    (void)settle();
    if (crossed == PAUSED)
        manual_complete(many(), -ECANCELED);
    (void)settle();
    pass_time();
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    if (crossed == PAUSING)
        manual_complete(many(), -ECANCELED);
    cr_assert(eq(int, settle(), TP_FINISHED));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->resumed, 0));
}

Test(shots_crossed, abandoned_while_they_pause_do_not_go_on)
{
    abandon_when(PAUSING);
}

Test(shots_crossed, abandoned_while_they_are_paused_do_not_go_on)
{
    abandon_when(PAUSED);
}
