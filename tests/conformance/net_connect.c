/* Connecting: whom it reaches, and what it leaves when it does not. */
#include "net.h"

enum { BATCH = 50 };

/* An address where nobody listens any more. */
static struct tp_address nobody(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_fd fd = listen_at(c, &address);

    close_end(c, &fd);
    return address;
}

static void net_connect_is_refused(struct conformance *c)
{
    struct tp_address address;

    if (no_net(c))
        return;
    address = nobody(c);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -ECONNREFUSED);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -ECONNREFUSED);
}

/* More often than there are fds. */
static void net_connect_that_fails_leaves_nothing_open(struct conformance *c)
{
    enum { COUNT = 1500 };
    struct tp_address address;
    uint64_t handles[BATCH];

    if (no_net(c))
        return;
    address = nobody(c);
    for (uint32_t done = 0; done < COUNT; done += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++)
            handles[i] = submit(c, tp_request_connect(&address, plain()));
        for (uint32_t i = 0; i < BATCH; i++)
            EXPECT(c, await(c, handles[i]), -ECONNREFUSED);
    }
}

static void net_connect_to_port_0(struct conformance *c)
{
    struct tp_address address = here(c);

    if (no_net(c))
        return;
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -ECONNREFUSED, -EADDRNOTAVAIL);
}

static void net_connect_to_a_path_without_a_socket(struct conformance *c)
{
    struct tp_address missing = path_address(c, "missing");
    struct tp_address no_dir = path_address(c, "nowhere/s");
    struct tp_address file = path_address(c, "file"), dir = path_address(c, "dir");
    struct tp_address under_file = path_address(c, "file/s");
    struct tp_address dangling = path_address(c, "dangling");

    if (no_net(c))
        return;
    make_file(c, at(c, "file"), 10);
    EXPECT(c, run(c, tp_request_create_dir(at(c, "dir"), 0777)), 0);
    EXPECT(c, run(c, tp_request_symlink(at(c, "dangling"), "missing")), 0);
    EXPECT(c, run(c, tp_request_connect(&missing, plain())), -ENOENT);
    EXPECT(c, run(c, tp_request_connect(&no_dir, plain())), -ENOENT);
    EXPECT(c, run(c, tp_request_connect(&file, plain())), -ECONNREFUSED);
    EXPECT(c, run(c, tp_request_connect(&dir, plain())), -ECONNREFUSED);
    EXPECT(c, run(c, tp_request_connect(&under_file, plain())), -ENOTDIR);
    EXPECT(c, run(c, tp_request_connect(&dangling, plain())), -ENOENT);
}

/* A link to the name leads to whoever listens there. */
static void net_connect_through_a_link(struct conformance *c)
{
    struct tp_address address = path_address(c, "s"), link = path_address(c, "link");
    struct tp_fd listener, a, b;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    EXPECT(c, run(c, tp_request_symlink(at(c, "link"), "s")), 0);
    a = connect_to(c, &link);
    b = accept_from(c, listener);
    send_text(c, b, "welcome");
    recv_text(c, a, "welcome");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

/* The system has the connection, and what is sent over it, before anybody accepts it. */
static void net_connect_and_send_before_accept(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_fd listener, a, b;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    a = connect_to(c, &address);
    send_text(c, a, "early");
    EXPECT(c, run(c, tp_request_shutdown(a, TP_SHUT_WRITE)), 0);
    b = accept_from(c, listener);
    recv_text(c, b, "early");
    recv_end(c, b, 2);
    send_text(c, b, "late");
    recv_text(c, a, "late");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

static void net_connect_many_at_once(struct conformance *c)
{
    struct tp_address address = here(c);
    uint64_t handles[BATCH];
    struct tp_fd listener, fds[BATCH], others[BATCH];

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    for (uint32_t i = 0; i < BATCH; i++)
        handles[i] = submit(c, tp_request_connect(&address, plain()));
    for (uint32_t i = 0; i < BATCH; i++)
        others[i] = accept_from(c, listener);
    for (uint32_t i = 0; i < BATCH; i++)
        fds[i] = fd_of(c, await(c, handles[i]));
    for (uint32_t i = 0; i < BATCH; i++) { /* whoever is whose: none is lost or mixed up */
        close_end(c, &fds[i]);
        close_end(c, &others[i]);
    }
    close_end(c, &listener);
}

/* Whoever wins; a connect that was stopped leaves nothing open. */
static void net_connect_cancelled(struct conformance *c)
{
    enum { ROUNDS = 30 };
    struct tp_address address = here(c);
    uint64_t targets[BATCH], cancels[BATCH], many;
    struct tp_fd listener;

    if (no_net(c) || lacks(c, TP_ACCEPT_MANY))
        return;
    listener = listen_at(c, &address);
    many = submit(c, tp_request_accept_many(listener));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            targets[i] = submit(c, tp_request_connect(&address, plain()));
            cancels[i] = submit(c, tp_request_cancel(targets[i]));
        }
        for (uint32_t i = 0; i < BATCH; i++) {
            int32_t cancel = await(c, cancels[i]), target = await(c, targets[i]);
            struct tp_completion arrived;

            EXPECT(c, cancel, 0, -ENOENT, -EALREADY);
            EXPECT_THAT(c, target >= 0 || target == -ECANCELED);
            EXPECT_THAT(c, target >= 0 || cancel != -ENOENT);
            if (target >= 0)
                close_file(c, tp_io_into_fd(c->io, target));
            while (tp_io_get_cqe(c->io, many, &arrived) && (arrived.flags & TP_MORE) != 0)
                close_file(c, tp_io_into_fd(c->io, arrived.value));
        }
    }
    EXPECT(c, run(c, tp_request_cancel(many)), 0);
    EXPECT(c, shots_end(c, many), -ECANCELED);
    close_end(c, &listener);
}

static void net_connect_knows_both_addresses(struct conformance *c)
{
    struct tp_address a_mine, a_peer, b_mine, b_peer;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_local_address(ends.a, &a_mine)), 0);
    EXPECT(c, run(c, tp_request_peer_address(ends.a, &a_peer)), 0);
    EXPECT(c, run(c, tp_request_local_address(ends.b, &b_mine)), 0);
    EXPECT(c, run(c, tp_request_peer_address(ends.b, &b_peer)), 0);
    EXPECT_THAT(c, tp_address_equal(&a_peer, &ends.address));
    EXPECT_THAT(c, tp_address_equal(&b_mine, &ends.address));
    EXPECT_THAT(c, tp_address_equal(&a_mine, &b_peer));
    if (c->variant == OVER_UNIX)
        EXPECT_THAT(c, a_mine.family == TP_ADDRESS_NONE); /* nobody gave it a name */
    else
        EXPECT_THAT(c, a_mine.port != 0 && a_mine.port != a_peer.port &&
                           a_mine.family == a_peer.family);
    EXPECT(c, run(c, tp_request_peer_address(ends.listener, &a_peer)), -ENOTCONN);
    EXPECT(c, run(c, tp_request_local_address(ends.a, NULL)), -EFAULT);
    close_ends(c, &ends);
}

static void net_connect_from_a_port_of_its_own(struct conformance *c)
{
    enum { COUNT = 20 };
    struct tp_address address = here(c), mine;
    struct tp_fd listener, fds[COUNT];
    uint16_t ports[COUNT];

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    for (uint32_t i = 0; i < COUNT; i++) {
        fds[i] = connect_to(c, &address);
        memset(&mine, 0, sizeof mine);
        EXPECT(c, run(c, tp_request_local_address(fds[i], &mine)), 0);
        ports[i] = mine.port;
        for (uint32_t other = 0; other < i; other++)
            EXPECT_THAT(c, ports[other] != ports[i]);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        close_end(c, &fds[i]);
    close_end(c, &listener);
}

/* The options of a socket change how it does things, not what. */
static void net_connect_with_options(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_socket_options options = {.recv_buffer_bytes = 8192,
                                        .send_buffer_bytes = 8192,
                                        .keep_alive_s = 60,
                                        .no_delay = true};
    struct tp_fd listener, a, b;

    if (no_net(c))
        return;
    listener = fd_of(c, run(c, tp_request_listen(&address, options)));
    EXPECT(c, run(c, tp_request_local_address(listener, &address)), 0);
    a = fd_of(c, run(c, tp_request_connect(&address, options)));
    b = accept_from(c, listener);
    send_pattern(c, a, 3000, 0);
    recv_pattern(c, b, 3000, 0);
    send_text(c, b, "back");
    recv_text(c, a, "back");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

static void net_set_socket(struct conformance *c)
{
    struct tp_socket_options all = {.recv_buffer_bytes = UINT32_MAX,
                                    .send_buffer_bytes = UINT32_MAX,
                                    .keep_alive_s = UINT16_MAX,
                                    .no_delay = true};
    struct tp_socket_options some = {.recv_buffer_bytes = 1, .keep_alive_s = 1};
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_set_socket(ends.a, all)), 0);
    EXPECT(c, run(c, tp_request_set_socket(ends.a, some)), 0);
    EXPECT(c, run(c, tp_request_set_socket(ends.a, plain())), 0);
    EXPECT(c, run(c, tp_request_set_socket(ends.b, all)), 0);
    EXPECT(c, run(c, tp_request_set_socket(ends.listener, all)), 0);
    send_text(c, ends.a, "as before");
    recv_text(c, ends.b, "as before");
    close_ends(c, &ends);
}

const struct conformance_program conformance_net_connect[] = {
    OVER_EACH(net_connect_is_refused),
    OVER_EACH(net_connect_that_fails_leaves_nothing_open),
    OVER_TCP(net_connect_to_port_0),
    VARIANT(net_connect_to_a_path_without_a_socket, "unix", OVER_UNIX),
    VARIANT(net_connect_through_a_link, "unix", OVER_UNIX),
    OVER_EACH(net_connect_and_send_before_accept),
    OVER_EACH(net_connect_many_at_once),
    OVER_EACH(net_connect_cancelled),
    OVER_EACH(net_connect_knows_both_addresses),
    OVER_TCP(net_connect_from_a_port_of_its_own),
    OVER_EACH(net_connect_with_options),
    OVER_EACH(net_set_socket),
    {0},
};
