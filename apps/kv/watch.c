#include "apps/kv/watch.h"

#include <stdlib.h>

#include "apps/kv/siphash.h"

enum { BUCKETS_FIRST = 64 };

void kv_watches_init(struct kv_watches *watches, const uint8_t hash_key[16])
{
    *watches = (struct kv_watches){.bucket_count = 0};
    memcpy(watches->hash_key, hash_key, sizeof watches->hash_key);
}

void kv_watches_deinit(struct kv_watches *watches)
{
    tp_assert(watches->count == 0);
    free(watches->buckets);
    watches->buckets = NULL;
    watches->bucket_count = 0;
}

static struct kv_watch **bucket_of(const struct kv_watches *watches, uint32_t db,
                                   struct kv_slice key)
{
    uint64_t hash = kv_hash(watches->hash_key, key) + db;

    return &watches->buckets[hash & (watches->bucket_count - 1)];
}

static struct kv_slice key_of(const struct kv_watch *watch)
{
    return kv_slice_of(watch->key, watch->len);
}

static bool is_of(const struct kv_watch *watch, uint32_t db, struct kv_slice key)
{
    return watch->db == db && kv_slice_equal(key_of(watch), key);
}

/* Twice the buckets. Watches are few and short-lived: all move at once. */
static void grow(struct kv_watches *watches)
{
    struct kv_watch **old = watches->buckets;
    uint32_t old_count = watches->bucket_count;

    watches->bucket_count = old_count == 0 ? BUCKETS_FIRST : old_count * 2;
    watches->buckets = calloc(watches->bucket_count, sizeof(struct kv_watch *));
    if (watches->buckets == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    for (uint32_t i = 0; i < old_count; i++) {
        struct kv_watch *next;

        for (struct kv_watch *watch = old[i]; watch != NULL; watch = next) {
            struct kv_watch **bucket = bucket_of(watches, watch->db, key_of(watch));

            next = watch->next;
            watch->next = *bucket;
            *bucket = watch;
        }
    }
    free(old);
}

bool kv_watches_add(struct kv_watches *watches, struct kv_watcher *watcher, uint32_t db,
                    struct kv_slice key)
{
    struct kv_watch **bucket, *watch;

    if (watches->count == watches->bucket_count)
        grow(watches);
    bucket = bucket_of(watches, db, key);
    for (watch = *bucket; watch != NULL; watch = watch->next) {
        if (watch->watcher == watcher && is_of(watch, db, key))
            return true;
    }
    if (watcher->count == KV_WATCHED_MAX)
        return false;
    watch = malloc(sizeof *watch + key.len);
    if (watch == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    *watch = (struct kv_watch){*bucket, watcher->first, watcher, db, key.len};
    if (key.len > 0)
        memcpy(watch->key, key.bytes, key.len);
    *bucket = watcher->first = watch;
    watcher->count++;
    watches->count++;
    return true;
}

void kv_watches_forget(struct kv_watches *watches, struct kv_watcher *watcher)
{
    while (watcher->first != NULL) {
        struct kv_watch *watch = watcher->first;
        struct kv_watch **place = bucket_of(watches, watch->db, key_of(watch));

        while (*place != watch)
            place = &(*place)->next;
        *place = watch->next;
        watcher->first = watch->sister;
        watches->count--;
        watcher->count--;
        free(watch);
    }
    tp_assert(watcher->count == 0);
    watcher->broken = false;
}

void kv_watches_touch(const struct kv_watches *watches, uint32_t db, struct kv_slice key)
{
    if (watches->count == 0)
        return;
    for (struct kv_watch *watch = *bucket_of(watches, db, key); watch != NULL;
         watch = watch->next) {
        if (is_of(watch, db, key))
            watch->watcher->broken = true;
    }
}
