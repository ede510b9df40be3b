#include "linux_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/fd_table.h"

/* ------------------------------------------------------------------ connect */

/* Nothing is left open by a connect that fails. */
static bool connect_failed(const struct tp_posix_record *record, int32_t error,
                           int32_t *ret_value)
{
    if (record->fd >= 0)
        (void)close(record->fd);
    *ret_value = error;
    return true;
}

bool tp_linux_connect_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                           int32_t result, int32_t *ret_value)
{
    const bool is_path =
        tp_posix_side_of(&self->records, record)->address.ss_family == AF_UNIX;

    if (record->fd >= 0 && result == 0) {
        *ret_value = tp_linux_opened(self, record->fd, TP_POSIX_STREAM);
        return true;
    }
    if (result < 0)
        return connect_failed(record, result, ret_value);
    tp_assert(record->fd < 0);
    record->fd = result;
    if (record->cancelled != 0)
        return connect_failed(record, -ECANCELED, ret_value);
    if (is_path) { /* a thread has done it all */
        *ret_value = tp_linux_opened(self, record->fd, TP_POSIX_STREAM);
        return true;
    }
    if ((uint32_t)result >= self->files.capacity)
        return connect_failed(record, -EMFILE, ret_value);
    tp_linux_go_on(self, record);
    return false;
}

/* ------------------------------------------------------------------ multishot */

bool tp_linux_is_over(const struct tp_linux_io *self, const struct tp_posix_record *record)
{
    return record->cancelled != 0 || !tp_fd_table_holds(self->io.fds, record->request.fd);
}

void tp_linux_end_later(struct tp_linux_io *self, struct tp_posix_record *record,
                        int32_t value)
{
    tp_io_complete_later(&self->io, record->request.handle, value);
    tp_posix_record_free(&self->records, record);
}

bool tp_linux_go_on_many(struct tp_linux_io *self, struct tp_posix_record *record,
                         bool counts)
{
    if (tp_linux_is_over(self, record)) {
        tp_linux_end_later(self, record, -ECANCELED);
        return false;
    }
    if (counts)
        self->io.stats.rearmed++;
    tp_linux_go_on(self, record);
    return false;
}

/* ------------------------------------------------------------------ accept_many */

/* A connection that our table has no room for ends the operation; those that come before it
 * has stopped are closed, too. */
static void deliver_connection(struct tp_linux_io *self, struct tp_posix_record *record,
                               int32_t fd)
{
    if (record->result == 0) {
        const int32_t value = tp_linux_opened(self, fd, TP_POSIX_STREAM);

        if (value >= 0)
            tp_io_complete(&self->io, record->request.handle, value, TP_MORE);
        else
            record->result = value;
    } else {
        (void)close(fd);
    }
}

bool tp_linux_accept_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                          const struct io_uring_cqe *cqe, int32_t *ret_value)
{
    if (cqe->res >= 0)
        deliver_connection(self, record, cqe->res);
    if ((cqe->flags & IORING_CQE_F_MORE) != 0) {
        if (record->result < 0 && record->stopped == 0 && tp_linux_make_space(self)) {
            record->stopped = 1;
            tp_linux_stop_in_ring(self, record);
        }
        return false;
    }
    *ret_value = record->result < 0 ? record->result : cqe->res;
    if (*ret_value < 0)
        return true;
    return tp_linux_go_on_many(self, record,
                               (self->ring.features & TP_LINUX_MULTISHOT_ACCEPT) != 0);
}
