#include "apps/common/backend.h"

#include <string.h>

#include "apps/common/say.h"
#include "io/auto/auto.h"
#include "io/linux/linux.h"

_Static_assert(APP_BACKEND_NONE == TP_AUTO_NONE, "none is none");
_Static_assert((int)APP_BACKEND_AUTO == TP_AUTO_EITHER, "one choice, by two names");
_Static_assert((int)APP_BACKEND_LINUX == TP_AUTO_ONLY_LINUX, "one choice, by two names");
_Static_assert((int)APP_BACKEND_POSIX == TP_AUTO_ONLY_POSIX, "one choice, by two names");

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

static void say_none(enum app_backend backend, int error)
{
    if (backend != APP_BACKEND_LINUX) {
        app_say("the system's calls cannot be used: %s (%s)", tp_auto_io_refusal(error),
                tp_errno_name(error));
        return;
    }
    say_uring_refused(error);
    app_say("docs/kernels.md says more; --io=posix runs without it");
}

struct tp_io *app_backend_create(enum app_backend backend,
                                 const struct app_backend_wants *wants)
{
    const struct tp_auto_io_config config = {
        .size = sizeof config,
        .ops_max = wants->ops_max,
        .files_max = wants->files_max,
        .buf_count = wants->buf_count,
        .buf_size = wants->buf_size,
        .recv_buf_count = wants->recv_buf_count,
        .recv_buf_size = wants->recv_buf_size,
        .only = (uint32_t)backend,
        .log = wants->log,
    };
    struct tp_io *io = NULL;
    const int error = tp_auto_io_create(&config, &io);

    if (error < 0) {
        say_none(backend, error);
        return NULL;
    }
    if (backend == APP_BACKEND_AUTO && !wants->quiet)
        say_which(tp_io_caps(io)->refused);
    return io;
}
