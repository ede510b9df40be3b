#include "echo.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/bench/load.h"
#include "apps/bench/service.h"
#include "io/base.h"

enum { PATIENCE_MS = 10000 };
#define PATIENCE_NS (PATIENCE_MS * UINT64_C(1000000))

/* ------------------------------------------------------------------ what servers share */

int bench_echo_tell(const struct bench_echo *echo, uint16_t port)
{
    return write(echo->ready_fd, &port, sizeof port) == sizeof port ? 0 : -EPIPE;
}

int bench_echo_listen(const struct bench_echo *echo)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1, result;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, len) < 0 ||
        listen(fd, (int)echo->connections) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        result = -errno;
    else
        result = bench_echo_tell(echo, ntohs(address.sin_port));
    if (result < 0) {
        (void)close(fd);
        return result;
    }
    return fd;
}

/* ------------------------------------------------------------------ a contestant */

typedef int serve_fn(const struct bench_echo *echo);

struct race {
    struct bench_service service;
    struct bench_load *load;
    uint64_t spent_ns; /* by the server in the last slice */
};

/* What the child needs to know. */
struct birth {
    struct bench_echo echo;
    serve_fn *serve;
};

static int live(void *context)
{
    const struct birth *birth = context;
    int result = birth->serve(&birth->echo);

    return result < 0 ? bench_complain("server", result) : 0;
}

/* Two buffers for each connection: enough that none waits for one while messages are
 * shorter than a buffer, and no more, so that they stay in the cache. */
static uint32_t buf_count(uint32_t connections)
{
    uint32_t count = 16;

    while (count < 2 * connections)
        count *= 2;
    return count;
}

/* Starts the server, and gives its port. */
static int start(struct race *race, const struct bench_setting *setting, serve_fn *serve,
                 uint16_t *ret_port)
{
    struct birth birth = {
        {setting->options, setting->connections, buf_count(setting->connections), -1},
        serve};
    int ends[2], result;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    birth.echo.ready_fd = ends[1];
    race->service.processors = setting->shared;
    result = bench_service_start(&race->service, live, &birth, ends[1]);
    (void)close(ends[1]);
    if (result == 0 && read(ends[0], ret_port, sizeof *ret_port) != sizeof *ret_port)
        result = -ECHILD; /* it has said why */
    (void)close(ends[0]);
    return result;
}

static void race_close(void *state)
{
    struct race *race = state;

    bench_load_close(race->load);
    (void)bench_service_stop(&race->service, SIGKILL, PATIENCE_NS);
    free(race);
}

static int race_open(const struct bench_setting *setting, serve_fn *serve, void **ret_state)
{
    struct bench_load_plan plan = {0, setting->connections, setting->depth, PATIENCE_MS};
    struct race *race = calloc(1, sizeof *race);
    int result;

    tp_assert(setting->connections > 0 && setting->depth > 0);
    if (race == NULL)
        return -ENOMEM;
    result = start(race, setting, serve, &plan.port);
    if (result == 0)
        result = bench_load_open(&plan, &race->load);
    if (result < 0) {
        race_close(race);
        return result;
    }
    *ret_state = race;
    return 0;
}

static int race_run(void *state, uint64_t messages)
{
    struct race *race = state;
    uint64_t before = bench_service_cpu_ns(&race->service);
    int result = bench_load_run(race->load, messages);

    race->spent_ns = bench_service_cpu_ns(&race->service) - before;
    return result;
}

static void race_sample(void *state, struct bench_sample *ret_sample)
{
    const struct race *race = state;
    const struct bench_histogram *latencies = bench_load_latencies(race->load);

    ret_sample->cpu_ns = (double)race->spent_ns;
    ret_sample->p50_us = bench_histogram_percentile(latencies, 0.5) / 1e3;
    ret_sample->p99_us = bench_histogram_percentile(latencies, 0.99) / 1e3;
}

/* The server closes each connection, sends nothing that nobody asked for, and ends. */
static int race_finish(void *state)
{
    struct race *race = state;
    int result = bench_load_finish(race->load);

    return result < 0 ? result : bench_service_wait(&race->service, PATIENCE_NS);
}

static int open_epoll(const struct bench_setting *setting, void **ret_state)
{
    return race_open(setting, bench_echo_epoll, ret_state);
}

static int open_uring(const struct bench_setting *setting, void **ret_state)
{
    return race_open(setting, bench_echo_uring, ret_state);
}

static int open_tempest(const struct bench_setting *setting, void **ret_state)
{
    return race_open(setting, bench_echo_tempest, ret_state);
}

static int open_connection(const struct bench_setting *setting, void **ret_state)
{
    return race_open(setting, bench_echo_connection, ret_state);
}

#ifdef BENCH_LIBUV
static int open_uv(const struct bench_setting *setting, void **ret_state)
{
    return race_open(setting, bench_echo_uv, ret_state);
}
#endif

/* ------------------------------------------------------------------ the contest */

int bench_echo(const struct bench_options *options, struct bench_report *report)
{
    static const uint32_t depths[] = {1, 16}, connections[] = {50, 500};
    static const struct bench_hooks hooks = {.sample = race_sample, .finish = race_finish};
    static const struct bench_contestant contestants[] = {
        {"liburing", NULL, 0, open_uring, race_run, race_close, &hooks},
        {"tempest", "liburing", 0, open_tempest, race_run, race_close, &hooks},
        {"tempest-connection", "liburing", 0, open_connection, race_run, race_close,
         &hooks},
        {"epoll", "liburing", 0, open_epoll, race_run, race_close, &hooks},
#ifdef BENCH_LIBUV
        {"libuv", "liburing", 0, open_uv, race_run, race_close, &hooks},
#endif
    };
    bool own = options->connections_count == 0;
    struct bench_processors processors;
    struct bench_setting setting = {.options = options, .shared = &processors};
    int result = 0;

    bench_processors_split(&processors);
    for (uint32_t i = 0; i < (own ? 2 : options->connections_count) && result == 0; i++) {
        setting.connections = own ? connections[i] : options->connections[i];
        result = bench_contest_depths(report, &setting, depths, 2, contestants,
                                      sizeof contestants / sizeof contestants[0]);
    }
    bench_processors_join(&processors);
    return result;
}
