/** tests/virtual/net_limits.c - who is reached and who is not, what runs out, and what a
 * socket answers to what it cannot do. */
#include "net_fixture.h"

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_limits, .fini = tear_down);

static const struct tp_socket_options plain;

static int32_t connect_to(uint32_t node, const char *text)
{
    struct tp_address address;
    int32_t value;

    cr_assert(eq(int, tp_address_parse(text, 0, &address), 0));
    value = n_do(node, tp_request_connect(&address, plain));
    if (value >= 0)
        (void)tp_io_into_fd(n.io[node], value);
    return value;
}

static int32_t listen_on(uint32_t node, const char *text, struct tp_socket_options options)
{
    struct tp_address address;

    cr_assert(eq(int, tp_address_parse(text, 0, &address), 0));
    return n_do(node, tp_request_listen(&address, options));
}

static struct tp_fd listening(uint32_t node, const char *text)
{
    int32_t value = listen_on(node, text, plain);

    cr_assert(value >= 0, "%s: %s", text, tp_errno_name(value));
    return tp_io_into_fd(n.io[node], value);
}

/* ------------------------------------------------------------------ who is reached */

Test(net_limits, who_does_not_listen_refuses)
{
    n_boot(2, 1);
    cr_assert(eq(i32, connect_to(0, "10.0.0.2:80"), -ECONNREFUSED));
    cr_assert(eq(i32, connect_to(0, "127.0.0.1:80"), -ECONNREFUSED));
    cr_assert(eq(i32, connect_to(0, "[::1]:80"), -ECONNREFUSED));
    cr_assert(eq(u64, tp_net_stats(n.net)->refused, 3));
    cr_assert(eq(u32, tp_net_sockets(n.net), 0)); /* a failed connect leaves nothing */
    cr_assert(eq(i32, n_do(0, tp_request_listen(&n.address[0], plain)), 0));
}

Test(net_limits, an_address_that_nobody_has_is_unreachable)
{
    n_boot(1, 1);
    cr_assert(eq(i32, connect_to(0, "10.0.0.9:80"), -EHOSTUNREACH));
    cr_assert(tp_world_now_ns(n.world) >= 3 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, connect_to(0, "[2001:db8::1]:80"), -ENETUNREACH)); /* no IPv6 here */
}

Test(net_limits, a_black_hole_times_out)
{
    n.net_config.unknown = TP_NET_BLACK_HOLE;
    n_boot(1, 1);
    cr_assert(eq(i32, connect_to(0, "10.0.0.9:80"), -ETIMEDOUT));
    cr_assert(tp_world_now_ns(n.world) >= 127 * (uint64_t)N_SECOND);
    cr_assert(tp_world_now_ns(n.world) < 200 * (uint64_t)N_SECOND);
    cr_assert(eq(u64, tp_net_stats(n.net)->timed_out, 1));
}

Test(net_limits, without_a_route_there_is_no_network)
{
    n_boot_alone(1);
    cr_assert(eq(i32, connect_to(0, "10.0.0.2:80"), -ENETUNREACH));
    tear_down();
    n.net_config.unknown = TP_NET_NO_ROUTE;
    n_boot(1, 1);
    cr_assert(eq(i32, connect_to(0, "10.0.0.2:80"), -ENETUNREACH));
}

Test(net_limits, every_loopback_address_is_this_host)
{
    n_boot(2, 1);
    (void)listening(0, "127.0.0.5:80");
    cr_assert(eq(i32, connect_to(0, "127.0.0.1:80"), -ECONNREFUSED));
    cr_assert(connect_to(0, "127.0.0.5:80") >= 0);
    cr_assert(eq(i32, connect_to(1, "127.0.0.5:80"), -ECONNREFUSED)); /* its own */
    (void)listening(0, "0.0.0.0:81");
    cr_assert(connect_to(0, "0.0.0.0:81") >= 0); /* the unspecified one is this host, too */
    cr_assert(connect_to(1, "10.0.0.1:81") >= 0);
}

/* ------------------------------------------------------------------ listening */

Test(net_limits, one_port_has_one_listener)
{
    struct tp_socket_options shared = {.reuse_port = true};
    struct tp_socket_options six = {.v6_only = true};
    struct tp_fd all, one;

    n_boot(1, 1);
    all = listening(0, "[::]:80"); /* IPv4, too */
    cr_assert(eq(i32, listen_on(0, "[::]:80", plain), -EADDRINUSE));
    cr_assert(eq(i32, listen_on(0, "0.0.0.0:80", plain), -EADDRINUSE));
    cr_assert(eq(i32, listen_on(0, "127.0.0.1:80", plain), -EADDRINUSE));
    cr_assert(eq(i32, listen_on(0, "[::1]:80", plain), -EADDRINUSE));
    cr_assert(eq(i32, listen_on(0, "[::1]:80", shared), -EADDRINUSE));
    cr_assert(eq(i32, n_do(0, tp_request_close(all)), 0));
    cr_assert(listen_on(0, "[::]:80", six) >= 0);
    one = listening(0, "127.0.0.1:80");
    cr_assert(eq(i32, listen_on(0, "0.0.0.0:80", plain), -EADDRINUSE));
    cr_assert(eq(i32, n_do(0, tp_request_close(one)), 0));
    cr_assert(listen_on(0, "0.0.0.0:80", plain) >= 0);
    cr_assert(eq(i32, listen_on(0, "10.0.0.2:80", plain), -EADDRNOTAVAIL));
}

Test(net_limits, a_shared_port_shares_the_connections)
{
    struct tp_socket_options shared = {.reuse_port = true};
    uint64_t accepts[2];
    uint32_t counts[2] = {0, 0};

    n_boot(2, 1);
    for (uint32_t i = 0; i < 2; i++) {
        int32_t value = n_do(1, tp_request_listen(&n.address[1], shared));

        cr_assert(value >= 0);
        accepts[i] = n_begin(1, tp_request_accept_many(tp_io_into_fd(n.io[1], value)));
    }
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(connect_to(0, "10.0.0.2:80") >= 0);
    n_run(N_SECOND);
    for (uint32_t i = 0; i < 2; i++) {
        while (n_result(1, accepts[i]) >= 0)
            counts[i]++;
    }
    cr_assert(counts[0] > 5 && counts[1] > 5 && counts[0] + counts[1] == 20);
}

/* A dual-stack listener takes both; an IPv4 peer is seen under its IPv4 address. */
Test(net_limits, the_address_for_all_takes_both_families)
{
    struct tp_address at = tp_address_any(80), peer, local;
    uint64_t accept;
    int32_t value;

    n_boot(2, 1);
    value = n_do(1, tp_request_listen(&at, plain));
    cr_assert(value >= 0);
    accept = n_begin(1, tp_request_accept_many(tp_io_into_fd(n.io[1], value)));
    cr_assert(connect_to(0, "10.0.0.2:80") >= 0);
    value = n_wait(1, accept);
    cr_assert(value >= 0);
    {
        struct tp_fd fd = tp_io_into_fd(n.io[1], value);

        cr_assert(eq(i32, n_do(1, tp_request_peer_address(fd, &peer)), 0));
        cr_assert(eq(i32, n_do(1, tp_request_local_address(fd, &local)), 0));
    }
    cr_assert(eq(u16, peer.family, TP_ADDRESS_IPV4));
    cr_assert(eq(int, peer.at.ipv4[3], 1));
    cr_assert(tp_address_equal(&local, &n.address[1]));
    cr_assert(connect_to(1, "[::1]:80") >= 0);
    value = n_wait(1, accept);
    cr_assert(value >= 0);
    cr_assert(
        eq(i32, n_do(1, tp_request_peer_address(tp_io_into_fd(n.io[1], value), &peer)), 0));
    cr_assert(eq(u16, peer.family, TP_ADDRESS_IPV6));
    cr_assert(connect_to(1, "[::ffff:127.0.0.1]:80") >= 0);
    value = n_wait(1, accept);
    cr_assert(value >= 0);
    cr_assert(
        eq(i32, n_do(1, tp_request_peer_address(tp_io_into_fd(n.io[1], value), &peer)), 0));
    cr_assert(eq(u16, peer.family, TP_ADDRESS_IPV4));
}

Test(net_limits, a_full_backlog_makes_the_next_one_wait)
{
    uint64_t waiting;
    struct tp_fd listener;
    int32_t value;

    n_boot(2, 1);
    listener = n_listen(1, 2);
    for (uint32_t i = 0; i < 3; i++) /* Linux takes one more than was asked for */
        cr_assert(connect_to(0, "10.0.0.2:80") >= 0);
    waiting = n_begin(0, tp_request_connect(&n.address[1], plain));
    n_run(20 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, n_result(0, waiting), N_PENDING));
    value = n_do(1, tp_request_accept(listener));
    cr_assert(value >= 0);
    (void)tp_io_into_fd(n.io[1], value);
    value = n_wait(0, waiting); /* when its SYN is sent again */
    cr_assert(value >= 0);
    cr_assert(tp_net_stats(n.net)->repeated >= 4);
}

Test(net_limits, a_closed_listener_resets_those_in_its_queue)
{
    struct tp_fd listener;
    struct tp_fd client;
    int32_t value;

    n_boot(2, 1);
    listener = n_listen(1, 0);
    value = n_do(0, tp_request_connect(&n.address[1], plain));
    cr_assert(value >= 0);
    client = tp_io_into_fd(n.io[0], value);
    n_run(N_SECOND);
    cr_assert(eq(i32, n_do(1, tp_request_close(listener)), 0));
    cr_assert(eq(i32, n_recv_once(0, client, 0, 10), -ECONNRESET));
    cr_assert(eq(u32, tp_net_sockets(n.net), 1));
    listener = n_listen(1, 0); /* nothing of it is in the way */
}

Test(net_limits, a_listener_that_was_shut_down_accepts_no_more)
{
    struct tp_fd listener;
    uint64_t accept;

    n_boot(2, 1);
    listener = n_listen(1, 0);
    accept = n_begin(1, tp_request_accept(listener));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_do(1, tp_request_shutdown(listener, TP_SHUT_WRITE)), 0));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_result(1, accept), N_PENDING));
    cr_assert(eq(i32, n_do(1, tp_request_shutdown(listener, TP_SHUT_READ)), 0));
    cr_assert(eq(i32, n_wait(1, accept), -EINVAL));
    cr_assert(eq(i32, connect_to(0, "10.0.0.2:80"), -ECONNREFUSED));
}

/* ------------------------------------------------------------------ what runs out */

Test(net_limits, accept_without_a_free_number_leaves_the_connection)
{
    struct tp_fd listener;
    struct tp_fd file;
    int32_t value;

    n.config.fds_max = 3;
    n_boot(2, 1);
    listener = n_listen(1, 0);
    value =
        n_do(1, tp_request_open("/f", (struct tp_open_options){
                                          .read = true, .write = true, .create = true}));
    file = tp_io_into_fd(n.io[1], value);
    (void)listening(1, "127.0.0.1:81");
    cr_assert(connect_to(0, "10.0.0.2:80") >= 0);
    cr_assert(eq(i32, n_do(1, tp_request_accept(listener)), -EMFILE));
    cr_assert(eq(i32, n_do(1, tp_request_accept_many(listener)), -EMFILE));
    cr_assert(eq(i32, n_do(1, tp_request_connect(&n.address[0], plain)), -EMFILE));
    cr_assert(eq(i32, n_do(1, tp_request_listen(&n.address[0], plain)), -EMFILE));
    cr_assert(eq(i32, n_do(1, tp_request_bind(&n.address[1], plain)), -EMFILE));
    cr_assert(eq(i32, n_do(1, tp_request_close(file)), 0));
    cr_assert(eq(i32, n_do(1, tp_request_accept(listener)), (int32_t)file.number));
}

/* A multishot that meets it has brought what it could. */
Test(net_limits, a_multishot_accept_ends_when_numbers_run_out)
{
    uint64_t many;

    n.config.fds_max = 4;
    n_boot(2, 1);
    many = n_begin(1, tp_request_accept_many(n_listen(1, 0)));
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(connect_to(0, "10.0.0.2:80") >= 0);
    for (int32_t number = 1; number < 4; number++)
        cr_assert(eq(i32, n_wait(1, many), number));
    cr_assert(eq(i32, n_wait(1, many), -EMFILE));
    cr_assert(eq(u32, tp_io_in_flight(n.io[1]), 0));
}

Test(net_limits, ports_run_out_and_come_back)
{
    enum { PORTS = 1000 };
    struct tp_fd fd;

    n.config.fds_max = PORTS + 100;
    n.net_config.ports = PORTS;
    n_boot(1, 1);
    fd = listening(0, "127.0.0.1:0");
    for (uint32_t i = 1; i < PORTS; i++)
        fd = listening(0, "127.0.0.1:0");
    cr_assert(eq(i32, listen_on(0, "127.0.0.1:0", plain), -EADDRINUSE));
    cr_assert(eq(i32, connect_to(0, "127.0.0.1:80"), -EADDRNOTAVAIL));
    cr_assert(eq(i32, n_do(0, tp_request_close(fd)), 0));
    cr_assert(eq(i32, connect_to(0, "127.0.0.1:80"), -ECONNREFUSED));
}

Test(net_limits, buffers_are_as_large_as_was_asked_for)
{
    struct tp_socket_options options = {.send_buffer_bytes = 4096,
                                        .recv_buffer_bytes = 8192};
    struct tp_fd listener, client;
    uint64_t sent = 0;
    int32_t value;

    n_boot(2, 1);
    value = n_do(1, tp_request_listen(&n.address[1], options)); /* inherited */
    listener = tp_io_into_fd(n.io[1], value);
    value = n_do(0, tp_request_connect(&n.address[1], options));
    client = tp_io_into_fd(n.io[0], value);
    value = n_do(1, tp_request_accept(listener));
    for (;;) {
        static uint8_t bytes[1000];
        struct tp_buf buf = tp_buf_full(bytes, sizeof bytes);
        uint64_t send = n_begin(0, tp_request_send(client, &buf));

        n_run(N_SECOND);
        value = n_result(0, send);
        if (value == N_PENDING)
            break;
        sent += (uint32_t)value;
    }
    cr_assert(eq(u64, sent, 4096 + 8192));
}

/* ------------------------------------------------------------------ what cannot be */

Test(net_limits, a_file_is_no_socket)
{
    static uint8_t memory[16];
    struct tp_buf buf = tp_buf_full(memory, sizeof memory);
    struct tp_address address;
    struct tp_fd fd;
    int32_t value;

    n_boot_alone(1);
    value =
        n_do(0, tp_request_open("/f", (struct tp_open_options){
                                          .read = true, .write = true, .create = true}));
    fd = tp_io_into_fd(n.io[0], value);
    cr_assert(eq(i32, n_do(0, tp_request_accept(fd)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_accept_many(fd)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_recv(fd, &buf)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_recv_many(fd)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_send(fd, &buf)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_send_bufs(fd, &buf, 1)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_shutdown(fd, TP_SHUT_READ)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_set_socket(fd, plain)), -ENOTSOCK));
    cr_assert(eq(i32, n_do(0, tp_request_local_address(fd, &address)), -ENOTSOCK));
}

Test(net_limits, a_listener_is_no_connection_and_the_other_way_round)
{
    static uint8_t memory[16];
    struct tp_buf buf = tp_buf_full(memory, sizeof memory);
    struct tp_address address;
    struct n_pair pair;
    struct tp_fd listener;

    n_boot(2, 1);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
    cr_assert(eq(i32, n_do(1, tp_request_recv(listener, &buf)), -ENOTCONN));
    cr_assert(eq(i32, n_do(1, tp_request_recv_many(listener)), -ENOTCONN));
    cr_assert(eq(i32, n_do(1, tp_request_send(listener, &buf)), -EPIPE));
    cr_assert(eq(i32, n_do(1, tp_request_peer_address(listener, &address)), -ENOTCONN));
    cr_assert(eq(i32, n_do(0, tp_request_accept(pair.client)), -EINVAL));
    cr_assert(eq(i32, n_do(0, tp_request_accept_many(pair.client)), -EINVAL));
}

Test(net_limits, a_socket_is_no_file)
{
    static uint8_t memory[16];
    struct tp_buf buf = tp_buf_full(memory, sizeof memory);
    struct tp_statx statx;
    struct tp_extent extent;
    struct tp_fd fd;

    n_boot_alone(1);
    fd = n_listen(0, 0);
    cr_assert(eq(i32, n_do(0, tp_request_read_at(fd, &buf, 10)), -ESPIPE));
    cr_assert(eq(i32, n_do(0, tp_request_write_at(fd, &buf, 10)), -ESPIPE));
    cr_assert(eq(i32, n_do(0, tp_request_fsync(fd, 0)), -EINVAL));
    cr_assert(eq(i32, n_do(0, tp_request_truncate(fd, 0)), -EINVAL));
    cr_assert(eq(i32, n_do(0, tp_request_fallocate(fd, 0, 1, 0)), -ENODEV));
    cr_assert(eq(i32, n_do(0, tp_request_find_data(fd, 0, &extent)), -ESPIPE));
    cr_assert(eq(
        i32, n_do(0, tp_request_open_in(fd, "x", (struct tp_open_options){.read = true})),
        -ENOTDIR));
    cr_assert(eq(i32, n_do(0, tp_request_fstat(fd, &statx)), 0));
    cr_assert(eq(u32, statx.kind, TP_FILE_OTHER));
}

/* Operations on a socket that was closed before they took effect reach nobody. */
Test(net_limits, a_number_that_is_used_again_is_another_socket)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        static uint8_t memory[2][16];
        struct tp_buf in = tp_buf_empty(memory[0], 16), out = tp_buf_full(memory[1], 16);
        uint64_t recv, send, close_it;
        struct tp_fd listener;
        struct n_pair old, fresh;
        int32_t value;

        n_boot(2, seed);
        listener = n_listen(1, 0);
        old = n_connect(0, 1, listener);
        recv = n_begin(0, tp_request_recv(old.client, &in));
        send = n_begin(0, tp_request_send(old.client, &out));
        close_it = n_begin(0, tp_request_close(old.client));
        fresh = n_connect(0, 1, listener);
        cr_assert(eq(i32, n_wait(0, close_it), 0));
        cr_assert(eq(i32, n_wait(0, recv), -ECANCELED));
        value = n_wait(0, send);
        cr_assert(value == 16 || value == -ECANCELED, "%s", tp_errno_name(value));
        n_send(0, fresh.client, 0, 10);
        cr_assert(eq(i32, n_recv(1, fresh.server, 0, 10), 10));
    }
}
