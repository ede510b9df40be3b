/* Signals by signalfd(2). */
#include "system_internal.h"

#include <errno.h>
#include <pthread.h>
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

int tp_posix_signals_open(uint64_t signals)
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

int32_t tp_posix_signals_read(int fd)
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
