#include "sort.h"

/* Lets the item at `root` sink in the heap of the first `count`, the largest on top. */
static void sink(struct tp_sort_item *items, uint32_t root, uint32_t count)
{
    struct tp_sort_item item = items[root];
    uint32_t child;

    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && items[child + 1].key > items[child].key)
            child++;
        tp_assert(items[child].key != item.key);
        if (items[child].key < item.key)
            break;
        items[root] = items[child];
        root = child;
    }
    items[root] = item;
}

void tp_sort(struct tp_sort_item *items, uint32_t count)
{
    for (uint32_t root = count / 2; root > 0; root--)
        sink(items, root - 1, count);
    for (uint32_t last = count; last > 1; last--) {
        struct tp_sort_item largest = items[0];

        items[0] = items[last - 1];
        items[last - 1] = largest;
        sink(items, 0, last - 1);
    }
}
