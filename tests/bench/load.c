/* The client of `tempest-bench echo`: a server that does anything but echo is found out. */
#include "apps/bench/load.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/bench/service.h"

enum {
    CONNECTIONS = 2,
    DEPTH = 3,
    BURST = DEPTH * BENCH_MESSAGE_BYTES,
    ROUNDS = 5,
    WRONG_ROUND = 3, /* in which the server does what it should not */
    PATIENCE_MS = 10000,
};
#define PATIENCE_NS UINT64_C(10000000000)

enum wrong {
    NOTHING,
    CHANGE,
    SWAP,
    DOUBLE,
    LOSE,
    CROSS,
    CLOSE,
    RESET,
    MUTE,
    CHATTER,
    STAY
};

struct server {
    enum wrong wrong;
    int listener, alive;
    int fds[CONNECTIONS];
    uint8_t bursts[CONNECTIONS][BURST + 1];
};

/* ------------------------------------------------------------------ the server */

static bool put(int fd, const void *bytes, size_t len)
{
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Receives a burst of each connection. False when one has ended instead. */
static bool get_round(struct server *s)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (recv(s->fds[i], s->bursts[i], BURST, MSG_WAITALL) != BURST)
            return false;
    }
    return true;
}

static void reset(int fd)
{
    const struct linger none = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    (void)close(fd);
}

static void spoil(struct server *s)
{
    uint8_t *burst = s->bursts[0], message[BENCH_MESSAGE_BYTES];
    size_t len = BURST;

    if (s->wrong == CHANGE)
        burst[BURST - 1] ^= 1;
    if (s->wrong == SWAP) {
        memcpy(message, burst, sizeof message);
        memcpy(burst, burst + BENCH_MESSAGE_BYTES, sizeof message);
        memcpy(burst + BENCH_MESSAGE_BYTES, message, sizeof message);
    }
    if (s->wrong == DOUBLE)
        burst[len++] = burst[BURST - 1];
    if (s->wrong == LOSE)
        memmove(burst, burst + 1, --len);
    if (s->wrong == CLOSE)
        (void)close(s->fds[0]);
    else if (s->wrong == RESET)
        reset(s->fds[0]);
    else if (s->wrong != MUTE)
        (void)put(s->fds[s->wrong == CROSS], burst, len);
    if (s->wrong == CROSS)
        (void)put(s->fds[0], s->bursts[1], BURST);
    else
        (void)put(s->fds[1], s->bursts[1], BURST);
}

static int serve(void *context)
{
    struct server *s = context;

    for (int i = 0; i < CONNECTIONS; i++)
        s->fds[i] = accept(s->listener, NULL, NULL);
    for (int round = 0; get_round(s); round++) {
        if (round == WRONG_ROUND) {
            spoil(s);
            continue;
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!put(s->fds[i], s->bursts[i], BURST))
                return -EPIPE;
        }
    }
    if (s->wrong == CHATTER)
        (void)put(s->fds[0], "!", 1);
    if (s->wrong == STAY)
        (void)pause();
    return s->wrong == NOTHING ? 0 : -EPROTO;
}

static uint16_t start(struct server *s, struct bench_service *service)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(ge(int, s->listener, 0));
    cr_assert(zero(int, bind(s->listener, (struct sockaddr *)&address, len)));
    cr_assert(zero(int, listen(s->listener, CONNECTIONS)));
    cr_assert(zero(int, getsockname(s->listener, (struct sockaddr *)&address, &len)));
    cr_assert(zero(int, bench_service_start(service, serve, s, s->listener)));
    (void)close(s->listener);
    return ntohs(address.sin_port);
}

/* What a run comes to against a server that does `wrong`; at the end too, if that is asked
 * for. */
static int judge(enum wrong wrong, int32_t patience_ms, bool finish)
{
    struct server server = {.wrong = wrong};
    struct bench_service service = {0};
    struct bench_load_plan plan = {start(&server, &service), CONNECTIONS, DEPTH,
                                   patience_ms};
    struct bench_load *load;
    int result;

    cr_assert(zero(int, bench_load_open(&plan, &load)));
    result = bench_load_run(load, (uint64_t)ROUNDS * CONNECTIONS * DEPTH);
    if (result == 0) {
        cr_expect(eq(u64, bench_load_latencies(load)->total, ROUNDS * CONNECTIONS * DEPTH));
        cr_expect(bench_histogram_percentile(bench_load_latencies(load), 0.5) > 0);
    }
    if (finish) {
        cr_expect(zero(int, result), "it is wrong before its end: %d", result);
        result = bench_load_finish(load);
    }
    bench_load_close(load);
    if (wrong == NOTHING) {
        cr_expect(lt(u64, 0, bench_service_cpu_ns(&service)));
        cr_expect(zero(int, bench_service_wait(&service, PATIENCE_NS)));
    } else {
        (void)bench_service_stop(&service, SIGKILL, PATIENCE_NS);
    }
    return result;
}

Test(load, an_honest_server_is_served_to_the_end)
{
    cr_assert(zero(int, judge(NOTHING, PATIENCE_MS, true)));
}

Test(load, other_bytes_are_an_error)
{
    cr_expect(eq(int, judge(CHANGE, PATIENCE_MS, false), -EILSEQ));
    cr_expect(eq(int, judge(SWAP, PATIENCE_MS, false), -EILSEQ));
    cr_expect(eq(int, judge(DOUBLE, PATIENCE_MS, false), -EILSEQ));
    cr_expect(eq(int, judge(LOSE, PATIENCE_MS, false), -EILSEQ));
    cr_expect(eq(int, judge(CROSS, PATIENCE_MS, false), -EILSEQ));
}

Test(load, a_server_that_goes_away_is_an_error)
{
    cr_expect(eq(int, judge(CLOSE, PATIENCE_MS, false), -ENODATA));
    cr_expect(eq(int, judge(RESET, PATIENCE_MS, false), -ECONNRESET));
}

Test(load, silence_is_an_error)
{
    cr_expect(eq(int, judge(MUTE, 50, false), -ETIMEDOUT));
}

Test(load, the_end_is_checked_too)
{
    cr_expect(eq(int, judge(CHATTER, PATIENCE_MS, true), -EILSEQ));
    cr_expect(eq(int, judge(STAY, 50, true), -ETIMEDOUT));
}

Test(load, nobody_listens)
{
    struct bench_load_plan plan = {0, 1, 1, PATIENCE_MS};
    struct bench_load *load;

    cr_assert(eq(int, bench_load_open(&plan, &load), -ECONNREFUSED));
}

/* ------------------------------------------------------------------ services */

static int fail(void *context)
{
    (void)context;
    return -EIO;
}

static int sleep_on(void *context)
{
    (void)context;
    (void)pause();
    return 0;
}

Test(service, its_end_is_told)
{
    struct bench_service service = {0};

    cr_expect(zero(u64, bench_service_cpu_ns(&service)));
    cr_expect(zero(int, bench_service_stop(&service, SIGTERM, 0)));
    cr_assert(zero(int, bench_service_start(&service, fail, NULL, 3)));
    cr_expect(eq(int, bench_service_wait(&service, PATIENCE_NS), -ECHILD));
    cr_assert(zero(int, bench_service_start(&service, sleep_on, NULL, 3)));
    cr_expect(eq(int, bench_service_wait(&service, 1), -ETIMEDOUT));
    cr_assert(zero(int, bench_service_start(&service, sleep_on, NULL, 3)));
    cr_expect(eq(int, bench_service_stop(&service, SIGTERM, PATIENCE_NS), -ECHILD));
    cr_expect(zero(int, service.pid));
}

/* ------------------------------------------------------------------ histogram */

Test(histogram, each_value_is_found_again_to_two_percent)
{
    for (uint64_t value = 1; value < UINT64_C(1) << 36; value += 1 + value / 7) {
        struct bench_histogram histogram = {0};
        double found;

        bench_histogram_add(&histogram, value, 1);
        found = bench_histogram_percentile(&histogram, 0.99);
        cr_assert(found >= (double)value * 0.98 && found <= (double)value * 1.02,
                  "%llu became %f", (unsigned long long)value, found);
    }
}

Test(histogram, percentiles)
{
    struct bench_histogram histogram = {0};

    cr_expect(bench_histogram_percentile(&histogram, 0.5) == 0);
    bench_histogram_add(&histogram, 10, 98);
    bench_histogram_add(&histogram, 50, 1);
    bench_histogram_add(&histogram, UINT64_MAX, 1);
    cr_expect(bench_histogram_percentile(&histogram, 0.5) == 10);
    cr_expect(bench_histogram_percentile(&histogram, 0.98) == 10);
    cr_expect(bench_histogram_percentile(&histogram, 0.99) == 50);
    cr_expect(bench_histogram_percentile(&histogram, 1) > 60e9);
    cr_expect(eq(u64, histogram.total, 100));
}
