#include "pool.h"

#include <errno.h>
#include <string.h>

#define POOL_ALIGN 16

/* What a pool begins with: this many bytes, but not fewer items than the least nor more
 * than the most. Sweeps make thousands of them that stay nearly empty. */
enum { FIRST_BYTES = 8192, FIRST_LEAST = 4, FIRST_MOST = 32 };

static size_t pool_bytes(const struct tp_pool *pool, uint32_t capacity)
{
    return (size_t)pool->item_bytes * capacity;
}

static uint32_t first_capacity(uint32_t item_bytes)
{
    uint32_t items = FIRST_BYTES / item_bytes;

    if (items < FIRST_LEAST)
        return FIRST_LEAST;
    return items < FIRST_MOST ? items : FIRST_MOST;
}

void tp_pool_init(struct tp_pool *pool, uint32_t item_bytes)
{
    static const struct tp_pool empty;

    tp_assert(item_bytes >= sizeof(uint32_t));
    *pool = empty;
    pool->item_bytes = item_bytes;
    pool->used = 1;
}

void tp_pool_deinit(struct tp_pool *pool, const struct tp_allocator *allocator)
{
    tp_free(allocator, pool->items, pool_bytes(pool, pool->capacity), POOL_ALIGN);
    pool->items = NULL;
}

int tp_pool_clone(struct tp_pool *pool, const struct tp_pool *source,
                  const struct tp_allocator *allocator)
{
    *pool = *source;
    if (source->items == NULL)
        return 0;
    pool->items = tp_alloc(allocator, pool_bytes(source, source->capacity), POOL_ALIGN);
    if (pool->items == NULL)
        return -ENOMEM;
    memcpy(pool->items, source->items, pool_bytes(source, source->used));
    return 0;
}

static int grow(struct tp_pool *pool, const struct tp_allocator *allocator)
{
    uint32_t capacity =
        pool->capacity == 0 ? first_capacity(pool->item_bytes) : pool->capacity * 2;
    uint8_t *items;

    if (capacity <= pool->capacity)
        tp_stop(__FILE__, __LINE__, "a table of the virtual disk is full");
    items = tp_alloc(allocator, pool_bytes(pool, capacity), POOL_ALIGN);
    if (items == NULL)
        return -ENOMEM;
    if (pool->items != NULL)
        memcpy(items, pool->items, pool_bytes(pool, pool->used));
    tp_free(allocator, pool->items, pool_bytes(pool, pool->capacity), POOL_ALIGN);
    pool->items = items;
    pool->capacity = capacity;
    return 0;
}

int tp_pool_reserve(struct tp_pool *pool, const struct tp_allocator *allocator)
{
    return tp_pool_is_full(pool) ? grow(pool, allocator) : 0;
}

uint32_t tp_pool_take_head(struct tp_pool *pool, uint32_t head_bytes,
                           const struct tp_allocator *allocator)
{
    uint32_t index = pool->first_free;

    tp_assert(head_bytes <= pool->item_bytes);
    if (index != 0) {
        memcpy(&pool->first_free, tp_pool_at(pool, index), sizeof pool->first_free);
    } else {
        if (tp_pool_reserve(pool, allocator) < 0)
            tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
        index = pool->used++;
    }
    memset(tp_pool_at(pool, index), 0, head_bytes);
    pool->live++;
    return index;
}

uint32_t tp_pool_take(struct tp_pool *pool, const struct tp_allocator *allocator)
{
    return tp_pool_take_head(pool, pool->item_bytes, allocator);
}

void tp_pool_give(struct tp_pool *pool, uint32_t index)
{
    tp_assert(pool->live > 0);
    memcpy(tp_pool_at(pool, index), &pool->first_free, sizeof pool->first_free);
    pool->first_free = index;
    pool->live--;
}

void tp_pool_clear(struct tp_pool *pool)
{
    pool->used = 1;
    pool->first_free = 0;
    pool->live = 0;
}
