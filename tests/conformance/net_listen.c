/* Listening: where it may be, and where it may not. */
#include "net.h"

/* What listen says, and nothing stays open. */
static int32_t try_listen(struct conformance *c, const struct tp_address *address,
                          struct tp_socket_options options)
{
    int32_t value = run(c, tp_request_listen(address, options));

    if (value < 0)
        return value;
    close_file(c, tp_io_into_fd(c->io, value));
    return 0;
}

static int32_t try_connect(struct conformance *c, const struct tp_address *address)
{
    int32_t value = run(c, tp_request_connect(address, plain()));

    if (value < 0)
        return value;
    close_file(c, tp_io_into_fd(c->io, value));
    return 0;
}

/* ------------------------------------------------------------------ addresses */

static void net_listen_says_where(struct conformance *c)
{
    struct tp_address asked = here(c), got = asked;
    struct tp_fd fd;

    if (no_net(c))
        return;
    fd = listen_at(c, &got);
    if (c->variant == OVER_UNIX) {
        EXPECT_THAT(c, tp_address_equal(&got, &asked));
    } else {
        EXPECT_THAT(c, got.port != 0);
        asked.port = got.port;
        EXPECT_THAT(c, tp_address_equal(&got, &asked));
        EXPECT_THAT(c, tp_address_is_loopback(&got));
    }
    close_end(c, &fd);
}

static void net_listen_on_any_port_many_times(struct conformance *c)
{
    enum { COUNT = 100 };
    struct tp_fd fds[COUNT];
    uint16_t ports[COUNT];

    if (no_net(c))
        return;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct tp_address address = here(c);

        fds[i] = listen_at(c, &address);
        ports[i] = address.port;
        for (uint32_t other = 0; other < i; other++)
            EXPECT_THAT(c, ports[other] != ports[i]);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        close_end(c, &fds[i]);
}

static void net_listen_where_somebody_does(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_fd fd;

    if (no_net(c))
        return;
    fd = listen_at(c, &address);
    EXPECT(c, try_listen(c, &address, plain()), -EADDRINUSE);
    EXPECT(c, try_listen(c, &address, plain()), -EADDRINUSE);
    EXPECT(c, try_connect(c, &address), 0); /* the first is as it was */
    close_end(c, &fd);
}

static void net_listen_again_after_close(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_fd fd;

    if (no_net(c))
        return;
    for (uint32_t round = 0; round < 5; round++) {
        fd = listen_at(c, &address);
        close_end(c, &fd);
    }
}

/* Connections of before, open or just closed, are in nobody's way. */
static void net_listen_again_beside_connections(struct conformance *c)
{
    struct ends ends, again;

    if (!open_ends(c, &ends))
        return;
    again = ends;
    again.a = connect_to(c, &ends.address);
    again.b = accept_from(c, ends.listener);
    close_end(c, &again.b); /* this side closes first: it waits for strays of the peer */
    recv_end(c, again.a, 1);
    close_end(c, &again.a);
    close_end(c, &ends.listener);
    ends.listener = listen_at(c, &ends.address);
    EXPECT(c, try_connect(c, &ends.address), 0);
    send_text(c, ends.a, "still there");
    recv_text(c, ends.b, "still there");
    close_ends(c, &ends);
}

/* 192.0.2.0/24 and 2001:db8::/32 are for documentation (RFC 5737, RFC 3849): nobody's. */
static void net_listen_where_this_machine_is_not(struct conformance *c)
{
    struct tp_address address = tp_address_ipv4(192, 0, 2, 1, 0);

    if (no_net(c))
        return;
    if (c->variant == OVER_IPV6)
        EXPECT(c, tp_address_parse("[2001:db8::1]:0", 0, &address), 0);
    EXPECT(c, try_listen(c, &address, plain()), -EADDRNOTAVAIL);
}

/* A listener on every interface has the port on each of them. */
static void net_listen_where_every_interface_is_taken(struct conformance *c)
{
    struct tp_address every = tp_address_any(0), address = here(c);
    struct tp_fd fd;

    if (no_net(c))
        return;
    fd = listen_at(c, &every);
    EXPECT_THAT(c, every.port != 0);
    address.port = every.port;
    EXPECT(c, try_listen(c, &address, plain()), -EADDRINUSE);
    EXPECT(c, try_connect(c, &address), 0);
    close_end(c, &fd);
    EXPECT(c, try_listen(c, &address, plain()), 0);
}

static void net_listen_for_ipv6_only(struct conformance *c)
{
    struct tp_address every = tp_address_any(0), ipv4 = tp_address_ipv4(127, 0, 0, 1, 0);
    struct tp_address ipv6 = here(c);
    struct tp_socket_options options = plain();
    struct tp_fd fd;

    if (no_net(c))
        return;
    options.v6_only = true;
    fd = fd_of(c, run(c, tp_request_listen(&every, options)));
    EXPECT(c, run(c, tp_request_local_address(fd, &every)), 0);
    ipv4.port = ipv6.port = every.port;
    EXPECT(c, try_connect(c, &ipv6), 0);
    EXPECT(c, try_connect(c, &ipv4), -ECONNREFUSED);
    close_end(c, &fd);
}

/* One socket for both families: a peer that comes over IPv4 has its IPv4 address. */
static void net_listen_for_both_families(struct conformance *c)
{
    struct tp_address every = tp_address_any(0), ipv4 = tp_address_ipv4(127, 0, 0, 1, 0);
    struct tp_address ipv6 = here(c), peer = ipv6, mine = ipv6;
    struct tp_fd listener, a, b;

    if (no_net(c))
        return;
    listener = listen_at(c, &every);
    ipv4.port = ipv6.port = every.port;
    a = connect_to(c, &ipv4);
    b = accept_from(c, listener);
    EXPECT(c, run(c, tp_request_peer_address(b, &peer)), 0);
    EXPECT(c, run(c, tp_request_local_address(a, &mine)), 0);
    EXPECT_THAT(c, mine.family == TP_ADDRESS_IPV4 && tp_address_equal(&mine, &peer));
    EXPECT(c, run(c, tp_request_local_address(b, &mine)), 0);
    EXPECT_THAT(c, tp_address_equal(&mine, &ipv4));
    close_end(c, &a);
    close_end(c, &b);
    a = connect_to(c, &ipv6);
    b = accept_from(c, listener);
    EXPECT(c, run(c, tp_request_peer_address(b, &peer)), 0);
    EXPECT(c, run(c, tp_request_local_address(a, &mine)), 0);
    EXPECT_THAT(c, mine.family == TP_ADDRESS_IPV6 && tp_address_equal(&mine, &peer));
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &listener);
}

/* ------------------------------------------------------------------ sharing, backlog */

static void net_listen_on_a_shared_port(struct conformance *c)
{
    enum { COUNT = 16 };
    struct tp_address address = here(c);
    struct tp_socket_options options = plain();
    struct tp_fd first, second;
    uint64_t handles[2], poll_until;
    struct tp_completion completion;
    uint32_t count = 0;

    if (no_net(c) || lacks(c, TP_ACCEPT_MANY))
        return;
    options.reuse_port = true;
    first = fd_of(c, run(c, tp_request_listen(&address, options)));
    EXPECT(c, run(c, tp_request_local_address(first, &address)), 0);
    EXPECT(c, try_listen(c, &address, plain()), -EADDRINUSE); /* it does not share */
    second = fd_of(c, run(c, tp_request_listen(&address, options)));
    handles[0] = submit(c, tp_request_accept_many(first));
    handles[1] = submit(c, tp_request_accept_many(second));
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, try_connect(c, &address), 0);
    poll_until = tp_io_now_ns(c->io) + c->patience_ns;
    while (count < COUNT && tp_io_now_ns(c->io) < poll_until) {
        for (uint32_t i = 0; i < 2; i++) {
            while (tp_io_get_cqe(c->io, handles[i], &completion)) {
                EXPECT_THAT(c, completion.value >= 0 && (completion.flags & TP_MORE) != 0);
                if (completion.value >= 0 && (completion.flags & TP_MORE) != 0)
                    close_file(c, tp_io_into_fd(c->io, completion.value));
                count++;
            }
        }
        if (count < COUNT)
            tp_io_park(c->io, poll_until);
    }
    EXPECT_THAT(c, count == COUNT);
    cancel_many(c, handles[0]);
    cancel_many(c, handles[1]);
    close_end(c, &first);
    close_end(c, &second);
}

/* More than the backlog holds: the others wait, and come in when there is room. */
static void net_listen_with_a_short_backlog(struct conformance *c)
{
    enum { COUNT = 4 };
    struct tp_address address = here(c);
    struct tp_socket_options options = plain();
    uint64_t handles[COUNT];
    struct tp_fd listener, fds[COUNT], others[COUNT];

    if (no_net(c))
        return;
    options.backlog = 1;
    listener = fd_of(c, run(c, tp_request_listen(&address, options)));
    EXPECT(c, run(c, tp_request_local_address(listener, &address)), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        handles[i] = submit(c, tp_request_connect(&address, plain()));
    let_arrive(c);
    for (uint32_t i = 0; i < COUNT; i++)
        others[i] = accept_from(c, listener);
    for (uint32_t i = 0; i < COUNT; i++)
        fds[i] = fd_of(c, await(c, handles[i]));
    for (uint32_t i = 0; i < COUNT; i++) {
        close_end(c, &fds[i]);
        close_end(c, &others[i]);
    }
    close_end(c, &listener);
}

/* A path has nobody who tries again: the connect that finds no room says so. */
static void net_listen_with_a_full_backlog(struct conformance *c)
{
    enum { COUNT = 10 };
    struct tp_address address = path_address(c, "s");
    struct tp_socket_options options = plain();
    struct tp_fd listener, fds[COUNT], fd;
    uint32_t count = 0;
    int32_t value = 0;

    if (no_net(c))
        return;
    options.backlog = 2;
    listener = fd_of(c, run(c, tp_request_listen(&address, options)));
    while (count < COUNT && value >= 0) {
        value = run(c, tp_request_connect(&address, plain()));
        if (value >= 0)
            fds[count++] = tp_io_into_fd(c->io, value);
    }
    EXPECT(c, value, -EAGAIN);
    EXPECT(c, (int32_t)count, 2, 3); /* Linux has room for one more than was asked for */
    fd = accept_from(c, listener);
    close_end(c, &fd);
    EXPECT(c, try_connect(c, &address), 0);
    while (count > 0)
        close_end(c, &fds[--count]);
    close_end(c, &listener);
}

/* ------------------------------------------------------------------ paths */

static void net_listen_on_a_path_that_is_there(struct conformance *c)
{
    struct tp_address file = path_address(c, "file"), dir = path_address(c, "dir");
    struct tp_address dangling = path_address(c, "dangling");

    if (no_net(c))
        return;
    make_file(c, at(c, "file"), 10);
    EXPECT(c, run(c, tp_request_create_dir(at(c, "dir"), 0777)), 0);
    EXPECT(c, run(c, tp_request_symlink(at(c, "dangling"), "nowhere")), 0);
    EXPECT(c, try_listen(c, &file, plain()), -EADDRINUSE);
    EXPECT(c, try_listen(c, &dir, plain()), -EADDRINUSE);
    EXPECT(c, try_listen(c, &dangling, plain()), -EADDRINUSE);
}

static void net_listen_in_a_directory_that_is_missing(struct conformance *c)
{
    struct tp_address missing = path_address(c, "nowhere/s");
    struct tp_address under_file = path_address(c, "file/s");

    if (no_net(c))
        return;
    make_file(c, at(c, "file"), 10);
    EXPECT(c, try_listen(c, &missing, plain()), -ENOENT);
    EXPECT(c, try_listen(c, &under_file, plain()), -ENOTDIR);
}

/* The name is a file of its own, which close leaves there. */
static void net_listen_path_stays_after_close(struct conformance *c)
{
    struct tp_address address = path_address(c, "s");
    struct tp_statx statx;
    struct tp_fd fd;

    if (no_net(c))
        return;
    fd = listen_at(c, &address);
    EXPECT(c, run(c, tp_request_stat(at(c, "s"), &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_OTHER && statx.size == 0);
    close_end(c, &fd);
    EXPECT(c, run(c, tp_request_lstat(at(c, "s"), &statx)), 0);
    EXPECT(c, try_listen(c, &address, plain()), -EADDRINUSE);
    EXPECT(c, try_connect(c, &address), -ECONNREFUSED);
    EXPECT(c, run(c, tp_request_remove(at(c, "s"))), 0);
    EXPECT(c, try_listen(c, &address, plain()), 0);
}

static void net_listen_path_removed_meanwhile(struct conformance *c)
{
    struct tp_address address = path_address(c, "s");
    struct tp_fd first, second, a, b;

    if (no_net(c))
        return;
    first = listen_at(c, &address);
    EXPECT(c, run(c, tp_request_remove(at(c, "s"))), 0);
    EXPECT(c, try_connect(c, &address), -ENOENT);
    second = listen_at(c, &address); /* the name is free for another */
    a = connect_to(c, &address);
    b = accept_from(c, second);
    send_text(c, a, "to the second");
    recv_text(c, b, "to the second");
    close_end(c, &a);
    close_end(c, &b);
    close_end(c, &first);
    close_end(c, &second);
}

static void net_listen_path_renamed_meanwhile(struct conformance *c)
{
    struct tp_address address = path_address(c, "s"), moved = path_address(c, "moved");
    struct tp_fd listener;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    EXPECT(c, run(c, tp_request_rename(at(c, "s"), at(c, "moved"))), 0);
    EXPECT(c, try_connect(c, &address), -ENOENT);
    EXPECT(c, try_connect(c, &moved), 0);
    close_end(c, &listener);
}

/* A socket's name cannot be opened, read or cut. */
static void net_listen_path_is_no_file(struct conformance *c)
{
    struct tp_address address = path_address(c, "s");
    struct tp_fd listener;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    EXPECT(c, run(c, tp_request_open(at(c, "s"), open_options("r"))), -ENXIO);
    EXPECT(c, run(c, tp_request_open(at(c, "s"), open_options("rw"))), -ENXIO);
    EXPECT(c, run(c, tp_request_open(at(c, "s"), open_options("wn"))), -EEXIST);
    EXPECT(c, run(c, tp_request_create_dir(at(c, "s"), 0777)), -EEXIST);
    EXPECT(c, run(c, tp_request_remove_dir(at(c, "s"))), -ENOTDIR);
    close_end(c, &listener);
}

/* ------------------------------------------------------------------ arguments */

static void net_addresses_that_are_none(struct conformance *c)
{
    struct tp_address address = path_address(c, "s");

    if (no_net(c))
        return;
    EXPECT(c, run(c, tp_request_listen(NULL, plain())), -EFAULT);
    EXPECT(c, run(c, tp_request_connect(NULL, plain())), -EFAULT);
    address.family = TP_ADDRESS_NONE;
    EXPECT(c, run(c, tp_request_listen(&address, plain())), -EAFNOSUPPORT);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -EAFNOSUPPORT);
    address.family = 99;
    EXPECT(c, run(c, tp_request_listen(&address, plain())), -EAFNOSUPPORT);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -EAFNOSUPPORT);
    address.family = TP_ADDRESS_UNIX;
    address.at.path[0] = '\0';
    EXPECT(c, run(c, tp_request_listen(&address, plain())), -EINVAL);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -EINVAL);
    memset(address.at.path, 'x', sizeof address.at.path);
    EXPECT(c, run(c, tp_request_listen(&address, plain())), -ENAMETOOLONG);
    EXPECT(c, run(c, tp_request_connect(&address, plain())), -ENAMETOOLONG);
}

const struct conformance_program conformance_net_listen[] = {
    OVER_EACH(net_listen_says_where),
    OVER_TCP(net_listen_on_any_port_many_times),
    OVER_EACH(net_listen_where_somebody_does),
    OVER_TCP(net_listen_again_after_close),
    OVER_TCP(net_listen_again_beside_connections),
    OVER_TCP(net_listen_where_this_machine_is_not),
    OVER_TCP(net_listen_where_every_interface_is_taken),
    VARIANT(net_listen_for_ipv6_only, "ipv6", OVER_IPV6),
    VARIANT(net_listen_for_both_families, "ipv6", OVER_IPV6),
    OVER_TCP(net_listen_on_a_shared_port),
    OVER_TCP(net_listen_with_a_short_backlog),
    VARIANT(net_listen_with_a_full_backlog, "unix", OVER_UNIX),
    VARIANT(net_listen_on_a_path_that_is_there, "unix", OVER_UNIX),
    VARIANT(net_listen_in_a_directory_that_is_missing, "unix", OVER_UNIX),
    VARIANT(net_listen_path_stays_after_close, "unix", OVER_UNIX),
    VARIANT(net_listen_path_removed_meanwhile, "unix", OVER_UNIX),
    VARIANT(net_listen_path_renamed_meanwhile, "unix", OVER_UNIX),
    VARIANT(net_listen_path_is_no_file, "unix", OVER_UNIX),
    PROGRAM(net_addresses_that_are_none),
    {0},
};
