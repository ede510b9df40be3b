/** io/linux/recv_internal.h - recv_many, and the receive buffers that it brings.
 *
 * With a buffer ring the kernel takes a buffer when something has come, so an idle
 * connection has none. Returned buffers are put into that ring by the next poll, before it
 * enters: that is a store into shared memory. Without it (it counts as locked memory) a
 * recv_many waits with a poll, and takes a buffer of the pool for a recv that does not
 * wait.
 *
 * A recv_many that finds no buffer starves: it waits in a list here, is in the ring no
 * more, and goes on in the order of the list as buffers come back.
 */
#ifndef TEMPEST_IO_LINUX_RECV_INTERNAL_H
#define TEMPEST_IO_LINUX_RECV_INTERNAL_H

#include <liburing.h>

#include "io/posix/records_internal.h"

struct tp_linux_io;

#define TP_LINUX_RECV_BUFS_MAX                                \
    32768U /* entries that the kernel allows in a buffer ring \
            */

struct tp_linux_recv {
    struct io_uring_buf_ring *ring; /* NULL: there is none */
    size_t ring_bytes;
    uint32_t ring_entries; /* a power of two */
    uint32_t in_ring;      /* buffers that no completion has brought yet */
    bool multishot;        /* the kernel goes on by itself */
    uint8_t *memory;       /* of the buffers */
    size_t memory_bytes;
    struct tp_posix_list starved;
};

/** Makes `count` buffers of `size_bytes`. 0, or -ENOMEM. The ring takes no entries yet. */
int tp_linux_recv_init(struct tp_linux_io *self, uint32_t count, uint32_t size_bytes,
                       uint32_t features_off);
void tp_linux_recv_deinit(struct tp_linux_io *self);

/** Gives returned buffers to the kernel, and lets those go on that have starved. There are
 * buffers. */
void tp_linux_recv_refill(struct tp_linux_io *self);

/** How many could go on, if there were a poll. */
uint32_t tp_linux_recv_ready(const struct tp_linux_io *self);

/** Fills the next step of a recv_many. */
void tp_linux_recv_fill(struct tp_linux_io *self, struct tp_posix_record *record,
                        uint64_t user_data);

/** One of its entries has completed: delivers what it brought. True: it has ended, with
 * `ret_value`. False: it goes on, or its end is on the way and the record is gone. */
bool tp_linux_recv_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                        const struct io_uring_cqe *cqe, int32_t *ret_value);

/** The socket is about to be closed: those of its recv_manys that starve have ended. */
void tp_linux_recv_closed(struct tp_linux_io *self, uint32_t number);

/** It starves no more: out of the list. */
void tp_linux_recv_unstarve(struct tp_linux_io *self, struct tp_posix_record *record);

#endif
