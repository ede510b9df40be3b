/** io/linux/blocking_internal.h - operations in the kernel's words, and by plain system
 * calls.
 *
 * Paths resolve alike in the ring and on a thread, since both take their flags from here.
 */
#ifndef TEMPEST_IO_LINUX_BLOCKING_INTERNAL_H
#define TEMPEST_IO_LINUX_BLOCKING_INTERNAL_H

#include <fcntl.h>
#include <sys/stat.h>

#include "io/linux/records_internal.h"

#define TP_LINUX_CREATE_MODE 0666U

/** What statx is asked for: STATX_BASIC_STATS and STATX_DIOALIGN (6.1), which older headers
 * do not name. */
#define TP_LINUX_STATX_MASK (0x7ffU | 0x2000U)

/** The flags of openat(2): always O_CLOEXEC; a name in a directory is never followed. */
int tp_linux_open_flags(const struct tp_request *request);

/** The directory that the path of a request is relative to. */
static inline int tp_linux_dir_of(const struct tp_request *request)
{
    return (request->flags & TP_IN_DIR) != 0 ? (int)request->fd.number : AT_FDCWD;
}

/** The flags of statx(2) for fstat and stat. */
static inline uint32_t tp_linux_statx_flags(const struct tp_request *request)
{
    if (request->kind == TP_FSTAT)
        return AT_EMPTY_PATH;
    return (request->flags & TP_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
}

/** What the kernel knows of a file, as the Io interface says it. */
struct tp_statx tp_linux_statx_convert(const struct statx *from);

/** How shutdown(2) is told which directions end. */
static inline int tp_linux_shutdown_how(const struct tp_request *request)
{
    const int both = TP_SHUT_READ | TP_SHUT_WRITE;

    if ((request->flags & both) == both)
        return SHUT_RDWR;
    return (request->flags & TP_SHUT_READ) != 0 ? SHUT_RD : SHUT_WR;
}

/** Runs the operation with system calls that may block; on a worker thread. `side` has its
 * address; fstat and stat leave their answer there. The result is that of the operation,
 * before the owner's part. */
int32_t tp_linux_run_blocking(const struct tp_request *request, union tp_linux_side *side);

/** The part of it for the kinds from TP_LISTEN on. */
int32_t tp_linux_run_service(const struct tp_request *request,
                             const struct sockaddr_storage *address);

/** The next entries of a directory, packed into the memory that `request` lends. */
int32_t tp_linux_list_dir(const struct tp_request *request);

#endif
