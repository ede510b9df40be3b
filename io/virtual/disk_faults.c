/* What goes wrong with a disk: R7, R8, R10 and R11, and the door to R9 and R12. Each is
 * decided just before the operation that it befalls takes effect; none is while a crash
 * ends what is in flight. */
#include "virtual_internal.h"

#include <errno.h>

#define PPM            UINT32_C(1000000)
#define MILLISECOND    UINT64_C(1000000)
#define DURATION_LOG2  14 /* the longest is nearly so many doublings of 2 ms: 32 s */
#define FACTOR_LOG2    6  /* the slowest is 64 times as slow */
#define QUEUED_PAGE_NS UINT64_C(20000) /* what a page of other data costs a sync */

static uint64_t draw(struct tp_virtual *v, enum tp_draw kind, uint64_t bound)
{
    return tp_tape_draw(v->tape, v->stream_fault, kind, bound);
}

static void count(struct tp_virtual *v, enum tp_fault fault)
{
    v->fired[fault]++;
}

/* The top of the range is the fault. */
static bool is_drawn(struct tp_virtual *v, uint32_t ppm, enum tp_draw kind)
{
    return ppm != 0 && draw(v, kind, PPM) >= PPM - ppm;
}

static bool fires(struct tp_virtual *v, enum tp_fault fault, enum tp_draw kind)
{
    if (!is_drawn(v, *tp_virtual_faults_rate(&v->config.faults, fault), kind))
        return false;
    count(v, fault);
    return true;
}

static struct tp_vfile *file_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file);
}

/* ------------------------------------------------------------------ R7: lost on the way */

static int32_t draw_errno(struct tp_virtual *v)
{
    static const int32_t errnos[] = {-EIO, -ENOSPC, -EDQUOT};

    return errnos[draw(v, TP_DRAW_ERRNO, 3)];
}

static bool draw_reverts(struct tp_virtual *v)
{
    return v->disk->rules->reverts && draw(v, TP_DRAW_REVERT, 2) == 1;
}

/* Of the dirty pages from `offset` up to `end` the oldest, all, or each by itself is lost;
 * the others reach the device. */
static void lose_pages(struct tp_virtual *v, uint32_t inode, uint64_t offset, uint64_t end)
{
    struct tp_disk *disk = v->disk;
    struct tp_inode *file = tp_inode_at(disk, inode);
    bool reverts = draw_reverts(v);
    uint64_t way = file->dirty_count == 0 ? 0 : draw(v, TP_DRAW_SYNC_PAGES, 3);
    uint32_t before = 0;
    uint32_t next;

    for (uint32_t slot = file->dirty_first; slot != 0; slot = next) {
        bool is_lost = way == 1 || (way == 0 && before == 0);
        uint64_t start = (uint64_t)tp_slot_at(disk, slot)->page * TP_PAGE_BYTES;

        next = tp_slot_at(disk, slot)->next;
        if (!tp_fault_has_data(v, slot) || start >= end || start + TP_PAGE_BYTES <= offset)
            continue;
        before++;
        if (way == 2)
            is_lost = draw(v, TP_DRAW_SYNC_PAGE, 2) == 1;
        if (is_lost)
            tp_slot_lose(disk, inode, slot, reverts);
        else
            tp_slot_to_device(disk, file, slot);
    }
}

static int32_t fail_sync(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_vfile *file = file_of(v, f);

    if (tp_inode_at(v->disk, file->inode)->kind != TP_FILE_REGULAR)
        return -EIO; /* a directory: its names are where they were */
    lose_pages(v, file->inode, 0, UINT64_MAX);
    tp_inode_fail(v->disk, file->inode, draw_errno(v));
    return tp_inode_error(v->disk, file->inode, &file->error_since);
}

/* Old, new, or a mixture of sectors. */
static int32_t fail_direct(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    uint32_t bytes = v->disk->config.sector_bytes;
    const uint8_t *memory = f->request.a.memory;
    int32_t error = tp_effect_write_check(v, f);
    uint64_t way;

    if (error < 0)
        return error;
    way = draw(v, TP_DRAW_DIRECT_WAY, 3);
    for (uint32_t at = 0; way != 0 && at < f->request.len; at += bytes) {
        uint32_t left = f->request.len - at;

        if (way == 2 && draw(v, TP_DRAW_DIRECT_SECTOR, 2) == 0)
            continue;
        (void)tp_data_write(v->disk, file->inode, f->request.b.offset + at, memory + at,
                            left < bytes ? left : bytes, true);
    }
    return draw_errno(v);
}

/* In memory it is written; the pages of it that were to be durable are lost. */
static int32_t fail_dsync(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_vfile *file = file_of(v, f);
    int32_t written;

    file->dsync = false;
    written = tp_effect_plain(v, f);
    file->dsync = true;
    if (written <= 0)
        return written;
    lose_pages(v, file->inode, f->request.b.offset,
               f->request.b.offset + (uint64_t)written);
    tp_inode_fail(v->disk, file->inode, draw_errno(v));
    return tp_inode_error(v->disk, file->inode, &file->error_since);
}

/* The disk is full, and the kernel finds out later: as with delayed allocation. Pages that
 * the media have room for already are written as ever. */
static int32_t write_late_enospc(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t inode = file_of(v, f)->inode;
    struct tp_inode *file = tp_inode_at(v->disk, inode);
    uint64_t page = f->request.b.offset / TP_PAGE_BYTES;
    bool lost = false;
    int32_t written;

    v->disk->overcommits = true;
    written = tp_effect_plain(v, f);
    v->disk->overcommits = false;
    if (written <= 0)
        return written;
    for (; page * TP_PAGE_BYTES < f->request.b.offset + (uint64_t)written; page++) {
        uint32_t slot = tp_map_find(v->disk, &file->map, (uint32_t)page);

        if (slot == 0 || (tp_slot_at(v->disk, slot)->flags & TP_SLOT_MEDIA_RESERVED) != 0)
            continue;
        tp_slot_lose(v->disk, inode, slot, false);
        lost = true;
    }
    if (lost) {
        tp_inode_fail(v->disk, inode, -ENOSPC);
        count(v, TP_FAULT_LATE_ENOSPC);
    }
    return written;
}

static void fail_writeback(struct tp_virtual *v, uint32_t inode)
{
    uint32_t slot;

    if (!is_drawn(v, v->config.faults.writeback_error_ppm, TP_DRAW_WRITEBACK_FAULT))
        return;
    slot = tp_fault_choose_dirty(v, inode);
    if (slot == 0)
        return;
    tp_slot_lose(v->disk, inode, slot, draw_reverts(v));
    tp_inode_fail(v->disk, inode, draw_errno(v));
    count(v, TP_FAULT_WRITEBACK_ERROR);
}

/* ------------------------------------------------------------------ R7b: the journal */

static int32_t fail_journal(struct tp_virtual *v)
{
    v->disk->journal = v->disk->rules->journal;
    if (v->disk->journal == TP_JOURNAL_FINE)
        v->disk->journal =
            (uint8_t)(TP_JOURNAL_READ_ONLY + draw(v, TP_DRAW_JOURNAL_WAY, 3));
    return -EIO;
}

static bool is_change(const struct tp_flight *f)
{
    switch (f->request.kind) {
    case TP_OPEN:
        return f->request.b.options.write || f->request.b.options.create ||
               f->request.b.options.create_new || f->request.b.options.truncate;
    case TP_WRITE:
    case TP_TRUNCATE:
    case TP_FALLOCATE:
    case TP_SET_MODE:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_CREATE_DIR:
    case TP_CREATE_DIR_ALL:
    case TP_REMOVE_DIR:
    case TP_SYMLINK:
        return true;
    case TP_LISTEN:
        return f->address.family == TP_ADDRESS_UNIX;
    default:
        return false;
    }
}

static bool is_on_files(const struct tp_virtual *v, const struct tp_flight *f)
{
    return f->request.kind != TP_NOP && f->request.kind != TP_CANCEL &&
           f->request.kind < TP_LISTEN && (f->file == 0 || !file_of(v, f)->is_socket);
}

bool tp_disk_refuses(const struct tp_virtual *v, const struct tp_flight *f,
                     int32_t *ret_result)
{
    bool syncs = f->request.kind == TP_FSYNC || f->request.kind == TP_SYNC_DIR;
    uint8_t journal = v->disk->journal;

    if (f->request.kind == TP_CLOSE || f->request.kind == TP_LOCK ||
        !(is_on_files(v, f) || f->request.kind == TP_LISTEN))
        return false;
    if (journal == TP_JOURNAL_SHUT && f->request.kind != TP_LISTEN)
        *ret_result = -EIO;
    else if (is_change(f) || (syncs && journal == TP_JOURNAL_READ_ONLY))
        *ret_result = -EROFS;
    else if (syncs)
        *ret_result = 0;
    else
        return false;
    return true;
}

/* ------------------------------------------------------------------ R8 and the door */

static int32_t fail_close(struct tp_virtual *v, struct tp_flight *f)
{
    static const int32_t errnos[] = {-EIO, -EINTR, -ENOSPC};

    tp_files_close(v, f->number);
    return errnos[draw(v, TP_DRAW_ERRNO, v->disk->rules->enospc_at_close ? 3 : 2)];
}

static void lose_cache(struct tp_virtual *v)
{
    if (is_drawn(v, v->config.faults.cache_loss_ppm, TP_DRAW_CACHE_LOSS))
        v->fired[TP_FAULT_CACHE_LOSS] +=
            tp_disk_lose_cache(v->disk, v->tape, v->config.node) > 0;
}

static bool befalls_read(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_inode *file = tp_inode_at(v->disk, file_of(v, f)->inode);

    if (file->kind != TP_FILE_REGULAR)
        return false;
    if (file->diverged != 0 && (is_drawn(v, v->config.faults.evict_ppm, TP_DRAW_EVICT) ||
                                tp_fault_is_direct(v, f)))
        tp_media_fault_evict(v, f);
    tp_media_fault_read(v, f);
    return false;
}

static bool befalls_write(struct tp_virtual *v, struct tp_flight *f, int32_t *ret_result)
{
    const struct tp_virtual_faults *faults = &v->config.faults;
    uint32_t inode = file_of(v, f)->inode;
    bool syncs = file_of(v, f)->dsync;

    if (tp_effect_write_check(v, f) < 0 || f->request.len == 0)
        return false;
    lose_cache(v);
    fail_writeback(v, inode);
    if (syncs)
        tp_media_fault_sync(v, inode);
    if (faults->interleave_ppm != 0)
        tp_overlap_tell(v, f);
    if ((syncs || tp_fault_is_direct(v, f)) &&
        fires(v, TP_FAULT_SYNC_ERROR, TP_DRAW_SYNC_FAULT))
        *ret_result = tp_fault_is_direct(v, f) ? fail_direct(v, f) : fail_dsync(v, f);
    else if (!syncs && !tp_fault_is_direct(v, f) && tp_disk_room(v->disk) == 0 &&
             is_drawn(v, faults->late_enospc_ppm, TP_DRAW_LATE_ENOSPC))
        *ret_result = write_late_enospc(v, f);
    else if (f->overlap_to != 0 && fires(v, TP_FAULT_INTERLEAVE, TP_DRAW_INTERLEAVE))
        *ret_result = tp_overlap_write(v, f);
    else
        return false;
    return true;
}

/* Asked for by somebody: it happens once, and nothing is drawn for it. */
static bool was_asked_to_fail(struct tp_virtual *v)
{
    bool asked = v->sync_fails;

    v->sync_fails = false;
    if (asked)
        count(v, TP_FAULT_SYNC_ERROR);
    return asked;
}

static bool befalls_sync(struct tp_virtual *v, struct tp_flight *f, int32_t *ret_result)
{
    bool is_dir = f->request.kind == TP_SYNC_DIR;

    lose_cache(v);
    if (fires(v, TP_FAULT_JOURNAL, TP_DRAW_JOURNAL_FAULT))
        *ret_result = fail_journal(v);
    else if (was_asked_to_fail(v) || fires(v, TP_FAULT_SYNC_ERROR, TP_DRAW_SYNC_FAULT))
        *ret_result = is_dir ? -EIO : fail_sync(v, f);
    else {
        if (!is_dir)
            tp_media_fault_sync(v, file_of(v, f)->inode);
        return false;
    }
    return true;
}

bool tp_disk_fault(struct tp_virtual *v, struct tp_flight *f, int32_t *ret_result)
{
    if (!is_on_files(v, f) || v->disk->journal != TP_JOURNAL_FINE)
        return false;
    switch (f->request.kind) {
    case TP_READ:
        return befalls_read(v, f);
    case TP_WRITE:
        return befalls_write(v, f, ret_result);
    case TP_FSYNC:
    case TP_SYNC_DIR:
        return befalls_sync(v, f, ret_result);
    case TP_CLOSE:
        if (!fires(v, TP_FAULT_CLOSE_ERROR, TP_DRAW_CLOSE_FAULT))
            return false;
        *ret_result = fail_close(v, f);
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------ R11: time */

static uint64_t draw_duration(struct tp_virtual *v)
{
    uint64_t drawn = draw(v, TP_DRAW_DURATION, UINT64_C(1) << 16);
    uint64_t doublings = drawn * DURATION_LOG2 >> 16;
    uint64_t rest = (drawn * DURATION_LOG2) & 0xffff;

    return (MILLISECOND << doublings) + (((MILLISECOND << doublings) * rest) >> 16);
}

uint64_t tp_disk_fault_latency(struct tp_virtual *v, struct tp_flight *f,
                               uint64_t latency_ns)
{
    uint64_t now = v->world->now_ns;
    bool syncs = f->request.kind == TP_FSYNC || f->request.kind == TP_SYNC_DIR;

    if (!is_on_files(v, f))
        return latency_ns;
    if (f->request.kind != TP_CLOSE && fires(v, TP_FAULT_HANG, TP_DRAW_HANG)) {
        f->hangs = true;
        return latency_ns;
    }
    if (syncs && v->disk->dirty_pages > 0 &&
        fires(v, TP_FAULT_SYNC_QUEUE, TP_DRAW_SYNC_QUEUE))
        latency_ns += v->disk->dirty_pages * QUEUED_PAGE_NS;
    if (fires(v, TP_FAULT_THROTTLE, TP_DRAW_THROTTLE)) {
        v->throttle_factor = UINT64_C(2) << draw(v, TP_DRAW_FACTOR, FACTOR_LOG2);
        v->throttled_until_ns = now + draw_duration(v);
    }
    if (now < v->throttled_until_ns)
        latency_ns *= v->throttle_factor;
    if (fires(v, TP_FAULT_STALL, TP_DRAW_STALL))
        v->stalled_until_ns = now + draw_duration(v);
    if (now < v->stalled_until_ns)
        latency_ns += v->stalled_until_ns - now;
    return latency_ns;
}
