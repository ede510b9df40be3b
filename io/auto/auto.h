/** io/auto/auto.h - the best Io that this system allows: io_uring, or else threads and
 * epoll.
 *
 * A LinuxIo where one can be had, and where io_uring is refused (in many containers, by a
 * sysctl, by an old kernel) a PosixIo. A program is the same on both. Which one it was says
 * tp_io_caps(): `refused` is 0 on io_uring, and else the error by which it was refused,
 * which tp_linux_io_refusal() says in words; the log hears it too.
 *
 * Ownership: as linux/linux.h and posix/posix.h say, which are alike; tp_io_destroy() ends
 * it.
 */
#ifndef TEMPEST_IO_AUTO_AUTO_H
#define TEMPEST_IO_AUTO_AUTO_H

#include "../io.h"

/** In place of a count in the config: none at all (0 means the default). */
#define TP_AUTO_NONE UINT32_MAX

/** Which backend it may be. */
enum tp_auto_only { TP_AUTO_EITHER, TP_AUTO_ONLY_LINUX, TP_AUTO_ONLY_POSIX };

/** What both backends have in common; all zero (but for `size`, if you like) is a working
 * configuration. A field without a default here has one of its backend's. */
struct tp_auto_io_config {
    uint32_t size;    /* sizeof(struct tp_auto_io_config); 0: the struct of version 0.1 */
    uint32_t ops_max; /* operations in flight; 65536 */
    uint32_t completions_max; /* completions that one poll can deliver; 8192 */
    uint32_t fds_max;         /* highest fd number + 1; RLIMIT_NOFILE, at most 1048576 */
    uint32_t files_max;       /* registered files; 256, and with PosixIo there are none */
    uint32_t buf_count;       /* registered buffers; 32 */
    uint32_t buf_size;        /* bytes of each, rounded up to the block size; 65536 */
    uint32_t recv_buf_count;  /* receive buffers, for recv_many; 256 */
    uint32_t recv_buf_size;   /* bytes of each; 16384 */
    uint32_t workers_max;     /* threads; offload and resolve have at most all but one; 4 */
    uint32_t drain_ms_max;    /* how long destroy waits for what is in flight; 5000 */
    uint32_t only;            /* enum tp_auto_only: for a user who asked for one of them */
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
    const struct tp_log *log;             /* NULL: nothing is said */
};

TP_BEGIN_DECLS

/** Creates a LinuxIo, or else a PosixIo. `config` NULL: all defaults. 0 and `*ret_io`, or
 * the error of the backend that was tried last: tp_linux_io_create() if `only` says so, or
 * tp_posix_io_create(); -EINVAL also when the config is out of range. */
TP_EXPORT int tp_auto_io_create(const struct tp_auto_io_config *config,
                                struct tp_io **ret_io);

/** What an error of tp_auto_io_create() means, and what to do; a text that lives for ever.
 * One of a LinuxIo alone has tp_linux_io_refusal(). */
TP_EXPORT const char *tp_auto_io_refusal(int error);

TP_END_DECLS

#endif
