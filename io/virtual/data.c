/* The page cache: what programs see of a file's data.
 *
 * Bytes of the last page past the size are zeros, always: growing a file shows zeros
 * without touching a page. A slot without storage (no ALLOCATED) is a hole that the media
 * do not have yet: the file was cut and grew again, or is shorter in memory than on the
 * media. */
#include "disk_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"
#include "io/virtual/random.h"

uint8_t tp_sectors_all(const struct tp_disk *disk)
{
    return disk->config.sector_bytes == TP_PAGE_BYTES ? 1 : 0xff;
}

/* The sectors that the bytes from `from` up to `to` of a page touch. */
static uint8_t sectors_of(const struct tp_disk *disk, uint32_t from, uint32_t to)
{
    uint32_t first = from / disk->config.sector_bytes;
    uint32_t last = (to - 1) / disk->config.sector_bytes;

    tp_assert(from < to && to <= TP_PAGE_BYTES);
    return (uint8_t)((2U << last) - (1U << first));
}

static uint32_t page_part(uint64_t offset, uint64_t len)
{
    uint32_t left = TP_PAGE_BYTES - (uint32_t)(offset % TP_PAGE_BYTES);

    return len < left ? (uint32_t)len : left;
}

uint64_t tp_data_read(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      uint8_t *bytes, uint64_t len)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t done = 0;

    if (offset >= file->size)
        return 0;
    if (len > file->size - offset)
        len = file->size - offset;
    while (done < len) {
        uint64_t at = offset + done;
        uint32_t part = page_part(at, len - done);
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)(at / TP_PAGE_BYTES));
        uint32_t page = slot == 0 ? TP_PAGE_HOLE : tp_slot_at(disk, slot)->cache;

        if (page == TP_PAGE_HOLE)
            memset(bytes + done, 0, part);
        else
            memcpy(bytes + done, tp_pages_read(&disk->pages, page) + at % TP_PAGE_BYTES,
                   part);
        done += part;
    }
    return done;
}

uint64_t tp_data_hash(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      uint64_t len)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t hash = 0;
    uint64_t part;

    for (; len > 0; offset += part, len -= part) {
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)(offset / TP_PAGE_BYTES));
        uint32_t page = slot == 0 ? TP_PAGE_HOLE : tp_slot_at(disk, slot)->cache;
        uint64_t of_part;

        part = page_part(offset, len);
        if (part == TP_PAGE_BYTES)
            of_part = tp_pages_hash(&disk->pages, page);
        else
            of_part = tp_hash(tp_pages_read(&disk->pages, page) + offset % TP_PAGE_BYTES,
                              (size_t)part, 0);
        hash = tp_rng_mix(hash) + of_part;
    }
    return hash;
}

/* The slot of a page, with storage; 0 when there is none left. */
static uint32_t slot_for_write(struct tp_disk *disk, struct tp_inode *file, uint32_t page)
{
    uint32_t slot = tp_map_find(disk, &file->map, page);

    if (slot != 0 && (tp_slot_at(disk, slot)->flags & TP_SLOT_ALLOCATED) != 0)
        return slot;
    if (tp_disk_room(disk) == 0 && !disk->overcommits)
        return 0;
    if (slot == 0)
        slot = tp_map_make(disk, &file->map, page);
    tp_slot_at(disk, slot)->flags |= TP_SLOT_ALLOCATED;
    tp_inode_allocated(disk, file, 1);
    return slot;
}

/* Puts bytes (NULL: zeros) into a page of the cache and notes what is dirty. */
static void slot_write(struct tp_disk *disk, struct tp_inode *file, uint32_t slot,
                       uint32_t from, const uint8_t *bytes, uint32_t len)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);
    uint8_t *page;

    s->cache = tp_pages_own(&disk->pages, s->cache, len < TP_PAGE_BYTES, disk->allocator);
    page = tp_pages_write(&disk->pages, s->cache) + from;
    if (bytes != NULL)
        memcpy(page, bytes, len);
    else
        memset(page, 0, len);
    tp_slot_touch(disk, file, slot, sectors_of(disk, from, from + len));
}

/* Before a file grows to `size`: the device may have other bytes past the end than memory's
 * zeros, which an eviction would show from then on. So the zeros are written, too. */
static void keep_tail_zero(struct tp_disk *disk, struct tp_inode *file, uint64_t size)
{
    uint32_t tail = (uint32_t)(file->size % TP_PAGE_BYTES);
    uint32_t slot;

    if (file->diverged == 0 || size <= file->size || tail == 0)
        return;
    slot = tp_map_find(disk, &file->map, (uint32_t)(file->size / TP_PAGE_BYTES));
    if (slot != 0 && tp_slot_at(disk, slot)->cache != TP_PAGE_HOLE &&
        tp_slot_unreadable(tp_slot_at(disk, slot)) == 0)
        slot_write(disk, file, slot, tail, NULL, TP_PAGE_BYTES - tail);
}

/* What the cache has goes first, and what is left of it is no longer in the way. */
static void direct_begin(struct tp_disk *disk, uint32_t inode, uint32_t slot)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    tp_slot_to_device(disk, file, slot);
    if (file->diverged != 0)
        (void)tp_slot_evict(disk, inode, slot);
    tp_slot_at(disk, slot)->flags |= TP_SLOT_DIRECT;
}

int64_t tp_data_write(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      const uint8_t *bytes, uint64_t len, bool direct)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    bool is_new = false;
    uint64_t done = 0;

    direct = direct || disk->rules->no_page_cache;
    if (len == 0)
        return 0;
    if (offset >= TP_FILE_SIZE_MAX)
        return -EFBIG;
    if (len > TP_FILE_SIZE_MAX - offset)
        len = TP_FILE_SIZE_MAX - offset;
    keep_tail_zero(disk, file, offset + len);
    while (done < len) {
        uint64_t at = offset + done;
        uint32_t part = page_part(at, len - done);
        uint32_t slot = slot_for_write(disk, file, (uint32_t)(at / TP_PAGE_BYTES));

        if (slot == 0)
            break;
        if (direct)
            direct_begin(disk, inode, slot);
        slot_write(disk, file, slot, (uint32_t)(at % TP_PAGE_BYTES), bytes + done, part);
        is_new = is_new || (tp_slot_at(disk, slot)->flags & TP_SLOT_WRITTEN) == 0;
        tp_slot_at(disk, slot)->flags |= TP_SLOT_WRITTEN;
        if (direct)
            tp_slot_to_device(disk, file, slot);
        else
            tp_slot_at(disk, slot)->flags &= (uint8_t)~TP_SLOT_DIRECT;
        done += part;
    }
    if (done == 0)
        return -ENOSPC;
    if (is_new || offset + done > file->size)
        file->changed_at = disk->name_ops_made;
    if (offset + done > file->size)
        file->size = offset + done;
    return (int64_t)done;
}

/* Makes a page past the new end a hole; the media keep theirs until a sync. */
static void slot_cut(struct tp_disk *disk, struct tp_inode *file, uint32_t slot)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if ((s->flags & TP_SLOT_ALLOCATED) != 0)
        tp_inode_allocated(disk, file, -1);
    s->flags &= (uint8_t) ~(TP_SLOT_ALLOCATED | TP_SLOT_WRITTEN);
    tp_pages_unref(&disk->pages, s->cache);
    s->cache = TP_PAGE_HOLE;
    if (s->device == TP_PAGE_HOLE && s->media == TP_PAGE_HOLE &&
        (s->flags & TP_SLOT_MEDIA_RESERVED) == 0)
        tp_slot_drop(disk, file, slot);
    else
        tp_slot_touch(disk, file, slot, tp_sectors_all(disk));
}

int32_t tp_data_truncate(struct tp_disk *disk, uint32_t inode, uint64_t size)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t first_gone = (size + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;
    uint32_t tail = (uint32_t)(size % TP_PAGE_BYTES);
    uint32_t slot;

    if (size > TP_FILE_SIZE_MAX)
        return -EFBIG;
    keep_tail_zero(disk, file, size);
    for (uint64_t page = first_gone;
         size <= file->size && (slot = tp_map_next(disk, &file->map, page)) != 0;) {
        page = (uint64_t)tp_slot_at(disk, slot)->page + 1;
        slot_cut(disk, file, slot);
    }
    slot = tail == 0 ? 0 : tp_map_find(disk, &file->map, (uint32_t)(size / TP_PAGE_BYTES));
    if (slot != 0 && size < file->size && tp_slot_at(disk, slot)->cache != TP_PAGE_HOLE)
        slot_write(disk, file, slot, tail, NULL, TP_PAGE_BYTES - tail);
    file->size = size;
    file->size_low = size < file->size_low ? size : file->size_low;
    file->changed_at = disk->name_ops_made;
    return 0;
}

/* Pages from `first` up to `end` that have no storage yet, counted no further than
 * `enough`. */
static uint64_t pages_missing(const struct tp_disk *disk, const struct tp_inode *file,
                              uint64_t first, uint64_t end, uint64_t enough)
{
    uint64_t missing = end - first;
    uint32_t slot;

    if (missing > enough + file->allocated)
        return missing - file->allocated; /* however many of them are there */
    for (uint64_t page = first; (slot = tp_map_next(disk, &file->map, page)) != 0;) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);

        if (s->page >= end)
            break;
        if ((s->flags & TP_SLOT_ALLOCATED) != 0)
            missing--;
        page = (uint64_t)s->page + 1;
    }
    return missing;
}

int32_t tp_data_fallocate(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                          uint64_t len, bool keep_size)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t first = offset / TP_PAGE_BYTES;
    uint64_t end;

    if (offset > TP_FILE_SIZE_MAX || len > TP_FILE_SIZE_MAX - offset)
        return -EFBIG;
    end = (offset + len + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;
    if (pages_missing(disk, file, first, end, tp_disk_room(disk)) > tp_disk_room(disk))
        return -ENOSPC;
    for (uint64_t page = first; page < end; page++) {
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)page);

        if (slot == 0)
            slot = tp_map_make(disk, &file->map, (uint32_t)page);
        if ((tp_slot_at(disk, slot)->flags & TP_SLOT_ALLOCATED) != 0)
            continue;
        tp_slot_at(disk, slot)->flags |= TP_SLOT_ALLOCATED;
        tp_inode_allocated(disk, file, 1);
        tp_slot_touch(disk, file, slot, tp_sectors_all(disk));
    }
    if (!keep_size && offset + len > file->size) {
        keep_tail_zero(disk, file, offset + len);
        file->size = offset + len;
    }
    file->changed_at = disk->name_ops_made;
    return 0;
}

int32_t tp_data_find(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                     struct tp_extent *ret_extent)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t end_page = (file->size + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;
    uint64_t page = offset / TP_PAGE_BYTES;
    uint64_t start;
    uint32_t slot;

    if (offset >= file->size)
        return 0;
    while ((slot = tp_map_next(disk, &file->map, page)) != 0 &&
           (tp_slot_at(disk, slot)->flags & TP_SLOT_WRITTEN) == 0)
        page = (uint64_t)tp_slot_at(disk, slot)->page + 1;
    if (slot == 0 || tp_slot_at(disk, slot)->page >= end_page)
        return 0;
    page = tp_slot_at(disk, slot)->page;
    start = page * TP_PAGE_BYTES;
    do {
        page++;
        slot = tp_map_find(disk, &file->map, (uint32_t)page);
    } while (page < end_page && slot != 0 &&
             (tp_slot_at(disk, slot)->flags & TP_SLOT_WRITTEN) != 0);
    ret_extent->start = start > offset ? start : offset;
    ret_extent->end = page * TP_PAGE_BYTES < file->size ? page * TP_PAGE_BYTES : file->size;
    return 1;
}

void tp_data_drop(struct tp_disk *disk, uint32_t inode)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    uint32_t slot;

    while ((slot = tp_map_next(disk, &file->map, 0)) != 0) {
        if ((tp_slot_at(disk, slot)->flags & TP_SLOT_ALLOCATED) != 0)
            tp_inode_allocated(disk, file, -1);
        tp_slot_drop(disk, file, slot);
    }
    tp_assert(file->allocated == 0 && file->dirty_count == 0 && file->map.root == 0);
}
