/** io/posix/process_internal.h - what a backend asks of the process it is in. */
#ifndef TEMPEST_IO_POSIX_PROCESS_INTERNAL_H
#define TEMPEST_IO_POSIX_PROCESS_INTERNAL_H

#include "io/io.h"

#define TP_POSIX_FDS_LIMIT (UINT32_C(1) << 20) /* highest fds_max */

/** RLIMIT_NOFILE, at most TP_POSIX_FDS_LIMIT. */
uint32_t tp_posix_fds_usual(void);

/** The system's clock, in ns since whatever epoch it has. */
uint64_t tp_posix_clock_ns(enum tp_clock clock);

/** The `random` of a backend. */
void tp_posix_random(struct tp_io *io, void *ret_bytes, size_t len_bytes);

/** Closes the fds that are open in the table: the Io is being destroyed. */
void tp_posix_close_all(const struct tp_fd_table *fds);

/** A growing text, cut when it is full. */
struct tp_posix_text {
    char *bytes;
    size_t used, capacity;
};

TP_PRINTF(2, 3)
void tp_posix_say(struct tp_posix_text *text, const char *format, ...);

/** Says the limits that are on the process, as a line. */
void tp_posix_say_limits(struct tp_posix_text *text);

#endif
