/** io/virtual/pool.h - a growing array of equal items, named by index.
 *
 * Index 0 is never given out: it means none, so zeroed memory refers to nothing. A pool
 * grows by doubling, which moves its items: an index stays good, a pointer only until the
 * next tp_pool_take(). What was given back is taken first, so a pool that has reached its
 * size allocates no more. Cloning is a copy of the bytes, since no item holds a pointer.
 */
#ifndef TEMPEST_IO_VIRTUAL_POOL_H
#define TEMPEST_IO_VIRTUAL_POOL_H

#include "../base.h"

struct tp_pool {
    uint8_t *items;
    uint32_t item_bytes;
    uint32_t capacity;
    uint32_t used;       /* items that were ever taken, and index 0 */
    uint32_t first_free; /* the list runs through the first four bytes of free items */
    uint32_t live;
};

/** It has no memory until an item is taken: many pools of a run never have one. */
void tp_pool_init(struct tp_pool *pool, uint32_t item_bytes);
void tp_pool_deinit(struct tp_pool *pool, const struct tp_allocator *allocator);

/** Makes `pool` a copy of `source`. 0, or -ENOMEM. */
int tp_pool_clone(struct tp_pool *pool, const struct tp_pool *source,
                  const struct tp_allocator *allocator);

/** Whether the next tp_pool_take() moves the items. */
static inline bool tp_pool_is_full(const struct tp_pool *pool)
{
    return pool->first_free == 0 && pool->used >= pool->capacity;
}

/** Makes room for the next tp_pool_take(), for whom can say that there is no memory. 0, or
 * -ENOMEM. */
int tp_pool_reserve(struct tp_pool *pool, const struct tp_allocator *allocator);

/** A zeroed item's index. Stops the program when the host has no memory: a simulation that
 * could answer to that would no longer be the same one everywhere. */
uint32_t tp_pool_take(struct tp_pool *pool, const struct tp_allocator *allocator);

/** The same, of which no more than the first `head_bytes` are zeroed: for an item the rest
 * of which is written before it is read. */
uint32_t tp_pool_take_head(struct tp_pool *pool, uint32_t head_bytes,
                           const struct tp_allocator *allocator);
void tp_pool_give(struct tp_pool *pool, uint32_t index);

/** Forgets every item, and keeps the memory. */
void tp_pool_clear(struct tp_pool *pool);

static inline void *tp_pool_at(const struct tp_pool *pool, uint32_t index)
{
    tp_assert(index != 0 && index < pool->used);
    return pool->items + (size_t)index * pool->item_bytes;
}

#endif
