#include "posix_internal.h"

#include "io/posix/process_internal.h"
#include "io/recv_pool.h"

static const char on_thread[] = "own thread";
static const char by_call[] = "a call that does not block";
static const char when_ready[] = "a call, when its fd is ready";

static const char *why(uint32_t kind)
{
    switch (kind) {
    case TP_NOP:
        return "needs nothing";
    case TP_CANCEL:
        return "what has not begun, and what waits for a peer";
    case TP_CLOSE:
        return "a socket: a call; a file: own thread";
    case TP_READ:
        return "own thread; of what is in memory, up to 64 KiB, a call";
    case TP_CONNECT:
        return "a call, when its fd is ready; to a path on an own thread";
    case TP_RESOLVE:
        return "own thread: getaddrinfo(3)";
    case TP_SIGNAL:
        return "when its fd is ready";
    case TP_TIMER:
    case TP_CHILD:
        return "the runtime's own";
    default:
        if (tp_posix_routes[kind] == TP_POSIX_ROUTE_THREAD)
            return on_thread;
        return (tp_kind_info[kind].traits & TP_WAITS) != 0 ? when_ready : by_call;
    }
}

static void say_notes(struct tp_posix_io *self)
{
    struct tp_posix_text text = {self->notes, 0, sizeof self->notes};

    tp_posix_say(&text, "readiness: %s, edge-triggered\n", tp_posix_ready_name);
    tp_posix_say(&text, "threads: up to %u of our own", self->workers.threads_max);
    tp_posix_say(&text, "\n");
    tp_posix_say_limits(&text);
    if (self->io.recv_bufs != NULL)
        tp_posix_say(&text,
                     "receive buffers: %u of %u bytes, taken when something is there\n",
                     self->io.recv_bufs->count, self->io.recv_bufs->size_bytes);
    tp_posix_say(&text, "direct I/O: blocks of 4096 always do\n");
    self->io.caps.notes = self->notes;
}

void tp_posix_describe(struct tp_posix_io *self)
{
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        const bool threaded = tp_posix_routes[kind] == TP_POSIX_ROUTE_THREAD;

        self->io.caps.kinds[kind].how = threaded ? TP_HOW_WORKER : TP_HOW_INLINE;
        self->io.caps.kinds[kind].why = why(kind);
        if ((tp_kind_info[kind].traits & TP_NOT_IO) != 0)
            self->io.caps.kinds[kind].how = TP_HOW_UNAVAILABLE;
    }
    if (self->io.recv_bufs == NULL) {
        self->io.caps.kinds[TP_RECV_MANY].how = TP_HOW_UNAVAILABLE;
        self->io.caps.kinds[TP_RECV_MANY].why = "the config asks for no receive buffers";
    }
    say_notes(self);
}
