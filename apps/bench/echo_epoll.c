#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/base.h"

struct client {
    int fd;
    uint32_t kept, kept_at;              /* bytes that the socket did not take, and where */
    uint8_t bytes[BENCH_ECHO_BUF_BYTES]; /* those */
};

struct server {
    const struct bench_echo *echo;
    int epoll, listener;
    uint32_t accepted, ended;
    uint8_t scratch[BENCH_ECHO_BUF_BYTES];
    struct client clients[];
};

static int watch(struct server *s, int fd, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = client};

    /* Edges of writing come only after a socket was full: no call per full socket. */
    if (client != NULL)
        event.events |= EPOLLOUT | EPOLLRDHUP;
    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int accept_all(struct server *s)
{
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int result;

        if (fd < 0)
            return errno == EAGAIN ? 0 : -errno;
        if (s->accepted == s->echo->connections) {
            (void)close(fd);
            return -EUSERS;
        }
        s->clients[s->accepted].fd = fd;
        result = watch(s, fd, &s->clients[s->accepted++]);
        if (result < 0)
            return result;
    }
}

/* Sends what an earlier send left; whether all is gone now, or -errno. */
static int send_kept(struct client *c)
{
    ssize_t count = send(c->fd, c->bytes + c->kept_at, c->kept, MSG_NOSIGNAL);

    if (count < 0)
        return errno == EAGAIN ? 0 : -errno;
    c->kept_at += (uint32_t)count;
    c->kept -= (uint32_t)count;
    return c->kept == 0;
}

/* Sends `len` bytes of the scratch memory, and keeps what is not taken. */
static int send_back(struct server *s, struct client *c, uint32_t len)
{
    ssize_t count = send(c->fd, s->scratch, len, MSG_NOSIGNAL);

    if (count < 0 && errno != EAGAIN)
        return -errno;
    if (count < 0)
        count = 0;
    c->kept = len - (uint32_t)count;
    c->kept_at = 0;
    if (c->kept > 0)
        memcpy(c->bytes, s->scratch + count, c->kept);
    return 0;
}

/* A receive that does not fill the memory has emptied the socket: what comes later makes a
 * new event. Only the end does not, if it was there already. */
static int serve(struct server *s, struct client *c, bool ending)
{
    for (;;) {
        ssize_t count;
        int result = c->kept > 0 ? send_kept(c) : 1;

        if (result <= 0)
            return result;
        count = recv(c->fd, s->scratch, sizeof s->scratch, 0);
        if (count < 0)
            return errno == EAGAIN ? 0 : -errno;
        if (count == 0) {
            (void)close(c->fd);
            c->fd = -1;
            s->ended++;
            return 0;
        }
        result = send_back(s, c, (uint32_t)count);
        if (result < 0 || (count < (ssize_t)sizeof s->scratch && !ending && c->kept == 0))
            return result;
    }
}

static int work(struct server *s)
{
    struct epoll_event events[BENCH_ECHO_EVENTS];

    while (s->ended < s->echo->connections) {
        int count = epoll_wait(s->epoll, events, BENCH_ECHO_EVENTS, -1);

        if (count < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            int result;

            if (client == NULL)
                result = accept_all(s);
            else
                result = serve(s, client, (events[i].events & EPOLLRDHUP) != 0);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

int bench_echo_epoll(const struct bench_echo *echo)
{
    struct server *s = calloc(1, sizeof *s + echo->connections * sizeof s->clients[0]);
    int result = 0;

    if (s == NULL)
        return -ENOMEM;
    s->echo = echo;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        result = -errno;
    s->listener = bench_echo_listen(echo);
    if (result == 0)
        result = s->listener < 0 ? s->listener : watch(s, s->listener, NULL);
    if (result == 0)
        result = work(s);
    for (uint32_t i = 0; i < s->accepted; i++) {
        if (s->clients[i].fd >= 0)
            (void)close(s->clients[i].fd);
    }
    if (s->listener >= 0)
        (void)close(s->listener);
    if (s->epoll >= 0)
        (void)close(s->epoll);
    free(s);
    return result;
}
