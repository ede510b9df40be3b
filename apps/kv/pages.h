/** apps/kv/pages.h - a large array in small pages, made when needed and freed one by one.
 *
 * An array of a million items as one block costs a pause when it is made, grown or freed.
 * In pages it costs one page at a time. A page that was never made reads as nothing at all.
 *
 * What a page holds to begin with is zeros. Pages move never; the directory of their
 * addresses does when it grows.
 */
#ifndef TEMPEST_APPS_KV_PAGES_H
#define TEMPEST_APPS_KV_PAGES_H

#include "apps/kv/memory.h"

#define KV_PAGE_BYTES UINT32_C(32768) /* of a page, and of no larger one */

/** Bytes for an address in a large array: as many where addresses are smaller, so that what
 * is counted as memory, and what follows from that, is the same on every machine. */
#define KV_SLOT_BYTES UINT32_C(8)
_Static_assert(sizeof(void *) <= KV_SLOT_BYTES, "an address fits its slot");

/** Zeroed memory is an array without a directory. */
struct kv_pages {
    uint8_t **directory;
    uint32_t slots;      /* of the directory */
    uint32_t made;       /* pages that exist */
    uint32_t item_bytes; /* a power of two */
    uint32_t page_shift; /* log2 of the items in a page */
};

/** An empty array of items of `item_bytes`, in pages of `page_items`, both powers of two.
 */
void kv_pages_init(struct kv_pages *pages, uint32_t item_bytes, uint32_t page_items);

/** Makes the directory long enough for `items`. It never gets shorter. */
void kv_pages_extend(struct kv_pages *pages, struct kv_memory *memory, uint64_t items);

/** The page with the item is there afterwards. The item. */
void *kv_pages_make(struct kv_pages *pages, struct kv_memory *memory, uint64_t index);

/** Frees a page, by its number; none is fine. Whether there was one. */
bool kv_pages_drop(struct kv_pages *pages, struct kv_memory *memory, uint32_t page);

/** Frees the directory, and what pages are left. */
void kv_pages_deinit(struct kv_pages *pages, struct kv_memory *memory);

/** Bytes of one page, and of all of it. */
static inline uint64_t kv_pages_page_bytes(const struct kv_pages *pages)
{
    return (uint64_t)pages->item_bytes << pages->page_shift;
}

static inline uint64_t kv_pages_bytes(const struct kv_pages *pages)
{
    return pages->made * kv_pages_page_bytes(pages) +
           (uint64_t)pages->slots * KV_SLOT_BYTES;
}

/** The item; NULL when its page does not exist. */
static inline void *kv_pages_find(const struct kv_pages *pages, uint64_t index)
{
    uint8_t *page = pages->directory[index >> pages->page_shift];
    uint64_t within = index & ((UINT64_C(1) << pages->page_shift) - 1);

    return page == NULL ? NULL : page + within * pages->item_bytes;
}

#endif
