#include "posix_internal.h"

#include <errno.h>
#include <unistd.h>

/* What waits at a socket hears of its end by itself, with the next poll. */
static void stop_all(struct tp_posix_io *self, uint32_t number)
{
    struct tp_posix_file *file = &self->files[number];

    for (uint32_t direction = 0; direction < 2; direction++) {
        while (file->waits[direction].count > 0) {
            struct tp_posix_record *record =
                tp_posix_record_at(&self->records, file->waits[direction].first);

            tp_posix_stop_waiting(self, record);
            tp_posix_end_later(self, record, -ECANCELED);
        }
    }
    for (uint32_t at = self->starved.first, next; at != 0 && file->starved > 0; at = next) {
        struct tp_posix_record *record = tp_posix_record_at(&self->records, at);

        next = record->next;
        if (record->request.fd.number != number)
            continue;
        tp_posix_unstarve(self, record);
        tp_posix_end_later(self, record, -ECANCELED);
    }
}

int32_t tp_posix_close_fd(struct tp_posix_io *self, int fd)
{
    struct tp_posix_file *file;

    if ((uint32_t)fd < self->files_count) {
        file = &self->files[fd];
        tp_assert(file->waits[0].count == 0 && file->waits[1].count == 0);
        if (file->watched)
            tp_posix_ready_remove(&self->ready, fd);
        file->watched = false;
        file->ended = false;
        file->sort = TP_POSIX_FILE;
    }
    /* Closed all the same, where a signal comes: on Linux, and as POSIX has it since 2024.
     */
    return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

bool tp_posix_close(struct tp_posix_io *self, struct tp_posix_record *record,
                    int32_t *ret_value)
{
    const uint32_t number = record->request.fd.number;
    struct tp_posix_file *file = &self->files[number];

    if (file->sort != TP_POSIX_FILE)
        stop_all(self, number);
    if (file->held > 0) {
        tp_assert(file->closing == 0);
        record->state = TP_POSIX_CLOSING;
        file->closing = tp_posix_record_number(&self->records, record);
        return false;
    }
    if (file->sort == TP_POSIX_FILE) { /* may write what is dirty, as on NFS */
        tp_posix_workers_add(&self->workers, record);
        return false;
    }
    *ret_value = tp_posix_close_fd(self, (int)number);
    return true;
}
