/** apps/sim/memory.h - memory of a run: a node that boots again gets what the last boot
 * had.
 *
 * Large tables come from the system, page by page as they are touched, and go back to it;
 * small ones are kept by size for the next boot. Everything is given out zeroed.
 */
#ifndef TEMPEST_APPS_SIM_MEMORY_H
#define TEMPEST_APPS_SIM_MEMORY_H

#include "io/base.h"

enum { TP_MEMORY_SIZES = 64 };

struct tp_memory_free {
    struct tp_memory_free *next;
};

struct tp_memory {
    struct tp_allocator allocator; /* to be handed out */
    struct {
        size_t size_bytes; /* of blocks that are kept */
        struct tp_memory_free *first;
    } sizes[TP_MEMORY_SIZES];
    uint32_t size_count;
};

void tp_memory_init(struct tp_memory *memory);

/** Gives back what is kept; all that was given out must have been freed. */
void tp_memory_deinit(struct tp_memory *memory);

#endif
