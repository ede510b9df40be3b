/** apps/common/backend.h - which backend a program runs on: --io=auto, linux or posix.
 *
 * auto takes io_uring, and where that is refused threads and readiness (PosixIo); which it
 * was, and why, is said on standard error, once for each Io.
 */
#ifndef TEMPEST_APPS_COMMON_BACKEND_H
#define TEMPEST_APPS_COMMON_BACKEND_H

#include "io/io.h"

enum app_backend { APP_BACKEND_AUTO, APP_BACKEND_LINUX, APP_BACKEND_POSIX };

/** In place of a count: none at all. */
#define APP_BACKEND_NONE UINT32_MAX

/** What a program wants of it; 0 is the backend's default. */
struct app_backend_wants {
    uint32_t ops_max;        /* operations in flight */
    uint32_t buf_count;      /* registered buffers */
    uint32_t buf_size;       /* bytes of each */
    uint32_t recv_buf_count; /* receive buffers */
    uint32_t recv_buf_size;  /* bytes of each */
    uint32_t files_max;      /* registered files, where there is such a thing */
    const struct tp_log *log;
    bool quiet; /* say nothing of which auto took; that none can be had is always said */
};

/** What --io=NAME asks for. False: it is none of the three. */
bool app_backend_parse(const char *name, enum app_backend *ret_backend);

/** An Io of the program's; tp_io_destroy() ends it. NULL: it cannot be had, which was said.
 */
struct tp_io *app_backend_create(enum app_backend backend,
                                 const struct app_backend_wants *wants);

#endif
