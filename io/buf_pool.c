#include "buf_pool.h"

static size_t pool_bytes(uint32_t count)
{
    return sizeof(struct tp_buf_pool) + (size_t)count * sizeof(struct tp_pooled);
}

static void reset(struct tp_buf_pool *pool, uint32_t index)
{
    struct tp_buf *buf = &pool->items[index].buf;

    buf->data = pool->memory + (size_t)index * pool->size_bytes;
    buf->len = 0;
    buf->capacity = pool->size_bytes;
    buf->registered = index + 1;
}

struct tp_buf_pool *tp_buf_pool_create(void *memory, uint32_t count, uint32_t size_bytes,
                                       const struct tp_allocator *allocator)
{
    struct tp_buf_pool *pool = tp_alloc(allocator, pool_bytes(count), 64);

    if (pool == NULL)
        return NULL;
    pool->memory = memory;
    pool->count = count;
    pool->size_bytes = size_bytes;
    for (uint32_t i = count; i > 0; i--) {
        pool->items[i - 1].next_free = pool->first_free;
        pool->first_free = i;
    }
    return pool;
}

void tp_buf_pool_destroy(struct tp_buf_pool *pool, const struct tp_allocator *allocator)
{
    if (pool != NULL)
        tp_free(allocator, pool, pool_bytes(pool->count), 64);
}

struct tp_buf *tp_buf_pool_acquire(struct tp_buf_pool *pool, const char *file, int line)
{
    struct tp_pooled *item;

    tp_assert(file != NULL);
    if (pool->first_free == 0)
        return NULL;
    item = &pool->items[pool->first_free - 1];
    reset(pool, pool->first_free - 1);
    pool->first_free = item->next_free;
    item->file = file;
    item->line = (uint32_t)line;
    pool->taken++;
    return &item->buf;
}

void tp_buf_pool_release(struct tp_buf_pool *pool, struct tp_buf *buf, const char *file,
                         int line)
{
    uintptr_t offset = (uintptr_t)buf - (uintptr_t)pool->items;
    uint32_t index = (uint32_t)(offset / sizeof(struct tp_pooled));
    struct tp_pooled *item;

    if ((uintptr_t)buf < (uintptr_t)pool->items || index >= pool->count ||
        offset % sizeof(struct tp_pooled) != 0)
        tp_stop(file, line,
                "released a buffer that is not a registered buffer of this Io "
                "(a part of one, or a foreign one)");
    item = &pool->items[index];
    if (item->file == NULL)
        tp_stopf(file, line, "released registered buffer %u twice", index);
    item->file = NULL;
    item->next_free = pool->first_free;
    pool->first_free = index + 1;
    pool->taken--;
}
