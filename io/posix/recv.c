/* recv_many, which takes a buffer of the pool when there is something to receive, and
 * starves when there is none: then it waits in a list, and goes on in its order as buffers
 * come back. */
#include "posix_internal.h"

#include <errno.h>

#include "io/recv_pool.h"

static void starve(struct tp_posix_io *self, struct tp_posix_record *record)
{
    self->io.stats.recv_bufs_exhausted++;
    record->state = TP_POSIX_STARVED;
    self->files[record->request.fd.number].starved++;
    tp_posix_list_append(&self->records, &self->starved, record);
}

void tp_posix_unstarve(struct tp_posix_io *self, struct tp_posix_record *record)
{
    struct tp_posix_file *file = &self->files[record->request.fd.number];

    tp_assert(record->state == TP_POSIX_STARVED && file->starved > 0);
    file->starved--;
    tp_posix_list_remove(&self->records, &self->starved, record);
}

uint32_t tp_posix_feedable(const struct tp_posix_io *self)
{
    const uint32_t bufs =
        self->io.recv_bufs == NULL ? 0 : self->io.recv_bufs->returned_count;

    return bufs < self->starved.count ? bufs : self->starved.count;
}

void tp_posix_feed(struct tp_posix_io *self)
{
    for (uint32_t left = tp_posix_feedable(self); left > 0; left--) {
        struct tp_posix_record *record =
            tp_posix_record_at(&self->records, self->starved.first);

        tp_posix_unstarve(self, record);
        self->io.stats.rearmed++;
        tp_posix_try_later(self, record);
    }
}

/* Receives into a buffer of the pool, which there is, and delivers it. A count, 0 at the
 * end, or an error. */
static int32_t recv_one(struct tp_posix_io *self, const struct tp_posix_record *record,
                        bool *ret_cut)
{
    struct tp_recv_pool *pool = self->io.recv_bufs;
    uint32_t index;
    int32_t got;

    tp_assert(tp_recv_pool_take(pool, &index));
    tp_recv_pool_open(pool, index);
    got = tp_posix_recv((int)record->request.fd.number,
                        pool->memory + (size_t)index * pool->size_bytes, pool->size_bytes,
                        ret_cut);
    if (got > 0)
        tp_io_complete_recv(&self->io, record->request.handle, index, (uint32_t)got);
    else
        tp_recv_pool_recycle(pool, index);
    return got;
}

/* Whether a recv that brought so little has brought all: what comes now is told. */
static bool has_drained(const struct tp_posix_io *self, uint32_t number, int32_t got)
{
    const struct tp_posix_file *file = &self->files[number];

    return file->watched && !file->ended && (uint32_t)got < self->io.recv_bufs->size_bytes;
}

bool tp_posix_recv_many(struct tp_posix_io *self, struct tp_posix_record *record,
                        int32_t *ret_value)
{
    const uint32_t number = record->request.fd.number;

    while (self->io.recv_bufs->returned_count > 0) {
        bool cut;
        const int32_t got = recv_one(self, record, &cut);

        *ret_value = got;
        if (got <= 0 && got != -EAGAIN)
            return true;
        if (got == -EAGAIN || (!cut && has_drained(self, number, got)))
            return tp_posix_wait(self, record, ret_value);
        if (tp_io_completions_room(&self->io) == 0) {
            tp_posix_try_later(self, record);
            return false;
        }
    }
    starve(self, record);
    return false;
}
