/** apps/kv/grow.h - memory that grows: room for at least so many items, doubling.
 *
 * A program that has no memory left cannot keep what it promised, so it stops and says so.
 */
#ifndef TEMPEST_APPS_KV_GROW_H
#define TEMPEST_APPS_KV_GROW_H

#include <stdlib.h>

#include "io/base.h"

/** Room for `needed` items of `item_bytes` each, at least; `*capacity` (of items) follows.
 * What was in `memory` (NULL: nothing) is kept; the rest is not cleared. */
static inline void *kv_grow(void *memory, uint32_t *capacity, uint64_t needed,
                            size_t item_bytes)
{
    uint64_t room = *capacity < 16 ? 16 : *capacity;

    if (needed <= *capacity)
        return memory;
    while (room < needed)
        room *= 2;
    tp_assert(room <= UINT32_MAX);
    memory = realloc(memory, (size_t)room * item_bytes);
    if (memory == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    *capacity = (uint32_t)room;
    return memory;
}

#endif
