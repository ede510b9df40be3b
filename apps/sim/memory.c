#include "apps/sim/memory.h"

#include <string.h>
#ifndef __wasm__
#include <sys/mman.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* Blocks that are kept have this alignment, or a larger one that is not made use of. */
#define ALIGN ((size_t)64)

#ifdef __SANITIZE_ADDRESS__

static void *give_plainly(void *context, size_t size_bytes, size_t align)
{
    (void)context;
    return tp_alloc(NULL, size_bytes, align > 64 ? align : 64);
}

static void take_plainly(void *context, void *block, size_t size_bytes)
{
    (void)context;
    tp_free(NULL, block, size_bytes, 64);
}

#else

/* From here on a block is mapped: most of a large table is never touched. */
#define MAPPED_BYTES ((size_t)96 * 1024)
#define PAGE_BYTES   4096

/* The place of a size, made if there is room; -1: there is none. */
static int32_t find(struct tp_memory *memory, size_t size_bytes)
{
    for (uint32_t i = 0; i < memory->size_count; i++) {
        if (memory->sizes[i].size_bytes == size_bytes)
            return (int32_t)i;
    }
    if (memory->size_count == TP_MEMORY_SIZES)
        return -1;
    memory->sizes[memory->size_count].size_bytes = size_bytes;
    return (int32_t)memory->size_count++;
}

#ifdef __wasm__

static void *map(size_t size_bytes)
{
    return tp_alloc(NULL, size_bytes, PAGE_BYTES);
}

static void unmap(void *block, size_t size_bytes)
{
    tp_free(NULL, block, size_bytes, PAGE_BYTES);
}

#else

static void *map(size_t size_bytes)
{
    void *block =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return block == MAP_FAILED ? NULL : block;
}

static void unmap(void *block, size_t size_bytes)
{
    (void)munmap(block, size_bytes);
}

#endif

static size_t rounded(size_t size_bytes)
{
    return (size_bytes + ALIGN - 1) & ~(ALIGN - 1);
}

static void *give(void *context, size_t size_bytes, size_t align)
{
    struct tp_memory *memory = context;
    size_t size = rounded(size_bytes);
    struct tp_memory_free *block;
    int32_t place;

    if (size >= MAPPED_BYTES)
        return align > PAGE_BYTES ? NULL : map(size);
    place = find(memory, size);
    block = place < 0 || align > ALIGN ? NULL : memory->sizes[place].first;
    if (block == NULL)
        return tp_alloc(NULL, size, align > ALIGN ? align : ALIGN);
    memory->sizes[place].first = block->next;
    return memset(block, 0, size);
}

static void take(void *context, void *block, size_t size_bytes)
{
    struct tp_memory *memory = context;
    size_t size = rounded(size_bytes);
    struct tp_memory_free *kept = block;
    int32_t place;

    if (size >= MAPPED_BYTES) {
        unmap(block, size);
        return;
    }
    place = find(memory, size);
    if (place < 0) {
        tp_free(NULL, block, size, ALIGN);
        return;
    }
    kept->next = memory->sizes[place].first;
    memory->sizes[place].first = kept;
}

#endif

/* AddressSanitizer sees more when it is asked for every block. */
void tp_memory_init(struct tp_memory *memory)
{
    memset(memory, 0, sizeof *memory);
#ifdef __SANITIZE_ADDRESS__
    memory->allocator = (struct tp_allocator){give_plainly, take_plainly, memory};
#else
    memory->allocator = (struct tp_allocator){give, take, memory};
#endif
}

void tp_memory_deinit(struct tp_memory *memory)
{
    for (uint32_t i = 0; i < memory->size_count; i++) {
        while (memory->sizes[i].first != NULL) {
            struct tp_memory_free *block = memory->sizes[i].first;

            memory->sizes[i].first = block->next;
            tp_free(NULL, block, memory->sizes[i].size_bytes, ALIGN);
        }
    }
}
