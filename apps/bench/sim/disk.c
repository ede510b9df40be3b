#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/bench/sim/sim.h"
#include "io/virtual/random.h"
#include "io/virtual/virtual.h"

/* Operations on a simulated disk: 4 KiB at random offsets, half of them reads, a sync after
 * every 16 writes, with the full model and the trace hash. */

enum { BLOCK = 4096, SYNC_EVERY = 16, WARM_UP = 8 /* times through the file */ };

struct disk {
    struct tp_allocator counter;
    uint64_t allocations, allocated; /* so far; at the beginning of the slice */
    uint64_t operations;             /* of the slice */
    struct tp_io *io;
    struct tp_fd fd;
    struct tp_rng rng;
    uint32_t depth, writes;
    uint64_t blocks;
    struct tp_buf *bufs;
    uint8_t *memory;
    uint64_t *handles;
};

static void *count_alloc(void *context, size_t size_bytes, size_t align)
{
    struct disk *d = context;

    tp_assert(align <= BLOCK);
    d->allocations++;
    return tp_alloc(NULL, size_bytes, BLOCK);
}

static void count_free(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    tp_free(NULL, memory, size_bytes, BLOCK);
}

static void hand_in(struct disk *d, uint32_t slot)
{
    uint64_t drawn = tp_rng_next(&d->rng);
    uint64_t offset = (drawn >> 8) % d->blocks * BLOCK;
    uint8_t *memory = d->memory + (size_t)slot * BLOCK;

    if (d->writes == SYNC_EVERY) {
        d->writes = 0;
        tp_io_fsync(d->io, slot + 1, d->fd, 0);
    } else if (drawn % 2 == 0) {
        d->bufs[slot] = tp_buf_empty(memory, BLOCK);
        tp_io_read_at(d->io, slot + 1, d->fd, &d->bufs[slot], offset);
    } else {
        d->writes++;
        memory[drawn % BLOCK]++;
        d->bufs[slot] = tp_buf_full(memory, BLOCK);
        tp_io_write_at(d->io, slot + 1, d->fd, &d->bufs[slot], offset);
    }
}

/* As the runtime does: the list is read from front to back, and forgotten. */
static int run_operations(struct disk *d, uint64_t operations)
{
    for (uint64_t done = 0; done < operations;) {
        struct tp_completions *list = tp_io_completions(d->io);
        uint32_t count = list->count;

        for (uint32_t i = 0; i < count; i++) {
            if (list->items[i].value < 0)
                return list->items[i].value;
            d->handles[i] = list->items[i].handle;
            tp_io_end_loan(d->io, d->handles[i]);
        }
        tp_completions_clear(list);
        for (uint32_t i = 0; i < count; i++)
            hand_in(d, (uint32_t)d->handles[i] - 1);
        done += count;
        tp_io_park(d->io, TP_NEVER);
    }
    return 0;
}

static int disk_run(void *state, uint64_t operations)
{
    struct disk *d = state;

    d->operations = operations;
    return run_operations(d, operations);
}

/* ------------------------------------------------------------------ life */

static void disk_close(void *state)
{
    struct disk *d = state;

    tp_io_destroy(d->io);
    free(d->handles);
    free(d->bufs);
    free(d->memory);
    free(d);
}

static int make_io(struct disk *d)
{
    struct tp_virtual_io_config config = {
        .size = sizeof config, .seed = 1, .allocator = &d->counter};
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    int result = tp_virtual_io_create(&config, &d->io);
    int32_t value;

    if (result < 0)
        return result;
    value = tp_io_block_on(d->io, tp_request_open("/file", options));
    if (value < 0)
        return value;
    d->fd = tp_io_into_fd(d->io, value);
    return 0;
}

/* Every page has been written and every table has grown before anything is measured. */
static int warm_up(struct disk *d)
{
    d->memory = aligned_alloc(BLOCK, (size_t)d->depth * BLOCK);
    d->bufs = calloc(d->depth, sizeof *d->bufs);
    d->handles = calloc(d->depth, sizeof *d->handles);
    if (d->memory == NULL || d->bufs == NULL || d->handles == NULL)
        return -ENOMEM;
    memset(d->memory, 0, (size_t)d->depth * BLOCK);
    for (uint32_t slot = 0; slot < d->depth; slot++)
        hand_in(d, slot);
    tp_io_park(d->io, TP_NEVER);
    return run_operations(d, d->blocks * WARM_UP);
}

static int disk_open(const struct bench_setting *setting, void **ret_state)
{
    struct disk *d = calloc(1, sizeof *d);
    int result;

    if (d == NULL)
        return -ENOMEM;
    d->counter = (struct tp_allocator){count_alloc, count_free, d};
    d->rng = (struct tp_rng){1};
    d->depth = setting->depth;
    d->blocks = setting->file_bytes / BLOCK;
    result = make_io(d);
    if (result == 0)
        result = warm_up(d);
    if (result < 0) {
        disk_close(d);
        return result;
    }
    *ret_state = d;
    return 0;
}

/* ------------------------------------------------------------------ beside a slice */

static int disk_prepare(void *state)
{
    struct disk *d = state;

    d->allocated = d->allocations;
    return 0;
}

/* Law 7: an operation allocates nothing. When more is dirty than ever before a table may
 * still grow, which is rare. */
static int disk_check(void *state)
{
    const struct disk *d = state;

    if (d->allocations - d->allocated <= 1 + d->operations / 1000)
        return 0;
    fprintf(stderr, "tempest-bench: %llu allocations while operations were under way\n",
            (unsigned long long)(d->allocations - d->allocated));
    return -EPROTO;
}

static const struct bench_hooks hooks = {
    .prepare = disk_prepare, .check = disk_check, .sample = bench_sim_sample};

const struct bench_contestant bench_sim_disk = {"disk",   "bare-copy", 0,     disk_open,
                                                disk_run, disk_close,  &hooks};
