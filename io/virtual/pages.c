#include "pages.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"

#define CHUNK_PAGES          (UINT32_C(1) << TP_PAGES_CHUNK_LOG2)
#define CHUNK_BYTES          ((size_t)CHUNK_PAGES * TP_PAGE_BYTES)
#define PAGES_FIRST_CAPACITY (32 * CHUNK_PAGES)

static const uint8_t hole_bytes[TP_PAGE_BYTES];

static size_t chunks_bytes(uint32_t capacity)
{
    return (size_t)(capacity >> TP_PAGES_CHUNK_LOG2) * sizeof(uint8_t *);
}

static size_t refs_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(uint32_t);
}

static size_t hashes_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(uint64_t);
}

/* The tables for `capacity` pages; the chunks themselves come when a page in them is taken.
 */
static int tables_alloc(struct tp_pages *pages, uint32_t capacity,
                        const struct tp_allocator *allocator)
{
    uint8_t **chunks = tp_alloc(allocator, chunks_bytes(capacity), 16);
    uint32_t *refs = tp_alloc(allocator, refs_bytes(capacity), 16);
    uint64_t *hashes = tp_alloc(allocator, hashes_bytes(capacity), 16);

    if (chunks == NULL || refs == NULL || hashes == NULL) {
        tp_free(allocator, chunks, chunks_bytes(capacity), 16);
        tp_free(allocator, refs, refs_bytes(capacity), 16);
        tp_free(allocator, hashes, hashes_bytes(capacity), 16);
        return -ENOMEM;
    }
    pages->chunks = chunks;
    pages->refs = refs;
    pages->hashes = hashes;
    pages->capacity = capacity;
    return 0;
}

int tp_pages_init(struct tp_pages *pages, const struct tp_allocator *allocator)
{
    static const struct tp_pages empty;

    *pages = empty;
    pages->used = 1;
    return tables_alloc(pages, PAGES_FIRST_CAPACITY, allocator);
}

void tp_pages_deinit(struct tp_pages *pages, const struct tp_allocator *allocator)
{
    if (pages->chunks == NULL)
        return;
    for (uint32_t i = 0; i < pages->capacity >> TP_PAGES_CHUNK_LOG2; i++)
        tp_free(allocator, pages->chunks[i], CHUNK_BYTES, TP_PAGE_BYTES);
    tp_free(allocator, pages->chunks, chunks_bytes(pages->capacity), 16);
    tp_free(allocator, pages->refs, refs_bytes(pages->capacity), 16);
    tp_free(allocator, pages->hashes, hashes_bytes(pages->capacity), 16);
    pages->chunks = NULL;
}

int tp_pages_clone(struct tp_pages *pages, const struct tp_pages *source,
                   const struct tp_allocator *allocator)
{
    *pages = *source;
    pages->chunks = NULL;
    if (tables_alloc(pages, source->capacity, allocator) < 0)
        return -ENOMEM;
    memcpy(pages->refs, source->refs, refs_bytes(source->used));
    memcpy(pages->hashes, source->hashes, hashes_bytes(source->used));
    for (uint32_t first = 0; first < source->used; first += CHUNK_PAGES) {
        uint32_t chunk = first >> TP_PAGES_CHUNK_LOG2;
        uint32_t in_use =
            source->used - first < CHUNK_PAGES ? source->used - first : CHUNK_PAGES;

        if (source->chunks[chunk] == NULL)
            continue;
        pages->chunks[chunk] = tp_alloc(allocator, CHUNK_BYTES, TP_PAGE_BYTES);
        if (pages->chunks[chunk] == NULL) {
            tp_pages_deinit(pages, allocator);
            return -ENOMEM;
        }
        memcpy(pages->chunks[chunk], source->chunks[chunk], (size_t)in_use * TP_PAGE_BYTES);
    }
    return 0;
}

static void tables_grow(struct tp_pages *pages, const struct tp_allocator *allocator)
{
    struct tp_pages old = *pages;

    if (old.capacity > UINT32_MAX / 2 ||
        tables_alloc(pages, old.capacity * 2, allocator) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
    memcpy(pages->chunks, old.chunks, chunks_bytes(old.capacity));
    memcpy(pages->refs, old.refs, refs_bytes(old.capacity));
    memcpy(pages->hashes, old.hashes, hashes_bytes(old.capacity));
    tp_free(allocator, old.chunks, chunks_bytes(old.capacity), 16);
    tp_free(allocator, old.refs, refs_bytes(old.capacity), 16);
    tp_free(allocator, old.hashes, hashes_bytes(old.capacity), 16);
}

uint32_t tp_pages_take(struct tp_pages *pages, const struct tp_allocator *allocator)
{
    uint32_t page = pages->first_free;
    uint8_t **chunk;

    if (page != 0) {
        pages->first_free = pages->refs[page];
    } else {
        if (pages->used == pages->capacity)
            tables_grow(pages, allocator);
        page = pages->used++;
        chunk = &pages->chunks[page >> TP_PAGES_CHUNK_LOG2];
        if (*chunk == NULL)
            *chunk = tp_alloc(allocator, CHUNK_BYTES, TP_PAGE_BYTES);
        if (*chunk == NULL)
            tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
    }
    pages->refs[page] = 1;
    pages->hashes[page] = 0;
    pages->live++;
    return page;
}

void tp_pages_unref(struct tp_pages *pages, uint32_t page)
{
    if (page == TP_PAGE_HOLE)
        return;
    tp_assert(page < pages->used && pages->refs[page] > 0 && pages->live > 0);
    if (--pages->refs[page] > 0)
        return;
    pages->refs[page] = pages->first_free;
    pages->first_free = page;
    pages->live--;
}

const uint8_t *tp_pages_read(const struct tp_pages *pages, uint32_t page)
{
    tp_assert(page < pages->used);
    if (page == TP_PAGE_HOLE)
        return hole_bytes;
    return pages->chunks[page >> TP_PAGES_CHUNK_LOG2] +
           (size_t)(page & (CHUNK_PAGES - 1)) * TP_PAGE_BYTES;
}

uint64_t tp_pages_hash(const struct tp_pages *pages, uint32_t page)
{
    if (pages->hashes[page] == 0)
        pages->hashes[page] = tp_hash(tp_pages_read(pages, page), TP_PAGE_BYTES, 0);
    return pages->hashes[page];
}

uint32_t tp_pages_own(struct tp_pages *pages, uint32_t page, bool keep,
                      const struct tp_allocator *allocator)
{
    uint32_t own;

    if (page != TP_PAGE_HOLE && pages->refs[page] == 1)
        return page;
    own = tp_pages_take(pages, allocator);
    if (keep)
        memcpy(tp_pages_write(pages, own), tp_pages_read(pages, page), TP_PAGE_BYTES);
    tp_pages_unref(pages, page);
    return own;
}
