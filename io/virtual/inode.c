/* Files and directories: made, held by names, the log, the media and open descriptions, and
 * gone when nothing of these is left. */
#include "disk_internal.h"

#include <errno.h>

uint32_t tp_inode_make(struct tp_disk *disk, uint32_t kind, uint32_t mode, int64_t now_ns)
{
    uint32_t inode;
    struct tp_inode *file;

    tp_assert(kind != TP_FILE_OTHER);
    if (disk->inodes_counted >= disk->config.inodes_max)
        return 0;
    inode = tp_pool_take(&disk->inodes, disk->allocator);
    file = tp_inode_at(disk, inode);
    file->kind = kind;
    file->mode = mode & 07777;
    file->media_mode = file->mode;
    file->modified_ns = now_ns;
    file->media_modified_ns = now_ns;
    file->tick_ns = now_ns;
    file->tick_ops = disk->name_ops_made;
    file->counted = 1;
    disk->inodes_counted++;
    file->changed_at = disk->name_ops_made;
    return inode;
}

void tp_inode_allocated(struct tp_disk *disk, struct tp_inode *inode, int32_t pages)
{
    tp_assert(pages >= 0 || inode->allocated >= (uint32_t)-pages);
    inode->allocated = (uint32_t)((int64_t)inode->allocated + pages);
    if (inode->counted != 0)
        disk->pages_used = (uint64_t)((int64_t)disk->pages_used + pages);
}

static bool is_seen(const struct tp_inode *inode)
{
    return inode->names[TP_IN_MEMORY] > 0 || inode->opens > 0;
}

void tp_inode_settle(struct tp_disk *disk, uint32_t inode)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    if (inode == TP_ROOT || file->kind == TP_FILE_OTHER || is_seen(file))
        return;
    if (file->counted != 0) {
        tp_assert(disk->pages_used >= file->allocated);
        disk->pages_used -= file->allocated;
        disk->inodes_counted--;
        file->counted = 0;
    }
    if (file->pending > 0 || file->names[TP_ON_MEDIA] > 0 ||
        file->list[TP_ON_MEDIA].count > 0)
        return;
    tp_data_drop(disk, inode);
    tp_texts_remove(&disk->texts, file->target);
    file->kind = TP_FILE_OTHER;
    tp_pool_give(&disk->inodes, inode);
}

static bool has_ticked(int64_t from_ns, int64_t to_ns)
{
    return to_ns - from_ns <= -TP_TICK_NS || to_ns - from_ns >= TP_TICK_NS;
}

/* Linux takes the time of a change from a clock with ticks (4 ms, or 10). A write that
 * changes neither size nor storage, in the tick of the last change, leaves the inode as it
 * is: an fsync finds nothing of it to commit, and commits no name that is older. Where many
 * come one upon the other, the first one behind each tick does change it: one that is no
 * older than a write that is a tick ago. */
void tp_inode_modified(struct tp_disk *disk, uint32_t inode, int64_t now_ns)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t at_least = has_ticked(file->modified_ns, now_ns) ? disk->name_ops_made
                        : has_ticked(file->tick_ns, now_ns)   ? file->tick_ops
                                                              : 0;

    if (file->changed_at < at_least)
        file->changed_at = at_least;
    file->modified_ns = now_ns;
    if (!has_ticked(file->tick_ns, now_ns))
        return;
    file->tick_ns = now_ns;
    file->tick_ops = disk->name_ops_made;
}

void tp_inode_open(struct tp_disk *disk, uint32_t inode)
{
    tp_inode_at(disk, inode)->opens++;
    disk->opens++;
}

void tp_inode_close(struct tp_disk *disk, uint32_t inode)
{
    tp_assert(tp_inode_at(disk, inode)->opens > 0 && disk->opens > 0);
    tp_inode_at(disk, inode)->opens--;
    disk->opens--;
    tp_inode_settle(disk, inode);
}

int32_t tp_inode_lock(struct tp_disk *disk, uint32_t inode, uint32_t *holder)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    if (file->lock == TP_LOCK_LEFT && disk->operations >= file->lock_until)
        file->lock = 0;
    if (file->lock != 0)
        return file->lock == *holder ? 0 : -EAGAIN;
    tp_assert(*holder == 0 && disk->locks < TP_LOCK_LEFT - 1);
    *holder = ++disk->locks;
    file->lock = *holder;
    return 0;
}

void tp_inode_unlock(struct tp_disk *disk, uint32_t inode, uint32_t holder, uint64_t delay)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    tp_assert(holder != 0 && file->lock == holder);
    file->lock = delay == 0 ? 0 : TP_LOCK_LEFT;
    file->lock_until = disk->operations + delay;
}

bool tp_inode_is_dead(const struct tp_disk *disk, uint32_t inode)
{
    return inode != TP_ROOT && tp_inode_at(disk, inode)->names[TP_IN_MEMORY] == 0;
}

void tp_inode_stat(const struct tp_disk *disk, uint32_t inode, struct tp_statx *ret_statx)
{
    static const struct tp_statx empty;
    const struct tp_inode *file = tp_inode_at(disk, inode);

    *ret_statx = empty;
    ret_statx->kind = tp_inode_kind(disk, inode);
    ret_statx->mode = file->mode;
    ret_statx->size = file->size;
    ret_statx->allocated = (uint64_t)file->allocated * TP_PAGE_BYTES;
    ret_statx->links = file->names[TP_IN_MEMORY];
    ret_statx->inode = inode;
    ret_statx->device = 1;
    ret_statx->modified_ns = file->modified_ns;
    if (file->kind == TP_FILE_REGULAR) {
        ret_statx->direct_align = disk->config.sector_bytes;
        ret_statx->direct_memory_align = disk->config.sector_bytes;
    } else if (file->kind == TP_FILE_DIRECTORY) {
        ret_statx->size = TP_PAGE_BYTES;
        ret_statx->allocated = TP_PAGE_BYTES;
        ret_statx->links = tp_inode_is_dead(disk, inode) ? 0 : 2 + file->subdirs;
    }
}
