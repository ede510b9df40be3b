/** tests/linux/net_many.c - multishot accept and recv, and the receive buffers. */
#include <errno.h>
#include <string.h>

#include "tests/linux/net_support.h"

enum { MANY = 1, CANCEL = 2, CLOSE = 3, OTHERS = 100 };

static const struct tp_socket_options plain;

static struct tp_io *make_masked(uint32_t features_off, uint32_t recv_buf_count,
                                 uint32_t recv_buf_size)
{
    const struct tp_linux_io_config config = {
        .features_off = features_off,
        .recv_buf_count = recv_buf_count,
        .recv_buf_size = recv_buf_size,
    };

    return make_io(&config);
}

/* The bytes of one completion; gives its buffer back. */
static uint32_t take(struct tp_io *io, struct tp_completion completion, char *ret_bytes)
{
    struct tp_buf *buf = tp_io_recv_buf(io, &completion);

    cr_assert(buf != NULL);
    cr_assert(ne(u32, completion.flags & TP_MORE, 0));
    cr_assert(eq(u32, buf->len, (uint32_t)completion.value));
    memcpy(ret_bytes, buf->data, buf->len);
    tp_io_give_back(io, buf);
    return (uint32_t)completion.value;
}

static void expect_end(struct tp_io *io, uint64_t handle, int32_t value)
{
    const struct tp_completion completion = net_wait(io, handle);

    cr_assert(completion.value == value, "%s, not %s", tp_errno_name(completion.value),
              tp_errno_name(value));
    cr_assert(zero(u32, completion.flags), "the last one carries nothing");
    cr_assert(tp_io_recv_buf(io, &completion) == NULL);
}

static void send_all(struct tp_io *io, struct tp_fd fd, const void *bytes, uint32_t len)
{
    struct tp_buf out = tp_buf_full(bytes, len);

    cr_assert(eq(i32, net_run(io, tp_request_send(fd, &out)), (int32_t)len));
}

/* ------------------------------------------------------------------ recv_many */

static void receive_all(uint32_t features_off, uint32_t family)
{
    enum { ROUNDS = 60 };
    struct tp_io *io = make_masked(features_off, 4, 64);
    struct net_pair pair = net_connect(io, family);
    char sent[150], got[150];

    tp_io_recv_many(io, MANY, pair.server);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t len = 0;

        memset(sent, 'a' + (int)(round % 26), sizeof sent);
        send_all(io, pair.client, sent, sizeof sent);
        while (len < sizeof sent)
            len += take(io, net_wait(io, MANY), got + len);
        cr_assert(zero(int, memcmp(sent, got, sizeof sent)), "round %u", round);
    }
    cr_assert(zero(i32, net_run(io, tp_request_shutdown(pair.client, TP_SHUT_WRITE))));
    expect_end(io, MANY, 0);
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    net_close(io, &pair);
    tp_io_destroy(io);
}

Test(net_many, brings_all_that_comes_and_then_the_end)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++)
        for (uint32_t family = 0; family < NET_FAMILIES; family++)
            receive_all(net_masks[mask], family);
}

/* Four connections that have something to read, and two buffers. */
enum { CROWD = 4, BUFS = 2 };

struct crowd {
    struct tp_io *io;
    struct net_pair pairs[CROWD];
    struct tp_buf *held[BUFS];
    uint32_t seen[CROWD]; /* bytes that arrived */
};

static void meet(struct crowd *crowd, uint32_t features_off)
{
    memset(crowd, 0, sizeof *crowd);
    crowd->io = make_masked(features_off, BUFS, 64);
    for (uint32_t i = 0; i < CROWD; i++) {
        crowd->pairs[i] = net_connect(crowd->io, NET_IPV4);
        tp_io_recv_many(crowd->io, OTHERS + i, crowd->pairs[i].server);
    }
    tp_io_poll(crowd->io);
    for (uint32_t i = 0; i < CROWD; i++)
        send_all(crowd->io, crowd->pairs[i].client, "x", 1);
}

/* Keeps the buffer of every completion that is there; how many are kept. */
static uint32_t hold(struct crowd *crowd, uint32_t held)
{
    struct tp_completion completion;

    for (uint32_t i = 0; i < CROWD; i++) {
        if (!tp_io_get_cqe(crowd->io, OTHERS + i, &completion))
            continue;
        cr_assert(lt(u32, held, BUFS), "there are no more buffers");
        crowd->held[held++] = tp_io_recv_buf(crowd->io, &completion);
        crowd->seen[i]++;
    }
    return held;
}

/* Two get a buffer, which nobody gives back, and the others nothing. */
static void hold_all(struct crowd *crowd)
{
    uint32_t held = 0;

    for (uint32_t tries = 0; held < BUFS || tries < 20; tries++) {
        tp_io_park(crowd->io, tp_io_now_ns(crowd->io) + 10000000);
        held = hold(crowd, held);
        cr_assert(lt(u32, tries, 1000));
    }
}

static void take_one(struct crowd *crowd, uint32_t i)
{
    char bytes[64];

    cr_assert(eq(u32, take(crowd->io, net_wait(crowd->io, OTHERS + i), bytes), 1));
    crowd->seen[i]++;
}

static void starve(uint32_t features_off)
{
    struct crowd crowd;
    const struct tp_io_stats *stats;

    meet(&crowd, features_off);
    hold_all(&crowd);
    stats = tp_io_stats(crowd.io);
    cr_assert(ge(u64, stats->recv_bufs_exhausted, CROWD - BUFS));
    cr_assert(eq(u32, tp_io_unsubmitted(crowd.io), 0), "nothing could go on");
    for (uint32_t i = 0; i < BUFS; i++)
        tp_io_give_back(crowd.io, crowd.held[i]);
    cr_assert(ge(u32, tp_io_unsubmitted(crowd.io), 1), "who sleeps now sleeps for ever");
    for (uint32_t i = 0; i < CROWD; i++) {
        if (crowd.seen[i] == 0)
            take_one(&crowd, i);
    }
    for (uint32_t i = 0; i < CROWD; i++)
        send_all(crowd.io, crowd.pairs[i].client, "y", 1);
    for (uint32_t i = 0; i < CROWD; i++) {
        take_one(&crowd, i);
        cr_assert(eq(u32, crowd.seen[i], 2));
    }
    cr_assert(ge(u64, stats->rearmed, CROWD - BUFS));
    cr_assert(eq(u64, stats->recv_bufs_max, BUFS));
    for (uint32_t i = 0; i < CROWD; i++) {
        net_close(crowd.io, &crowd.pairs[i]);
        expect_end(crowd.io, OTHERS + i, -ECANCELED);
    }
    tp_io_destroy(crowd.io);
}

Test(net_many, goes_on_when_buffers_come_back)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++)
        starve(net_masks[mask]);
}

/* One connection has taken all buffers; another starves. */
struct starving {
    struct tp_io *io;
    struct net_pair rich, poor;
    struct tp_buf *held;
};

static struct starving make_starving(uint32_t features_off)
{
    struct starving s = {.io = make_masked(features_off, 1, 64)};
    struct tp_completion completion;

    s.rich = net_connect(s.io, NET_IPV4);
    s.poor = net_connect(s.io, NET_IPV4);
    tp_io_recv_many(s.io, OTHERS, s.rich.server);
    send_all(s.io, s.rich.client, "x", 1);
    completion = net_wait(s.io, OTHERS);
    s.held = tp_io_recv_buf(s.io, &completion);
    tp_io_recv_many(s.io, MANY, s.poor.server);
    send_all(s.io, s.poor.client, "y", 1);
    for (uint32_t i = 0; i < 1000 && tp_io_stats(s.io)->recv_bufs_exhausted == 0; i++)
        tp_io_park(s.io, tp_io_now_ns(s.io) + 1000000);
    cr_assert(ge(u64, tp_io_stats(s.io)->recv_bufs_exhausted, 1));
    return s;
}

static void end_starving(struct starving *s)
{
    tp_io_give_back(s->io, s->held);
    cr_assert(zero(i32, net_run(s->io, tp_request_close(s->rich.server))));
    expect_end(s->io, OTHERS, -ECANCELED);
    cr_assert(eq(u32, tp_io_in_flight(s->io), 0));
    tp_io_destroy(s->io);
}

Test(net_many, one_that_starves_can_be_stopped)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct starving s = make_starving(net_masks[mask]);

        tp_io_cancel(s.io, CANCEL, MANY);
        cr_assert(zero(i32, wait_for(s.io, CANCEL)));
        expect_end(s.io, MANY, -ECANCELED);
        end_starving(&s);
    }
}

Test(net_many, one_that_starves_ends_when_its_socket_is_closed)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct starving s = make_starving(net_masks[mask]);

        tp_io_close(s.io, CLOSE, s.poor.server);
        expect_end(s.io, MANY, -ECANCELED);
        cr_assert(zero(i32, wait_for(s.io, CLOSE)));
        end_starving(&s);
    }
}

Test(net_many, one_that_starves_does_not_hinder_the_end)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct starving s = make_starving(net_masks[mask]);

        tp_io_destroy(s.io);
    }
}

Test(net_many, recv_can_be_stopped)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct tp_io *io = make_masked(net_masks[mask], 0, 0);
        struct net_pair pair = net_connect(io, NET_IPV4);
        char got[8];

        for (uint32_t polls = 0; polls < 4; polls++) {
            tp_io_recv_many(io, MANY, pair.server);
            for (uint32_t i = 0; i < polls; i++)
                tp_io_poll(io);
            tp_io_cancel(io, CANCEL, MANY);
            expect_end(io, MANY, -ECANCELED);
            cr_assert(zero(i32, wait_for(io, CANCEL)));
        }
        tp_io_recv_many(io, MANY, pair.server);
        send_all(io, pair.client, "again", 5);
        cr_assert(eq(u32, take(io, net_wait(io, MANY), got), 5));
        net_close(io, &pair);
        expect_end(io, MANY, -ECANCELED);
        tp_io_destroy(io);
    }
}

Test(net_many, an_error_ends_it)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct tp_io *io = make_masked(net_masks[mask], 0, 0);
        struct net_pair pair = net_connect(io, NET_IPV4);
        char path[256];
        struct tp_fd file;

        scratch_name(path, "file");
        file = open_file(io, path);
        tp_io_recv_many(io, MANY, file);
        expect_end(io, MANY, -ENOTSOCK);
        tp_io_recv_many(io, MANY, pair.listener);
        expect_end(io, MANY, -ENOTCONN);
        tp_io_accept_many(io, MANY, file);
        expect_end(io, MANY, -ENOTSOCK);
        tp_io_accept_many(io, MANY, pair.client);
        expect_end(io, MANY, -EINVAL);
        /* Input that nobody has read makes the close a reset. */
        send_all(io, pair.client, "unread", 6);
        tp_io_recv_many(io, MANY, pair.client);
        tp_io_poll(io);
        cr_assert(zero(i32, net_run(io, tp_request_close(pair.server))));
        expect_end(io, MANY, -ECONNRESET);
        cr_assert(zero(i32, net_run(io, tp_request_close(file))));
        cr_assert(zero(i32, net_run(io, tp_request_remove(path))));
        tp_io_destroy(io);
    }
}

Test(net_many, without_buffers_there_is_no_recv_many)
{
    struct tp_io *io = make_masked(0, TP_LINUX_NONE, 0);
    struct net_pair pair = net_connect(io, NET_IPV4);

    cr_assert(eq(i32, net_run(io, tp_request_recv_many(pair.server)), -EOPNOTSUPP));
    net_pass(io, pair.client, pair.server, "one by one");
    net_close(io, &pair);
    tp_io_destroy(io);
}

/* A completion queue of eight, and nobody takes what is in it. */
Test(net_many, a_full_queue_ends_no_multishot)
{
    enum { COUNT = 40, BYTES = 16 };

    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        const struct tp_linux_io_config config = {.features_off = net_masks[mask],
                                                  .sq_entries = 8,
                                                  .cq_entries = 8,
                                                  .completions_max = 8,
                                                  .recv_buf_count = COUNT,
                                                  .recv_buf_size = BYTES};
        struct tp_io *io = make_io(&config), *other = make_io(NULL);
        struct net_pair pair = net_connect(io, NET_IPV4);
        char sent[COUNT * BYTES], got[COUNT * BYTES];
        uint32_t len = 0;
        int32_t fd;

        for (uint32_t i = 0; i < sizeof sent; i++)
            sent[i] = (char)(i * 7);
        tp_io_recv_many(io, MANY, pair.server);
        tp_io_poll(io);
        fd = net_run(other, tp_request_connect(&pair.address, plain));
        cr_assert(ge(i32, fd, 0));
        send_all(io, pair.client, sent, sizeof sent);
        while (len < sizeof sent)
            len += take(io, net_wait(io, MANY), got + len);
        cr_assert(zero(int, memcmp(sent, got, sizeof sent)));
        if (net_masks[mask] == 0)
            cr_assert(ge(u64, tp_io_stats(io)->rearmed, 1), "the queue was never full");
        net_close(io, &pair);
        expect_end(io, MANY, -ECANCELED);
        tp_io_destroy(other);
        tp_io_destroy(io);
    }
}

/* ------------------------------------------------------------------ accept_many */

Test(net_many, accepts_every_connection)
{
    enum { COUNT = 50 };

    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        for (uint32_t family = 0; family < NET_FAMILIES; family++) {
            struct tp_io *io = make_masked(net_masks[mask], 0, 0);
            struct tp_address address;
            const struct tp_fd listener = net_listen(io, family, &address);
            struct tp_fd clients[COUNT], servers[COUNT];

            tp_io_accept_many(io, MANY, listener);
            for (uint32_t i = 0; i < COUNT; i++)
                clients[i] = net_fd(io, tp_request_connect(&address, plain));
            for (uint32_t i = 0; i < COUNT; i++) {
                const struct tp_completion completion = net_wait(io, MANY);

                cr_assert(ge(i32, completion.value, 0));
                cr_assert(eq(u32, completion.flags, TP_MORE));
                servers[i] = tp_io_into_fd(io, completion.value);
            }
            for (uint32_t i = 0; i < COUNT; i++)
                net_pass(io, clients[i], servers[i], "hello");
            tp_io_cancel(io, CANCEL, MANY);
            cr_assert(zero(i32, wait_for(io, CANCEL)));
            expect_end(io, MANY, -ECANCELED);
            if (family == NET_UNIX)
                cr_assert(zero(i32, net_run(io, tp_request_remove(address.at.path))));
            tp_io_destroy(io);
        }
    }
}

Test(net_many, close_of_the_listener_ends_it)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct tp_io *io = make_masked(net_masks[mask], 0, 0);
        struct tp_address address;
        const struct tp_fd listener = net_listen(io, NET_IPV4, &address);

        tp_io_accept_many(io, MANY, listener);
        tp_io_poll(io);
        cr_assert(zero(i32, net_run(io, tp_request_close(listener))));
        expect_end(io, MANY, -ECANCELED);
        tp_io_destroy(io);
    }
}

Test(net_many, the_table_of_descriptors_ends_it)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct tp_io *other = make_io(NULL);
        const struct tp_linux_io_config config = {.features_off = net_masks[mask],
                                                  .fds_max = count_fds_of(other) + 8};
        struct tp_io *io = make_io(&config);
        struct tp_address address;
        const struct tp_fd listener = net_listen(io, NET_IPV4, &address);
        struct tp_completion completion;
        const uint32_t fds = count_fds_of(io) + 30;
        uint32_t kept = 0;

        tp_io_accept_many(io, MANY, listener);
        tp_io_poll(io);
        for (uint32_t i = 0; i < 30; i++)
            (void)net_fd(other, tp_request_connect(&address, plain));
        while ((completion = net_wait(io, MANY)).flags == TP_MORE)
            kept++;
        cr_assert(eq(i32, completion.value, -EMFILE));
        cr_assert(eq(u32, count_fds(), fds + kept));
        tp_io_destroy(io);
        tp_io_destroy(other);
    }
}

Test(net_many, the_end_closes_what_nobody_took)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        struct tp_io *other = make_io(NULL);
        const uint32_t fds = count_fds_of(other);
        struct tp_io *io = make_masked(net_masks[mask], 0, 0);
        struct tp_address address;
        const struct tp_fd listener = net_listen(io, NET_IPV4, &address);
        struct tp_fd clients[20];

        tp_io_accept_many(io, MANY, listener);
        tp_io_poll(io);
        for (uint32_t i = 0; i < 20; i++)
            clients[i] = net_fd(other, tp_request_connect(&address, plain));
        tp_io_destroy(io);
        for (uint32_t i = 0; i < 20; i++)
            cr_assert(zero(i32, net_run(other, tp_request_close(clients[i]))));
        cr_assert(eq(u32, count_fds(), fds));
        tp_io_destroy(other);
    }
}
