/** io/linux/linux_internal.h - LinuxIo from inside: what its parts share.
 *
 * submit.c fills entries, poll.c enters and reaps, ring.c knows the kernel's side,
 * workers.c the threads', records.c what must be remembered of an operation.
 *
 * The top 8 bits of an entry's user_data say how its completion is read: a plain
 * operation's is its handle, with nothing on top, and goes straight into the list.
 */
#ifndef TEMPEST_IO_LINUX_LINUX_INTERNAL_H
#define TEMPEST_IO_LINUX_LINUX_INTERNAL_H

#include <stdatomic.h>

#include "io/linux/files_internal.h"
#include "io/linux/linux.h"
#include "io/linux/recv_internal.h"
#include "io/linux/ring_internal.h"
#include "io/posix/records_internal.h"
#include "io/posix/workers_internal.h"

/* ------------------------------------------------------------------ user_data */

enum tp_linux_tag {
    TP_LINUX_TAG_PLAIN,    /* the rest is the handle */
    TP_LINUX_TAG_WAITS,    /* the rest is the handle; not under the cap */
    TP_LINUX_TAG_RECORD,   /* the rest is the number of a record */
    TP_LINUX_TAG_TRY,      /* the same, of a cancel that tries two names of its target */
    TP_LINUX_TAG_CANCEL,   /* the rest is the handle of a cancel; not under the cap */
    TP_LINUX_TAG_INTERNAL, /* ours: enum tp_linux_internal above a number; not under the cap
                            */
};

enum tp_linux_internal {
    TP_LINUX_WAKE,         /* the poll of the eventfd */
    TP_LINUX_SILENT,       /* a cancel whose outcome interests nobody */
    TP_LINUX_FILE_ENTERED, /* into the table of registered files; the number is the slot */
    TP_LINUX_FILE_LEFT,
};

#define TP_LINUX_TAG_SHIFT 56

static inline uint64_t tp_linux_tagged(enum tp_linux_tag tag, uint64_t rest)
{
    return (uint64_t)tag << TP_LINUX_TAG_SHIFT | rest;
}

static inline uint64_t tp_linux_internal_data(enum tp_linux_internal what, uint32_t number)
{
    return tp_linux_tagged(TP_LINUX_TAG_INTERNAL, (uint64_t)what << 32 | number);
}

/* ------------------------------------------------------------------ the Io */

/* How operations of a kind run. */
enum tp_linux_route {
    TP_LINUX_ROUTE_PLAIN,  /* in the ring, without a record */
    TP_LINUX_ROUTE_RECORD, /* in the ring */
    TP_LINUX_ROUTE_WORKER, /* on a thread of ours */
    TP_LINUX_ROUTE_CANCEL,
};

/* Why somebody wakes the owner. */
enum tp_linux_wake_reason {
    TP_LINUX_WOKEN = 1,   /* tp_io_wake() */
    TP_LINUX_RESULTS = 2, /* a worker has results */
};

struct tp_linux_io {
    struct tp_io io;
    struct tp_linux_ring ring;
    uint32_t cap;            /* bounded operations in the ring at a time */
    uint8_t route[TP_KINDS]; /* enum tp_linux_route */
    bool sockets_by_thread;  /* connect gets its socket from a thread of ours */
    const uint8_t *alive;    /* 1; reads 0 in a child of fork() */
    const void *owner;       /* tells the creating thread from others */
    uint64_t epoch_ns;

    struct tp_linux_files files;
    struct tp_posix_records records;
    struct tp_posix_list waiting; /* for room under the cap */
    struct tp_posix_list stalled; /* for a kernel that takes entries again */
    struct tp_posix_workers workers;
    struct tp_linux_recv recv;

    int wake_fd;
    _Atomic uint32_t
        wake_reasons; /* enum tp_linux_wake_reason, not yet seen by the owner */
    bool wake_armed;  /* the poll of wake_fd is in the ring */
    bool woken;       /* a wake that no park has answered yet */

    _Atomic int watch_fd; /* for a host that waits by itself; -1 until it is asked for */

    bool on_valgrind;
    uint8_t *buf_memory;
    uint64_t buf_bytes;
    uint32_t bufs_per_region; /* registered with the kernel in regions of up to 1 GiB */
    uint64_t drain_ns_max;
    char notes[1024];
};

static inline struct tp_linux_io *tp_linux_of(struct tp_io *io)
{
    return tp_container_of(io, struct tp_linux_io, io);
}

/** Stops the program when the caller is a child of fork() or not the owner's thread. */
void tp_linux_check_owner(const struct tp_linux_io *self);

static inline bool tp_linux_below_cap(const struct tp_linux_io *self)
{
    return tp_linux_ring_in_flight(&self->ring) - self->ring.uncounted < self->cap;
}

/* ------------------------------------------------------------------ submit.c */

/** The backend's submit. */
void tp_linux_submit(struct tp_io *io, const struct tp_request *request);

/** Fills in what has been held back, as far as there is room. */
void tp_linux_release(struct tp_linux_io *self);

/** The operation has begun, or never will: a close that waited behind it may go. */
void tp_linux_unhold(struct tp_linux_io *self, const struct tp_request *request);

/** Whether an operation and the entries that go with it fit; flushes the queue if they do
 * not. */
bool tp_linux_make_space(struct tp_linux_io *self);

/** Fills in the next step of an operation that is under way, or lets it wait for space. */
void tp_linux_go_on(struct tp_linux_io *self, struct tp_posix_record *record);

/* ------------------------------------------------------------------ net.c */

/** An entry of a connect has completed, or a thread has made its socket. True: it has
 * ended, with `ret_value`; false: it goes on. */
bool tp_linux_connect_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                           int32_t result, int32_t *ret_value);

/** An entry of an accept_many has completed: delivers the connection. True: it has ended,
 * with `ret_value`. False: it goes on, or its end is on the way and the record is gone. */
bool tp_linux_accept_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                          const struct io_uring_cqe *cqe, int32_t *ret_value);

/** Whether a multishot has been stopped, or its fd closed. */
bool tp_linux_is_over(const struct tp_linux_io *self, const struct tp_posix_record *record);

/** An entry of a multishot was its last, for no reason of ours: fills in another, unless it
 * is over. `counts` in the statistics. Always false. */
bool tp_linux_go_on_many(struct tp_linux_io *self, struct tp_posix_record *record,
                         bool counts);

/** Ends an operation with the next poll: this one has delivered something of it. */
void tp_linux_end_later(struct tp_linux_io *self, struct tp_posix_record *record,
                        int32_t value);

/* ------------------------------------------------------------------ signals.c */

/** Takes a signal operation. There is space. */
void tp_linux_signal_submit(struct tp_linux_io *self, const struct tp_request *request);

/** Fills the poll of its signalfd. */
void tp_linux_signal_fill(struct tp_linux_io *self, const struct tp_posix_record *record,
                          uint64_t user_data);

/** That has completed. True: the operation has ended, with `ret_value`. */
bool tp_linux_signal_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                          int32_t result, int32_t *ret_value);

/* ------------------------------------------------------------------ wake.c */

/** Makes the eventfd. 0, or -errno. */
int tp_linux_wake_init(struct tp_linux_io *self);

/** Fills the entry that polls it, if it is not in the ring. There must be space. */
void tp_linux_wake_arm(struct tp_linux_io *self);

/** Looks why somebody has woken the owner. */
void tp_linux_wake_look(struct tp_linux_io *self);

/** Its completion has come. */
void tp_linux_wake_seen(struct tp_linux_io *self, bool still_armed);

/** The backend's wake: from any thread and from signal handlers. */
void tp_linux_wake(struct tp_io *io);

/** For the workers: there are results. */
void tp_linux_wake_results(void *self);

/* ------------------------------------------------------------------ watch.c */

/** The fd that a host waits on, or -errno. */
int tp_linux_watch_fd(struct tp_linux_io *self);

/** Makes the fd readable, if there is one. From any thread. */
void tp_linux_watch_signal(struct tp_linux_io *self);

/** Around everything that enters or reaps: outside of it the fd tells what arrives. */
void tp_linux_watch_begin(struct tp_linux_io *self);
void tp_linux_watch_end(struct tp_linux_io *self);

/* ------------------------------------------------------------------ poll.c */

void tp_linux_poll(struct tp_io *io);
void tp_linux_park(struct tp_io *io, uint64_t deadline_ns);
uint64_t tp_linux_clock(struct tp_io *io, enum tp_clock clock);

/* ------------------------------------------------------------------ reap.c */

/** Moves completions of ring and workers into the list, as far as there is room. */
void tp_linux_reap(struct tp_linux_io *self);

/** Reaps without delivering: the Io is being destroyed. What an operation opened is closed.
 */
void tp_linux_reap_for_nobody(struct tp_linux_io *self);

/** An operation gives the fd: notes it. The fd, or -EMFILE: it is closed again. */
int32_t tp_linux_opened(struct tp_linux_io *self, int32_t fd, enum tp_posix_sort sort);

/* ------------------------------------------------------------------ cancel.c */

/** Takes a cancel. There is space for two entries. */
void tp_linux_cancel(struct tp_linux_io *self, const struct tp_request *request);

/** Stops what the kernel does for an operation; nobody waits for the answer. There is
 * space.
 */
void tp_linux_stop_in_ring(struct tp_linux_io *self, const struct tp_posix_record *record);

/* ------------------------------------------------------------------ drain.c */

/** The backend's destroy. */
void tp_linux_destroy(struct tp_io *io);

/** Frees an Io with nothing in flight and no threads, however far its creation came. */
void tp_linux_free(struct tp_linux_io *self);

/* ------------------------------------------------------------------ caps.c */

/** Decides how each kind runs. */
void tp_linux_route_kinds(struct tp_linux_io *self, uint64_t kinds_off);

/** Writes down what was found. */
void tp_linux_describe(struct tp_linux_io *self);

/* ------------------------------------------------------------------ refusal.c */

/** The first character of the sysctl kernel.io_uring_disabled; '0' where it is not there.
 */
char tp_linux_sysctl(void);

/** Who forbids io_uring, where the sysctl is this. */
const char *tp_linux_forbidden(char setting);

#endif
