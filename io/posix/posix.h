/** io/posix/posix.h - PosixIo: the Io interface where io_uring is forbidden or not there.
 *
 * Operations on files run on a bounded pool of threads; sockets do not block, and one wait
 * for readiness (epoll) per iteration tells which may go on. Handles, laws and results are
 * those of every backend; a program does not see the difference but in speed and in
 * tp_io_caps().
 *
 * Law 6 counts the waits for readiness: at most one for each poll or park, none when no
 * operation waits for a peer. The calls of the operations themselves are beside it.
 *
 * Ownership: the Io belongs to the thread that created it; only tp_io_wake() is for others.
 * Create it after fork(): use in a child stops the program with a report. It changes no
 * signal disposition, opens everything O_CLOEXEC, and its threads block all signals.
 */
#ifndef TEMPEST_IO_POSIX_POSIX_H
#define TEMPEST_IO_POSIX_POSIX_H

#include "../io.h"

/** In place of a count in the config: none at all (0 means the default). */
#define TP_POSIX_NONE UINT32_MAX

/** How to create one; all zero (but for `size`, if you like) is a working configuration. */
struct tp_posix_io_config {
    uint32_t size;    /* sizeof(struct tp_posix_io_config); 0: the struct of version 0.1 */
    uint32_t ops_max; /* operations in flight; 65536 */
    uint32_t completions_max; /* completions that one poll can deliver; 8192 */
    uint32_t fds_max;         /* highest fd number + 1; RLIMIT_NOFILE, at most 1048576 */
    uint32_t buf_count;       /* registered buffers: aligned, and nothing more; 32 */
    uint32_t buf_size;        /* bytes of each, rounded up to the block size; 65536 */
    uint32_t recv_buf_count;  /* receive buffers, for recv_many; 256 */
    uint32_t recv_buf_size;   /* bytes of each; 16384 */
    uint32_t workers_max;     /* threads; offload and resolve have at most all but one; 4 */
    uint32_t drain_ms_max;    /* how long destroy waits for what is in flight; 5000 */
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
    const struct tp_log *log;             /* NULL: nothing is said */
};

TP_BEGIN_DECLS

/** Creates a PosixIo. `config` NULL: all defaults. 0 and `*ret_io`, or
 * -ENOMEM      memory
 * -EMFILE      no file descriptor is left (-ENFILE: in the system)
 * -EINVAL      the config is out of range */
TP_EXPORT int tp_posix_io_create(const struct tp_posix_io_config *config,
                                 struct tp_io **ret_io);

/** tp_io_destroy() by another name: drops what no thread has begun, waits for the rest
 * (drain_ms_max), closes what is still open, and frees. What a thread is still at by then
 * is leaked, never freed under it. NULL is fine. */
TP_EXPORT void tp_posix_io_destroy(struct tp_io *io);

/** What an error of tp_posix_io_create() means, and what to do; a text that lives for ever.
 */
TP_EXPORT const char *tp_posix_io_refusal(int error);

TP_END_DECLS

#endif
