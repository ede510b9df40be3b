/** io/posix/records_internal.h - what is remembered of an operation beyond its handle.
 *
 * LinuxIo puts a plain operation (read, write, recv, send, ...) into the ring under its own
 * handle, without a record. The others have one, and all of PosixIo's have: they hold paths
 * or other memory that the kernel reads or writes, take several steps, need something done
 * with their result, wait for room or for a peer, or run on a thread. Records are found by
 * handle, for cancel, and sit in one list at a time. Numbers are 1 + index; 0 is none.
 */
#ifndef TEMPEST_IO_POSIX_RECORDS_INTERNAL_H
#define TEMPEST_IO_POSIX_RECORDS_INTERNAL_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "io/posix/paths_internal.h"
#include "io/request_net.h"

enum tp_posix_state {
    TP_POSIX_FREE,
    TP_POSIX_WAITING,  /* for room under the cap of law 7 */
    TP_POSIX_STALLED,  /* the submission queue is full, and the kernel would take nothing */
    TP_POSIX_STARVED,  /* a recv_many without a buffer */
    TP_POSIX_CLOSING,  /* a close behind operations on its fd that have not begun */
    TP_POSIX_IN_RING,  /* the kernel completes it */
    TP_POSIX_UNSENT,   /* for a worker thread, at the next poll */
    TP_POSIX_QUEUED,   /* at the worker threads; theirs, under their lock */
    TP_POSIX_RUNNING,  /* on a worker thread */
    TP_POSIX_FINISHED, /* by a worker thread, and not delivered yet */
    TP_POSIX_TRYING,   /* PosixIo: its call is made by the next poll */
    TP_POSIX_PENDING,  /* PosixIo: until its socket is ready */
};

/* What an operation has in the kernel's form. The kernel, or a thread, reads or writes it
 * while the operation runs, so it does not move. */
union tp_posix_side {
    uint64_t status[32];             /* fstat, stat: in the ring's form */
    struct sockaddr_storage address; /* listen, connect, bind */
    struct {
        struct msghdr header;
        struct iovec parts[TP_BUFS_MAX];
    } message; /* send_bufs */
    struct {
        struct sockaddr_storage address; /* where `address` is */
        struct msghdr header;
        struct iovec part;
    } datagram; /* send_to, recv_from */
};

struct tp_posix_record {
    struct tp_request request; /* its paths are the copies below, its address the side's */
    char *paths[2];
    uint32_t next, previous; /* in the list of its state */
    uint32_t next_hashed;    /* of the same bucket; in a free one: the next free one */
    int32_t result;          /* of a worker */
    int32_t fd;        /* of its own, while it is under way: connect, signal; -1: none */
    uint32_t buf;      /* recv_many: 1 + the receive buffer that its recv has; 0: none */
    uint8_t state;     /* enum tp_posix_state */
    uint8_t uncounted; /* in the ring, and not under the cap */
    uint8_t cancelled; /* somebody has asked it to stop */
    uint8_t tries;     /* of a cancel: names of its target that were tried */
    uint8_t polls;     /* recv_many: waits until there is something to receive */
    uint8_t stopped;   /* accept_many: a cancel of ours is on its way */
};

struct tp_posix_list {
    uint32_t first, last, count;
};

struct tp_posix_records {
    struct tp_posix_record *items;
    union tp_posix_side *sides; /* one for each record */
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t capacity;
    uint32_t touched;
    uint32_t first_free;
    void *memory;
    size_t size_bytes;
    struct tp_posix_paths paths;
};

/** 0, or -ENOMEM. */
int tp_posix_records_init(struct tp_posix_records *records, uint32_t capacity);
void tp_posix_records_deinit(struct tp_posix_records *records);

/** A record with a copy of `request` and of its paths. There must be one left. */
struct tp_posix_record *tp_posix_record_make(struct tp_posix_records *records,
                                             const struct tp_request *request);
void tp_posix_record_free(struct tp_posix_records *records, struct tp_posix_record *record);

/** The record under `handle`; NULL if it has none. O(1). */
struct tp_posix_record *tp_posix_record_find(const struct tp_posix_records *records,
                                             uint64_t handle);

static inline uint32_t tp_posix_record_number(const struct tp_posix_records *records,
                                              const struct tp_posix_record *record)
{
    return (uint32_t)(record - records->items) + 1;
}

static inline struct tp_posix_record *
tp_posix_record_at(const struct tp_posix_records *records, uint32_t number)
{
    tp_assert(number > 0 && number <= records->capacity);
    return &records->items[number - 1];
}

static inline union tp_posix_side *tp_posix_side_of(const struct tp_posix_records *records,
                                                    const struct tp_posix_record *record)
{
    return &records->sides[record - records->items];
}

/** Gives back what an operation owns that nobody will hear of any more. `result` is its
 * own, or an error when it has not completed. */
void tp_posix_record_settle(const struct tp_posix_record *record, int32_t result);

/** The same for all that are left: the Io is being destroyed. */
void tp_posix_records_settle(const struct tp_posix_records *records);

/** The numbers of the fds that an operation is about; returns how many. */
uint32_t tp_posix_fds_of(const struct tp_request *request, uint32_t ret_numbers[2]);

void tp_posix_list_append(struct tp_posix_records *records, struct tp_posix_list *list,
                          struct tp_posix_record *record);
void tp_posix_list_remove(struct tp_posix_records *records, struct tp_posix_list *list,
                          struct tp_posix_record *record);

/** Takes the first out; NULL when the list is empty. */
struct tp_posix_record *tp_posix_list_pop(struct tp_posix_records *records,
                                          struct tp_posix_list *list);

/** Moves all of `from` to the end of `list`. */
void tp_posix_list_move(struct tp_posix_records *records, struct tp_posix_list *list,
                        struct tp_posix_list *from);

#endif
