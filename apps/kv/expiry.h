/** apps/kv/expiry.h - the entries that expire, the first one first: a heap in pages.
 *
 * An entry knows its place in the heap (`expiry_at`), so that its expiry can be changed or
 * taken away. Four children a node: half as deep as two, and the children share a cache
 * line. Between equal times the order is that of the heap's history; addresses never count.
 */
#ifndef TEMPEST_APPS_KV_EXPIRY_H
#define TEMPEST_APPS_KV_EXPIRY_H

#include "apps/kv/entry.h"
#include "apps/kv/pages.h"

struct kv_expiry_item {
    int64_t when_ms;
    struct kv_entry *entry;
};

/** Zeroed memory is an empty heap. */
struct kv_expiry {
    struct kv_pages items;
    uint64_t count;
};

/** The entry expires at `when_ms`, or, with 0, never. */
void kv_expiry_set(struct kv_expiry *expiry, struct kv_memory *memory,
                   struct kv_entry *entry, int64_t when_ms);

/** When it expires; 0: never. */
int64_t kv_expiry_of(const struct kv_expiry *expiry, const struct kv_entry *entry);

/** The entry stands in for another one, whose expiry it gets. */
void kv_expiry_pass(struct kv_expiry *expiry, struct kv_entry *from, struct kv_entry *to);

/** The one that expires first; NULL: none ever does. */
struct kv_entry *kv_expiry_first(const struct kv_expiry *expiry);

/** Frees a page of a heap whose entries are not needed any more. False: it owns no memory.
 */
bool kv_expiry_drain(struct kv_expiry *expiry, struct kv_memory *memory);

#endif
