/** tests/virtual/net_shots.c - multishots: receive buffers that run out and return, a fair
 * share for each connection, and how they end. */
#include "net_fixture.h"

#include "io/recv_pool.h"

enum { CLIENTS = 6, SHARE = 32 };

static struct tp_fd listener;
static struct n_pair pairs[CLIENTS];
static uint64_t many[CLIENTS];

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_shots, .fini = tear_down);

/* So many connections from node 0 to node 1, each received from by a multishot. */
static void connected(uint64_t seed, uint32_t clients)
{
    n_boot(2, seed);
    listener = n_listen(1, 0);
    for (uint32_t i = 0; i < clients; i++) {
        pairs[i] = n_connect(0, 1, listener);
        many[i] = n_begin(1, tp_request_recv_many(pairs[i].server));
    }
}

/* Claims what is there of a multishot, and keeps the buffers. */
static uint32_t claim(uint64_t handle, struct tp_buf **bufs, uint32_t bufs_max,
                      int32_t *ret_end)
{
    struct tp_completion completion;
    uint32_t count = 0;

    *ret_end = N_PENDING;
    while (count < bufs_max && tp_io_get_cqe(n.io[1], handle, &completion)) {
        if ((completion.flags & TP_MORE) == 0) {
            *ret_end = completion.value;
            cr_assert(tp_io_recv_buf(n.io[1], &completion) == NULL);
            break;
        }
        bufs[count] = tp_io_recv_buf(n.io[1], &completion);
        cr_assert(bufs[count] != NULL && bufs[count]->len == (uint32_t)completion.value);
        count++;
    }
    return count;
}

static void give_back(struct tp_buf **bufs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tp_io_give_back(n.io[1], bufs[i]);
}

/* ------------------------------------------------------------------ buffers */

Test(net_shots, without_buffers_it_waits_and_goes_on_when_one_returns)
{
    struct tp_buf *bufs[4];
    uint64_t got = 0;
    int32_t end;

    n.config.recv_buf_count = 2;
    n.config.recv_buf_size = 1000;
    connected(1, 1);
    n_send(0, pairs[0].client, 0, 5000);
    n_run(N_SECOND);
    cr_assert(eq(u32, claim(many[0], bufs, 4, &end), 2));
    cr_assert(eq(i32, end, N_PENDING));
    n_run(N_SECOND);
    cr_assert(eq(u32, claim(many[0], bufs + 2, 2, &end), 0));
    cr_assert(eq(u32, tp_io_unsubmitted(n.io[1]), 0));
    cr_assert(eq(u64, tp_io_stats(n.io[1])->recv_bufs_exhausted, 1));
    got = bufs[0]->len + bufs[1]->len;
    while (got < 5000) {
        tp_io_give_back(n.io[1], bufs[0]);
        bufs[0] = bufs[1];
        cr_assert(eq(u32, tp_io_unsubmitted(n.io[1]), 1)); /* a poll has work */
        n_run(N_SECOND);
        cr_assert(eq(u32, claim(many[0], bufs + 1, 1, &end), 1));
        for (uint32_t i = 0; i < bufs[1]->len; i++)
            cr_assert(eq(u8, ((uint8_t *)bufs[1]->data)[i], n_byte(got + i)));
        got += bufs[1]->len;
    }
    cr_assert(eq(u64, got, 5000));
    give_back(bufs, 2);
    cr_assert(tp_io_stats(n.io[1])->rearmed >= 3);
}

/* First come, first served: the one that has waited longest gets the next buffer. */
Test(net_shots, the_starved_go_on_in_their_order)
{
    static const uint32_t order[8] = {0, 0, 1, 2, 3, 1, 2, 3};
    struct tp_buf *bufs[2];
    int32_t end;

    n.config.recv_buf_count = 1;
    n.config.recv_buf_size = 100;
    connected(1, 4);
    for (uint32_t i = 0; i < 4; i++) {
        n_send(0, pairs[i].client, 0, 200); /* each needs two buffers */
        n_run(N_SECOND);
    }
    for (uint32_t turn = 0; turn < 8; turn++) {
        for (uint32_t i = 0; i < 4; i++)
            cr_assert(eq(u32, claim(many[i], bufs, 2, &end), i == order[turn] ? 1 : 0),
                      "connection %u in turn %u", i, turn);
        tp_io_give_back(n.io[1], bufs[0]);
        n_run(N_SECOND);
    }
}

Test(net_shots, a_starved_one_can_be_stopped_and_its_fd_closed)
{
    struct tp_buf *bufs[2];
    int32_t end;

    n.config.recv_buf_count = 1;
    n.config.recv_buf_size = 100;
    connected(1, 3);
    for (uint32_t i = 0; i < 3; i++) {
        n_send(0, pairs[i].client, 0, 150);
        n_run(N_SECOND);
    }
    cr_assert(eq(u32, claim(many[0], bufs, 2, &end), 1));
    cr_assert(eq(i32, n_do(1, tp_request_cancel(many[1])), 0));
    cr_assert(eq(i32, n_wait(1, many[1]), -ECANCELED));
    cr_assert(eq(i32, n_do(1, tp_request_close(pairs[2].server)), 0));
    cr_assert(eq(i32, n_wait(1, many[2]), -ECANCELED));
    tp_io_give_back(n.io[1], bufs[0]);
    n_run(N_SECOND);
    cr_assert(eq(u32, claim(many[0], bufs, 2, &end), 1));
    cr_assert(eq(u32, bufs[0]->len, 50));
    tp_io_give_back(n.io[1], bufs[0]);
}

/* ------------------------------------------------------------------ fairness */

/* One that has more than anybody could read at once does not keep the others waiting. */
Test(net_shots, a_busy_connection_has_its_share_of_a_poll)
{
    static struct tp_buf *bufs[256];
    uint32_t count;
    int32_t end;

    n.config.recv_buf_size = 16;
    connected(1, 2);
    cr_assert(eq(i32, n_send_once(0, pairs[0].client, 0, 4000), 4000));
    cr_assert(eq(i32, n_send_once(0, pairs[1].client, 0, 16), 16));
    tp_io_poll(n.io[0]);
    tp_io_poll(n.io[1]);
    tp_world_run(n.world, tp_world_now_ns(n.world) + N_SECOND);
    tp_io_poll(n.io[1]);
    count = claim(many[0], bufs, 256, &end);
    cr_assert(count > 0 && count <= 2 * SHARE, "%u",
              count); /* of the poll before, and now */
    give_back(bufs, count);
    cr_assert(eq(u32, claim(many[1], bufs, 256, &end), 1));
    give_back(bufs, 1);
    cr_assert(eq(u32, tp_io_unsubmitted(n.io[1]), 1)); /* it is to be polled again */
    for (uint32_t polls = 0; polls < 20; polls++) {
        tp_io_poll(n.io[1]);
        count = claim(many[0], bufs, 256, &end);
        cr_assert(count <= SHARE);
        give_back(bufs, count);
    }
    cr_assert(eq(u32, tp_io_unsubmitted(n.io[1]), 0));
}

Test(net_shots, one_that_had_its_share_can_be_stopped)
{
    static struct tp_buf *bufs[256];
    uint64_t cancel;
    uint32_t count;
    int32_t end;

    n.config.recv_buf_size = 16;
    connected(1, 1);
    cr_assert(eq(i32, n_send_once(0, pairs[0].client, 0, 4000), 4000));
    tp_world_run(n.world, tp_world_now_ns(n.world) + N_SECOND);
    cancel = n_begin(1, tp_request_cancel(many[0]));
    tp_io_poll(n.io[1]);
    n_run(N_SECOND);
    count = claim(many[0], bufs, 256, &end);
    give_back(bufs, count);
    if (end == N_PENDING) {
        count = claim(many[0], bufs, 256, &end);
        give_back(bufs, count);
    }
    cr_assert(eq(i32, end, -ECANCELED));
    cr_assert(eq(i32, n_result(1, cancel), 0));
}

/* ------------------------------------------------------------------ the end */

Test(net_shots, it_ends_by_the_peers_end_by_reset_and_by_cancel)
{
    struct tp_buf *bufs[4];
    int32_t end;

    connected(1, 3);
    cr_assert(eq(i32, n_do(0, tp_request_close(pairs[0].client)), 0));
    cr_assert(eq(i32, n_wait(1, many[0]), 0));
    n_send(1, pairs[1].server, 0, 10);
    n_run(N_SECOND);
    n_send(0, pairs[1].client, 0, 10);
    cr_assert(eq(i32, n_do(0, tp_request_close(pairs[1].client)), 0)); /* unread: RST */
    n_run(N_SECOND);
    cr_assert(eq(u32, claim(many[1], bufs, 4, &end), 1));
    cr_assert(eq(i32, end, -ECONNRESET));
    give_back(bufs, 1);
    cr_assert(eq(i32, n_do(1, tp_request_cancel(many[2])), 0));
    cr_assert(eq(i32, n_wait(1, many[2]), -ECANCELED));
    cr_assert(eq(u32, tp_io_in_flight(n.io[1]), 0));
    many[2] = n_begin(1, tp_request_recv_many(pairs[2].server)); /* begun again */
    n_send(0, pairs[2].client, 0, 10);
    cr_assert(eq(i32, n_wait(1, many[2]), 10));
}

/* What a multishot has taken and nobody has seen goes with the Io, buffers included. */
Test(net_shots, the_end_of_the_io_takes_what_was_not_claimed)
{
    connected(1, 2);
    n_send(0, pairs[0].client, 0, 100);
    n_run(N_SECOND);
    (void)n_begin(1, tp_request_accept_many(listener));
    n_send(0, pairs[1].client, 0, 100);
    tp_world_run(n.world, tp_world_now_ns(n.world) + N_SECOND);
    n_end();
}

/* A cancel finds it before, while and after it takes effect, and it always ends. */
Test(net_shots, a_cancel_always_ends_it)
{
    uint32_t stopped = 0, got = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct tp_buf *bufs[16];
        uint64_t cancel;
        int32_t end, answer;

        n_boot(2, seed);
        listener = n_listen(1, 0);
        pairs[0] = n_connect(0, 1, listener);
        n_send(0, pairs[0].client, 0, 10);
        if (seed % 2 == 0)
            n_run(N_SECOND);
        many[0] = n_begin(1, tp_request_recv_many(pairs[0].server));
        if (seed % 3 != 0)
            n_run(seed * 50);
        cancel = n_begin(1, tp_request_cancel(many[0]));
        answer = n_wait(1, cancel);
        n_run(N_SECOND);
        {
            uint32_t count = claim(many[0], bufs, 16, &end);

            got += count;
            give_back(bufs, count);
        }
        cr_assert(eq(i32, end, -ECANCELED), "seed %llu", (unsigned long long)seed);
        cr_assert(answer == 0 || answer == -EALREADY || answer == -ENOENT);
        stopped += answer == 0;
    }
    cr_assert(stopped > 0 && got > 0);
}
