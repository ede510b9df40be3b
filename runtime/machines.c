#include "machines.h"

#include <errno.h>

/* Link values: 0 not posted; LAST ends the stack; else 1 + index of the entry below.
 * PENDING is between the claim of an entry and its publication. */
#define LAST    UINT32_C(0xffffffff)
#define PENDING UINT32_C(0xfffffffe)

static uint64_t word(uint32_t generation, uint32_t link)
{
    return (uint64_t)generation << 32 | link;
}

int tp_machines_init(struct tp_machines *machines, uint32_t capacity,
                     const struct tp_allocator *allocator)
{
    tp_assert(capacity > 0 && capacity < PENDING);
    machines->capacity = capacity;
    machines->entries =
        tp_alloc(allocator, (size_t)capacity * sizeof *machines->entries, 64);
    machines->free = tp_alloc(allocator, (size_t)capacity * sizeof *machines->free, 64);
    return machines->entries == NULL || machines->free == NULL ? -ENOMEM : 0;
}

void tp_machines_deinit(struct tp_machines *machines, const struct tp_allocator *allocator)
{
    size_t capacity = machines->capacity;

    tp_free(allocator, machines->entries, capacity * sizeof *machines->entries, 64);
    tp_free(allocator, machines->free, capacity * sizeof *machines->free, 64);
}

bool tp_machines_add(struct tp_machines *machines, struct tp_machine *machine)
{
    uint32_t index;

    if (machines->free_count > 0)
        index = machines->free[--machines->free_count];
    else if (machines->fresh < machines->capacity) {
        index = machines->fresh++;
        atomic_store_explicit(&machines->entries[index].state, word(1, 0),
                              memory_order_release);
    } else
        return false;
    tp_assert(machines->entries[index].machine == NULL);
    machines->entries[index].machine = machine;
    machine->index = index;
    machines->count++;
    return true;
}

void tp_machines_remove(struct tp_machines *machines, struct tp_machine *machine)
{
    struct tp_machine_entry *entry = &machines->entries[machine->index];
    uint64_t old = atomic_load_explicit(&entry->state, memory_order_relaxed);
    uint64_t new;

    tp_assert(entry->machine == machine);
    do {
        uint32_t generation = (uint32_t)(old >> 32) + 1;

        new = word(generation == 0 ? 1 : generation, (uint32_t)old);
    } while (!atomic_compare_exchange_weak_explicit(
        &entry->state, &old, new, memory_order_acq_rel, memory_order_relaxed));
    entry->machine = NULL;
    machines->count--;
    if ((uint32_t)old == 0) /* else the drain gives the index back */
        machines->free[machines->free_count++] = machine->index;
}

uint64_t tp_machines_id(const struct tp_machines *machines,
                        const struct tp_machine *machine)
{
    uint64_t state = atomic_load_explicit(&machines->entries[machine->index].state,
                                          memory_order_relaxed);

    tp_assert(machines->entries[machine->index].machine == machine);
    return (state & ~(uint64_t)UINT32_MAX) | machine->index;
}

bool tp_machines_post(struct tp_machines *machines, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    uint32_t generation = (uint32_t)(id >> 32);
    struct tp_machine_entry *entry;
    uint64_t state = word(generation, 0);
    uint32_t top;

    if (generation == 0 || index >= machines->capacity) {
        atomic_fetch_add_explicit(&machines->dead, 1, memory_order_relaxed);
        return false;
    }
    entry = &machines->entries[index];
    if (!atomic_compare_exchange_strong_explicit(
            &entry->state, &state, word(generation, PENDING), memory_order_acq_rel,
            memory_order_relaxed)) {
        if ((uint32_t)(state >> 32) != generation)
            atomic_fetch_add_explicit(&machines->dead, 1, memory_order_relaxed);
        return false;
    }

    /* The entry is ours to publish. Its machine may end meanwhile: only the link is
     * changed. */
    top = atomic_load_explicit(&machines->posted, memory_order_relaxed);
    do {
        uint32_t link = top == 0 ? LAST : top;

        state = atomic_load_explicit(&entry->state, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(
            &entry->state, &state, (state & ~(uint64_t)UINT32_MAX) | link,
            memory_order_release, memory_order_relaxed)) {
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &machines->posted, &top, index + 1, memory_order_acq_rel, memory_order_relaxed));
    return true;
}

/* Takes the whole stack and turns it round: the oldest post first. Gives 1 + index, or 0.
 */
static uint32_t take_all(struct tp_machines *machines)
{
    uint32_t at = atomic_exchange_explicit(&machines->posted, 0, memory_order_acq_rel);
    uint32_t oldest = 0;

    while (at != 0) {
        struct tp_machine_entry *entry = &machines->entries[at - 1];
        uint64_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
        uint32_t below = (uint32_t)state == LAST ? 0 : (uint32_t)state;

        /* Posters leave a posted entry alone: the owner is the only one that changes it
         * now. */
        atomic_store_explicit(
            &entry->state, (state & ~(uint64_t)UINT32_MAX) | (oldest == 0 ? LAST : oldest),
            memory_order_relaxed);
        oldest = at;
        at = below;
    }
    return oldest;
}

uint32_t tp_machines_drain(struct tp_machines *machines,
                           void (*each)(struct tp_machine *machine))
{
    uint32_t delivered = 0;

    for (uint32_t at = take_all(machines), next; at != 0; at = next) {
        struct tp_machine_entry *entry = &machines->entries[at - 1];
        uint64_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);

        next = (uint32_t)state == LAST ? 0 : (uint32_t)state;
        atomic_store_explicit(&entry->state, state & ~(uint64_t)UINT32_MAX,
                              memory_order_release);
        if (entry->machine != NULL) {
            delivered++;
            each(entry->machine);
        } else {
            machines->free[machines->free_count++] = at - 1;
            atomic_fetch_add_explicit(&machines->dead, 1, memory_order_relaxed);
        }
    }
    return delivered;
}
