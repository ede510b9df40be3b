#include "read.h"

#include <stdlib.h>

#include "runtime/tempest.h"

struct reader {
    struct tp_machine machine;
    struct hall *hall;
    struct tp_op op;
    struct tp_buf *buf; /* registered, or &plain */
    struct tp_buf plain;
    uint64_t block; /* the one that is being read */
};

/* The reading hall: readers that share a supply of blocks to read. */
struct hall {
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    struct tp_fd file;
    bool fixed, one;
    uint32_t depth;
    uint32_t flying; /* of the one machine that has them all, and of the Io alone */
    uint64_t left;   /* reads still to submit in this slice */
    int error;
    uint8_t *memory;
    struct bench_blocks blocks;
    struct tp_machine reader; /* the one machine */
    struct reader readers[];
};

static void check(struct reader *r, int32_t value)
{
    int wrong = bench_blocks_check(&r->hall->blocks, r->block, value, r->buf->data);

    if (wrong < 0)
        r->hall->error = wrong;
}

static struct tp_op read_next(struct reader *r, struct tp_ctx *cx)
{
    r->hall->left--;
    r->block = bench_blocks_next(&r->hall->blocks);
    return tp_read_at(cx, r->hall->file, r->buf, r->block * BENCH_BLOCK_BYTES);
}

/* One read in flight: claim it, look at it, submit the next. */
static enum tp_step reader_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = tp_container_of(machine, struct reader, machine);
    struct tp_result result;

    if (tp_take(cx, &r->op, &result))
        check(r, result.value);
    if (r->hall->left == 0)
        return tp_end(machine, 0);
    r->op = read_next(r, cx);
    return TP_WAIT;
}

/* All reads in flight, told apart by their tags. */
static enum tp_step hall_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct hall *hall = tp_container_of(machine, struct hall, reader);
    struct tp_result result;

    if (hall->flying == 0) {
        for (; hall->flying < hall->depth && hall->left > 0; hall->flying++)
            (void)tp_tag(cx, read_next(&hall->readers[hall->flying], cx), hall->flying);
    }
    while (tp_next_cqe(cx, &result)) {
        struct reader *r = &hall->readers[result.tag];

        check(r, result.value);
        if (hall->left > 0)
            (void)tp_tag(cx, read_next(r, cx), result.tag);
        else
            hall->flying--;
    }
    return hall->flying > 0 ? TP_WAIT : tp_end(machine, 0);
}

int bench_read_machines_run(void *state, uint64_t operations)
{
    struct hall *hall = state;
    int result;

    hall->left = operations;
    hall->error = 0;
    if (hall->one) {
        tp_spawn(hall->scheduler, &hall->reader, hall_tick, "hall");
    } else {
        for (uint32_t i = 0; i < hall->depth; i++)
            tp_spawn(hall->scheduler, &hall->readers[i].machine, reader_tick, "reader");
    }
    result = tp_scheduler_run(hall->scheduler);
    return result < 0 ? result : hall->error;
}

/* ------------------------------------------------------------------ Io alone */

static void io_read_next(struct hall *hall, uint32_t slot)
{
    struct reader *r = &hall->readers[slot];

    hall->left--;
    r->block = bench_blocks_next(&hall->blocks);
    tp_io_read_at(hall->io, 1 + slot, hall->file, r->buf, r->block * BENCH_BLOCK_BYTES);
}

int bench_read_io_run(void *state, uint64_t operations)
{
    struct hall *hall = state;
    struct tp_completions *completions = tp_io_completions(hall->io);

    hall->left = operations;
    hall->error = 0;
    for (hall->flying = 0; hall->flying < hall->depth && hall->left > 0; hall->flying++)
        io_read_next(hall, hall->flying);
    while (hall->flying > 0) {
        tp_io_park(hall->io, TP_NEVER);
        for (uint32_t i = 0; i < completions->count; i++) {
            const struct tp_completion *item = &completions->items[i];
            uint32_t slot = (uint32_t)item->handle - 1;

            tp_io_end_loan(hall->io, item->handle);
            check(&hall->readers[slot], item->value);
            if (hall->left > 0)
                io_read_next(hall, slot);
            else
                hall->flying--;
        }
        tp_completions_clear(completions);
    }
    return hall->error;
}

/* ------------------------------------------------------------------ life */

static int take_buffers(struct hall *hall)
{
    size_t bytes = (size_t)hall->depth * BENCH_BLOCK_BYTES;

    if (!hall->fixed) {
        hall->memory = aligned_alloc(BENCH_BLOCK_BYTES, bytes);
        if (hall->memory == NULL)
            return -ENOMEM;
        memset(hall->memory, 0, bytes);
    }
    for (uint32_t i = 0; i < hall->depth; i++) {
        struct reader *r = &hall->readers[i];

        r->hall = hall;
        if (hall->fixed) {
            r->buf = tp_io_acquire_buf(hall->io);
            if (r->buf == NULL)
                return -ENOBUFS;
        } else {
            r->plain = tp_buf_empty(hall->memory + (size_t)i * BENCH_BLOCK_BYTES,
                                    BENCH_BLOCK_BYTES);
            r->buf = &r->plain;
        }
    }
    return 0;
}

static int open_all(struct hall *hall, const struct bench_setting *setting)
{
    const struct bench_io_wants wants = {.ops_max = setting->depth + 16,
                                         .buf_count = hall->fixed ? setting->depth : 0,
                                         .buf_size = BENCH_BLOCK_BYTES};
    struct tp_open_options options = {.read = true};
    int32_t result = setting->options->make_io(setting->options, &wants, &hall->io);

    if (result < 0)
        return result;
    options.direct = strcmp(setting->mode, "direct") == 0;
    result = tp_io_block_on(hall->io, tp_request_open(setting->path, options));
    if (result < 0)
        return result;
    hall->file = tp_io_into_fd(hall->io, result);
    hall->scheduler = tp_scheduler_create(hall->io, wants.ops_max);
    return hall->scheduler == NULL ? -ENOMEM : take_buffers(hall);
}

static int open_hall(const struct bench_setting *setting, bool fixed, bool one,
                     void **ret_state)
{
    struct hall *hall =
        calloc(1, sizeof *hall + (size_t)setting->depth * sizeof hall->readers[0]);
    int result;

    if (hall == NULL)
        return -ENOMEM;
    hall->fixed = fixed;
    hall->one = one;
    hall->depth = setting->depth;
    hall->blocks = bench_blocks_of(setting);
    result = open_all(hall, setting);
    if (result < 0) {
        bench_read_machines_close(hall);
        return result;
    }
    *ret_state = hall;
    return 0;
}

int bench_read_machines_open(const struct bench_setting *setting, void **ret_state)
{
    return open_hall(setting, false, false, ret_state);
}

int bench_read_machines_open_fixed(const struct bench_setting *setting, void **ret_state)
{
    return open_hall(setting, true, false, ret_state);
}

int bench_read_machines_open_one(const struct bench_setting *setting, void **ret_state)
{
    return open_hall(setting, false, true, ret_state);
}

void bench_read_machines_close(void *state)
{
    struct hall *hall = state;

    tp_scheduler_destroy(hall->scheduler);
    for (uint32_t i = 0; hall->fixed && i < hall->depth; i++) {
        if (hall->readers[i].buf != NULL)
            tp_io_release_buf(hall->io, hall->readers[i].buf);
    }
    if (tp_fd_is_some(hall->file))
        (void)tp_io_block_on(hall->io, tp_request_close(hall->file));
    tp_io_destroy(hall->io);
    free(hall->memory);
    free(hall);
}
