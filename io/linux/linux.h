/** io/linux/linux.h - LinuxIo: the Io interface over io_uring (Linux 6.1 and later).
 *
 * Operations become entries of one ring and are handed to the kernel by the next poll or
 * park, all in one system call that also brings back what has completed. What the kernel
 * cannot do in a ring (read a directory, change a mode, ...) runs on a few threads of our
 * own; the loop does not see the difference.
 *
 * Ownership: the Io belongs to the thread that created it; only tp_io_wake() is for others.
 * Create it after fork(): use in a child stops the program with a report. It changes no
 * signal disposition, opens everything O_CLOEXEC, and its threads block all signals.
 *
 * Errors: creation gives -errno; tp_linux_io_refusal() says in words what was refused and
 * what to do about it, and the log hears it too. See docs/kernels.md.
 */
#ifndef TEMPEST_IO_LINUX_LINUX_H
#define TEMPEST_IO_LINUX_LINUX_H

#include "../io.h"

/** In place of a count in the config: none at all (0 means the default). */
#define TP_LINUX_NONE UINT32_MAX

/** What LinuxIo uses where the kernel has it. A test masks features off, and then the path
 * for kernels without them runs. */
enum tp_linux_feature {
    TP_LINUX_DEFER_TASKRUN = 1 << 0, /* completions are worked off in our enters only */
    TP_LINUX_SINGLE_ISSUER = 1 << 1, /* one thread enters, and the kernel knows it */
    TP_LINUX_COOP_TASKRUN = 1 << 2,  /* in place of DEFER_TASKRUN: no interrupting signal */
    TP_LINUX_TASKRUN_FLAG =
        1 << 3,                   /* a poll sees without a kernel entry whether one pays */
    TP_LINUX_SUBMIT_ALL = 1 << 4, /* an entry with an error does not end the batch */
    TP_LINUX_RING_FD = 1 << 5,    /* registered ring: no file lookup per enter */
    TP_LINUX_FILES = 1 << 6,      /* hot files in the ring's own table */
    TP_LINUX_BUFS = 1 << 7,      /* registered buffers are pinned once, not per operation */
    TP_LINUX_NO_IOWAIT = 1 << 8, /* a parked loop is idle, not waiting for a disk (6.15) */
    TP_LINUX_RESTRICTIONS = 1 << 9,    /* the ring takes only what the library uses */
    TP_LINUX_WORKERS_MAX = 1 << 10,    /* a bound for the kernel's worker threads */
    TP_LINUX_MULTISHOT_WAKE = 1 << 11, /* the poll that carries wakes stays armed */
    TP_LINUX_SOCKET_FILES = 1 << 12,   /* hot sockets in the ring's own table, too (6.14) */
    TP_LINUX_MULTISHOT_ACCEPT = 1 << 13, /* accept_many: one entry for many connections */
    TP_LINUX_MULTISHOT_RECV = 1 << 14,   /* recv_many: one entry for all that comes */
    TP_LINUX_BUF_RING = 1 << 15 /* the kernel takes a receive buffer when it needs one */
};

/** How to create one; all zero (but for `size`, if you like) is a working configuration. */
struct tp_linux_io_config {
    uint32_t size; /* sizeof(struct tp_linux_io_config); 0: the struct of version 0.1 */
    uint32_t features_off; /* of enum tp_linux_feature: not to be used */
    uint64_t
        kinds_off; /* 1 << enum tp_kind: on a thread of ours, though a ring could do it; not
                      close, nor what may wait for a peer: no thread could be stopped */
    uint32_t ops_max;            /* operations in flight; 65536 */
    uint32_t sq_entries;         /* submission queue, rounded up to a power of two; 4096 */
    uint32_t cq_entries;         /* completion queue, and so the cap of law 7; 4096 */
    uint32_t completions_max;    /* completions that one poll can deliver; 2 x cq_entries */
    uint32_t fds_max;            /* highest fd number + 1; RLIMIT_NOFILE, at most 1048576 */
    uint32_t files_max;          /* registered files; 256 */
    uint32_t buf_count;          /* registered buffers; 32 */
    uint32_t buf_size;           /* bytes of each, rounded up to the block size; 65536 */
    uint32_t recv_buf_count;     /* receive buffers, for recv_many; at most 32768; 256 */
    uint32_t recv_buf_size;      /* bytes of each; 16384 */
    uint32_t workers_max;        /* threads of our own; offload and resolve have at most all
                                    but one; 4 */
    uint32_t kernel_workers_max; /* worker threads of the kernel, of each of its two sorts;
                                    4 for each processor, 8 to 64 */
    uint32_t drain_ms_max;       /* how long destroy waits for what is in flight; 5000 */
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
    const struct tp_log *log;             /* NULL: nothing is said */
};

TP_BEGIN_DECLS

/** Creates a LinuxIo. `config` NULL: all defaults. 0 and `*ret_io`, or
 * -ENOSYS      the kernel has no io_uring
 * -EPERM       it is forbidden: by the sysctl kernel.io_uring_disabled, or by seccomp
 * -EOPNOTSUPP  the kernel is older than 6.1
 * -ENOMEM      memory, or the limit on locked memory
 * -EMFILE      no file descriptor is left
 * -EINVAL      the config is out of range */
TP_EXPORT int tp_linux_io_create(const struct tp_linux_io_config *config,
                                 struct tp_io **ret_io);

/** tp_io_destroy() by another name: asks everything in flight to stop, waits until it has
 * (drain_ms_max), closes what is still open, and frees. What the kernel still holds by then
 * is leaked, never freed under it. NULL is fine. */
TP_EXPORT void tp_linux_io_destroy(struct tp_io *io);

/** What an error of tp_linux_io_create() means, and what to do; a text that lives for ever.
 */
TP_EXPORT const char *tp_linux_io_refusal(int error);

/** The features (enum tp_linux_feature) that this Io runs with. */
TP_EXPORT uint32_t tp_linux_io_features(const struct tp_io *io);

TP_END_DECLS

#endif
