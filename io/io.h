/** io/io.h - the Io interface: operations in, completions out. Usable alone, with your
 * handles.
 *
 * An Io takes operations (request.h), gives completions (completions.h) and never calls
 * back. Submission cannot fail: what is wrong with the arguments arrives as the completion,
 * and it never arrives before the next poll. One thread uses an Io, the one that created
 * it; only tp_io_wake() is for others.
 *
 *     tp_io_read_at(io, 1, fd, &buf, 0);            hand in, under a handle of your own
 *     tp_io_park(io, TP_NEVER);                     submit, wait, reap
 *     if (tp_io_get_cqe(io, 1, &completion)) ...    claim: the loan of buf ends here
 *
 * A backend is a struct that begins with a struct tp_io, and a table of functions. A
 * wrapper (count, trace, inject, record) is a backend that holds another Io: see
 * docs/writing-a-backend.md.
 */
#ifndef TEMPEST_IO_IO_H
#define TEMPEST_IO_IO_H

#include "buf.h"
#include "completions.h"
#include "fd.h"
#include "kind.h"
#include "request.h"
#include "request_net.h"

#define TP_HANDLE_MAX ((UINT64_C(1) << 56) - 1)

struct tp_io;
struct tp_fd_table;  /* fd_table.c */
struct tp_buf_pool;  /* buf_pool.c */
struct tp_recv_pool; /* recv_pool.c */
struct tp_loans;     /* loans.c: checked builds only */

enum tp_clock {
    TP_CLOCK_MONOTONIC, /* ns since the backend's epoch; never steps back */
    TP_CLOCK_WALL,      /* ns since 1970; may step in both directions */
};

/** How an operation runs on this backend. */
enum tp_how {
    TP_HOW_UNAVAILABLE, /* completes with -EOPNOTSUPP */
    TP_HOW_INLINE,      /* at submission, or when the data arrive: no thread is involved */
    TP_HOW_WORKER,      /* on a thread of the kernel's or of ours */
};

/** What a backend can do, found when it was created. */
struct tp_io_caps {
    struct {
        enum tp_how how;
        const char
            *why; /* one phrase: "io_uring", "no such opcode before 6.9: own thread", ... */
    } kinds[TP_KINDS];
    const char *notes; /* what was found at start-up: flags, limits; lines, may be "" */
    int32_t refused;   /* with auto/auto.h: the error by which a better backend was refused,
                          in whose place this one is; else 0 */
};

/** What happened so far; all counts since creation. */
struct tp_io_stats {
    uint64_t submitted[TP_KINDS]; /* operations handed in, by kind */
    uint64_t completed;           /* final completions delivered */
    uint64_t polls;               /* calls of poll and park */
    uint64_t parks;               /* of these, park */
    uint64_t enters;              /* kernel entries made by poll, park or a full queue */
    uint64_t enters_extra;        /* of these, because the submission queue was full, or a
                                     signal ended one that had to go on */
    uint64_t held_back;           /* operations that had to wait for the cap (law 7) */
    uint64_t completions_max;     /* most completions that one poll brought */
    uint64_t in_flight_max;       /* high-water mark */
    uint64_t bufs_exhausted;      /* acquisitions of a registered buffer that got NULL */
    uint64_t recv_bufs_exhausted; /* times a recv_many had to wait for buffers */
    uint64_t recv_bufs_max;       /* most receive buffers with the user at a time */
    uint64_t rearmed;             /* multishots begun again: buffers, a full queue */
};

/** The functions of a backend. All but wake() are called by the owner's thread only. */
struct tp_io_backend {
    const char *name; /* "linux", "virtual", ... */

    /** Takes an operation, already checked by tp_io_submit(). Never fails, never blocks. */
    void (*submit)(struct tp_io *io, const struct tp_request *request);

    /** Submits everything queued and reaps what has completed, as far as there is room;
     * makes no kernel entry when there is no reason to. */
    void (*poll)(struct tp_io *io);

    /** The same, and waits until a completion, a wake, or `deadline_ns` on the monotonic
     * clock. */
    void (*park)(struct tp_io *io, uint64_t deadline_ns);

    /** Operations taken that the world has not seen: > 0 means poll before the host sleeps.
     */
    uint32_t (*unsubmitted)(const struct tp_io *io);

    /** A fd that is readable while a poll would find something; or -EOPNOTSUPP. */
    int (*pollable)(const struct tp_io *io);

    /** Ends a park, now or the next one. From any thread, and from a signal handler. */
    void (*wake)(struct tp_io *io);

    uint64_t (*clock)(struct tp_io *io, enum tp_clock clock);
    void (*random)(struct tp_io *io, void *ret_bytes,
                   size_t len_bytes); /* entropy, for init */

    /** Drains what is in flight, then frees. */
    void (*destroy)(struct tp_io *io);
};

/** The part that all backends share. Read it; only io/ writes it. */
struct tp_io {
    const struct tp_io_backend *backend;
    struct tp_completions completions;
    uint32_t
        in_flight; /* operations handed in whose final completion is not in the list yet */
    uint32_t ops_max;        /* bound of in_flight: past it the program stops */
    uint32_t block_size;     /* see tp_io_block_size() */
    uint32_t wakes_expected; /* somebody outside will wake: parking with nothing in flight
                                is fine */
    uint64_t now_ns;         /* the clock of this iteration, once read */
    uint64_t wall_ns;
    bool now_read, wall_read;
    bool in_tick; /* machines are being ticked: blocking helpers are a bug now */
    bool stuck; /* the last park found that nothing can ever complete: a simulated world in
                   which no event is left */
    bool dead;  /* the world behind it has ended (a simulated crash): nothing completes any
                   more */
    struct tp_completion *rejected; /* ring of completions made at submission */
    uint32_t rejected_head, rejected_count;
    struct tp_fd_table *fds;
    struct tp_buf_pool *bufs;
    struct tp_recv_pool *recv_bufs;
    struct tp_loans *loans;
    const char *(*describe)(void *context,
                            uint64_t handle); /* who submitted, for reports; or NULL */
    void *describe_context;
    struct tp_io_caps caps;
    uint64_t enters_before; /* the iteration that is polling; law 6 */
    struct tp_io_stats stats;
    const struct tp_allocator *allocator;
    struct tp_log log;
};

/** The bounds of an Io, fixed at creation. */
struct tp_io_bounds {
    uint32_t ops_max;         /* operations in flight */
    uint32_t completions_max; /* completions that one poll can deliver */
    uint32_t fds_max;         /* highest fd number + 1 */
};

TP_BEGIN_DECLS

/* ------------------------------------------------------------------ for users of an Io */

/** Checks the arguments and hands the operation to the backend. handle: see struct
 * tp_request. `request` is copied. What is wrong with the arguments arrives as the
 * completion: -EBADF, -EINVAL, -ENAMETOOLONG, -ENOENT (an empty path). */
TP_EXPORT void tp_io_submit(struct tp_io *io, const struct tp_request *request);

/** Submits what is queued and reaps what has completed; does not wait. */
TP_EXPORT void tp_io_poll(struct tp_io *io);

/** The same, and waits for a completion, a wake, or until `deadline_ns` (TP_NEVER: no
 * deadline) on the clock of tp_io_now_ns(). There must be something to wait for (asserted).
 * In a simulated world where nothing can come any more it returns, and sets `stuck`. */
TP_EXPORT void tp_io_park(struct tp_io *io, uint64_t deadline_ns);

/** Claims the completion of `handle`; false if it has not arrived. O(1). Ends its loan; a
 * caller who lent a tp_buf sets its len from the value. */
TP_EXPORT bool tp_io_get_cqe(struct tp_io *io, uint64_t handle,
                             struct tp_completion *ret_completion);

/** The list of completions that the last poll left; see completions.h. */
TP_EXPORT struct tp_completions *tp_io_completions(struct tp_io *io);

/** Operations handed in whose final completion has not been delivered. A multishot counts
 * once. */
TP_EXPORT uint32_t tp_io_in_flight(const struct tp_io *io);

/** Operations that may still be handed in before the bound stops the program. */
TP_EXPORT uint32_t tp_io_room(const struct tp_io *io);

/** Operations handed in that no poll has taken yet: > 0 means poll before you sleep. */
TP_EXPORT uint32_t tp_io_unsubmitted(const struct tp_io *io);

/** A fd to wait on in a loop of your own (level-triggered, read), or -EOPNOTSUPP. */
TP_EXPORT int tp_io_fd(const struct tp_io *io);

/** Ends a park from another thread or a signal handler. */
TP_EXPORT void tp_io_wake(struct tp_io *io);

/** The fd that an open completed with. `value` >= 0; once per completion. */
TP_EXPORT struct tp_fd tp_io_into_fd(struct tp_io *io, int32_t value);

/** Monotonic ns since the backend's epoch; constant until the next poll or park. */
TP_EXPORT uint64_t tp_io_now_ns(struct tp_io *io);

/** Wall-clock ns since 1970; may step; constant until the next poll or park. */
TP_EXPORT uint64_t tp_io_wall_ns(struct tp_io *io);

/** Entropy, for initialisation; machines use tp_random(). */
TP_EXPORT void tp_io_random(struct tp_io *io, void *ret_bytes, size_t len_bytes);

/** An alignment of addresses, offsets and lengths that is always enough for direct I/O. */
TP_EXPORT uint32_t tp_io_block_size(const struct tp_io *io);

/** A registered buffer, aligned to the block size, with len 0; NULL when all are taken
 * (counted in bufs_exhausted). Give it back with tp_io_release_buf(). */
TP_EXPORT struct tp_buf *(tp_io_acquire_buf)(struct tp_io *io, const char *file, int line);
#define tp_io_acquire_buf(io) tp_io_acquire_buf(io, __FILE__, __LINE__)

/** Gives a registered buffer back. Not one of this Io's, or not acquired: stops the
 * program. */
TP_EXPORT void(tp_io_release_buf)(struct tp_io *io, struct tp_buf *buf, const char *file,
                                  int line);
#define tp_io_release_buf(io, buf) tp_io_release_buf(io, buf, __FILE__, __LINE__)

/** The receive buffer that a completion of recv_many carries, its len set; NULL: none. It
 * is yours until you give it back. */
TP_EXPORT struct tp_buf *tp_io_recv_buf(struct tp_io *io,
                                        const struct tp_completion *completion);

/** Gives a receive buffer back. Not one of this Io's, or given back before: stops the
 * program. */
TP_EXPORT void(tp_io_give_back)(struct tp_io *io, struct tp_buf *buf, const char *file,
                                int line);
#define tp_io_give_back(io, buf) tp_io_give_back(io, buf, __FILE__, __LINE__)

/** How each operation will run here, and why. */
TP_EXPORT const struct tp_io_caps *tp_io_caps(const struct tp_io *io);

/** Writes the caps, a line a kind, into `ret_text` (NUL-terminated, cut at `size_bytes`).
 */
TP_EXPORT void tp_io_caps_print(const struct tp_io *io, char *ret_text, size_t size_bytes);

/** What happened since creation; kept up to date. */
TP_EXPORT const struct tp_io_stats *tp_io_stats(const struct tp_io *io);

/** Drains, reports open fds and unreleased buffers to the log, and frees. NULL is fine. */
TP_EXPORT void tp_io_destroy(struct tp_io *io);

/** Blocking helpers, for start-up and recovery: 0 (or the operation's result), or -errno;
 * -ESHUTDOWN when the (simulated) world has ended. They claim, and set the len of a buffer
 * that was read into. In a tick they stop the program; a browser does not have them. Other
 * completions stay in the list. */
TP_EXPORT int32_t tp_io_block_on(struct tp_io *io, struct tp_request request);
TP_EXPORT int32_t tp_io_create_dir_all_blocking(struct tp_io *io, const char *path);

/** Calls `each` for every entry of the directory, in no particular order; stops early when
 * it returns a value other than 0, which becomes the result. */
TP_EXPORT int32_t tp_io_list_dir_blocking(struct tp_io *io, const char *path,
                                          int32_t (*each)(void *context,
                                                          const struct tp_dir_entry *entry),
                                          void *context);

/* The operations, under a handle of your own: tp_io_open(io, handle, path, options) and so
 * on, with the arguments of the constructor of the same name in request.h. */
#define TP_IO_OPERATION_(name, parameters, arguments)             \
    static inline void tp_io_##name parameters                    \
    {                                                             \
        struct tp_request request_ = tp_request_##name arguments; \
        request_.handle = handle;                                 \
        tp_io_submit(io, &request_);                              \
    }
#define TP_IO_ struct tp_io *io, uint64_t handle
TP_IO_OPERATION_(nop, (TP_IO_), ())
TP_IO_OPERATION_(open, (TP_IO_, const char *path, struct tp_open_options options),
                 (path, options))
TP_IO_OPERATION_(open_in,
                 (TP_IO_, struct tp_fd dir, const char *name,
                  struct tp_open_options options),
                 (dir, name, options))
TP_IO_OPERATION_(close, (TP_IO_, struct tp_fd fd), (fd))
TP_IO_OPERATION_(read_at, (TP_IO_, struct tp_fd fd, struct tp_buf *buf, uint64_t offset),
                 (fd, buf, offset))
TP_IO_OPERATION_(write_at, (TP_IO_, struct tp_fd fd, struct tp_buf *buf, uint64_t offset),
                 (fd, buf, offset))
TP_IO_OPERATION_(fsync, (TP_IO_, struct tp_fd fd, uint16_t flags), (fd, flags))
TP_IO_OPERATION_(fstat, (TP_IO_, struct tp_fd fd, struct tp_statx *ret_statx),
                 (fd, ret_statx))
TP_IO_OPERATION_(stat, (TP_IO_, const char *path, struct tp_statx *ret_statx),
                 (path, ret_statx))
TP_IO_OPERATION_(lstat, (TP_IO_, const char *path, struct tp_statx *ret_statx),
                 (path, ret_statx))
TP_IO_OPERATION_(stat_in,
                 (TP_IO_, struct tp_fd dir, const char *name, struct tp_statx *ret_statx),
                 (dir, name, ret_statx))
TP_IO_OPERATION_(truncate, (TP_IO_, struct tp_fd fd, uint64_t length_bytes),
                 (fd, length_bytes))
TP_IO_OPERATION_(fallocate,
                 (TP_IO_, struct tp_fd fd, uint64_t offset, uint64_t length_bytes,
                  uint16_t flags),
                 (fd, offset, length_bytes, flags))
TP_IO_OPERATION_(find_data,
                 (TP_IO_, struct tp_fd fd, uint64_t offset, struct tp_extent *ret_extent),
                 (fd, offset, ret_extent))
TP_IO_OPERATION_(set_mode, (TP_IO_, struct tp_fd fd, uint32_t mode), (fd, mode))
TP_IO_OPERATION_(lock, (TP_IO_, struct tp_fd fd), (fd))
TP_IO_OPERATION_(list_dir, (TP_IO_, struct tp_fd dir, struct tp_buf *buf), (dir, buf))
TP_IO_OPERATION_(rename, (TP_IO_, const char *from, const char *to), (from, to))
TP_IO_OPERATION_(rename_in,
                 (TP_IO_, struct tp_fd dir, const char *name, struct tp_fd to_dir,
                  const char *to_name),
                 (dir, name, to_dir, to_name))
TP_IO_OPERATION_(remove, (TP_IO_, const char *path), (path))
TP_IO_OPERATION_(remove_in, (TP_IO_, struct tp_fd dir, const char *name), (dir, name))
TP_IO_OPERATION_(create_dir, (TP_IO_, const char *path, uint32_t mode), (path, mode))
TP_IO_OPERATION_(create_dir_in, (TP_IO_, struct tp_fd dir, const char *name, uint32_t mode),
                 (dir, name, mode))
TP_IO_OPERATION_(create_dir_all, (TP_IO_, const char *path), (path))
TP_IO_OPERATION_(remove_dir, (TP_IO_, const char *path), (path))
TP_IO_OPERATION_(remove_dir_in, (TP_IO_, struct tp_fd dir, const char *name), (dir, name))
TP_IO_OPERATION_(sync_dir, (TP_IO_, const char *path), (path))
TP_IO_OPERATION_(symlink, (TP_IO_, const char *path, const char *target), (path, target))
TP_IO_OPERATION_(symlink_in,
                 (TP_IO_, struct tp_fd dir, const char *name, const char *target),
                 (dir, name, target))
TP_IO_OPERATION_(read_link, (TP_IO_, const char *path, struct tp_buf *buf), (path, buf))
TP_IO_OPERATION_(read_link_in,
                 (TP_IO_, struct tp_fd dir, const char *name, struct tp_buf *buf),
                 (dir, name, buf))
TP_IO_OPERATION_(cancel, (TP_IO_, uint64_t target), (target))
TP_IO_OPERATION_(listen,
                 (TP_IO_, const struct tp_address *address,
                  struct tp_socket_options options),
                 (address, options))
TP_IO_OPERATION_(connect,
                 (TP_IO_, const struct tp_address *address,
                  struct tp_socket_options options),
                 (address, options))
TP_IO_OPERATION_(accept, (TP_IO_, struct tp_fd listener), (listener))
TP_IO_OPERATION_(accept_many, (TP_IO_, struct tp_fd listener), (listener))
TP_IO_OPERATION_(recv, (TP_IO_, struct tp_fd fd, struct tp_buf *buf), (fd, buf))
TP_IO_OPERATION_(recv_many, (TP_IO_, struct tp_fd fd), (fd))
TP_IO_OPERATION_(send, (TP_IO_, struct tp_fd fd, struct tp_buf *buf), (fd, buf))
TP_IO_OPERATION_(send_bufs,
                 (TP_IO_, struct tp_fd fd, const struct tp_buf *bufs, uint32_t count),
                 (fd, bufs, count))
TP_IO_OPERATION_(shutdown, (TP_IO_, struct tp_fd fd, uint16_t how), (fd, how))
TP_IO_OPERATION_(set_socket, (TP_IO_, struct tp_fd fd, struct tp_socket_options options),
                 (fd, options))
TP_IO_OPERATION_(local_address, (TP_IO_, struct tp_fd fd, struct tp_address *ret_address),
                 (fd, ret_address))
TP_IO_OPERATION_(peer_address, (TP_IO_, struct tp_fd fd, struct tp_address *ret_address),
                 (fd, ret_address))
TP_IO_OPERATION_(bind,
                 (TP_IO_, const struct tp_address *address,
                  struct tp_socket_options options),
                 (address, options))
TP_IO_OPERATION_(send_to,
                 (TP_IO_, struct tp_fd fd, struct tp_buf *buf,
                  const struct tp_address *address),
                 (fd, buf, address))
TP_IO_OPERATION_(recv_from,
                 (TP_IO_, struct tp_fd fd, struct tp_buf *buf,
                  struct tp_datagram *ret_datagram),
                 (fd, buf, ret_datagram))
TP_IO_OPERATION_(resolve, (TP_IO_, const char *name, struct tp_addresses *ret_addresses),
                 (name, ret_addresses))
TP_IO_OPERATION_(offload, (TP_IO_, int32_t (*work)(void *context), void *context),
                 (work, context))
TP_IO_OPERATION_(signal, (TP_IO_, uint32_t signals), (signals))
#undef TP_IO_
#undef TP_IO_OPERATION_

/* ------------------------------------------------------------------ for backends */

/** Sets up the shared part. 0, or -ENOMEM, -EINVAL (a bound of 0). `allocator` and `log`
 * may be NULL; the allocator must outlive the Io. The backend sets block_size itself, and
 * the caps: until it does, they say that every operation is there. One that is not
 * completes with -EOPNOTSUPP and never reaches submit(). */
TP_EXPORT int tp_io_init(struct tp_io *io, const struct tp_io_backend *backend,
                         const struct tp_io_bounds *bounds,
                         const struct tp_allocator *allocator, const struct tp_log *log);

/** Reports what was left open, and frees the shared part. */
TP_EXPORT void tp_io_deinit(struct tp_io *io);

/** Gives the shared part the memory of the registered buffers: `count` of `size_bytes`
 * each, back to back from `memory`, which stays the backend's. 0, or -ENOMEM. */
TP_EXPORT int tp_io_set_bufs(struct tp_io *io, void *memory, uint32_t count,
                             uint32_t size_bytes);

/** Gives the shared part the memory of the receive buffers; the same form. All of them are
 * in the pool's `returned` then, for the backend to hand to its world. */
TP_EXPORT int tp_io_set_recv_bufs(struct tp_io *io, void *memory, uint32_t count,
                                  uint32_t size_bytes);

/** How many completions may be delivered now. */
static inline uint32_t tp_io_completions_room(struct tp_io *io)
{
    return tp_completions_room(&io->completions);
}

/** Delivers a completion; call from poll and park only, with room. */
static inline void tp_io_complete(struct tp_io *io, uint64_t handle, int32_t value,
                                  uint32_t flags)
{
    tp_completions_push(&io->completions, handle, value, flags);
    if ((flags & TP_MORE) == 0) {
        tp_assert(io->in_flight > 0);
        io->in_flight--;
        io->stats.completed++;
    }
}

/** Delivers one of recv_many's completions: `len` bytes in a receive buffer that was with
 * the world. Call with room. */
TP_EXPORT void tp_io_complete_recv(struct tp_io *io, uint64_t handle, uint32_t buf_index,
                                   uint32_t len_bytes);

/** For the backend: hands a returned receive buffer to the world; false when there is none.
 */
TP_EXPORT bool tp_recv_pool_take(struct tp_recv_pool *pool, uint32_t *ret_index);

/** The world has used a buffer for nothing (an error, the end): it is returned again. */
TP_EXPORT void tp_recv_pool_recycle(struct tp_recv_pool *pool, uint32_t index);

/** Lets a backend in memory write into a buffer that is with the world. */
TP_EXPORT void tp_recv_pool_open(struct tp_recv_pool *pool, uint32_t index);

/** Completes an operation from within submit(): it is delivered by the next poll. */
TP_EXPORT void tp_io_complete_later(struct tp_io *io, uint64_t handle, int32_t value);

/** Notes that an operation gave the fd `number`; call before its completion is delivered.
 * False if the table has no room: then close it and complete with -EMFILE. */
TP_EXPORT bool tp_io_fd_opened(struct tp_io *io, uint32_t number);

/* ------------------------------------------------------------------ for the runtime */

/** Says where an open fd came from, for the report of leaks; `file` must live for ever. */
TP_EXPORT void tp_io_fd_site(struct tp_io *io, int32_t value, const char *file,
                             uint32_t line);

/** Ends the loan of `handle`'s memory, if it has one: its completion is being claimed. */
TP_EXPORT void tp_io_end_loan(struct tp_io *io, uint64_t handle);

TP_END_DECLS

#endif
