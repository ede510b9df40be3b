#include "apps/kv/sim/visitor.h"

#include <errno.h>
#include <inttypes.h>

#include "apps/kv/sim/life.h"
#include "runtime/operations.h"

#define MS         UINT64_C(1000000)
#define SILENCE_NS UINT64_C(3000000000)

int64_t kv_visited_now_ms(const struct kv_visited *visited, const struct kv_clock *clock)
{
    struct tp_io *io = tp_node_io(visited->server);

    return io == NULL ? clock->now_ms
                      : (int64_t)(io->backend->clock(io, TP_CLOCK_WALL) / MS);
}

static uint32_t below(const struct kv_visitor *visitor, uint32_t bound)
{
    return (uint32_t)tp_node_draw(visitor->node, bound);
}

static int64_t now_ms(const struct kv_visitor *visitor)
{
    struct kv_script *script = visitor->script;

    if (script->race != NULL)
        script->race->now_ns = tp_sim_now_ns(tp_node_sim(visitor->node));
    return kv_visited_now_ms(visitor->visited, &script->oracle->clock);
}

/* A step that is told of is a promise. */
static void note_promise(struct kv_visitor *visitor)
{
    const struct kv_script *script = visitor->script;
    uint64_t acked = script->oracle->owners[script->owner].acked;

    if (acked <= visitor->step)
        return;
    visitor->step = acked;
    tp_node_promised(visitor->node, "step %" PRIu64 " of client %" PRIu32, acked,
                     script->owner);
}

/* ------------------------------------------------------------------ talking */

/* Understands what has come. */
static void understand(struct kv_visitor *visitor)
{
    uint32_t at = 0;

    kv_life_look_at_server(tp_node_sim(visitor->node));
    for (;;) {
        struct kv_answer answer = kv_answer_read(visitor->in + at, visitor->in_len - at);

        if (answer.kind == KV_ANSWER_MORE)
            break;
        if (answer.kind == KV_ANSWER_WRONG) {
            kv_oracle_violate(visitor->script->oracle,
                              "client %u was sent no reply: '%.*s'", visitor->script->owner,
                              40, (const char *)visitor->in + at);
            visitor->hung_up = true;
            return;
        }
        kv_script_answer(visitor->script, &answer, now_ms(visitor));
        note_promise(visitor);
        at += answer.used;
    }
    visitor->in_len -= at;
    memmove(visitor->in, visitor->in + at, visitor->in_len);
}

/* The other side has ended, or is gone. Who has only ended its own side is answered all the
 * same. */
static void note_end(struct kv_visitor *visitor, int32_t value)
{
    visitor->hung_up = true;
    if (value == -ETIMEDOUT && visitor->visited->calm && visitor->script->count > 0)
        kv_oracle_violate(visitor->script->oracle, "client %u was not answered for long",
                          visitor->script->owner);
    if (value == 0 && visitor->ended_output && !visitor->visited->fails_to_send &&
        visitor->visited->serving && tp_node_is_up(visitor->visited->server) &&
        visitor->script->boot == visitor->visited->boot && visitor->script->count > 0 &&
        visitor->script->stage != KV_SCRIPT_STUCK)
        kv_oracle_violate(visitor->script->oracle,
                          "client %u ended its side, and was not answered everything",
                          visitor->script->owner);
}

static void take_received(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_result result;

    if (!tp_take(cx, &visitor->recv_op, &result))
        return;
    if (result.value <= 0) {
        note_end(visitor, result.value);
        return;
    }
    visitor->in_len += (uint32_t)result.value;
    understand(visitor);
}

static void take_sent(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_result result;

    (void)tp_take(cx, &visitor->shutdown_op, &result);
    if (!tp_take(cx, &visitor->send_op, &result))
        return;
    if (result.value < 0)
        visitor->hung_up = true; /* what was answered may still be there to be read */
    else
        visitor->sent += (uint32_t)result.value;
}

/* One more command, if there is to be one. */
static void ask_one(struct kv_visitor *visitor)
{
    struct kv_script *script = visitor->script;

    if (script->stage == KV_SCRIPT_RUN && script->steps_left > 0 &&
        script->racer.stage != KV_RACER_READY && !tp_node_more(visitor->node))
        script->steps_left = 0;
    if (kv_script_wants(script, visitor->depth))
        kv_script_ask(script, now_ms(visitor));
}

static void ask(struct kv_visitor *visitor)
{
    struct kv_script *script = visitor->script;

    if (visitor->sent == script->request_len)
        visitor->sent = script->request_len = 0;
    while (!visitor->ended_output && kv_script_wants(script, visitor->depth))
        ask_one(visitor);
}

static void send_on(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    const struct kv_script *script = visitor->script;
    uint32_t left = script->request_len - visitor->sent, len;

    if (left == 0 || tp_op_is_some(visitor->send_op) || visitor->ended_output)
        return;
    len = below(visitor, 4) == 3 ? 1 + below(visitor, 16) : KV_VISITOR_OUT;
    if (len > left)
        len = left;
    memcpy(visitor->out, script->request + visitor->sent, len);
    visitor->send_buf = tp_buf_full(visitor->out, len);
    visitor->send_op = tp_send(cx, visitor->fd, &visitor->send_buf);
}

static void receive_on(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    if (tp_op_is_some(visitor->recv_op))
        return;
    tp_assert(visitor->in_len < KV_VISITOR_IN);
    visitor->recv_buf =
        tp_buf_empty(visitor->in + visitor->in_len, KV_VISITOR_IN - visitor->in_len);
    /* A peer without power is silent: who is not answered for long hangs up. */
    visitor->recv_op =
        tp_deadline(cx, tp_recv(cx, visitor->fd, &visitor->recv_buf), SILENCE_NS);
}

/* Something that clients do: to hang up in the middle, to say that that was all, to look
 * away for a while. */
static void have_a_whim(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    uint32_t left = visitor->script->request_len - visitor->sent;

    if (visitor->whims_in == 0 ||
        below(visitor, visitor->whims_in) != visitor->whims_in - 1)
        return;
    switch (below(visitor, 3)) {
    case 0:
        visitor->hung_up = true;
        break;
    case 1:
        if (left > 0 || tp_op_is_some(visitor->send_op) || visitor->ended_output)
            break;
        visitor->ended_output = true;
        visitor->shutdown_op = tp_shutdown(cx, visitor->fd, TP_SHUT_WRITE);
        break;
    default:
        if (!tp_op_is_some(visitor->op))
            visitor->op = tp_timer(cx, below(visitor, 20) * MS);
        break;
    }
}

/* Whether this connection has nothing left to it. */
static bool is_finished(const struct kv_visitor *visitor)
{
    return visitor->hung_up || visitor->finished ||
           visitor->script->stage == KV_SCRIPT_STUCK ||
           kv_oracle_is_broken(visitor->script->oracle);
}

static void talk(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_result result;

    take_received(visitor, cx);
    take_sent(visitor, cx);
    if (tp_take(cx, &visitor->op, &result))
        visitor->script->pausing = false;
    visitor->finished = kv_script_done(visitor->script);
    if (is_finished(visitor))
        return;
    ask(visitor);
    send_on(visitor, cx);
    have_a_whim(visitor, cx);
    if (visitor->script->pausing && !tp_op_is_some(visitor->op))
        visitor->op = tp_timer(cx, MS / 2 + below(visitor, 1000000));
    if (!tp_op_is_some(visitor->op)) /* else it looks away */
        receive_on(visitor, cx);
}

/* ------------------------------------------------------------------ coming and going */

static void go_away(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    bool in_vain = visitor->script->stage == KV_SCRIPT_STUCK ||
                   visitor->state == KV_VISITOR_CONNECTING;
    uint32_t ms = in_vain ? 20 : 3;

    kv_script_disconnected(visitor->script);
    visitor->sent = visitor->in_len = 0;
    visitor->ended_output = visitor->hung_up = false;
    visitor->op = tp_timer(cx, below(visitor, ms * 1000) * (MS / 1000));
    visitor->state = KV_VISITOR_AWAY;
}

/* Stops what is on loan, then closes: what was not read is lost, and the peer is reset. */
static bool leave(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_result result;

    tp_cancel(cx, visitor->op);
    tp_cancel(cx, visitor->send_op);
    tp_cancel(cx, visitor->recv_op);
    (void)tp_take(cx, &visitor->op, &result);
    (void)tp_take(cx, &visitor->send_op, &result);
    (void)tp_take(cx, &visitor->recv_op, &result);
    (void)tp_take(cx, &visitor->shutdown_op, &result);
    if (tp_op_is_some(visitor->op) || tp_op_is_some(visitor->send_op) ||
        tp_op_is_some(visitor->recv_op) || tp_op_is_some(visitor->shutdown_op))
        return false;
    tp_detach(cx, tp_close(cx, visitor->fd));
    return true;
}

static void connect_to(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_socket_options options = {.no_delay = true};

    visitor->op =
        tp_deadline(cx, tp_connect(cx, &visitor->visited->address, options), 1000 * MS);
    visitor->state = KV_VISITOR_CONNECTING;
}

static bool is_done(const struct kv_visitor *visitor, struct tp_ctx *cx)
{
    return visitor->finished || kv_oracle_is_broken(visitor->script->oracle) ||
           tp_cancelled(cx);
}

/* Claims what it waited for while it was away, or while it was connecting. */
static bool arrive(struct kv_visitor *visitor, struct tp_ctx *cx)
{
    struct tp_result result;

    if (!tp_take(cx, &visitor->op, &result))
        return false;
    if (visitor->state == KV_VISITOR_AWAY) {
        connect_to(visitor, cx);
        return false;
    }
    if (result.value < 0) {
        go_away(visitor, cx);
        return false;
    }
    visitor->fd = tp_into_fd(cx, result);
    /* With another server no connection of before is left, and ids begin again. */
    if (visitor->script->boot != visitor->visited->boot)
        visitor->script->old_id = 0;
    visitor->script->boot = visitor->visited->boot;
    kv_script_connected(visitor->script);
    visitor->state = KV_VISITOR_TALKING;
    return true;
}

enum tp_step kv_visitor_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_visitor *visitor = tp_container_of(machine, struct kv_visitor, machine);

    if (visitor->state == KV_VISITOR_NEW)
        go_away(visitor, cx);
    if (visitor->state == KV_VISITOR_AWAY || visitor->state == KV_VISITOR_CONNECTING) {
        bool idle = visitor->state == KV_VISITOR_AWAY;

        if (idle && is_done(visitor, cx)) {
            tp_abandon(cx, visitor->op);
            visitor->op = tp_no_op();
            return tp_end(machine, 0);
        }
        if (!arrive(visitor, cx))
            return TP_WAIT;
    }
    if (visitor->state == KV_VISITOR_TALKING) {
        talk(visitor, cx);
        if (!is_finished(visitor))
            return TP_WAIT;
        visitor->state = KV_VISITOR_LEAVING;
    }
    if (leave(visitor, cx))
        go_away(visitor, cx);
    return TP_WAIT;
}
