#include "tests/common/allocator.h"

#include <stdlib.h>
#include <string.h>

/* Zeros that free() takes back, whatever the alignment. */
static void *zeros(size_t size_bytes, size_t align)
{
    void *memory = NULL;

    if (align <= _Alignof(max_align_t))
        return calloc(1, size_bytes);
    if (posix_memalign(&memory, align, size_bytes) != 0)
        return NULL;
    return memset(memory, 0, size_bytes);
}

/* Whether this call is the one that is to fail, or comes after that. */
static bool fails(struct allocator *a)
{
    if (a->fail_in == 0)
        return false;
    if (a->fail_in > 1) {
        a->fail_in--;
        return false;
    }
    if (!a->fails_on)
        a->fail_in = 0;
    return true;
}

static void *take(void *context, size_t size_bytes, size_t align)
{
    struct allocator *a = context;
    bool counts = size_bytes != a->ignore_bytes;

    if (counts && fails(a))
        return NULL;
    if (a->limit_bytes > 0 && a->live_bytes + size_bytes > a->limit_bytes)
        return NULL;
    a->live_bytes += size_bytes;
    a->live_blocks++;
    if (counts) {
        a->taken_bytes += size_bytes;
        a->taken_blocks++;
        if (size_bytes > a->largest_bytes)
            a->largest_bytes = size_bytes;
    }
    return zeros(size_bytes, align);
}

static void give(void *context, void *memory, size_t size_bytes)
{
    struct allocator *a = context;

    tp_assert(a->live_blocks > 0 && size_bytes <= a->live_bytes);
    a->live_bytes -= size_bytes;
    a->live_blocks--;
    a->given_blocks++;
    free(memory);
}

void allocator_init(struct allocator *allocator)
{
    struct allocator fresh = {.hooks = {take, give, allocator}};

    *allocator = fresh;
}

void allocator_restart(struct allocator *allocator)
{
    allocator->taken_bytes = 0;
    allocator->taken_blocks = 0;
    allocator->largest_bytes = 0;
    allocator->given_blocks = 0;
}
