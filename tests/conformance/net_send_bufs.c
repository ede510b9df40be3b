/* Sending several buffers as one. */
#include "net.h"

/* `count` buffers over the pattern, of many sizes, some of them empty: bytes of all. */
static uint32_t make_bufs(uint8_t *memory, uint32_t size_bytes, struct tp_buf *ret_bufs,
                          uint32_t count)
{
    uint32_t used = 0;

    pattern_fill(memory, size_bytes, 0);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t len = i % 5 == 3 ? 0 : 1 + i * 37 % 100;

        tp_assert(used + len <= size_bytes);
        ret_bufs[i] = tp_buf_full(memory + used, len);
        used += len;
    }
    return used;
}

static void net_send_bufs_of_each_count(struct conformance *c)
{
    uint8_t memory[2048];
    struct tp_buf bufs[TP_BUFS_MAX];
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    for (uint32_t count = 1; count <= TP_BUFS_MAX; count++) {
        const uint32_t len = make_bufs(memory, sizeof memory, bufs, count);

        EXPECT(c, run(c, tp_request_send_bufs(ends.a, bufs, count)), (int32_t)len);
        recv_pattern(c, ends.b, len, 0);
    }
    close_ends(c, &ends);
}

static void net_send_bufs_in_their_order(struct conformance *c)
{
    const struct tp_buf bufs[] = {tp_buf_full("two, ", 5), tp_buf_full("one, ", 5),
                                  tp_buf_full("two, ", 5), tp_buf_full("go", 2)};
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_send_bufs(ends.b, bufs, 4)), 17);
    recv_text(c, ends.a, "two, one, two, go");
    close_ends(c, &ends);
}

static void net_send_bufs_of_no_bytes(struct conformance *c)
{
    const struct tp_buf empty[] = {tp_buf_full("x", 0), tp_buf_full(NULL, 0),
                                   tp_buf_full("y", 0)};
    const struct tp_buf one[] = {tp_buf_full(NULL, 0), tp_buf_full("z", 1)};
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, empty, 3)), 0);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, one, 2)), 1);
    recv_text(c, ends.b, "z");
    close_ends(c, &ends);
}

static void net_send_bufs_of_a_bad_count(struct conformance *c)
{
    struct tp_buf bufs[TP_BUFS_MAX + 1];
    struct tp_buf nowhere = tp_buf_full(NULL, 1);
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    for (uint32_t i = 0; i <= TP_BUFS_MAX; i++)
        bufs[i] = tp_buf_full("x", 1);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, bufs, 0)), -EINVAL);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, bufs, TP_BUFS_MAX + 1)), -EINVAL);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, bufs, UINT32_MAX)), -EINVAL);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, NULL, 1)), -EFAULT);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, &nowhere, 1)), -EFAULT);
    send_text(c, ends.a, "nothing of these");
    recv_text(c, ends.b, "nothing of these");
    close_ends(c, &ends);
}

/* One memory in several buffers, and in several sends at once: out loans may overlap. */
static void net_send_bufs_of_one_memory(struct conformance *c)
{
    const struct tp_buf bufs[] = {tp_buf_full("abc", 3), tp_buf_full("abc", 3),
                                  tp_buf_full("abc", 3)};
    struct ends ends;
    uint64_t handles[2];

    if (!open_ends(c, &ends))
        return;
    handles[0] = submit(c, tp_request_send_bufs(ends.a, bufs, 3));
    handles[1] = submit(c, tp_request_send_bufs(ends.b, bufs, 2));
    EXPECT(c, await(c, handles[0]), 9);
    EXPECT(c, await(c, handles[1]), 6);
    recv_text(c, ends.b, "abcabcabc");
    recv_text(c, ends.a, "abcabc");
    close_ends(c, &ends);
}

/* More than fits: what is taken is a beginning of all of them together. */
static void net_send_bufs_takes_a_part(struct conformance *c)
{
    enum { EACH = 4 * NARROW };
    struct tp_buf bufs[TP_BUFS_MAX];
    struct ends ends;
    uint8_t *memory;
    int32_t value;

    if (!open_narrow_ends(c, &ends))
        return;
    memory = take(c, TP_BUFS_MAX * EACH);
    pattern_fill(memory, TP_BUFS_MAX * EACH, 0);
    for (uint32_t i = 0; i < TP_BUFS_MAX; i++)
        bufs[i] = tp_buf_full(memory + (size_t)i * EACH, EACH);
    value = run(c, tp_request_send_bufs(ends.a, bufs, TP_BUFS_MAX));
    EXPECT_THAT(c, value > 0 && value < TP_BUFS_MAX * EACH);
    close_end(c, &ends.a);
    if (value > 0)
        recv_pattern(c, ends.b, (uint32_t)value, 0);
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
    drop(c, memory, TP_BUFS_MAX * EACH);
}

static void net_send_bufs_cancelled(struct conformance *c)
{
    enum { LEN = 65536 };
    uint8_t *memory = take(c, LEN);
    struct tp_buf buf, bufs[2];
    struct ends ends;
    uint64_t sent, waiting, second;

    if (open_narrow_ends(c, &ends)) {
        sent = fill(c, ends.a, memory, LEN, &buf, &waiting);
        EXPECT(c, run(c, tp_request_cancel(waiting)), 0);
        if (sent > 0)
            (void)await(c, waiting);
        bufs[0] = tp_buf_full(memory, 1000);
        bufs[1] = tp_buf_full(memory + 1000, LEN - 1000);
        second = submit(c, tp_request_send_bufs(ends.a, bufs, 2));
        EXPECT_THAT(c, waits(c, second));
        EXPECT(c, run(c, tp_request_cancel(second)), 0);
        EXPECT(c, await(c, second), -ECANCELED);
        close_ends(c, &ends);
    }
    drop(c, memory, LEN);
}

static void net_send_bufs_after_the_peer_closed(struct conformance *c)
{
    const struct tp_buf bufs[] = {tp_buf_full("any", 3), tp_buf_full("body?", 5)};
    struct ends ends;
    int32_t value = 0;

    if (!open_ends(c, &ends))
        return;
    close_end(c, &ends.b);
    let_arrive(c);
    for (uint32_t i = 0; i < 10 && value >= 0; i++) {
        value = run(c, tp_request_send_bufs(ends.a, bufs, 2));
        let_arrive(c);
    }
    EXPECT(c, value, -EPIPE, -ECONNRESET);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, bufs, 2)), -EPIPE);
    close_ends(c, &ends);
}

const struct conformance_program conformance_net_send_bufs[] = {
    OVER_EACH(net_send_bufs_of_each_count),
    OVER_EACH(net_send_bufs_in_their_order),
    OVER_EACH(net_send_bufs_of_no_bytes),
    OVER_EACH(net_send_bufs_of_a_bad_count),
    OVER_EACH(net_send_bufs_of_one_memory),
    OVER_EACH(net_send_bufs_takes_a_part),
    OVER_EACH(net_send_bufs_cancelled),
    OVER_EACH(net_send_bufs_after_the_peer_closed),
    {0},
};
