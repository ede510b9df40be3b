/** io/fd.h - an open file, as a backend names it.
 *
 * A number alone would be reused by the next open (lowest first), and an operation on a
 * closed file would hit a stranger's. The generation tells them apart: an operation with a
 * stale fd completes with -EBADF and reaches no file. The generation of a number changes
 * when its close is submitted, so a fd is unusable from then on, whatever close() reports.
 */
#ifndef TEMPEST_IO_FD_H
#define TEMPEST_IO_FD_H

#include "base.h"

struct tp_fd {
    uint32_t number;
    uint32_t generation; /* never 0 in an open one; {0, 0} is no file */
};

/** Whether `fd` ever named a file (not whether it is still open). */
static inline bool tp_fd_is_some(struct tp_fd fd)
{
    return fd.generation != 0;
}

/** The fd that names no file. */
static inline struct tp_fd tp_fd_none(void)
{
    struct tp_fd none = {0, 0};
    return none;
}

#endif
