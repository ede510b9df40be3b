/** tests/virtual/net_stream.c - connections, streams and their ends, as Linux has them. */
#include "net_fixture.h"

static void tear_down(void)
{
    n_end();
}

TestSuite(net_stream, .fini = tear_down);

static struct tp_fd listener;
static struct n_pair pair;

/* A connection from node 0 to node 1. */
static void connected(uint64_t seed)
{
    n_boot(2, seed);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
}

static int32_t close_fd(uint32_t node, struct tp_fd fd)
{
    return n_do(node, tp_request_close(fd));
}

/* ------------------------------------------------------------------ bytes */

Test(net_stream, bytes_come_in_their_order_and_then_the_end)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        connected(seed);
        n_send(0, pair.client, 0, 5000);
        cr_assert(eq(i32, n_recv(1, pair.server, 0, 5000), 5000));
        n_send(1, pair.server, 100, 300);
        cr_assert(eq(i32, n_recv(0, pair.client, 100, 300), 300));
        cr_assert(eq(i32, close_fd(0, pair.client), 0));
        cr_assert(eq(i32, n_recv_once(1, pair.server, 0, 100), 0));
        cr_assert(eq(i32, n_recv_once(1, pair.server, 0, 100), 0));
        cr_assert(eq(i32, close_fd(1, pair.server), 0));
        n_run(N_SECOND);
        cr_assert(eq(u32, tp_net_sockets(n.net), 1)); /* the listener */
    }
}

Test(net_stream, what_was_sent_survives_the_close)
{
    connected(1);
    n_send(0, pair.client, 0, 60000);
    cr_assert(eq(i32, close_fd(0, pair.client), 0));
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 60000), 60000));
    cr_assert(eq(i32, n_recv_once(1, pair.server, 60000, 100), 0));
}

/* Both buffers fill, the sender waits, and goes on when the other has read. */
Test(net_stream, a_peer_that_does_not_read_stops_the_sender)
{
    uint64_t sent = 0, send;
    static uint8_t more[100000];
    struct tp_buf buf = tp_buf_full(more, sizeof more);
    int32_t value;

    connected(1);
    for (;;) {
        for (uint32_t i = 0; i < sizeof more; i++)
            more[i] = n_byte(sent + i);
        send = n_begin(0, tp_request_send(pair.client, &buf));
        n_run(N_SECOND);
        value = n_result(0, send);
        if (value == N_PENDING)
            break;
        cr_assert(value > 0 && value <= 65536);
        sent += (uint32_t)value;
    }
    cr_assert(eq(u64, sent, 2 * 65536)); /* a send buffer and a receive buffer */
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 1000), 1000));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_result(0, send), N_PENDING)); /* no window of a few bytes */
    cr_assert(eq(i32, n_recv(1, pair.server, 1000, 64536), 64536));
    value = n_wait(0, send);
    cr_assert(value > 0);
    sent += (uint32_t)value;
    cr_assert(eq(i32, n_recv(1, pair.server, 65536, (uint32_t)sent - 65536),
                 (int32_t)sent - 65536));
}

/* ------------------------------------------------------------------ the end */

Test(net_stream, half_closed_it_carries_the_other_half)
{
    connected(1);
    n_send(0, pair.client, 0, 100);
    cr_assert(eq(i32, n_do(0, tp_request_shutdown(pair.client, TP_SHUT_WRITE)), 0));
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 100), 100));
    cr_assert(eq(i32, n_recv_once(1, pair.server, 0, 100), 0));
    n_send(1, pair.server, 0, 3000);
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 3000), 3000));
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
}

Test(net_stream, a_close_with_unread_input_resets_and_the_reply_is_still_read)
{
    connected(1);
    n_send(1, pair.server, 0, 100);
    n_send(0, pair.client, 0, 100);
    n_run(N_SECOND);
    cr_assert(eq(i32, close_fd(1, pair.server), 0)); /* 100 bytes unread */
    n_run(N_SECOND);
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 100), 100));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), -ECONNRESET));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 100), 0));
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
    cr_assert(eq(u64, tp_net_stats(n.net)->resets, 1));
}

Test(net_stream, data_for_a_closed_end_bring_a_reset)
{
    connected(1);
    cr_assert(eq(i32, close_fd(1, pair.server), 0));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 10), 10)); /* nobody knows yet */
    n_run(N_SECOND);
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 10), -EPIPE));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 10), 0));
}

Test(net_stream, a_close_stops_what_waits)
{
    static uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    uint64_t recv, many, accept;

    connected(1);
    recv = n_begin(0, tp_request_recv(pair.client, &buf));
    many = n_begin(1, tp_request_recv_many(pair.server));
    accept = n_begin(1, tp_request_accept_many(listener));
    n_run(N_SECOND);
    cr_assert(eq(i32, close_fd(0, pair.client), 0));
    cr_assert(eq(i32, n_wait(0, recv), -ECANCELED));
    cr_assert(eq(i32, n_wait(1, many), 0)); /* the peer's end, not its own */
    cr_assert(eq(i32, close_fd(1, listener), 0));
    cr_assert(eq(i32, n_wait(1, accept), -ECANCELED));
}

/* ------------------------------------------------------------------ multishot */

Test(net_stream, a_multishot_accept_brings_every_connection)
{
    uint64_t accept;

    n_boot(2, 3);
    listener = n_listen(1, 0);
    accept = n_begin(1, tp_request_accept_many(listener));
    for (uint32_t i = 0; i < 100; i++) {
        int32_t client =
            n_do(0, tp_request_connect(&n.address[1], (struct tp_socket_options){0}));
        int32_t server = n_wait(1, accept);

        cr_assert(client >= 0 && server >= 0);
        (void)tp_io_into_fd(n.io[0], client);
        (void)tp_io_into_fd(n.io[1], server);
    }
    cr_assert(eq(u32, tp_io_in_flight(n.io[1]), 1));
}

Test(net_stream, a_multishot_receive_brings_everything_in_order)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tp_completion completion;
        uint64_t many, got = 0;

        connected(seed);
        many = n_begin(1, tp_request_recv_many(pair.server));
        n_send(0, pair.client, 0, 50000);
        n_send(0, pair.client, 50000, 50000);
        cr_assert(eq(i32, close_fd(0, pair.client), 0));
        n_run(10 * (uint64_t)N_SECOND);
        for (;;) {
            struct tp_buf *buf;

            cr_assert(tp_io_get_cqe(n.io[1], many, &completion));
            buf = tp_io_recv_buf(n.io[1], &completion);
            if (buf == NULL)
                break;
            cr_assert(eq(u32, completion.flags & TP_MORE, TP_MORE));
            for (uint32_t i = 0; i < buf->len; i++)
                cr_assert(eq(u8, ((uint8_t *)buf->data)[i], n_byte(got + i)));
            got += buf->len;
            tp_io_give_back(n.io[1], buf);
        }
        cr_assert(eq(u64, got, 100000));
        cr_assert(eq(i32, completion.value, 0));
        cr_assert(eq(u32, completion.flags, 0));
    }
}

/* Its number is closed by the end of everything, and by its own failure: once, all the
 * same.
 */
Test(net_stream, a_world_may_end_while_a_connection_is_under_way)
{
    static const struct tp_socket_options plain;

    for (uint32_t power = 0; power < 2; power++) {
        n_boot(2, 1);
        tp_net_isolate(n.net, tp_virtual_io_host(n.io[1]), true);
        (void)n_begin(0, tp_request_connect(&n.address[1], plain));
        n_run(N_SECOND);
        if (power == 1)
            tp_virtual_io_power_cut(n.io[0]);
        else
            tp_virtual_io_kill(n.io[0]);
        tp_virtual_io_destroy(n.io[0]);
        n.io[0] = NULL;
    }
}
