/* What the media do to data that were acknowledged (R9), and what an eviction shows of it.
 * The program is asked first whether it can spare them. */
#include "virtual_internal.h"

#define PPM   UINT32_C(1000000)
#define REACH 16 /* of the dirty pages, the oldest, among which one is chosen */

static uint64_t draw(struct tp_virtual *v, enum tp_draw kind, uint64_t bound)
{
    return tp_tape_draw(v->tape, v->stream_fault, kind, bound);
}

static struct tp_vfile *file_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file);
}

static bool may_damage(const struct tp_virtual *v, uint32_t inode, uint64_t offset,
                       uint64_t len)
{
    char path[TP_PATH_MAX];

    if (v->config.may_fault == NULL)
        return true;
    (void)tp_path_of(v->disk, inode, path, sizeof path);
    return v->config.may_fault(v->config.may_fault_context, v->config.node, path, offset,
                               len);
}

static uint64_t page_start(const struct tp_virtual *v, uint32_t slot)
{
    return (uint64_t)tp_slot_at(v->disk, slot)->page * TP_PAGE_BYTES;
}

/* One of the pages dirty for longest; 0: none, or it has no data. */
uint32_t tp_fault_choose_dirty(struct tp_virtual *v, uint32_t inode)
{
    const struct tp_inode *file = tp_inode_at(v->disk, inode);
    uint32_t reach = file->dirty_count < REACH ? file->dirty_count : REACH;
    uint32_t slot = file->dirty_first;

    if (reach == 0)
        return 0;
    for (uint64_t steps = draw(v, TP_DRAW_PAGE, reach); steps > 0; steps--)
        slot = tp_slot_at(v->disk, slot)->next;
    return tp_fault_has_data(v, slot) ? slot : 0;
}

/* ------------------------------------------------------------------ what is read */

static bool damage_unreadable(struct tp_virtual *v, uint32_t inode, uint32_t slot,
                              uint64_t position)
{
    uint32_t bytes = v->disk->config.sector_bytes;
    uint32_t sector = (uint32_t)(position % TP_PAGE_BYTES) / bytes;
    uint32_t run = bytes == TP_PAGE_BYTES ? 1 : 1U << draw(v, TP_DRAW_EXTENT, 4);

    sector -= sector % run;
    if (!may_damage(v, inode, page_start(v, slot) + (uint64_t)sector * bytes,
                    (uint64_t)run * bytes))
        return false;
    tp_damage_unreadable(v->disk, slot, (uint8_t)(((1U << run) - 1) << sector));
    return true;
}

static bool damage_bit(struct tp_virtual *v, uint32_t inode, uint32_t slot,
                       uint64_t position)
{
    uint32_t bit = (uint32_t)(position % TP_PAGE_BYTES) * 8;

    bit += (uint32_t)draw(v, TP_DRAW_PLACE, 8);
    if (!may_damage(v, inode, position, 1))
        return false;
    tp_damage_flip(v->disk, inode, slot, bit);
    return true;
}

/* A page of a file that another one is taken for; slot 0: none. */
struct wrong_place {
    uint32_t inode, slot;
};

/* The file itself, or as often another one with data: one that has a name, by which the
 * program can be asked. */
static uint32_t choose_file(struct tp_virtual *v, uint32_t inode)
{
    uint32_t count = v->disk->inodes.used;
    uint32_t first;

    if (draw(v, TP_DRAW_PLACE, 2) == 0)
        return inode;
    first = (uint32_t)draw(v, TP_DRAW_PLACE, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = (first + i) % count;
        const struct tp_inode *file = other == 0 ? NULL : tp_inode_at(v->disk, other);

        if (other != inode && file != NULL && file->kind == TP_FILE_REGULAR &&
            file->names[TP_IN_MEMORY] > 0 && file->map.root != 0)
            return other;
    }
    return inode;
}

/* Another page of the disk that has settled on the media; none: the one drawn has not. */
static struct wrong_place choose_other(struct tp_virtual *v, uint32_t inode, uint32_t slot)
{
    struct wrong_place other = {choose_file(v, inode), 0};
    const struct tp_inode *file = tp_inode_at(v->disk, other.inode);
    uint64_t pages = (file->size + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;

    if (pages < 1 + (uint64_t)(other.inode == inode))
        return other;
    other.slot = tp_map_find(v->disk, &file->map, (uint32_t)draw(v, TP_DRAW_PLACE, pages));
    if (other.slot == slot || !tp_slot_is_settled(v->disk, other.slot))
        other.slot = 0;
    return other;
}

static bool damage_misread(struct tp_virtual *v, uint32_t inode, uint32_t slot)
{
    struct wrong_place other = choose_other(v, inode, slot);

    if (other.slot == 0 || !may_damage(v, inode, page_start(v, slot), TP_PAGE_BYTES))
        return false;
    tp_damage_misread(v->disk, inode, slot, other.slot);
    return true;
}

/* One place of what is read, if that is on the media. */
void tp_media_fault_read(struct tp_virtual *v, const struct tp_flight *f)
{
    const struct tp_virtual_faults *faults = &v->config.faults;
    uint32_t inode = file_of(v, f)->inode;
    const struct tp_inode *file = tp_inode_at(v->disk, inode);
    uint64_t position = f->request.b.offset;
    uint64_t len = f->request.len;
    uint64_t drawn;
    uint32_t slot;

    if (faults->unreadable_ppm + faults->bit_flip_ppm + faults->misread_ppm == 0)
        return;
    drawn = PPM - 1 - draw(v, TP_DRAW_READ_DAMAGE, PPM);
    if (drawn >= faults->unreadable_ppm + faults->bit_flip_ppm + faults->misread_ppm ||
        position >= file->size || len == 0)
        return;
    position +=
        draw(v, TP_DRAW_PLACE, len < file->size - position ? len : file->size - position);
    slot = tp_map_find(v->disk, &file->map, (uint32_t)(position / TP_PAGE_BYTES));
    if (!tp_slot_is_settled(v->disk, slot))
        return;
    if (drawn < faults->unreadable_ppm)
        v->fired[TP_FAULT_UNREADABLE] += damage_unreadable(v, inode, slot, position);
    else if (drawn < faults->unreadable_ppm + faults->bit_flip_ppm)
        v->fired[TP_FAULT_BIT_FLIP] += damage_bit(v, inode, slot, position);
    else
        v->fired[TP_FAULT_MISREAD] += damage_misread(v, inode, slot);
}

/* ------------------------------------------------------------------ what is synced */

/* The page's own place was asked about already; now that of the page that it lands on. */
static bool damage_miswrite(struct tp_virtual *v, uint32_t inode, uint32_t slot)
{
    struct wrong_place other = choose_other(v, inode, slot);

    if (other.slot == 0 ||
        !may_damage(v, other.inode, page_start(v, other.slot), TP_PAGE_BYTES))
        return false;
    tp_damage_miswrite(v->disk, inode, slot, other.inode, other.slot);
    return true;
}

static bool damage_stale(struct tp_virtual *v, uint32_t inode, uint32_t slot)
{
    const struct tp_page_slot *s = tp_slot_at(v->disk, slot);
    uint8_t dirty = s->dirty | s->device_dirty;
    uint8_t left = dirty;

    for (uint64_t skip = draw(v, TP_DRAW_PLACE, (uint64_t)__builtin_popcount(dirty));
         skip > 0; skip--)
        left &= (uint8_t)(left - 1);
    tp_damage_stale(v->disk, inode, slot, left & (uint8_t)-left);
    return true;
}

/* One page of what is about to be made durable. */
void tp_media_fault_sync(struct tp_virtual *v, uint32_t inode)
{
    const struct tp_virtual_faults *faults = &v->config.faults;
    uint64_t drawn;
    uint32_t slot;

    if (faults->lost_write_ppm + faults->stale_ppm + faults->miswrite_ppm == 0)
        return;
    drawn = PPM - 1 - draw(v, TP_DRAW_WRITE_DAMAGE, PPM);
    if (drawn >= faults->lost_write_ppm + faults->stale_ppm + faults->miswrite_ppm)
        return;
    slot = tp_fault_choose_dirty(v, inode);
    if (slot == 0 || !may_damage(v, inode, page_start(v, slot), TP_PAGE_BYTES))
        return;
    if (drawn < faults->lost_write_ppm) {
        tp_damage_stale(v->disk, inode, slot, tp_sectors_all(v->disk));
        v->fired[TP_FAULT_LOST_WRITE]++;
    } else if (drawn < faults->lost_write_ppm + faults->stale_ppm) {
        v->fired[TP_FAULT_STALE] += damage_stale(v, inode, slot);
    } else {
        v->fired[TP_FAULT_MISWRITE] += damage_miswrite(v, inode, slot);
    }
}

/* ------------------------------------------------------------------ eviction */

/* What memory alone has of these bytes goes, and is read from the device. */
void tp_media_fault_evict(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t inode = file_of(v, f)->inode;
    const struct tp_inode *file = tp_inode_at(v->disk, inode);
    uint64_t end = f->request.b.offset + f->request.len;
    bool evicted = false;

    end = end < file->size ? end : file->size;
    for (uint64_t page = f->request.b.offset / TP_PAGE_BYTES; page * TP_PAGE_BYTES < end;
         page++) {
        uint32_t slot = tp_map_find(v->disk, &file->map, (uint32_t)page);

        evicted = (slot != 0 && tp_slot_evict(v->disk, inode, slot)) || evicted;
    }
    v->fired[TP_FAULT_EVICT] += evicted;
}
