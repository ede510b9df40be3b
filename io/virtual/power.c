/* What survives a power cut: rules R2 to R6.
 *
 * Names, sizes and data are chosen apart, each first by a way that correlates (all, none,
 * in order up to a point, ...) and where that way says so each by itself. What was chosen
 * is put onto the media; then memory is filled again from these (mount.c). */
#include "disk_internal.h"

#include <string.h>

#include "io/virtual/random.h"
#include "io/virtual/sort.h"

#define SECTORS_MAX (TP_PAGE_BYTES / 512)

/* One slot with something dirty, and what became of it. */
struct fate {
    uint32_t slot;
    uint8_t sectors;              /* the dirty ones */
    uint8_t outcome[SECTORS_MAX]; /* enum of_sector, for these */
    uint16_t torn[SECTORS_MAX];   /* where a shorn one is torn: bytes */
};

enum of_sector { NEWEST, FROM_DEVICE, FROM_MEDIA, SHORN_START, SHORN_END, GARBAGE, ZEROS };

struct cut {
    struct tp_disk *disk;
    struct tp_tape *tape;
    uint32_t stream;
    struct fate *fates;
    struct tp_sort_item *order; /* the fates, by age */
    uint32_t count, capacity;
    uint64_t sectors; /* dirty ones in all fates */
    struct tp_rng garbage;
};

static uint64_t draw(const struct cut *cut, enum tp_draw kind, uint64_t bound)
{
    return tp_tape_draw(cut->tape, cut->stream, kind, bound);
}

static uint32_t sectors_per_page(const struct tp_disk *disk)
{
    return TP_PAGE_BYTES / disk->config.sector_bytes;
}

/* ------------------------------------------------------------------ sizes and modes */

/* A size between that on the media and that in memory, at the end of a page: larger is
 * milder. */
static uint64_t size_between(const struct cut *cut, const struct tp_inode *file)
{
    uint64_t first = file->media_size / TP_PAGE_BYTES + 1;
    uint64_t last = (file->size - 1) / TP_PAGE_BYTES;

    if (last < first)
        return file->media_size;
    last -= draw(cut, TP_DRAW_CUT_POINT, last - first + 1);
    return last * TP_PAGE_BYTES;
}

static void choose_size(const struct cut *cut, struct tp_inode *file, uint64_t way)
{
    bool grew = file->size > file->media_size;
    bool shrank = file->size_low < file->size && file->size_low < file->media_size;

    if (way == 2) {
        way = draw(cut, TP_DRAW_CUT_SIZE, 2U + grew + shrank);
        way += way == 2 && !grew; /* the size in between is missing */
    }
    if (way == 3) {
        file->media_size = file->size_low;
    } else if (way == 2) {
        file->media_size = size_between(cut, file);
    } else if (way == 0) {
        file->media_size = file->size;
        file->media_mode = file->mode;
        file->media_modified_ns = file->modified_ns;
    }
}

/* Afterwards media_size, media_mode and media_modified_ns are what the file will have. */
static void choose_sizes(const struct cut *cut)
{
    struct tp_disk *disk = cut->disk;
    uint64_t way = 0;
    bool drawn = false;

    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind == TP_FILE_OTHER ||
            (file->size == file->media_size && file->size == file->size_low &&
             file->mode == file->media_mode))
            continue;
        if (!drawn)
            way = disk->journal != TP_JOURNAL_FINE ? 1 : draw(cut, TP_DRAW_CUT_SIZES, 3);
        drawn = true;
        choose_size(cut, file, way);
    }
}

/* ------------------------------------------------------------------ data */

static bool is_hole(const struct tp_page_slot *s)
{
    return s->cache == TP_PAGE_HOLE && (s->flags & TP_SLOT_ALLOCATED) == 0;
}

/* The sectors of a slot that the cut may or may not take. A page that was cut off goes with
 * the size: it is there if the old size is. A reservation has no content to choose from. */
static uint8_t sectors_at_stake(const struct tp_inode *file, const struct tp_page_slot *s)
{
    if (is_hole(s) && (uint64_t)s->page * TP_PAGE_BYTES >= file->size)
        return 0;
    if (s->cache == s->device && s->device == s->media)
        return 0;
    return s->dirty | s->device_dirty;
}

static void add_fate(struct cut *cut, uint32_t inode, uint32_t slot)
{
    const struct tp_page_slot *s = tp_slot_at(cut->disk, slot);
    struct fate *fate;

    tp_assert(cut->count < cut->capacity);
    cut->order[cut->count].key = s->stamp;
    cut->order[cut->count].value = cut->count;
    fate = &cut->fates[cut->count++];
    fate->slot = slot;
    fate->sectors = sectors_at_stake(tp_inode_at(cut->disk, inode), s);
    for (uint32_t i = 0; i < SECTORS_MAX; i++)
        cut->sectors += ((uint32_t)fate->sectors >> i) & 1;
}

/* Every dirty slot, and the order in which they were written. */
static void gather(struct cut *cut)
{
    struct tp_disk *disk = cut->disk;

    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        const struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind != TP_FILE_REGULAR)
            continue;
        for (uint32_t slot = file->dirty_first; slot != 0;
             slot = tp_slot_at(disk, slot)->next)
            add_fate(cut, inode, slot);
    }
    tp_sort(cut->order, cut->count);
}

static enum of_sector lost(const struct cut *cut, const struct fate *fate, uint32_t sector)
{
    const struct tp_page_slot *s = tp_slot_at(cut->disk, fate->slot);

    if (cut->disk->rules->device_cache_survives && ((s->device_dirty >> sector) & 1) != 0)
        return FROM_DEVICE;
    return FROM_MEDIA;
}

/* One sector by itself: newest, what the device has, what the media have, or torn. */
static enum of_sector choose_sector(const struct cut *cut, struct fate *fate,
                                    uint32_t sector)
{
    const struct tp_page_slot *s = tp_slot_at(cut->disk, fate->slot);
    enum of_sector choices[7];
    uint32_t count = 0;
    enum of_sector chosen;

    choices[count++] = NEWEST;
    if (((s->dirty >> sector) & 1) != 0 && ((s->device_dirty >> sector) & 1) != 0)
        choices[count++] = FROM_DEVICE;
    if (lost(cut, fate, sector) == FROM_MEDIA)
        choices[count++] = FROM_MEDIA;
    if (cut->disk->rules->tears_sectors) {
        choices[count++] = SHORN_START;
        choices[count++] = SHORN_END;
        choices[count++] = GARBAGE;
        choices[count++] = ZEROS;
    }
    chosen = choices[draw(cut, TP_DRAW_CUT_SECTOR, count)];
    if (chosen == SHORN_START || chosen == SHORN_END)
        fate->torn[sector] =
            (uint16_t)(1 + draw(cut, TP_DRAW_CUT_LEN, cut->disk->config.sector_bytes - 1));
    return chosen;
}

/* All, none, in order up to a point, one run, or each: [kept_from, kept_to) of the order.
 */
static void choose_data(struct cut *cut)
{
    uint64_t kept_from = 0;
    uint64_t kept_to = cut->sectors;
    uint64_t way, at = 0;

    if (cut->sectors == 0)
        return;
    way = draw(cut, TP_DRAW_CUT_DATA, 5);
    if (way == 1) {
        kept_to = 0;
    } else if (way == 2) {
        kept_to -= draw(cut, TP_DRAW_CUT_POINT, cut->sectors + 1);
    } else if (way == 3) {
        kept_from = draw(cut, TP_DRAW_CUT_POINT, cut->sectors);
        kept_to -= draw(cut, TP_DRAW_CUT_POINT, cut->sectors - kept_from);
    }
    for (uint32_t i = 0; i < cut->count; i++) {
        struct fate *fate = &cut->fates[cut->order[i].value];

        for (uint32_t sector = 0; sector < sectors_per_page(cut->disk); sector++) {
            if (((fate->sectors >> sector) & 1) == 0)
                continue;
            if (way == 4)
                fate->outcome[sector] = (uint8_t)choose_sector(cut, fate, sector);
            else
                fate->outcome[sector] =
                    (uint8_t)(at >= kept_from && at < kept_to ? NEWEST
                                                              : lost(cut, fate, sector));
            at++;
        }
    }
}

/* The page that a sector comes from; torn ones are mended afterwards. */
static uint32_t source_of(const struct tp_page_slot *s, const struct fate *fate,
                          uint32_t sector)
{
    if (((fate->sectors >> sector) & 1) == 0)
        return s->media;
    switch ((enum of_sector)fate->outcome[sector]) {
    case NEWEST:
    case SHORN_START:
        return ((s->dirty >> sector) & 1) != 0 ? s->cache : s->device;
    case FROM_DEVICE:
        return s->device;
    case FROM_MEDIA:
    case SHORN_END:
    case GARBAGE:
    case ZEROS:
        return s->media;
    }
    tp_unreachable();
}

static void tear_sector(struct cut *cut, uint8_t *sector, const uint8_t *newest,
                        const uint8_t *media, const struct fate *fate, uint32_t index)
{
    uint32_t bytes = cut->disk->config.sector_bytes;
    uint32_t torn = fate->torn[index];

    switch ((enum of_sector)fate->outcome[index]) {
    case SHORN_START: /* the start is new, the rest old */
        memcpy(sector + torn, media + torn, bytes - torn);
        break;
    case SHORN_END:
        memcpy(sector + torn, newest + torn, bytes - torn);
        break;
    case GARBAGE:
        for (uint32_t i = 0; i < bytes; i++)
            sector[i] = (uint8_t)tp_rng_next(&cut->garbage);
        break;
    case ZEROS:
        memset(sector, 0, bytes);
        break;
    case NEWEST:
    case FROM_DEVICE:
    case FROM_MEDIA:
        break;
    }
}

static bool is_torn(const struct fate *fate)
{
    for (uint32_t sector = 0; sector < SECTORS_MAX; sector++) {
        if (((fate->sectors >> sector) & 1) != 0 && fate->outcome[sector] >= SHORN_START)
            return true;
    }
    return false;
}

/* What the device has put in place of the old sectors can be read, whatever it is. */
static void mend(struct cut *cut, struct tp_page_slot *s, const struct fate *fate)
{
    uint8_t written = 0;

    for (uint32_t sector = 0; sector < sectors_per_page(cut->disk); sector++) {
        if (((fate->sectors >> sector) & 1) != 0 && fate->outcome[sector] != FROM_MEDIA)
            written |= (uint8_t)(1U << sector);
    }
    tp_slot_mend(cut->disk, s, written);
}

/* Puts the chosen sectors onto the media. */
static void settle_fate(struct cut *cut, const struct fate *fate)
{
    struct tp_disk *disk = cut->disk;
    struct tp_page_slot *s = tp_slot_at(disk, fate->slot);
    uint32_t first = source_of(s, fate, 0);
    uint32_t bytes = disk->config.sector_bytes;
    bool same = !is_torn(fate);
    uint32_t made;

    for (uint32_t sector = 1; sector < sectors_per_page(disk); sector++)
        same = same && source_of(s, fate, sector) == first;
    if (same) {
        made = tp_pages_ref(&disk->pages, first);
    } else {
        made = tp_pages_take(&disk->pages, disk->allocator);
        for (uint32_t sector = 0; sector < sectors_per_page(disk); sector++) {
            size_t at = (size_t)sector * bytes;
            uint32_t newest = ((s->dirty >> sector) & 1) != 0 ? s->cache : s->device;
            uint8_t *to = tp_pages_write(&disk->pages, made) + at;

            memcpy(to, tp_pages_read(&disk->pages, source_of(s, fate, sector)) + at, bytes);
            if (((fate->sectors >> sector) & 1) != 0)
                tear_sector(cut, to, tp_pages_read(&disk->pages, newest) + at,
                            tp_pages_read(&disk->pages, s->media) + at, fate, sector);
        }
    }
    tp_pages_unref(&disk->pages, s->media);
    s->media = made;
    if (s->bad != 0)
        mend(cut, s, fate);
    if (made == TP_PAGE_HOLE && is_hole(s))
        s->flags &= (uint8_t)~TP_SLOT_MEDIA_RESERVED;
}

/* ------------------------------------------------------------------ the event */

static void cut_landings(struct cut *cut)
{
    while (cut->disk->landing_count > 0) {
        uint32_t len = cut->disk->landings[0].len;
        uint64_t way = draw(cut, TP_DRAW_CUT_OP, 3);

        if (way == 2)
            len = tp_torn_len(cut->disk->landings[0].offset, len,
                              1 + draw(cut, TP_DRAW_CUT_LEN, len),
                              cut->disk->config.sector_bytes);
        if (way == 1 || len == 0)
            tp_landing_end(cut->disk, 0);
        else
            tp_landing_write(cut->disk, 0, len);
    }
}

static void *cut_alloc(const struct cut *cut, size_t item_bytes)
{
    void *memory = tp_alloc(cut->disk->allocator, (cut->capacity + 1) * item_bytes, 16);

    if (memory == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the power cut");
    return memory;
}

void tp_disk_power_cut(struct tp_disk *disk, struct tp_tape *tape, uint32_t node)
{
    struct cut cut = {.disk = disk, .tape = tape};

    cut.stream = tp_stream(node, TP_CONCERN_CRASH);
    cut_landings(&cut);
    (void)tp_name_log_cut(disk, tape, cut.stream);
    cut.capacity = disk->dirty_pages;
    cut.fates = cut_alloc(&cut, sizeof *cut.fates);
    cut.order = cut_alloc(&cut, sizeof *cut.order);
    if (disk->rules->tears_sectors)
        cut.garbage = tp_rng_make(tp_tape_seed(tape, node, disk->boot), 0);
    gather(&cut);
    choose_data(&cut);
    for (uint32_t i = 0; i < cut.count; i++)
        settle_fate(&cut, &cut.fates[i]);
    choose_sizes(&cut);
    tp_free(disk->allocator, cut.fates, (cut.capacity + 1) * sizeof *cut.fates, 16);
    tp_free(disk->allocator, cut.order, (cut.capacity + 1) * sizeof *cut.order, 16);
    disk->journal = TP_JOURNAL_FINE; /* what is mounted anew has a new one */
    tp_disk_reload(disk);
    disk->boot++;
}
