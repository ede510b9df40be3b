#include "recv_pool.h"

#if defined(__SANITIZE_ADDRESS__)
#define TP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TP_ASAN 1
#endif
#endif
#ifdef TP_ASAN
#include <sanitizer/asan_interface.h>
#endif

static size_t pool_bytes(uint32_t count)
{
    return sizeof(struct tp_recv_pool) + (size_t)count * sizeof(struct tp_recv_buf);
}

static uint8_t *memory_of(const struct tp_recv_pool *pool, uint32_t index)
{
    return pool->memory + (size_t)index * pool->size_bytes;
}

static void set_poison(const struct tp_recv_pool *pool, uint32_t index, bool on)
{
#ifdef TP_ASAN
    if (on)
        __asan_poison_memory_region(memory_of(pool, index), pool->size_bytes);
    else
        __asan_unpoison_memory_region(memory_of(pool, index), pool->size_bytes);
#else
    (void)pool, (void)index, (void)on;
#endif
}

static void put(struct tp_recv_pool *pool, uint32_t index)
{
    struct tp_recv_buf *item = &pool->items[index];

    item->buf = tp_buf_empty(memory_of(pool, index), pool->size_bytes);
    item->holder = NULL;
    item->file = NULL;
    item->state = TP_RECV_RETURNED;
    pool->returned[pool->returned_count++] = index;
    set_poison(pool, index, true);
}

struct tp_recv_pool *tp_recv_pool_create(void *memory, uint32_t count, uint32_t size_bytes,
                                         const struct tp_allocator *allocator)
{
    struct tp_recv_pool *pool = tp_alloc(allocator, pool_bytes(count), 64);

    tp_assert(count > 0 && size_bytes > 0);
    if (pool == NULL)
        return NULL;
    pool->memory = memory;
    pool->count = count;
    pool->size_bytes = size_bytes;
    pool->returned = tp_alloc(allocator, count * sizeof *pool->returned, 64);
    if (pool->returned == NULL) {
        tp_free(allocator, pool, pool_bytes(count), 64);
        return NULL;
    }
    for (uint32_t index = 0; index < count; index++)
        put(pool, index);
    return pool;
}

void tp_recv_pool_destroy(struct tp_recv_pool *pool, const struct tp_allocator *allocator)
{
    if (pool == NULL)
        return;
    for (uint32_t index = 0; index < pool->count; index++)
        set_poison(pool, index, false); /* the memory goes back to whom it came from */
    tp_free(allocator, pool->returned, pool->count * sizeof *pool->returned, 64);
    tp_free(allocator, pool, pool_bytes(pool->count), 64);
}

void tp_recv_pool_deliver(struct tp_recv_pool *pool, uint32_t index, uint32_t len_bytes)
{
    struct tp_recv_buf *item;

    tp_assert(index < pool->count && len_bytes <= pool->size_bytes);
    item = &pool->items[index];
    tp_assert(item->state == TP_RECV_WORLD);
    item->state = TP_RECV_USER;
    item->buf.len = len_bytes;
    pool->with_user++;
    set_poison(pool, index, false);
}

void tp_recv_pool_recycle(struct tp_recv_pool *pool, uint32_t index)
{
    tp_assert(index < pool->count && pool->items[index].state == TP_RECV_WORLD);
    put(pool, index);
}

bool tp_recv_pool_take(struct tp_recv_pool *pool, uint32_t *ret_index)
{
    uint32_t index;

    if (pool->returned_count == 0)
        return false;
    index = pool->returned[--pool->returned_count];
    tp_assert(pool->items[index].state == TP_RECV_RETURNED);
    pool->items[index].state = TP_RECV_WORLD;
    *ret_index = index;
    return true;
}

struct tp_recv_buf *tp_recv_pool_find(struct tp_recv_pool *pool, const struct tp_buf *buf,
                                      const char *file, int line)
{
    uintptr_t offset, index;

    if (pool == NULL)
        tp_stop(file, line, "gave back a buffer to an Io that has no receive buffers");
    offset = (uintptr_t)buf - (uintptr_t)pool->items;
    index = offset / sizeof(struct tp_recv_buf);
    if ((uintptr_t)buf < (uintptr_t)pool->items || index >= pool->count ||
        offset % sizeof(struct tp_recv_buf) != 0)
        tp_stop(file, line,
                "gave back a buffer that is not a receive buffer of this Io "
                "(a part of one, or a foreign one)");
    if (pool->items[index].state != TP_RECV_USER)
        tp_stopf(file, line, "gave back receive buffer %u twice", (uint32_t)index);
    return &pool->items[index];
}

void tp_recv_pool_give_back(struct tp_recv_pool *pool, struct tp_buf *buf, const char *file,
                            int line)
{
    const struct tp_recv_buf *item = tp_recv_pool_find(pool, buf, file, line);

    pool->with_user--;
    put(pool, (uint32_t)(item - pool->items));
}

void tp_recv_pool_open(struct tp_recv_pool *pool, uint32_t index)
{
    tp_assert(index < pool->count && pool->items[index].state == TP_RECV_WORLD);
    set_poison(pool, index, false);
}
