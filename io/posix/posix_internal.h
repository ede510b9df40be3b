/** io/posix/posix_internal.h - PosixIo from inside: what its parts share.
 *
 * Every operation has a record. Those about files go to the threads (workers.c). The others
 * are tried in the order of their submission (`trying`) by the next poll: a call that would
 * block makes the operation wait at its fd until that is ready, and then it is tried again.
 */
#ifndef TEMPEST_IO_POSIX_POSIX_INTERNAL_H
#define TEMPEST_IO_POSIX_POSIX_INTERNAL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "io/posix/posix.h"
#include "io/posix/ready.h"
#include "io/posix/records_internal.h"
#include "io/posix/sorts_internal.h"
#include "io/posix/workers_internal.h"

#define TP_POSIX_EVENTS_MAX 256 /* that one wait brings; the rest comes with the next */

/* How operations of a kind run. */
enum tp_posix_route {
    TP_POSIX_ROUTE_TRY,    /* by a call that does not block */
    TP_POSIX_ROUTE_THREAD, /* on a thread */
    TP_POSIX_ROUTE_CONNECT,
    TP_POSIX_ROUTE_CLOSE,
    TP_POSIX_ROUTE_CANCEL,
};

enum tp_posix_direction { TP_POSIX_READING, TP_POSIX_WRITING };

/* What is known of each fd number. */
struct tp_posix_file {
    struct tp_posix_list waits[2]; /* enum tp_posix_direction: until it is ready */
    uint32_t held;                 /* operations on it that threads have, or will have */
    uint32_t closing;              /* the record of a close that waits for those; 0: none */
    uint32_t starved;              /* its recv_manys without a buffer */
    uint8_t sort;                  /* enum tp_posix_sort */
    bool watched;                  /* `ready` tells of it */
    bool ended;                    /* there is no more to come than what has come */
    bool cached; /* reads are tried without a thread: what they want may be in memory */
};

/* Why somebody wakes the owner, and whether that takes a write. */
enum tp_posix_wake_reason {
    TP_POSIX_WOKEN = 1,    /* tp_io_wake() */
    TP_POSIX_RESULTS = 2,  /* a worker has results */
    TP_POSIX_SLEEPING = 4, /* the owner waits for readiness, or its host does */
};

struct tp_posix_io {
    struct tp_io io;
    const void *owner;    /* tells the creating thread from others */
    const uint8_t *alive; /* reads 0 in a child of fork(); NULL: `process` tells */
    pid_t process;
    uint64_t epoch_ns;

    struct tp_posix_records records;
    struct tp_posix_workers workers;
    struct tp_posix_file *files;
    uint32_t files_count;
    struct tp_posix_list trying;
    struct tp_posix_list starved; /* recv_manys */
    struct tp_posix_ready ready;
    uint32_t pending; /* operations that wait at their fds */

    int wake_fds[2];               /* a pipe: to be read, to be written */
    _Atomic uint32_t wake_reasons; /* enum tp_posix_wake_reason */
    bool woken;                    /* a wake that no park has answered yet */
    bool hosted;                   /* somebody has asked for a fd to wait on */

    uint8_t *buf_memory, *recv_memory;
    uint64_t buf_bytes, recv_bytes;
    uint64_t drain_ns_max;
    struct tp_posix_event events[TP_POSIX_EVENTS_MAX];
    char notes[512];
};

static inline struct tp_posix_io *tp_posix_of(struct tp_io *io)
{
    return tp_container_of(io, struct tp_posix_io, io);
}

/* ------------------------------------------------------------------ posix.c */

/** Stops the program when the caller is a child of fork() or not the owner's thread. */
void tp_posix_check_owner(const struct tp_posix_io *self);

/* ------------------------------------------------------------------ submit.c */

/** The backend's submit. */
void tp_posix_submit(struct tp_io *io, const struct tp_request *request);

/** Hands it to the threads, with the next sending; a close of its fd waits for it. */
void tp_posix_to_thread(struct tp_posix_io *self, struct tp_posix_record *record);

/** The operation has left the threads: a close that waited for it may go. */
void tp_posix_unhold(struct tp_posix_io *self, const struct tp_request *request);

/** To be tried by the next poll, or by this one. */
void tp_posix_try_later(struct tp_posix_io *self, struct tp_posix_record *record);

/** How operations of each kind run. */
extern const uint8_t tp_posix_routes[TP_KINDS];

/* ------------------------------------------------------------------ sockets.c */

/** Makes the call of an operation. True: it has ended, with `ret_value`. False: it waits,
 * or is to be tried again. There is room for a completion. */
bool tp_posix_try(struct tp_posix_io *self, struct tp_posix_record *record,
                  int32_t *ret_value);

/** A thread has done its part of a listen, a connect or a bind. */
int32_t tp_posix_socket_made(struct tp_posix_io *self, int32_t fd, enum tp_posix_sort sort);

/** An operation gives the fd: notes it. The fd, or -EMFILE: it is closed again. */
int32_t tp_posix_opened(struct tp_posix_io *self, int32_t fd, enum tp_posix_sort sort);

/** Takes an operation out of the list at its fd. */
void tp_posix_stop_waiting(struct tp_posix_io *self, struct tp_posix_record *record);

/** Lets those of a direction try again. */
void tp_posix_go_on(struct tp_posix_io *self, uint32_t number,
                    enum tp_posix_direction direction);

/** Lets it wait until its fd is ready. True: it cannot, and has ended with `ret_value`. */
bool tp_posix_wait(struct tp_posix_io *self, struct tp_posix_record *record,
                   int32_t *ret_value);

/** recv(2): a count, 0 at the end, -EAGAIN when nothing is there, or an error. `ret_cut`:
 * fds came with the bytes (of a Unix socket), and are dropped; there it stops before all
 * that is there. */
int32_t tp_posix_recv(int fd, void *memory, uint32_t len_bytes, bool *ret_cut);

/* ------------------------------------------------------------------ recv.c */

/** Makes the calls of a recv_many; as tp_posix_try(). */
bool tp_posix_recv_many(struct tp_posix_io *self, struct tp_posix_record *record,
                        int32_t *ret_value);

/** Lets recv_manys that starve go on, as far as there are buffers. */
void tp_posix_feed(struct tp_posix_io *self);

/** How many could go on, if there were a poll. */
uint32_t tp_posix_feedable(const struct tp_posix_io *self);

/** It starves no more: out of the list. */
void tp_posix_unstarve(struct tp_posix_io *self, struct tp_posix_record *record);

/* ------------------------------------------------------------------ close.c */

/** Takes a close: what waits at a socket is stopped, and what threads do is waited for.
 * True: it has ended, with `ret_value`. */
bool tp_posix_close(struct tp_posix_io *self, struct tp_posix_record *record,
                    int32_t *ret_value);

/** Closes a fd that `ready` may tell of. 0, or -errno. */
int32_t tp_posix_close_fd(struct tp_posix_io *self, int fd);

/* ------------------------------------------------------------------ cancel.c */

/** Takes a cancel. */
void tp_posix_cancel(struct tp_posix_io *self, const struct tp_request *request);

/** Ends an operation that waits, with the next poll, and gives back what it has. */
void tp_posix_end_later(struct tp_posix_io *self, struct tp_posix_record *record,
                        int32_t value);

/* ------------------------------------------------------------------ wake.c */

/** Makes the pipe. 0, or -errno. */
int tp_posix_wake_init(struct tp_posix_io *self);

/** Looks why somebody has woken the owner. */
void tp_posix_wake_look(struct tp_posix_io *self);

/** Before the owner, or its host, sleeps: wakes are written from now on. False: one is
 * there already. */
bool tp_posix_wake_arm(struct tp_posix_io *self);
void tp_posix_wake_disarm(struct tp_posix_io *self);

/** Whether somebody has woken the owner since it looked. */
bool tp_posix_wake_is_there(const struct tp_posix_io *self);

/** The pipe is readable: empties it. */
void tp_posix_wake_drain(const struct tp_posix_io *self);

/** Makes the pipe readable, for a host. */
void tp_posix_wake_write(const struct tp_posix_io *self);

/** The backend's wake: from any thread and from signal handlers. */
void tp_posix_wake(struct tp_io *io);

/** For the workers: there are results. */
void tp_posix_wake_results(void *self);

/* ------------------------------------------------------------------ poll.c */

void tp_posix_poll(struct tp_io *io);
void tp_posix_park(struct tp_io *io, uint64_t deadline_ns);
uint64_t tp_posix_clock(struct tp_io *io, enum tp_clock clock);
uint32_t tp_posix_unsubmitted(const struct tp_io *io);
int tp_posix_pollable(const struct tp_io *io);

/* ------------------------------------------------------------------ caps.c */

/** Says how each kind runs, and what was found. */
void tp_posix_describe(struct tp_posix_io *self);

#endif
