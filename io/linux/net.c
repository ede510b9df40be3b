#include "linux_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/linux/blocking_internal.h"

/* ------------------------------------------------------------------ connect */

/* Nothing is left open by a connect that fails. */
static bool connect_failed(const struct tp_linux_record *record, int32_t error,
                           int32_t *ret_value)
{
    if (record->fd >= 0)
        (void)close(record->fd);
    *ret_value = error;
    return true;
}

bool tp_linux_connect_seen(struct tp_linux_io *self, struct tp_linux_record *record,
                           int32_t result, int32_t *ret_value)
{
    const bool is_path =
        tp_linux_side_of(&self->records, record)->address.ss_family == AF_UNIX;

    if (record->fd >= 0 && result == 0) {
        *ret_value = tp_linux_opened(self, record->fd, true);
        return true;
    }
    if (result < 0)
        return connect_failed(record, result, ret_value);
    tp_assert(record->fd < 0);
    record->fd = result;
    if (record->cancelled != 0)
        return connect_failed(record, -ECANCELED, ret_value);
    if (is_path) { /* a thread has done it all */
        *ret_value = tp_linux_opened(self, record->fd, true);
        return true;
    }
    if ((uint32_t)result >= self->files.capacity)
        return connect_failed(record, -EMFILE, ret_value);
    tp_linux_go_on(self, record);
    return false;
}
