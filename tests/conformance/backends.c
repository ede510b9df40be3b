/* The backends that take part. One joins by a line in the table, and a create() if it is
 * new. */
#include "conformance.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "io/linux/linux.h"
#include "io/posix/posix.h"
#include "io/virtual/virtual.h"

enum { OPS_MAX = 16384, COMPLETIONS_MAX = 12000, FDS_MAX = 1024, TRIES_MAX = 250 };
enum { RECV_COUNT = 40, RECV_SIZE = 4096 }; /* few and small: programs use them up */

/* The umask is the process's; here it is what the programs expect. The kernel gives the
 * locked memory of a ring back some time after its end, and who is not root may have to
 * wait for it. */
static struct tp_io *create_linux(const struct conformance_backend *backend,
                                  const char **ret_reason)
{
    struct tp_linux_io_config config = {
        .size = sizeof config,
        .features_off = (uint32_t)backend->features_off,
        .ops_max = OPS_MAX,
        .completions_max = COMPLETIONS_MAX,
        .fds_max = FDS_MAX,
        .buf_count = REGISTERED_COUNT,
        .buf_size = REGISTERED_SIZE,
        .recv_buf_count = RECV_COUNT,
        .recv_buf_size = RECV_SIZE,
    };
    const struct timespec pause = {0, 20000000};
    struct tp_io *io;
    int error;

    (void)umask(022);
    error = tp_linux_io_create(&config, &io);
    for (uint32_t tries = 0; error == -ENOMEM && tries < TRIES_MAX; tries++) {
        (void)nanosleep(&pause, NULL);
        error = tp_linux_io_create(&config, &io);
    }
    if (error == 0)
        return io;
    *ret_reason = tp_linux_io_refusal(error);
    return NULL;
}

static struct tp_io *create_posix(const struct conformance_backend *backend,
                                  const char **ret_reason)
{
    const struct tp_posix_io_config config = {
        .size = sizeof config,
        .ops_max = OPS_MAX,
        .completions_max = COMPLETIONS_MAX,
        .fds_max = FDS_MAX,
        .buf_count = REGISTERED_COUNT,
        .buf_size = REGISTERED_SIZE,
        .recv_buf_count = RECV_COUNT,
        .recv_buf_size = RECV_SIZE,
    };
    struct tp_io *io;
    const int error = tp_posix_io_create(&config, &io);

    (void)backend;
    (void)umask(022);
    if (error == 0)
        return io;
    *ret_reason = tp_posix_io_refusal(error);
    return NULL;
}

static struct tp_io *create_virtual(const struct conformance_backend *backend,
                                    const char **ret_reason)
{
    struct tp_virtual_io_config config = {
        .size = sizeof config,
        .seed = backend->features_off,
        .ops_max = OPS_MAX,
        .completions_max = COMPLETIONS_MAX,
        .fds_max = FDS_MAX,
        .buf_count = REGISTERED_COUNT,
        .buf_size = REGISTERED_SIZE,
        .recv_buf_count = RECV_COUNT,
        .recv_buf_size = RECV_SIZE,
    };
    struct tp_io *io;
    int error = tp_virtual_io_create(&config, &io);

    if (error == 0)
        return io;
    *ret_reason = tp_errno_name(error);
    return NULL;
}

const struct conformance_backend conformance_backends[] = {
    {"linux", create_linux, NULL, 0},
    {"posix", create_posix, NULL, 0},
    {"virtual", create_virtual, "/conformance", 0},
    {"virtual-seed-1", create_virtual, "/conformance", 1},
    {"virtual-seed-2", create_virtual, "/conformance", 2},
    {"virtual-seed-3", create_virtual, "/conformance", 3},
    {"linux-no-defer-taskrun", create_linux, NULL, TP_LINUX_DEFER_TASKRUN},
    {"linux-no-single-issuer", create_linux, NULL,
     TP_LINUX_SINGLE_ISSUER | TP_LINUX_DEFER_TASKRUN},
    {"linux-no-coop-taskrun", create_linux, NULL,
     TP_LINUX_COOP_TASKRUN | TP_LINUX_DEFER_TASKRUN},
    {"linux-no-taskrun-flag", create_linux, NULL, TP_LINUX_TASKRUN_FLAG},
    {"linux-no-submit-all", create_linux, NULL, TP_LINUX_SUBMIT_ALL},
    {"linux-no-ring-fd", create_linux, NULL, TP_LINUX_RING_FD},
    {"linux-no-files", create_linux, NULL, TP_LINUX_FILES},
    {"linux-no-bufs", create_linux, NULL, TP_LINUX_BUFS},
    {"linux-no-iowait", create_linux, NULL, TP_LINUX_NO_IOWAIT},
    {"linux-no-restrictions", create_linux, NULL, TP_LINUX_RESTRICTIONS},
    {"linux-no-workers-max", create_linux, NULL, TP_LINUX_WORKERS_MAX},
    {"linux-no-multishot-wake", create_linux, NULL, TP_LINUX_MULTISHOT_WAKE},
    {"linux-no-socket-files", create_linux, NULL, TP_LINUX_SOCKET_FILES},
    {"linux-no-multishot-accept", create_linux, NULL, TP_LINUX_MULTISHOT_ACCEPT},
    {"linux-no-multishot-recv", create_linux, NULL, TP_LINUX_MULTISHOT_RECV},
    {"linux-no-buf-ring", create_linux, NULL, TP_LINUX_BUF_RING},
    {"linux-plain", create_linux, NULL, UINT32_MAX},
    {0},
};
