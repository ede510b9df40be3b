#include "budget.h"

#include <string.h>

enum { ALIGN = 16, FIRST_ITEMS = 16 };

void *tp_budget_alloc(struct tp_budget *budget, uint64_t size_bytes)
{
    void *memory;

    tp_assert(size_bytes > 0);
    if (size_bytes > budget->max_bytes ||
        budget->used_bytes > budget->max_bytes - size_bytes || size_bytes > SIZE_MAX)
        return NULL;
    memory = tp_alloc(budget->allocator, (size_t)size_bytes, ALIGN);
    if (memory != NULL)
        budget->used_bytes += size_bytes;
    return memory;
}

void tp_budget_free(struct tp_budget *budget, void *memory, uint64_t size_bytes)
{
    if (memory == NULL)
        return;
    tp_assert(size_bytes <= budget->used_bytes);
    budget->used_bytes -= size_bytes;
    tp_free(budget->allocator, memory, (size_t)size_bytes, ALIGN);
}

void *tp_budget_grow(struct tp_budget *budget, void *items, uint32_t item_bytes,
                     uint32_t *capacity, uint32_t count)
{
    uint64_t wanted = *capacity > 0 ? *capacity : FIRST_ITEMS;
    void *grown;

    tp_assert(count > 0 && item_bytes > 0);
    if (count <= *capacity)
        return items;
    while (wanted < count)
        wanted *= 2;
    if (wanted > UINT32_MAX)
        return NULL;
    grown = tp_budget_alloc(budget, wanted * item_bytes);
    if (grown == NULL)
        return NULL;
    if (*capacity > 0)
        memcpy(grown, items, (size_t)*capacity * item_bytes);
    tp_budget_free(budget, items, (uint64_t)*capacity * item_bytes);
    *capacity = (uint32_t)wanted;
    return grown;
}
