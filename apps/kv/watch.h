/** apps/kv/watch.h - who watches which keys, and who has lost.
 *
 * A session that watches a key is told when the key is changed, made or removed, by itself
 * as by others: `broken` is set, and its next EXEC does nothing. A table by key, so that a
 * change costs the same however many keys are watched.
 */
#ifndef TEMPEST_APPS_KV_WATCH_H
#define TEMPEST_APPS_KV_WATCH_H

#include "apps/kv/slice.h"

enum { KV_WATCHED_MAX = 64 << 10 }; /* keys of one session */

/** One key watched by one session. */
struct kv_watch {
    struct kv_watch *next;   /* in its bucket */
    struct kv_watch *sister; /* of the same session */
    struct kv_watcher *watcher;
    uint32_t db, len;
    uint8_t key[];
};

/** A session's part; zero: watches nothing. */
struct kv_watcher {
    struct kv_watch *first;
    uint32_t count;
    bool broken;
};

/** All of them. */
struct kv_watches {
    uint8_t hash_key[16]; /* secret: strangers choose the keys */
    struct kv_watch **buckets;
    uint32_t bucket_count; /* 0, or a power of two */
    uint32_t count;
};

/** Nobody watches anything; no memory is taken yet. */
void kv_watches_init(struct kv_watches *watches, const uint8_t hash_key[16]);

/** Gives the memory back; nobody watches anything any more. */
void kv_watches_deinit(struct kv_watches *watches);

/** The watcher watches the key, too. Nothing happens when it does already. False: it
 * watches as many as it may. */
bool kv_watches_add(struct kv_watches *watches, struct kv_watcher *watcher, uint32_t db,
                    struct kv_slice key);

/** The watcher watches nothing any more, and has lost nothing. */
void kv_watches_forget(struct kv_watches *watches, struct kv_watcher *watcher);

/** The key was changed: whoever watches it has lost. */
void kv_watches_touch(const struct kv_watches *watches, uint32_t db, struct kv_slice key);

#endif
