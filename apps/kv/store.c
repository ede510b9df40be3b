#include "apps/kv/store_internal.h"

#include <errno.h>

#include "io/mark.h"

enum {
    BALLAST_BYTES = 32 << 20,
    MOVES_A_CHANGE = 4,        /* steps of the table's, with each change */
    REAPS_A_CHANGE = 4,        /* steps of freeing what is dead, likewise */
    DEAD_BYTES_MAX = 16 << 20, /* of large entries that wait for somebody with time */
    SPARE_BYTES_MAX = 1 << 20, /* room that a growing value gets beyond what it needs */
};

/* ------------------------------------------------------------------ life */

int kv_store_create(const struct kv_store_config *config, struct kv_store **ret_store)
{
    uint64_t ballast = config->ballast_bytes == 0 ? BALLAST_BYTES : config->ballast_bytes;
    struct kv_store *store;
    int error;

    store = tp_alloc(config->allocator, sizeof *store, _Alignof(struct kv_store));
    if (store == NULL)
        return -ENOMEM;
    store->config = *config;
    store->touched = tp_alloc(config->allocator, KV_TOUCHED * sizeof *store->touched,
                              _Alignof(uint64_t));
    error = store->touched == NULL
                ? -ENOMEM
                : kv_memory_init(&store->memory, config->allocator, ballast);
    if (error < 0) {
        kv_store_destroy(store);
        return error;
    }
    *ret_store = store;
    return 0;
}

void kv_store_destroy(struct kv_store *store)
{
    const struct tp_allocator *allocator;

    if (store == NULL)
        return;
    allocator = store->config.allocator;
    while (kv_store_reap(store)) {
    }
    for (uint32_t i = 0; i < KV_DBS; i++) {
        while (kv_store_drain(store, &store->dbs[i].table, &store->dbs[i].expiry)) {
        }
    }
    kv_memory_deinit(&store->memory);
    tp_free(allocator, store->touched, KV_TOUCHED * sizeof *store->touched,
            _Alignof(uint64_t));
    tp_free(allocator, store, sizeof *store, _Alignof(struct kv_store));
}

/* ------------------------------------------------------------------ one key */

/* A key on its way through a change. */
struct target {
    struct kv_db *db;
    struct kv_slice key;
    uint64_t lsn;
    uint32_t number; /* of the database */
    uint32_t hash;
    struct kv_entry **link; /* NULL: it is not there */
};

static struct target target_of(struct kv_store *store, uint32_t db, struct kv_slice key,
                               uint64_t lsn)
{
    struct target t = {.db = &store->dbs[db], .key = key, .lsn = lsn, .number = db};

    t.hash = (uint32_t)kv_hash(store->config.hash_key, key);
    t.link = kv_table_find(&t.db->table, t.hash, key);
    return t;
}

/* A record in the log is older than an entry that was loaded from a snapshot after it. An
 * entry that a record has made itself is not: the record's next effect may change it. */
static bool is_newer(const struct kv_entry *entry, uint64_t lsn)
{
    tp_assert(entry->loaded || entry->lsn <= lsn);
    tp_sometimes(entry->loaded && entry->lsn >= lsn, "a snapshot has a record already");
    return entry->loaded && entry->lsn >= lsn;
}

static void insert(struct kv_store *store, struct target *t, struct kv_entry *entry)
{
    kv_table_insert(&t->db->table, &store->memory, entry);
    t->db->entry_bytes += kv_entry_size(entry);
    t->link = NULL;
}

/* Puts another entry of the same key in the place of the one that is there. */
static struct kv_entry *replace(struct target *t, struct kv_entry *entry)
{
    struct kv_entry *old = *t->link;

    entry->next = old->next;
    *t->link = entry;
    kv_expiry_pass(&t->db->expiry, old, entry);
    t->db->entry_bytes += kv_entry_size(entry);
    t->db->entry_bytes -= kv_entry_size(old);
    old->next = NULL;
    return old;
}

static struct kv_entry *set(struct kv_store *store, struct target *t, struct kv_slice value,
                            int64_t expire_ms)
{
    struct kv_entry *old = t->link == NULL ? NULL : *t->link;
    struct kv_entry *entry = old;

    if (old == NULL || !kv_entry_suits(old, value.len)) {
        entry = kv_entry_make(&store->memory, t->hash, t->key, value.len);
        kv_entry_put(entry, 0, value);
    } else {
        entry->value_len = 0;
        kv_entry_put(entry, 0, value);
    }
    if (old == NULL)
        insert(store, t, entry);
    else if (entry != old)
        kv_store_bury(store, replace(t, entry));
    kv_expiry_set(&t->db->expiry, &store->memory, entry, expire_ms);
    entry->lsn = t->lsn;
    entry->loaded = 0;
    return entry;
}

/* Room for a value that grows: as much again, but not too much. */
static uint64_t room_for(uint64_t len)
{
    return len + (len < SPARE_BYTES_MAX ? len : SPARE_BYTES_MAX);
}

static void put(struct kv_store *store, struct target *t, uint32_t offset,
                struct kv_slice bytes)
{
    struct kv_entry *old = t->link == NULL ? NULL : *t->link;
    struct kv_entry *entry = old;
    uint64_t end = (uint64_t)offset + bytes.len;

    tp_assert(end <= KV_STRING_MAX);
    if (old == NULL) {
        entry = kv_entry_make(&store->memory, t->hash, t->key, end);
        entry->value_len = offset; /* new memory is zeros */
        kv_entry_put(entry, offset, bytes);
        insert(store, t, entry);
    } else if (!kv_entry_fits(old, (uint32_t)end)) {
        entry = kv_entry_make(&store->memory, t->hash, t->key, room_for(end));
        kv_entry_put(entry, 0, kv_entry_value(old));
        if (entry->value_len < offset)
            entry->value_len = offset; /* likewise */
        kv_entry_put(entry, offset, bytes);
        kv_store_bury(store, replace(t, entry));
    } else {
        kv_entry_put(entry, offset, bytes);
    }
    entry->lsn = t->lsn;
    entry->loaded = 0;
}

static void del(struct kv_store *store, struct target *t)
{
    struct kv_entry *entry = kv_table_unlink(&t->db->table, t->link);

    kv_expiry_set(&t->db->expiry, &store->memory, entry, 0);
    t->db->entry_bytes -= kv_entry_size(entry);
    kv_store_bury(store, entry);
}

static void expire(struct kv_store *store, struct target *t, int64_t expire_ms)
{
    struct kv_entry *entry = *t->link;

    kv_expiry_set(&t->db->expiry, &store->memory, entry, expire_ms);
    entry->lsn = t->lsn;
    entry->loaded = 0;
}

/* ------------------------------------------------------------------ a database */

/* In a replay this takes away, too, what a snapshot found after this record. Whatever made
 * it then is in records behind this one, which are still to come. */
static void flush(struct kv_store *store, uint32_t number, uint64_t lsn)
{
    struct kv_db *db = &store->dbs[number];

    if (store->config.changed != NULL)
        store->config.changed(store->config.context, number, kv_slice_of(NULL, 0));
    kv_store_bury_db(store, db);
    db->flushed_lsn = lsn;
    db->lsn = db->lsn < lsn ? lsn : db->lsn;
}

/* ------------------------------------------------------------------ changes */

/* Before anything is freed that the key may be a part of. */
static void touch(struct kv_store *store, const struct target *t)
{
    store->touched[kv_store_slot(t->hash, t->number)] = t->lsn;
    t->db->lsn = t->db->lsn < t->lsn ? t->lsn : t->db->lsn;
    if (store->config.changed != NULL)
        store->config.changed(store->config.context, t->number, t->key);
}

static void change(struct kv_store *store, const struct kv_effect *effect, uint64_t lsn)
{
    struct target t = target_of(store, effect->db, effect->key, lsn);
    bool makes = effect->kind != KV_EFFECT_DEL && effect->kind != KV_EFFECT_EXPIRE;

    if (t.link == NULL ? !makes : is_newer(*t.link, lsn))
        return;
    touch(store, &t);
    switch ((enum kv_effect_kind)effect->kind) {
    case KV_EFFECT_SET:
        (void)set(store, &t, effect->value, effect->expire_ms);
        break;
    case KV_EFFECT_APPEND:
        put(store, &t, t.link == NULL ? 0 : (*t.link)->value_len, effect->value);
        break;
    case KV_EFFECT_SETRANGE:
        put(store, &t, effect->offset, effect->value);
        break;
    case KV_EFFECT_DEL:
        del(store, &t);
        break;
    case KV_EFFECT_EXPIRE:
        expire(store, &t, effect->expire_ms);
        break;
    case KV_EFFECT_FLUSH:
    case KV_EFFECT_FLUSHALL:
        tp_unreachable();
    }
}

/* What a change owes to those that come after it. */
static void work_along(struct kv_store *store, struct kv_db *db)
{
    bool may_grow = !kv_memory_is_short(&store->memory);

    for (uint32_t i = 0; i < MOVES_A_CHANGE; i++)
        (void)kv_table_step(&db->table, &store->memory, may_grow);
    for (uint32_t i = 0; i < REAPS_A_CHANGE; i++) {
        if (store->dead != NULL || store->dead_bytes > DEAD_BYTES_MAX)
            (void)kv_store_reap(store);
    }
}

void kv_store_apply(struct kv_store *store, const struct kv_effect *effect, uint64_t lsn)
{
    tp_assert(lsn != 0 && lsn >= store->applied_lsn);
    tp_assert(effect->db < KV_DBS && effect->expire_ms >= 0);
    store->applied_lsn = lsn;
    store->lsn = store->lsn < lsn ? lsn : store->lsn;
    if (effect->kind == KV_EFFECT_FLUSHALL) {
        for (uint32_t i = 0; i < KV_DBS; i++)
            flush(store, i, lsn);
    } else if (effect->kind == KV_EFFECT_FLUSH) {
        flush(store, effect->db, lsn);
    } else {
        change(store, effect, lsn);
    }
    work_along(store, &store->dbs[effect->db]);
}

int kv_store_check(const struct kv_store *store, const struct kv_effect *effect)
{
    uint64_t len = effect->value.len;
    struct kv_view view;

    if (effect->kind == KV_EFFECT_APPEND &&
        kv_store_get(store, effect->db, effect->key, &view))
        len += view.value.len;
    else if (effect->kind == KV_EFFECT_SETRANGE)
        len += effect->offset;
    return len <= KV_STRING_MAX ? 0 : -EMSGSIZE;
}

int kv_store_replay(struct kv_store *store, const struct kv_effect *effect, uint64_t lsn)
{
    struct target t = target_of(store, effect->db, effect->key, lsn);
    bool skipped = t.link != NULL && is_newer(*t.link, lsn);

    if (!skipped && kv_store_check(store, effect) < 0)
        return -EMSGSIZE;
    kv_store_apply(store, effect, lsn);
    return 0;
}

void kv_store_load(struct kv_store *store, uint32_t db, const struct kv_view *view)
{
    struct target t = target_of(store, db, view->key, view->lsn);

    tp_assert(store->applied_lsn == 0 && view->lsn != 0 && view->expire_ms >= 0);
    tp_assert(view->key.len <= KV_STRING_MAX && view->value.len <= KV_STRING_MAX);
    if (t.link != NULL && (*t.link)->lsn >= view->lsn)
        return;
    set(store, &t, view->value, view->expire_ms)->loaded = 1;
    t.db->lsn = t.db->lsn < view->lsn ? view->lsn : t.db->lsn;
    store->lsn = store->lsn < view->lsn ? view->lsn : store->lsn;
    work_along(store, t.db);
}
