/* The way of a page down the layers: page cache, device cache, media. A move is a change of
 * holder, not a copy. */
#include "disk_internal.h"

#define WRITEBACK_REACH \
    16 /* the oldest dirty pages of a file among which write-back chooses */

static void dirty_list_remove(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if (s->prev != 0)
        tp_slot_at(disk, s->prev)->next = s->next;
    else
        inode->dirty_first = s->next;
    if (s->next != 0)
        tp_slot_at(disk, s->next)->prev = s->prev;
    else
        inode->dirty_last = s->prev;
    s->next = 0;
    s->prev = 0;
    inode->dirty_count--;
    disk->dirty_pages--;
}

static void dirty_list_append(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    s->prev = inode->dirty_last;
    s->next = 0;
    if (inode->dirty_last != 0)
        tp_slot_at(disk, inode->dirty_last)->next = slot;
    else
        inode->dirty_first = slot;
    inode->dirty_last = slot;
    inode->dirty_count++;
    disk->dirty_pages++;
}

void tp_slot_touch(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot,
                   uint8_t sectors)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    tp_assert(sectors != 0);
    if ((s->dirty | s->device_dirty) != 0)
        dirty_list_remove(disk, inode, slot);
    s->dirty |= sectors;
    s->stamp = ++disk->stamp;
    dirty_list_append(disk, inode, slot);
}

void tp_slot_settle(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot,
                    uint8_t dirty, uint8_t device_dirty)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if ((s->dirty | s->device_dirty) != 0 && (dirty | device_dirty) == 0)
        dirty_list_remove(disk, inode, slot);
    s->dirty = dirty;
    s->device_dirty = device_dirty;
}

void tp_slot_to_device(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if (s->dirty == 0)
        return;
    tp_pages_unref(&disk->pages, s->device);
    s->device = tp_pages_ref(&disk->pages, s->cache);
    tp_slot_settle(disk, inode, slot, 0, s->device_dirty | s->dirty);
}

void tp_slot_flush(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if (s->device_dirty != 0) {
        tp_pages_unref(&disk->pages, s->media);
        s->media = tp_pages_ref(&disk->pages, s->device);
        if (s->bad != 0)
            tp_slot_mend(disk, s, s->device_dirty);
    }
    tp_slot_settle(disk, inode, slot, s->dirty, 0);
}

void tp_slot_to_media(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    tp_slot_to_device(disk, inode, slot);
    tp_slot_flush(disk, inode, slot);
    if ((s->flags & TP_SLOT_ALLOCATED) != 0) {
        s->flags |= TP_SLOT_MEDIA_RESERVED;
        return;
    }
    s->flags &= (uint8_t)~TP_SLOT_MEDIA_RESERVED;
    if (s->cache == TP_PAGE_HOLE && s->media == TP_PAGE_HOLE)
        tp_slot_drop(disk, inode, slot);
}

void tp_slot_drop(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if ((s->dirty | s->device_dirty) != 0)
        tp_slot_settle(disk, inode, slot, 0, 0);
    tp_pages_unref(&disk->pages, s->cache);
    tp_pages_unref(&disk->pages, s->device);
    tp_pages_unref(&disk->pages, s->media);
    if (s->bad != 0)
        tp_slot_mend(disk, s, s->bad);
    tp_map_remove(disk, &inode->map, s->page);
}

static void size_to_media(struct tp_inode *file)
{
    file->media_size = file->size;
    file->size_low = file->size;
}

static void sync_names(struct tp_disk *disk, uint32_t inode, bool data_only)
{
    const struct tp_disk_rules *rules = disk->rules;
    const struct tp_inode *file = tp_inode_at(disk, inode);

    if (file->kind == TP_FILE_DIRECTORY && !rules->fsync_commits_names)
        tp_name_log_commit_dir(disk, inode);
    else if (rules->fsync_commits_names && (file->kind == TP_FILE_DIRECTORY || !data_only))
        tp_name_log_commit_until(disk, file->changed_at);
    else if (rules->fsync_commits_own && !data_only)
        tp_name_log_commit_inode(disk, inode);
}

bool tp_media_syncs_in_vain(const struct tp_disk *disk, uint32_t inode)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);

    return disk->rules->fsync_commits_own && file->kind == TP_FILE_REGULAR &&
           file->names[TP_IN_MEMORY] == 0;
}

void tp_media_sync(struct tp_disk *disk, uint32_t inode, bool data_only)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint32_t slot, next;

    for (slot = file->dirty_first; slot != 0; slot = next) {
        next = tp_slot_at(disk, slot)->next;
        tp_slot_to_media(disk, file, slot);
    }
    tp_assert(file->dirty_count == 0);
    size_to_media(file);
    file->synced_at = file->changed_at;
    if (!data_only) {
        file->media_mode = file->mode;
        file->media_modified_ns = file->modified_ns;
    }
    sync_names(disk, inode, data_only);
}

void tp_media_sync_range(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                         uint64_t len)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t first = offset / TP_PAGE_BYTES;
    uint64_t end = (offset + len + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;

    for (uint64_t page = first; page < end; page++) {
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)page);

        if (slot != 0)
            tp_slot_to_media(disk, file, slot);
    }
    size_to_media(file);
    file->synced_at = file->changed_at;
}

void tp_media_sync_failed(struct tp_disk *disk, uint32_t inode)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint32_t slot, next;

    for (slot = file->dirty_first; slot != 0; slot = next) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);

        next = s->next;
        tp_slot_settle(disk, file, slot, 0, s->device_dirty);
    }
    file->diverged = 1;
}

/* One of the pages that have been dirty for longest; 0 if there is none. */
static uint32_t choose_dirty(const struct tp_disk *disk, const struct tp_inode *file,
                             struct tp_tape *tape, uint32_t stream)
{
    uint32_t reach =
        file->dirty_count < WRITEBACK_REACH ? file->dirty_count : WRITEBACK_REACH;
    uint32_t slot = file->dirty_first;
    uint64_t steps;

    if (reach == 0)
        return 0;
    steps = tp_tape_draw(tape, stream, TP_DRAW_PAGE, reach);
    for (; steps > 0; steps--)
        slot = tp_slot_at(disk, slot)->next;
    return slot;
}

void tp_media_writeback(struct tp_disk *disk, uint32_t inode, struct tp_tape *tape,
                        uint32_t node)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint32_t stream = tp_stream(node, TP_CONCERN_WRITEBACK);
    uint64_t bound = disk->config.writeback_one_in;
    uint64_t drawn;
    uint32_t slot;

    if (disk->config.writeback_off || disk->journal != TP_JOURNAL_FINE)
        return;
    drawn = tp_tape_draw(tape, stream, TP_DRAW_WRITEBACK, bound * 2);
    if (drawn < bound * 2 - 2)
        return;
    slot = choose_dirty(disk, file, tape, stream);
    if (slot == 0)
        return;
    /* A page cut off the file goes with the size, not by itself. */
    if ((uint64_t)tp_slot_at(disk, slot)->page * TP_PAGE_BYTES >= file->size)
        return;
    if (drawn == bound * 2 - 2) {
        tp_slot_to_device(disk, file, slot);
        return;
    }
    /* The file's last page takes the size with it: so it may survive that a file was this
     * long for a while. */
    if (tp_slot_at(disk, slot)->page == (file->size - 1) / TP_PAGE_BYTES)
        size_to_media(file);
    tp_slot_to_media(disk, file, slot);
}
