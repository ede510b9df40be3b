/** tests/sm/connection_end.c - how a connection ends: in order, by errors, by time, by
 * cancel. */
#include "tests/sm/connection_fixture.h"

TestSuite(connection_end, .init = set_up, .fini = tear_down);

static void close_it(void)
{
    owner.done = true;
    nudge();
}

/* Nothing happens for so long, but for its last nanosecond; then it has ended. */
static void check_timed_out_after(uint64_t ns)
{
    pass_time(ns - 1);
    cr_assert(tp_machine_alive(&owner.machine));
    pass_time(1);
    check_closed(-ETIMEDOUT);
}

/* ------------------------------------------------------------------ in order */

Test(connection_end, sends_all_says_so_and_waits_for_the_peer)
{
    open_connection(LINES);
    feed("a\n");
    settle();
    close_it();
    cr_assert(eq(ptr, manual_find(&manual, TP_SHUTDOWN), NULL));
    accept_all();
    come_to(TP_SHUTDOWN, 0);
    for (uint32_t i = 0; i < 100; i++) {
        feed("what it says now is of no interest, and takes no memory\n");
        settle();
    }
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    cr_assert(eq(u32, blocks_asked, 0));
    cr_assert(tp_machine_alive(&owner.machine));
    come_to(TP_RECV_MANY, 0);
    check_closed(0);
    cr_assert(was_sent("<a>"));
}

Test(connection_end, the_peers_end_may_come_before_the_shutdown_is_through)
{
    open_connection(LINES);
    close_it();
    come_to(TP_RECV_MANY, 0);
    check_closed(0);
}

Test(connection_end, does_not_wait_for_a_peer_for_ever)
{
    open_connection(LINES);
    owner.options.close_ns = 100 * MS;
    close_it();
    come_to(TP_SHUTDOWN, 0);
    check_timed_out_after(100 * MS);
}

/* Its timer runs for being idle, and then the close's comes first. */
Test(connection_end, a_close_may_be_shorter_than_idle_time)
{
    owner.options.idle_ns = 100 * MS;
    owner.options.close_ns = 10 * MS;
    open_connection(LINES);
    close_it();
    come_to(TP_SHUTDOWN, 0);
    check_timed_out_after(10 * MS);
}

Test(connection_end, a_peer_that_does_not_read_is_not_waited_for_either)
{
    open_connection(LINES);
    owner.options.close_ns = 100 * MS;
    feed("a\n");
    settle();
    close_it();
    pass_time(100 * MS);
    check_closed(-ETIMEDOUT);
}

Test(connection_end, may_be_closed_before_it_began)
{
    owner.done = true;
    open_connection(LINES);
    come_to(TP_SHUTDOWN, 0);
    come_to(TP_RECV_MANY, 0);
    check_closed(0);
}

Test(connection_end, abort_sends_nothing_more)
{
    open_connection(LINES);
    feed("a\n");
    settle();
    feed("b\n");
    settle();
    tp_connection_abort(&owner.connection, -EPROTO);
    nudge();
    check_closed(-EPROTO);
}

/* ------------------------------------------------------------------ errors */

Test(connection_end, a_reset_ends_it)
{
    open_connection(LINES);
    feed("a\n");
    manual_complete(manual_find(&manual, TP_RECV_MANY), -ECONNRESET);
    settle();
    check_closed(-ECONNRESET);
}

Test(connection_end, an_error_of_a_send_ends_it)
{
    open_connection(LINES);
    feed("a\n");
    settle();
    feed("b\n");
    settle();
    manual_complete(pending_send(), -EPIPE);
    settle();
    check_closed(-EPIPE);
}

Test(connection_end, a_send_that_takes_nothing_is_an_error)
{
    open_connection(LINES);
    feed("a\n");
    settle();
    manual_complete(pending_send(), 0);
    settle();
    check_closed(-EIO);
}

Test(connection_end, an_error_while_it_is_closed_ends_that)
{
    static const enum tp_kind kinds[] = {TP_RECV_MANY, TP_SHUTDOWN};

    for (uint32_t i = 0; i < 2; i++) {
        open_connection(LINES);
        close_it();
        come_to(kinds[i], -ENOTCONN);
        check_closed(-ENOTCONN);
        tear_down();
        set_up();
    }
}

/* Without memory it ends; wherever that was lacking, nothing is left. */
Test(connection_end, lack_of_memory_ends_it)
{
    static char piece[1001];
    uint32_t failed = 0;

    memset(piece, 'e', 1000);
    piece[998] = '\n';
    for (uint32_t nth = 1; failed == nth - 1; nth++) {
        owner.options.output_high = 3000;
        blocks_fail_at = nth;
        open_connection(LINES);
        for (uint32_t i = 0; i < 40 && owner.connection.error == 0 && is_receiving(); i++) {
            feed(piece);
            settle();
        }
        if (owner.connection.error == -ENOMEM) {
            failed++;
            check_closed(-ENOMEM);
        } else {
            accept_all();
            come_to(TP_RECV_MANY, 0);
            accept_all();
            check_closed(0);
        }
        tear_down();
        set_up();
    }
    cr_assert(ge(u32, failed, 3));
}

/* ------------------------------------------------------------------ time */

Test(connection_end, idle_for_too_long)
{
    owner.options.idle_ns = 100 * MS;
    open_connection(LINES);
    pass_time(60 * MS);
    feed("a\n");
    settle();
    pass_time(60 * MS);
    cr_assert(accept_send(100)); /* that the peer reads is activity, too */
    check_timed_out_after(100 * MS);
}

Test(connection_end, a_peer_that_does_not_read_is_idle)
{
    owner.options.idle_ns = 100 * MS;
    open_connection(LINES);
    feed("a\n");
    settle();
    pass_time(100 * MS);
    check_closed(-ETIMEDOUT);
}

/* It is the owner who is late. The peer has its time from then on. */
Test(connection_end, who_waits_for_a_held_reply_is_not_idle)
{
    owner.options.idle_ns = 100 * MS;
    open_connection(HELD);
    pass_time(60 * MS);
    feed("a\n");
    settle();
    pass_time(5000 * MS);
    cr_assert(tp_machine_alive(&owner.machine));
    owner.reached = 1;
    nudge();
    pass_time(99 * MS);
    cr_assert(tp_machine_alive(&owner.machine));
    accept_all();
    cr_assert(was_sent("<a>"));
    check_timed_out_after(100 * MS);
}

Test(connection_end, who_waits_for_the_owner_is_not_idle)
{
    owner.options.idle_ns = 100 * MS;
    open_connection(LINES);
    owner.connection.working = true;
    nudge();
    pass_time(5000 * MS);
    cr_assert(tp_machine_alive(&owner.machine));
    owner.connection.working = false;
    nudge();
    check_timed_out_after(100 * MS);
}

Test(connection_end, a_close_waits_for_a_held_reply_however_long)
{
    owner.options.idle_ns = 100 * MS;
    owner.options.close_ns = 10 * MS;
    open_connection(HELD);
    feed("a\n");
    settle();
    close_it();
    pass_time(5000 * MS);
    cr_assert(tp_machine_alive(&owner.machine));
    owner.reached = 1;
    nudge();
    check_timed_out_after(10 * MS);
}

/* All stood still for long. What has come meanwhile is found together with the timer. */
Test(connection_end, is_not_idle_if_something_came_while_all_stood_still)
{
    owner.options.idle_ns = 100 * MS;
    open_connection(LINES);
    feed("a\n");
    pass_time(5000 * MS);
    cr_assert(tp_machine_alive(&owner.machine));
    accept_all();
    cr_assert(was_sent("<a>"));
    pass_time(100 * MS);
    check_closed(-ETIMEDOUT);
}

Test(connection_end, too_long_in_all_however_busy)
{
    owner.options.idle_ns = 100 * MS;
    owner.options.total_ns = 250 * MS;
    open_connection(LINES);
    for (uint32_t i = 0; i < 4; i++) {
        pass_time(60 * MS);
        feed("a\n");
        settle();
        accept_all();
    }
    cr_assert(tp_machine_alive(&owner.machine));
    pass_time(10 * MS);
    check_closed(-ETIMEDOUT);
}

/* ------------------------------------------------------------------ cancel */

/* Something has happened to it `moment` times; then its machine is cancelled. */
static void live_until(uint32_t moment)
{
    static char piece[1001];

    memset(piece, 'e', 1000);
    owner.options.output_high = 4000;
    owner.options.idle_ns = 1000 * MS;
    open_connection(ECHO);
    for (uint32_t i = 0; i < moment; i++) {
        if (i < 12 && is_receiving())
            feed(piece);
        else if (i == 12)
            (void)accept_send(100);
        else if (i == 13)
            owner.done = true;
        else if (i == 14)
            accept_all();
        else if (manual_find(&manual, TP_SHUTDOWN) != NULL)
            come_to(TP_SHUTDOWN, 0);
        nudge();
    }
}

Test(connection_end, cancel_ends_it_at_once_at_any_point)
{
    for (uint32_t moment = 0; moment < 18; moment++) {
        for (uint32_t late = 0; late < 2; late++) {
            live_until(moment);
            cr_assert(tp_machine_alive(&owner.machine));
            manual.ignore_cancels = late == 1;
            tp_machine_cancel(&owner.machine);
            settle();
            if (late == 1 && pending_send() != NULL) /* it won */
                cr_assert(accept_send(10));
            for (uint32_t i = 0; i < manual.count; i++) {
                if (manual.ops[i].request.kind != TP_CLOSE && !manual.ops[i].completing)
                    manual_complete(&manual.ops[i], -ECANCELED);
            }
            settle();
            check_closed(-ECANCELED);
            tear_down();
            set_up();
        }
    }
}

static enum tp_step idle_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine, (void)cx;
    return TP_WAIT;
}

/* After a crash nobody ticks; its memory goes back all the same. */
Test(connection_end, its_memory_goes_back_after_a_crash)
{
    static char piece[1001];
    static struct tp_machine other;

    memset(piece, 'e', 1000);
    tp_spawn(scheduler, &other, idle_tick, "other");
    open_connection(ECHO);
    for (uint32_t i = 0; i < 20; i++) {
        feed(piece);
        settle();
    }
    cr_assert(lt(u32, 0, blocks));
    tp_scheduler_crash(scheduler);
    tp_connection_deinit(&owner.connection);
    cr_assert(eq(u32, blocks, 0));
    manual_io_deinit(&manual);
    set_up();
}
