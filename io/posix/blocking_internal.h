/** io/posix/blocking_internal.h - operations in the system's words, and by plain system
 * calls.
 *
 * Paths resolve alike in LinuxIo's ring and on a thread, since both take their flags from
 * here.
 */
#ifndef TEMPEST_IO_POSIX_BLOCKING_INTERNAL_H
#define TEMPEST_IO_POSIX_BLOCKING_INTERNAL_H

#include <fcntl.h>
#include <sys/socket.h>

#include "io/posix/records_internal.h"

#define TP_POSIX_CREATE_MODE 0666U

/** The flags of openat(2): always O_CLOEXEC; a name in a directory is never followed. */
int tp_posix_open_flags(const struct tp_request *request);

/** The directory that the path of a request is relative to. */
static inline int tp_posix_dir_of(const struct tp_request *request)
{
    return (request->flags & TP_IN_DIR) != 0 ? (int)request->fd.number : AT_FDCWD;
}

/** How shutdown(2) is told which directions end. */
static inline int tp_posix_shutdown_how(const struct tp_request *request)
{
    const int both = TP_SHUT_READ | TP_SHUT_WRITE;

    if ((request->flags & both) == both)
        return SHUT_RDWR;
    return (request->flags & TP_SHUT_READ) != 0 ? SHUT_RD : SHUT_WR;
}

/** Runs the operation with system calls that may block; on a worker thread. `side` has its
 * address. The result is that of the operation, before the owner's part. */
int32_t tp_posix_run_blocking(const struct tp_request *request,
                              const union tp_posix_side *side);

/** The part of it for the kinds from TP_LISTEN on. */
int32_t tp_posix_run_service(const struct tp_request *request,
                             const struct sockaddr_storage *address);

#endif
