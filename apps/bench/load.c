#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apps/bench/bench.h"
#include "io/base.h"

enum { EVENTS_MAX = 512, SCRATCH_BYTES = 65536 };

struct connection {
    int fd;
    bool ended;              /* the server has closed it */
    uint32_t sent, received; /* bytes of the burst */
    uint32_t burst;          /* bytes of the burst that is on its way; 0: none is */
    uint64_t number;         /* of the next message */
    uint64_t begun_ns;       /* when the burst was sent */
    uint8_t *bytes;          /* of the burst */
};

struct bench_load {
    int epoll;
    int32_t patience_ms;
    uint32_t count, depth;
    uint32_t busy; /* connections with a burst on its way, or not ended yet */
    uint64_t left; /* messages of this run still to be sent */
    bool finishing;
    struct bench_histogram latencies;
    uint8_t *memory; /* of all bursts */
    uint8_t scratch[SCRATCH_BYTES];
    struct connection connections[];
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ------------------------------------------------------------------ bursts */

/* Sends what is left of the burst, as far as there is room. */
static int send_rest(struct connection *c)
{
    while (c->sent < c->burst) {
        ssize_t count = send(c->fd, c->bytes + c->sent, c->burst - c->sent, MSG_NOSIGNAL);

        if (count < 0)
            return errno == EAGAIN ? 0 : -errno;
        c->sent += (uint32_t)count;
    }
    return 0;
}

/* The next burst, if messages are left. The first word of each message is what changes. */
static int begin(struct bench_load *load, struct connection *c)
{
    uint32_t count = load->left < load->depth ? (uint32_t)load->left : load->depth;

    tp_assert(c->received == c->burst && c->sent == c->burst);
    c->burst = count * BENCH_MESSAGE_BYTES;
    c->sent = 0;
    c->received = 0;
    if (count == 0) {
        load->busy--;
        return 0;
    }
    load->left -= count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = (uint64_t)(c - load->connections) << 40 | c->number++;

        memcpy(c->bytes + (size_t)i * BENCH_MESSAGE_BYTES, &word, sizeof word);
    }
    c->begun_ns = now_ns();
    return send_rest(c);
}

/* `len` bytes have come. */
static int take(struct bench_load *load, struct connection *c, uint32_t len)
{
    uint32_t whole = c->received / BENCH_MESSAGE_BYTES;

    if (len > c->sent - c->received ||
        memcmp(load->scratch, c->bytes + c->received, len) != 0)
        return -EILSEQ;
    c->received += len;
    whole = c->received / BENCH_MESSAGE_BYTES - whole;
    if (whole > 0)
        bench_histogram_add(&load->latencies, now_ns() - c->begun_ns, whole);
    return c->received == c->burst ? begin(load, c) : 0;
}

/* Takes all that is there. A receive that does not fill the memory has emptied the socket,
 * and what comes later makes a new event. */
static int drain(struct bench_load *load, struct connection *c, bool closing)
{
    for (;;) {
        ssize_t count = recv(c->fd, load->scratch, SCRATCH_BYTES, 0);
        int result;

        if (count < 0)
            return errno == EAGAIN ? 0 : -errno;
        if (count == 0) {
            if (!load->finishing)
                return -ENODATA;
            load->busy -= c->ended ? 0 : 1;
            c->ended = true;
            return 0;
        }
        result = take(load, c, (uint32_t)count);
        if (result < 0 || (count < SCRATCH_BYTES && !closing))
            return result;
    }
}

/* Handles events until no connection is busy. */
static int work(struct bench_load *load)
{
    struct epoll_event events[EVENTS_MAX];

    while (load->busy > 0) {
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, load->patience_ms);

        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            return -ETIMEDOUT;
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            int result = c->sent < c->burst ? send_rest(c) : 0;

            if (result == 0)
                result = drain(load, c, (events[i].events & EPOLLRDHUP) != 0);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

int bench_load_run(struct bench_load *load, uint64_t messages)
{
    memset(&load->latencies, 0, sizeof load->latencies);
    load->left = messages;
    load->busy = load->count;
    for (uint32_t i = 0; i < load->count; i++) {
        int result = begin(load, &load->connections[i]);

        if (result < 0)
            return result;
    }
    return work(load);
}

const struct bench_histogram *bench_load_latencies(const struct bench_load *load)
{
    return &load->latencies;
}

/* ------------------------------------------------------------------ life */

static int connect_one(struct bench_load *load, struct connection *c, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = c};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        return -errno;
    return 0;
}

/* Noise in all bursts; what differs from message to message is written by begin(). */
static void fill(struct bench_load *load, size_t bytes)
{
    uint64_t random = 1;

    for (size_t at = 0; at < bytes; at += sizeof random) {
        uint64_t word = bench_random(&random);

        memcpy(load->memory + at, &word, sizeof word);
    }
}

int bench_load_open(const struct bench_load_plan *plan, struct bench_load **ret_load)
{
    const uint32_t connections = plan->connections;
    const size_t each = (size_t)plan->depth * BENCH_MESSAGE_BYTES;
    struct bench_load *load =
        calloc(1, sizeof *load + connections * sizeof load->connections[0]);
    int result = 0;

    tp_assert(connections > 0 && plan->depth > 0);
    if (load == NULL)
        return -ENOMEM;
    load->depth = plan->depth;
    load->patience_ms = plan->patience_ms;
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->memory = malloc(each * connections);
    if (load->epoll < 0)
        result = -errno;
    else if (load->memory == NULL)
        result = -ENOMEM;
    else
        fill(load, each * connections);
    while (result == 0 && load->count < connections) {
        struct connection *c = &load->connections[load->count];

        c->bytes = load->memory + load->count++ * each;
        result = connect_one(load, c, plan->port);
    }
    if (result < 0) {
        bench_load_close(load);
        return result;
    }
    *ret_load = load;
    return 0;
}

int bench_load_finish(struct bench_load *load)
{
    load->finishing = true;
    load->busy = load->count;
    for (uint32_t i = 0; i < load->count; i++) {
        if (shutdown(load->connections[i].fd, SHUT_WR) < 0)
            return -errno;
    }
    return work(load);
}

void bench_load_close(struct bench_load *load)
{
    if (load == NULL)
        return;
    for (uint32_t i = 0; i < load->count; i++) {
        if (load->connections[i].fd >= 0)
            (void)close(load->connections[i].fd);
    }
    if (load->epoll >= 0)
        (void)close(load->epoll);
    free(load->memory);
    free(load);
}
