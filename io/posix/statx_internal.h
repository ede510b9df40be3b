/** io/posix/statx_internal.h - Linux's statx(2), as a thread and as LinuxIo's ring use it.
 */
#ifndef TEMPEST_IO_POSIX_STATX_INTERNAL_H
#define TEMPEST_IO_POSIX_STATX_INTERNAL_H

#include <fcntl.h>
#include <sys/stat.h>

#include "io/request.h"

/** What statx is asked for: STATX_BASIC_STATS and STATX_DIOALIGN (6.1), which older headers
 * do not name. */
#define TP_POSIX_STATX_MASK (0x7ffU | 0x2000U)

/** The flags of statx(2); `by_fd`: the open file itself, under the path "". */
static inline uint32_t tp_posix_statx_flags(bool by_fd, bool follow)
{
    if (by_fd)
        return AT_EMPTY_PATH;
    return follow ? 0 : AT_SYMLINK_NOFOLLOW;
}

/** What the kernel knows of a file, as the Io interface says it. */
struct tp_statx tp_posix_statx_convert(const struct statx *from);

#endif
