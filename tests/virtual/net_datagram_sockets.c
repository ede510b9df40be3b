/** tests/virtual/net_datagram_sockets.c - sockets for datagrams: their ports and buffers,
 * whom they reach, and how they end.
 */
#include "datagram_fixture.h"

TestSuite(net_datagram_sockets, .fini = d_end);

/* ------------------------------------------------------------------ who hears */

Test(net_datagram_sockets, a_full_receive_buffer_drops)
{
    struct tp_socket_options narrow = {.recv_buffer_bytes = 8192};
    uint32_t got = 0;

    n_boot(2, 1);
    d.a = d_bind(0, n.address[0], d_plain);
    d.b = d_bind(1, n.address[1], narrow);
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, i, 1000), 1000));
    n_run(N_SECOND);
    cr_assert(eq(u64, d_stats()->datagrams_overflown, 15));
    for (; got < 5; got++) {
        uint32_t number;

        cr_assert(eq(i32, d_recv(1, d.b.fd), 1000));
        memcpy(&number, d.memory, 4);
        cr_assert(eq(u32, number, got)); /* those that came first */
    }
    d_send_number(7);
    cr_assert(eq(u32, d_hear().count, 1));
}

Test(net_datagram_sockets, nobody_hears_and_nobody_is_told)
{
    struct tp_address nowhere = tp_address_ipv4(10, 9, 9, 9, 80), other;

    d_boot(1);
    other = d.b.address;
    other.port = 81;
    cr_assert(eq(i32, d_send(0, d.a.fd, &other, 0, 10), 10));
    n_run(N_SECOND);
    cr_assert(eq(u64, d_stats()->datagrams_unheard, 1));
    cr_assert(eq(i32, d_send(0, d.a.fd, &nowhere, 0, 10), 10));
    cr_assert(eq(u64, d_stats()->datagrams_lost, 1));
    n.net_config.unknown = TP_NET_NO_ROUTE;
    d_boot(1);
    cr_assert(eq(i32, d_send(0, d.a.fd, &nowhere, 0, 10), -ENETUNREACH));
}

/* A socket on the loopback reaches nobody else; one of IPv6 reaches no IPv4 unless it is on
 * every interface, and has no address there. */
Test(net_datagram_sockets, there_is_no_way_from_some_sockets)
{
    struct tp_address six = tp_address_any(0), other = tp_address_any(9);
    struct d_socket loop, local, any;

    d_boot(1);
    loop = d_bind(0, tp_address_ipv4(127, 0, 0, 1, 0), d_plain);
    cr_assert(eq(i32, d_send(0, loop.fd, &d.b.address, 0, 10), -EINVAL));
    six.at.ipv6[15] = 1;
    local = d_bind(0, six, d_plain);
    other.at.ipv6[0] = 0x20;
    cr_assert(eq(i32, d_send(0, local.fd, &other, 0, 10), -ENETUNREACH));
    any = d_bind(0, tp_address_any(0), d_plain);
    cr_assert(eq(i32, d_send(0, any.fd, &other, 0, 10), -ENETUNREACH));
    cr_assert(eq(i32, d_send(0, any.fd, &d.b.address, 0, 10), 10));
}

/* ------------------------------------------------------------------ life */

Test(net_datagram_sockets, the_dead_hear_nothing)
{
    for (uint32_t power = 0; power < 2; power++) {
        d_boot(1);
        d_send_number(0);
        n_run(N_SECOND);
        if (power != 0)
            tp_virtual_io_power_cut(n.io[1]);
        else
            tp_virtual_io_kill(n.io[1]);
        d_send_number(1);
        n_run(N_SECOND);
        cr_assert(eq(
            u64, power != 0 ? d_stats()->datagrams_lost : d_stats()->datagrams_unheard, 1));
        tp_virtual_io_destroy(n.io[1]);
        n_reboot(1);
        tp_net_check(n.net);
        d.b = d_bind(1, n.address[1], d_plain);
        cr_assert(eq(u32, d_hear().count, 0)); /* nothing is left of before */
        d_send_number(2);
        cr_assert(eq(u32, d_hear().times[2], 1));
    }
}

/* With the process that sends it, a datagram dies whole or not at all. */
Test(net_datagram_sockets, a_crash_cuts_no_datagram)
{
    uint32_t sent = 0, not_sent = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct tp_buf buf;
        struct d_heard heard;

        d_boot(seed);
        for (uint32_t i = 0; i < 3; i++) {
            static uint8_t bytes[3][D_LEN_MAX];

            d_fill(bytes[i], i, d_len_of(i));
            buf = tp_buf_full(bytes[i], d_len_of(i));
            (void)n_begin(0, tp_request_send_to(d.a.fd, &buf, &d.b.address));
        }
        tp_io_poll(n.io[0]);
        n_run(seed * 100);
        tp_virtual_io_kill(n.io[0]);
        heard = d_hear(); /* looks at each whether it is whole */
        sent += heard.count;
        not_sent += 3 - heard.count;
        tp_virtual_io_destroy(n.io[0]);
        n.io[0] = NULL;
    }
    cr_assert(sent > 100 && not_sent > 10, "%u %u", sent, not_sent);
}

/* No fault shortens one. */
Test(net_datagram_sockets, operations_fail_whole)
{
    uint32_t failed = 0, interrupted = 0, whole = 0;

    n.config.faults.error_ppm = 200000;
    n.config.faults.eintr_ppm = 200000;
    n.config.faults.short_ppm = 300000;
    n_boot(2, 3);
    for (uint32_t i = 0; i < D_COUNT; i++) {
        int32_t value = n_do(0, tp_request_bind(&n.address[0], d_plain));

        cr_assert(value >= 0 || value == -ENOBUFS);
        if (value < 0)
            continue;
        d.a.fd = tp_io_into_fd(n.io[0], value);
        value = d_send(0, d.a.fd, &n.address[1], 0, 100);
        cr_assert(value == 100 || value == -ENOBUFS || value == -EINTR);
        failed += value == -ENOBUFS;
        interrupted += value == -EINTR;
        whole += value == 100;
        (void)n_do(0, tp_request_close(d.a.fd)); /* gone, whatever it says */
    }
    cr_assert(failed > 10 && interrupted > 10 && whole > 30);
}

/* What it would have brought is there for the next one. */
Test(net_datagram_sockets, a_receive_that_fails_takes_nothing)
{
    struct tp_virtual_faults faults = {
        .error_ppm = 300000, .eintr_ppm = 300000, .short_ppm = 300000};
    uint32_t failed = 0, interrupted = 0;

    d_boot(1);
    for (uint32_t number = 0; number < 20; number++)
        d_send_number(number);
    n_run(N_SECOND);
    tp_virtual_io_set_faults(n.io[1], &faults);
    for (uint32_t number = 0; number < 20; number++) {
        uint32_t got;
        int32_t value;

        while ((value = d_recv(1, d.b.fd)) == -ENOMEM || value == -EINTR) {
            failed += value == -ENOMEM;
            interrupted += value == -EINTR;
        }
        cr_assert(eq(i32, value, (int32_t)d_len_of(number)));
        memcpy(&got, d.memory, 4);
        cr_assert(eq(u32, got, number));
    }
    cr_assert(failed > 3 && interrupted > 3, "%u %u", failed, interrupted);
}

Test(net_datagram_sockets, ports_are_given_in_turn_until_there_is_none)
{
    struct tp_address any = tp_address_ipv4(10, 0, 0, 1, 0);
    struct d_socket ends[4];

    n.net_config.ports = 4;
    n_boot(1, 1);
    for (uint32_t i = 0; i < 4; i++) {
        ends[i] = d_bind(0, any, d_plain);
        cr_assert(eq(u16, ends[i].address.port, (uint16_t)(32768 + i)));
    }
    cr_assert(eq(i32, n_do(0, tp_request_bind(&any, d_plain)), -EADDRINUSE));
    cr_assert(eq(i32, n_do(0, tp_request_close(ends[2].fd)), 0));
    cr_assert(eq(u16, d_bind(0, any, d_plain).address.port, 32770));
}

/* Those that share a port share the senders: what one sends comes to one of them. */
Test(net_datagram_sockets, a_shared_port_shares_the_senders)
{
    struct tp_socket_options shared = {.reuse_port = true};
    struct tp_address any = tp_address_ipv4(10, 0, 0, 1, 0);
    struct d_socket both[2];
    uint32_t got[2] = {0, 0};

    n_boot(2, 1);
    for (uint32_t i = 0; i < 2; i++)
        both[i] = d_bind(1, n.address[1], shared);
    for (uint32_t i = 0; i < 20; i++) {
        d.a = d_bind(0, any, d_plain);
        cr_assert(eq(i32, d_send(0, d.a.fd, &n.address[1], i, 10), 10));
    }
    n_run(N_SECOND);
    for (uint32_t i = 0; i < 2; i++) {
        while (d_recv(1, both[i].fd) == 10)
            got[i]++;
    }
    cr_assert(got[0] == 10 && got[1] == 10);
}
