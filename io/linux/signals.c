/* Signals as completions. Each operation has a signalfd of its own, which the ring polls;
 * it is read here, since before 6.10 the ring's read of one would block a worker of the
 * kernel. Several that wait for one signal find it in turn: who comes too late waits on. */
#include "linux_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct {
    uint32_t signal; /* enum tp_signal */
    int number;
} numbers[] = {
    {TP_SIGNAL_HUP, SIGHUP},   {TP_SIGNAL_INT, SIGINT},   {TP_SIGNAL_TERM, SIGTERM},
    {TP_SIGNAL_USR1, SIGUSR1}, {TP_SIGNAL_USR2, SIGUSR2},
};

enum { COUNT = sizeof numbers / sizeof numbers[0] };

/* A signalfd for the set. -EINVAL: this thread does not block all of it, so that some of it
 * would do what it does to a program that knows nothing. */
static int open_signalfd(uint64_t signals)
{
    sigset_t set, blocked;
    int fd;

    (void)sigemptyset(&set);
    tp_assert(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        if ((signals & numbers[i].signal) == 0)
            continue;
        if (sigismember(&blocked, numbers[i].number) != 1)
            return -EINVAL;
        (void)sigaddset(&set, numbers[i].number);
    }
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void tp_linux_signal_submit(struct tp_linux_io *self, const struct tp_request *request)
{
    const int fd = open_signalfd(request->a.signals);
    struct tp_linux_record *record;

    if (fd < 0) {
        tp_io_complete_later(&self->io, request->handle, fd);
        return;
    }
    record = tp_linux_record_make(&self->records, request);
    record->fd = fd;
    tp_linux_go_on(self, record);
}

void tp_linux_signal_fill(struct tp_linux_io *self, const struct tp_linux_record *record,
                          uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_POLL_ADD,
        .fd = record->fd,
        .op_flags = POLLIN,
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

static int32_t read_signal(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return -errno;
    for (uint32_t i = 0; i < COUNT; i++) {
        if (numbers[i].number == (int)info.ssi_signo)
            return (int32_t)numbers[i].signal;
    }
    tp_unreachable();
}

bool tp_linux_signal_seen(struct tp_linux_io *self, struct tp_linux_record *record,
                          int32_t result, int32_t *ret_value)
{
    *ret_value = result < 0 ? result : read_signal(record->fd);
    if (*ret_value == -EAGAIN && record->cancelled != 0)
        *ret_value = -ECANCELED;
    if (*ret_value == -EAGAIN) {
        tp_linux_go_on(self, record);
        return false;
    }
    (void)close(record->fd);
    return true;
}
