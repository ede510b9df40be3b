/* Who wins when an operation is cancelled. */
#include "virtual_internal.h"

#include <errno.h>

enum { STOPPED, TOO_LATE, IN_VAIN, HALF_WAY, WAYS };

/* Lets a transfer that has not happened yet happen in part; false if it is too small for
 * that. */
static bool stop_half_way(struct tp_virtual *v, struct tp_flight *f, uint32_t stream)
{
    uint16_t kind = f->request.kind;
    bool transfers =
        kind == TP_READ || kind == TP_WRITE || kind == TP_RECV || kind == TP_SEND;

    if (!transfers || f->request.len < 2)
        return false;
    f->limit = f->request.len - 1 -
               (uint32_t)tp_tape_draw(v->tape, stream, TP_DRAW_SHORT, f->request.len - 1);
    return true;
}

int32_t tp_cancel_effect(struct tp_virtual *v, uint64_t target)
{
    uint32_t stream = tp_stream(v->config.node, TP_CONCERN_CANCEL);
    uint32_t flight = tp_flight_find(v, target);
    struct tp_flight *f;

    if (flight == 0 || tp_flight_at(v, flight)->state == TP_FLIGHT_READY)
        return -ENOENT;
    f = tp_flight_at(v, flight);
    if (f->state == TP_FLIGHT_QUEUED) {
        tp_flight_withdraw(v, flight, -ECANCELED);
        return 0;
    }
    if (f->state == TP_FLIGHT_WAITS || f->state == TP_FLIGHT_STARVED ||
        f->state == TP_FLIGHT_PACED) {
        tp_wait_stop(v, flight);
        return 0;
    }
    if (f->state == TP_FLIGHT_DONE || f->fail != 0 || f->hangs ||
        (tp_kind_info[f->request.kind].traits & TP_CLEANUP) != 0)
        return -EALREADY;
    /* It may win the race if what it wants is there, but not begin to wait after it. */
    f->no_wait = (tp_kind_info[f->request.kind].traits & TP_WAITS) != 0;
    switch (tp_tape_draw(v->tape, stream, TP_DRAW_CANCEL, WAYS)) {
    case STOPPED:
        f->fail = -ECANCELED;
        return 0;
    case TOO_LATE:
        return -EALREADY;
    case HALF_WAY:
        return stop_half_way(v, f, stream) ? 0 : -EALREADY;
    default:
        return 0;
    }
}
