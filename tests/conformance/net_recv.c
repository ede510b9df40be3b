/* Receiving into memory of one's own. */
#include "net.h"

static void net_recv_waits_for_data(struct conformance *c)
{
    uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;
    uint64_t handle;
    int32_t value;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.b, &buf));
    EXPECT_THAT(c, waits(c, handle));
    send_text(c, ends.a, "hello");
    value = await(c, handle);
    EXPECT(c, value, 1, 2, 3, 4, 5); /* on its way it may be cut */
    if (value > 0 && value <= 5) {
        EXPECT_THAT(c, memcmp(memory, "hello", (size_t)value) == 0);
        recv_text(c, ends.b, &"hello"[value]);
    }
    close_ends(c, &ends);
}

/* What is there comes at once, though there is room for more. */
static void net_recv_does_not_wait_for_more(struct conformance *c)
{
    uint8_t *memory = take(c, 1 << 20);
    struct ends ends;

    if (open_ends(c, &ends)) {
        send_text(c, ends.b, "short");
        let_arrive(c);
        EXPECT(c, recv_once(c, ends.a, memory, 1 << 20), 5);
        EXPECT_THAT(c, memcmp(memory, "short", 5) == 0);
        close_ends(c, &ends);
    }
    drop(c, memory, 1 << 20);
}

static void net_recv_splits_what_was_sent(struct conformance *c)
{
    uint8_t memory[4];
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "0123456789");
    let_arrive(c);
    EXPECT(c, recv_once(c, ends.b, memory, 4), 4);
    EXPECT_THAT(c, memcmp(memory, "0123", 4) == 0);
    EXPECT(c, recv_once(c, ends.b, memory, 1), 1);
    EXPECT_THAT(c, memory[0] == '4');
    EXPECT(c, recv_once(c, ends.b, memory, 4), 4);
    EXPECT_THAT(c, memcmp(memory, "5678", 4) == 0);
    EXPECT(c, recv_once(c, ends.b, memory, 4), 1);
    EXPECT_THAT(c, memory[0] == '9');
    close_ends(c, &ends);
}

/* A stream has no messages: two sends may be one recv. */
static void net_recv_joins_what_was_sent(struct conformance *c)
{
    uint8_t memory[16];
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "one");
    send_text(c, ends.a, "two");
    send_text(c, ends.a, "three");
    let_arrive(c);
    EXPECT(c, recv_once(c, ends.b, memory, sizeof memory), 11);
    EXPECT_THAT(c, memcmp(memory, "onetwothree", 11) == 0);
    close_ends(c, &ends);
}

static void net_recv_byte_by_byte(struct conformance *c)
{
    enum { LEN = 100 }; /* each may cost the system a page of its own */
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    for (uint32_t i = 0; i < LEN; i++)
        send_pattern(c, ends.a, 1, i);
    for (uint32_t i = 0; i < LEN; i++)
        recv_pattern(c, ends.b, 1, i);
    close_ends(c, &ends);
}

/* Of no bytes it waits for something to receive, or does not wait: it takes nothing. */
static void net_recv_of_no_bytes(struct conformance *c)
{
    struct tp_buf none = tp_buf_empty(NULL, 0);
    struct ends ends;
    uint64_t handle;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.b, &none));
    send_text(c, ends.a, "data");
    EXPECT(c, await(c, handle), 0);
    let_arrive(c);
    EXPECT(c, run(c, tp_request_recv(ends.b, &none)), 0);
    recv_text(c, ends.b, "data");
    none.capacity = 1;
    EXPECT(c, run(c, tp_request_recv(ends.b, &none)), -EFAULT);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ the end */

static void net_recv_end_of_stream(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    close_end(c, &ends.a);
    recv_end(c, ends.b, 3);
    close_ends(c, &ends);
}

static void net_recv_all_before_the_end(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_pattern(c, ends.a, 50000, 0);
    close_end(c, &ends.a);
    recv_pattern(c, ends.b, 20000, 0);
    let_arrive(c);
    recv_pattern(c, ends.b, 30000, 20000);
    recv_end(c, ends.b, 2);
    close_ends(c, &ends);
}

static void net_recv_whose_peer_closes(struct conformance *c)
{
    uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;
    uint64_t handle;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.a, &buf));
    EXPECT_THAT(c, waits(c, handle));
    close_end(c, &ends.b);
    EXPECT(c, await(c, handle), 0);
    close_ends(c, &ends);
}

/* A peer that closes before it has received all resets the connection: what it has sent
 * comes first, then the error, once. */
static void net_recv_after_a_reset(struct conformance *c)
{
    uint8_t byte;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "never received");
    send_text(c, ends.b, "data");
    let_arrive(c);
    close_end(c, &ends.b);
    let_arrive(c);
    recv_text(c, ends.a, "data");
    EXPECT(c, recv_once(c, ends.a, &byte, 1), -ECONNRESET);
    recv_end(c, ends.a, 2);
    close_ends(c, &ends);
}

static void net_recv_whose_peer_resets(struct conformance *c)
{
    uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;
    uint64_t handle;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.a, &buf));
    send_text(c, ends.a, "never received");
    EXPECT_THAT(c, waits(c, handle));
    close_end(c, &ends.b);
    EXPECT(c, await(c, handle), -ECONNRESET);
    recv_end(c, ends.a, 1);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ shutdown */

/* What had arrived is still received. */
static void net_recv_after_shutdown_read(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.a, "before");
    let_arrive(c);
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_READ)), 0);
    recv_text(c, ends.b, "before");
    recv_end(c, ends.b, 2);
    send_text(c, ends.b, "the other way");
    recv_text(c, ends.a, "the other way");
    close_ends(c, &ends);
}

static void net_recv_ended_by_shutdown_read(struct conformance *c)
{
    uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;
    uint64_t handle;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.b, &buf));
    EXPECT_THAT(c, waits(c, handle));
    EXPECT(c, run(c, tp_request_shutdown(ends.b, TP_SHUT_READ)), 0);
    EXPECT(c, await(c, handle), 0);
    close_ends(c, &ends);
}

static void net_recv_after_shutdown_write(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_shutdown(ends.a, TP_SHUT_WRITE)), 0);
    recv_end(c, ends.b, 2);
    send_pattern(c, ends.b, 10000, 0);
    recv_pattern(c, ends.a, 10000, 0);
    close_end(c, &ends.b);
    recv_end(c, ends.a, 2);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ cancel, close */

static void net_recv_cancelled_loses_nothing(struct conformance *c)
{
    uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;
    uint64_t handle;

    if (!open_ends(c, &ends))
        return;
    handle = submit(c, tp_request_recv(ends.b, &buf));
    EXPECT_THAT(c, waits(c, handle));
    EXPECT(c, run(c, tp_request_cancel(handle)), 0);
    EXPECT(c, await(c, handle), -ECANCELED);
    EXPECT(c, run(c, tp_request_cancel(handle)), -ENOENT);
    send_text(c, ends.a, "kept");
    recv_text(c, ends.b, "kept");
    close_ends(c, &ends);
}

/* Cancelled while data is on its way: whoever wins, no byte is lost or comes twice. */
static void net_recv_cancelled_in_a_race(struct conformance *c)
{
    enum { ROUNDS = 200 };
    uint32_t got = 0;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint8_t byte = 0;
        struct tp_buf in = tp_buf_empty(&byte, 1), out = tp_buf_full("x", 1);
        uint64_t target = submit(c, tp_request_recv(ends.b, &in));
        uint64_t sent = submit(c, tp_request_send(ends.a, &out));
        uint64_t cancel = submit(c, tp_request_cancel(target));
        int32_t value = await(c, cancel);

        EXPECT(c, value, 0, -ENOENT, -EALREADY);
        EXPECT(c, await(c, sent), 1);
        if (value == -ENOENT)
            EXPECT(c, await(c, target), 1);
        else
            EXPECT(c, value = await(c, target), 1, -ECANCELED);
        got += byte == 'x';
    }
    while (got < ROUNDS) {
        uint8_t memory[ROUNDS];
        int32_t value = recv_once(c, ends.b, memory, ROUNDS - got);

        if (value <= 0)
            break;
        got += (uint32_t)value;
    }
    EXPECT_THAT(c, got == ROUNDS);
    close_end(c, &ends.a);
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

static void net_recv_whose_socket_is_closed(struct conformance *c)
{
    uint8_t memory[2][16];
    struct tp_buf bufs[] = {tp_buf_empty(memory[0], 16), tp_buf_empty(memory[1], 16)};
    struct ends ends;
    uint64_t handles[2];

    if (!open_ends(c, &ends))
        return;
    for (uint32_t i = 0; i < 2; i++)
        handles[i] = submit(c, tp_request_recv(ends.a, &bufs[i]));
    EXPECT_THAT(c, waits(c, handles[1]));
    close_end(c, &ends.a);
    for (uint32_t i = 0; i < 2; i++)
        EXPECT(c, await(c, handles[i]), -ECANCELED);
    recv_end(c, ends.b, 1); /* the peer hears of it, though a recv was pending */
    close_ends(c, &ends);
}

/* Two at a time: every byte comes to one of them, and the end to both. */
static void net_recv_two_at_a_time(struct conformance *c)
{
    enum { LEN = 8 };
    uint8_t memory[2][LEN];
    struct tp_buf bufs[] = {tp_buf_empty(memory[0], LEN), tp_buf_empty(memory[1], LEN)};
    struct ends ends;
    uint64_t handles[2];
    uint32_t seen[256] = {0};

    if (!open_ends(c, &ends))
        return;
    for (uint32_t i = 0; i < 2; i++)
        handles[i] = submit(c, tp_request_recv(ends.b, &bufs[i]));
    EXPECT_THAT(c, waits(c, handles[0]));
    send_text(c, ends.a, "abc");
    close_end(c, &ends.a);
    for (uint32_t i = 0; i < 2; i++) {
        int32_t value = await(c, handles[i]);

        EXPECT(c, value, 0, 1, 2, 3);
        for (int32_t byte = 0; byte < value && byte < LEN; byte++)
            seen[memory[i][byte]]++;
    }
    EXPECT_THAT(c, seen['a'] == 1 && seen['b'] == 1 && seen['c'] == 1);
    recv_end(c, ends.b, 1);
    close_ends(c, &ends);
}

static void net_recv_on_a_listener(struct conformance *c)
{
    struct tp_address address = here(c);
    uint8_t byte;
    struct tp_fd listener;

    if (no_net(c))
        return;
    listener = listen_at(c, &address);
    EXPECT(c, recv_once(c, listener, &byte, 1), -ENOTCONN, -EINVAL);
    EXPECT(c, shots_end(c, submit(c, tp_request_recv_many(listener))), -ENOTCONN, -EINVAL);
    close_end(c, &listener);
}

const struct conformance_program conformance_net_recv[] = {
    OVER_EACH(net_recv_waits_for_data),
    OVER_EACH(net_recv_does_not_wait_for_more),
    OVER_EACH(net_recv_splits_what_was_sent),
    OVER_EACH(net_recv_joins_what_was_sent),
    OVER_EACH(net_recv_byte_by_byte),
    OVER_EACH(net_recv_of_no_bytes),
    OVER_EACH(net_recv_end_of_stream),
    OVER_EACH(net_recv_all_before_the_end),
    OVER_EACH(net_recv_whose_peer_closes),
    OVER_EACH(net_recv_after_a_reset),
    OVER_EACH(net_recv_whose_peer_resets),
    OVER_EACH(net_recv_after_shutdown_read),
    OVER_EACH(net_recv_ended_by_shutdown_read),
    OVER_EACH(net_recv_after_shutdown_write),
    OVER_EACH(net_recv_cancelled_loses_nothing),
    OVER_EACH(net_recv_cancelled_in_a_race),
    OVER_EACH(net_recv_whose_socket_is_closed),
    OVER_EACH(net_recv_two_at_a_time),
    OVER_EACH(net_recv_on_a_listener),
    {0},
};
