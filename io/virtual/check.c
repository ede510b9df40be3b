/* What must hold of a disk at any time, and the hash of what programs see. */
#include "disk.h"

#include <string.h>

#include "io/hash.h"
#include "io/virtual/disk_internal.h"

/* ------------------------------------------------------------------ the hash */

struct hashing {
    const struct tp_disk *disk;
    uint64_t sum; /* of the entries' hashes: their order does not matter */
};

/* Zeros and holes read alike, so they hash alike. */
static uint64_t hash_data(const struct tp_disk *disk, const struct tp_inode *file,
                          uint64_t seed)
{
    uint64_t hash = seed;
    uint32_t slot;

    for (uint64_t page = 0; (slot = tp_map_next(disk, &file->map, page)) != 0;) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);
        const uint8_t *bytes = tp_pages_read(&disk->pages, s->cache);

        page = (uint64_t)s->page + 1;
        if (memcmp(bytes, tp_pages_read(&disk->pages, TP_PAGE_HOLE), TP_PAGE_BYTES) != 0)
            hash = tp_hash(bytes, TP_PAGE_BYTES, hash ^ s->page);
    }
    return hash;
}

static int32_t hash_one(void *context, const char *name, const struct tp_statx *statx)
{
    struct hashing *hashing = context;
    const struct tp_inode *file = tp_inode_at(hashing->disk, (uint32_t)statx->inode);
    uint64_t words[3] = {file->kind, file->mode, file->size};
    uint64_t hash = tp_hash_words(words, 3, tp_hash(name, strlen(name), 0));

    if (file->kind == TP_FILE_REGULAR)
        hash = hash_data(hashing->disk, file, hash);
    else if (file->kind == TP_FILE_SYMLINK)
        hash = tp_hash(tp_texts_at(&hashing->disk->texts, file->target), (size_t)file->size,
                       hash);
    hashing->sum += hash;
    return 0;
}

uint64_t tp_disk_hash(const struct tp_disk *disk)
{
    struct hashing hashing = {disk, 0};
    int32_t result = tp_disk_walk(disk, "/", hash_one, &hashing);

    tp_assert(result == 0);
    return tp_hash_words(&hashing.sum, 1, 0);
}

/* ------------------------------------------------------------------ the invariants */

struct tally {
    uint64_t page_refs; /* holders of pages, hole excepted */
    uint64_t dirty;
    uint64_t storage;
    uint64_t opens;
    uint64_t pending;
    uint64_t bad;
};

static void check_slot(const struct tp_disk *disk, const struct tp_inode *file,
                       const struct tp_page_slot *s, struct tally *tally)
{
    bool is_past_end = (uint64_t)s->page * TP_PAGE_BYTES >= file->size;

    tally->page_refs +=
        (s->cache != 0 ? 1U : 0U) + (s->device != 0 ? 1U : 0U) + (s->media != 0 ? 1U : 0U);
    tp_assert(s->cache == TP_PAGE_HOLE || (s->flags & TP_SLOT_WRITTEN) != 0);
    tp_assert((s->flags & TP_SLOT_WRITTEN) == 0 || (s->flags & TP_SLOT_ALLOCATED) != 0);
    tp_assert(!is_past_end || s->cache == TP_PAGE_HOLE);
    tp_assert(file->diverged != 0 || s->dirty != 0 || s->cache == s->device);
    tp_assert(s->device_dirty != 0 || s->device == s->media);
    tp_assert(((s->dirty | s->device_dirty | s->bad) & ~tp_sectors_all(disk)) == 0);
    tally->bad += s->bad != 0;
}

/* Memory has zeros past the end of the file. */
static void check_tail(const struct tp_disk *disk, const struct tp_inode *file)
{
    uint32_t tail = (uint32_t)(file->size % TP_PAGE_BYTES);
    uint32_t slot = 0;

    if (file->kind == TP_FILE_REGULAR && tail != 0)
        slot = tp_map_find(disk, &file->map, (uint32_t)(file->size / TP_PAGE_BYTES));
    if (slot == 0)
        return;
    tp_assert(memcmp(tp_pages_read(&disk->pages, tp_slot_at(disk, slot)->cache) + tail,
                     tp_pages_read(&disk->pages, TP_PAGE_HOLE), TP_PAGE_BYTES - tail) == 0);
}

static void check_file(const struct tp_disk *disk, const struct tp_inode *file,
                       struct tally *tally)
{
    uint32_t allocated = 0;
    uint32_t dirty = 0;
    uint32_t slot;
    uint64_t stamp = 0;

    check_tail(disk, file);
    for (uint64_t page = 0; (slot = tp_map_next(disk, &file->map, page)) != 0;) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);

        tp_assert(s->page >= page);
        page = (uint64_t)s->page + 1;
        check_slot(disk, file, s, tally);
        allocated += (s->flags & TP_SLOT_ALLOCATED) != 0;
    }
    for (slot = file->dirty_first; slot != 0; slot = tp_slot_at(disk, slot)->next) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);

        tp_assert((s->dirty | s->device_dirty) != 0 && s->stamp > stamp);
        stamp = s->stamp;
        dirty++;
    }
    tp_assert(allocated == file->allocated && dirty == file->dirty_count);
    tally->dirty += dirty;
    tally->storage += file->counted != 0 ? allocated : 0;
}

static void check_dir(const struct tp_disk *disk, uint32_t dir, uint32_t space)
{
    const struct tp_entry_list *list = &tp_inode_at(disk, dir)->list[space];
    uint32_t count = 0;
    uint32_t subdirs = 0;

    for (uint32_t entry = list->first; entry != 0;
         entry = tp_entry_at(disk, space, entry)->next) {
        const struct tp_entry *e = tp_entry_at(disk, space, entry);

        tp_assert(e->dir == dir && tp_inode_at(disk, e->inode)->names[space] > 0);
        tp_assert(tp_names_find(disk, space, dir, tp_texts_at(&disk->texts, e->name),
                                e->name_len) == entry);
        tp_assert(space != TP_IN_MEMORY || tp_inode_at(disk, e->inode)->names[space] > 1 ||
                  tp_inode_at(disk, e->inode)->entry == entry ||
                  tp_inode_at(disk, e->inode)->entry == 0);
        subdirs += tp_inode_at(disk, e->inode)->kind == TP_FILE_DIRECTORY;
        count++;
    }
    tp_assert(count == list->count);
    tp_assert(space != TP_IN_MEMORY || subdirs == tp_inode_at(disk, dir)->subdirs);
}

static uint64_t page_holders(const struct tp_disk *disk)
{
    uint64_t live = 0;

    /* A free page's count is its link, so add the live ones up by way of the free list. */
    for (uint32_t page = 1; page < disk->pages.used; page++)
        live += disk->pages.refs[page];
    for (uint32_t page = disk->pages.first_free; page != 0; page = disk->pages.refs[page])
        live -= disk->pages.refs[page];
    return live;
}

static uint64_t pending_mentions(const struct tp_disk *disk)
{
    uint64_t mentions = disk->landing_count;
    uint32_t count = 0;

    for (uint32_t op = disk->name_op_first; op != 0; op = tp_name_op_at(disk, op)->next) {
        const struct tp_name_op *o = tp_name_op_at(disk, op);

        mentions += 1U + (o->from.dir != 0) + (o->to.dir != 0);
        count++;
    }
    tp_assert(count == disk->name_ops.live);
    return mentions;
}

void tp_disk_check(const struct tp_disk *disk)
{
    struct tally tally = {0, 0, 0, 0, 0, 0};
    uint32_t inodes = 0;
    uint32_t counted = 0;

    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        const struct tp_inode *file = tp_inode_at(disk, inode);

        if (file->kind == TP_FILE_OTHER)
            continue;
        inodes++;
        counted += file->counted;
        tally.opens += file->opens;
        tally.pending += file->pending;
        check_file(disk, file, &tally);
        for (uint32_t space = 0; space < TP_NAME_SPACES; space++)
            check_dir(disk, inode, space);
    }
    tp_assert(inodes == disk->inodes.live && counted == disk->inodes_counted);
    tp_assert(tally.opens == disk->opens);
    tp_assert(tally.dirty == disk->dirty_pages && tally.bad == disk->bad_slots);
    tp_assert(tally.storage == disk->pages_used);
    tp_assert(tally.page_refs == page_holders(disk));
    tp_assert(tally.pending == pending_mentions(disk));
}
