/** io/virtual/pages.h - the pages that every layer of the disk shares.
 *
 * A page is 4096 bytes with a count of its holders: the page cache, the device cache and
 * the media of a file usually hold the same one, and moving data down a layer moves no
 * byte. Who wants to write makes sure that he is the only holder (tp_pages_own()). Page 0
 * is all zeros, belongs to nobody and is never written: a hole.
 */
#ifndef TEMPEST_IO_VIRTUAL_PAGES_H
#define TEMPEST_IO_VIRTUAL_PAGES_H

#include "../base.h"

#define TP_PAGE_BYTES       UINT32_C(4096)
#define TP_PAGE_HOLE        UINT32_C(0)
#define TP_PAGES_CHUNK_LOG2 3 /* pages are allocated 8 at a time: most disks have few */

struct tp_pages {
    uint8_t **chunks;
    uint32_t *refs;   /* holders of a live page; the next free page of a free one */
    uint64_t *hashes; /* of a page's content; 0: not known */
    uint32_t capacity;
    uint32_t used; /* pages that were ever taken, and page 0 */
    uint32_t first_free;
    uint32_t live;
};

/** 0, or -ENOMEM. */
int tp_pages_init(struct tp_pages *pages, const struct tp_allocator *allocator);
void tp_pages_deinit(struct tp_pages *pages, const struct tp_allocator *allocator);
int tp_pages_clone(struct tp_pages *pages, const struct tp_pages *source,
                   const struct tp_allocator *allocator);

/** A page with one holder and unknown content. Stops the program when the host has no
 * memory. */
uint32_t tp_pages_take(struct tp_pages *pages, const struct tp_allocator *allocator);

/** The last holder's release frees the page. A hole is fine. */
void tp_pages_unref(struct tp_pages *pages, uint32_t page);

/** The bytes of a page other than the hole, to change them. */
static inline uint8_t *tp_pages_write(struct tp_pages *pages, uint32_t page)
{
    tp_assert(page != TP_PAGE_HOLE && page < pages->used);
    pages->hashes[page] = 0;
    return pages->chunks[page >> TP_PAGES_CHUNK_LOG2] +
           (size_t)(page & ((1U << TP_PAGES_CHUNK_LOG2) - 1)) * TP_PAGE_BYTES;
}

/** The bytes of any page, to read them. */
const uint8_t *tp_pages_read(const struct tp_pages *pages, uint32_t page);

/** The hash of a page's content; computed once for each content. */
uint64_t tp_pages_hash(const struct tp_pages *pages, uint32_t page);

/** One more holder; gives the page back. A hole is fine. */
static inline uint32_t tp_pages_ref(struct tp_pages *pages, uint32_t page)
{
    if (page != TP_PAGE_HOLE)
        pages->refs[page]++;
    return page;
}

/** A page with the same content as `page`, held by the caller alone, in place of his hold
 * on `page`. `keep` false: the caller overwrites all of it, so the content need not be
 * copied. */
uint32_t tp_pages_own(struct tp_pages *pages, uint32_t page, bool keep,
                      const struct tp_allocator *allocator);

#endif
