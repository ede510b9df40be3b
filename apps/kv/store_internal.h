/** apps/kv/store_internal.h - the inside of a store: its databases, and what is dead. */
#ifndef TEMPEST_APPS_KV_STORE_INTERNAL_H
#define TEMPEST_APPS_KV_STORE_INTERNAL_H

#include "apps/kv/expiry.h"
#include "apps/kv/siphash.h"
#include "apps/kv/store.h"
#include "apps/kv/table.h"

#define KV_TOUCHED UINT32_C(65536) /* a power of two */

struct kv_db {
    struct kv_table table;
    struct kv_expiry expiry;
    uint64_t entry_bytes; /* of the entries in the table */
    uint64_t lsn;         /* of the last record that changed anything here */
    uint64_t flushed_lsn; /* of the last one that emptied it */
};

/** What a database held when it was emptied. */
struct kv_dead {
    struct kv_dead *next;
    struct kv_table table;
    struct kv_expiry expiry;
};

/** What one is counted as, on every machine (see KV_SLOT_BYTES). */
#define KV_DEAD_BYTES UINT32_C(120)
_Static_assert(sizeof(struct kv_dead) <= KV_DEAD_BYTES, "it fits what it is counted as");

struct kv_store {
    struct kv_memory memory;
    struct kv_store_config config;
    struct kv_db dbs[KV_DBS];
    struct kv_dead *dead;          /* databases to be freed entry by entry */
    struct kv_entry *dead_entries; /* large entries to be freed, by `next` */
    uint64_t dead_bytes;           /* of both */
    uint64_t lsn;                  /* the highest */
    uint64_t applied_lsn;
    uint64_t *touched; /* by hash: the last record that changed or removed such a key */
};

/** Where the LSN of a key that is not there is kept. */
static inline uint32_t kv_store_slot(uint32_t hash, uint32_t db)
{
    return (hash ^ db * UINT32_C(40503)) & (KV_TOUCHED - 1);
}

/** Frees an entry that is in no table and no heap: at once, or later if it is large. */
void kv_store_bury(struct kv_store *store, struct kv_entry *entry);

/** Empties a database at once: what was in it is dead. */
void kv_store_bury_db(struct kv_store *store, struct kv_db *db);

/** Frees a little of what is dead. False: nothing is. */
bool kv_store_reap(struct kv_store *store);

/** Frees an entry or a page of a table and heap that nobody reads any more. False: they are
 * empty. */
bool kv_store_drain(struct kv_store *store, struct kv_table *table,
                    struct kv_expiry *expiry);

#endif
