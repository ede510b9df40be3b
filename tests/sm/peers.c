#include "tests/sm/peers.h"

#include <errno.h>
#include <string.h>

#include "runtime/await.h"
#include "runtime/operations.h"

/* ------------------------------------------------------------------ the service */

void peers_answer(struct tp_connection *connection, const uint8_t *line, int32_t len)
{
    uint8_t *place = tp_connection_reserve(connection, (uint32_t)len + 1);

    if (place == NULL)
        return;
    place[0] = '<';
    memcpy(place + 1, line, (uint32_t)len - 1);
    place[len] = '>';
    tp_connection_commit(connection, (uint32_t)len + 1);
}

enum tp_step peers_client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_connection *c = &tp_client_of(machine)->connection;
    const uint8_t *line;
    int32_t len;

    while ((len = tp_connection_peek_line(cx, c, LINE_BYTES_MAX, &line)) > 0) {
        peers_answer(c, line, len);
        tp_connection_consume(c, (uint32_t)len);
    }
    return len == -EAGAIN ? TP_WAIT : tp_client_end(machine, cx);
}

/* ------------------------------------------------------------------ what is said */

/* Line `number` is so long, its '\n' not counted, and says this. */
static uint32_t line_len(const struct peer *p, uint32_t number)
{
    uint64_t mixed = (p->seed + number) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(mixed >> 40) % (mixed >> 60 == 0 ? LINE_BYTES_MAX - 1 : 24);
}

static uint8_t line_byte(const struct peer *p, uint32_t number, uint32_t at)
{
    return (uint8_t)('a' + (p->seed * 7 + number * UINT64_C(5) + at) % 26);
}

/* Puts whole lines into `out`, as many as fit and are left, at most `lines_max`. */
static void say(struct peer *p, uint32_t lines_max)
{
    p->out = tp_buf_full(p->out_bytes, 0);
    while (p->line < p->lines && lines_max-- > 0) {
        uint32_t len = line_len(p, p->line);

        if (p->out.len + len + 1 > PEER_BYTES)
            return;
        for (uint32_t i = 0; i < len; i++)
            p->out_bytes[p->out.len++] = line_byte(p, p->line, i);
        p->out_bytes[p->out.len++] = '\n';
        p->line++;
    }
}

/* What `in` holds is the next that is due. */
static void hear(struct peer *p)
{
    for (uint32_t i = 0; i < p->in.len; i++) {
        uint32_t len = line_len(p, p->due_line);
        uint8_t due = '<';

        if (p->due_offset == len + 1)
            due = '>';
        else if (p->due_offset > 0)
            due = line_byte(p, p->due_line, p->due_offset - 1);
        if (p->due_line >= p->lines || p->in_bytes[i] != due)
            p->wrong = true;
        if (p->due_offset++ == len + 1) {
            p->due_offset = 0;
            p->due_line++;
        }
    }
}

static bool heard_all(const struct peer *p)
{
    return p->due_line == p->lines && p->due_offset == 0;
}

/* ------------------------------------------------------------------ its operations */

static struct tp_op send_rest(struct tp_ctx *cx, struct peer *p, uint32_t bytes_max)
{
    if (p->out.len > bytes_max)
        p->out.len = bytes_max;
    return tp_send(cx, p->fd, &p->out);
}

static struct tp_op hear_more(struct tp_ctx *cx, struct peer *p, uint32_t bytes)
{
    p->in = tp_buf_empty(p->in_bytes, bytes);
    return tp_recv(cx, p->fd, &p->in);
}

/* So many bytes of `out` are sent: the rest of what it said, `said` bytes, is next. */
static void advance(struct peer *p, uint32_t said, uint32_t bytes)
{
    p->out = tp_buf_full(p->out.data + bytes, said - bytes);
}

static enum tp_step leave(struct tp_ctx *cx, struct peer *p, int32_t error)
{
    p->error = error;
    p->left_ns = tp_now_ns(cx);
    tp_abandon(cx, p->send_op);
    tp_abandon(cx, p->recv_op);
    p->send_op = p->recv_op = tp_no_op();
    tp_detach(cx, tp_close(cx, p->fd));
    return tp_end(&p->machine, 0);
}

/* Asks all at once and reads meanwhile: two operations at a time. */
static enum tp_step pipeline_tick(struct tp_ctx *cx, struct peer *p)
{
    struct tp_result result;

    if (tp_take(cx, &p->send_op, &result)) {
        if (result.value < 0)
            return leave(cx, p, result.value);
        advance(p, p->out.len, (uint32_t)result.value);
    }
    if (tp_take(cx, &p->recv_op, &result)) {
        if (result.value <= 0)
            return leave(cx, p, result.value);
        hear(p);
    }
    if (!tp_op_is_some(p->send_op)) {
        if (p->out.len == 0)
            say(p, UINT32_MAX);
        if (p->out.len > 0)
            p->send_op = send_rest(cx, p, UINT32_MAX);
    }
    if (heard_all(p)) {
        p->content = true;
        return leave(cx, p, 0);
    }
    if (!tp_op_is_some(p->recv_op))
        p->recv_op = hear_more(cx, p, PEER_BYTES);
    return TP_WAIT;
}

/* ------------------------------------------------------------------ those that take turns
 */

static enum tp_step polite_tick(struct tp_ctx *cx, struct peer *p)
{
    struct tp_result result;

    TP_BEGIN(cx);
    while (p->line < p->lines) {
        say(p, 1);
        while (p->out.len > 0) {
            TP_AWAIT(cx, send_rest(cx, p, UINT32_MAX), &result);
            if (result.value < 0)
                return leave(cx, p, result.value);
            advance(p, p->out.len, (uint32_t)result.value);
        }
        while (p->due_line < p->line) {
            TP_AWAIT(cx, hear_more(cx, p, PEER_BYTES), &result);
            if (result.value <= 0)
                return leave(cx, p, result.value);
            hear(p);
        }
    }
    p->content = true;
    return leave(cx, p, 0);
    TP_END(cx);
}

/* Sends a part at a time, ends its output, and reads a part at a time. */
static enum tp_step parts_tick(struct tp_ctx *cx, struct peer *p)
{
    uint32_t part = p->manner == TRICKLER ? 1 : UINT32_MAX;
    uint32_t bite = p->manner == SLOW ? 100 : PEER_BYTES;
    struct tp_result result;

    TP_BEGIN(cx);
    while (p->line < p->lines) {
        say(p, 4);
        while (p->out.len > 0) {
            p->asked_at = p->out.len;
            TP_AWAIT(cx, send_rest(cx, p, part), &result);
            if (result.value < 0)
                return leave(cx, p, result.value);
            advance(p, (uint32_t)p->asked_at, (uint32_t)result.value);
        }
    }
    TP_AWAIT(cx, tp_shutdown(cx, p->fd, TP_SHUT_WRITE), &result);
    if (result.value < 0)
        return leave(cx, p, result.value);
    for (;;) {
        TP_AWAIT(cx, hear_more(cx, p, bite), &result);
        if (result.value <= 0)
            break;
        hear(p);
        if (p->pause_ns > 0)
            TP_AWAIT(cx, tp_timer(cx, p->pause_ns), &result);
    }
    p->content = result.value == 0 && heard_all(p);
    return leave(cx, p, result.value);
    TP_END(cx);
}

/* Never reads; sends until it is stuck for a while, or has said all. */
static enum tp_step mute_tick(struct tp_ctx *cx, struct peer *p)
{
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        if (p->out.len == 0)
            say(p, UINT32_MAX);
        if (p->out.len == 0)
            break;
        TP_AWAIT(cx, tp_deadline(cx, send_rest(cx, p, UINT32_MAX), p->pause_ns), &result);
        if (result.value < 0)
            break;
        advance(p, p->out.len, (uint32_t)result.value);
    }
    if (p->manner == MUTE)
        TP_AWAIT(cx, tp_timer(cx, p->pause_ns), &result);
    p->content = true;
    return leave(cx, p, 0);
    TP_END(cx);
}

/* What it gets must be the end, and nothing before. */
static enum tp_step end_tick(struct tp_ctx *cx, struct peer *p)
{
    struct tp_result result;

    TP_BEGIN(cx);
    if (p->manner == GARBAGE) {
        memset(p->out_bytes, 'g', PEER_BYTES);
        p->out = tp_buf_full(p->out_bytes, PEER_BYTES);
        TP_AWAIT(cx, send_rest(cx, p, UINT32_MAX), &result);
        if (result.value < 0)
            return leave(cx, p, result.value);
    }
    if (p->manner != VISITOR) {
        TP_AWAIT(cx, hear_more(cx, p, PEER_BYTES), &result);
        if (result.value > 0)
            p->wrong = true;
        if (result.value != 0)
            return leave(cx, p, result.value);
    }
    p->content = true;
    return leave(cx, p, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the machine */

static enum tp_step act(struct tp_ctx *cx, struct peer *p)
{
    switch (p->manner) {
    case POLITE:
        return polite_tick(cx, p);
    case PIPELINER:
        return pipeline_tick(cx, p);
    case TRICKLER:
    case SLOW:
        return parts_tick(cx, p);
    case MUTE:
    case RESETTER:
        return mute_tick(cx, p);
    case GARBAGE:
    case IDLER:
    case VISITOR:
        return end_tick(cx, p);
    case PEER_MANNERS:
        break;
    }
    tp_unreachable();
}

static enum tp_step peer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct peer *p = tp_container_of(machine, struct peer, machine);
    struct tp_socket_options options = {.no_delay = true};
    struct tp_result result;

    if (p->manner == MUTE || p->manner == SLOW)
        options.recv_buffer_bytes = 8192;

    if (tp_fd_is_some(p->fd))
        return act(cx, p);
    if (!tp_op_is_some(p->recv_op)) {
        p->recv_op = tp_connect(cx, &p->address, options);
        return TP_WAIT;
    }
    if (!tp_take(cx, &p->recv_op, &result))
        return TP_WAIT;
    if (result.value < 0) {
        p->error = result.value;
        return tp_end(machine, 0);
    }
    p->fd = tp_into_fd(cx, result);
    return act(cx, p);
}

struct tp_op peer_start(struct tp_ctx *cx, struct peer *peer, enum peer_manner manner,
                        const struct tp_address *address, uint32_t lines, uint64_t seed)
{
    memset(peer, 0, sizeof *peer);
    peer->manner = manner;
    peer->address = *address;
    peer->lines = lines;
    peer->seed = seed;
    peer->pause_ns = manner == SLOW ? 100000 : 5000000;
    return tp_start(cx, &peer->machine, peer_tick, "peer");
}
