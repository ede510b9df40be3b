/* Receiving whatever comes, in buffers of the Io's that are given back. */
#include "net.h"

/* A connection with a recv_many on its second end; false: skip or failure. */
static bool open_many(struct conformance *c, struct ends *ret_ends, uint64_t *ret_many)
{
    if (!open_ends(c, ret_ends))
        return false;
    *ret_many = submit(c, tp_request_recv_many(ret_ends->b));
    return true;
}

static void net_recv_many_gives_what_comes(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    EXPECT_THAT(c, waits(c, many));
    send_text(c, ends.a, "first");
    shots_text(c, many, "first");
    EXPECT_THAT(c, waits(c, many));
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 1);
    send_text(c, ends.a, "second");
    send_text(c, ends.a, "third");
    shots_text(c, many, "secondthird");
    cancel_many(c, many);
    close_ends(c, &ends);
}

static void net_recv_many_of_what_is_there(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "before");
    let_arrive(c);
    many = submit(c, tp_request_recv_many(ends.b));
    shots_text(c, many, "before");
    cancel_many(c, many);
    close_ends(c, &ends);
}

static void net_recv_many_ends_with_the_stream(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    send_text(c, ends.a, "all");
    close_end(c, &ends.a);
    shots_text(c, many, "all");
    EXPECT(c, shots_end(c, many), 0);
    EXPECT(c, shots_end(c, submit(c, tp_request_recv_many(ends.b))), 0); /* and again */
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

static void net_recv_many_ends_with_a_reset(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    send_text(c, ends.a, "data");
    send_text(c, ends.b, "never received");
    let_arrive(c);
    close_end(c, &ends.a);
    shots_text(c, many, "data");
    EXPECT(c, shots_end(c, many), -ECONNRESET);
    EXPECT(c, shots_end(c, submit(c, tp_request_recv_many(ends.b))), 0);
    close_ends(c, &ends);
}

static void net_recv_many_ends_with_shutdown_read(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    EXPECT_THAT(c, waits(c, many));
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_READ)), 0);
    EXPECT(c, shots_end(c, many), 0);
    close_ends(c, &ends);
}

static void net_recv_many_cancelled_loses_nothing(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    EXPECT_THAT(c, waits(c, many));
    cancel_many(c, many);
    EXPECT(c, run(c, tp_request_cancel(many)), -ENOENT);
    send_text(c, ends.a, "singly, then many");
    recv_text(c, ends.b, "singly");
    many = submit(c, tp_request_recv_many(ends.b));
    shots_text(c, many, ", then many");
    cancel_many(c, many);
    close_ends(c, &ends);
}

/* Cancelled while data comes: what came before the end and what is received after it are
 * all of it, in order. */
static void net_recv_many_cancelled_in_a_race(struct conformance *c)
{
    enum { ROUNDS = 100 };
    uint32_t got = 0;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint8_t byte = pattern_at(round);
        struct tp_buf out = tp_buf_full(&byte, 1);
        uint64_t many = submit(c, tp_request_recv_many(ends.b));
        uint64_t sent = submit(c, tp_request_send(ends.a, &out));
        uint64_t cancel = submit(c, tp_request_cancel(many));
        struct shot shot;

        EXPECT(c, await(c, sent), 1);
        EXPECT(c, await(c, cancel), 0, -EALREADY);
        for (shot = await_shot(c, many); shot.more; shot = await_shot(c, many)) {
            if (shot.buf == NULL)
                continue;
            EXPECT_THAT(c, pattern_is(shot.buf->data, shot.buf->len, got));
            got += shot.buf->len;
            tp_io_give_back(c->io, shot.buf);
        }
        EXPECT(c, shot.value, -ECANCELED);
    }
    recv_pattern(c, ends.b, ROUNDS - got, got);
    close_end(c, &ends.a);
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

static void net_recv_many_whose_socket_is_closed(struct conformance *c)
{
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    EXPECT_THAT(c, waits(c, many));
    close_end(c, &ends.b);
    EXPECT(c, shots_end(c, many), -ECANCELED);
    recv_end(c, ends.a, 1); /* the peer hears of it */
    close_ends(c, &ends);
}

/* More than a buffer holds comes in several, none of them empty. */
static void net_recv_many_of_more_than_a_buffer(struct conformance *c)
{
    enum { LEN = 60000 };
    struct ends ends;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    for (uint32_t round = 0; round < 5; round++) {
        send_pattern(c, ends.a, LEN, (uint64_t)round * LEN);
        shots_pattern(c, many, LEN, (uint64_t)round * LEN);
    }
    cancel_many(c, many);
    close_ends(c, &ends);
}

static void net_recv_many_while_sending(struct conformance *c)
{
    enum { LEN = 5000, ROUNDS = 20 };
    struct ends ends;
    uint64_t from_a, from_b;

    if (!open_many(c, &ends, &from_a))
        return;
    from_b = submit(c, tp_request_recv_many(ends.a));
    for (uint64_t round = 0; round < ROUNDS; round++) {
        send_pattern(c, ends.a, LEN, (uint64_t)round * LEN);
        send_pattern(c, ends.b, LEN, (uint64_t)round * LEN + 77);
        shots_pattern(c, from_b, LEN, (uint64_t)round * LEN + 77);
        shots_pattern(c, from_a, LEN, (uint64_t)round * LEN);
    }
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    EXPECT(c, shots_end(c, from_a), 0);
    close_end(c, &ends.b);
    EXPECT(c, shots_end(c, from_b), 0);
    close_ends(c, &ends);
}

/* One of many connections: what it has received must be the pattern from `offset`. */
struct line {
    struct tp_fd a, b;
    uint64_t many, offset;
    uint32_t got;
};

/* Claims what has arrived for it, and gives back at once. */
static void look_at(struct conformance *c, struct line *line)
{
    struct tp_completion completion;

    while (tp_io_get_cqe(c->io, line->many, &completion)) {
        struct tp_buf *buf = tp_io_recv_buf(c->io, &completion);

        if (buf == NULL) {
            fail(c, __FILE__, __LINE__, "no buffer, but %d (%s)", completion.value,
                 tp_errno_name(completion.value));
            return;
        }
        EXPECT_THAT(c, pattern_is(buf->data, buf->len, line->offset + line->got));
        line->got += buf->len;
        tp_io_give_back(c->io, buf);
    }
}

/* More of them than there are buffers: all are served, as buffers come back. */
static void net_recv_many_on_many_connections(struct conformance *c)
{
    enum { COUNT = 60, ROUNDS = 5, EACH = 10 };
    struct tp_address address = here(c);
    struct line lines[COUNT];
    struct tp_fd listener;

    if (no_net(c))
        return;
    memset(lines, 0, sizeof lines);
    listener = listen_at(c, &address);
    for (uint32_t i = 0; i < COUNT; i++) {
        lines[i].a = connect_to(c, &address);
        lines[i].b = accept_from(c, listener);
        lines[i].many = submit(c, tp_request_recv_many(lines[i].b));
        lines[i].offset = (uint64_t)i * 1000;
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const uint64_t until_ns = tp_io_now_ns(c->io) + c->patience_ns;
        uint32_t waiting = COUNT;

        for (uint32_t i = 0; i < COUNT; i++)
            send_pattern(c, lines[i].a, EACH, lines[i].offset + (uint64_t)round * EACH);
        while (waiting > 0 && tp_io_now_ns(c->io) < until_ns) {
            waiting = 0;
            for (uint32_t i = 0; i < COUNT; i++) {
                look_at(c, &lines[i]);
                waiting += lines[i].got < (round + 1) * EACH;
            }
            if (waiting > 0)
                tp_io_park(c->io, until_ns);
        }
        EXPECT_THAT(c, waiting == 0);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        close_end(c, &lines[i].a);
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT(c, shots_end(c, lines[i].many), 0);
        close_end(c, &lines[i].b);
    }
    close_end(c, &listener);
}

/* ------------------------------------------------------------------ buffers */

enum { KEPT_MAX = 4096 };

/* What is received from one connection and kept. */
struct kept {
    struct tp_buf *bufs[KEPT_MAX];
    uint32_t count;
    uint64_t bytes;
};

/* Sends byte by byte and keeps every buffer, until none is left: a byte waits then. Kernels
 * may say that none is left before there is a byte that wants one. */
static void use_up_bufs(struct conformance *c, const struct ends *ends, uint64_t many,
                        struct kept *kept)
{
    const uint64_t exhausted = tp_io_stats(c->io)->recv_bufs_exhausted;
    const uint64_t until_ns = tp_io_now_ns(c->io) + c->patience_ns;
    struct tp_completion completion;
    uint64_t sent = 0;

    memset(kept, 0, sizeof *kept);
    while (kept->count < KEPT_MAX) {
        if (sent == kept->bytes)
            send_pattern(c, ends->a, 1, sent++);
        if (tp_io_get_cqe(c->io, many, &completion)) {
            struct tp_buf *buf = tp_io_recv_buf(c->io, &completion);

            if (buf == NULL)
                break;
            kept->bufs[kept->count++] = buf;
            kept->bytes += buf->len;
        } else if (tp_io_stats(c->io)->recv_bufs_exhausted > exhausted) {
            EXPECT_THAT(c, kept->count > 0);
            return;
        } else if (tp_io_now_ns(c->io) < until_ns) {
            tp_io_park(c->io, until_ns);
        } else {
            break;
        }
    }
    fail(c, __FILE__, __LINE__, "%u buffers kept, and it does not wait", kept->count);
}

/* Gives back, the last first, what must be as it was received. */
static void give_all_back(struct conformance *c, struct kept *kept)
{
    uint64_t offset = kept->bytes;

    while (kept->count > 0) {
        struct tp_buf *buf = kept->bufs[--kept->count];

        offset -= buf->len;
        EXPECT_THAT(c, pattern_is(buf->data, buf->len, offset));
        tp_io_give_back(c->io, buf);
    }
}

static void net_recv_many_waits_for_buffers_and_goes_on(struct conformance *c)
{
    static struct kept kept;
    const uint64_t exhausted = tp_io_stats(c->io)->recv_bufs_exhausted;
    const uint64_t rearmed = tp_io_stats(c->io)->rearmed;
    struct ends ends;
    uint64_t many, bytes;

    if (!open_many(c, &ends, &many))
        return;
    use_up_bufs(c, &ends, many, &kept);
    bytes = kept.bytes;
    EXPECT_THAT(c, tp_io_stats(c->io)->recv_bufs_exhausted > exhausted);
    EXPECT_THAT(c, tp_io_stats(c->io)->recv_bufs_max >= kept.count);
    EXPECT_THAT(c, waits(c, many));
    give_all_back(c, &kept);
    EXPECT_THAT(c, tp_io_unsubmitted(c->io) > 0); /* a host must know that it can go on */
    shots_pattern(c, many, 1, bytes);
    EXPECT_THAT(c, tp_io_stats(c->io)->rearmed > rearmed);
    send_text(c, ends.a, "and on");
    shots_text(c, many, "and on");
    cancel_many(c, many);
    close_ends(c, &ends);
}

/* One given back is enough for one more. */
static void net_recv_many_with_one_buffer(struct conformance *c)
{
    static struct kept kept;
    struct ends ends;
    struct tp_buf *buf = NULL;
    uint64_t many, bytes;

    if (!open_many(c, &ends, &many))
        return;
    use_up_bufs(c, &ends, many, &kept);
    bytes = kept.bytes;
    if (kept.count > 0) {
        buf = kept.bufs[--kept.count];
        kept.bytes -= buf->len;
    }
    for (uint32_t round = 0; round < 10 && buf != NULL; round++) {
        tp_io_give_back(c->io, buf);
        buf = await_shot(c, many).buf;
        EXPECT_THAT(c, buf != NULL && pattern_is(buf->data, buf->len, bytes));
        bytes++;
        send_pattern(c, ends.a, 1, bytes);
        if (round % 5 == 0)
            EXPECT_THAT(c, waits(c, many));
    }
    if (buf != NULL)
        tp_io_give_back(c->io, buf);
    shots_pattern(c, many, 1, bytes);
    give_all_back(c, &kept);
    cancel_many(c, many);
    close_ends(c, &ends);
}

/* Others are served as soon as there is a buffer: nobody loses its turn for good. */
static void net_recv_many_share_the_buffers(struct conformance *c)
{
    static struct kept kept;
    struct ends ends, other;
    uint64_t many, others, bytes;

    if (!open_many(c, &ends, &many))
        return;
    other = ends;
    other.a = connect_to(c, &ends.address);
    other.b = accept_from(c, ends.listener);
    others = submit(c, tp_request_recv_many(other.b));
    use_up_bufs(c, &ends, many, &kept);
    send_text(c, other.a, "me too");
    EXPECT_THAT(c, waits(c, others));
    bytes = kept.bytes;
    give_all_back(c, &kept);
    shots_text(c, others, "me too");
    shots_pattern(c, many, 1, bytes);
    cancel_many(c, many);
    cancel_many(c, others);
    close_end(c, &other.a);
    close_end(c, &other.b);
    close_ends(c, &ends);
}

static void net_recv_many_cancelled_without_buffers(struct conformance *c)
{
    static struct kept kept;
    struct ends ends;
    uint64_t many, bytes;

    if (!open_many(c, &ends, &many))
        return;
    use_up_bufs(c, &ends, many, &kept);
    bytes = kept.bytes;
    cancel_many(c, many);
    recv_pattern(c, ends.b, 1, bytes); /* what waited for a buffer is not lost */
    give_all_back(c, &kept);
    close_ends(c, &ends);
}

static void net_recv_many_closed_without_buffers(struct conformance *c)
{
    static struct kept kept;
    struct ends ends, next;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    use_up_bufs(c, &ends, many, &kept);
    close_end(c, &ends.b);
    EXPECT(c, shots_end(c, many), -ECANCELED);
    next = ends;
    next.a = connect_to(c, &ends.address); /* most likely with the number that is free */
    next.b = accept_from(c, ends.listener);
    many = submit(c, tp_request_recv_many(next.b));
    send_text(c, next.a, "next");
    EXPECT_THAT(c, waits(c, many));
    give_all_back(c, &kept);
    shots_text(c, many, "next");
    cancel_many(c, many);
    close_end(c, &next.a);
    close_end(c, &next.b);
    close_ends(c, &ends);
}

static void net_recv_many_ends_without_buffers(struct conformance *c)
{
    static struct kept kept;
    struct ends ends;
    uint64_t many, bytes;

    if (!open_many(c, &ends, &many))
        return;
    use_up_bufs(c, &ends, many, &kept);
    bytes = kept.bytes;
    close_end(c, &ends.a);
    EXPECT_THAT(c, waits(c, many)); /* there is a byte before the end */
    give_all_back(c, &kept);
    shots_pattern(c, many, 1, bytes);
    EXPECT(c, shots_end(c, many), 0);
    close_ends(c, &ends);
}

/* A buffer is its holder's until it is given back, whatever else comes. */
static void net_recv_many_leaves_alone_what_is_kept(struct conformance *c)
{
    struct ends ends;
    struct shot shot;
    uint64_t many;

    if (!open_many(c, &ends, &many))
        return;
    send_pattern(c, ends.a, 100, 5);
    shot = await_shot(c, many);
    for (uint32_t round = 0; round < 200; round++) {
        send_pattern(c, ends.a, 1000, round);
        if (round == 0 && shot.buf != NULL && shot.buf->len < 100) /* in pieces */
            shots_pattern(c, many, 100 - shot.buf->len, 5 + shot.buf->len);
        shots_pattern(c, many, 1000, round);
    }
    EXPECT_THAT(c, shot.buf != NULL);
    if (shot.buf != NULL) {
        EXPECT_THAT(c, pattern_is(shot.buf->data, shot.buf->len, 5));
        tp_io_give_back(c->io, shot.buf);
    }
    cancel_many(c, many);
    close_ends(c, &ends);
}

const struct conformance_program conformance_net_recv_many[] = {
    OVER_EACH(net_recv_many_gives_what_comes),
    OVER_EACH(net_recv_many_of_what_is_there),
    OVER_EACH(net_recv_many_ends_with_the_stream),
    OVER_EACH(net_recv_many_ends_with_a_reset),
    OVER_EACH(net_recv_many_ends_with_shutdown_read),
    OVER_EACH(net_recv_many_cancelled_loses_nothing),
    OVER_EACH(net_recv_many_cancelled_in_a_race),
    OVER_EACH(net_recv_many_whose_socket_is_closed),
    OVER_EACH(net_recv_many_of_more_than_a_buffer),
    OVER_EACH(net_recv_many_while_sending),
    OVER_EACH(net_recv_many_on_many_connections),
    OVER_EACH(net_recv_many_waits_for_buffers_and_goes_on),
    OVER_EACH(net_recv_many_with_one_buffer),
    OVER_EACH(net_recv_many_share_the_buffers),
    OVER_EACH(net_recv_many_cancelled_without_buffers),
    OVER_EACH(net_recv_many_closed_without_buffers),
    OVER_EACH(net_recv_many_ends_without_buffers),
    OVER_EACH(net_recv_many_leaves_alone_what_is_kept),
    {0},
};
