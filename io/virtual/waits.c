/* Operations that wait for a peer or a signal, and multishots. An operation that finds
 * nothing at its effect is put into a list; when something comes, each in the list tries
 * again after a drawn time. A multishot does what it can each time, but no more than its
 * share of a poll, so that a busy connection leaves room for others. */
#include "virtual_internal.h"

#include <errno.h>

#include "io/recv_pool.h"

#define SHARE_MAX 32 /* shots of one multishot in a poll */

int32_t tp_wait_in(struct tp_virtual *v, struct tp_flight *f, struct tp_flight_list *list)
{
    if (f->no_wait || v->draining)
        return -ECANCELED;
    f->state = TP_FLIGHT_WAITS;
    tp_flight_append(v, list, tp_flight_index(v, f));
    return TP_NOT_YET;
}

void tp_wake_all(struct tp_virtual *v, struct tp_flight_list *list)
{
    while (list->count > 0)
        tp_flight_begin_again(v, tp_flight_pop(v, list));
}

static void remove_from_lists(struct tp_virtual *v, uint32_t flight)
{
    const struct tp_flight *f = tp_flight_at(v, flight);

    if (f->state == TP_FLIGHT_STARVED) {
        tp_flight_remove(v, &v->starved, flight);
    } else if (f->state == TP_FLIGHT_PACED) {
        tp_flight_remove(v, &v->paced, flight);
    } else if (f->request.kind == TP_SIGNAL) {
        tp_flight_remove(v, &v->for_signal, flight);
    } else {
        tp_flight_remove(v, &tp_vfile_at(v, f->file)->in, flight);
        tp_flight_remove(v, &tp_vfile_at(v, f->file)->out, flight);
    }
}

void tp_wait_stop(struct tp_virtual *v, uint32_t flight)
{
    remove_from_lists(v, flight);
    tp_socket_effect_failed(v, tp_flight_at(v, flight));
    tp_flight_finish(v, flight, -ECANCELED);
}

static void stop_those_of(struct tp_virtual *v, const struct tp_flight_list *list,
                          uint32_t file)
{
    uint32_t next;

    for (uint32_t at = list->first; at != 0; at = next) {
        next = tp_flight_at(v, at)->next;
        if (tp_flight_at(v, at)->file == file)
            tp_wait_stop(v, at);
    }
}

void tp_wait_stop_all(struct tp_virtual *v, uint32_t file)
{
    stop_those_of(v, &tp_vfile_at(v, file)->in, file);
    stop_those_of(v, &tp_vfile_at(v, file)->out, file);
    stop_those_of(v, &v->starved, file);
    stop_those_of(v, &v->paced, file);
}

/* ------------------------------------------------------------------ multishots */

static bool has_share(const struct tp_virtual *v, struct tp_flight *f)
{
    if (f->share_poll != v->polls) {
        f->share_poll = v->polls;
        f->share = 0;
    }
    return f->share < SHARE_MAX;
}

static void set_aside(struct tp_virtual *v, uint32_t flight, struct tp_flight_list *list,
                      enum tp_flight_state state)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    if (f->no_wait || v->draining) {
        tp_flight_finish(v, flight, -ECANCELED);
        return;
    }
    f->state = (uint8_t)state;
    tp_flight_append(v, list, flight);
}

/* One try. False: the multishot waits now, or has ended. */
static bool shoot(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);
    bool accepts = f->request.kind == TP_ACCEPT_MANY;
    uint64_t payload = 0;
    uint32_t buf = 0;
    int32_t value;

    value = accepts ? tp_accept_one(v, f) : tp_recv_one(v, f, &buf, &payload);
    if (value == TP_NO_BUF) {
        v->io.stats.recv_bufs_exhausted++;
        set_aside(v, flight, &v->starved, TP_FLIGHT_STARVED);
        return false;
    }
    if (value == TP_NOT_YET) {
        value = tp_wait_in(v, f, &tp_vfile_at(v, f->file)->in);
        if (value == TP_NOT_YET)
            return false;
    }
    if (value < 0 || (value == 0 && !accepts)) {
        tp_flight_finish(v, flight, value);
        return false;
    }
    tp_flight_shoot(v, flight, value, buf, payload);
    tp_flight_at(v, flight)->share++;
    return true;
}

void tp_many_due(struct tp_virtual *v, uint32_t flight)
{
    struct tp_flight *f = tp_flight_at(v, flight);

    tp_fault_try(v, f);
    if (f->fail != 0) {
        tp_flight_finish(v, flight, f->fail);
        return;
    }
    do {
        if (!has_share(v, tp_flight_at(v, flight))) {
            set_aside(v, flight, &v->paced, TP_FLIGHT_PACED);
            return;
        }
    } while (shoot(v, flight));
}

void tp_many_resume(struct tp_virtual *v)
{
    for (uint32_t left = v->paced.count; left > 0; left--)
        tp_many_due(v, tp_flight_pop(v, &v->paced));
    for (uint32_t left = v->starved.count; left > 0 && v->io.recv_bufs->returned_count > 0;
         left--) {
        v->io.stats.rearmed++;
        tp_many_due(v, tp_flight_pop(v, &v->starved));
    }
}

uint32_t tp_many_resumable(const struct tp_virtual *v)
{
    uint32_t bufs = v->starved.count == 0 ? 0 : v->io.recv_bufs->returned_count;

    return v->paced.count + (v->starved.count < bufs ? v->starved.count : bufs);
}
