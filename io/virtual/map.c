/* The pages of a file: a tree with 32 children a node, as high as the highest page needs.
 */
#include "disk_internal.h"

#define MAP_HEIGHT_MAX 7 /* 32^7 pages are more than a page number can name */

/* The child that leads to `page` in a node of `height`. */
static uint32_t child_of(uint64_t page, uint32_t height)
{
    return (uint32_t)(page >> (TP_MAP_FANOUT_LOG2 * (height - 1))) & (TP_MAP_FANOUT - 1);
}

static bool is_within(const struct tp_map *map, uint64_t page)
{
    return map->height >= MAP_HEIGHT_MAX || page >> (TP_MAP_FANOUT_LOG2 * map->height) == 0;
}

static struct tp_map_node *node_at(const struct tp_disk *disk, uint32_t node)
{
    return tp_pool_at(&disk->nodes, node);
}

static struct tp_map_leaf *leaf_at(const struct tp_disk *disk, uint32_t leaf)
{
    return tp_pool_at(&disk->leaves, leaf);
}

uint32_t tp_map_find(const struct tp_disk *disk, const struct tp_map *map, uint32_t page)
{
    uint32_t at = map->root;
    uint32_t slot;

    if (at == 0 || !is_within(map, page))
        return 0;
    for (uint32_t height = map->height; height > 1; height--) {
        at = node_at(disk, at)->children[child_of(page, height)];
        if (at == 0)
            return 0;
    }
    slot = at << TP_MAP_FANOUT_LOG2 | child_of(page, 1);
    return (tp_slot_at(disk, slot)->flags & TP_SLOT_USED) != 0 ? slot : 0;
}

static uint32_t take_at(struct tp_disk *disk, uint32_t height)
{
    return tp_pool_take(height == 1 ? &disk->leaves : &disk->nodes, disk->allocator);
}

/* Raises the tree until `page` is within. */
static void map_raise(struct tp_disk *disk, struct tp_map *map, uint32_t page)
{
    if (map->root == 0) {
        map->height = 1;
        while (!is_within(map, page))
            map->height++;
        map->root = take_at(disk, map->height);
    }
    while (!is_within(map, page)) {
        uint32_t raised = tp_pool_take(&disk->nodes, disk->allocator);

        node_at(disk, raised)->children[0] = map->root;
        node_at(disk, raised)->used = 1;
        map->root = raised;
        map->height++;
    }
}

uint32_t tp_map_make(struct tp_disk *disk, struct tp_map *map, uint32_t page)
{
    uint32_t at, slot;
    struct tp_page_slot *made;

    map_raise(disk, map, page);
    at = map->root;
    for (uint32_t height = map->height; height > 1; height--) {
        uint32_t child = child_of(page, height);
        uint32_t below = node_at(disk, at)->children[child];

        if (below == 0) {
            below = take_at(disk, height - 1);
            node_at(disk, at)->children[child] = below;
            node_at(disk, at)->used++;
        }
        at = below;
    }
    slot = at << TP_MAP_FANOUT_LOG2 | child_of(page, 1);
    made = tp_slot_at(disk, slot);
    if ((made->flags & TP_SLOT_USED) == 0) {
        static const struct tp_page_slot empty;

        *made = empty;
        made->flags = TP_SLOT_USED;
        made->page = page;
        leaf_at(disk, at)->used++;
    }
    return slot;
}

void tp_map_remove(struct tp_disk *disk, struct tp_map *map, uint32_t page)
{
    uint32_t path[MAP_HEIGHT_MAX + 1];
    uint32_t at = map->root;
    struct tp_map_leaf *leaf;

    for (uint32_t height = map->height; height > 1; height--) {
        path[height] = at;
        at = node_at(disk, at)->children[child_of(page, height)];
    }
    leaf = leaf_at(disk, at);
    tp_assert((leaf->slots[child_of(page, 1)].flags & TP_SLOT_USED) != 0);
    leaf->slots[child_of(page, 1)].flags = 0;
    if (--leaf->used > 0)
        return;
    tp_pool_give(&disk->leaves, at);
    for (uint32_t height = 2; height <= map->height; height++) {
        struct tp_map_node *node = node_at(disk, path[height]);

        node->children[child_of(page, height)] = 0;
        if (--node->used > 0)
            return;
        tp_pool_give(&disk->nodes, path[height]);
    }
    map->root = 0;
    map->height = 0;
}

static uint32_t next_in_leaf(const struct tp_disk *disk, uint32_t leaf, uint32_t from)
{
    for (uint32_t i = from; i < TP_MAP_FANOUT; i++) {
        if ((leaf_at(disk, leaf)->slots[i].flags & TP_SLOT_USED) != 0)
            return leaf << TP_MAP_FANOUT_LOG2 | i;
    }
    return 0;
}

static uint32_t next_in(const struct tp_disk *disk, uint32_t at, uint32_t height,
                        uint64_t page)
{
    uint32_t first;

    if (height == 1)
        return next_in_leaf(disk, at, child_of(page, 1));
    first = child_of(page, height);
    for (uint32_t i = first; i < TP_MAP_FANOUT; i++) {
        uint32_t below = node_at(disk, at)->children[i];
        uint32_t slot =
            below == 0 ? 0 : next_in(disk, below, height - 1, i == first ? page : 0);

        if (slot != 0)
            return slot;
    }
    return 0;
}

uint32_t tp_map_next(const struct tp_disk *disk, const struct tp_map *map, uint64_t page)
{
    if (map->root == 0 || !is_within(map, page))
        return 0;
    return next_in(disk, map->root, map->height, page);
}
