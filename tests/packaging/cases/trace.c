/* A seeded run in the simulated world that leaves a trace: many machines write, sync, read
 * and rename files of their own, with short transfers and timers between. Prints the hash
 * of the trace, what was done, and the time that passed there: all must be the same on
 * every compiler. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <tempest/io/virtual/virtual.h>
#include <tempest/tempest.h>

enum { MACHINES = 40, ROUNDS = 12, BLOCK = 1500 };

struct worker {
    struct tp_machine machine;
    char path[32], other[32];
    uint8_t block[BLOCK];
    struct tp_buf buf;
    struct tp_fd fd;
    uint64_t sum;
    uint32_t round;
};

static enum tp_step worker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (w->round = 0; w->round < ROUNDS; w->round++) {
        TP_AWAIT(cx, tp_timer(cx, tp_random(cx) % 1000000), &result);
        TP_AWAIT(cx, tp_open(cx, w->path, options), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        w->fd = tp_into_fd(cx, result);
        for (uint32_t i = 0; i < BLOCK; i++)
            w->block[i] = (uint8_t)tp_random(cx);
        w->buf = tp_buf_full(w->block, 1 + (uint32_t)(tp_random(cx) % BLOCK));
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, tp_random(cx) % 100000), &result);
        w->sum = w->sum * 31 + (uint32_t)result.value;
        if (w->round % 3 == 0) {
            TP_AWAIT(cx, tp_fsync(cx, w->fd, 0), &result);
            w->sum = w->sum * 31 + (uint32_t)result.value;
        }
        w->buf = tp_buf_empty(w->block, BLOCK);
        TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, tp_random(cx) % 100000), &result);
        for (uint32_t i = 0; i < w->buf.len; i++)
            w->sum = w->sum * 31 + w->block[i];
        TP_AWAIT(cx, tp_close(cx, w->fd), &result);
        TP_AWAIT(cx, tp_rename(cx, w->path, w->other), &result);
        w->sum = w->sum * 31 + tp_now_ns(cx) + (uint32_t)result.value;
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static struct worker workers[MACHINES];

int main(void)
{
    struct tp_virtual_io_config config = {.size = sizeof config, .seed = 4711};
    struct tp_scheduler_config loop = {.size = sizeof loop, .seed = 4712};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    uint64_t sum = 0;
    int failed;

    if (tp_virtual_io_create(&config, &io) < 0 ||
        tp_scheduler_create_with(io, &loop, &scheduler) < 0)
        return 1;
    for (int i = 0; i < MACHINES; i++) {
        (void)snprintf(workers[i].path, sizeof workers[i].path, "/file-%d", i);
        (void)snprintf(workers[i].other, sizeof workers[i].other, "/file-%d",
                       (i + 1) % MACHINES);
        tp_spawn(scheduler, &workers[i].machine, worker_tick, "worker");
    }
    failed = tp_scheduler_run(scheduler);
    for (int i = 0; i < MACHINES; i++) {
        failed |= workers[i].machine.result;
        sum = sum * 31 + workers[i].sum;
    }
    (void)printf("trace %016" PRIx64 "\ncontent %016" PRIx64 "\nvirtual_ns %" PRIu64 "\n",
                 tp_virtual_io_trace_hash(io), sum, tp_io_now_ns(io));
    tp_scheduler_destroy(scheduler);
    tp_virtual_io_destroy(io);
    return failed == 0 ? 0 : 1;
}
