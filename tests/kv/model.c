#include "tests/kv/model.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *copy_of(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);

    tp_assert(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

void model_deinit(struct model *model)
{
    static const struct model none;

    for (uint32_t i = 0; i < model->count; i++)
        free(model->entries[i].value);
    free(model->entries);
    *model = none;
}

void model_copy(const struct model *model, struct model *ret_copy)
{
    size_t bytes = sizeof *model->entries * (model->count == 0 ? 1 : model->count);

    ret_copy->entries = malloc(bytes);
    tp_assert(ret_copy->entries != NULL);
    if (model->count > 0)
        memcpy(ret_copy->entries, model->entries, bytes);
    ret_copy->count = ret_copy->capacity = model->count;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_entry *entry = &ret_copy->entries[i];

        if (entry->value != NULL)
            entry->value = copy_of(entry->value, entry->value_len);
    }
}

struct model_entry *model_find(const struct model *model, uint32_t db, struct kv_slice key)
{
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_entry *entry = &model->entries[i];

        if (entry->db == db && kv_slice_equal(kv_slice_of(entry->key, entry->key_len), key))
            return entry;
    }
    return NULL;
}

static struct model_entry *made(struct model *model, uint32_t db, struct kv_slice key)
{
    struct model_entry fresh = {.db = db, .key_len = key.len};

    tp_assert(key.len <= MODEL_KEY_MAX);
    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 64 : 2 * model->capacity;
        model->entries = realloc(model->entries, model->capacity * sizeof *model->entries);
        tp_assert(model->entries != NULL);
    }
    if (key.len > 0)
        memcpy(fresh.key, key.bytes, key.len);
    model->entries[model->count] = fresh;
    return &model->entries[model->count++];
}

static void clear(struct model_entry *entry)
{
    free(entry->value);
    entry->value = NULL;
    entry->value_len = 0;
    entry->expire_ms = 0;
}

static void put(struct model_entry *entry, uint32_t offset, struct kv_slice bytes)
{
    uint32_t end = offset + bytes.len;
    uint32_t len = end > entry->value_len ? end : entry->value_len;
    uint8_t *value = calloc(1, len == 0 ? 1 : len);

    tp_assert(value != NULL);
    if (entry->value_len > 0)
        memcpy(value, entry->value, entry->value_len);
    if (bytes.len > 0)
        memcpy(value + offset, bytes.bytes, bytes.len);
    free(entry->value);
    entry->value = value;
    entry->value_len = len;
}

static void flush(struct model *model, const struct kv_effect *effect, uint64_t lsn)
{
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_entry *entry = &model->entries[i];

        if (!entry->there || (effect->kind == KV_EFFECT_FLUSH && entry->db != effect->db))
            continue;
        clear(entry);
        entry->there = false;
        entry->lsn = lsn;
    }
}

void model_apply(struct model *model, const struct kv_effect *effect, uint64_t lsn)
{
    bool makes = effect->kind != KV_EFFECT_DEL && effect->kind != KV_EFFECT_EXPIRE;
    struct model_entry *entry;

    if (effect->kind == KV_EFFECT_FLUSH || effect->kind == KV_EFFECT_FLUSHALL) {
        flush(model, effect, lsn);
        return;
    }
    entry = model_find(model, effect->db, effect->key);
    if (!makes && (entry == NULL || !entry->there))
        return;
    if (entry == NULL)
        entry = made(model, effect->db, effect->key);
    if (effect->kind == KV_EFFECT_SET || effect->kind == KV_EFFECT_DEL)
        clear(entry);
    if (effect->kind == KV_EFFECT_SET || effect->kind == KV_EFFECT_EXPIRE)
        entry->expire_ms = effect->expire_ms;
    if (effect->kind == KV_EFFECT_APPEND)
        put(entry, entry->value_len, effect->value);
    else if (effect->kind == KV_EFFECT_SET || effect->kind == KV_EFFECT_SETRANGE)
        put(entry, effect->offset, effect->value);
    entry->there = effect->kind != KV_EFFECT_DEL;
    entry->lsn = lsn;
}

/* ------------------------------------------------------------------ comparing */

static char difference[200];

static const char *differs(const struct model_entry *entry, const char *how)
{
    (void)snprintf(difference, sizeof difference, "key \"%.*s\" of database %u: %s",
                   (int)entry->key_len, (const char *)entry->key, entry->db, how);
    return difference;
}

static const char *entry_differs(const struct model_entry *entry,
                                 const struct kv_store *store, bool reborn)
{
    struct kv_slice key = kv_slice_of(entry->key, entry->key_len);
    uint64_t lsn = kv_store_key_lsn(store, entry->db, key);
    struct kv_view view;

    if (kv_store_get(store, entry->db, key, &view) != entry->there)
        return differs(entry, entry->there ? "is missing" : "is there");
    if ((lsn < entry->lsn && !(reborn && !entry->there)) || lsn > kv_store_lsn(store))
        return differs(entry, "its LSN to wait for is wrong");
    if (!entry->there)
        return NULL;
    if (!kv_slice_equal(view.key, key))
        return differs(entry, "is called something else");
    if (!kv_slice_equal(view.value, kv_slice_of(entry->value, entry->value_len)))
        return differs(entry, "has another value");
    if (view.expire_ms != entry->expire_ms)
        return differs(entry, "has another expiry");
    if (view.lsn != entry->lsn || lsn != entry->lsn)
        return differs(entry, "has another LSN");
    return NULL;
}

/* A walk over a store, held against the model. */
struct walk {
    const struct model *model;
    uint32_t db;
    uint32_t *seen; /* by index of the model's entries */
    uint32_t strangers;
};

static void visit(void *context, const struct kv_view *view)
{
    struct walk *walk = context;
    const struct model_entry *entry = model_find(walk->model, walk->db, view->key);

    if (entry == NULL || !entry->there)
        walk->strangers++;
    else
        walk->seen[entry - walk->model->entries]++;
}

static const char *walk_differs(const struct model *model, const struct kv_store *store)
{
    struct walk walk = {.model = model};
    const char *found = NULL;

    walk.seen = calloc(model->count + 1, sizeof *walk.seen);
    tp_assert(walk.seen != NULL);
    for (walk.db = 0; walk.db < KV_DBS; walk.db++) {
        uint64_t cursor = 0;

        do {
            cursor = kv_store_scan(store, walk.db, cursor, visit, &walk);
        } while (cursor != 0);
    }
    if (walk.strangers > 0)
        found = "the walk visited keys that are not there";
    for (uint32_t i = 0; found == NULL && i < model->count; i++) {
        if (walk.seen[i] != (model->entries[i].there ? 1 : 0))
            found = differs(&model->entries[i], "was not visited exactly once");
    }
    free(walk.seen);
    return found;
}

static const char *counts_differ(const struct model *model, const struct kv_store *store)
{
    int64_t first_ms = 0;

    for (uint32_t db = 0; db < KV_DBS; db++) {
        uint64_t there = 0, expiring = 0;

        for (uint32_t i = 0; i < model->count; i++) {
            const struct model_entry *entry = &model->entries[i];

            if (entry->db != db || !entry->there)
                continue;
            there++;
            if (entry->expire_ms == 0)
                continue;
            expiring++;
            if (first_ms == 0 || entry->expire_ms < first_ms)
                first_ms = entry->expire_ms;
        }
        if (kv_store_count(store, db) != there)
            return "the number of keys differs";
        if (kv_store_count_expiring(store, db) != expiring)
            return "the number of keys that expire differs";
    }
    if (kv_store_next_expiry_ms(store) != first_ms)
        return "the next expiry differs";
    return NULL;
}

const char *model_differs(const struct model *model, const struct kv_store *store,
                          bool reborn)
{
    const char *found = NULL;

    for (uint32_t i = 0; found == NULL && i < model->count; i++)
        found = entry_differs(&model->entries[i], store, reborn);
    if (found == NULL)
        found = walk_differs(model, store);
    return found != NULL ? found : counts_differ(model, store);
}

/* Whether each entry of the one is in the other. */
struct pair {
    const struct kv_store *other;
    uint32_t db;
    bool differs;
};

static void look_up(void *context, const struct kv_view *view)
{
    struct pair *pair = context;
    struct kv_view there;

    pair->differs |= !kv_store_get(pair->other, pair->db, view->key, &there) ||
                     !kv_slice_equal(view->value, there.value) ||
                     view->expire_ms != there.expire_ms;
}

bool model_stores_equal(const struct kv_store *a, const struct kv_store *b)
{
    struct pair pair = {.other = b};

    for (; pair.db < KV_DBS; pair.db++) {
        uint64_t cursor = 0;

        if (kv_store_count(a, pair.db) != kv_store_count(b, pair.db))
            return false;
        do {
            cursor = kv_store_scan(a, pair.db, cursor, look_up, &pair);
        } while (cursor != 0 && !pair.differs);
    }
    return !pair.differs;
}

/* ------------------------------------------------------------------ at random */

uint64_t model_draw(uint64_t *state, uint64_t bound)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return (word ^ word >> 31) % bound;
}

struct kv_effect model_effect(uint64_t *state, uint32_t keys, uint32_t dbs,
                              uint32_t len_max, uint32_t flush_every)
{
    static char key[MODEL_KEY_MAX];
    static uint8_t value[1 << 20];
    static const uint8_t kinds[] = {KV_EFFECT_SET,      KV_EFFECT_SET, KV_EFFECT_APPEND,
                                    KV_EFFECT_SETRANGE, KV_EFFECT_DEL, KV_EFFECT_EXPIRE};
    struct kv_effect effect = {.kind = kinds[model_draw(state, sizeof kinds)],
                               .db = (uint32_t)model_draw(state, dbs)};
    uint32_t len = (uint32_t)model_draw(state, (uint64_t)len_max + 1);

    tp_assert(len <= sizeof value);
    (void)snprintf(key, sizeof key, "key:%u", (uint32_t)model_draw(state, keys));
    memset(value, (int)('a' + model_draw(state, 26)), len);
    if (flush_every > 0 && model_draw(state, flush_every) == 0) {
        bool all = model_draw(state, 2) == 0;

        return all ? kv_effect_flushall() : kv_effect_flush(effect.db);
    }
    effect.key = kv_slice_text(key);
    if (effect.kind != KV_EFFECT_DEL && effect.kind != KV_EFFECT_EXPIRE)
        effect.value = kv_slice_of(value, len);
    if (effect.kind == KV_EFFECT_SETRANGE)
        effect.offset = (uint32_t)model_draw(state, (uint64_t)len_max + 1);
    if ((effect.kind == KV_EFFECT_SET || effect.kind == KV_EFFECT_EXPIRE) &&
        model_draw(state, 2) == 0)
        effect.expire_ms = 1 + (int64_t)model_draw(state, 1000000);
    return effect;
}
