/** apps/sim/memory.h - memory of a run: a node that boots again gets what the last boot
 * had.
 *
 * Large tables come from the system, page by page as they are touched, and go back to it;
 * small blocks are kept by size for whoever asks next, until the run ends. Everything is
 * given out zeroed, so nothing but time tells a boot what came before it.
 */
#ifndef TEMPEST_APPS_SIM_MEMORY_H
#define TEMPEST_APPS_SIM_MEMORY_H

#include "io/base.h"

enum { TP_MEMORY_CLASSES = 40 };

struct tp_memory_kept {
    struct tp_memory_kept *next;
};

struct tp_memory {
    struct tp_allocator allocator; /* to be handed out; of one thread */
    /* Blocks that were given back, by class of size. */
    struct tp_memory_kept *kept[TP_MEMORY_CLASSES];
};

void tp_memory_init(struct tp_memory *memory);

/** Gives back what is kept; all that was given out must have been freed. */
void tp_memory_deinit(struct tp_memory *memory);

#endif
