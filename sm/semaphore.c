#include "sm/semaphore.h"

#include <errno.h>

void tp_semaphore_init(struct tp_semaphore *semaphore, uint32_t units)
{
    struct tp_semaphore fresh = {.units = units};

    *semaphore = fresh;
}

void tp_semaphore_release(struct tp_semaphore *semaphore)
{
    struct tp_waiter *first = tp_wait_list_wake_first(&semaphore->waiting);

    if (first == NULL) {
        tp_assert(semaphore->units < UINT32_MAX);
        semaphore->units++;
        return;
    }
    struct tp_turn *turn = tp_container_of(first, struct tp_turn, waiter);
    tp_assert(semaphore->units == 0 && !turn->granted);
    turn->granted = true;
    semaphore->granted++;
}

void tp_semaphore_leave(struct tp_turn *turn)
{
    struct tp_semaphore *semaphore = turn->semaphore;

    if (semaphore == NULL)
        return;
    turn->semaphore = NULL;
    if (turn->granted) {
        tp_assert(semaphore->granted > 0);
        turn->granted = false;
        semaphore->granted--;
        tp_semaphore_release(semaphore);
    } else {
        tp_wait_list_leave(&turn->waiter);
    }
}

int32_t tp_semaphore_acquire(struct tp_ctx *cx, struct tp_semaphore *semaphore,
                             struct tp_turn *turn)
{
    tp_assert(turn->semaphore == NULL || turn->semaphore == semaphore);
    if (cx->self->cancelled && !cx->self->shielded) {
        tp_semaphore_leave(turn);
        return -ECANCELED;
    }
    if (turn->granted) {
        tp_assert(semaphore->granted > 0);
        turn->granted = false;
        turn->semaphore = NULL;
        semaphore->granted--;
        return 0;
    }
    if (semaphore->units > 0) {
        /* While units are free nobody waits, so nobody is overtaken. */
        tp_assert(semaphore->waiting.count == 0 && turn->semaphore == NULL);
        semaphore->units--;
        return 0;
    }
    if (semaphore->closed) {
        tp_semaphore_leave(turn);
        return -EPIPE;
    }
    turn->semaphore = semaphore;
    tp_wait_list_join(cx, &semaphore->waiting, &turn->waiter);
    return -EAGAIN;
}

void tp_semaphore_close(struct tp_semaphore *semaphore)
{
    semaphore->closed = true;
    tp_assert(semaphore->units == 0 || semaphore->waiting.count == 0);
    tp_wait_list_wake_all(&semaphore->waiting);
}
