/** tests/sm/connection.c - a connection that is open: input, output, backpressure, held
 * replies. */
#include <stdio.h>

#include "tests/sm/connection_fixture.h"

TestSuite(connection, .init = set_up, .fini = tear_down);

/* Every one ends in the same way: the peer has sent all, and reads what is left. */
static void end_well(void)
{
    accept_all();
    come_to(TP_RECV_MANY, 0);
    accept_all();
    check_closed(0);
    cr_assert(eq(u64, owner.connection.sent, sent_len));
}

/* ------------------------------------------------------------------ input */

Test(connection, answers_many_requests_with_one_send)
{
    open_connection(LINES);
    feed("a\nbb\nccc\n");
    settle();
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    cr_assert(eq(u32, owner.ticks, 2));
    end_well();
    cr_assert(was_sent("<a><bb><ccc>"));
    cr_assert(eq(u32, sends, 1));
    cr_assert(eq(u32, blocks_asked, 0));
}

/* The same bytes in two or three pieces, wherever they are cut, and all at once or one
 * piece a tick. */
Test(connection, does_not_mind_how_the_input_is_split)
{
    static const char text[] = "one\n\ntwo words\nx\n";
    const uint32_t len = sizeof text - 1;

    for (uint32_t run = 0; run < 2 * (len + 1) * (len + 1); run++) {
        uint32_t first = run / 2 % (len + 1), second = run / 2 / (len + 1);
        char piece[sizeof text];

        if (first > second)
            continue;
        open_connection(LINES);
        for (uint32_t i = 0, at = 0; i < 3; i++) {
            uint32_t end = i == 0 ? first : i == 1 ? second : len;

            memcpy(piece, text + at, end - at);
            piece[end - at] = '\0';
            at = end;
            if (piece[0] == '\0')
                continue;
            feed(piece);
            if (run % 2 == 0)
                settle();
        }
        settle();
        end_well();
        cr_assert(was_sent("<one><><two words><x>"), "cut at %u and %u", first, second);
        tear_down();
        set_up();
    }
}

Test(connection, reads_a_byte_at_a_time)
{
    static const char text[] = "hello\nworld\n";

    open_connection(LINES);
    for (const char *at = text; *at != '\0'; at++) {
        char piece[] = {*at, '\0'};
        feed(piece);
        settle();
        cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    }
    end_well();
    cr_assert(was_sent("<hello><world>"));
    cr_assert(eq(u32, blocks_asked, 0));
}

/* A line that takes many receive buffers, and the memory goes when it has. */
Test(connection, keeps_a_long_frame_in_a_block_for_as_long_as_it_takes)
{
    static char piece[1001], line[3002];

    memset(piece, 'p', 1000);
    open_connection(LINES);
    for (uint32_t i = 0; i < 3; i++) {
        feed(piece);
        settle();
    }
    cr_assert(eq(u32, blocks, 1)); /* beyond 1024 of its own memory */
    feed("\n");
    settle();
    accept_all();
    memset(line, 'p', 3000);
    cr_assert(eq(u32, sent_len, 3002));
    cr_assert(eq(i32, memcmp(sent + 1, line, 3000), 0));
    nudge();
    nudge();
    cr_assert(eq(u32, blocks, 0));
    end_well();
}

/* `len` bytes that are not all alike, and no line's end. */
static const char *text_of(uint32_t len)
{
    static char text[POOL_BYTES + 1];

    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)('a' + (i * 7 + len) % 26);
    text[len] = '\0';
    return text;
}

static void expect_line(uint32_t *at, const char *first, const char *second)
{
    char line[2 * POOL_BYTES];
    uint32_t len = (uint32_t)snprintf(line, sizeof line, "<%s%s>", first, second);

    cr_assert(le(u32, *at + len, sent_len));
    cr_assert(eq(i32, memcmp(sent + *at, line, len), 0));
    *at += len;
}

/* What is left moves to the front of the memory when there is no room behind it. */
Test(connection, joins_pieces_within_its_own_memory)
{
    char first[POOL_BYTES], second[POOL_BYTES];
    uint32_t at = 0;

    open_connection(LINES);
    feed(text_of(600));
    settle();
    feed("\n");
    feed(text_of(300));
    settle();
    feed(text_of(700));
    settle();
    feed("\n");
    settle();
    end_well();
    expect_line(&at, text_of(600), "");
    memcpy(first, text_of(300), 301);
    memcpy(second, text_of(700), 701);
    expect_line(&at, first, second);
    cr_assert(eq(u32, at, sent_len));
    cr_assert(eq(u32, blocks_asked, 0));
}

/* However often more is left over than its own memory holds, while it comes and comes: the
 * same block serves. */
Test(connection, does_not_ask_for_a_block_again_and_again)
{
    owner.memory_bytes = 512;
    open_connection(LINES);
    for (uint32_t i = 0; i < 50; i++) {
        feed(text_of(200));
        settle();
        feed("\n");
        settle();
    }
    cr_assert(le(u32, blocks_asked, 1 + 3)); /* the rest is output, which grows */
    end_well();
    cr_assert(eq(u32, sent_len, 50 * 202));
}

/* Much that is not consumed stops receiving, but not when the owner wants still more. */
Test(connection, a_frame_may_be_larger_than_what_stops_receiving)
{
    static char piece[1001];

    memset(piece, 'f', 1000);
    owner.frame_bytes = 200000;
    open_connection(FRAMES);
    for (uint32_t i = 0; i < 500; i++) {
        feed(piece);
        if (i % 20 == 0)
            settle();
    }
    settle();
    cr_assert(eq(u32, manual.cancels, 0));
    end_well();
    cr_assert(was_sent(".."));
}

/* Receiving had stopped, and then the owner wants more than there is. */
Test(connection, receives_on_when_what_is_there_is_not_enough)
{
    static char piece[1001];
    uint32_t fed = 0;

    memset(piece, 'f', 1000);
    open_connection(LAZY);
    for (; fed < 100 && is_receiving(); fed++) {
        feed(piece);
        settle();
    }
    cr_assert(lt(u32, fed, 70));
    owner.frame_bytes = 90000;
    owner.manner = FRAMES;
    nudge();
    cr_assert(is_receiving());
    for (; fed < 90; fed++) {
        feed(piece);
        settle();
    }
    end_well();
    cr_assert(was_sent("."));
}

Test(connection, says_so_when_a_frame_is_too_long)
{
    static char piece[1001];
    const uint8_t *bytes;

    memset(piece, 'p', 1000);
    owner.options.frame_max = 2000;
    open_connection(LINES);
    for (uint32_t i = 0; i < 3 && !owner.done; i++) {
        feed(piece);
        settle();
    }
    cr_assert(eq(i32, owner.last, -EMSGSIZE));
    cr_assert(eq(i32, owner.connection.error, 0));
    cr_assert(eq(i32, tp_connection_peek(NULL, &owner.connection, 1, &bytes), 0));
    come_to(TP_SHUTDOWN, 0); /* it was the owner who closed */
    end_well();
}

Test(connection, a_turn_is_bounded_and_the_others_have_theirs)
{
    static char piece[1001];

    for (uint32_t i = 0; i < 1000; i++)
        piece[i] = i % 10 == 9 ? '\n' : 'p';
    owner.options.share_bytes = 500;
    open_connection(LINES);
    for (uint32_t i = 0; i < 10; i++)
        feed(piece);
    owner.ticks = 0;
    (void)tp_scheduler_tick(scheduler);
    cr_assert(eq(u64, owner.lines, 50));
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0)); /* though there is more */
    settle();
    cr_assert(eq(u64, owner.lines, 1000));
    cr_assert(ge(u32, owner.ticks, 20));
    end_well();
    cr_assert(eq(u32, sent_len, 11000));
}

/* ------------------------------------------------------------------ output */

Test(connection, goes_on_after_a_short_send_wherever_it_ended)
{
    for (uint32_t cut = 1; cut < 12; cut++) {
        open_connection(LINES);
        feed("a\nbb\nccc\n");
        settle();
        cr_assert(accept_send(cut));
        end_well();
        cr_assert(was_sent("<a><bb><ccc>"), "cut at %u", cut);
        tear_down();
        set_up();
    }
}

Test(connection, what_is_written_during_a_send_is_the_next_one)
{
    open_connection(LINES);
    feed("a\n");
    settle();
    feed("b\n");
    settle();
    feed("c\n");
    settle();
    cr_assert(accept_send(2));
    cr_assert(was_sent("<a"));
    end_well();
    cr_assert(was_sent("<a><b><c>"));
    cr_assert(eq(u32, sends, 2));
}

/* The peer sends and does not read: its input waits in the system, and no receive buffer
 * waits with it. */
Test(connection, does_not_read_from_whom_does_not_read)
{
    static char piece[1001];
    uint32_t fed = 0;

    memset(piece, 'e', 1000);
    owner.options.output_high = 10000;
    open_connection(ECHO);
    for (; fed < 1000 && is_receiving(); fed++) {
        feed(piece);
        settle();
        cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    }
    cr_assert(le(u32, fed, 11 + 64 + 2)); /* of output, of input, of a stop under way */
    cr_assert(le(u64, tp_connection_pending(&owner.connection), 12000));
    accept_all();
    cr_assert(is_receiving());
    end_well();
    cr_assert(eq(u32, sent_len, fed * 1000));
}

/* What had been received by the time it was stopped comes all the same. */
Test(connection, loses_nothing_when_receiving_is_stopped)
{
    static char piece[1001];

    memset(piece, 'e', 1000);
    owner.options.output_high = 5000;
    manual.ignore_cancels = true;
    open_connection(ECHO);
    for (uint32_t i = 0; i < 100; i++) {
        feed(piece);
        settle();
    }
    come_to(TP_RECV_MANY, -ECANCELED);
    cr_assert(not(is_receiving()));
    cr_assert(eq(i32, owner.connection.error, 0));
    manual.ignore_cancels = false;
    accept_all();
    cr_assert(eq(u32, sent_len, 100000));
    cr_assert(is_receiving());
    end_well();
}

Test(connection, is_broken_by_more_output_than_its_bound)
{
    static char piece[1001];

    memset(piece, 'e', 1000);
    owner.options.output_max = 6000;
    owner.options.output_high = 100000;
    open_connection(ECHO);
    for (uint32_t i = 0; i < 8 && tp_machine_alive(&owner.machine) && is_receiving(); i++) {
        feed(piece);
        settle();
    }
    cr_assert(eq(i32, owner.connection.error, -ENOBUFS));
    check_closed(-ENOBUFS);
}

/* ------------------------------------------------------------------ held replies */

Test(connection, holds_replies_until_their_number_is_reached)
{
    open_connection(HELD);
    feed("a\nb\n");
    settle();
    feed("c\n");
    settle();
    cr_assert(eq(ptr, pending_send(), NULL));
    owner.reached = 1; /* both of the first tick leave together, with the second's number */
    nudge();
    cr_assert(eq(ptr, pending_send(), NULL));
    owner.reached = 2;
    nudge();
    accept_all();
    cr_assert(was_sent("<a><b>"));
    owner.reached = 3;
    nudge();
    end_well();
    cr_assert(was_sent("<a><b><c>"));
}

Test(connection, waits_for_held_replies_before_it_closes)
{
    open_connection(HELD);
    feed("a\n");
    settle();
    come_to(TP_RECV_MANY, 0);
    cr_assert(tp_machine_alive(&owner.machine));
    cr_assert(eq(ptr, pending_send(), NULL));
    owner.reached = 1;
    nudge();
    accept_all();
    cr_assert(was_sent("<a>"));
    check_closed(0);
}

Test(connection, others_are_sent_in_place_of_held_replies)
{
    open_connection(HELD);
    owner.reached = 1;
    feed("a\n");
    settle();
    feed("b\nc\n");
    settle();
    cr_assert(eq(u32, tp_connection_discard_held(&owner.connection), 2));
    (void)tp_connection_write(&owner.connection, "!", 1);
    nudge();
    end_well();
    cr_assert(was_sent("<a>!"));
}

/* The peer has ended its side, and what it is owed comes to something else. */
Test(connection, others_are_sent_in_place_of_held_replies_while_it_closes)
{
    open_connection(HELD);
    feed("a\nb\n");
    settle();
    come_to(TP_RECV_MANY, 0);
    cr_assert(tp_machine_alive(&owner.machine));
    cr_assert(eq(ptr, pending_send(), NULL));
    cr_assert(eq(u32, tp_connection_discard_held(&owner.connection), 2));
    (void)tp_connection_write(&owner.connection, "!", 1);
    nudge();
    accept_all();
    cr_assert(was_sent("!"));
    check_closed(0);
}

/* ------------------------------------------------------------------ half close */

Test(connection, answers_what_came_before_the_peers_end)
{
    open_connection(LINES);
    feed("a\nb\nleft over");
    manual_complete(manual_find(&manual, TP_RECV_MANY), 0);
    settle();
    cr_assert(eq(i32, owner.last, 0));
    accept_all();
    cr_assert(was_sent("<a><b>"));
    check_closed(0); /* which says that there is no more: no shutdown is needed */
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->submitted[TP_SHUTDOWN], 0));
}

Test(connection, ends_its_output_and_goes_on_reading)
{
    open_connection(LAZY);
    (void)tp_connection_write(&owner.connection, "bye", 3);
    tp_connection_end_output(&owner.connection);
    nudge();
    cr_assert(eq(ptr, manual_find(&manual, TP_SHUTDOWN), NULL));
    cr_assert(accept_send(1));
    cr_assert(eq(ptr, manual_find(&manual, TP_SHUTDOWN), NULL));
    accept_all();
    come_to(TP_SHUTDOWN, 0);
    feed("still here");
    settle();
    cr_assert(eq(u32, tp_connection_buffered(&owner.connection), 10));
    owner.done = true;
    nudge();
    end_well();
    cr_assert(was_sent("bye"));
}

Test(connection, stops_between_frames_when_the_service_does)
{
    bool stop = false;

    owner.options.stop = &stop;
    open_connection(LINES);
    feed("a\nhalf of");
    settle();
    stop = true;
    feed(" it\n");
    settle(); /* what is there is answered, and then it is over */
    cr_assert(eq(u64, owner.lines, 2));
    cr_assert(owner.done);
    accept_all();
    come_to(TP_SHUTDOWN, 0);
    end_well();
    cr_assert(was_sent("<a><half of it>"));
}
