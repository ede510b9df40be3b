/* Writes that overlap while they are in flight (R12): their pages may interleave, and a
 * program that never means to do that can be stopped at it. */
#include "virtual_internal.h"

#define PAGES_MAX 16 /* of an overlap, among which pages are drawn; later ones follow */

static struct tp_vfile *file_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file);
}

static bool overlaps(const struct tp_virtual *v, const struct tp_flight *f,
                     const struct tp_flight *other)
{
    return other != f && other->request.kind == TP_WRITE && other->file != 0 &&
           !file_of(v, other)->is_socket &&
           file_of(v, other)->inode == file_of(v, f)->inode &&
           other->request.b.offset < f->request.b.offset + f->request.len &&
           f->request.b.offset < other->request.b.offset + other->request.len;
}

/* Tells the writes that are still to take effect that this one came in between. */
void tp_overlap_tell(struct tp_virtual *v, const struct tp_flight *f)
{
    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        struct tp_flight *other = tp_flight_at(v, flight);
        uint64_t from, to;

        if (other->state != TP_FLIGHT_BEGUN || !overlaps(v, f, other))
            continue;
        from = other->request.b.offset;
        to = from + other->request.len;
        if (from < f->request.b.offset)
            from = f->request.b.offset;
        if (to > f->request.b.offset + f->request.len)
            to = f->request.b.offset + f->request.len;
        other->overlap_from = from;
        other->overlap_to = to;
    }
}

/* Writes it, and puts pages that the earlier write had written back as they were. */
int32_t tp_overlap_write(struct tp_virtual *v, struct tp_flight *f)
{
    const struct tp_vfile *file = file_of(v, f);
    uint64_t size = tp_inode_at(v->disk, file->inode)->size;
    uint64_t end = f->overlap_to < size ? f->overlap_to : size;
    uint8_t kept[PAGES_MAX][TP_PAGE_BYTES];
    uint64_t at[PAGES_MAX];
    uint32_t len[PAGES_MAX];
    uint32_t pages = 0;
    int32_t written;

    for (uint64_t from = f->overlap_from; from < end && pages < PAGES_MAX;) {
        uint64_t next = (from / TP_PAGE_BYTES + 1) * TP_PAGE_BYTES;

        next = next < end ? next : end;
        at[pages] = from;
        len[pages] = (uint32_t)(next - from);
        if (tp_tape_draw(v->tape, v->stream_fault, TP_DRAW_PAGE_WINS, 2) == 1)
            (void)tp_data_read(v->disk, file->inode, from, kept[pages++], next - from);
        from = next;
    }
    written = tp_effect_plain(v, f);
    for (uint32_t i = 0; i < pages && written > 0; i++) {
        (void)tp_data_write(v->disk, file->inode, at[i], kept[i], len[i],
                            tp_fault_is_direct(v, f));
        if (file->dsync)
            tp_media_sync_range(v->disk, file->inode, at[i], len[i]);
    }
    return written;
}

void tp_overlap_check(const struct tp_virtual *v, const struct tp_flight *f)
{
    if (f->request.kind != TP_WRITE || file_of(v, f)->is_socket)
        return;
    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        const struct tp_flight *other = tp_flight_at(v, flight);

        if ((other->state == TP_FLIGHT_BEGUN || other->state == TP_FLIGHT_DONE) &&
            overlaps(v, f, other))
            tp_stopf(__FILE__, __LINE__,
                     "writes that overlap are in flight together: %u bytes at %llu (handle "
                     "%llu) and %u bytes at %llu (handle %llu), fd %u",
                     other->request.len, (unsigned long long)other->request.b.offset,
                     (unsigned long long)other->request.handle, f->request.len,
                     (unsigned long long)f->request.b.offset,
                     (unsigned long long)f->request.handle, f->number);
    }
}
