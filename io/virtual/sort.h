/** io/virtual/sort.h - sorting by a key, the same way everywhere. Keys must not be equal.
 */
#ifndef TEMPEST_IO_VIRTUAL_SORT_H
#define TEMPEST_IO_VIRTUAL_SORT_H

#include "../base.h"

struct tp_sort_item {
    uint64_t key;
    uint32_t value;
    uint32_t reserved;
};

/** Ascending; in place. */
void tp_sort(struct tp_sort_item *items, uint32_t count);

#endif
