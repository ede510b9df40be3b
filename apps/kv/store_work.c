#include "apps/kv/store_internal.h"

enum {
    LARGE_BYTES = 32 << 10, /* an entry whose memory takes a while to give back */
    REAPS_WHEN_SHORT = 16,
};

static uint64_t dead_bytes_of(const struct kv_db *db)
{
    return db->entry_bytes + kv_table_bytes(&db->table) +
           kv_pages_bytes(&db->expiry.items) + KV_DEAD_BYTES;
}

void kv_store_bury(struct kv_store *store, struct kv_entry *entry)
{
    tp_assert(entry->next == NULL && entry->expiry_at == 0);
    if (kv_entry_size(entry) < LARGE_BYTES) {
        kv_entry_free(&store->memory, entry);
        return;
    }
    store->dead_bytes += kv_entry_size(entry);
    entry->next = store->dead_entries;
    store->dead_entries = entry;
}

void kv_store_bury_db(struct kv_store *store, struct kv_db *db)
{
    static const struct kv_table no_table;
    static const struct kv_expiry no_expiry;
    struct kv_dead *dead;

    if (db->table.from.count == 0)
        return;
    dead = kv_memory_take(&store->memory, KV_DEAD_BYTES);
    store->dead_bytes += dead_bytes_of(db);
    dead->table = db->table;
    dead->expiry = db->expiry;
    dead->next = store->dead;
    store->dead = dead;
    db->table = no_table;
    db->expiry = no_expiry;
    db->entry_bytes = 0;
}

bool kv_store_drain(struct kv_store *store, struct kv_table *table,
                    struct kv_expiry *expiry)
{
    struct kv_entry *entry;

    if (!kv_table_drain(table, &store->memory, &entry))
        return kv_expiry_drain(expiry, &store->memory);
    if (entry != NULL)
        kv_entry_free(&store->memory, entry);
    return true;
}

static void reap_db(struct kv_store *store)
{
    struct kv_dead *dead = store->dead;

    if (kv_store_drain(store, &dead->table, &dead->expiry))
        return;
    store->dead = dead->next;
    kv_memory_give(&store->memory, dead, KV_DEAD_BYTES);
}

static void reap_entry(struct kv_store *store)
{
    struct kv_entry *entry = store->dead_entries;

    store->dead_entries = entry->next;
    kv_entry_free(&store->memory, entry);
}

bool kv_store_reap(struct kv_store *store)
{
    uint64_t before = store->memory.total;

    if (store->dead != NULL)
        reap_db(store);
    else if (store->dead_entries != NULL)
        reap_entry(store);
    else
        return false;
    tp_assert(before - store->memory.total <= store->dead_bytes);
    store->dead_bytes -= before - store->memory.total;
    tp_assert(store->dead_bytes > 0 ||
              (store->dead == NULL && store->dead_entries == NULL));
    return true;
}

bool kv_store_is_short(struct kv_store *store)
{
    if (!kv_memory_is_short(&store->memory))
        return false;
    for (uint32_t i = 0; i < REAPS_WHEN_SHORT && kv_store_reap(store); i++) {
    }
    kv_memory_restore(&store->memory);
    return kv_memory_is_short(&store->memory);
}

uint32_t kv_store_work(struct kv_store *store, uint32_t budget)
{
    bool may_grow = !kv_store_is_short(store);
    uint32_t steps = 0;

    while (steps < budget && kv_store_reap(store))
        steps++;
    for (uint32_t i = 0; i < KV_DBS; i++) {
        while (steps < budget &&
               kv_table_step(&store->dbs[i].table, &store->memory, may_grow))
            steps++;
    }
    return steps;
}
