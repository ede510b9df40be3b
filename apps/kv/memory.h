/** apps/kv/memory.h - the store's memory: counted, and with a ballast for when there is no
 * more.
 *
 * A change that is in the log must be made, so taking memory for it cannot fail. The
 * ballast is a block taken at the start and never touched, which costs address space only.
 * When the allocator has no more, the ballast goes back to it and the memory is asked for
 * again; from then on memory is short, and nothing new should be begun. Should that not be
 * enough, the program stops.
 */
#ifndef TEMPEST_APPS_KV_MEMORY_H
#define TEMPEST_APPS_KV_MEMORY_H

#include "io/base.h"

/** Read `total`. */
struct kv_memory {
    const struct tp_allocator *allocator;
    uint64_t total; /* bytes taken and not given back, without the ballast */
    uint64_t ballast_bytes;
    void *ballast; /* NULL: memory is short */
};

/** Takes the ballast, at least a byte. 0 or -ENOMEM. */
int kv_memory_init(struct kv_memory *memory, const struct tp_allocator *allocator,
                   uint64_t ballast_bytes);

/** Gives the ballast back; all else has been. */
void kv_memory_deinit(struct kv_memory *memory);

/** `size_bytes` of zeros, aligned for any number of 64 bits. Never NULL. */
void *kv_memory_take(struct kv_memory *memory, uint64_t size_bytes);

/** Gives back what was taken with that size. */
void kv_memory_give(struct kv_memory *memory, void *bytes, uint64_t size_bytes);

/** Whether the ballast is gone. */
static inline bool kv_memory_is_short(const struct kv_memory *memory)
{
    return memory->ballast == NULL;
}

/** Tries to take the ballast again; nothing happens when it is there. */
void kv_memory_restore(struct kv_memory *memory);

#endif
