#include "apps/kv/pages.h"

#include <string.h>

void kv_pages_init(struct kv_pages *pages, uint32_t item_bytes, uint32_t page_items)
{
    struct kv_pages fresh = {.item_bytes = item_bytes};

    tp_assert(page_items > 0 && (page_items & (page_items - 1)) == 0);
    tp_assert((uint64_t)item_bytes * page_items <= KV_PAGE_BYTES);
    fresh.page_shift = (uint32_t)__builtin_ctz(page_items);
    *pages = fresh;
}

void kv_pages_extend(struct kv_pages *pages, struct kv_memory *memory, uint64_t items)
{
    uint64_t slots = (items + (UINT64_C(1) << pages->page_shift) - 1) >> pages->page_shift;
    uint8_t **directory;

    tp_assert(slots <= UINT32_MAX);
    if (slots <= pages->slots)
        return;
    directory = kv_memory_take(memory, slots * KV_SLOT_BYTES);
    if (pages->slots > 0) {
        memcpy(directory, pages->directory, pages->slots * sizeof *directory);
        kv_memory_give(memory, pages->directory, (uint64_t)pages->slots * KV_SLOT_BYTES);
    }
    pages->directory = directory;
    pages->slots = (uint32_t)slots;
}

void *kv_pages_make(struct kv_pages *pages, struct kv_memory *memory, uint64_t index)
{
    uint8_t **page = &pages->directory[index >> pages->page_shift];

    tp_assert(index >> pages->page_shift < pages->slots);
    if (*page == NULL) {
        *page = kv_memory_take(memory, kv_pages_page_bytes(pages));
        pages->made++;
    }
    return kv_pages_find(pages, index);
}

bool kv_pages_drop(struct kv_pages *pages, struct kv_memory *memory, uint32_t page)
{
    tp_assert(page < pages->slots);
    if (pages->directory[page] == NULL)
        return false;
    kv_memory_give(memory, pages->directory[page], kv_pages_page_bytes(pages));
    pages->directory[page] = NULL;
    pages->made--;
    return true;
}

void kv_pages_deinit(struct kv_pages *pages, struct kv_memory *memory)
{
    for (uint32_t page = 0; pages->made > 0; page++)
        (void)kv_pages_drop(pages, memory, page);
    if (pages->slots > 0)
        kv_memory_give(memory, pages->directory, (uint64_t)pages->slots * KV_SLOT_BYTES);
    kv_pages_init(pages, pages->item_bytes, UINT32_C(1) << pages->page_shift);
}
