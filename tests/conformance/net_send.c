/* Sending: what is taken, what waits, and what comes back when nobody listens. */
#include "net.h"

enum { PIECE = 65536 };

static int32_t send_once(struct conformance *c, struct tp_fd fd, const char *text)
{
    struct tp_buf buf = tp_buf_full(text, (uint32_t)strlen(text));

    return run(c, tp_request_send(fd, &buf));
}

static void net_send_is_received(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, send_once(c, ends.a, "a"), 1);
    EXPECT(c, send_once(c, ends.a, "bc"), 2);
    recv_text(c, ends.b, "abc");
    EXPECT(c, send_once(c, ends.b, "def"), 3);
    recv_text(c, ends.a, "def");
    close_ends(c, &ends);
}

static void net_send_of_no_bytes(struct conformance *c)
{
    struct tp_buf none = tp_buf_full(NULL, 0);
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, send_once(c, ends.a, ""), 0);
    EXPECT(c, run(c, tp_request_send(ends.a, &none)), 0);
    EXPECT(c, send_once(c, ends.a, "x"), 1);
    recv_text(c, ends.b, "x"); /* no bytes are no end */
    none.len = 1;
    EXPECT(c, run(c, tp_request_send(ends.a, &none)), -EFAULT);
    close_ends(c, &ends);
}

/* Until the buffers of both ends are full: then it waits, and goes on when the peer
 * receives. All that was said to be taken arrives, in order. */
static void net_send_waits_for_the_peer(struct conformance *c)
{
    uint8_t *memory = take(c, PIECE);
    struct tp_buf buf;
    struct ends ends;
    uint64_t sent, waiting, got = 0;
    int32_t value;

    if (open_ends(c, &ends)) {
        sent = fill(c, ends.a, memory, PIECE, &buf, &waiting);
        while (got < sent) {
            const uint32_t len = sent - got < 5000 ? (uint32_t)(sent - got) : 5000;

            recv_pattern(c, ends.b, len, got);
            got += len;
        }
        value = sent > 0 ? await(c, waiting) : 0;
        EXPECT_THAT(c, value > 0 && value <= PIECE);
        if (value > 0)
            recv_pattern(c, ends.b, (uint32_t)value, sent);
        close_end(c, &ends.a);
        recv_end(c, ends.b, 1);
        close_ends(c, &ends);
    }
    drop(c, memory, PIECE);
}

/* More than fits is taken in part, not as a whole and not never. */
static void net_send_takes_a_part(struct conformance *c)
{
    enum { LEN = 64 * NARROW };
    uint8_t *memory;
    struct tp_buf buf;
    struct ends ends;
    int32_t value;

    if (!open_narrow_ends(c, &ends))
        return;
    memory = take(c, LEN);
    pattern_fill(memory, LEN, 0);
    buf = tp_buf_full(memory, LEN);
    value = run(c, tp_request_send(ends.a, &buf));
    EXPECT_THAT(c, value > 0 && value < LEN);
    if (value > 0) {
        recv_pattern(c, ends.b, (uint32_t)value, 0);
        close_end(c, &ends.a);
        recv_end(c, ends.b, 1);
    }
    close_ends(c, &ends);
    drop(c, memory, LEN);
}

/* ------------------------------------------------------------------ much */

enum { SEND_MAX = 300000, RECV_MAX = 100000 };

/* The pattern on its way from one fd to another, in pieces of many sizes. */
struct way {
    struct conformance *c;
    struct tp_fd from, to;
    uint32_t total, sent, got, step;
    uint8_t *out, *in;
    struct tp_buf out_buf, in_buf;
    uint64_t sending, receiving, many; /* handles; 0: none */
};

static void way_init(struct conformance *c, struct way *way, struct tp_fd from,
                     struct tp_fd to, uint32_t total)
{
    memset(way, 0, sizeof *way);
    way->c = c;
    way->from = from;
    way->to = to;
    way->total = total;
    way->out = take(c, SEND_MAX);
    way->in = take(c, RECV_MAX);
}

static void way_deinit(struct way *way)
{
    drop(way->c, way->out, SEND_MAX);
    drop(way->c, way->in, RECV_MAX);
}

/* Submits the next piece, unless one is being sent or received. */
static void way_begin(struct way *way)
{
    const uint32_t left = way->total - way->sent;

    way->step++;
    if (way->sending == 0 && left > 0) {
        const uint32_t len = 1 + way->step * 7919 % SEND_MAX;

        way->out_buf = tp_buf_full(way->out, len < left ? len : left);
        pattern_fill(way->out, way->out_buf.len, way->sent);
        way->sending = submit(way->c, tp_request_send(way->from, &way->out_buf));
    }
    if (way->receiving == 0 && way->many == 0 && way->got < way->total) {
        way->in_buf = tp_buf_empty(way->in, 1 + way->step * 10007 % RECV_MAX);
        way->receiving = submit(way->c, tp_request_recv(way->to, &way->in_buf));
    }
}

static bool way_sent(struct way *way, int32_t value)
{
    way->sending = 0;
    if (value > 0 && (uint32_t)value <= way->out_buf.len) {
        way->sent += (uint32_t)value;
        return true;
    }
    fail(way->c, __FILE__, __LINE__, "sending at byte %u of %u: %d (%s)", way->sent,
         way->total, value, tp_errno_name(value));
    return false;
}

static bool way_got(struct way *way, int32_t value, const uint8_t *memory)
{
    way->receiving = 0;
    if (value > 0 && pattern_is(memory, (uint32_t)value, way->got)) {
        way->got += (uint32_t)value;
        return true;
    }
    fail(way->c, __FILE__, __LINE__, "receiving at byte %u of %u: %d (%s)", way->got,
         way->total, value, tp_errno_name(value));
    return false;
}

/* Takes what has completed; false when it went wrong. */
static bool way_look(struct way *way)
{
    struct tp_completion completion;
    bool good = true;

    if (way->sending != 0 && tp_io_get_cqe(way->c->io, way->sending, &completion))
        good = way_sent(way, completion.value);
    if (way->receiving != 0 && tp_io_get_cqe(way->c->io, way->receiving, &completion))
        good = way_got(way, completion.value, way->in) && good;
    while (way->many != 0 && tp_io_get_cqe(way->c->io, way->many, &completion)) {
        struct tp_buf *buf = tp_io_recv_buf(way->c->io, &completion);

        good = buf != NULL && (int64_t)buf->len == completion.value &&
               way_got(way, completion.value, buf->data) && good;
        if (buf == NULL)
            way->many = 0;
        else
            tp_io_give_back(way->c->io, buf);
    }
    return good;
}

/* Whatever is still under way ends: both ends were closed. */
static void way_stop(struct way *way)
{
    if (way->sending != 0)
        (void)await(way->c, way->sending);
    if (way->receiving != 0)
        (void)await(way->c, way->receiving);
    if (way->many != 0)
        (void)shots_end(way->c, way->many);
}

/* Runs until every byte has come, or nothing moves any more. */
static void run_ways(struct conformance *c, struct way *ways, uint32_t count)
{
    uint64_t deadline_ns = tp_io_now_ns(c->io) + c->patience_ns;
    bool good = true;

    for (;;) {
        bool done = true;

        for (uint32_t i = 0; i < count; i++) {
            good = way_look(&ways[i]) && good;
            way_begin(&ways[i]);
            done = done && ways[i].got == ways[i].total && ways[i].sent == ways[i].total;
        }
        if (done || !good)
            return;
        if (tp_io_now_ns(c->io) >= deadline_ns) {
            fail(c, __FILE__, __LINE__, "after %u of %u bytes nothing moves", ways[0].got,
                 ways[0].total);
            return;
        }
        tp_io_park(c->io, deadline_ns);
    }
}

static void send_2_mib(struct conformance *c, bool many)
{
    struct ends ends;
    struct way way;

    if (!open_ends(c, &ends))
        return;
    way_init(c, &way, ends.a, ends.b, 2 << 20);
    if (many)
        way.many = submit(c, tp_request_recv_many(ends.b));
    run_ways(c, &way, 1);
    close_end(c, &ends.a);
    if (way.many != 0)
        EXPECT(c, shots_end(c, way.many), 0);
    else if (way.receiving == 0)
        recv_end(c, ends.b, 1);
    way.many = 0;
    close_ends(c, &ends);
    way_stop(&way);
    way_deinit(&way);
}

static void net_send_2_mib(struct conformance *c)
{
    send_2_mib(c, false);
}

static void net_send_2_mib_to_recv_many(struct conformance *c)
{
    send_2_mib(c, true);
}

/* Both ends send at the same time more than their buffers hold. */
static void net_send_both_ways_at_once(struct conformance *c)
{
    struct ends ends;
    struct way ways[2];

    if (!open_ends(c, &ends))
        return;
    way_init(c, &ways[0], ends.a, ends.b, 1 << 20);
    way_init(c, &ways[1], ends.b, ends.a, 1 << 20);
    run_ways(c, ways, 2);
    EXPECT_THAT(c, ways[0].got == ways[0].total && ways[1].got == ways[1].total);
    close_ends(c, &ends);
    for (uint32_t i = 0; i < 2; i++) {
        way_stop(&ways[i]);
        way_deinit(&ways[i]);
    }
}

/* ------------------------------------------------------------------ nobody receives */

static void net_send_after_the_peer_closed(struct conformance *c)
{
    struct ends ends;
    int32_t value = 0;

    if (!open_ends(c, &ends))
        return;
    close_end(c, &ends.b);
    let_arrive(c);
    for (uint32_t i = 0; i < 10 && value >= 0; i++) { /* over TCP the first may be taken */
        value = send_once(c, ends.a, "anybody?");
        let_arrive(c);
    }
    EXPECT(c, value, -EPIPE, -ECONNRESET);
    EXPECT(c, send_once(c, ends.a, "anybody?"), -EPIPE);
    EXPECT(c, send_once(c, ends.a, "anybody?"), -EPIPE);
    close_ends(c, &ends);
}

static void net_send_after_a_reset(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "never received");
    let_arrive(c);
    close_end(c, &ends.b);
    let_arrive(c);
    EXPECT(c, send_once(c, ends.a, "x"), -EPIPE, -ECONNRESET);
    EXPECT(c, send_once(c, ends.a, "x"), -EPIPE);
    close_ends(c, &ends);
}

static void net_send_after_shutdown_write(struct conformance *c)
{
    const struct tp_buf two[] = {tp_buf_full("x", 1), tp_buf_full("y", 1)};
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "before");
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    EXPECT(c, send_once(c, ends.a, "after"), -EPIPE);
    EXPECT(c, send_once(c, ends.a, ""), -EPIPE);
    EXPECT(c, run(c, tp_request_send_bufs(ends.a, two, 2)), -EPIPE);
    recv_text(c, ends.b, "before");
    recv_end(c, ends.b, 2);
    close_ends(c, &ends);
}

static void net_send_on_a_listener(struct conformance *c)
{
    struct tp_address address = here(c);
    struct tp_fd listener;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    EXPECT(c, send_once(c, listener, "x"), -EPIPE, -ENOTCONN);
    close_end(c, &listener);
}

/* What ends a send that waits. Whatever it says, no more than that has been taken. */
enum end_of_send { BY_CANCEL, BY_CLOSE, BY_PEER_CLOSE, BY_SHUTDOWN };

static void end_a_send(struct conformance *c, enum end_of_send how)
{
    uint8_t *memory = take(c, PIECE);
    struct tp_buf buf;
    struct ends ends;
    uint64_t sent, waiting = 0;
    int32_t value = 0;

    if (!open_ends(c, &ends)) {
        drop(c, memory, PIECE);
        return;
    }
    sent = fill(c, ends.a, memory, PIECE, &buf, &waiting);
    if (how == BY_CANCEL)
        EXPECT(c, run(c, tp_request_cancel(waiting)), 0);
    if (how == BY_CLOSE)
        close_end(c, &ends.a);
    if (how == BY_PEER_CLOSE)
        close_end(c, &ends.b);
    if (how == BY_SHUTDOWN)
        EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    if (sent > 0)
        value = await(c, waiting);
    if (value > 0) { /* it had taken some of it */
        EXPECT_THAT(c, value <= PIECE);
        sent += (uint64_t)value;
    } else if (how == BY_CANCEL || how == BY_CLOSE) {
        EXPECT(c, value, -ECANCELED);
    } else {
        EXPECT(c, value, -EPIPE, -ECONNRESET);
    }
    if (how == BY_CANCEL)
        close_end(c, &ends.a);
    if (how != BY_PEER_CLOSE) {
        for (uint64_t got = 0; got < sent;) {
            const uint32_t len = sent - got < PIECE ? (uint32_t)(sent - got) : PIECE;

            recv_pattern(c, ends.b, len, got);
            got += len;
        }
        recv_end(c, ends.b, 1);
    }
    close_ends(c, &ends);
    drop(c, memory, PIECE);
}

static void net_send_cancelled(struct conformance *c)
{
    end_a_send(c, BY_CANCEL);
}

static void net_send_whose_socket_is_closed(struct conformance *c)
{
    end_a_send(c, BY_CLOSE);
}

static void net_send_whose_peer_closes(struct conformance *c)
{
    end_a_send(c, BY_PEER_CLOSE);
}

static void net_send_ended_by_shutdown_write(struct conformance *c)
{
    end_a_send(c, BY_SHUTDOWN);
}

const struct conformance_program conformance_net_send[] = {
    OVER_EACH(net_send_is_received),
    OVER_EACH(net_send_of_no_bytes),
    OVER_EACH(net_send_waits_for_the_peer),
    OVER_EACH(net_send_takes_a_part),
    OVER_EACH(net_send_2_mib),
    OVER_EACH(net_send_2_mib_to_recv_many),
    OVER_EACH(net_send_both_ways_at_once),
    OVER_EACH(net_send_after_the_peer_closed),
    OVER_EACH(net_send_after_a_reset),
    OVER_EACH(net_send_after_shutdown_write),
    OVER_EACH(net_send_on_a_listener),
    OVER_EACH(net_send_cancelled),
    OVER_EACH(net_send_whose_socket_is_closed),
    OVER_EACH(net_send_whose_peer_closes),
    OVER_EACH(net_send_ended_by_shutdown_write),
    {0},
};
