#include "linux_internal.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "io/fd_table.h"
#include "io/linux/memory_internal.h"

#define ROUND_NS                                                             \
    UINT64_C(100000000) /* after which everything is asked to stop once more \
                         */

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    tp_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Asks everything in the ring to stop, and waits until it has. False: time is over. */
static bool drain_ring(struct tp_linux_io *self, uint64_t deadline_ns)
{
    const struct tp_linux_entry stop_all = {
        .opcode = IORING_OP_ASYNC_CANCEL,
        .fd = -1,
        .op_flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
        .user_data = tp_linux_internal_data(TP_LINUX_SILENT, 0),
    };
    struct tp_linux_ring *ring = &self->ring;
    int error = -ETIME;

    do {
        if (tp_linux_ring_space(ring) == 0)
            tp_linux_ring_flush(ring);
        if (error == -ETIME && tp_linux_ring_space(ring) > 0)
            tp_linux_ring_fill(ring, stop_all);
        error = tp_linux_ring_enter(ring, 1, ROUND_NS);
        tp_linux_reap_for_nobody(self);
        if (tp_linux_ring_in_flight(ring) == 0)
            return true;
    } while (monotonic_ns() < deadline_ns);
    return false;
}

/* What neither the ring nor a thread will do any more: closes that waited, and opens whose
 * result nobody took. */
static void settle_records(struct tp_linux_io *self)
{
    for (uint32_t i = 0; i < self->records.touched; i++) {
        const struct tp_linux_record *record = &self->records.items[i];

        if (record->state == TP_LINUX_FREE)
            continue;
        tp_linux_finish_for_nobody(
            record, record->state == TP_LINUX_FINISHED ? record->result : -ECANCELED);
    }
}

static void close_fds(const struct tp_fd_table *fds)
{
    for (uint32_t number = 0; number < fds->numbers; number++) {
        if (fds->entries[number].open != 0)
            (void)close((int)number);
    }
}

void tp_linux_free(struct tp_linux_io *self)
{
    const struct tp_allocator *allocator = self->io.allocator;

    tp_linux_ring_close(&self->ring);
    if (self->wake_fd >= 0)
        (void)close(self->wake_fd);
    if (self->watch_fd >= 0)
        (void)close(self->watch_fd);
    tp_linux_files_deinit(&self->files, allocator);
    tp_linux_records_deinit(&self->records);
    tp_io_deinit(&self->io);
    tp_linux_unreserve(self->buf_memory, self->buf_bytes);
    tp_linux_recv_deinit(self);
    if (self->alive != NULL)
        tp_linux_alive_unmap(self->alive);
    tp_free(allocator, self, sizeof *self, 64);
}

void tp_linux_destroy(struct tp_io *io)
{
    struct tp_linux_io *self = tp_linux_of(io);
    const uint64_t deadline_ns = monotonic_ns() + self->drain_ns_max;
    bool drained;

    tp_linux_check_owner(self);
    drained = drain_ring(self, deadline_ns);
    drained = tp_linux_workers_stop(&self->workers, deadline_ns) && drained;
    if (!drained) {
        const struct tp_log_field left[] = {
            {"in_ring", NULL, tp_linux_ring_in_flight(&self->ring)},
            {"threads", NULL, self->workers.threads - self->workers.ended}};

        tp_log_write(&io->log, TP_LOG_ERROR,
                     "operations did not stop in time: their memory is leaked", left, 2);
        return;
    }
    settle_records(self);
    close_fds(io->fds);
    tp_linux_free(self);
}
