/** runtime/scheduler_internal.h - the scheduler's own struct, and what its files share.
 *
 *   scheduler.c  create, the iteration, tick, run, destroy
 *   machine.c    start, wake, cancel, end
 *   op.c         submit, deliver, claim, cancel, abandon, detach, deadline
 *   shots.c      the completions of multishot operations
 *   race.c       tp_race()
 *   report.c     what is printed before an abort, the census, the statistics
 */
#ifndef TEMPEST_RUNTIME_SCHEDULER_INTERNAL_H
#define TEMPEST_RUNTIME_SCHEDULER_INTERNAL_H

#include "machines.h"
#include "op.h"
#include "scheduler.h"
#include "slots.h"
#include "timers.h"

/** Machines in the order in which they were woken. */
struct tp_wake_list {
    struct tp_machine *first, *last;
};

struct tp_scheduler {
    struct tp_io *io;
    struct tp_slots slots;
    struct tp_timers timers;
    struct tp_machines machines;
    struct tp_wake_list now;   /* to be ticked in this iteration */
    struct tp_wake_list later; /* in the next one */
    struct tp_slot_list made; /* completions made by the runtime, delivered between ticks */
    uint32_t detached;        /* list of slots without owner */
    uint32_t detached_count;
    bool iterating; /* between the start of an iteration and its end */
    bool measure;
    uint64_t iteration;
    uint64_t seed, starts;
    _Atomic int32_t wakes_expected;
    struct tp_scheduler_stats stats;
    const struct tp_allocator *allocator;
    struct tp_log log;
    const void *thread; /* an address that only the owner's thread has */
    char text[4096];    /* of the report or description being written */
};

/** An address that differs from thread to thread. */
const void *tp_thread_mark(void);

static inline void tp_wake_list_append(struct tp_wake_list *list,
                                       struct tp_machine *machine)
{
    machine->next_woken = NULL;
    if (list->last == NULL)
        list->first = machine;
    else
        list->last->next_woken = machine;
    list->last = machine;
}

/** Wakes `machine`; unlike tp_wake() it is for the runtime's own use between ticks. */
static inline void tp_machine_wake(struct tp_scheduler *s, struct tp_machine *machine)
{
    if (machine->woken || machine->ending)
        return;
    machine->woken = true;
    s->stats.wakes++;
    tp_wake_list_append(s->iterating && machine->last_iteration != (uint32_t)s->iteration
                            ? &s->now
                            : &s->later,
                        machine);
}

/** machine.c: puts a machine at the end of the next iteration's wake list. */
void tp_machine_wake_later(struct tp_scheduler *s, struct tp_machine *machine);

/** machine.c: a new life for a machine; end_slot: the parent's slot that waits, or 0. */
void tp_machine_begin(struct tp_scheduler *s, struct tp_machine *machine, tp_tick_fn *tick,
                      const char *name, uint32_t end_slot);

/** machine.c: ticks every machine in the wake set, and those that are woken meanwhile. */
void tp_machines_tick(struct tp_scheduler *s);

/** machine.c: ends a machine that has said so, if nothing of it is left. */
void tp_machine_finish(struct tp_scheduler *s, struct tp_machine *machine);

/** op.c: an operation has completed: to its owner, or to the drain. Between ticks only. */
void tp_slot_deliver(struct tp_scheduler *s, uint32_t index, int32_t value);

/** op.c: completions to their slots, slots to their owners. Between ticks only. */
void tp_slots_route(struct tp_scheduler *s, const struct tp_completion *items,
                    uint32_t count);

/** op.c: completes an operation on behalf of the runtime; delivered with the next
 * iteration. */
void tp_slot_make(struct tp_scheduler *s, uint32_t index, int32_t value);

/** op.c: asks an operation to stop, once. */
void tp_slot_ask(struct tp_scheduler *s, uint32_t index);

/** op.c: fires the timers and deadlines that are due. */
void tp_slots_expire(struct tp_scheduler *s);

/** op.c: claims an arrived slot. */
void tp_slot_claim(struct tp_scheduler *s, uint32_t index, struct tp_result *ret_result);

/** op.c: the slot of a live operation of `cx`'s machine; stops the program when it is not.
 */
uint32_t tp_slot_of(struct tp_ctx *cx, struct tp_op op, const char *verb);

/** op.c: closes a fd that nobody will claim. */
void tp_close_quietly(struct tp_scheduler *s, int32_t value, const struct tp_slot *from);

/** shots.c: notes what a multishot needs to be begun again. */
void tp_shots_begin(struct tp_slot *slot, struct tp_fd fd);

/** shots.c: one completion of a multishot that goes on. Between ticks only. */
void tp_shots_deliver(struct tp_scheduler *s, uint32_t index,
                      const struct tp_completion *item);

/** shots.c: the end of a multishot that was to pause. False: it is a real end. */
bool tp_shots_paused(struct tp_scheduler *s, uint32_t index, int32_t value);

/** shots.c: ends a multishot that is paused. */
void tp_shots_stop(struct tp_scheduler *s, uint32_t index, int32_t value);

/** shots.c: claims a shot. */
void tp_shots_claim(struct tp_scheduler *s, uint32_t index, struct tp_result *ret_result);

/** shots.c: gives back what the unclaimed shots of a multishot own: it is abandoned. */
void tp_shots_drop(struct tp_scheduler *s, uint32_t index);

/** report.c: stops the program: `machine` ends with receive buffers that it has not given
 * back. */
TP_NORETURN void tp_stop_with_bufs(struct tp_scheduler *s,
                                   const struct tp_machine *machine);

/** report.c: one operation in words: kind, fd or path, owner, site, chain of starts, age.
 * Gives the bytes written, as snprintf() does but never more than fit. */
size_t tp_describe_slot(const struct tp_scheduler *s, uint32_t index, char *ret_text,
                        size_t size_bytes);

/** report.c: who submitted `handle`, for the reports of io/. */
const char *tp_describe_handle(void *scheduler, uint64_t handle);

/** report.c: stops the program: `what`, then the machine's operations in the lists that
 * start at `first` and `second` (0: none). */
TP_NORETURN void tp_stop_with_slots(struct tp_scheduler *s,
                                    const struct tp_machine *machine, const char *what,
                                    uint32_t first, uint32_t second);

/** report.c: stops the program: `what`, then the census. */
TP_NORETURN void tp_stop_with_census(struct tp_scheduler *s, const char *what);

#endif
