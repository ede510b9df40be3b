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

#else

/* From here on a block is mapped: most of a large table is never touched. */
#define MAPPED_BYTES ((size_t)96 * 1024)
#define PAGE_BYTES   ((size_t)4096)
#define STEP_BYTES   ((size_t)64) /* sizes are multiples of it, and so is every address */
#define CLASSES      40

struct kept {
    struct kept *next;
};

/* Blocks that were given back, by class of size. */
static struct kept *kept_first[CLASSES];

/* Four sizes for each doubling, so that a class wastes at most a quarter: the class of a
 * size, and how many bytes its blocks have. A block of a page and more begins at one. */
static uint32_t class_of(size_t size_bytes, size_t *ret_bytes)
{
    uint32_t steps =
        size_bytes == 0 ? 1 : (uint32_t)((size_bytes + STEP_BYTES - 1) / STEP_BYTES);
    uint32_t shift = 0;

    while ((steps - 1) >> shift >= 8)
        shift++;
    steps = ((steps - 1) >> shift) + 1;
    *ret_bytes = (STEP_BYTES * steps) << shift;
    tp_assert(*ret_bytes >= size_bytes && shift * 4 + steps < CLASSES);
    return shift * 4 + steps;
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

static void *give(void *context, size_t size_bytes, size_t align)
{
    size_t bytes;
    struct kept *block;
    uint32_t class;

    (void)context;
    tp_assert(align <= (size_bytes < PAGE_BYTES ? STEP_BYTES : PAGE_BYTES));
    if (size_bytes >= MAPPED_BYTES)
        return map(size_bytes);
    class = class_of(size_bytes, &bytes);
    block = kept_first[class];
    if (block == NULL)
        return tp_alloc(NULL, bytes, bytes < PAGE_BYTES ? STEP_BYTES : PAGE_BYTES);
    kept_first[class] = block->next;
    return memset(block, 0, size_bytes);
}

static void take(void *context, void *memory, size_t size_bytes)
{
    struct kept *block = memory;
    size_t bytes;
    uint32_t class;

    (void)context;
    if (size_bytes >= MAPPED_BYTES) {
        unmap(memory, size_bytes);
        return;
    }
    class = class_of(size_bytes, &bytes);
    block->next = kept_first[class];
    kept_first[class] = block;
}

#endif

const struct tp_allocator tp_memory = {give, take, NULL};
