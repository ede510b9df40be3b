/** tests/virtual/net_hosts.c - several hosts: links that break, hosts that are killed, lose
 * their power, and come back. */
#include "net_fixture.h"

static const struct tp_socket_options plain;
static struct tp_fd listener;
static struct n_pair pair;
static uint8_t memory[100];
static struct tp_buf buf;

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_hosts, .fini = tear_down);

static void connected(uint64_t seed)
{
    n_boot(3, seed);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
}

static uint32_t host(uint32_t node)
{
    return tp_virtual_io_host(n.io[node]);
}

static uint64_t now_ns(void)
{
    return tp_world_now_ns(n.world);
}

static uint64_t begin_recv(uint32_t node, struct tp_fd fd)
{
    buf = tp_buf_empty(memory, sizeof memory);
    return n_begin(node, tp_request_recv(fd, &buf));
}

static void power_cut(uint32_t node)
{
    tp_virtual_io_power_cut(n.io[node]);
    tp_virtual_io_destroy(n.io[node]);
    n.io[node] = NULL;
}

static void kill_it(uint32_t node)
{
    tp_virtual_io_kill(n.io[node]);
    tp_virtual_io_destroy(n.io[node]);
    n.io[node] = NULL;
}

/* ------------------------------------------------------------------ broken links */

Test(net_hosts, what_is_sent_over_a_broken_link_comes_when_it_is_healed)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        uint64_t recv;
        int32_t part;

        connected(seed);
        tp_net_break(n.net, host(0), host(1), true);
        n_send(0, pair.client, 0, 50);
        recv = begin_recv(1, pair.server);
        n_run((uint64_t)N_SECOND * (1 + seed));
        cr_assert(eq(i32, n_result(1, recv), N_PENDING));
        cr_assert(tp_net_stats(n.net)->lost > 0);
        tp_net_break(n.net, host(0), host(1), false);
        part = n_wait(1, recv);
        cr_assert(part > 0 && part <= 50);
        n_send(0, pair.client, 50, 50); /* and it goes on as before */
        cr_assert(eq(i32, n_recv(1, pair.server, (uint32_t)part, 100 - (uint32_t)part),
                     100 - part));
    }
}

/* One direction only: the data arrive, and the sender does not learn of it. */
Test(net_hosts, acknowledgements_can_be_lost_too)
{
    connected(1);
    tp_net_break(n.net, host(1), host(0), true);
    n_send(0, pair.client, 0, 1000);
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 1000), 1000));
    n_run(100 * (uint64_t)N_SECOND);
    cr_assert(tp_net_stats(n.net)->repeated >= 5);
    tp_net_break(n.net, host(1), host(0), false);
    n_run(200 * (uint64_t)N_SECOND);
    n_send(0, pair.client, 1000, 1000);
    cr_assert(eq(i32, n_recv(1, pair.server, 1000, 1000), 1000));
}

/* A window that opens while the link is broken is found by a probe. */
Test(net_hosts, the_opening_of_a_window_can_be_lost)
{
    static uint8_t bytes[65536];
    struct tp_buf all = tp_buf_full(bytes, sizeof bytes);
    uint64_t send;

    connected(1);
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = n_byte(i);
    cr_assert(eq(i32, n_do(0, tp_request_send(pair.client, &all)), 65536));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_do(0, tp_request_send(pair.client, &all)), 65536));
    send = n_begin(0, tp_request_send(pair.client, &all));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_result(0, send), N_PENDING));
    tp_net_part(n.net, host(0), host(1), true);
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 65536), 65536));
    n_run(N_SECOND);
    tp_net_part(n.net, host(0), host(1), false);
    cr_assert(n_wait(0, send) > 0);
}

Test(net_hosts, a_link_that_stays_broken_times_out)
{
    uint64_t start_ns, recv;

    connected(1);
    tp_net_isolate(n.net, host(1), true);
    n_send(0, pair.client, 0, 50);
    recv = begin_recv(0, pair.client);
    start_ns = now_ns();
    cr_assert(eq(i32, n_wait(0, recv), -ETIMEDOUT));
    cr_assert(now_ns() - start_ns > 900 * (uint64_t)N_SECOND);
    cr_assert(now_ns() - start_ns < 1200 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
    cr_assert(eq(i32, n_do(0, tp_request_connect(&n.address[1], plain)), -ETIMEDOUT));
    cr_assert(n_do(0, tp_request_connect(&n.address[2], plain)) == -ECONNREFUSED);
}

/* Nobody notices an idle connection that leads nowhere, unless asked to. */
Test(net_hosts, keep_alive_finds_a_silent_peer)
{
    struct tp_socket_options alive = {.keep_alive_s = 60};
    uint64_t recv, start_ns;

    connected(1);
    recv = begin_recv(0, pair.client);
    n_run(N_SECOND);
    tp_net_isolate(n.net, host(1), true);
    n_run(10000 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, n_result(0, recv), N_PENDING));
    tp_net_isolate(n.net, host(1), false);
    start_ns = now_ns();
    cr_assert(eq(i32, n_do(0, tp_request_set_socket(pair.client, alive)), 0));
    n_run(1000 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, n_result(0, recv), N_PENDING)); /* it answers */
    tp_net_isolate(n.net, host(1), true);
    start_ns = now_ns();
    cr_assert(eq(i32, n_wait(0, recv), -ETIMEDOUT));
    cr_assert(now_ns() - start_ns >= 60 * (uint64_t)N_SECOND);
    cr_assert(now_ns() - start_ns <= 200 * (uint64_t)N_SECOND);
}

Test(net_hosts, a_handshake_survives_a_short_break)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        uint64_t connect, accept;
        int32_t client, server;

        n_boot(2, seed);
        listener = n_listen(1, 0);
        accept = n_begin(1, tp_request_accept(listener));
        connect = n_begin(0, tp_request_connect(&n.address[1], plain));
        n_run(seed * 10000); /* before, between and after its packets */
        tp_net_break(n.net, host(0), host(1), seed % 3 != 0);
        tp_net_break(n.net, host(1), host(0), seed % 3 != 1);
        n_run(2 * (uint64_t)N_SECOND);
        tp_net_part(n.net, host(0), host(1), false);
        client = n_wait(0, connect);
        cr_assert(client >= 0);
        pair.client = tp_io_into_fd(n.io[0], client);
        n_send(0, pair.client, 0, 10);
        server = n_wait(1, accept);
        cr_assert(server >= 0);
        pair.server = tp_io_into_fd(n.io[1], server);
        cr_assert(eq(i32, n_recv(1, pair.server, 0, 10), 10));
    }
}

/* A SYN that is sent again, because its answer was lost, makes no second connection: the
 * backlog has room for two, and the other client is let in. */
Test(net_hosts, a_repeated_handshake_is_one_connection)
{
    uint64_t first, second;

    n_boot(3, 1);
    listener = n_listen(1, 1);
    tp_net_break(n.net, host(1), host(0), true);
    first = n_begin(0, tp_request_connect(&n.address[1], plain));
    n_run(20 * (uint64_t)N_SECOND);
    cr_assert(tp_net_stats(n.net)->repeated >= 5);
    cr_assert(eq(u32, tp_net_sockets(n.net), 3)); /* listener, client, and its other end */
    second = n_begin(2, tp_request_connect(&n.address[1], plain));
    n_run(N_SECOND);
    cr_assert(n_result(2, second) >= 0);
    tp_net_break(n.net, host(1), host(0), false);
    cr_assert(n_wait(0, first) >= 0);
    cr_assert(eq(u64, tp_net_stats(n.net)->connections, 2));
    n_run(100 * (uint64_t)N_SECOND);
    cr_assert(eq(u32, tp_net_sockets(n.net), 5));
    cr_assert(eq(i32, n_do(1, tp_request_close(listener)), 0));
}

/* A machine on the way ends what goes through it, and nothing else. */
Test(net_hosts, connections_between_two_hosts_can_be_reset)
{
    struct n_pair other;
    uint64_t recv;

    connected(1);
    other = n_connect(2, 1, listener);
    n_send(0, pair.client, 0, 10);
    n_run(N_SECOND);
    recv = begin_recv(0, pair.client);
    n_run(N_SECOND);
    cr_assert(eq(u32, tp_net_reset(n.net, host(1), host(0)), 2));
    tp_net_check(n.net);
    cr_assert(eq(i32, n_wait(0, recv), -ECONNRESET));
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 10), 10)); /* it had arrived */
    cr_assert(eq(i32, n_recv_once(1, pair.server, 10, 1), -ECONNRESET));
    cr_assert(eq(i32, n_send_once(1, pair.server, 0, 10), -EPIPE));
    cr_assert(eq(u32, tp_net_reset(n.net, host(0), host(1)), 0));
    n_send(2, other.client, 0, 10);
    cr_assert(eq(i32, n_recv(1, other.server, 0, 10), 10));
}

/* ------------------------------------------------------------------ power */

/* Silence: whoever sends times out, whoever waits waits. */
Test(net_hosts, after_a_power_cut_there_is_silence)
{
    uint64_t recv;

    connected(1);
    recv = begin_recv(0, pair.client);
    n_run(N_SECOND);
    power_cut(1);
    n_run(10000 * (uint64_t)N_SECOND);
    cr_assert(eq(i32, n_result(0, recv), N_PENDING));
    n_send(0, pair.client, 0, 10);
    cr_assert(eq(i32, n_wait(0, recv), -ETIMEDOUT));
    cr_assert(eq(i32, n_do(0, tp_request_connect(&n.address[1], plain)), -ETIMEDOUT));
}

/* A host that has come back knows nothing of what was before, and says so. */
Test(net_hosts, a_new_boot_answers_with_a_reset)
{
    uint64_t recv;

    connected(1);
    recv = begin_recv(0, pair.client);
    n_run(N_SECOND);
    power_cut(1);
    n_reboot(1);
    n_run(N_SECOND);
    cr_assert(eq(i32, n_result(0, recv), N_PENDING)); /* nothing has been said yet */
    n_send(0, pair.client, 0, 10);
    cr_assert(eq(i32, n_wait(0, recv), -ECONNRESET));
    cr_assert(eq(i32, n_do(0, tp_request_connect(&n.address[1], plain)), -ECONNREFUSED));
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
    n_send(0, pair.client, 0, 10);
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 10), 10));
    cr_assert(eq(u32, host(1), 2)); /* the same host */
}

/* What had left it arrives; what had not never does. */
Test(net_hosts, what_was_on_the_way_arrives_after_the_power_cut)
{
    uint32_t all = 0, none = 0;

    for (uint64_t seed = 0; seed < 60; seed++) {
        uint64_t recv;
        int32_t value;

        connected(seed);
        recv = begin_recv(0, pair.client);
        n_send(1, pair.server, 0, 50);
        if (seed % 2 == 0)
            tp_net_break(n.net, host(1), host(0), true);
        power_cut(1);
        n_run(100 * (uint64_t)N_SECOND);
        value = n_result(0, recv);
        cr_assert(value == N_PENDING || (value > 0 && value <= 50));
        cr_assert(seed % 2 != 0 || value == N_PENDING);
        all += value == 50;
        none += value == N_PENDING;
    }
    cr_assert(all > 0 && none > 0);
}

/* A send that was in flight was taken wholly, in part, or not. */
Test(net_hosts, a_send_in_flight_may_have_happened)
{
    uint32_t all = 0, none = 0, some = 0;

    n.net_config.link = (struct tp_net_link){.latency = {.base_ns = 1000}};
    for (uint64_t seed = 0; seed < 200; seed++) {
        static uint8_t bytes[50];
        struct tp_buf out = tp_buf_full(bytes, sizeof bytes);
        int32_t got;

        connected(seed);
        for (uint32_t i = 0; i < sizeof bytes; i++)
            bytes[i] = n_byte(i);
        (void)n_begin(0, tp_request_send(pair.client, &out));
        tp_io_poll(n.io[0]);
        kill_it(0);
        got = n_recv(1, pair.server, 0, 50);
        if (got != 50)
            cr_assert(eq(i32, got, 0)); /* its end, after what came */
        all += got == 50;
        none += got == 0 && tp_net_stats(n.net)->data_bytes == 0;
        some += got == 0 && tp_net_stats(n.net)->data_bytes > 0;
    }
    cr_assert(all > 0 && none > 0 && some > 0, "%u %u %u", all, none, some);
}

/* ------------------------------------------------------------------ kill */

/* The kernel closes for the dead: what was sent arrives, then the end; and refuses others.
 */
Test(net_hosts, the_sockets_of_the_killed_are_closed)
{
    connected(1);
    n_send(1, pair.server, 0, 100);
    kill_it(1);
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 100), 100));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), 0));
    cr_assert(eq(i32, n_do(0, tp_request_connect(&n.address[1], plain)), -ECONNREFUSED));
    n_reboot(1);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
}

Test(net_hosts, the_killed_reset_whom_they_had_not_read)
{
    connected(1);
    n_send(0, pair.client, 0, 100);
    n_run(N_SECOND);
    kill_it(1);
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), -ECONNRESET));
}

Test(net_hosts, connections_that_nobody_had_accepted_are_reset)
{
    int32_t value;

    n_boot(2, 1);
    listener = n_listen(1, 0);
    value = n_do(0, tp_request_connect(&n.address[1], plain));
    pair.client = tp_io_into_fd(n.io[0], value);
    kill_it(1);
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), -ECONNRESET));
    n_run(N_SECOND);
    cr_assert(eq(u32, tp_net_sockets(n.net), 1));
}

/* An orderly end is no different for the peer. */
Test(net_hosts, the_end_of_an_io_closes_its_sockets)
{
    connected(1);
    n_send(1, pair.server, 0, 100);
    (void)n_begin(1, tp_request_accept_many(listener));
    (void)n_begin(1, tp_request_recv_many(pair.server));
    n_run(1000);
    tp_virtual_io_destroy(n.io[1]);
    n.io[1] = NULL;
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 100), 100));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), 0));
}

/* ------------------------------------------------------------------ who is who */

Test(net_hosts, an_address_belongs_to_one_host)
{
    struct tp_virtual_io_config config = {.size = sizeof config};
    struct tp_io *io;

    n.net_config.hosts_max = 3;
    n_boot(2, 1);
    config.net = n.net;
    config.addresses = &n.address[0];
    config.address_count = 1;
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), -EADDRINUSE));
    config.address_count = 0;
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0)); /* loopback only */
    cr_assert(eq(u32, tp_virtual_io_host(io), 3));
    config.addresses = &n.address[3];
    config.address_count = 1;
    n.address[3] = tp_address_ipv4(10, 0, 0, 9, 0);
    {
        struct tp_io *fourth;

        cr_assert(eq(int, tp_virtual_io_create(&config, &fourth), -ENOSPC));
    }
    tp_virtual_io_destroy(io);
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0)); /* its place is free again */
    tp_virtual_io_destroy(io);
    config.addresses = NULL;
    config.address_count = 0;
    config.net = n.net;
    cr_assert(eq(int, tp_world_create(NULL, &config.world), 0));
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), -EINVAL)); /* another world */
    tp_world_destroy(config.world);
}

/* Hosts with two addresses answer under both, and speak from the one of the same family. */
Test(net_hosts, a_host_may_have_several_addresses)
{
    struct tp_address two[2], peer;
    struct tp_virtual_io_config config = {.size = sizeof config, .node = 3};
    uint64_t accept;
    int32_t value;

    n_boot(1, 1);
    two[0] = tp_address_ipv4(10, 0, 0, 7, 0);
    cr_assert(eq(int, tp_address_parse("[fd00::7]:0", 0, &two[1]), 0));
    config.net = n.net;
    config.tape = n.tape;
    config.addresses = two;
    config.address_count = 2;
    cr_assert(eq(int, tp_virtual_io_create(&config, &n.io[1]), 0));
    n.address[1] = two[1];
    n.address[1].port = 80;
    listener = n_listen(1, 0);
    accept = n_begin(1, tp_request_accept(listener));
    cr_assert(eq(i32, n_do(0, tp_request_connect(&n.address[1], plain)), -ENETUNREACH));
    value = n_do(1, tp_request_connect(&n.address[1], plain));
    cr_assert(value >= 0);
    value = n_wait(1, accept);
    cr_assert(value >= 0);
    cr_assert(
        eq(i32, n_do(1, tp_request_peer_address(tp_io_into_fd(n.io[1], value), &peer)), 0));
    two[1].port = peer.port;
    cr_assert(tp_address_equal(&peer, &two[1]));
}
