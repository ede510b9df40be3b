/** io/virtual/virtual_internal.h - how a VirtualIo is kept. Reading order of the files:
 *
 *     world.c     time and events
 *     boot.c      create, destroy
 *     virtual.c   poll, park, and questions from outside
 *     flight.c    operations from submission to completion
 *     waits.c     operations that wait for a peer; multishots
 *     files.c     numbers of open files
 *     clock.c     clocks that differ from the world's
 *     latency.c   how long, and when in between
 *     faults.c    what goes wrong
 *     disk_faults.c, media_faults.c, overlaps.c   what goes wrong with the disk
 *     effects.c   what each kind of operation does to the disk
 *     sockets.c   what those on sockets do to the network
 *     datagrams.c the same for datagrams
 *     services.c  names, work on a thread, signals
 *     cancel.c    who wins
 *     trace.c     the hash over it all
 *     crash.c     kill and power cut with operations in flight
 */
#ifndef TEMPEST_IO_VIRTUAL_VIRTUAL_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_VIRTUAL_INTERNAL_H

#include "disk_internal.h"
#include "net_internal.h"
#include "random.h"
#include "virtual.h"

struct tp_flight_list {
    uint32_t first, last, count;
};

/** An open file description: what a number names, and what operations in flight hold on to.
 */
struct tp_vfile {
    uint64_t cookie; /* of the entry that list_dir gave last */
    uint32_t hint;   /* that entry */
    uint32_t inode;  /* 0: a socket without a name on the disk */
    uint32_t refs;
    uint32_t lock;        /* by which it holds the inode's lock; 0: it does not */
    uint32_t socket;      /* in the network; 0: closed, or no socket */
    uint32_t error_since; /* how far it was told of the file's failures */
    bool read, write, direct, dsync;
    bool is_socket;
    struct tp_flight_list in, out; /* operations that wait to receive or accept; to send */
};

enum tp_flight_state {
    TP_FLIGHT_FREE,
    TP_FLIGHT_QUEUED,  /* handed in; no poll has taken it yet, or the world is full */
    TP_FLIGHT_BEGUN,   /* with the world; has not taken effect */
    TP_FLIGHT_WAITS,   /* for a peer, or a signal: in a list of its file's or of ours */
    TP_FLIGHT_STARVED, /* recv_many: for a receive buffer */
    TP_FLIGHT_PACED,   /* a multishot that has had its share of this poll */
    TP_FLIGHT_DONE,    /* has taken effect; not complete */
    TP_FLIGHT_READY,   /* complete; waits for the poll that delivers it */
};

/** An operation in flight. */
struct tp_flight {
    uint64_t sequence;      /* order of submission */
    uint64_t done_ns;       /* when it completes */
    uint64_t payload;       /* hash of what was read or written */
    uint64_t lent;          /* hash of the memory to be written from, at submission */
    uint32_t path[2];       /* texts */
    uint32_t file, to_file; /* descriptions; 0: none */
    uint32_t number;        /* of `file`, at submission */
    uint32_t next;          /* in the queue, the waiting or the ready list */
    uint32_t tie;
    uint32_t limit; /* bytes that a half-way cancel lets through; 0: all */
    int32_t result;
    int32_t fail;   /* the errno that was chosen for it, negative; 0: none */
    uint32_t buf;   /* a shot's receive buffer, plus one; 0: none */
    uint32_t share; /* shots since `share_poll` */
    uint64_t share_poll;
    uint64_t overlap_from, overlap_to; /* of the file: written by another in between; 0 */
    uint8_t state;                     /* enum tp_flight_state */
    bool bounded;                      /* counts against queue_max */
    bool tried;       /* has begun to take effect, and was looked at by faults */
    bool falls_short; /* a fault: a transfer on a socket brings fewer bytes */
    bool no_wait;     /* a cancel came before the effect: it may succeed, but not wait */
    bool hangs;       /* a fault: neither takes effect nor completes */
    bool shot;        /* one of a multishot's completions, with its handle */
    /* From here on only the address's family is zeroed before: the request is filled in as
     * a whole, and the address where there is one. */
    struct tp_request request; /* its paths are replaced by the texts above */
    struct tp_address address; /* to listen on or to connect to */
};

/** Clocks, as of the last time at which one of them was told to differ. */
struct tp_clocks {
    uint64_t world_ns, monotonic_ns; /* then; both zero at first */
    int64_t wall_offset_ns;          /* added to the monotonic clock and config.wall_ns */
    uint64_t frozen_ns;              /* what the wall clock shows while it is frozen */
    int32_t drift;                   /* ns per ms */
    bool frozen;
};

struct tp_virtual {
    struct tp_io io;                    /* first: a struct tp_io is what users hold */
    struct tp_virtual_io_config config; /* defaults filled in */
    const struct tp_allocator *allocator;
    struct tp_world *world, *own_world;
    uint32_t party;
    struct tp_net *net, *own_net;
    uint32_t host; /* of the network; 0: not attached, or no longer */
    struct tp_tape *tape, *own_tape;
    struct tp_disk *disk, *own_disk;
    uint32_t boot; /* the disk's when we came */
    uint32_t stream_latency, stream_fault;
    struct tp_pool flights;
    uint32_t *handles; /* hash table: handle to flight; at most half full */
    uint32_t handle_mask;
    struct tp_flight_list queue, waiting, ready;
    struct tp_flight_list starved, paced; /* multishots that go on with a poll */
    struct tp_flight_list for_signal;
    uint32_t signals; /* pending */
    uint64_t polls;
    uint32_t bounded; /* operations that count against queue_max */
    struct tp_texts texts;
    struct tp_pool files;
    uint32_t *numbers; /* number to description; 0: free */
    uint32_t number_capacity;
    uint32_t lowest; /* no lower number is free */
    uint64_t sequence;
    uint64_t operations;
    uint64_t
        fault_count; /* operations since the faults were set, of the kind that counts */
    uint64_t fired[TP_FAULTS];
    uint64_t stalled_until_ns, throttled_until_ns, throttle_factor;
    uint64_t trace;
    struct tp_rng random;
    struct tp_clocks clocks;
    uint8_t *buf_memory, *recv_memory;
    bool checks, traces, stops_at_overlaps;
    bool disk_faults;   /* one of the families in disk_faults.c is on */
    bool sync_fails;    /* the next one */
    bool joined;        /* the world */
    bool draining;      /* the Io ends: nothing waits any more */
    uint32_t under_way; /* events of flights that are yet to happen */
    bool cuts;          /* tp_virtual_io_cut_at(): when the world stops, it is for us */
    bool attached;      /* to the disk */
    bool ended;         /* by a cut or a kill */
    bool woken;
};

static inline struct tp_virtual *tp_virtual_of(struct tp_io *io)
{
    return tp_container_of(io, struct tp_virtual, io);
}

static inline const struct tp_virtual *tp_virtual_of_const(const struct tp_io *io)
{
    return (const struct tp_virtual *)(const void *)io; /* its first member */
}

/** What an effect gives instead of a result when it has to wait. */
#define TP_NOT_YET INT32_MIN

static inline struct tp_flight *tp_flight_at(const struct tp_virtual *v, uint32_t flight)
{
    return tp_pool_at(&v->flights, flight);
}

static inline struct tp_vfile *tp_vfile_at(const struct tp_virtual *v, uint32_t file)
{
    return tp_pool_at(&v->files, file);
}

/* ------------------------------------------------------------------ flight.c */

int tp_flight_init(struct tp_virtual *v);
void tp_flight_deinit(struct tp_virtual *v);
/** The operation of a handle; 0: none in flight. */
uint32_t tp_flight_find(const struct tp_virtual *v, uint64_t handle);
/** Takes an operation in; the submit() of the backend. */
void tp_flight_submit(struct tp_io *io, const struct tp_request *request);
/** Stops the program if memory on loan to the operation is not as it was lent. */
void tp_flight_check_loan(struct tp_virtual *v, const struct tp_flight *f);
/** Hands what is queued to the world, as far as it takes. */
void tp_flight_begin_queued(struct tp_virtual *v);
/** An event: of an operation, which takes effect or completes; or a signal, with this bit.
 */
#define TP_DUE_SIGNAL (UINT32_C(1) << 31)
void tp_flight_due(void *context, uint32_t what);
/** Delivers what is complete, as far as there is room. */
void tp_flight_deliver(struct tp_virtual *v);
/** Completes a queued operation that is not to begin any more. */
void tp_flight_withdraw(struct tp_virtual *v, uint32_t flight, int32_t result);
/** Frees an operation's slot and what it holds. */
void tp_flight_free(struct tp_virtual *v, uint32_t flight);
/** Sets the result; it completes when its time has come. */
void tp_flight_finish(struct tp_virtual *v, uint32_t flight, int32_t result);
/** One that waited tries again after a drawn time. */
void tp_flight_begin_again(struct tp_virtual *v, uint32_t flight);
/** A completion of a multishot that goes on; `buf`: a receive buffer's index plus one. */
void tp_flight_shoot(struct tp_virtual *v, uint32_t flight, int32_t value, uint32_t buf,
                     uint64_t payload);
void tp_flight_append(struct tp_virtual *v, struct tp_flight_list *list, uint32_t flight);
uint32_t tp_flight_pop(struct tp_virtual *v, struct tp_flight_list *list);
/** Nothing happens if it is not in the list. */
void tp_flight_remove(struct tp_virtual *v, struct tp_flight_list *list, uint32_t flight);
static inline uint32_t tp_flight_index(const struct tp_virtual *v,
                                       const struct tp_flight *f)
{
    return (uint32_t)(f - (const struct tp_flight *)(const void *)v->flights.items);
}

/* ------------------------------------------------------------------ boot.c */

/** Makes what operations of this kind need, at the first of them: a network of its own,
 * receive buffers. */
void tp_virtual_need(struct tp_virtual *v, uint16_t kind);
/** Its files are closed, it leaves network and world: with the power, or as a process. */
void tp_virtual_leave(struct tp_virtual *v, bool power);
/** destroy() of the backend. */
void tp_virtual_end(struct tp_io *io);
/** Whether nothing can happen any more; notes it for those who only know the Io. */
bool tp_virtual_is_over(struct tp_virtual *v);
extern const struct tp_io_backend tp_virtual_backend; /* virtual.c */

/* ------------------------------------------------------------------ waits.c */

/** Lets an operation wait in a list. Result: TP_NOT_YET, or -ECANCELED if it must not. */
int32_t tp_wait_in(struct tp_virtual *v, struct tp_flight *f, struct tp_flight_list *list);
/** What all wait for in a list may have come: each tries again after a drawn time. */
void tp_wake_all(struct tp_virtual *v, struct tp_flight_list *list);
/** A waiting operation is stopped, and completes with -ECANCELED. */
void tp_wait_stop(struct tp_virtual *v, uint32_t flight);
/** All that wait on a socket that is being closed. */
void tp_wait_stop_all(struct tp_virtual *v, uint32_t file);
/** The effect of a multishot: as many shots as there are and as its share allows. */
void tp_many_due(struct tp_virtual *v, uint32_t flight);
/** With each poll: those go on that had their share, or that got buffers. */
void tp_many_resume(struct tp_virtual *v);
/** Multishots that a poll would let go on. */
uint32_t tp_many_resumable(const struct tp_virtual *v);

/* ------------------------------------------------------------------ files.c */

int tp_files_init(struct tp_virtual *v);
void tp_files_deinit(struct tp_virtual *v);
/** The lowest free number; UINT32_MAX when all are taken. */
uint32_t tp_files_lowest(struct tp_virtual *v);
/** Gives a number to a new description of an inode, which is opened. */
void tp_files_open(struct tp_virtual *v, uint32_t number, uint32_t inode,
                   struct tp_open_options options);
/** The same for a socket; `inode` is what a path names, or 0. Result: the description. */
uint32_t tp_files_open_socket(struct tp_virtual *v, uint32_t number, uint32_t socket,
                              uint32_t inode);
/** One holder of a description less; the last closes the inode. 0 is fine. */
void tp_files_unref(struct tp_virtual *v, uint32_t file);
/** Frees a number; a socket is closed at once, whoever still holds its description. */
void tp_files_close(struct tp_virtual *v, uint32_t number);
/** Closes everything, without looking at who holds it. */
void tp_files_close_all(struct tp_virtual *v);
/** The process was killed: perhaps the kernel still has its locks for a while. */
void tp_files_leave_locks(struct tp_virtual *v, uint32_t stream);

/* ------------------------------------------------------------------ clock.c */

/** What the clocks show now. */
uint64_t tp_clock_monotonic_ns(const struct tp_virtual *v);
uint64_t tp_clock_wall_ns(const struct tp_virtual *v);

/* ------------------------------------------------------------------ latency.c */

/** Draws how long an operation takes, and its place among those that complete at the same
 * time. */
uint64_t tp_latency_draw(struct tp_virtual *v, const struct tp_flight *f,
                         uint32_t *ret_tie);
/** Draws when in that time it takes effect. */
uint64_t tp_latency_effect(struct tp_virtual *v, uint64_t latency_ns);

/* ------------------------------------------------------------------ faults.c */

/** Before the first effect: writes of the dead land, and faults may befall it. */
void tp_fault_try(struct tp_virtual *v, struct tp_flight *f);
/** Counts an operation that begins, and fails it if it is the n-th. */
void tp_fault_count(struct tp_virtual *v, struct tp_flight *f);
/** Perhaps fails it, or makes it fall short. */
void tp_fault_draw(struct tp_virtual *v, struct tp_flight *f);
/** Kinds that never fail. */
bool tp_fault_never(uint16_t kind);

/** Replaces the faults. */
void tp_faults_set(struct tp_virtual *v, const struct tp_virtual_faults *faults);

/* ------------------------------------------------------------------ disk_faults.c */

/** Whether a fault takes the place of the effect, and with which result; it may also change
 * what the effect will find. */
bool tp_disk_fault(struct tp_virtual *v, struct tp_flight *f, int32_t *ret_result);
/** How long it takes while the disk stalls or is slow; perhaps it hangs. */
uint64_t tp_disk_fault_latency(struct tp_virtual *v, struct tp_flight *f,
                               uint64_t latency_ns);
/** Whether a file system whose journal has failed refuses it, and with which result. */
bool tp_disk_refuses(const struct tp_virtual *v, const struct tp_flight *f,
                     int32_t *ret_result);
/** Whether an operation passes by the page cache. */
static inline bool tp_fault_is_direct(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file)->direct || v->disk->rules->no_page_cache;
}
/** Whether what is dirty in a page is data, and not that it was cut off. */
static inline bool tp_fault_has_data(const struct tp_virtual *v, uint32_t slot)
{
    return (tp_slot_at(v->disk, slot)->flags & TP_SLOT_ALLOCATED) != 0;
}

/* ------------------------------------------------------------------ media_faults.c */

/** One of the pages dirty for longest; 0: there is none, or it has no data. */
uint32_t tp_fault_choose_dirty(struct tp_virtual *v, uint32_t inode);
/** Perhaps damages a place of what is about to be read. */
void tp_media_fault_read(struct tp_virtual *v, const struct tp_flight *f);
/** Perhaps damages a page of what is about to be made durable. */
void tp_media_fault_sync(struct tp_virtual *v, uint32_t inode);
/** What memory alone has of the bytes to be read goes, and is read from the device. */
void tp_media_fault_evict(struct tp_virtual *v, const struct tp_flight *f);

/* ------------------------------------------------------------------ overlaps.c */

/** Tells the writes that are still to take effect that this one came in between. */
void tp_overlap_tell(struct tp_virtual *v, const struct tp_flight *f);
/** Writes it, and puts pages that another wrote in between back as they were. */
int32_t tp_overlap_write(struct tp_virtual *v, struct tp_flight *f);
/** Stops the program if a write in flight overlaps this one. */
void tp_overlap_check(const struct tp_virtual *v, const struct tp_flight *f);

/* ------------------------------------------------------------------ effects.c, cancel.c
 */

/** Hands bytes out into the memory that was lent. */
void tp_effect_give(struct tp_virtual *v, const struct tp_flight *f, const void *bytes,
                    size_t len);
/** Nanoseconds since 1970. */
int64_t tp_effect_wall_ns(const struct tp_virtual *v);

/** What the operation does to the disk and to the memory it was lent, or the fault that it
 * meets; its result. */
int32_t tp_effect(struct tp_virtual *v, struct tp_flight *f);
/** The same without faults and checks. */
int32_t tp_effect_plain(struct tp_virtual *v, struct tp_flight *f);
/** What keeps a write to a file from being one: 0, or -errno. */
int32_t tp_effect_write_check(const struct tp_virtual *v, const struct tp_flight *f);
int32_t tp_cancel_effect(struct tp_virtual *v, uint64_t target);

/* ------------------------------------------------------------------ sockets.c,
 * services.c */

/** The effect of bind, send_to and recv_from; TP_NOT_YET if it has to wait. */
int32_t tp_datagram_effect(struct tp_virtual *v, struct tp_flight *f);
/** The effect of kinds from TP_LISTEN on; TP_NOT_YET if it has to wait. */
int32_t tp_socket_effect(struct tp_virtual *v, struct tp_flight *f);
/** What it leaves behind when it fails or is stopped. */
void tp_socket_effect_failed(struct tp_virtual *v, struct tp_flight *f);
/** What a socket answers to operations on files. */
int32_t tp_socket_as_file(struct tp_virtual *v, struct tp_flight *f);
/** One connection, or one receive, of a multishot. A value; TP_NOT_YET: nothing is there;
 * TP_NO_BUF: something is, and no buffer. */
#define TP_NO_BUF (INT32_MIN + 1)
int32_t tp_accept_one(struct tp_virtual *v, const struct tp_flight *f);
int32_t tp_recv_one(struct tp_virtual *v, struct tp_flight *f, uint32_t *ret_buf,
                    uint64_t *ret_payload);
/** The hash of the memory that a send lends. */
uint64_t tp_socket_lent_hash(const struct tp_request *request);
/** `ready` of the network. */
void tp_socket_is_ready(void *context, uint32_t file, uint32_t ready);
int32_t tp_service_effect(struct tp_virtual *v, struct tp_flight *f);
/** A signal comes. */
void tp_service_signal(struct tp_virtual *v, uint32_t signal);

/* ------------------------------------------------------------------ trace.c
 */
void tp_trace_completion(struct tp_virtual *v, const struct tp_flight *f);
/** A crash, and what it left. */
void tp_trace_crash(struct tp_virtual *v, uint32_t how);
/** The hash of an address. */
uint64_t tp_trace_address(const struct tp_address *address);
/** The payload of a stat, in bytes that are the same everywhere. */
uint64_t tp_trace_statx(const struct tp_statx *statx);

#endif
