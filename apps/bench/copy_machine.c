#include <errno.h>
#include <stdlib.h>

#include "apps/bench/copy.h"
#include "runtime/tempest.h"
#include "sm/copy_file.h"

enum { DEPTH = 8, BLOCK_BYTES = 256 << 10 };

struct copier {
    struct bench_copy copy;
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    struct tp_machine machine;
    struct tp_copy_file file;
};

static struct tp_op start(struct copier *c, struct tp_ctx *cx)
{
    struct tp_copy_options options = {
        .size = sizeof options,
        .depth = DEPTH,
        .block_bytes = BLOCK_BYTES,
        .durability = c->copy.durable ? TP_DURABLE : TP_DURABLE_NOT,
        .destination_direct = c->copy.direct,
    };

    return tp_copy_file_start(cx, &c->file, tp_place_path(c->copy.source),
                              tp_place_path(c->copy.destination), &options);
}

static enum tp_step copier_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copier *c = tp_container_of(machine, struct copier, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, start(c, cx), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

int bench_copy_machine_run(void *state, uint64_t operations)
{
    struct copier *c = state;
    int result;

    (void)operations;
    tp_spawn(c->scheduler, &c->machine, copier_tick, "copier");
    result = tp_scheduler_run(c->scheduler);
    return result < 0 ? result : c->machine.result;
}

static int open_copier(const struct bench_setting *setting, bool direct, void **ret_state)
{
    const struct bench_io_wants wants = {
        .ops_max = 256, .buf_count = DEPTH, .buf_size = BLOCK_BYTES};
    struct copier *c = calloc(1, sizeof *c);
    int result;

    if (c == NULL)
        return -ENOMEM;
    result = bench_copy_init(&c->copy, setting);
    c->copy.direct = direct;
    if (result == 0)
        result = setting->options->make_io(setting->options, &wants, &c->io);
    if (result == 0) {
        c->scheduler = tp_scheduler_create(c->io, wants.ops_max);
        result = c->scheduler == NULL ? -ENOMEM : 0;
    }
    if (result < 0) {
        bench_copy_machine_close(c);
        return result;
    }
    *ret_state = c;
    return 0;
}

int bench_copy_machine_open(const struct bench_setting *setting, void **ret_state)
{
    return open_copier(setting, false, ret_state);
}

int bench_copy_machine_open_direct(const struct bench_setting *setting, void **ret_state)
{
    return open_copier(setting, true, ret_state);
}

void bench_copy_machine_close(void *state)
{
    struct copier *c = state;

    tp_scheduler_destroy(c->scheduler);
    tp_io_destroy(c->io);
    free(c);
}
