/** io/linux/ring_internal.h - one io_uring: its set-up, its queues, and the way into the
 * kernel.
 *
 * Submission: an entry is filled in place and becomes visible at the next enter. The
 * entries of one batch always begin at the first slot, since the kernel has copied the last
 * batch (SUBMIT_STABLE): a large queue then costs the cache of a small one.
 *
 * Counting: every entry that is submitted ends in exactly one final completion, so what is
 * in flight is `tail - finals`, and the hot path counts nothing.
 */
#ifndef TEMPEST_IO_LINUX_RING_INTERNAL_H
#define TEMPEST_IO_LINUX_RING_INTERNAL_H

#include <liburing.h>

#include "io/linux/linux.h"

/* What liburing 2.3 does not know yet. */
#define TP_LINUX_OP_FTRUNCATE    55U        /* IORING_OP_FTRUNCATE, 6.9 */
#define TP_LINUX_FEAT_RW_ATTR    (1U << 16) /* IORING_FEAT_RW_ATTR, 6.14 */
#define TP_LINUX_FEAT_NO_IOWAIT  (1U << 17) /* IORING_FEAT_NO_IOWAIT, 6.15 */
#define TP_LINUX_ENTER_NO_IOWAIT (1U << 7)  /* IORING_ENTER_NO_IOWAIT */

struct tp_linux_ring {
    struct io_uring_sqe *sqes;
    uint32_t *sq_array;  /* ring position to slot */
    uint32_t sq_entries; /* a power of two */
    uint32_t tail;       /* entries ever filled */
    uint32_t head;       /* of these, consumed by the kernel when we last looked */
    uint32_t slot;       /* where the next one is filled */
    uint32_t finals;     /* final completions ever reaped */
    uint32_t uncounted;  /* entries in flight that are not under the cap of law 7 */

    uint32_t cq_entries; /* a power of two */
    const struct io_uring_cqe *cqes;
    uint32_t *kernel_cq_head, *kernel_cq_tail;
    uint32_t *kernel_sq_head, *kernel_sq_tail, *kernel_sq_flags;

    unsigned int enter_fd;
    uint32_t enter_flags;    /* of every enter */
    uint32_t features;       /* enum tp_linux_feature, granted */
    uint32_t kernel_workers; /* bound of each sort; 0: the kernel's own */
    uint8_t opcodes[64];     /* whether the kernel has it */
    struct io_uring uring;
};

/** What is asked of the kernel. */
struct tp_linux_ring_options {
    uint32_t features_off;
    uint32_t sq_entries, cq_entries;
    uint32_t kernel_workers_max;
};

/** Sets up a ring that takes no entries yet. 0, or what tp_linux_io_create() documents. */
int tp_linux_ring_open(struct tp_linux_ring *ring,
                       const struct tp_linux_ring_options *options);

/** Restricts the ring to what the library uses, if it may, and lets it take entries. */
int tp_linux_ring_enable(struct tp_linux_ring *ring, uint32_t features_off);
void tp_linux_ring_close(struct tp_linux_ring *ring);

/** One io_uring_enter. Submits all that is filled; waits for `min_complete` entries, until
 * `timeout_ns` has passed (TP_NEVER: for ever). 0, or -ETIME, -EINTR, -EAGAIN, -EBUSY: all
 * of them mean "look at the queues". What only a bug can cause stops the program. */
int tp_linux_ring_enter(struct tp_linux_ring *ring, uint32_t min_complete,
                        uint64_t timeout_ns);

/** Submits without looking for completions: the submission queue is full. */
void tp_linux_ring_flush(struct tp_linux_ring *ring);

static inline uint32_t tp_linux_ring_pending(const struct tp_linux_ring *ring)
{
    return ring->tail - ring->head;
}

/** Entries that can be filled before a flush. */
static inline uint32_t tp_linux_ring_space(const struct tp_linux_ring *ring)
{
    return ring->sq_entries - tp_linux_ring_pending(ring);
}

static inline uint32_t tp_linux_ring_in_flight(const struct tp_linux_ring *ring)
{
    return ring->tail - ring->finals;
}

/** Completions that the kernel has put into the queue and nobody has reaped. */
static inline uint32_t tp_linux_ring_ready(const struct tp_linux_ring *ring)
{
    return __atomic_load_n(ring->kernel_cq_tail, __ATOMIC_ACQUIRE) - *ring->kernel_cq_head;
}

/** Whether the kernel says that an enter would bring completions. */
static inline bool tp_linux_ring_has_work(const struct tp_linux_ring *ring)
{
    return (__atomic_load_n(ring->kernel_sq_flags, __ATOMIC_RELAXED) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/** Whether completions may wait for our next kernel entry without the flags saying so. */
static inline bool tp_linux_ring_is_silent(const struct tp_linux_ring *ring)
{
    return (ring->features & (TP_LINUX_TASKRUN_FLAG | TP_LINUX_COOP_TASKRUN)) ==
           TP_LINUX_COOP_TASKRUN;
}

/** The arguments of an entry; what is not named is 0. */
struct tp_linux_entry {
    uint8_t opcode;
    uint8_t flags;
    uint16_t priority;  /* of a multishot: the flag that makes it one */
    uint16_t buf_index; /* or the group of buffers */
    int32_t fd;
    uint64_t offset;
    uint64_t address;
    uint32_t len;
    uint32_t op_flags;
    uint64_t user_data;
};

/** Fills the next entry; there must be space. The fields that no operation of ours uses are
 * zero since the ring was made, and stay so. */
static inline void tp_linux_ring_fill(struct tp_linux_ring *ring,
                                      struct tp_linux_entry entry)
{
    const uint32_t mask = ring->sq_entries - 1;
    const uint32_t slot = ring->slot++ & mask;
    struct io_uring_sqe *sqe = &ring->sqes[slot];

    ring->sq_array[ring->tail & mask] = slot;
    ring->tail++;
    sqe->opcode = entry.opcode;
    sqe->flags = entry.flags;
    sqe->ioprio = entry.priority;
    sqe->fd = entry.fd;
    sqe->off = entry.offset;
    sqe->addr = entry.address;
    sqe->len = entry.len;
    sqe->rw_flags = (int)entry.op_flags;
    sqe->user_data = entry.user_data;
    sqe->buf_index = entry.buf_index;
}

#endif
