/** apps/kv/table.h - a hash table of entries that changes its size a few buckets at a time.
 *
 * While it does there are two arrays of buckets: `from`, whose buckets below `moved` have
 * been emptied, and `to`, where new entries go. A key is looked for in both. Both are
 * powers of two and at most KV_TABLE_RATIO apart, which bounds what one step of a walk
 * visits.
 *
 * Each entry is in one bucket of one array. The buckets are chains, and their arrays come
 * in pages: a page of `to` is made when the first entry goes into it, one of `from` freed
 * when the last bucket of it has been moved. So no step costs more than a few pages.
 *
 * The entries belong to whoever puts them in.
 */
#ifndef TEMPEST_APPS_KV_TABLE_H
#define TEMPEST_APPS_KV_TABLE_H

#include "apps/kv/entry.h"
#include "apps/kv/pages.h"

#define KV_TABLE_MIN   UINT64_C(16)        /* buckets of the smallest table with entries */
#define KV_TABLE_MAX   (UINT64_C(1) << 31) /* of the largest; then chains get longer */
#define KV_TABLE_RATIO UINT64_C(8)

struct kv_buckets {
    struct kv_pages pages;
    uint64_t count; /* of buckets: a power of two; 0: there are none */
};

/** Zeroed memory is an empty table. */
struct kv_table {
    struct kv_buckets from;
    struct kv_buckets to; /* count 0: the table is at rest, and all is in `from` */
    uint64_t moved;       /* buckets of `from` that have been moved */
    uint64_t entries;
};

typedef void kv_table_visit_fn(void *context, const struct kv_entry *entry);

/** Where the pointer to the key's entry is, to replace or unlink it; NULL: not there. */
struct kv_entry **kv_table_find(const struct kv_table *table, uint32_t hash,
                                struct kv_slice key);

/** Adds an entry whose key is not there. */
void kv_table_insert(struct kv_table *table, struct kv_memory *memory,
                     struct kv_entry *entry);

/** Unlinks the entry that `link`, from kv_table_find(), points to. The entry. */
struct kv_entry *kv_table_unlink(struct kv_table *table, struct kv_entry **link);

/** Makes one step towards the size that suits the number of entries. `may_grow` false: no
 * growth is begun. False: there was nothing to do. */
bool kv_table_step(struct kv_table *table, struct kv_memory *memory, bool may_grow);

/** Takes one entry out, whichever comes first, or frees one page without any; for a table
 * that is to be emptied step by step. `*ret_entry` NULL: no entry this time. False: it is
 * empty, and owns no memory. */
bool kv_table_drain(struct kv_table *table, struct kv_memory *memory,
                    struct kv_entry **ret_entry);

/** The walk of kv_store_scan(): see there. */
uint64_t kv_table_scan(const struct kv_table *table, uint64_t cursor,
                       kv_table_visit_fn *visit, void *context);

/** An entry chosen by a random number; NULL: there is none. */
struct kv_entry *kv_table_random(const struct kv_table *table, uint64_t random);

/** Bytes of both arrays, without the entries. */
static inline uint64_t kv_table_bytes(const struct kv_table *table)
{
    return kv_pages_bytes(&table->from.pages) + kv_pages_bytes(&table->to.pages);
}

#endif
