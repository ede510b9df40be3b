/* What can become of a page on its way down, and on the media (R7, R9).
 *
 * A clean page of the device is always the one of the media: what a fault takes from the
 * device it gives back as the media have it. Memory may differ from the device until a page
 * is evicted; the file is marked `diverged` then. */
#include "disk_internal.h"

#include <string.h>

/* ------------------------------------------------------------------ who is told */

void tp_inode_fail(struct tp_disk *disk, uint32_t inode, int32_t error)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    tp_assert(error < 0);
    if (file->error_seen != 0 || file->error_sequence == 0)
        file->error_sequence++;
    file->error_seen = 0;
    file->error = error;
}

uint32_t tp_inode_error_since(const struct tp_disk *disk, uint32_t inode)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);

    if (file->error_sequence == 0 || file->error_seen != 0)
        return file->error_sequence;
    return file->error_sequence - 1;
}

int32_t tp_inode_error(struct tp_disk *disk, uint32_t inode, uint32_t *since)
{
    struct tp_inode *file = tp_inode_at(disk, inode);

    tp_assert(*since <= file->error_sequence);
    if (*since == file->error_sequence)
        return 0;
    *since = file->error_sequence;
    file->error_seen = 1;
    return file->error;
}

/* ------------------------------------------------------------------ pages */

/* Replaces a hold on a page. */
static void hold(struct tp_disk *disk, uint32_t *held, uint32_t page)
{
    uint32_t old = *held;

    *held = tp_pages_ref(&disk->pages, page);
    tp_pages_unref(&disk->pages, old);
}

/* What the device has becomes what the media have. */
static void device_reverts(struct tp_disk *disk, struct tp_page_slot *s)
{
    hold(disk, &s->device, s->media);
}

/* Memory has this page from now on, with zeros past the end of the file. */
static void set_cache(struct tp_disk *disk, const struct tp_inode *file,
                      struct tp_page_slot *s, uint32_t page)
{
    uint64_t start = (uint64_t)s->page * TP_PAGE_BYTES;
    uint64_t left = file->size > start ? file->size - start : 0;

    hold(disk, &s->cache, left == 0 ? TP_PAGE_HOLE : page);
    if (s->cache == TP_PAGE_HOLE)
        return;
    s->flags |= TP_SLOT_WRITTEN;
    if (left >= TP_PAGE_BYTES)
        return;
    s->cache = tp_pages_own(&disk->pages, s->cache, true, disk->allocator);
    memset(tp_pages_write(&disk->pages, s->cache) + left, 0, TP_PAGE_BYTES - (size_t)left);
}

/* A page of its own holder: `base`, with these sectors of `from`. */
static uint32_t mixed(struct tp_disk *disk, uint32_t base, uint32_t from, uint8_t sectors)
{
    uint32_t bytes = disk->config.sector_bytes;
    uint32_t made = tp_pages_take(&disk->pages, disk->allocator);
    uint8_t *to = tp_pages_write(&disk->pages, made);

    memcpy(to, tp_pages_read(&disk->pages, base), TP_PAGE_BYTES);
    for (uint32_t at = 0; at < TP_PAGE_BYTES; at += bytes) {
        if (((sectors >> (at / bytes)) & 1) != 0)
            memcpy(to + at, tp_pages_read(&disk->pages, from) + at, bytes);
    }
    return made;
}

/* The media, and the device with them, have this page from now on; it is given away. */
static void set_media(struct tp_disk *disk, struct tp_page_slot *s, uint32_t made)
{
    tp_pages_unref(&disk->pages, s->media);
    s->media = made;
    device_reverts(disk, s);
}

bool tp_slot_evict(struct tp_disk *disk, uint32_t inode, uint32_t slot)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if (s->dirty != 0 || (s->flags & TP_SLOT_ALLOCATED) == 0 || s->cache == s->device)
        return false;
    set_cache(disk, file, s, s->device);
    return true;
}

/* Memory and device differ now; what memory never had it shows at once. */
static void diverge(struct tp_disk *disk, uint32_t inode, uint32_t slot, bool reverts)
{
    tp_inode_at(disk, inode)->diverged = 1;
    if (reverts || (tp_slot_at(disk, slot)->flags & TP_SLOT_DIRECT) != 0)
        (void)tp_slot_evict(disk, inode, slot);
}

void tp_slot_lose(struct tp_disk *disk, uint32_t inode, uint32_t slot, bool reverts)
{
    device_reverts(disk, tp_slot_at(disk, slot));
    tp_slot_settle(disk, tp_inode_at(disk, inode), slot, 0, 0);
    diverge(disk, inode, slot, reverts);
}

/* ------------------------------------------------------------------ R9 */

bool tp_slot_is_settled(const struct tp_disk *disk, uint32_t slot)
{
    const struct tp_page_slot *s = slot == 0 ? NULL : tp_slot_at(disk, slot);

    return s != NULL && (s->dirty | s->device_dirty | s->bad) == 0 &&
           (s->flags & TP_SLOT_ALLOCATED) != 0 && s->media != TP_PAGE_HOLE &&
           s->device == s->media;
}

uint8_t tp_slot_unreadable(const struct tp_page_slot *s)
{
    return s->bad & (uint8_t) ~(s->dirty | s->device_dirty);
}

void tp_slot_mend(struct tp_disk *disk, struct tp_page_slot *s, uint8_t sectors)
{
    bool was_bad = s->bad != 0;

    s->bad &= (uint8_t)~sectors;
    if (was_bad && s->bad == 0) {
        tp_assert(disk->bad_slots > 0);
        disk->bad_slots--;
    }
}

void tp_damage_unreadable(struct tp_disk *disk, uint32_t slot, uint8_t sectors)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    tp_assert(tp_slot_is_settled(disk, slot) && sectors != 0);
    s->bad = sectors;
    disk->bad_slots++;
}

void tp_damage_flip(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint32_t bit)
{
    struct tp_page_slot *s = tp_slot_at(disk, slot);
    uint32_t made;

    tp_assert(tp_slot_is_settled(disk, slot) && bit < TP_PAGE_BYTES * 8);
    made = mixed(disk, s->media, s->media, 0);
    tp_pages_write(&disk->pages, made)[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    set_media(disk, s, made);
    set_cache(disk, tp_inode_at(disk, inode), s, s->device);
    tp_inode_at(disk, inode)->diverged = 1; /* its tail may be another page */
}

void tp_damage_misread(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint32_t other)
{
    tp_assert(tp_slot_is_settled(disk, slot) && tp_slot_is_settled(disk, other));
    set_cache(disk, tp_inode_at(disk, inode), tp_slot_at(disk, slot),
              tp_slot_at(disk, other)->media);
    tp_inode_at(disk, inode)->diverged = 1;
}

void tp_damage_stale(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint8_t stale)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    tp_assert((s->flags & TP_SLOT_ALLOCATED) != 0);
    tp_slot_to_device(disk, file, slot);
    set_media(disk, s, mixed(disk, s->device, s->media, stale & s->device_dirty));
    tp_slot_mend(disk, s, s->device_dirty & (uint8_t)~stale);
    s->flags |= TP_SLOT_MEDIA_RESERVED;
    tp_slot_settle(disk, file, slot, 0, 0);
    diverge(disk, inode, slot, false);
}

void tp_damage_miswrite(struct tp_disk *disk, uint32_t inode, uint32_t slot,
                        uint32_t other_inode, uint32_t other)
{
    struct tp_inode *victim = tp_inode_at(disk, other_inode);
    struct tp_page_slot *s = tp_slot_at(disk, slot);
    struct tp_page_slot *o = tp_slot_at(disk, other);

    tp_assert(slot != other && tp_slot_is_settled(disk, other));
    tp_slot_to_device(disk, tp_inode_at(disk, inode), slot);
    set_media(disk, o, mixed(disk, o->media, s->device, s->device_dirty));
    set_cache(disk, victim, o, o->device);
    victim->diverged = 1; /* its tail may be another page */
    s->flags |= TP_SLOT_MEDIA_RESERVED;
    tp_slot_lose(disk, inode, slot, false);
}

uint64_t tp_damage_readable(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                            uint64_t len, bool direct)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    uint32_t bytes = disk->config.sector_bytes;
    uint64_t end = offset + len;

    for (uint64_t page = offset / TP_PAGE_BYTES; page * TP_PAGE_BYTES < end; page++) {
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)page);
        uint8_t bad = slot == 0 ? 0 : tp_slot_unreadable(tp_slot_at(disk, slot));
        uint64_t at = page * TP_PAGE_BYTES;

        for (uint32_t sector = 0; bad >> sector != 0; sector++, at += bytes) {
            if (at >= end || ((bad >> sector) & 1) == 0 || (direct && at + bytes <= offset))
                continue;
            if (!direct) /* the page cache reads whole pages */
                at = page * TP_PAGE_BYTES;
            return at > offset ? at - offset : 0;
        }
    }
    return len;
}

uint64_t tp_damage_writable(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                            uint64_t len)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);
    uint64_t end = offset + len;

    /* Only the first and the last page can be written in part, which reads them first. */
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t page = i == 0 ? offset / TP_PAGE_BYTES : (end - 1) / TP_PAGE_BYTES;
        uint64_t start = page * TP_PAGE_BYTES;
        uint32_t slot = tp_map_find(disk, &file->map, (uint32_t)page);

        if (slot == 0 || tp_slot_unreadable(tp_slot_at(disk, slot)) == 0)
            continue;
        if (start < offset || start + TP_PAGE_BYTES > end)
            return start > offset ? start - offset : 0;
    }
    return len;
}

/* ------------------------------------------------------------------ the device alone */

static bool lose_or_flush(struct tp_disk *disk, uint32_t inode, uint32_t slot, bool is_lost)
{
    struct tp_inode *file = tp_inode_at(disk, inode);
    struct tp_page_slot *s = tp_slot_at(disk, slot);

    if (!is_lost) {
        tp_slot_flush(disk, file, slot);
        return false;
    }
    device_reverts(disk, s);
    tp_slot_settle(disk, file, slot, s->dirty, 0);
    diverge(disk, inode, slot, false);
    return true;
}

uint32_t tp_disk_lose_cache(struct tp_disk *disk, struct tp_tape *tape, uint32_t node)
{
    uint32_t stream = tp_stream(node, TP_CONCERN_FAULT);
    uint32_t lost = 0;
    uint32_t slot, next;

    if (disk->rules->device_cache_survives)
        return 0;
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        const struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind != TP_FILE_REGULAR)
            continue;
        for (slot = file->dirty_first; slot != 0; slot = next) {
            next = tp_slot_at(disk, slot)->next;
            if (tp_slot_at(disk, slot)->device_dirty == 0)
                continue;
            lost += lose_or_flush(disk, inode, slot,
                                  tp_tape_draw(tape, stream, TP_DRAW_CACHE_PAGE, 2) == 1);
        }
    }
    return lost;
}
