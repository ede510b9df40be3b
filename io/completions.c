#include "completions.h"

#include <errno.h>

/* An open-addressed table from handle to position. Entries of an older epoch are empty, so
 * that forgetting everything is one increment. Several completions of one handle
 * (multishot) are found in the order in which they were inserted, which is the order of
 * arrival. */
struct entry {
    uint32_t epoch;
    uint32_t position;
};

struct tp_completion_index {
    uint32_t epoch;
    uint32_t mask;
    struct entry entries[];
};

static uint32_t table_size(uint32_t capacity)
{
    uint32_t size = 8;

    while (size < capacity * 2)
        size *= 2;
    return size;
}

static size_t index_bytes(uint32_t capacity)
{
    return sizeof(struct tp_completion_index) + table_size(capacity) * sizeof(struct entry);
}

int tp_completions_init(struct tp_completions *completions, uint32_t capacity,
                        const struct tp_allocator *allocator)
{
    static const struct tp_completions empty;

    tp_assert(capacity > 0 && capacity <= UINT32_MAX / 4);
    *completions = empty;
    completions->items = tp_alloc(allocator, capacity * sizeof *completions->items, 64);
    completions->index = tp_alloc(allocator, index_bytes(capacity), 64);
    completions->capacity = capacity;
    if (completions->items == NULL || completions->index == NULL) {
        tp_completions_deinit(completions, allocator);
        return -ENOMEM;
    }
    completions->index->mask = table_size(capacity) - 1;
    return 0;
}

void tp_completions_deinit(struct tp_completions *completions,
                           const struct tp_allocator *allocator)
{
    tp_free(allocator, completions->items,
            completions->capacity * sizeof *completions->items, 64);
    tp_free(allocator, completions->index, index_bytes(completions->capacity), 64);
    completions->items = NULL;
    completions->index = NULL;
}

uint32_t tp_completions_room(struct tp_completions *completions)
{
    uint32_t kept = 0;

    if (completions->count > completions->live &&
        completions->count == completions->capacity) {
        for (uint32_t i = 0; i < completions->count; i++) {
            if (completions->items[i].handle != 0)
                completions->items[kept++] = completions->items[i];
        }
        tp_assert(kept == completions->live);
        completions->count = kept;
        completions->indexed = 0;
    }
    return completions->capacity - completions->count;
}

static uint32_t home(const struct tp_completion_index *index, uint64_t handle)
{
    return (uint32_t)((handle * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & index->mask;
}

/* Brings the index up to the list: everything on the first claim after it was forgotten,
 * and what later polls appended afterwards. */
static void catch_up(struct tp_completions *completions)
{
    struct tp_completion_index *index = completions->index;

    if (completions->indexed == 0) {
        index->epoch++;
        if (index->epoch == 0) { /* 2^32 lists later: old entries would look new */
            for (uint32_t i = 0; i <= index->mask; i++)
                index->entries[i].epoch = 0;
            index->epoch = 1;
        }
    }
    while (completions->indexed < completions->count) {
        uint32_t position = completions->indexed++;
        uint32_t at = home(index, completions->items[position].handle);

        while (index->entries[at].epoch == index->epoch)
            at = (at + 1) & index->mask;
        index->entries[at].epoch = index->epoch;
        index->entries[at].position = position;
    }
}

bool tp_completions_take(struct tp_completions *completions, uint64_t handle,
                         struct tp_completion *ret_completion)
{
    struct tp_completion_index *index = completions->index;

    if (completions->live == 0 || handle == 0)
        return false;
    catch_up(completions);
    for (uint32_t at = home(index, handle); index->entries[at].epoch == index->epoch;
         at = (at + 1) & index->mask) {
        struct tp_completion *item = &completions->items[index->entries[at].position];

        if (item->handle != handle)
            continue;
        *ret_completion = *item;
        item->handle = 0;
        if (--completions->live == 0)
            tp_completions_clear(completions);
        return true;
    }
    return false;
}
