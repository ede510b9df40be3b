/* Wakes come through a pipe, which any system has. They are written only while somebody
 * sleeps: an owner that polls sees the reasons by itself, and a busy one costs its threads
 * no system call. */
#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { REASONS = TP_POSIX_WOKEN | TP_POSIX_RESULTS };

static int set_flags(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0
               ? 0
               : -errno;
}

int tp_posix_wake_init(struct tp_posix_io *self)
{
    int error;

    if (pipe(self->wake_fds) != 0)
        return -errno;
    error = set_flags(self->wake_fds[0]);
    if (error == 0)
        error = set_flags(self->wake_fds[1]);
    return error < 0 ? error : tp_posix_ready_add_level(&self->ready, self->wake_fds[0]);
}

bool tp_posix_wake_is_there(const struct tp_posix_io *self)
{
    return (atomic_load_explicit(&self->wake_reasons, memory_order_relaxed) & REASONS) != 0;
}

void tp_posix_wake_look(struct tp_posix_io *self)
{
    uint32_t reasons;

    if (!tp_posix_wake_is_there(self))
        return;
    reasons = atomic_fetch_and(&self->wake_reasons, ~(uint32_t)REASONS);
    if ((reasons & TP_POSIX_WOKEN) != 0)
        self->woken = true;
    if ((reasons & TP_POSIX_RESULTS) != 0)
        tp_posix_workers_collect(&self->workers);
}

bool tp_posix_wake_arm(struct tp_posix_io *self)
{
    return (atomic_fetch_or(&self->wake_reasons, TP_POSIX_SLEEPING) & REASONS) == 0;
}

void tp_posix_wake_disarm(struct tp_posix_io *self)
{
    (void)atomic_fetch_and(&self->wake_reasons, ~(uint32_t)TP_POSIX_SLEEPING);
}

void tp_posix_wake_drain(const struct tp_posix_io *self)
{
    uint8_t bytes[64];

    while (read(self->wake_fds[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        continue;
}

/* A pipe that is full is readable, which is all that is asked for. */
void tp_posix_wake_write(const struct tp_posix_io *self)
{
    (void)!write(self->wake_fds[1], "", 1);
}

/* Only the first reason since the owner looked is written; who arms sees those before. */
static void wake_for(struct tp_posix_io *self, enum tp_posix_wake_reason reason)
{
    const int before = errno;
    const uint32_t reasons = atomic_fetch_or(&self->wake_reasons, (uint32_t)reason);

    if ((reasons & REASONS) == 0 && (reasons & TP_POSIX_SLEEPING) != 0)
        tp_posix_wake_write(self);
    errno = before;
}

void tp_posix_wake(struct tp_io *io)
{
    wake_for(tp_posix_of(io), TP_POSIX_WOKEN);
}

void tp_posix_wake_results(void *self)
{
    wake_for(self, TP_POSIX_RESULTS);
}
