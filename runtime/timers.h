/** runtime/timers.h - timers and deadlines: which comes due next.
 *
 * Timers of one delay come due in the order in which they were set, since the clock does
 * not step back. So each of the few delays that a program has in use gets a queue: setting
 * and removing are O(1) there, however many are waiting, which is what the deadline of
 * every operation costs. A timer whose delay has no queue goes into a 4-ary heap: O(log n).
 *
 * The order is (deadline, order of setting), whatever is where: timers of one moment fire
 * in the order in which they were set. A timer belongs to a slot, which knows its place.
 * The first one is asked for far more often than it changes, so it is remembered.
 */
#ifndef TEMPEST_RUNTIME_TIMERS_H
#define TEMPEST_RUNTIME_TIMERS_H

#include "slots.h"

enum { TP_TIMER_QUEUES = 8 };

/** When a timer is due; ordered by (deadline_ns, sequence). */
struct tp_timer_entry {
    uint64_t deadline_ns;
    uint32_t sequence;
    uint32_t slot;
};

/** A timer in a queue; its index is that of its slot. */
struct tp_timer_node {
    struct tp_timer_entry entry;
    uint32_t next, previous; /* slots; 0: none */
};

/** The timers of one delay, in the order in which they come due. */
struct tp_timer_queue {
    uint64_t delay_ns;
    uint32_t first, last; /* slots; 0: none, and the queue is free for any delay */
};

struct tp_timers {
    struct tp_timer_entry *entries; /* the heap */
    uint32_t heap_count;
    uint32_t capacity;
    uint32_t count;     /* in the heap and in the queues */
    uint32_t count_max; /* high-water mark */
    uint32_t sequence;
    uint32_t queues_used;              /* those behind were never used */
    struct tp_timer_entry known_first; /* slot 0: it is to be found again */
    struct tp_timer_node *nodes;
    struct tp_timer_queue queues[TP_TIMER_QUEUES];
};

/** For timers of slots up to `capacity`. 0 or -ENOMEM. */
int tp_timers_init(struct tp_timers *timers, uint32_t capacity,
                   const struct tp_allocator *allocator);
void tp_timers_deinit(struct tp_timers *timers, const struct tp_allocator *allocator);

/** Sets the timer of a slot that has none. `delay_ns`: what the deadline was made from, or
 * 0 when that is not known. */
void tp_timers_set(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot,
                   uint64_t deadline_ns, uint64_t delay_ns);

/** Removes the timer of a slot; nothing happens when it has none. */
void tp_timers_remove(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot);

/** Looks at the heap and at every queue. */
void tp_timers_find_first(struct tp_timers *timers);

/** The timer that is due next. There is one. */
static inline const struct tp_timer_entry *tp_timers_first(struct tp_timers *timers)
{
    if (timers->known_first.slot == 0)
        tp_timers_find_first(timers);
    return &timers->known_first;
}

/** The next deadline; TP_NEVER when there is none. */
static inline uint64_t tp_timers_next_ns(struct tp_timers *timers)
{
    return timers->count == 0 ? TP_NEVER : tp_timers_first(timers)->deadline_ns;
}

#endif
