/** tests/kv/model.h - what a store must hold: the same effects on a plain list.
 *
 * No hashing, no heap, no steps that are put off: a key is found by looking at each. Keys
 * that were removed stay in it, with the LSN that did it.
 */
#ifndef TESTS_KV_MODEL_H
#define TESTS_KV_MODEL_H

#include "apps/kv/store.h"

enum { MODEL_KEY_MAX = 32 };

struct model_entry {
    uint32_t db;
    uint32_t key_len;
    uint8_t key[MODEL_KEY_MAX];
    bool there;
    uint8_t *value;
    uint32_t value_len;
    int64_t expire_ms;
    uint64_t lsn; /* that changed or removed it last */
};

struct model {
    struct model_entry *entries;
    uint32_t count, capacity;
};

/** Frees what is in it; zeroed memory is an empty one. */
void model_deinit(struct model *model);

/** `ret_copy` gets a copy. */
void model_copy(const struct model *model, struct model *ret_copy);

/** The effect happens. */
void model_apply(struct model *model, const struct kv_effect *effect, uint64_t lsn);

/** The entry of a key; NULL: there never was one. */
struct model_entry *model_find(const struct model *model, uint32_t db, struct kv_slice key);

/** What differs between the two, in words; NULL: nothing. Looks at every key by itself, at
 * the walk over all of them, at counts, LSNs and expiry. `reborn`: the store comes from a
 * disk, and need not know when a key that is not there was removed. */
const char *model_differs(const struct model *model, const struct kv_store *store,
                          bool reborn);

/** Whether two stores hold the same keys, values and expiries; LSNs do not count. */
bool model_stores_equal(const struct kv_store *a, const struct kv_store *b);

/** Numbers for tests: SplitMix64, below `bound`. */
uint64_t model_draw(uint64_t *state, uint64_t bound);

/** An effect at random, on one of `keys` keys in one of `dbs` databases, with values of up
 * to `len_max` bytes. Its bytes are in static memory, until the next call. Flushes are
 * rare; `flush_every` 0: there are none. */
struct kv_effect model_effect(uint64_t *state, uint32_t keys, uint32_t dbs,
                              uint32_t len_max, uint32_t flush_every);

#endif
