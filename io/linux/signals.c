/* Signals as completions. Each operation has a signalfd of its own, which the ring polls;
 * it is read here, since before 6.10 the ring's read of one would block a worker of the
 * kernel. Several that wait for one signal find it in turn: who comes too late waits on. */
#include "linux_internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/posix/system_internal.h"

void tp_linux_signal_submit(struct tp_linux_io *self, const struct tp_request *request)
{
    const int fd = tp_posix_signals_open(request->a.signals);
    struct tp_posix_record *record;

    if (fd < 0) {
        tp_io_complete_later(&self->io, request->handle, fd);
        return;
    }
    record = tp_posix_record_make(&self->records, request);
    record->fd = fd;
    tp_linux_go_on(self, record);
}

void tp_linux_signal_fill(struct tp_linux_io *self, const struct tp_posix_record *record,
                          uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_POLL_ADD,
        .fd = record->fd,
        .op_flags = POLLIN,
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

bool tp_linux_signal_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                          int32_t result, int32_t *ret_value)
{
    *ret_value = result < 0 ? result : tp_posix_signals_read(record->fd);
    if (*ret_value == -EAGAIN && record->cancelled != 0)
        *ret_value = -ECANCELED;
    if (*ret_value == -EAGAIN) {
        tp_linux_go_on(self, record);
        return false;
    }
    (void)close(record->fd);
    return true;
}
