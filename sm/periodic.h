/** sm/periodic.h - a timer that comes back at fixed points in time, and does not drift.
 *
 *     tp_periodic_init(cx, &m->beat, 100 * 1000 * 1000, TP_PERIODIC_SKIP);
 *     for (;;) {
 *         TP_AWAIT(cx, tp_periodic_next(cx, &m->beat), &result);
 *         if (result.value < 0)
 *             return tp_end(machine, result.value);
 *         ... every 100 ms; m->beat.missed says how many were too late to be told ...
 *     }
 *
 * The points are begin + k * period; how long the work in between takes moves none of them.
 * What becomes of points that have passed by the time one asks for the next:
 *
 *     TP_PERIODIC_SKIP   they are counted in `missed`; the next one to come is waited for
 *     TP_PERIODIC_ALL    each is told, without delay, until time is caught up with
 */
#ifndef TEMPEST_SM_PERIODIC_H
#define TEMPEST_SM_PERIODIC_H

#include "../runtime/op.h"

enum tp_periodic_policy { TP_PERIODIC_SKIP, TP_PERIODIC_ALL };

struct tp_periodic {
    uint64_t period_ns;
    uint64_t due_ns; /* the point in time that was last waited for, on the clock of
                        tp_now_ns() */
    uint64_t told;   /* points waited for */
    uint64_t missed; /* points skipped */
    uint32_t policy; /* enum tp_periodic_policy */
    uint32_t reserved;
};

TP_BEGIN_DECLS

/** Begins now; the first point is one period (> 0) away. */
TP_EXPORT void tp_periodic_init(struct tp_ctx *cx, struct tp_periodic *periodic,
                                uint64_t period_ns, enum tp_periodic_policy policy);

/** Waits for the next point: a timer, claimed and cancelled like any. One at a time. */
TP_EXPORT struct tp_op tp_periodic_next(struct tp_ctx *cx, struct tp_periodic *periodic);

TP_END_DECLS

#define tp_periodic_next(cx, periodic) tp_periodic_next(TP_HERE(cx), periodic)

#endif
