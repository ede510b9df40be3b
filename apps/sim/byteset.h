/** apps/sim/byteset.h - a set of byte strings: each is kept once, under a number.
 *
 * Numbers count from 0 in the order of arrival, and nothing is ever taken out; so equal
 * strings have equal numbers, and the bytes of a number stay where they are. All memory
 * comes from a budget.
 */
#ifndef TEMPEST_APPS_SIM_BYTESET_H
#define TEMPEST_APPS_SIM_BYTESET_H

#include "budget.h"

struct tp_byteset_entry {
    const uint8_t *bytes;
    uint32_t len_bytes;
    uint32_t hash;
};

/** Zeroed but for its budget, it is empty. */
struct tp_byteset {
    struct tp_budget *budget;
    struct tp_byteset_entry *entries;
    uint32_t count, capacity;
    uint32_t *slots; /* a number plus one, by hash; 0: free */
    uint32_t slot_count;
    struct tp_byteset_block *blocks; /* where the bytes are; the newest first */
};

/** The number of these bytes, which are copied when they are new. Result: 1 (new), 0 (was
 * there), or -ENOMEM. */
int tp_byteset_add(struct tp_byteset *set, const void *bytes, uint32_t len_bytes,
                   uint32_t *ret_number);

/** What is under a number (asserted to exist). */
const struct tp_byteset_entry *tp_byteset_at(const struct tp_byteset *set, uint32_t number);

/** Gives back all memory; the set is empty then. */
void tp_byteset_clear(struct tp_byteset *set);

#endif
