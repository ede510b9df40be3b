#include "linux_internal.h"

#include <fcntl.h>

#include "io/posix/process_internal.h"
#include "io/posix/system_internal.h"
#include "io/recv_pool.h"

/* What each kind needs of the kernel, and what that means. */
struct kind_plan {
    uint8_t opcode;      /* of the ring; NO_OPCODE: only a thread can do it */
    uint8_t route;       /* enum tp_linux_route, when the ring can */
    enum tp_how how;     /* the same */
    const char *why;     /* the same */
    const char *why_not; /* why it runs on a thread, when the ring cannot */
};

#define NO_OPCODE 255U

#define PLAIN  TP_LINUX_ROUTE_PLAIN
#define RECORD TP_LINUX_ROUTE_RECORD
#define THREAD TP_LINUX_ROUTE_WORKER

static const char no_such_operation[] = "own thread: io_uring has no such operation";
static const char masked[] = "own thread: the config says so";

static const struct kind_plan plans[TP_KINDS] = {
    [TP_NOP] = {IORING_OP_NOP, PLAIN, TP_HOW_INLINE, "io_uring", masked},
    [TP_OPEN] = {IORING_OP_OPENAT, RECORD, TP_HOW_INLINE,
                 "io_uring; with create or truncate, or a name that is not cached, on a "
                 "kernel worker",
                 masked},
    [TP_CLOSE] = {IORING_OP_CLOSE, RECORD, TP_HOW_INLINE, "io_uring", masked},
    [TP_READ] = {IORING_OP_READ, PLAIN, TP_HOW_INLINE, "io_uring", masked},
    [TP_WRITE] =
        {IORING_OP_WRITE, PLAIN, TP_HOW_INLINE,
         "io_uring; buffered writes on ext4 and btrfs on a kernel worker, one at a "
         "time for each file",
         masked},
    [TP_FSYNC] = {IORING_OP_FSYNC, PLAIN, TP_HOW_WORKER, "io_uring, kernel worker", masked},
    [TP_FSTAT] = {IORING_OP_STATX, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                  masked},
    [TP_TRUNCATE] = {TP_LINUX_OP_FTRUNCATE, PLAIN, TP_HOW_WORKER, "io_uring, kernel worker",
                     "own thread: io_uring has no such operation before 6.9"},
    [TP_FALLOCATE] = {IORING_OP_FALLOCATE, PLAIN, TP_HOW_WORKER, "io_uring, kernel worker",
                      masked},
    [TP_FIND_DATA] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_SET_MODE] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_LIST_DIR] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_STAT] = {IORING_OP_STATX, RECORD, TP_HOW_WORKER, "io_uring, kernel worker", masked},
    [TP_RENAME] = {IORING_OP_RENAMEAT, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                   masked},
    [TP_REMOVE] = {IORING_OP_UNLINKAT, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                   masked},
    [TP_CREATE_DIR] = {IORING_OP_MKDIRAT, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                       masked},
    [TP_CREATE_DIR_ALL] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_REMOVE_DIR] = {IORING_OP_UNLINKAT, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                       masked},
    [TP_SYNC_DIR] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_SYMLINK] = {IORING_OP_SYMLINKAT, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                    masked},
    [TP_READ_LINK] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_CANCEL] = {IORING_OP_ASYNC_CANCEL, TP_LINUX_ROUTE_CANCEL, TP_HOW_INLINE, "io_uring",
                   ""},
    [TP_LOCK] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_LISTEN] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_CONNECT] = {IORING_OP_CONNECT, RECORD, TP_HOW_INLINE,
                    "io_uring; to a path, or with options, first a step on a thread",
                    "io_uring, after a step on an own thread: the config says so"},
    [TP_ACCEPT] = {IORING_OP_ACCEPT, RECORD, TP_HOW_INLINE, "io_uring", ""},
    [TP_ACCEPT_MANY] = {IORING_OP_ACCEPT, RECORD, TP_HOW_INLINE,
                        "io_uring, one entry for many", "io_uring, an entry for each"},
    [TP_RECV] = {IORING_OP_RECV, PLAIN, TP_HOW_INLINE, "io_uring", ""},
    [TP_RECV_MANY] = {IORING_OP_RECV, RECORD, TP_HOW_INLINE, "io_uring, one entry for all",
                      "io_uring, an entry for each"},
    [TP_SEND] = {IORING_OP_SEND, PLAIN, TP_HOW_INLINE, "io_uring", ""},
    [TP_SEND_BUFS] = {IORING_OP_SENDMSG, RECORD, TP_HOW_INLINE, "io_uring", ""},
    [TP_SHUTDOWN] = {IORING_OP_SHUTDOWN, RECORD, TP_HOW_WORKER, "io_uring, kernel worker",
                     masked},
    [TP_SET_SOCKET] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_SOCKET_ADDRESS] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_RESOLVE] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", "own thread: getaddrinfo(3)"},
    [TP_OFFLOAD] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", "own thread"},
    [TP_SIGNAL] = {IORING_OP_POLL_ADD, RECORD, TP_HOW_INLINE, "io_uring: polls a signalfd",
                   ""},
    [TP_BIND] = {NO_OPCODE, THREAD, TP_HOW_WORKER, "", no_such_operation},
    [TP_SEND_TO] = {IORING_OP_SENDMSG, RECORD, TP_HOW_INLINE, "io_uring", ""},
    [TP_RECV_FROM] = {IORING_OP_RECVMSG, RECORD, TP_HOW_INLINE, "io_uring", ""},
    [TP_TIMER] = {NO_OPCODE, THREAD, TP_HOW_UNAVAILABLE, "", "the runtime's own"},
    [TP_CHILD] = {NO_OPCODE, THREAD, TP_HOW_UNAVAILABLE, "", "the runtime's own"},
};

void tp_linux_route_kinds(struct tp_linux_io *self, uint64_t kinds_off)
{
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        const struct kind_plan *plan = &plans[kind];
        const bool only_in_ring = kind == TP_CANCEL || kind == TP_CLOSE ||
                                  (tp_kind_info[kind].traits & TP_WAITS) != 0;
        const bool in_ring = plan->opcode != NO_OPCODE &&
                             self->ring.opcodes[plan->opcode] != 0 &&
                             (only_in_ring || (kinds_off >> kind & 1) == 0);

        self->route[kind] = in_ring ? plan->route : (uint8_t)THREAD;
        self->io.caps.kinds[kind].how = plan->how;
        self->io.caps.kinds[kind].why = in_ring ? plan->why : plan->why_not;
        if (!in_ring && plan->how != TP_HOW_UNAVAILABLE)
            self->io.caps.kinds[kind].how = TP_HOW_WORKER;
    }
    if ((self->ring.features & TP_LINUX_MULTISHOT_ACCEPT) == 0)
        self->io.caps.kinds[TP_ACCEPT_MANY].why = plans[TP_ACCEPT_MANY].why_not;
    if (!self->recv.multishot)
        self->io.caps.kinds[TP_RECV_MANY].why = plans[TP_RECV_MANY].why_not;
    if (self->io.recv_bufs == NULL) {
        self->io.caps.kinds[TP_RECV_MANY].how = TP_HOW_UNAVAILABLE;
        self->io.caps.kinds[TP_RECV_MANY].why = "the config asks for no receive buffers";
    }
    self->sockets_by_thread =
        (kinds_off >> TP_CONNECT & 1) != 0 || self->ring.opcodes[IORING_OP_SOCKET] == 0;
    if (self->sockets_by_thread)
        self->io.caps.kinds[TP_CONNECT].why = plans[TP_CONNECT].why_not;
    /* Valgrind is told what the kernel wrote, so the memory must be remembered. */
    if (self->on_valgrind && self->route[TP_READ] == PLAIN)
        self->route[TP_READ] = RECORD;
    if (self->on_valgrind)
        self->route[TP_RECV] = RECORD;
}

static void say_features(struct tp_posix_text *text, uint32_t features)
{
    static const char *const names[] = {
        "DEFER_TASKRUN",      "SINGLE_ISSUER",    "COOP_TASKRUN",     "TASKRUN_FLAG",
        "SUBMIT_ALL",         "registered ring",  "registered files", "registered buffers",
        "NO_IOWAIT",          "restricted",       "bounded workers",  "multishot wake",
        "registered sockets", "multishot accept", "multishot recv",   "buffer ring",
    };

    tp_posix_say(text, "ring:");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((features >> i & 1) != 0)
            tp_posix_say(text, " %s", names[i]);
    }
    tp_posix_say(text, "\n");
}

/* The alignment that direct I/O needs on the file system that the program itself is on;
 * each file's own is in its tp_statx. */
static void say_direct(struct tp_posix_text *text)
{
    struct tp_statx file;

    if (tp_posix_status(AT_FDCWD, "/proc/self/exe", true, &file) == 0)
        tp_posix_say(
            text,
            "direct I/O: blocks of 4096 always do; for this program's file %u, memory %u\n",
            file.direct_align, file.direct_memory_align);
}

void tp_linux_describe(struct tp_linux_io *self)
{
    struct tp_posix_text text = {self->notes, 0, sizeof self->notes};

    say_features(&text, self->ring.features);
    tp_posix_say(
        &text,
        "queues: %u submissions, %u completions; at most %u bounded operations at a time\n",
        self->ring.sq_entries, self->ring.cq_entries, self->cap);
    tp_posix_say(&text, "threads: up to %u of our own", self->workers.threads_max);
    if (self->ring.kernel_workers > 0)
        tp_posix_say(&text, ", up to %u of each sort in the kernel",
                     self->ring.kernel_workers);
    tp_posix_say(&text, "\n");
    tp_posix_say_limits(&text);
    if (self->buf_bytes > 0 && self->bufs_per_region == 0)
        tp_posix_say(&text,
                     "buffers: plain; the kernel registered none (locked memory?)\n");
    if (self->io.recv_bufs != NULL)
        tp_posix_say(&text, "receive buffers: %u of %u bytes, taken %s\n",
                     self->io.recv_bufs->count, self->io.recv_bufs->size_bytes,
                     self->recv.ring != NULL
                         ? "by the kernel from a ring"
                         : "one by one; the kernel has no ring of them");
    say_direct(&text);
    self->io.caps.notes = self->notes;
}
