/** io/virtual/virtual_internal.h - how a VirtualIo is kept. Reading order of the files:
 *
 *     world.c     time and events
 *     virtual.c   create, destroy, poll, park
 *     flight.c    operations from submission to completion
 *     files.c     numbers of open files
 *     latency.c   how long, and when in between
 *     faults.c    what goes wrong
 *     effects.c   what each kind of operation does to the disk
 *     cancel.c    who wins
 *     trace.c     the hash over it all
 *     crash.c     kill and power cut with operations in flight
 */
#ifndef TEMPEST_IO_VIRTUAL_VIRTUAL_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_VIRTUAL_INTERNAL_H

#include "disk_internal.h"
#include "random.h"
#include "virtual.h"
#include "world.h"

/** An open file description: what a number names, and what operations in flight hold on to.
 */
struct tp_vfile {
    uint64_t cookie; /* of the entry that list_dir gave last */
    uint32_t hint;   /* that entry */
    uint32_t inode;
    uint32_t refs;
    uint32_t lock; /* by which it holds the inode's lock; 0: it does not */
    bool read, write, direct, dsync;
};

enum tp_flight_state {
    TP_FLIGHT_FREE,
    TP_FLIGHT_QUEUED, /* handed in; no poll has taken it yet, or the world is full */
    TP_FLIGHT_BEGUN,  /* with the world; has not taken effect */
    TP_FLIGHT_DONE,   /* has taken effect; not complete */
    TP_FLIGHT_READY,  /* complete; waits for the poll that delivers it */
};

/** An operation in flight. */
struct tp_flight {
    struct tp_request request; /* its paths are replaced by the texts below */
    uint64_t sequence;         /* order of submission */
    uint64_t done_ns;          /* when it completes */
    uint64_t payload; /* hash of what was read or written; of the memory lent, before */
    uint32_t path[2]; /* texts */
    uint32_t file, to_file; /* descriptions; 0: none */
    uint32_t number;        /* of `file`, at submission */
    uint32_t next;          /* in the queue, the waiting or the ready list */
    uint32_t tie;
    uint32_t limit; /* bytes that a half-way cancel lets through; 0: all */
    int32_t result;
    int32_t fail;  /* the errno that was chosen for it, negative; 0: none */
    uint8_t state; /* enum tp_flight_state */
    bool bounded;  /* counts against queue_max */
};

struct tp_flight_list {
    uint32_t first, last, count;
};

struct tp_virtual {
    struct tp_io io;                    /* first: a struct tp_io is what users hold */
    struct tp_virtual_io_config config; /* defaults filled in */
    const struct tp_allocator *allocator;
    struct tp_world world;
    uint32_t party;
    struct tp_tape *tape, *own_tape;
    struct tp_disk *disk, *own_disk;
    uint32_t boot; /* the disk's when we came */
    uint32_t stream_latency, stream_fault;
    struct tp_pool flights;
    uint32_t *handles; /* hash table: handle to flight; at most half full */
    uint32_t handle_mask;
    struct tp_flight_list queue, waiting, ready;
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
    uint64_t trace;
    struct tp_rng random;
    uint8_t *buf_memory;
    bool checks, traces;
    bool attached; /* to the disk */
    bool ended;    /* by a cut or a kill */
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
/** Hands what is queued to the world, as far as it takes. */
void tp_flight_begin_queued(struct tp_virtual *v);
/** An event of an operation: it takes effect, or completes. */
void tp_flight_due(void *context, uint32_t flight);
/** Delivers what is complete, as far as there is room. */
void tp_flight_deliver(struct tp_virtual *v);
/** Completes a queued operation that is not to begin any more. */
void tp_flight_withdraw(struct tp_virtual *v, uint32_t flight, int32_t result);
/** Frees an operation's slot and what it holds. */
void tp_flight_free(struct tp_virtual *v, uint32_t flight);

/* ------------------------------------------------------------------ files.c */

int tp_files_init(struct tp_virtual *v);
void tp_files_deinit(struct tp_virtual *v);
/** The lowest free number; UINT32_MAX when all are taken. */
uint32_t tp_files_lowest(struct tp_virtual *v);
/** Gives a number to a new description of an inode, which is opened. */
void tp_files_open(struct tp_virtual *v, uint32_t number, uint32_t inode,
                   struct tp_open_options options);
/** One holder of a description less; the last closes the inode. 0 is fine. */
void tp_files_unref(struct tp_virtual *v, uint32_t file);
/** Frees a number. */
void tp_files_close(struct tp_virtual *v, uint32_t number);
/** Closes everything, without looking at who holds it. */
void tp_files_close_all(struct tp_virtual *v);
/** The process was killed: perhaps the kernel still has its locks for a while. */
void tp_files_leave_locks(struct tp_virtual *v, uint32_t stream);

/* ------------------------------------------------------------------ latency.c */

/** Draws how long an operation takes, and its place among those that complete at the same
 * time. */
uint64_t tp_latency_draw(struct tp_virtual *v, const struct tp_flight *f,
                         uint32_t *ret_tie);
/** Draws when in that time it takes effect. */
uint64_t tp_latency_effect(struct tp_virtual *v, uint64_t latency_ns);

/* ------------------------------------------------------------------ faults.c */

/** Counts an operation that begins, and fails it if it is the n-th. */
void tp_fault_count(struct tp_virtual *v, struct tp_flight *f);
/** Perhaps fails it, or makes it fall short. */
void tp_fault_draw(struct tp_virtual *v, struct tp_flight *f);
/** Kinds that never fail. */
bool tp_fault_never(uint16_t kind);

/* ------------------------------------------------------------------ effects.c, cancel.c,
 * trace.c */

/** What the operation does to the disk and to the memory it was lent, or the fault that it
 * meets; its result. */
int32_t tp_effect(struct tp_virtual *v, struct tp_flight *f);
/** The same without faults and checks. */
int32_t tp_effect_plain(struct tp_virtual *v, struct tp_flight *f);
int32_t tp_cancel_effect(struct tp_virtual *v, uint64_t target);
void tp_trace_completion(struct tp_virtual *v, const struct tp_flight *f);
/** A crash, and what it left. */
void tp_trace_crash(struct tp_virtual *v, uint32_t how);
/** The payload of a stat, in bytes that are the same everywhere. */
uint64_t tp_trace_statx(const struct tp_statx *statx);

#endif
