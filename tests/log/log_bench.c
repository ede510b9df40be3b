/** tests/log/log_bench.c - durable appends against the bound: one direct, durable write for
 * the same records.
 *
 *     test-log-bench [DIRECTORY [ROUNDS]]
 *
 * Interleaved: each round times, for every N, bare writes with O_DIRECT and O_DSYNC into a
 * prewritten file, each of what N records take without any framing, by pwrite() and through
 * a ring; then as many groups of N machines that append a record each and wait until it is
 * durable. The bound is pwrite(). The spare segment is ready before the clock runs; the
 * rounds of the last row log so much that segments are used up and made meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/linux/linux.h"
#include "runtime/tempest.h"
#include "sm/journal.h"

enum contestant { PWRITE, RING, JOURNAL, CONTESTANTS };

enum {
    RECORD_BYTES = 64,
    MACHINES_MAX = 512,
    CASES = 4,
    ROUNDS_MAX = 201,
    FILE_BYTES = 64 << 20,
    BUF_BYTES = 256 << 10
};

struct bench_case {
    const char *name;
    uint32_t records; /* in a group: N machines */
    uint32_t groups;  /* in a round */
    uint32_t every;   /* rounds, it takes part */
};

static const struct bench_case cases[CASES] = {{"N=1", 1, 100, 1},
                                               {"N=64", 64, 100, 1},
                                               {"N=512", 512, 100, 1},
                                               {"N=512, sustained", 512, 4000, 20}};

struct bench;

struct client {
    struct tp_machine machine;
    struct bench *bench;
    struct tp_waiter waiter;
    struct tp_op op;
    uint64_t lsn;
    uint32_t left;
    int32_t rc;
};

struct bench {
    struct tp_machine machine;
    struct tp_journal journal;
    struct tp_op end;
    struct tp_journal_record record;
    struct client clients[MACHINES_MAX];
    uint32_t round, rounds, at, next;
    int32_t rc;
    uint64_t started_ns;
    double rates[CONTESTANTS][CASES][ROUNDS_MAX]; /* records a second */
    uint32_t taken[CASES];                        /* rounds */
    struct io_uring ring;
    int raw_fd;
    uint64_t raw_offset;
    uint8_t *raw_bytes;
};

static uint64_t clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double rate(const struct bench_case *c, uint64_t started_ns)
{
    return (double)c->records * c->groups * 1e9 / (double)(clock_ns() - started_ns);
}

/* ------------------------------------------------------------------ the bound */

static int raw_open(struct bench *b, const char *directory)
{
    char path[4200];
    int fd;

    b->raw_bytes = aligned_alloc(4096, BUF_BYTES);
    if (b->raw_bytes == NULL)
        return -ENOMEM;
    memset(b->raw_bytes, 0, BUF_BYTES);
    (void)snprintf(path, sizeof path, "%s/bare", directory);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    for (uint32_t at = 0; at < FILE_BYTES; at += BUF_BYTES) {
        if (write(fd, b->raw_bytes, BUF_BYTES) != BUF_BYTES)
            return -EIO;
    }
    if (fsync(fd) < 0 || close(fd) < 0)
        return -errno;
    b->raw_fd = open(path, O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC);
    (void)unlink(path);
    return b->raw_fd < 0 ? -errno : io_uring_queue_init(8, &b->ring, 0);
}

/* One write by the call, or by the ring: the same bytes to the same place. */
static bool raw_write(struct bench *b, enum contestant contestant, uint32_t len)
{
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    bool whole;

    if (contestant == PWRITE)
        return pwrite(b->raw_fd, b->raw_bytes, len, (off_t)b->raw_offset) == (ssize_t)len;
    sqe = io_uring_get_sqe(&b->ring);
    io_uring_prep_write(sqe, b->raw_fd, b->raw_bytes, len, b->raw_offset);
    if (io_uring_submit_and_wait(&b->ring, 1) < 0 || io_uring_peek_cqe(&b->ring, &cqe) < 0)
        return false;
    whole = cqe->res == (int32_t)len;
    io_uring_cqe_seen(&b->ring, cqe);
    return whole;
}

static double raw_round(struct bench *b, enum contestant contestant,
                        const struct bench_case *c)
{
    uint64_t started_ns = clock_ns();
    uint32_t len = tp_journal_padded(c->records * RECORD_BYTES);

    for (uint32_t i = 0; i < c->groups; i++) {
        if (b->raw_offset + len > FILE_BYTES)
            b->raw_offset = 0;
        for (uint32_t n = 0; n < c->records; n++)
            memset(b->raw_bytes + (size_t)n * RECORD_BYTES, (int)(i + n), RECORD_BYTES);
        if (!raw_write(b, contestant, len))
            return 0;
        b->raw_offset += len;
    }
    return rate(c, started_ns);
}

/* ------------------------------------------------------------------ the journal */

static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    static const uint8_t record[RECORD_BYTES] = {1};
    struct client *m = tp_container_of(machine, struct client, machine);

    TP_BEGIN(cx);
    while (m->left > 0) {
        m->left--;
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_append(cx, &m->bench->journal, &m->waiter,
                                                      record, sizeof record, &m->lsn)) !=
                               -EAGAIN);
        if (m->rc < 0)
            return tp_end(machine, m->rc);
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_wait(cx, &m->bench->journal, &m->waiter,
                                                    m->lsn)) != -EAGAIN);
        if (m->rc < 0)
            return tp_end(machine, m->rc);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void start_clients(struct tp_ctx *cx, struct bench *b)
{
    b->started_ns = clock_ns();
    for (uint32_t i = 0; i < cases[b->at].records; i++) {
        struct client *m = &b->clients[i];

        m->bench = b;
        m->left = cases[b->at].groups;
        m->op = tp_start(cx, &m->machine, client_tick, "client");
    }
}

/* The first round warms up, and is left out. */
static void note(struct bench *b, enum contestant contestant, double value)
{
    b->rates[contestant][b->at][b->taken[b->at]] = value;
}

static enum tp_step bench_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct bench *b = tp_container_of(machine, struct bench, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    b->end = tp_journal_open(cx, &b->journal);
    do {
        TP_AWAIT_UNTIL(cx, (b->rc = tp_journal_next(&b->journal, &b->record)) != -EAGAIN);
    } while (b->rc == 1);
    for (b->round = 0; b->rc == 0 && b->round < b->rounds; b->round++) {
        for (b->at = 0; b->rc == 0 && b->at < CASES; b->at++) {
            if (b->round % cases[b->at].every != 0)
                continue;
            while (!b->journal.spare_ready && b->round > 0)
                TP_AWAIT(cx, tp_timer(cx, 1000000), &result);
            tp_journal_trim(&b->journal, tp_journal_lsn(&b->journal));
            note(b, PWRITE, raw_round(b, PWRITE, &cases[b->at]));
            note(b, RING, raw_round(b, RING, &cases[b->at]));
            start_clients(cx, b);
            for (b->next = 0; b->next < cases[b->at].records; b->next++) {
                TP_AWAIT(cx, b->clients[b->next].op, &result);
                b->rc = result.value < 0 ? result.value : b->rc;
            }
            note(b, JOURNAL, rate(&cases[b->at], b->started_ns));
            b->taken[b->at] += b->round > 0 ? 1 : 0;
        }
    }
    tp_journal_close(&b->journal);
    TP_AWAIT(cx, b->end, &result);
    return tp_end(machine, b->rc < 0 ? b->rc : result.value);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the report */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static void report(struct bench *b)
{
    printf("%-18s %11s %11s %11s   ratio to pwrite: median, quartiles\n", "records/s",
           "pwrite", "ring", "journal");
    for (uint32_t i = 0; i < CASES; i++) {
        double ratios[ROUNDS_MAX];
        uint32_t count = b->taken[i];

        if (count == 0)
            continue;
        for (uint32_t r = 0; r < count; r++)
            ratios[r] = b->rates[JOURNAL][i][r] / b->rates[PWRITE][i][r];
        printf("%-18s", cases[i].name);
        for (uint32_t c = 0; c < CONTESTANTS; c++)
            printf(" %11.0f", median(b->rates[c][i], count));
        printf("   %.3f", median(ratios, count));
        printf("  %.3f to %.3f\n", ratios[count / 4], ratios[count - 1 - count / 4]);
    }
    printf("records of %d bytes; %u rounds; %llu groups, %llu segments\n", RECORD_BYTES,
           b->rounds - 1, (unsigned long long)b->journal.stats.groups,
           (unsigned long long)b->journal.stats.segments);
}

static int32_t run(struct bench *b, const char *directory)
{
    struct tp_journal_config config = {.path = directory};
    struct tp_linux_io_config io_config = {.buf_count = 4, .buf_size = 1 << 20};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int32_t error = tp_linux_io_create(&io_config, &io);

    if (error < 0) {
        (void)fprintf(stderr, "no io_uring: %s\n", tp_linux_io_refusal(error));
        return 77;
    }
    error = tp_journal_init(&b->journal, &config);
    tp_assert(error == 0);
    scheduler = tp_scheduler_create(io, 4096);
    tp_spawn(scheduler, &b->machine, bench_tick, "bench");
    error = tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    if (error < 0 || b->machine.result < 0) {
        (void)fprintf(stderr, "failed: %s\n", tp_errno_name(b->machine.result));
        return 1;
    }
    report(b);
    tp_journal_deinit(&b->journal);
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char name[] = "log-bench-XXXXXX", directory[4096], command[4200];
    int32_t status;

    bench.rounds = argc > 2 ? 1 + (uint32_t)strtoul(argv[2], NULL, 10) : 41;
    if (bench.rounds < 2 || bench.rounds > ROUNDS_MAX || (argc > 1 && chdir(argv[1]) < 0) ||
        mkdtemp(name) == NULL || realpath(name, directory) == NULL) {
        (void)fprintf(stderr, "usage: %s [DIRECTORY [ROUNDS, at most 200]]\n", argv[0]);
        return 2;
    }
    if (raw_open(&bench, directory) < 0) {
        (void)fprintf(stderr, "no direct I/O in %s\n", directory);
        status = 77;
    } else {
        status = run(&bench, directory);
    }
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) == 0 ? status : 1;
}
