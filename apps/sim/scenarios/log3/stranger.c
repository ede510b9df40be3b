#include "apps/sim/scenarios/log3/stranger.h"

#include "apps/sim/scenarios/log3/message.h"
#include "runtime/await.h"
#include "runtime/operations.h"

#define PATIENCE_NS UINT64_C(300000000)

static struct tp_op connect(struct tp_ctx *cx, struct log3_stranger *stranger)
{
    struct tp_socket_options options = {.no_delay = true};
    uint32_t target = (uint32_t)(tp_random(cx) % LOG3_NODES);

    return tp_deadline(cx, tp_connect(cx, &stranger->addresses[target], options),
                       PATIENCE_NS);
}

/* A message but for its kind; or a length and whatever; or whatever. */
static struct tp_op say(struct tp_ctx *cx, struct log3_stranger *stranger)
{
    struct log3_message message = {.kind = LOG3_MATCHED, .term = 1};
    uint64_t how = tp_random(cx) % 3;

    for (uint32_t i = 0; i < LOG3_STRANGE_BYTES; i++)
        stranger->bytes[i] = (uint8_t)tp_random(cx);
    if (how == 0)
        (void)log3_message_put(stranger->bytes, &message);
    if (how <= 1) {
        (void)log3_put(stranger->bytes, LOG3_HEAD_BYTES, 4);
        stranger->bytes[4] = (uint8_t)(LOG3_KINDS + tp_random(cx) % 8);
    }
    stranger->buf = tp_buf_full(stranger->bytes, LOG3_STRANGE_BYTES);
    return tp_deadline(cx, tp_send(cx, stranger->fd, &stranger->buf), PATIENCE_NS);
}

/* Until the node has hung up, or it has had enough. */
static struct tp_op hear(struct tp_ctx *cx, struct log3_stranger *stranger)
{
    stranger->buf = tp_buf_empty(stranger->bytes, LOG3_STRANGE_BYTES);
    return tp_deadline(cx, tp_recv(cx, stranger->fd, &stranger->buf), PATIENCE_NS);
}

enum tp_step log3_stranger_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_stranger *stranger =
        tp_container_of(machine, struct log3_stranger, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; stranger->visits > 0; stranger->visits--) {
        TP_AWAIT(cx, connect(cx, stranger), &result);
        if (result.value >= 0) {
            stranger->fd = tp_into_fd(cx, result);
            TP_AWAIT(cx, say(cx, stranger), &result);
            TP_AWAIT(cx, hear(cx, stranger), &result);
            TP_AWAIT(cx, tp_close(cx, stranger->fd), &result);
        }
        TP_AWAIT(cx, tp_timer(cx, PATIENCE_NS), &result);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}
