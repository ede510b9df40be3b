#include "ring_internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* NODROP: a full completion queue loses nothing. SUBMIT_STABLE: entries and paths are ours
 * again after the enter. EXT_ARG: park has a timeout. NATIVE_WORKERS: fds and limits are
 * the process's. */
#define FEATURES_REQUIRED                                                   \
    (IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG | \
     IORING_FEAT_NATIVE_WORKERS)

/* The smallest queues that are tried when memory is refused. */
#define ENTRIES_MIN 64U

/* Set-up flags, richest first; a kernel that does not know one answers EINVAL. */
static const uint32_t ladder[] = {
    TP_LINUX_SINGLE_ISSUER | TP_LINUX_DEFER_TASKRUN | TP_LINUX_TASKRUN_FLAG |
        TP_LINUX_SUBMIT_ALL,
    TP_LINUX_SINGLE_ISSUER | TP_LINUX_COOP_TASKRUN | TP_LINUX_TASKRUN_FLAG |
        TP_LINUX_SUBMIT_ALL,
    TP_LINUX_COOP_TASKRUN | TP_LINUX_TASKRUN_FLAG | TP_LINUX_SUBMIT_ALL,
    TP_LINUX_SUBMIT_ALL,
    0,
};

/* DEFER_TASKRUN needs SINGLE_ISSUER, and TASKRUN_FLAG one of the two TASKRUNs: so say the
 * man pages. We want DEFER_TASKRUN with TASKRUN_FLAG only, without which each poll would
 * enter. */
static uint32_t consistent(uint32_t features)
{
    const uint32_t deferred =
        TP_LINUX_DEFER_TASKRUN | TP_LINUX_SINGLE_ISSUER | TP_LINUX_TASKRUN_FLAG;

    if ((features & deferred) != deferred)
        features &= ~(uint32_t)TP_LINUX_DEFER_TASKRUN;
    if ((features & (TP_LINUX_DEFER_TASKRUN | TP_LINUX_COOP_TASKRUN)) == 0)
        features &= ~(uint32_t)TP_LINUX_TASKRUN_FLAG;
    return features;
}

static uint32_t setup_flags(uint32_t features)
{
    static const struct {
        uint32_t feature, flag;
    } flags[] = {
        {TP_LINUX_DEFER_TASKRUN, IORING_SETUP_DEFER_TASKRUN},
        {TP_LINUX_SINGLE_ISSUER, IORING_SETUP_SINGLE_ISSUER},
        {TP_LINUX_COOP_TASKRUN, IORING_SETUP_COOP_TASKRUN},
        {TP_LINUX_TASKRUN_FLAG, IORING_SETUP_TASKRUN_FLAG},
        {TP_LINUX_SUBMIT_ALL, IORING_SETUP_SUBMIT_ALL},
    };
    uint32_t all = 0;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((features & flags[i].feature) != 0)
            all |= flags[i].flag;
    }
    return all;
}

static int setup_richest(struct tp_linux_ring *ring,
                         const struct tp_linux_ring_options *options)
{
    int error = -EINVAL;

    for (size_t rung = 0; error == -EINVAL && rung < sizeof ladder / sizeof ladder[0];
         rung++) {
        struct io_uring_params params;

        memset(&params, 0, sizeof params);
        ring->features = consistent(ladder[rung] & ~options->features_off);
        if (((ladder[rung] ^ ring->features) & TP_LINUX_DEFER_TASKRUN) != 0)
            continue; /* masked off: what the next one has in its place */
        params.flags = setup_flags(ring->features) | IORING_SETUP_CLAMP |
                       IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
        params.cq_entries = options->cq_entries;
        error = io_uring_queue_init_params(options->sq_entries, &ring->uring, &params);
    }
    return error;
}

/* Since 6.14 the queues count as locked memory: smaller ones may be allowed. */
static int setup(struct tp_linux_ring *ring, const struct tp_linux_ring_options *options)
{
    struct tp_linux_ring_options smaller = *options;
    int error = setup_richest(ring, &smaller);

    while (error == -ENOMEM && smaller.cq_entries > ENTRIES_MIN) {
        smaller.cq_entries /= 2;
        if (smaller.sq_entries > smaller.cq_entries)
            smaller.sq_entries = smaller.cq_entries;
        error = setup_richest(ring, &smaller);
    }
    return error;
}

static void adopt_queues(struct tp_linux_ring *ring)
{
    struct io_uring *uring = &ring->uring;

    ring->sqes = uring->sq.sqes;
    ring->sq_array = uring->sq.array;
    ring->sq_entries = uring->sq.ring_entries;
    ring->kernel_sq_head = uring->sq.khead;
    ring->kernel_sq_tail = uring->sq.ktail;
    ring->kernel_sq_flags = uring->sq.kflags;
    ring->cqes = uring->cq.cqes;
    ring->cq_entries = uring->cq.ring_entries;
    ring->kernel_cq_head = uring->cq.khead;
    ring->kernel_cq_tail = uring->cq.ktail;
    ring->enter_fd = (unsigned int)uring->ring_fd;
    tp_assert((ring->sq_entries & (ring->sq_entries - 1)) == 0);
    tp_assert((ring->cq_entries & (ring->cq_entries - 1)) == 0);
}

/* Which opcodes there are; -EOPNOTSUPP when one is missing that 6.1 has. */
static int probe_opcodes(struct tp_linux_ring *ring)
{
    union {
        struct io_uring_probe probe;
        uint8_t
            bytes[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
    } answer;
    const struct io_uring_probe_op *ops =
        (const struct io_uring_probe_op *)(const void *)(answer.bytes +
                                                         sizeof(struct io_uring_probe));
    int error;

    memset(&answer, 0, sizeof answer);
    error = io_uring_register_probe(&ring->uring, &answer.probe, 256);
    if (error < 0)
        return error;
    for (uint32_t op = 0; op < sizeof ring->opcodes && op < answer.probe.ops_len; op++)
        ring->opcodes[op] = (ops[op].flags & IO_URING_OP_SUPPORTED) != 0;
    return ring->opcodes[IORING_OP_SENDMSG_ZC] != 0 ? 0 : -EOPNOTSUPP;
}

int tp_linux_ring_open(struct tp_linux_ring *ring,
                       const struct tp_linux_ring_options *options)
{
    int error = setup(ring, options);

    if (error < 0)
        return error == -EINVAL ? -EOPNOTSUPP : error;
    error = -EOPNOTSUPP;
    if ((ring->uring.features & FEATURES_REQUIRED) == FEATURES_REQUIRED)
        error = probe_opcodes(ring);
    if (error < 0) {
        io_uring_queue_exit(&ring->uring);
        return error;
    }
    adopt_queues(ring);
    if ((options->features_off & TP_LINUX_WORKERS_MAX) == 0) {
        unsigned int bounds[2] = {options->kernel_workers_max, options->kernel_workers_max};

        if (io_uring_register_iowq_max_workers(&ring->uring, bounds) == 0) {
            ring->features |= TP_LINUX_WORKERS_MAX;
            ring->kernel_workers = options->kernel_workers_max;
        }
    }
    /* Kernels that count the users of a registered file slot by slot (6.13) do not say so;
     * those that say this are all younger. */
    if ((options->features_off & TP_LINUX_SOCKET_FILES) == 0 &&
        (ring->uring.features & TP_LINUX_FEAT_RW_ATTR) != 0)
        ring->features |= TP_LINUX_SOCKET_FILES;
    if ((options->features_off & TP_LINUX_NO_IOWAIT) == 0 &&
        (ring->uring.features & TP_LINUX_FEAT_NO_IOWAIT) != 0) {
        ring->features |= TP_LINUX_NO_IOWAIT;
        ring->enter_flags |= TP_LINUX_ENTER_NO_IOWAIT;
    }
    return 0;
}

/* Everything that we fill in. A ring that was taken over can do no more than this.
 */
static const uint8_t opcodes_used[] = {
    IORING_OP_NOP,          IORING_OP_OPENAT,       IORING_OP_CLOSE,
    IORING_OP_READ,         IORING_OP_WRITE,        IORING_OP_READ_FIXED,
    IORING_OP_WRITE_FIXED,  IORING_OP_FSYNC,        IORING_OP_STATX,
    IORING_OP_FALLOCATE,    IORING_OP_RENAMEAT,     IORING_OP_UNLINKAT,
    IORING_OP_MKDIRAT,      IORING_OP_SYMLINKAT,    IORING_OP_POLL_ADD,
    IORING_OP_FILES_UPDATE, IORING_OP_ASYNC_CANCEL, TP_LINUX_OP_FTRUNCATE,
    IORING_OP_SOCKET,       IORING_OP_CONNECT,      IORING_OP_ACCEPT,
    IORING_OP_RECV,         IORING_OP_SEND,         IORING_OP_SENDMSG,
    IORING_OP_RECVMSG,      IORING_OP_SHUTDOWN,
};

static int restrict_ring(const struct tp_linux_ring *ring)
{
    static const uint8_t registers[] = {
        IORING_REGISTER_ENABLE_RINGS, IORING_REGISTER_RING_FDS, IORING_UNREGISTER_RING_FDS,
        IORING_REGISTER_EVENTFD};
    struct io_uring_restriction list[sizeof opcodes_used + sizeof registers + 1];
    unsigned int count = 0;

    memset(list, 0, sizeof list);
    for (size_t i = 0; i < sizeof opcodes_used; i++) {
        if (ring->opcodes[opcodes_used[i]] == 0)
            continue;
        list[count].opcode = IORING_RESTRICTION_SQE_OP;
        list[count++].sqe_op = opcodes_used[i];
    }
    for (size_t i = 0; i < sizeof registers; i++) {
        list[count].opcode = IORING_RESTRICTION_REGISTER_OP;
        list[count++].register_op = registers[i];
    }
    list[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    list[count++].sqe_flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    return io_uring_register((unsigned int)ring->uring.ring_fd,
                             IORING_REGISTER_RESTRICTIONS, list, count);
}

int tp_linux_ring_enable(struct tp_linux_ring *ring, uint32_t features_off)
{
    int error;

    if ((features_off & TP_LINUX_RESTRICTIONS) == 0 && restrict_ring(ring) == 0)
        ring->features |= TP_LINUX_RESTRICTIONS;
    error = io_uring_register((unsigned int)ring->uring.ring_fd,
                              IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    if (error < 0)
        return error;
    if ((features_off & TP_LINUX_RING_FD) == 0 &&
        io_uring_register_ring_fd(&ring->uring) == 1) {
        ring->features |= TP_LINUX_RING_FD;
        ring->enter_fd = (unsigned int)ring->uring.enter_ring_fd;
        ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
    }
    /* A filter that allows all before may forbid this: it is better to know it now. */
    error = io_uring_enter2(ring->enter_fd, 0, 0, ring->enter_flags, NULL, _NSIG / 8);
    return error < 0 ? error : 0;
}

void tp_linux_ring_close(struct tp_linux_ring *ring)
{
    if (ring->sqes != NULL)
        io_uring_queue_exit(&ring->uring);
    ring->sqes = NULL;
}

/* Lets the kernel see what was filled, and looks at how much of it was consumed: after an
 * error too, since entries may have been taken before it. */
static int enter(struct tp_linux_ring *ring, uint32_t min_complete, uint32_t flags,
                 void *argument, size_t argument_bytes)
{
    int result;

    __atomic_store_n(ring->kernel_sq_tail, ring->tail, __ATOMIC_RELEASE);
    result = io_uring_enter2(ring->enter_fd, tp_linux_ring_pending(ring), min_complete,
                             flags | ring->enter_flags, argument, argument_bytes);
    ring->head = __atomic_load_n(ring->kernel_sq_head, __ATOMIC_ACQUIRE);
    if (ring->head == ring->tail)
        ring->slot = 0;
    if (result >= 0)
        return 0;
    if (result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY)
        return result;
    tp_stopf(__FILE__, __LINE__, "io_uring_enter: %s%s", tp_errno_name(result),
             result == -EBADR    ? " (the kernel dropped a completion)"
             : result == -EEXIST ? " (not the thread that created this Io)"
                                 : "");
}

int tp_linux_ring_enter(struct tp_linux_ring *ring, uint32_t min_complete,
                        uint64_t timeout_ns)
{
    struct __kernel_timespec timeout;
    struct io_uring_getevents_arg argument;

    if (min_complete == 0 || timeout_ns == TP_NEVER)
        return enter(ring, min_complete, IORING_ENTER_GETEVENTS, NULL, _NSIG / 8);
    timeout.tv_sec = (int64_t)(timeout_ns / 1000000000U);
    timeout.tv_nsec = (int64_t)(timeout_ns % 1000000000U);
    memset(&argument, 0, sizeof argument);
    argument.sigmask_sz = _NSIG / 8;
    argument.ts = (uint64_t)(uintptr_t)&timeout;
    return enter(ring, min_complete, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                 &argument, sizeof argument);
}

void tp_linux_ring_flush(struct tp_linux_ring *ring)
{
    (void)enter(ring, 0, 0, NULL, _NSIG / 8);
}
