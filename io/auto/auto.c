#include "auto.h"

#include <errno.h>

#include "io/linux/linux.h"
#include "io/posix/posix.h"

_Static_assert(TP_AUTO_NONE == TP_LINUX_NONE, "none is none to LinuxIo");
_Static_assert(TP_AUTO_NONE == TP_POSIX_NONE, "and to PosixIo");

static int create_linux(const struct tp_auto_io_config *config, struct tp_io **ret_io)
{
    const struct tp_linux_io_config linux_config = {
        .size = sizeof linux_config,
        .ops_max = config->ops_max,
        .completions_max = config->completions_max,
        .fds_max = config->fds_max,
        .files_max = config->files_max,
        .buf_count = config->buf_count,
        .buf_size = config->buf_size,
        .recv_buf_count = config->recv_buf_count,
        .recv_buf_size = config->recv_buf_size,
        .workers_max = config->workers_max,
        .drain_ms_max = config->drain_ms_max,
        .allocator = config->allocator,
        .log = config->log,
    };

    return tp_linux_io_create(&linux_config, ret_io);
}

static int create_posix(const struct tp_auto_io_config *config, struct tp_io **ret_io)
{
    const struct tp_posix_io_config posix_config = {
        .size = sizeof posix_config,
        .ops_max = config->ops_max,
        .completions_max = config->completions_max,
        .fds_max = config->fds_max,
        .buf_count = config->buf_count,
        .buf_size = config->buf_size,
        .recv_buf_count = config->recv_buf_count,
        .recv_buf_size = config->recv_buf_size,
        .workers_max = config->workers_max,
        .drain_ms_max = config->drain_ms_max,
        .allocator = config->allocator,
        .log = config->log,
    };

    return tp_posix_io_create(&posix_config, ret_io);
}

int tp_auto_io_create(const struct tp_auto_io_config *config, struct tp_io **ret_io)
{
    static const struct tp_auto_io_config empty;
    int refused = 0, error;

    if (config == NULL)
        config = &empty;
    if ((config->size != 0 && config->size != sizeof *config) ||
        config->only > TP_AUTO_ONLY_POSIX)
        return -EINVAL;
    if (config->only != TP_AUTO_ONLY_POSIX) {
        refused = create_linux(config, ret_io);
        if (refused == 0 || config->only == TP_AUTO_ONLY_LINUX)
            return refused;
    }
    error = create_posix(config, ret_io);
    if (error == 0)
        (*ret_io)->caps.refused = refused;
    return error;
}

const char *tp_auto_io_refusal(int error)
{
    return tp_posix_io_refusal(error);
}
