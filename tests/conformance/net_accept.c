/* Accepting: one connection, each connection, and what becomes of those that wait. */
#include "net.h"

enum { COUNT = 20 };

/* A listener of the program's transport; false: skip or failure. */
static bool open_listener(struct conformance *c, struct tp_fd *ret_listener,
                          struct tp_address *ret_address)
{
    if (no_net(c))
        return false;
    *ret_address = here(c);
    *ret_listener = listen_at(c, ret_address);
    return tp_fd_is_some(*ret_listener);
}

static void net_accept_waits_for_a_connection(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a, b;
    uint64_t handle;

    if (!open_listener(c, &listener, &address))
        return;
    handle = submit(c, tp_request_accept(listener));
    EXPECT_THAT(c, waits(c, handle));
    a = connect_to(c, &address);
    b = fd_of(c, await(c, handle));
    send_text(c, a, "ping");
    recv_text(c, b, "ping");
    send_text(c, b, "pong");
    recv_text(c, a, "pong");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

/* In the order of the connections; who waits is served once. */
static void net_accept_several_at_once(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, fds[COUNT], others[COUNT];
    uint64_t handles[COUNT];

    if (!open_listener(c, &listener, &address))
        return;
    for (uint32_t i = 0; i < COUNT; i++)
        handles[i] = submit(c, tp_request_accept(listener));
    EXPECT_THAT(c, waits(c, handles[0]));
    for (uint32_t i = 0; i < COUNT; i++)
        fds[i] = connect_to(c, &address);
    for (uint32_t i = 0; i < COUNT; i++)
        others[i] = fd_of(c, await(c, handles[i]));
    for (uint32_t i = 0; i < COUNT; i++) {
        send_text(c, fds[i], "x");
        close_end(c, &fds[i]);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        recv_text(c, others[i], "x");
        recv_end(c, others[i], 1);
        close_end(c, &others[i]);
    }
    close_end(c, &listener);
}

static void net_accept_cancelled_loses_nothing(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a, b;
    uint64_t handle;

    if (!open_listener(c, &listener, &address))
        return;
    handle = submit(c, tp_request_accept(listener));
    EXPECT_THAT(c, waits(c, handle));
    EXPECT(c, run(c, tp_request_cancel(handle)), 0);
    EXPECT(c, await(c, handle), -ECANCELED);
    EXPECT(c, run(c, tp_request_cancel(handle)), -ENOENT);
    a = connect_to(c, &address);
    b = accept_from(c, listener);
    send_text(c, a, "kept");
    recv_text(c, b, "kept");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

static void net_accept_whose_listener_is_closed(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener;
    uint64_t handles[3];

    if (!open_listener(c, &listener, &address))
        return;
    for (uint32_t i = 0; i < 3; i++)
        handles[i] = submit(c, tp_request_accept(listener));
    EXPECT_THAT(c, waits(c, handles[2]));
    close_end(c, &listener);
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(c, await(c, handles[i]), -ECANCELED);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -ECONNREFUSED);
}

/* A peer that has come, spoken and gone is accepted all the same. */
static void net_accept_who_has_gone(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a, b;

    if (!open_listener(c, &listener, &address))
        return;
    a = connect_to(c, &address);
    send_text(c, a, "was here");
    close_end(c, &a);
    let_arrive(c);
    b = accept_from(c, listener);
    recv_text(c, b, "was here");
    recv_end(c, b, 2);
    close_end(c, &b);
    close_end(c, &listener);
}

static void net_accept_outlives_the_listener(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    close_end(c, &ends.listener);
    send_text(c, ends.a, "ping");
    recv_text(c, ends.b, "ping");
    send_text(c, ends.b, "pong");
    recv_text(c, ends.a, "pong");
    close_ends(c, &ends);
}

/* A connection that nobody will accept is reset. */
static void net_accept_never_comes(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a;
    uint8_t byte;

    if (!open_listener(c, &listener, &address))
        return;
    a = connect_to(c, &address);
    send_text(c, a, "hello?");
    close_end(c, &listener);
    EXPECT(c, recv_once(c, a, &byte, 1), -ECONNRESET);
    recv_end(c, a, 1);
    close_end(c, &a);
}

static void net_accept_on_a_connection(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_accept(ends.a)), -EINVAL);
    EXPECT(c, run(c, tp_request_accept(ends.b)), -EINVAL);
    EXPECT(c, shots_end(c, submit(c, tp_request_accept_many(ends.a))), -EINVAL);
    EXPECT(c, shots_end(c, submit(c, tp_request_accept_many(ends.b))), -EINVAL);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ multishot */

static void net_accept_many_gives_each(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, fds[COUNT], others[COUNT];
    uint64_t many;

    if (!open_listener(c, &listener, &address))
        return;
    fds[0] = connect_to(c, &address); /* one is there before, the others come after */
    many = submit(c, tp_request_accept_many(listener));
    for (uint32_t i = 0; i < COUNT; i++) {
        struct shot shot;

        if (i > 0)
            fds[i] = connect_to(c, &address);
        shot = await_shot(c, many);
        EXPECT_THAT(c, shot.more);
        others[i] = fd_of(c, shot.value);
        EXPECT_THAT(c, tp_io_in_flight(c->io) == 1);
        send_text(c, others[i], "yours");
        recv_text(c, fds[i], "yours");
    }
    EXPECT_THAT(c, waits(c, many));
    cancel_many(c, many);
    for (uint32_t i = 0; i < COUNT; i++) {
        close_end(c, &fds[i]);
        close_end(c, &others[i]);
    }
    close_end(c, &listener);
}

static void net_accept_many_cancelled_loses_nothing(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a, b;
    uint64_t many;

    if (!open_listener(c, &listener, &address))
        return;
    many = submit(c, tp_request_accept_many(listener));
    EXPECT_THAT(c, waits(c, many));
    cancel_many(c, many);
    EXPECT(c, run(c, tp_request_cancel(many)), -ENOENT);
    a = connect_to(c, &address);
    b = accept_from(c, listener);
    send_text(c, a, "kept");
    recv_text(c, b, "kept");
    close_end(c, &a);
    close_end(c, &b);
    many = submit(c, tp_request_accept_many(listener)); /* and once more */
    a = connect_to(c, &address);
    b = fd_of(c, await_shot(c, many).value);
    close_end(c, &a);
    close_end(c, &b);
    cancel_many(c, many);
    close_end(c, &listener);
}

static void net_accept_many_whose_listener_is_closed(struct conformance *c)
{
    struct tp_address address;
    struct tp_fd listener, a, b;
    uint64_t many;

    if (!open_listener(c, &listener, &address))
        return;
    many = submit(c, tp_request_accept_many(listener));
    a = connect_to(c, &address);
    b = fd_of(c, await_shot(c, many).value);
    close_end(c, &listener);
    EXPECT(c, shots_end(c, many), -ECANCELED);
    send_text(c, a, "still");
    recv_text(c, b, "still");
    close_end(c, &a);
    close_end(c, &b);
}

/* Connects, and closes, `count` times while an accept_many runs: all of them come. */
static void net_accept_many_under_way(struct conformance *c)
{
    enum { MANY = 300 };
    struct tp_address address;
    struct tp_fd listener;
    uint64_t many, connects[COUNT];
    uint32_t count = 0;

    if (!open_listener(c, &listener, &address))
        return;
    many = submit(c, tp_request_accept_many(listener));
    for (uint32_t done = 0; done < MANY; done += COUNT) {
        for (uint32_t i = 0; i < COUNT; i++)
            connects[i] = submit(c, tp_request_connect(&address, plain()));
        for (uint32_t i = 0; i < COUNT; i++) {
            struct tp_fd fd = fd_of(c, await(c, connects[i]));

            close_end(c, &fd);
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            struct shot shot = await_shot(c, many);

            if (!shot.more)
                break;
            count++;
            close_file(c, fd_of(c, shot.value));
        }
    }
    EXPECT_THAT(c, count == MANY);
    cancel_many(c, many);
    close_end(c, &listener);
}

/* ------------------------------------------------------------------ no fd is left */

/* Takes every fd there is but `left`; how many it took. */
static uint32_t use_up_fds(struct conformance *c, struct tp_fd *ret_fds, uint32_t room,
                           uint32_t left)
{
    uint32_t count = 0;
    int32_t value = 0;

    make_file(c, at(c, "f"), 1);
    while (count < room && value >= 0) {
        value = run(c, tp_request_open(at(c, "f"), open_options("r")));
        if (value >= 0)
            ret_fds[count++] = tp_io_into_fd(c->io, value);
    }
    EXPECT(c, value, -EMFILE);
    while (left-- > 0 && count > 0)
        close_end(c, &ret_fds[--count]);
    return count;
}

enum { FDS_MAX = 4096 };

/* The connection that found no fd waits on, or is closed: which, kernels choose. The next
 * one is accepted when there is a fd again. */
static void net_accept_without_a_fd(struct conformance *c)
{
    static struct tp_fd fds[FDS_MAX];
    struct tp_address address,
        other = c->variant == OVER_UNIX ? path_address(c, "other") : here(c);
    struct tp_fd listener, first, second, accepted;
    uint32_t count;
    uint8_t byte;

    if (!open_listener(c, &listener, &address))
        return;
    count = use_up_fds(c, fds, FDS_MAX, 1);
    first = connect_to(c, &address);
    EXPECT(c, run(c, tp_request_accept(listener)), -EMFILE);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -EMFILE);
    EXPECT(c, run(c, tp_request_listen(&other, plain())), -EMFILE);
    for (uint32_t i = 0; i < 3 && count > 0; i++)
        close_end(c, &fds[--count]);
    close_end(c, &first);
    second = connect_to(c, &address);
    send_text(c, second, "second");
    accepted = accept_from(c, listener);
    if (recv_once(c, accepted, &byte, 1) <= 0) { /* it was the first */
        close_end(c, &accepted);
        accepted = accept_from(c, listener);
        recv_text(c, accepted, "second");
    } else {
        recv_text(c, accepted, "econd");
    }
    close_end(c, &accepted);
    close_end(c, &second);
    while (count > 0)
        close_end(c, &fds[--count]);
    close_end(c, &listener);
}

static void net_accept_many_without_a_fd(struct conformance *c)
{
    static struct tp_fd fds[FDS_MAX];
    struct tp_address address;
    struct tp_fd listener, first, second, b;
    uint32_t count;
    uint64_t many;

    if (!open_listener(c, &listener, &address))
        return;
    count = use_up_fds(c, fds, FDS_MAX, 3);
    many = submit(c, tp_request_accept_many(listener));
    first = connect_to(c, &address);
    b = fd_of(c, await_shot(c, many).value);
    second = connect_to(c, &address);
    EXPECT(c, shots_end(c, many), -EMFILE);
    send_text(c, first, "first");
    recv_text(c, b, "first");
    close_end(c, &b);
    close_end(c, &first);
    close_end(c, &second);
    while (count > 0)
        close_end(c, &fds[--count]);
    many = submit(c, tp_request_accept_many(listener)); /* the listener is as it was */
    first = connect_to(c, &address);
    b = fd_of(c, await_shot(c, many).value);
    close_end(c, &first);
    close_end(c, &b);
    EXPECT(c, run(c, tp_request_cancel(many)), 0);
    EXPECT(c, shots_end(c, many), -ECANCELED);
    close_end(c, &listener);
}

const struct conformance_program conformance_net_accept[] = {
    OVER_EACH(net_accept_waits_for_a_connection),
    OVER_EACH(net_accept_several_at_once),
    OVER_EACH(net_accept_cancelled_loses_nothing),
    OVER_EACH(net_accept_whose_listener_is_closed),
    OVER_EACH(net_accept_who_has_gone),
    OVER_EACH(net_accept_outlives_the_listener),
    OVER_EACH(net_accept_never_comes),
    OVER_EACH(net_accept_on_a_connection),
    OVER_EACH(net_accept_many_gives_each),
    OVER_EACH(net_accept_many_cancelled_loses_nothing),
    OVER_EACH(net_accept_many_whose_listener_is_closed),
    OVER_EACH(net_accept_many_under_way),
    OVER_EACH(net_accept_without_a_fd),
    OVER_EACH(net_accept_many_without_a_fd),
    {0},
};
