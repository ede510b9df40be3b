#include "ready.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCH     256U /* events that one call brings */
#define MS_NS     1000000U
#define SECOND_NS 1000000000U

const char tp_posix_ready_name[] = "epoll";

int tp_posix_ready_open(struct tp_posix_ready *ready)
{
    ready->coarse = false;
    ready->fd = epoll_create1(EPOLL_CLOEXEC);
    return ready->fd < 0 ? -errno : 0;
}

void tp_posix_ready_close(struct tp_posix_ready *ready)
{
    if (ready->fd >= 0)
        (void)close(ready->fd);
    ready->fd = -1;
}

static int add(const struct tp_posix_ready *ready, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(ready->fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int tp_posix_ready_add(struct tp_posix_ready *ready, int fd)
{
    return add(ready, fd, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int tp_posix_ready_add_level(struct tp_posix_ready *ready, int fd)
{
    return add(ready, fd, EPOLLIN);
}

void tp_posix_ready_remove(struct tp_posix_ready *ready, int fd)
{
    struct epoll_event none = {0};

    tp_assert(epoll_ctl(ready->fd, EPOLL_CTL_DEL, fd, &none) == 0);
}

/* epoll_pwait2() came with Linux 5.11; a sandbox may hide it. By number, since a C library
 * may not have it either. */
static int wait_exactly(const struct tp_posix_ready *ready, uint64_t timeout_ns,
                        struct epoll_event *events, uint32_t count)
{
#ifdef SYS_epoll_pwait2
    const struct timespec timeout = {(time_t)(timeout_ns / SECOND_NS),
                                     (long)(timeout_ns % SECOND_NS)};

    return (int)syscall(SYS_epoll_pwait2, ready->fd, events, (int)count, &timeout, NULL,
                        (size_t)0);
#else
    (void)ready, (void)timeout_ns, (void)events, (void)count;
    errno = ENOSYS;
    return -1;
#endif
}

/* Rounded up: who waits until a point in time does not go round before it. */
static int wait_in_ms(const struct tp_posix_ready *ready, uint64_t timeout_ns,
                      struct epoll_event *events, uint32_t count)
{
    const uint64_t ms = timeout_ns / MS_NS + (timeout_ns % MS_NS != 0);

    return epoll_wait(ready->fd, events, (int)count,
                      timeout_ns == TP_NEVER ? -1
                      : ms > INT32_MAX       ? INT32_MAX
                                             : (int)ms);
}

static uint32_t what_of(uint32_t events)
{
    uint32_t what = 0;

    if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        what |= TP_POSIX_CAN_READ;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        what |= TP_POSIX_CAN_WRITE;
    /* At urgent bytes (EPOLLPRI) a recv stops as it does before an end. */
    if ((events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        what |= TP_POSIX_ENDED;
    return what;
}

int tp_posix_ready_wait(struct tp_posix_ready *ready, uint64_t timeout_ns,
                        struct tp_posix_event *ret_events, uint32_t events_max)
{
    struct epoll_event events[BATCH];
    const uint32_t count = events_max < BATCH ? events_max : BATCH;
    const bool whole = timeout_ns == TP_NEVER || timeout_ns % MS_NS == 0;
    int got = -1;

    tp_assert(count > 0);
    if (!whole && !ready->coarse) {
        got = wait_exactly(ready, timeout_ns, events, count);
        ready->coarse = got < 0 && (errno == ENOSYS || errno == EPERM);
    }
    if (whole || ready->coarse)
        got = wait_in_ms(ready, timeout_ns, events, count);
    if (got < 0) {
        tp_assert(errno == EINTR);
        return -EINTR;
    }
    for (int i = 0; i < got; i++) {
        ret_events[i].fd = events[i].data.fd;
        ret_events[i].what = what_of(events[i].events);
    }
    return got;
}
