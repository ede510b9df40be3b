/* The end of a connection: half of it, all of it, in order or not. */
#include "net.h"

/* ------------------------------------------------------------------ halves */

static void net_half_close_by_who_connected(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "question");
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    recv_text(c, ends.b, "question");
    recv_end(c, ends.b, 2);
    send_text(c, ends.b, "answer");
    recv_text(c, ends.a, "answer");
    close_end(c, &ends.b);
    recv_end(c, ends.a, 2);
    close_ends(c, &ends);
}

static void net_half_close_by_who_accepted(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.b, "greeting");
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_WRITE)), 0);
    recv_text(c, ends.a, "greeting");
    recv_end(c, ends.a, 2);
    send_pattern(c, ends.a, 30000, 0);
    recv_pattern(c, ends.b, 30000, 0);
    close_end(c, &ends.a);
    recv_end(c, ends.b, 2);
    close_ends(c, &ends);
}

static void net_half_close_both_halves(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "from a");
    send_text(c, ends.b, "from b");
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_WRITE)), 0);
    recv_text(c, ends.a, "from b");
    recv_text(c, ends.b, "from a");
    recv_end(c, ends.a, 2);
    recv_end(c, ends.b, 2);
    close_ends(c, &ends);
}

static void net_shutdown_both_directions(struct conformance *c)
{
    struct tp_buf out = tp_buf_full("x", 1);
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_READ | TP_SHUT_WRITE)), 0);
    recv_end(c, ends.a, 1);
    recv_end(c, ends.b, 1);
    EXPECT(c, run(c, tp_request_send(ends.a, &out)), -EPIPE);
    close_ends(c, &ends);
}

/* Once more changes nothing; of a connection that has ended it may say so. */
static void net_shutdown_again(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    recv_end(c, ends.b, 1);
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_WRITE)), 0);
    let_arrive(c);
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0, -ENOTCONN);
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_READ | TP_SHUT_WRITE)), 0,
           -ENOTCONN);
    recv_end(c, ends.a, 1);
    close_ends(c, &ends);
}

static void net_shutdown_of_neither(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_shutdown(ends.a, 0)), -EINVAL);
    send_text(c, ends.a, "as before");
    recv_text(c, ends.b, "as before");
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ close */

/* What was sent before a close arrives, though nobody has received it yet. */
static void net_close_delivers_what_was_sent(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_pattern(c, ends.a, 60000, 0);
    close_end(c, &ends.a);
    recv_pattern(c, ends.b, 60000, 0);
    recv_end(c, ends.b, 2);
    close_ends(c, &ends);
}

/* Unread input is the peer's loss, and it hears of that: after what was sent to it. */
static void net_close_with_unread_input(struct conformance *c)
{
    uint8_t byte;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_pattern(c, ends.b, 20000, 0);
    send_pattern(c, ends.a, 20000, 0);
    let_arrive(c);
    recv_pattern(c, ends.b, 19999, 0);
    close_end(c, &ends.b);
    let_arrive(c);
    recv_pattern(c, ends.a, 20000, 0);
    EXPECT(c, recv_once(c, ends.a, &byte, 1), -ECONNRESET);
    recv_end(c, ends.a, 1);
    close_ends(c, &ends);
}

static void net_close_of_both_ends_at_once(struct conformance *c)
{
    struct ends ends;
    uint64_t first, second;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "x");
    send_text(c, ends.b, "y");
    first = submit(c, tp_request_close(ends.a));
    second = submit(c, tp_request_close(ends.b));
    EXPECT(c, await(c, second), 0);
    EXPECT(c, await(c, first), 0);
    ends.a = ends.b = tp_fd_none();
    close_ends(c, &ends);
}

/* Everything that can be pending on a socket, when it is closed. */
static void net_close_with_all_pending(struct conformance *c)
{
    enum { LEN = 65536 };
    uint8_t *memory = take(c, LEN);
    uint8_t byte[2] = {0};
    struct tp_buf buf, in = tp_buf_empty(&byte[0], 1), out = tp_buf_full(&byte[1], 1);
    struct ends ends;
    uint64_t sending, handles[3], many;

    if (open_ends(c, &ends)) {
        uint64_t sent = fill(c, ends.a, memory, LEN, &buf, &sending);

        handles[0] = submit(c, tp_request_send_bufs(ends.a, &out, 1));
        handles[1] = submit(c, tp_request_recv(ends.a, &in));
        many = submit(c, tp_request_recv_many(ends.a));
        EXPECT_THAT(c, waits(c, many));
        close_end(c, &ends.a);
        EXPECT(c, await(c, handles[0]), -ECANCELED, 1);
        EXPECT(c, await(c, handles[1]), -ECANCELED);
        EXPECT(c, shots_end(c, many), -ECANCELED);
        if (sent > 0) {
            int32_t value = await(c, sending);

            EXPECT_THAT(c, value == -ECANCELED || (value > 0 && value <= LEN));
        }
        close_ends(c, &ends);
    }
    drop(c, memory, LEN);
}

/* An operation that is submitted together with the close, before or after it. */
static void net_close_submitted_with_others(struct conformance *c)
{
    uint8_t byte[2];
    struct tp_buf in = tp_buf_empty(&byte[0], 1), after = tp_buf_empty(&byte[1], 1);
    struct ends ends;
    uint64_t first, closing, last;

    if (!open_ends(c, &ends))
        return;
    first = submit(c, tp_request_recv(ends.a, &in));
    closing = submit(c, tp_request_close(ends.a));
    last = submit(c, tp_request_recv(ends.a, &after));
    EXPECT(c, await(c, last), -EBADF);
    EXPECT(c, await(c, first), -ECANCELED);
    EXPECT(c, await(c, closing), 0);
    ends.a = tp_fd_none();
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

/* Every operation that takes a fd says that it is stale. */
static void net_close_makes_the_fd_stale(struct conformance *c)
{
    uint8_t byte = 0;
    struct tp_buf in = tp_buf_empty(&byte, 1), out = tp_buf_full("x", 1);
    struct tp_address address;
    struct tp_fd a, listener;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    a = ends.a;
    listener = ends.listener;
    close_end(c, &ends.a);
    close_end(c, &ends.listener);
    EXPECT(c, run(c, tp_request_recv(a, &in)), -EBADF);
    EXPECT(c, shots_end(c, submit(c, tp_request_recv_many(a))), -EBADF);
    EXPECT(c, run(c, tp_request_send(a, &out)), -EBADF);
    EXPECT(c, run(c, tp_request_send_bufs(a, &out, 1)), -EBADF);
    EXPECT(c, run(c, tp_request_shutdown(a, TP_SHUT_WRITE)), -EBADF);
    EXPECT(c, run(c, tp_request_set_socket(a, plain())), -EBADF);
    EXPECT(c, run(c, tp_request_local_address(a, &address)), -EBADF);
    EXPECT(c, run(c, tp_request_peer_address(a, &address)), -EBADF);
    EXPECT(c, run(c, tp_request_close(a)), -EBADF);
    EXPECT(c, run(c, tp_request_accept(listener)), -EBADF);
    EXPECT(c, shots_end(c, submit(c, tp_request_accept_many(listener))), -EBADF);
    EXPECT(c, run(c, tp_request_close(tp_fd_none())), -EBADF);
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ numbers used again */

/* Connections that come and go, each with a recv pending when it is closed: nothing of one
 * reaches the next, though it has the same number. */
static void net_numbers_are_used_again(struct conformance *c)
{
    enum { ROUNDS = 150 };
    struct tp_address address = here(c);
    struct tp_fd listener, old = tp_fd_none();

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint8_t memory[8];
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory), stale = buf;
        struct tp_fd a = connect_to(c, &address), b = accept_from(c, listener);
        uint64_t handle = submit(c, tp_request_recv(b, &buf));
        uint64_t closing;

        if (round % 3 != 0)
            send_pattern(c, a, 4, round);
        if (round % 3 == 2)
            let_arrive(c);
        closing = submit(c, tp_request_close(b));
        if (tp_fd_is_some(old))
            EXPECT(c, run(c, tp_request_recv(old, &stale)), -EBADF);
        EXPECT(c, await(c, closing), 0);
        if (round % 3 == 0) {
            EXPECT(c, await(c, handle), -ECANCELED);
        } else {
            int32_t value = await(c, handle);

            EXPECT(c, value, 1, 2, 3, 4, -ECANCELED);
            EXPECT_THAT(c, value < 0 || pattern_is(memory, (uint32_t)value, round));
        }
        close_end(c, &a);
        old = b;
    }
    close_end(c, &listener);
}

/* The same of multishots, with the next connection made before the end is claimed. */
static void net_numbers_are_used_again_by_multishots(struct conformance *c)
{
    enum { ROUNDS = 150 };
    struct tp_address address = here(c);
    struct tp_fd listener, last = tp_fd_none();
    uint64_t old = 0;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct tp_fd a = connect_to(c, &address), b = accept_from(c, listener);
        uint64_t many = submit(c, tp_request_recv_many(b));

        send_pattern(c, a, 16, round);
        if (old != 0)
            EXPECT(c, shots_end(c, old), -ECANCELED);
        shots_pattern(c, many, 16, round);
        send_pattern(c, a, 1, 0); /* nobody receives it */
        close_end(c, &b);
        close_end(c, &last);
        old = many;
        last = a;
    }
    EXPECT(c, shots_end(c, old), -ECANCELED);
    close_end(c, &last);
    close_end(c, &listener);
}

static void net_numbers_of_listeners_are_used_again(struct conformance *c)
{
    enum { ROUNDS = 50 };

    if (no_net(c))
        return;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct tp_address address = here(c);
        struct tp_fd listener = listen_at(c, &address);
        uint64_t many = submit(c, tp_request_accept_many(listener)), single;
        struct tp_fd a = connect_to(c, &address), b = fd_of(c, await_shot(c, many).value);

        single = submit(c, tp_request_accept(listener));
        close_end(c, &listener);
        EXPECT(c, shots_end(c, many), -ECANCELED);
        EXPECT(c, await(c, single), -ECANCELED);
        close_end(c, &a);
        close_end(c, &b);
        if (c->variant == OVER_UNIX)
            EXPECT(c, run(c, tp_request_remove(at(c, "s"))), 0);
    }
}

const struct conformance_program conformance_net_close[] = {
    OVER_EACH(net_half_close_by_who_connected),
    OVER_EACH(net_half_close_by_who_accepted),
    OVER_EACH(net_half_close_both_halves),
    OVER_EACH(net_shutdown_both_directions),
    OVER_EACH(net_shutdown_again),
    OVER_EACH(net_shutdown_of_neither),
    OVER_EACH(net_close_delivers_what_was_sent),
    OVER_EACH(net_close_with_unread_input),
    OVER_EACH(net_close_of_both_ends_at_once),
    OVER_EACH(net_close_with_all_pending),
    OVER_EACH(net_close_submitted_with_others),
    OVER_EACH(net_close_makes_the_fd_stale),
    OVER_EACH(net_numbers_are_used_again),
    OVER_EACH(net_numbers_are_used_again_by_multishots),
    OVER_EACH(net_numbers_of_listeners_are_used_again),
    {0},
};
