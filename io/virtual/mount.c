/* Memory after a power cut: filled again from the media, as a mount does; what no name
 * leads to is freed, as a check of the file system does. */
#include "disk_internal.h"

#include <string.h>

/* A file's page cache after the mount: what the media have, up to the size. */
static void reload_data(struct tp_disk *disk, struct tp_inode *file)
{
    uint64_t end_page = (file->size + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;
    uint32_t tail = (uint32_t)(file->size % TP_PAGE_BYTES);
    uint32_t slot;

    for (uint64_t page = 0; (slot = tp_map_next(disk, &file->map, page)) != 0;) {
        struct tp_page_slot *s = tp_slot_at(disk, slot);

        page = (uint64_t)s->page + 1;
        tp_slot_settle(disk, file, slot, 0, 0);
        if ((s->media == TP_PAGE_HOLE && (s->flags & TP_SLOT_MEDIA_RESERVED) == 0) ||
            (s->media != TP_PAGE_HOLE && s->page >= end_page)) {
            tp_slot_drop(disk, file, slot);
            continue;
        }
        if (tail != 0 && s->page == end_page - 1 && s->media != TP_PAGE_HOLE) {
            s->media = tp_pages_own(&disk->pages, s->media, true, disk->allocator);
            memset(tp_pages_write(&disk->pages, s->media) + tail, 0, TP_PAGE_BYTES - tail);
        }
        tp_pages_unref(&disk->pages, s->cache);
        tp_pages_unref(&disk->pages, s->device);
        s->cache = tp_pages_ref(&disk->pages, s->media);
        s->device = tp_pages_ref(&disk->pages, s->media);
        s->flags = TP_SLOT_USED | TP_SLOT_ALLOCATED | TP_SLOT_MEDIA_RESERVED;
        if (s->media != TP_PAGE_HOLE)
            s->flags |= TP_SLOT_WRITTEN;
        file->allocated++;
    }
}

static void reload_file(struct tp_disk *disk, struct tp_inode *file)
{
    bool touched =
        file->dirty_count > 0 || file->diverged != 0 || file->size != file->media_size;

    file->size = file->media_size;
    file->size_low = file->media_size;
    file->mode = file->media_mode;
    file->modified_ns = file->media_modified_ns;
    file->opens = 0;
    file->lock = 0;
    file->changed_at = 0;
    file->tick_ns = file->modified_ns;
    file->tick_ops = 0;
    file->diverged = 0;
    file->error = 0;
    file->error_seen = 0;
    file->error_sequence = 0;
    file->counted = 1;
    if (touched) {
        file->allocated = 0;
        reload_data(disk, file);
    }
}

/* Fills the names in memory from those on the media, directory by directory from the root.
 */
static void reload_names(struct tp_disk *disk)
{
    size_t bytes = (size_t)disk->inodes.used * sizeof(uint32_t);
    uint32_t *queue = tp_alloc(disk->allocator, bytes, 16);
    uint32_t head = 0;
    uint32_t tail = 0;

    if (queue == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
    tp_names_clear(disk, TP_IN_MEMORY);
    queue[tail++] = TP_ROOT;
    while (head < tail) {
        uint32_t dir = queue[head++];
        uint32_t entry = tp_inode_at(disk, dir)->list[TP_ON_MEDIA].first;

        tp_inode_at(disk, dir)->subdirs = 0;
        for (; entry != 0; entry = tp_entry_at(disk, TP_ON_MEDIA, entry)->next) {
            struct tp_entry e = *tp_entry_at(disk, TP_ON_MEDIA, entry);

            tp_names_add(disk, TP_IN_MEMORY, dir, tp_texts_at(&disk->texts, e.name),
                         e.name_len, e.inode);
            if (tp_inode_at(disk, e.inode)->kind != TP_FILE_DIRECTORY)
                continue;
            tp_inode_at(disk, e.inode)->parent = dir;
            tp_inode_at(disk, dir)->subdirs++;
            tp_assert(tail < disk->inodes.used);
            queue[tail++] = e.inode;
        }
    }
    tp_free(disk->allocator, queue, bytes, 16);
}

/* Frees what no path leads to. */
static void free_orphans(struct tp_disk *disk)
{
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        struct tp_inode *at = tp_inode_at(disk, inode);

        if (at->kind != TP_FILE_DIRECTORY || !tp_inode_is_dead(disk, inode))
            continue;
        while (at->list[TP_ON_MEDIA].first != 0)
            tp_names_remove(disk, TP_ON_MEDIA, at->list[TP_ON_MEDIA].first);
    }
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++)
        tp_inode_settle(disk, inode);
}

void tp_disk_reload(struct tp_disk *disk)
{
    disk->pages_used = 0;
    disk->inodes_counted = 0;
    disk->opens = 0;
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind == TP_FILE_OTHER)
            continue;
        reload_file(disk, file);
        disk->pages_used += file->allocated;
        disk->inodes_counted++;
    }
    reload_names(disk);
    free_orphans(disk);
    disk->name_ops_whole = disk->name_ops_made;
    tp_assert(disk->dirty_pages == 0 && disk->name_ops.live == 0);
}

void tp_disk_kill(struct tp_disk *disk)
{
    tp_assert(disk->attached == 0);
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind == TP_FILE_OTHER)
            continue;
        disk->opens -= file->opens;
        file->opens = 0;
        file->lock = 0;
        tp_inode_settle(disk, inode);
    }
}
