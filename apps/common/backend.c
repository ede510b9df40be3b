#include "apps/common/backend.h"

#include <string.h>

#include "apps/common/say.h"
#include "io/auto/auto.h"
#include "io/linux/linux.h"
#include "io/posix/posix.h"

_Static_assert(APP_BACKEND_NONE == TP_LINUX_NONE, "none is none to LinuxIo");
_Static_assert(APP_BACKEND_NONE == TP_POSIX_NONE, "and to PosixIo");
_Static_assert(APP_BACKEND_NONE == TP_AUTO_NONE, "and to what chooses between them");

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

static int create_auto(const struct app_backend_wants *wants, struct tp_io **ret_io)
{
    const struct tp_auto_io_config config = {
        .size = sizeof config,
        .ops_max = wants->ops_max,
        .files_max = wants->files_max,
        .buf_count = wants->buf_count,
        .buf_size = wants->buf_size,
        .recv_buf_count = wants->recv_buf_count,
        .recv_buf_size = wants->recv_buf_size,
        .log = wants->log,
    };

    return tp_auto_io_create(&config, ret_io);
}

static void say_uring_refused(int error)
{
    app_say("io_uring cannot be used: %s (%s)", tp_linux_io_refusal(error),
            tp_errno_name(error));
}

static void say_which(int refused)
{
    if (refused == 0) {
        app_say("runs on io_uring");
        return;
    }
    say_uring_refused(refused);
    app_say("runs on threads and epoll instead (--io=posix), which is slower");
}

struct tp_io *app_backend_create(enum app_backend backend,
                                 const struct app_backend_wants *wants)
{
    struct tp_io *io = NULL;
    int error;

    switch (backend) {
    case APP_BACKEND_AUTO:
        error = create_auto(wants, &io);
        if (error == 0 && !wants->quiet)
            say_which(tp_io_caps(io)->refused);
        break;
    case APP_BACKEND_LINUX:
        error = create_linux(wants, &io);
        if (error == 0)
            return io;
        say_uring_refused(error);
        app_say("docs/kernels.md says more; --io=posix runs without it");
        return NULL;
    case APP_BACKEND_POSIX:
        error = create_posix(wants, &io);
        break;
    default:
        tp_unreachable();
    }
    if (error < 0)
        app_say("the system's calls cannot be used: %s (%s)", tp_posix_io_refusal(error),
                tp_errno_name(error));
    return io;
}
