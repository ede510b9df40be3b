#include "crowd.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/bench/null_io.h"
#include "runtime/tempest.h"

/* Of every operation of the contestant with deadlines: it never comes. */
#define DEADLINE_NS UINT64_C(3600000000000)

struct crowd;

struct worker {
    struct tp_machine machine;
    struct crowd *crowd;
    struct tp_op op;
    uint32_t flying; /* of the machine that has them all */
};

struct crowd {
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    uint32_t depth, machines; /* machines: those that are spawned */
    tp_tick_fn *tick;
    uint64_t left; /* operations still to submit in this slice */
    int32_t error;
    struct worker workers[];
};

/* ------------------------------------------------------------------ the machines */

/* One operation in flight: claim it, submit the next. */
static enum tp_step single_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_result result;

    if (tp_take(cx, &w->op, &result) && result.value < 0)
        w->crowd->error = result.value;
    if (w->crowd->left == 0)
        return tp_end(machine, 0);
    w->crowd->left--;
    w->op = tp_nop(cx);
    return TP_WAIT;
}

static enum tp_step deadline_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    enum tp_step step = single_tick(machine, cx);

    if (step == TP_WAIT)
        (void)tp_deadline(cx, w->op, DEADLINE_NS);
    return step;
}

/* Keeps `depth` operations in flight. */
static enum tp_step one_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct crowd *crowd = w->crowd;
    struct tp_result result;

    while (tp_next_cqe(cx, &result)) {
        if (result.value < 0)
            crowd->error = result.value;
        w->flying--;
    }
    while (w->flying < crowd->depth && crowd->left > 0) {
        (void)tp_nop(cx);
        crowd->left--;
        w->flying++;
    }
    return w->flying > 0 ? TP_WAIT : tp_end(machine, 0);
}

static enum tp_step child_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    return tp_end(machine, 0);
}

/* Keeps `depth` children alive: workers[1] and up. */
static enum tp_step parent_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct crowd *crowd = w->crowd;
    struct tp_result result;

    while (tp_next_cqe(cx, &result))
        w->flying--;
    /* All of a generation end in one iteration, so their places are free together. */
    if (w->flying > 0)
        return TP_WAIT;
    for (; w->flying < crowd->depth && crowd->left > 0; crowd->left--)
        (void)tp_start(cx, &crowd->workers[++w->flying].machine, child_tick, "child");
    return w->flying > 0 ? TP_WAIT : tp_end(machine, 0);
}

/* ------------------------------------------------------------------ the contestants */

static int open_crowd(const struct bench_setting *setting, uint32_t machines,
                      tp_tick_fn *tick, bool null, void **ret_state)
{
    const struct bench_io_wants wants = {.ops_max = setting->depth + 16};
    struct crowd *crowd =
        calloc(1, sizeof *crowd + (setting->depth + 1) * sizeof crowd->workers[0]);
    int result;

    if (crowd == NULL)
        return -ENOMEM;
    crowd->depth = setting->depth;
    crowd->machines = machines;
    crowd->tick = tick;
    result = null ? bench_null_io_create(wants.ops_max, &crowd->io)
                  : setting->options->make_io(setting->options, &wants, &crowd->io);
    if (result < 0)
        goto out;
    crowd->scheduler = tp_scheduler_create(crowd->io, wants.ops_max);
    result = -ENOMEM;
    if (crowd->scheduler == NULL)
        goto out;
    *ret_state = crowd;
    return 0;
out:
    bench_crowd_close(crowd);
    return result;
}

int bench_crowd_open(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, setting->depth, single_tick, false, ret_state);
}

int bench_crowd_open_one(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, 1, one_tick, false, ret_state);
}

int bench_crowd_open_deadline(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, setting->depth, deadline_tick, false, ret_state);
}

int bench_crowd_open_children(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, 1, parent_tick, false, ret_state);
}

int bench_crowd_open_null(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, setting->depth, single_tick, true, ret_state);
}

int bench_crowd_open_null_one(const struct bench_setting *setting, void **ret_state)
{
    return open_crowd(setting, 1, one_tick, true, ret_state);
}

int bench_crowd_run(void *state, uint64_t operations)
{
    struct crowd *crowd = state;
    int result;

    crowd->left = operations;
    crowd->error = 0;
    for (uint32_t i = 0; i < crowd->machines; i++) {
        crowd->workers[i].crowd = crowd;
        crowd->workers[i].flying = 0;
        tp_spawn(crowd->scheduler, &crowd->workers[i].machine, crowd->tick, "worker");
    }
    result = tp_scheduler_run(crowd->scheduler);
    tp_assert(result < 0 || crowd->left == 0);
    return result < 0 ? result : crowd->error;
}

void bench_crowd_close(void *state)
{
    struct crowd *crowd = state;

    tp_scheduler_destroy(crowd->scheduler);
    tp_io_destroy(crowd->io);
    free(crowd);
}
