#include "bench.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/bench/crowd.h"
#include "apps/bench/uring.h"
#include "io/io.h"

/* What an operation costs that does nothing. In each contestant a batch of `depth`
 * operations is handed to the kernel by one enter, all of it completes, and so on. */

/* ------------------------------------------------------------------ raw liburing */

struct raw {
    struct io_uring ring;
    uint32_t depth;
};

static int raw_open(const struct bench_setting *setting, void **ret_state)
{
    struct raw *raw = calloc(1, sizeof *raw);
    int result;

    if (raw == NULL)
        return -ENOMEM;
    raw->depth = setting->depth;
    result = bench_uring_open(&raw->ring, setting->depth, 0);
    if (result < 0) {
        free(raw);
        return result;
    }
    *ret_state = raw;
    return 0;
}

static void raw_close(void *state)
{
    struct raw *raw = state;

    io_uring_queue_exit(&raw->ring);
    free(raw);
}

static int raw_run(void *state, uint64_t operations)
{
    struct raw *raw = state;
    uint64_t done = 0;

    while (done < operations) {
        uint64_t left = operations - done;
        uint32_t batch = left < raw->depth ? (uint32_t)left : raw->depth;
        struct io_uring_cqe *cqe;
        uint32_t head, seen = 0;
        int result;

        for (uint32_t i = 0; i < batch; i++) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&raw->ring);

            io_uring_prep_nop(sqe);
            sqe->user_data = i;
        }
        result = io_uring_submit_and_wait(&raw->ring, batch);
        if (result < 0 && result != -EINTR)
            return result;
        io_uring_for_each_cqe(&raw->ring, head, cqe)
        {
            if (cqe->res < 0)
                return cqe->res;
            seen++;
        }
        io_uring_cq_advance(&raw->ring, seen);
        if (seen != batch)
            return -EPROTO;
        done += batch;
    }
    return 0;
}

/* ------------------------------------------------------------------ Io alone */

struct alone {
    struct tp_io *io;
    uint32_t depth;
};

static int alone_open(const struct bench_setting *setting, void **ret_state)
{
    const struct bench_io_wants wants = {.ops_max = setting->depth + 16};
    struct alone *alone = calloc(1, sizeof *alone);
    int result;

    if (alone == NULL)
        return -ENOMEM;
    alone->depth = setting->depth;
    result = setting->options->make_io(setting->options, &wants, &alone->io);
    if (result < 0) {
        free(alone);
        return result;
    }
    *ret_state = alone;
    return 0;
}

static void alone_close(void *state)
{
    struct alone *alone = state;

    tp_io_destroy(alone->io);
    free(alone);
}

static int alone_run(void *state, uint64_t operations)
{
    struct alone *alone = state;
    struct tp_completions *completions = tp_io_completions(alone->io);
    uint64_t submitted = 0, done = 0;

    while (done < operations) {
        while (submitted < operations && tp_io_in_flight(alone->io) < alone->depth)
            tp_io_nop(alone->io, 1 + submitted++);
        tp_io_park(alone->io, TP_NEVER);
        for (uint32_t i = 0; i < completions->count; i++) {
            if (completions->items[i].value < 0)
                return completions->items[i].value;
        }
        done += completions->count;
        tp_completions_clear(completions);
    }
    return 0;
}

/* ------------------------------------------------------------------ the contest */

int bench_nop(const struct bench_options *options, struct bench_report *report)
{
    static const uint32_t depths[] = {1, 32, 256, 1024};
    static const struct bench_contestant contestants[] = {
        {"liburing", NULL, 0, raw_open, raw_run, raw_close, NULL},
        {"tempest", "liburing", 0, bench_crowd_open, bench_crowd_run, bench_crowd_close,
         NULL},
        {"tempest-one", "liburing", 0, bench_crowd_open_one, bench_crowd_run,
         bench_crowd_close, NULL},
        {"tempest-io", "liburing", 0, alone_open, alone_run, alone_close, NULL},
        {"tempest-deadline", "tempest", 0, bench_crowd_open_deadline, bench_crowd_run,
         bench_crowd_close, NULL},
        {"tempest-child", NULL, 0, bench_crowd_open_children, bench_crowd_run,
         bench_crowd_close, NULL},
        {"null", NULL, 0, bench_crowd_open_null, bench_crowd_run, bench_crowd_close, NULL},
        {"null-one", NULL, 0, bench_crowd_open_null_one, bench_crowd_run, bench_crowd_close,
         NULL},
    };
    const struct bench_setting setting = {.options = options};
    int result;

    result = bench_contest_depths(report, &setting, depths, 4, contestants,
                                  sizeof contestants / sizeof contestants[0]);
    return result < 0 ? result : bench_idle(options, report);
}
