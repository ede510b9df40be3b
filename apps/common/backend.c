#include "apps/common/backend.h"

#include <string.h>

#include "apps/common/say.h"
#include "io/linux/linux.h"
#include "io/posix/posix.h"

_Static_assert(APP_BACKEND_NONE == TP_LINUX_NONE, "none is none to LinuxIo");
_Static_assert(APP_BACKEND_NONE == TP_POSIX_NONE, "and to PosixIo");

bool app_backend_parse(const char *name, enum app_backend *ret_backend)
{
    static const char *const names[] = {
        [APP_BACKEND_AUTO] = "auto",
        [APP_BACKEND_LINUX] = "linux",
        [APP_BACKEND_POSIX] = "posix",
    };

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_backend = (enum app_backend)i;
            return true;
        }
    }
    return false;
}

static int create_linux(const struct app_backend_wants *wants, struct tp_io **ret_io)
{
    const struct tp_linux_io_config config = {
        .size = sizeof config,
        .ops_max = wants->ops_max,
        .files_max = wants->files_max,
        .buf_count = wants->buf_count,
        .buf_size = wants->buf_size,
        .recv_buf_count = wants->recv_buf_count,
        .recv_buf_size = wants->recv_buf_size,
        .log = wants->log,
    };

    return tp_linux_io_create(&config, ret_io);
}

static int create_posix(const struct app_backend_wants *wants, struct tp_io **ret_io)
{
    const struct tp_posix_io_config config = {
        .size = sizeof config,
        .ops_max = wants->ops_max,
        .buf_count = wants->buf_count,
        .buf_size = wants->buf_size,
        .recv_buf_count = wants->recv_buf_count,
        .recv_buf_size = wants->recv_buf_size,
        .log = wants->log,
    };

    return tp_posix_io_create(&config, ret_io);
}

struct tp_io *app_backend_create(enum app_backend backend,
                                 const struct app_backend_wants *wants)
{
    struct tp_io *io;
    int error;

    if (backend != APP_BACKEND_POSIX) {
        error = create_linux(wants, &io);
        if (error == 0)
            return io;
        if (backend == APP_BACKEND_LINUX || !wants->quiet)
            app_say("io_uring cannot be used: %s (%s)", tp_linux_io_refusal(error),
                    tp_errno_name(error));
        if (backend == APP_BACKEND_LINUX) {
            app_say("docs/kernels.md says more; --io=posix runs without it");
            return NULL;
        }
        if (!wants->quiet)
            app_say("threads and readiness take its place (--io=posix), which is slower");
    }
    error = create_posix(wants, &io);
    if (error == 0)
        return io;
    app_say("the system's calls cannot be used: %s (%s)", tp_posix_io_refusal(error),
            tp_errno_name(error));
    return NULL;
}
