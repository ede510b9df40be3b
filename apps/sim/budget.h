/** apps/sim/budget.h - memory with an upper bound, and arrays that grow within it. */
#ifndef TEMPEST_APPS_SIM_BUDGET_H
#define TEMPEST_APPS_SIM_BUDGET_H

#include "../../io/base.h"

/** What may be taken in all, and what is taken now. */
struct tp_budget {
    const struct tp_allocator *allocator;
    uint64_t max_bytes, used_bytes;
};

/** Zeroed memory; NULL past the bound, or when the host has none. */
void *tp_budget_alloc(struct tp_budget *budget, uint64_t size_bytes);

/** Gives memory back with its size; NULL is fine. */
void tp_budget_free(struct tp_budget *budget, void *memory, uint64_t size_bytes);

/** Makes room for `count` items, at least one, in an array of `*capacity`: at least doubles
 * it, moves the items, and zeroes what is new. Result: where the items are now; NULL when
 * there is no memory, and the array is as it was. */
void *tp_budget_grow(struct tp_budget *budget, void *items, uint32_t item_bytes,
                     uint32_t *capacity, uint32_t count);

#endif
