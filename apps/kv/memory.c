#include "apps/kv/memory.h"

enum { ALIGN = _Alignof(uint64_t) };

int kv_memory_init(struct kv_memory *memory, const struct tp_allocator *allocator,
                   uint64_t ballast_bytes)
{
    struct kv_memory fresh = {.allocator = allocator, .ballast_bytes = ballast_bytes};

    tp_assert(ballast_bytes > 0);
    *memory = fresh;
    kv_memory_restore(memory);
    return kv_memory_is_short(memory) ? -ENOMEM : 0;
}

static void drop_ballast(struct kv_memory *memory)
{
    tp_free(memory->allocator, memory->ballast, (size_t)memory->ballast_bytes, ALIGN);
    memory->ballast = NULL;
}

void kv_memory_deinit(struct kv_memory *memory)
{
    tp_assert(memory->total == 0);
    drop_ballast(memory);
}

void *kv_memory_take(struct kv_memory *memory, uint64_t size_bytes)
{
    void *bytes = tp_alloc(memory->allocator, (size_t)size_bytes, ALIGN);

    tp_assert(size_bytes > 0);
    if (bytes == NULL && !kv_memory_is_short(memory)) {
        drop_ballast(memory);
        bytes = tp_alloc(memory->allocator, (size_t)size_bytes, ALIGN);
    }
    if (bytes == NULL)
        tp_stopf(
            __FILE__, __LINE__,
            "out of memory: %llu bytes are taken, and %llu more were needed for a change "
            "that cannot be refused any more",
            (unsigned long long)memory->total, (unsigned long long)size_bytes);
    memory->total += size_bytes;
    return bytes;
}

void kv_memory_give(struct kv_memory *memory, void *bytes, uint64_t size_bytes)
{
    tp_assert(bytes != NULL && size_bytes <= memory->total);
    memory->total -= size_bytes;
    tp_free(memory->allocator, bytes, (size_t)size_bytes, ALIGN);
}

void kv_memory_restore(struct kv_memory *memory)
{
    if (kv_memory_is_short(memory))
        memory->ballast = tp_alloc(memory->allocator, (size_t)memory->ballast_bytes, ALIGN);
}
