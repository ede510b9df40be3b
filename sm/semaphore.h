/** sm/semaphore.h - at most n machines at a time, first come, first served.
 *
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_semaphore_acquire(cx, &sem, &m->turn)) != -EAGAIN);
 *     if (m->rc < 0)
 *         return tp_end(machine, m->rc);
 *     ...
 *     tp_semaphore_release(&sem);
 *
 * A unit that is released goes to the machine that has waited longest, in the very moment:
 * nobody who asks later can take it first. A machine that is cancelled while it waits gets
 * -ECANCELED and has left the queue; a unit that was already its own has gone to the next.
 * So no unit is lost. Inside tp_shield() a cancelled machine waits on.
 *
 * Closing says that no unit will come any more: who waits gets -EPIPE. Zeroed memory is a
 * semaphore without a unit. A machine that stops asking calls tp_semaphore_leave().
 */
#ifndef TEMPEST_SM_SEMAPHORE_H
#define TEMPEST_SM_SEMAPHORE_H

#include "wait.h"

struct tp_semaphore {
    struct tp_wait_list waiting;
    uint32_t units;   /* free: neither held nor given to somebody who has not looked yet */
    uint32_t granted; /* given to somebody who has not looked yet */
    bool closed;
};

/** One machine's turn at one semaphore. */
struct tp_turn {
    struct tp_waiter waiter;        /* first */
    struct tp_semaphore *semaphore; /* that it is queued at or has a unit of; NULL: none */
    bool granted;
};

TP_BEGIN_DECLS

/** A semaphore with `units` units to be had. */
TP_EXPORT void tp_semaphore_init(struct tp_semaphore *semaphore, uint32_t units);

/** 0: a unit is yours. -EAGAIN: you are queued; ask again when woken. -ECANCELED: this
 * machine was cancelled. -EPIPE: closed, and no unit is left. `turn` is zeroed before its
 * first use. */
TP_EXPORT int32_t tp_semaphore_acquire(struct tp_ctx *cx, struct tp_semaphore *semaphore,
                                       struct tp_turn *turn);

/** Gives a unit back (or makes a new one). */
TP_EXPORT void tp_semaphore_release(struct tp_semaphore *semaphore);

/** Stops asking: leaves the queue, and passes on a unit that was given and not yet looked
 * at. */
TP_EXPORT void tp_semaphore_leave(struct tp_turn *turn);

/** No unit will come any more. Units that are left can still be had. */
TP_EXPORT void tp_semaphore_close(struct tp_semaphore *semaphore);

TP_END_DECLS

#endif
