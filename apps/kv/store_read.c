#include "apps/kv/store_internal.h"

static uint32_t hash_of(const struct kv_store *store, struct kv_slice key)
{
    return (uint32_t)kv_hash(store->config.hash_key, key);
}

static struct kv_view view_of(const struct kv_db *db, const struct kv_entry *entry)
{
    struct kv_view view = {kv_entry_key(entry), kv_entry_value(entry),
                           kv_expiry_of(&db->expiry, entry), entry->lsn};

    return view;
}

/* ------------------------------------------------------------------ one key */

bool kv_store_get(const struct kv_store *store, uint32_t db, struct kv_slice key,
                  struct kv_view *ret_view)
{
    struct kv_entry **link;

    tp_assert(db < KV_DBS);
    link = kv_table_find(&store->dbs[db].table, hash_of(store, key), key);
    if (link == NULL)
        return false;
    *ret_view = view_of(&store->dbs[db], *link);
    return true;
}

uint64_t kv_store_key_lsn(const struct kv_store *store, uint32_t db, struct kv_slice key)
{
    uint32_t hash = hash_of(store, key);
    struct kv_entry **link;
    uint64_t touched;

    tp_assert(db < KV_DBS);
    link = kv_table_find(&store->dbs[db].table, hash, key);
    if (link != NULL)
        return (*link)->lsn;
    touched = store->touched[kv_store_slot(hash, db)];
    return touched > store->dbs[db].flushed_lsn ? touched : store->dbs[db].flushed_lsn;
}

uint64_t kv_store_db_lsn(const struct kv_store *store, uint32_t db)
{
    tp_assert(db < KV_DBS);
    return store->dbs[db].lsn;
}

uint64_t kv_store_lsn(const struct kv_store *store)
{
    return store->lsn;
}

/* ------------------------------------------------------------------ many keys */

uint64_t kv_store_count(const struct kv_store *store, uint32_t db)
{
    tp_assert(db < KV_DBS);
    return store->dbs[db].table.entries;
}

uint64_t kv_store_count_expiring(const struct kv_store *store, uint32_t db)
{
    tp_assert(db < KV_DBS);
    return store->dbs[db].expiry.count;
}

/* Turns entries into views. */
struct scan {
    const struct kv_db *db;
    kv_visit_fn *visit;
    void *context;
};

static void visit_entry(void *context, const struct kv_entry *entry)
{
    const struct scan *scan = context;
    struct kv_view view = view_of(scan->db, entry);

    scan->visit(scan->context, &view);
}

uint64_t kv_store_scan(const struct kv_store *store, uint32_t db, uint64_t cursor,
                       kv_visit_fn *visit, void *context)
{
    struct scan scan = {&store->dbs[db], visit, context};

    tp_assert(db < KV_DBS);
    return kv_table_scan(&scan.db->table, cursor, visit_entry, &scan);
}

bool kv_store_random(const struct kv_store *store, uint32_t db, uint64_t random,
                     struct kv_view *ret_view)
{
    const struct kv_entry *entry;

    tp_assert(db < KV_DBS);
    entry = kv_table_random(&store->dbs[db].table, random);
    if (entry == NULL)
        return false;
    *ret_view = view_of(&store->dbs[db], entry);
    return true;
}

/* ------------------------------------------------------------------ expiry */

/* The database whose first key expires before those of the others; NULL: none does. */
static const struct kv_db *first_to_expire(const struct kv_store *store, int64_t *ret_when)
{
    const struct kv_db *first = NULL;

    for (uint32_t i = 0; i < KV_DBS; i++) {
        const struct kv_expiry *expiry = &store->dbs[i].expiry;
        int64_t when;

        if (expiry->count == 0)
            continue;
        when = kv_expiry_of(expiry, kv_expiry_first(expiry));
        if (first == NULL || when < *ret_when) {
            first = &store->dbs[i];
            *ret_when = when;
        }
    }
    return first;
}

bool kv_store_next_expired(const struct kv_store *store, int64_t now_ms, uint32_t *ret_db,
                           struct kv_view *ret_view)
{
    int64_t when = 0;
    const struct kv_db *db = first_to_expire(store, &when);
    struct kv_view view;

    if (db == NULL)
        return false;
    view = view_of(db, kv_expiry_first(&db->expiry));
    if (!kv_view_expired(&view, now_ms))
        return false;
    *ret_db = (uint32_t)(db - store->dbs);
    *ret_view = view;
    return true;
}

int64_t kv_store_next_expiry_ms(const struct kv_store *store)
{
    int64_t when = 0;

    return first_to_expire(store, &when) == NULL ? 0 : when;
}

void kv_store_memory(const struct kv_store *store, struct kv_store_memory *ret_memory)
{
    struct kv_store_memory memory = {store->memory.total, store->dead_bytes, 0};

    if (!kv_memory_is_short(&store->memory))
        memory.ballast = store->memory.ballast_bytes;
    *ret_memory = memory;
}
