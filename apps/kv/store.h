/** apps/kv/store.h - the keys and values of all databases, in memory.
 *
 * What changes it: kv_store_apply(), with one effect (record.h) and the LSN of the record
 * that the effect is in. Live commands and recovery use the same function, so what a
 * restart rebuilds is what was there. kv_store_load() adds what a snapshot holds, before
 * the log is replayed. Nothing else changes what a reader can see.
 *
 * It looks at no clock: a key that is past its expiry is there until a DEL is applied.
 * Whoever shows a reader that it is gone has logged that DEL; kv_view_expired() says when
 * it is due, kv_store_next_expired() finds such keys.
 *
 * LSNs: every entry knows the record that changed it last, and for what is not there the
 * store remembers when it may have been. So for anything that a reader was told there is an
 * LSN that must be durable before the reader may be told.
 *
 * No pauses: the cost of a call is bounded by the bytes of its key and value, and by a few
 * steps of what has to be done besides: moving the hash table to one of another size, and
 * freeing what was deleted. kv_store_work() does more of that when there is time. Tables
 * come and go in small pages.
 *
 * Memory: no call that changes the store can fail. When the allocator has no more, the
 * store gives back a ballast that it took at the start, so the change under way is made,
 * and kv_store_is_short() is true until the ballast could be taken again: refuse what needs
 * memory meanwhile. Should even the ballast not be enough the program stops; nothing is
 * lost by that which was acknowledged.
 *
 * Views point into the store, and stay until the next apply, load or work. Effects may
 * point into the store.
 *
 * The order of a walk depends on the hash key, on the history of the table, and on nothing
 * else.
 */
#ifndef TEMPEST_APPS_KV_STORE_H
#define TEMPEST_APPS_KV_STORE_H

#include "apps/kv/record.h"

struct kv_store;

/** A key as it is now. */
struct kv_view {
    struct kv_slice key, value;
    int64_t expire_ms; /* wall clock, ms since 1970; 0: never */
    uint64_t lsn;      /* of the record that changed it last */
};

/** Called for each entry of a walk; it must not change the store. */
typedef void kv_visit_fn(void *context, const struct kv_view *view);

/** Called just before an effect changes, removes or makes a key; before a database is
 * emptied, with a `key` whose bytes are NULL. It must not change the store. */
typedef void kv_changed_fn(void *context, uint32_t db, struct kv_slice key);

/** All zero but the hash key is a working default. */
struct kv_store_config {
    const struct tp_allocator *allocator; /* NULL: the default */
    uint8_t hash_key[16];                 /* secret and random: strangers choose the keys */
    uint64_t ballast_bytes;               /* 0: 32 MiB; more than any one record can need */
    kv_changed_fn *changed;               /* for WATCH; NULL: nobody */
    void *context;
};

/** Bytes asked of the allocator. */
struct kv_store_memory {
    uint64_t total;   /* all of it, but the ballast */
    uint64_t dead;    /* of these, deleted and not given back yet */
    uint64_t ballast; /* 0 while the store is short of memory */
};

/** 0 or -ENOMEM. */
int kv_store_create(const struct kv_store_config *config, struct kv_store **ret_store);

/** Frees it all, at once. NULL is fine. */
void kv_store_destroy(struct kv_store *store);

/* ------------------------------------------------------------------ changes */

/** Whether the effect can be applied: -EMSGSIZE if the value would get longer than
 * KV_STRING_MAX, else 0. For APPEND and SETRANGE, before they are logged. */
int kv_store_check(const struct kv_store *store, const struct kv_effect *effect);

/** Makes the change. kv_store_check() gave 0, `lsn` is not 0 and not below that of an
 * earlier call: the record's, or what it is going to be. A key that is newer already,
 * because it was loaded from a snapshot, stays as it is; a live effect is always newer. (A
 * FLUSH spares none: what makes such a key again is in the records behind it, which are to
 * follow.) A DEL or EXPIRE of a key that is not there changes nothing. */
void kv_store_apply(struct kv_store *store, const struct kv_effect *effect, uint64_t lsn);

/** kv_store_apply() for an effect that was read from a disk: -EMSGSIZE, and no change, if
 * the value would get longer than KV_STRING_MAX; else 0. */
int kv_store_replay(struct kv_store *store, const struct kv_effect *effect, uint64_t lsn);

/** Adds an entry of a snapshot, unless the key is there with a newer LSN. Before the first
 * apply. The view's key and value are at most KV_STRING_MAX long, its LSN is not 0 and its
 * expiry not negative. */
void kv_store_load(struct kv_store *store, uint32_t db, const struct kv_view *view);

/** Whether memory has run out: true until the ballast, which this tries, could be taken
 * again. */
bool kv_store_is_short(struct kv_store *store);

/** Does at most `budget` steps of what was put off, each about as much as one bucket or one
 * value freed. The steps done; less than `budget`: nothing is left to do. */
uint32_t kv_store_work(struct kv_store *store, uint32_t budget);

/* ------------------------------------------------------------------ one key */

/** True and the key as it is, expired or not; false if it is not there. */
bool kv_store_get(const struct kv_store *store, uint32_t db, struct kv_slice key,
                  struct kv_view *ret_view);

/** Whether the key is to be taken for missing: now is after its expiry. */
static inline bool kv_view_expired(const struct kv_view *view, int64_t now_ms)
{
    return view->expire_ms != 0 && now_ms > view->expire_ms;
}

/** The LSN that must be durable before a reader is told anything of this key, there or not.
 * Of a missing key it may be that of a stranger, and so too high, never too low. */
uint64_t kv_store_key_lsn(const struct kv_store *store, uint32_t db, struct kv_slice key);

/** The same for anything that was told of a database as a whole: how many, which. */
uint64_t kv_store_db_lsn(const struct kv_store *store, uint32_t db);

/** The highest LSN applied or loaded; 0: none. */
uint64_t kv_store_lsn(const struct kv_store *store);

/* ------------------------------------------------------------------ many keys */

/** Keys of a database, those that are past their expiry included; of these, those that have
 * an expiry. */
uint64_t kv_store_count(const struct kv_store *store, uint32_t db);
uint64_t kv_store_count_expiring(const struct kv_store *store, uint32_t db);

/** Visits the entries of one bucket, or a few; the cursor to go on with. Begin with 0, and
 * stop when it gives 0. Between two calls the store may change: an entry that is there from
 * the first call to the last is visited at least once, one that is not there at any time
 * never. While nothing is applied, loaded or worked on between the calls, every entry is
 * visited exactly once. Any number is a valid cursor. */
uint64_t kv_store_scan(const struct kv_store *store, uint32_t db, uint64_t cursor,
                       kv_visit_fn *visit, void *context);

/** One of the keys, chosen by a random number; fair but for the lengths of chains. False:
 * there is none. */
bool kv_store_random(const struct kv_store *store, uint32_t db, uint64_t random,
                     struct kv_view *ret_view);

/** A key past its expiry, in any database: the one that expired first, of one of them. It
 * is to be removed with a logged DEL, or it will be given again. False: there is none. The
 * cost does not depend on how many keys there are. */
bool kv_store_next_expired(const struct kv_store *store, int64_t now_ms, uint32_t *ret_db,
                           struct kv_view *ret_view);

/** When the next key expires, in wall-clock ms, perhaps in the past; 0: none ever does. */
int64_t kv_store_next_expiry_ms(const struct kv_store *store);

/** Where the memory is. */
void kv_store_memory(const struct kv_store *store, struct kv_store_memory *ret_memory);

#endif
