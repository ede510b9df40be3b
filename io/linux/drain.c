#include "linux_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"
#include "io/posix/process_internal.h"
#include "io/posix/system_internal.h"

#define ROUND_NS                                                             \
    UINT64_C(100000000) /* after which everything is asked to stop once more \
                         */

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
    } while (tp_posix_clock_ns(TP_CLOCK_MONOTONIC) < deadline_ns);
    return false;
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
    tp_posix_records_deinit(&self->records);
    tp_io_deinit(&self->io);
    tp_posix_unreserve(self->buf_memory, self->buf_bytes);
    tp_linux_recv_deinit(self);
    tp_posix_alive_unmap(self->alive);
    tp_free(allocator, self, sizeof *self, 64);
}

void tp_linux_destroy(struct tp_io *io)
{
    struct tp_linux_io *self = tp_linux_of(io);
    const uint64_t deadline_ns = tp_posix_clock_ns(TP_CLOCK_MONOTONIC) + self->drain_ns_max;
    bool drained;

    tp_linux_check_owner(self);
    drained = drain_ring(self, deadline_ns);
    drained = tp_posix_workers_stop(&self->workers, deadline_ns) && drained;
    if (!drained) {
        const struct tp_log_field left[] = {
            {"in_ring", NULL, tp_linux_ring_in_flight(&self->ring)},
            {"threads", NULL, self->workers.threads - self->workers.ended}};

        tp_log_write(&io->log, TP_LOG_ERROR,
                     "operations did not stop in time: their memory is leaked", left, 2);
        return;
    }
    tp_posix_records_settle(&self->records);
    tp_posix_close_all(io->fds);
    tp_linux_free(self);
}
