/* The fd that a host waits on in a loop of its own.
 *
 * The ring's own fd will not do under DEFER_TASKRUN: whoever asks whether it is readable
 * gets the truth, but whoever sleeps on it is not woken by work that arrives (seen
 * on 6.18). An eventfd that is registered with the ring is. It is made when somebody first
 * asks for the fd. The kernel is told to signal it only between our polls; that is a flag
 * in shared memory. A poll reads it when it may have been signalled: something is there, or
 * nothing else explains the poll.
 *
 * Wakes signal it themselves: an eventfd that the kernel signals from within a write to
 * another one is signalled late, and on 6.18 only the first time. They do so after they
 * have written to the other: the ring has work from then on, of which the kernel has told
 * nobody, and while it has some it tells of no other either. So whoever sleeps must be
 * made to come once more, even if the reason was found before. */
#include "linux_internal.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tp_linux_watch_fd(struct tp_linux_io *self)
{
    struct io_uring *uring = &self->ring.uring;
    int fd = atomic_load(&self->watch_fd);
    int error;

    if ((self->ring.features & TP_LINUX_DEFER_TASKRUN) == 0)
        return uring->ring_fd;
    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    error = io_uring_register_eventfd(uring, fd);
    if (error < 0) {
        (void)close(fd);
        return error;
    }
    atomic_store(&self->watch_fd, fd);
    tp_linux_watch_begin(self);
    return fd;
}

void tp_linux_watch_signal(struct tp_linux_io *self)
{
    static const uint64_t one = 1;
    const int fd = atomic_load(&self->watch_fd);

    if (fd >= 0)
        (void)!write(fd, &one, sizeof one);
}

/* Whether a poll would find something, as far as can be seen without a kernel entry. */
static bool has_something(struct tp_linux_io *self)
{
    return tp_linux_ring_ready(&self->ring) > 0 || tp_linux_ring_has_work(&self->ring) ||
           self->workers.finished.count > 0 || atomic_load(&self->wake_reasons) != 0;
}

static void allow_signals(const struct tp_linux_io *self, bool allowed)
{
    unsigned int *flags = self->ring.uring.cq.kflags;

    __atomic_store_n(flags, allowed ? 0U : IORING_CQ_EVENTFD_DISABLED, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* What arrived before the kernel was allowed to signal is seen here; what arrives after,
 * there. */
void tp_linux_watch_begin(struct tp_linux_io *self)
{
    if (atomic_load_explicit(&self->watch_fd, memory_order_relaxed) < 0)
        return;
    allow_signals(self, true);
    if (has_something(self))
        tp_linux_watch_signal(self);
}

void tp_linux_watch_end(struct tp_linux_io *self)
{
    const int fd = atomic_load_explicit(&self->watch_fd, memory_order_relaxed);
    uint64_t count;

    if (fd < 0)
        return;
    allow_signals(self, false);
    if (has_something(self) || tp_linux_ring_pending(&self->ring) == 0)
        (void)!read(fd, &count, sizeof count);
    tp_linux_wake_look(self); /* whoever woke the host may not have come to the ring yet */
}
