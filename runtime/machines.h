/** runtime/machines.h - the table of machines: an index and a generation name each of them.
 *
 * Other threads post to machines by that id. An entry's generation and its place in the
 * stack of posted entries are one atomic word, so a post to a machine that has ended never
 * reaches the next one of its index; and an index is not given out again while a post to it
 * is pending.
 */
#ifndef TEMPEST_RUNTIME_MACHINES_H
#define TEMPEST_RUNTIME_MACHINES_H

#include <stdatomic.h>

#include "machine.h"

struct tp_machine_entry {
    struct tp_machine *machine; /* NULL: free */
    _Atomic uint64_t state;     /* generation << 32 | link; link 0: not posted */
};

struct tp_machines {
    struct tp_machine_entry *entries;
    uint32_t *free; /* stack of free indices below `fresh` */
    uint32_t free_count;
    uint32_t fresh;
    uint32_t capacity;
    uint32_t count;
    _Atomic uint32_t posted; /* top of the stack of posted entries: 1 + index; 0: none */
    _Atomic uint64_t dead;   /* posts to machines that had ended */
};

/** 0 or -ENOMEM. */
int tp_machines_init(struct tp_machines *machines, uint32_t capacity,
                     const struct tp_allocator *allocator);
void tp_machines_deinit(struct tp_machines *machines, const struct tp_allocator *allocator);

/** Enters a machine and sets its index; false when the table is full. */
bool tp_machines_add(struct tp_machines *machines, struct tp_machine *machine);

/** Takes a machine out; its id is dead from now on. */
void tp_machines_remove(struct tp_machines *machines, struct tp_machine *machine);

uint64_t tp_machines_id(const struct tp_machines *machines,
                        const struct tp_machine *machine);

/** From any thread: notes that `id` was posted to. True when it is news, so the owner must
 * be woken up; false when it was dead or already noted. */
bool tp_machines_post(struct tp_machines *machines, uint64_t id);

/** Whether anything was posted since the last drain. */
static inline bool tp_machines_posted(struct tp_machines *machines)
{
    return atomic_load_explicit(&machines->posted, memory_order_relaxed) != 0;
}

/** Hands every machine that was posted to to `each`, in the order of the posts. Gives how
 * many. */
uint32_t tp_machines_drain(struct tp_machines *machines,
                           void (*each)(struct tp_machine *machine));

#endif
