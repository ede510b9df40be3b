#include "linux_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tp_linux_wake_init(struct tp_linux_io *self)
{
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return self->wake_fd < 0 ? -errno : 0;
}

void tp_linux_wake_arm(struct tp_linux_io *self)
{
    const bool multishot = (self->ring.features & TP_LINUX_MULTISHOT_WAKE) != 0;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_POLL_ADD,
        .fd = self->wake_fd,
        .len = multishot ? IORING_POLL_ADD_MULTI : 0,
        .op_flags = POLLIN,
        .user_data = tp_linux_internal_data(TP_LINUX_WAKE, 0),
    };

    tp_assert(!self->wake_armed);
    self->wake_armed = true;
    self->ring.uncounted++;
    tp_linux_ring_fill(&self->ring, entry);
}

void tp_linux_wake_look(struct tp_linux_io *self)
{
    const uint32_t reasons = atomic_exchange(&self->wake_reasons, 0);

    if ((reasons & TP_LINUX_WOKEN) != 0)
        self->woken = true;
    if ((reasons & TP_LINUX_RESULTS) != 0)
        tp_posix_workers_collect(&self->workers);
}

/* A poll that stays armed sees each write by itself, and the count in the eventfd may grow.
 * One that is armed anew would see the old count: it is read before the reasons are, so
 * that a write after it finds the poll, and one before it has left its reason. */
void tp_linux_wake_seen(struct tp_linux_io *self, bool still_armed)
{
    uint64_t count;

    if (!still_armed) {
        tp_assert(self->wake_armed && self->ring.uncounted > 0);
        self->wake_armed = false;
        self->ring.uncounted--;
        (void)!read(self->wake_fd, &count, sizeof count);
    }
    tp_linux_wake_look(self);
}

/* Only the first reason since the owner looked costs system calls. Their order matters
 * (watch.c). */
static void wake_for(struct tp_linux_io *self, enum tp_linux_wake_reason reason)
{
    static const uint64_t one = 1;
    const int before = errno;

    if (atomic_fetch_or(&self->wake_reasons, (uint32_t)reason) == 0) {
        (void)!write(self->wake_fd, &one, sizeof one);
        tp_linux_watch_signal(self);
    }
    errno = before;
}

void tp_linux_wake(struct tp_io *io)
{
    wake_for(tp_linux_of(io), TP_LINUX_WOKEN);
}

void tp_linux_wake_results(void *self)
{
    wake_for(self, TP_LINUX_RESULTS);
}
