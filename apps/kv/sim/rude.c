#include "apps/kv/sim/rude.h"

#include "runtime/operations.h"

#define MS UINT64_C(1000000)

static uint32_t below(const struct kv_rude *rude, uint32_t bound)
{
    return (uint32_t)tp_node_draw(rude->node, bound);
}

/* Something that begins well, or not at all. None of it changes anything. */
static uint32_t make_garbage(struct kv_rude *rude)
{
    static const char *const beginnings[] = {
        "",
        "*1\r\n$4\r\nPING\r\n",
        "*3\r\n$3\r\nGET\r\n",
        "*2\r\n$3\r\nGET\r\n$1000\r\n",
        "GET a\r\n",
        "BGSAVE\r\n",
        "*100000\r\n",
        "*1\r\n$-5\r\n",
        "DEBUG SLEEP 0.01\r\n",
        "MULTI\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n",
    };
    const char *beginning =
        beginnings[below(rude, sizeof beginnings / sizeof beginnings[0])];
    uint32_t len = (uint32_t)strlen(beginning), more = below(rude, 64);

    memcpy(rude->bytes, beginning, len);
    for (uint32_t i = 0; i < more; i++)
        rude->bytes[len++] = (uint8_t)(0x80 | below(rude, 128)); /* no command at all */
    return len;
}

static void connect_to(struct kv_rude *rude, struct tp_ctx *cx)
{
    struct tp_socket_options options = {.no_delay = true};

    rude->op = tp_deadline(cx, tp_connect(cx, &rude->visited->address, options), 500 * MS);
    rude->state = KV_RUDE_CONNECTING;
}

static void go_away(struct kv_rude *rude, struct tp_ctx *cx)
{
    rude->over = !tp_node_more(rude->node);
    if (rude->over)
        return;
    rude->op = tp_timer(cx, below(rude, 10) * MS);
    rude->state = KV_RUDE_AWAY;
}

static void send_garbage(struct kv_rude *rude, struct tp_ctx *cx)
{
    uint32_t len = make_garbage(rude);

    rude->buf = tp_buf_full(rude->bytes, len);
    rude->op = tp_send(cx, rude->fd, &rude->buf);
    rude->state = KV_RUDE_SENDING;
}

static void stay(struct kv_rude *rude, struct tp_ctx *cx)
{
    rude->op = tp_timer(cx, below(rude, 30) * MS);
    if (below(rude, 2) == 0) {
        rude->in_buf = tp_buf_empty(rude->in, sizeof rude->in);
        rude->recv_op = tp_recv(cx, rude->fd, &rude->in_buf);
    }
    rude->state = KV_RUDE_STAYING;
}

static bool leave(struct kv_rude *rude, struct tp_ctx *cx)
{
    struct tp_result result;

    tp_cancel(cx, rude->recv_op);
    (void)tp_take(cx, &rude->recv_op, &result);
    if (tp_op_is_some(rude->recv_op))
        return false;
    tp_detach(cx, tp_close(cx, rude->fd));
    return true;
}

/* The operation that it waited for has come to something. */
static void go_on(struct kv_rude *rude, struct tp_ctx *cx, const struct tp_result *result)
{
    switch (rude->state) {
    case KV_RUDE_AWAY:
        connect_to(rude, cx);
        break;
    case KV_RUDE_CONNECTING:
        if (result->value < 0) {
            go_away(rude, cx);
            break;
        }
        rude->fd = tp_into_fd(cx, *result);
        send_garbage(rude, cx);
        break;
    case KV_RUDE_SENDING:
        stay(rude, cx);
        break;
    case KV_RUDE_STAYING:
    case KV_RUDE_LEAVING:
        rude->state = KV_RUDE_LEAVING;
        break;
    }
}

enum tp_step kv_rude_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_rude *rude = tp_container_of(machine, struct kv_rude, machine);
    struct tp_result result;

    if (rude->state == KV_RUDE_AWAY && !tp_op_is_some(rude->op))
        go_away(rude, cx);
    if (rude->state == KV_RUDE_STAYING)
        (void)tp_take(cx, &rude->recv_op, &result);
    if (tp_take(cx, &rude->op, &result))
        go_on(rude, cx, &result);
    if (rude->state == KV_RUDE_LEAVING && leave(rude, cx))
        go_away(rude, cx);
    return rude->over ? tp_end(machine, 0) : TP_WAIT;
}
