#include "linux_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/posix/datagrams_internal.h"
#include "io/posix/memory_internal.h"
#include "io/posix/statx_internal.h"

/* Whether an operation was stopped at work, so that what was asked for did not happen. A
 * worker of the kernel may answer with ERESTARTSYS and its kin, 512 to 516, which no system
 * call shows. */
static bool was_interrupted(int32_t result)
{
    return result == -EINTR || (result <= -512 && result >= -516);
}

int32_t tp_linux_opened(struct tp_linux_io *self, int32_t fd, enum tp_posix_sort sort)
{
    if (!tp_io_fd_opened(&self->io, (uint32_t)fd)) {
        (void)close(fd);
        return -EMFILE;
    }
    self->files.items[fd].sort = (uint8_t)sort;
    return fd;
}

/* The owner's part of an operation: turns what the kernel or a thread answered into the
 * result. */
static int32_t finish(struct tp_linux_io *self, const struct tp_posix_record *record,
                      int32_t result)
{
    const struct tp_request *request = &record->request;

    switch (request->kind) {
    case TP_OPEN:
    case TP_LISTEN:
    case TP_ACCEPT:
    case TP_BIND:
        return result < 0
                   ? result
                   : tp_linux_opened(self, result, tp_posix_sort_given(request->kind));
    case TP_CLOSE:
        return result == -EINTR ? 0 : result; /* closed all the same, on Linux */
    case TP_FSTAT:
    case TP_STAT:
        if (result == 0 && record->state == TP_POSIX_IN_RING) {
            const struct statx *answer =
                (const void *)tp_posix_side_of(&self->records, record)->status;
            struct tp_statx converted;

            _Static_assert(sizeof *answer <= sizeof(union tp_posix_side),
                           "the kernel's answer fits");
            tp_posix_mark_written(answer, (int32_t)sizeof *answer);
            converted = tp_posix_statx_convert(answer);
            tp_posix_store(request->a.memory, &converted, sizeof converted);
        }
        return result;
    case TP_READ:
    case TP_RECV:
        tp_posix_mark_written(request->a.memory, result);
        return result;
    case TP_RECV_FROM:
        if (result >= 0)
            tp_posix_datagram_received(tp_posix_side_of(&self->records, record), request,
                                       result);
        return result;
    default:
        return result;
    }
}

static void reap_internal(struct tp_linux_io *self, const struct io_uring_cqe *cqe)
{
    const uint32_t number = (uint32_t)cqe->user_data;

    switch ((enum tp_linux_internal)(cqe->user_data >> 32 & 0xffffffU)) {
    case TP_LINUX_WAKE:
        if ((cqe->flags & IORING_CQE_F_MORE) != 0)
            self->ring.finals--; /* the loop counts every entry as a final one */
        tp_linux_wake_seen(self, (cqe->flags & IORING_CQE_F_MORE) != 0);
        return;
    case TP_LINUX_SILENT:
        break;
    case TP_LINUX_FILE_ENTERED:
        tp_linux_files_entered(&self->files, number, cqe->res);
        break;
    case TP_LINUX_FILE_LEFT:
        tp_linux_files_left(&self->files, number);
        break;
    }
    tp_assert(self->ring.uncounted > 0);
    self->ring.uncounted--;
}

/* A cancel has asked under one of the two names that its target may have. */
static void reap_try(struct tp_linux_io *self, struct tp_posix_record *record,
                     int32_t result)
{
    tp_assert(record->request.kind == TP_CANCEL && self->ring.uncounted > 0);
    self->ring.uncounted--;
    if (result != -ENOENT)
        record->result = result;
    if (record->tries++ == 0)
        return;
    tp_io_complete(&self->io, record->request.handle, record->result, 0);
    tp_posix_record_free(&self->records, record);
}

/* What an operation with one step has come to, in the ring or on a thread. */
static bool has_ended(struct tp_linux_io *self, struct tp_posix_record *record,
                      int32_t result, int32_t *ret_value)
{
    if (was_interrupted(result) && record->request.kind != TP_OFFLOAD)
        result = record->cancelled != 0 ? -ECANCELED : -EINTR;
    if (record->request.kind == TP_CONNECT)
        return tp_linux_connect_seen(self, record, result, ret_value);
    if (record->request.kind == TP_SIGNAL)
        return tp_linux_signal_seen(self, record, result, ret_value);
    *ret_value = finish(self, record, result);
    return true;
}

static void reap_recorded(struct tp_linux_io *self, struct tp_posix_record *record,
                          const struct io_uring_cqe *cqe)
{
    const uint32_t kind = record->request.kind;
    int32_t value;
    bool ended;

    tp_assert(record->state == TP_POSIX_IN_RING);
    if ((cqe->flags & IORING_CQE_F_MORE) != 0) {
        self->ring.finals--; /* the loop counts every entry as a final one */
    } else {
        self->ring.uncounted -= record->uncounted;
        record->uncounted = 0;
    }
    if (kind == TP_RECV_MANY)
        ended = tp_linux_recv_seen(self, record, cqe, &value);
    else if (kind == TP_ACCEPT_MANY)
        ended = tp_linux_accept_seen(self, record, cqe, &value);
    else
        ended = has_ended(self, record, cqe->res, &value);
    if (!ended)
        return;
    tp_io_complete(&self->io, record->request.handle, value, 0);
    tp_posix_record_free(&self->records, record);
}

/* Everything that is not plain; there is room for one completion. */
static void reap_tagged(struct tp_linux_io *self, const struct io_uring_cqe *cqe)
{
    const uint64_t rest = cqe->user_data & TP_HANDLE_MAX;

    switch ((enum tp_linux_tag)(cqe->user_data >> TP_LINUX_TAG_SHIFT)) {
    case TP_LINUX_TAG_RECORD:
        reap_recorded(self, tp_posix_record_at(&self->records, (uint32_t)rest), cqe);
        return;
    case TP_LINUX_TAG_CANCEL:
        self->ring.uncounted--;
        tp_io_complete(&self->io, rest, cqe->res, 0);
        return;
    case TP_LINUX_TAG_TRY:
        reap_try(self, tp_posix_record_at(&self->records, (uint32_t)rest), cqe->res);
        return;
    case TP_LINUX_TAG_INTERNAL:
        reap_internal(self, cqe);
        return;
    case TP_LINUX_TAG_PLAIN:
    case TP_LINUX_TAG_WAITS:
        break;
    }
    tp_unreachable();
}

/* Takes `made` completions behind the end of the list into it. */
static void append(struct tp_io *io, uint32_t made)
{
    tp_assert(made <= io->in_flight);
    io->completions.count += made;
    io->completions.live += made;
    io->in_flight -= made;
    io->stats.completed += made;
}

static void reap_ring(struct tp_linux_io *self)
{
    struct tp_linux_ring *ring = &self->ring;
    struct tp_completions *list = &self->io.completions;
    uint32_t room = tp_io_completions_room(&self->io);
    const uint32_t ready = tp_linux_ring_ready(ring);
    const uint32_t mask = ring->cq_entries - 1;
    const uint32_t head = *ring->kernel_cq_head;
    struct tp_completion *items = list->items + list->count;
    uint32_t made = 0, seen = 0;

    while (seen < ready && made < room) {
        const struct io_uring_cqe *cqe = &ring->cqes[(head + seen) & mask];

        seen++;
        if (cqe->user_data <= TP_HANDLE_MAX) {
            items[made].handle = cqe->user_data;
            items[made].value = cqe->res;
            items[made].flags = 0;
            made++;
        } else if (cqe->user_data >> TP_LINUX_TAG_SHIFT == TP_LINUX_TAG_WAITS) {
            items[made].handle = cqe->user_data & TP_HANDLE_MAX;
            items[made].value = was_interrupted(cqe->res) ? -ECANCELED : cqe->res;
            items[made].flags = 0;
            made++;
            ring->uncounted--;
        } else {
            append(&self->io, made);
            reap_tagged(self, cqe);
            items = list->items + list->count;
            room = list->capacity - list->count;
            made = 0;
        }
    }
    __atomic_store_n(ring->kernel_cq_head, head + seen, __ATOMIC_RELEASE);
    ring->finals += seen;
    append(&self->io, made);
}

static void reap_workers(struct tp_linux_io *self)
{
    while (self->workers.finished.count > 0 && tp_io_completions_room(&self->io) > 0) {
        struct tp_posix_record *record =
            tp_posix_list_pop(&self->records, &self->workers.finished);
        const struct tp_request request = record->request;
        int32_t value;

        if (!has_ended(self, record, record->result, &value))
            continue;
        tp_posix_record_free(&self->records, record);
        tp_linux_unhold(self, &request);
        tp_io_complete(&self->io, request.handle, value, 0);
    }
}

void tp_linux_reap(struct tp_linux_io *self)
{
    reap_ring(self);
    if (self->workers.finished.count > 0)
        reap_workers(self);
}

void tp_linux_reap_for_nobody(struct tp_linux_io *self)
{
    struct tp_linux_ring *ring = &self->ring;
    const uint32_t ready = tp_linux_ring_ready(ring);
    const uint32_t head = *ring->kernel_cq_head;

    for (uint32_t seen = 0; seen < ready; seen++) {
        const struct io_uring_cqe *cqe =
            &ring->cqes[(head + seen) & (ring->cq_entries - 1)];
        struct tp_posix_record *record;

        if ((cqe->flags & IORING_CQE_F_MORE) == 0)
            ring->finals++;
        if (cqe->user_data >> TP_LINUX_TAG_SHIFT != TP_LINUX_TAG_RECORD)
            continue;
        record =
            tp_posix_record_at(&self->records, (uint32_t)(cqe->user_data & TP_HANDLE_MAX));
        tp_posix_record_settle(record, cqe->res);
        if ((cqe->flags & IORING_CQE_F_MORE) == 0)
            tp_posix_record_free(&self->records, record);
    }
    __atomic_store_n(ring->kernel_cq_head, head + ready, __ATOMIC_RELEASE);
}
