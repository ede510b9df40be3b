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

#ifdef __SANITIZE_ADDRESS__

/* AddressSanitizer sees more when it is asked for every block. */
static void *give(void *context, size_t size_bytes, size_t align)
{
    (void)context;
    return tp_alloc(NULL, size_bytes, align > 64 ? align : 64);
}

static void take(void *context, void *block, size_t size_bytes)
{
    (void)context;
    tp_free(NULL, block, size_bytes, 64);
}

static void give_back(struct tp_memory *memory)
{
    (void)memory; /* nothing is kept */
}

#else

/* From here on a block is mapped: most of a large table is never touched. */
#define MAPPED_BYTES ((size_t)96 * 1024)
#define PAGE_BYTES   ((size_t)4096)
#define STEP_BYTES   ((size_t)64) /* sizes are multiples of it, and so is every address */

/* Four sizes for each doubling, so that a class wastes at most a quarter. */
static uint32_t class_of(size_t size_bytes)
{
    uint32_t steps =
        size_bytes == 0 ? 1 : (uint32_t)((size_bytes + STEP_BYTES - 1) / STEP_BYTES);
    uint32_t shift = 0;

    while ((steps - 1) >> shift >= 8)
        shift++;
    return shift * 4 + ((steps - 1) >> shift) + 1;
}

/* Of the blocks of a class. One of a page and more begins at one. */
static size_t bytes_of(uint32_t class)
{
    uint32_t shift = class <= 8 ? 0 : (class - 5) / 4;

    tp_assert(class < TP_MEMORY_CLASSES);
    return (STEP_BYTES * (class - shift * 4)) << shift;
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

static size_t align_of(size_t size_bytes)
{
    return size_bytes < PAGE_BYTES ? STEP_BYTES : PAGE_BYTES;
}

static void *give(void *context, size_t size_bytes, size_t align)
{
    struct tp_memory *memory = context;
    struct tp_memory_kept *block;
    uint32_t class;

    tp_assert(align <= align_of(size_bytes));
    if (size_bytes >= MAPPED_BYTES)
        return map(size_bytes);
    class = class_of(size_bytes);
    tp_assert(bytes_of(class) >= size_bytes);
    block = memory->kept[class];
    if (block == NULL)
        return tp_alloc(NULL, bytes_of(class), align_of(bytes_of(class)));
    memory->kept[class] = block->next;
    return memset(block, 0, size_bytes);
}

static void take(void *context, void *given, size_t size_bytes)
{
    struct tp_memory *memory = context;
    struct tp_memory_kept *block = given;
    uint32_t class;

    if (size_bytes >= MAPPED_BYTES) {
        unmap(given, size_bytes);
        return;
    }
    class = class_of(size_bytes);
    block->next = memory->kept[class];
    memory->kept[class] = block;
}

static void give_back(struct tp_memory *memory)
{
    for (uint32_t i = 0; i < TP_MEMORY_CLASSES; i++) {
        while (memory->kept[i] != NULL) {
            struct tp_memory_kept *block = memory->kept[i];

            memory->kept[i] = block->next;
            tp_free(NULL, block, bytes_of(i), align_of(bytes_of(i)));
        }
    }
}

#endif

void tp_memory_init(struct tp_memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->allocator = (struct tp_allocator){give, take, memory};
}

void tp_memory_deinit(struct tp_memory *memory)
{
    give_back(memory);
}
