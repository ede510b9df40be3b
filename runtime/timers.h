/** runtime/timers.h - the heap of timers and deadlines: insert, move and remove in O(log
 * n).
 *
 * A 4-ary heap of (deadline, order of insertion), so that timers of one moment fire in the
 * order in which they were set. Each entry belongs to a slot, which knows its position.
 */
#ifndef TEMPEST_RUNTIME_TIMERS_H
#define TEMPEST_RUNTIME_TIMERS_H

#include "slots.h"

struct tp_timer_entry {
    uint64_t deadline_ns;
    uint32_t sequence;
    uint32_t slot;
};

struct tp_timers {
    struct tp_timer_entry *entries;
    uint32_t count, capacity;
    uint32_t sequence;
    uint32_t count_max; /* high-water mark */
};

/** 0 or -ENOMEM. */
int tp_timers_init(struct tp_timers *timers, uint32_t capacity,
                   const struct tp_allocator *allocator);
void tp_timers_deinit(struct tp_timers *timers, const struct tp_allocator *allocator);

/** Sets the timer of a slot that has none. */
void tp_timers_set(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot,
                   uint64_t deadline_ns);

/** Removes the timer of a slot; nothing happens when it has none. */
void tp_timers_remove(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot);

/** The next deadline; TP_NEVER when there is none. */
static inline uint64_t tp_timers_next_ns(const struct tp_timers *timers)
{
    return timers->count == 0 ? TP_NEVER : timers->entries[0].deadline_ns;
}

#endif
