/** tests/virtual/no_alloc.c - law 7: once every table has grown, nothing is allocated any
 * more. All memory comes through one allocator that counts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/virtual/random.h"
#include "io/virtual/virtual.h"

enum { PAGE = 4096, FILES = 4, DEPTH = 32 };

static uint64_t allocations, live;

static void *count_alloc(void *context, size_t size_bytes, size_t align)
{
    size_t size = (size_bytes + align - 1) / align * align;
    void *memory = aligned_alloc(align < 16 ? 16 : align, size < 16 ? 16 : size);

    (void)context;
    allocations++;
    live++;
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

static void count_free(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    live--;
    free(memory);
}

static const struct tp_allocator counter = {count_alloc, count_free, NULL};
static struct tp_io *io;
static struct tp_fd files[FILES];
static struct tp_buf bufs[DEPTH];
static uint8_t memory[DEPTH][PAGE];
static struct tp_statx statx[DEPTH];

static void hand_in(struct tp_rng *rng, uint32_t slot)
{
    uint64_t offset = tp_rng_below(rng, 64) * PAGE;
    struct tp_fd fd = files[tp_rng_below(rng, FILES)];

    switch (tp_rng_below(rng, 12)) {
    case 0:
        tp_io_fsync(io, slot + 1, fd, 0);
        break;
    case 1:
        tp_io_rename(io, slot + 1, "/a/long/path/for/a", "/a/long/path/for/b");
        break;
    case 2:
        tp_io_create_dir(io, slot + 1, "/a/long/path/for/a", 0755);
        break;
    case 3:
        tp_io_remove_dir(io, slot + 1, "/a/long/path/for/b");
        break;
    case 4:
        tp_io_truncate(io, slot + 1, fd, offset);
        break;
    case 5:
        tp_io_stat(io, slot + 1, "/f1", &statx[slot]);
        break;
    case 6:
        tp_io_sync_dir(io, slot + 1, "/a/long/path/for");
        break;
    case 7:
    case 8:
        bufs[slot] = tp_buf_empty(memory[slot], PAGE);
        tp_io_read_at(io, slot + 1, fd, &bufs[slot], offset);
        break;
    default:
        memset(memory[slot], (int)offset, PAGE);
        bufs[slot] = tp_buf_full(memory[slot], PAGE);
        tp_io_write_at(io, slot + 1, fd, &bufs[slot], offset);
        break;
    }
}

static void run(struct tp_rng *rng, uint32_t rounds)
{
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t slot = 0; slot < DEPTH; slot++)
            hand_in(rng, slot);
        while (tp_io_in_flight(io) > 0) {
            tp_io_park(io, TP_NEVER);
            for (uint32_t slot = 0; slot < DEPTH; slot++) {
                struct tp_completion completion;

                (void)tp_io_get_cqe(io, slot + 1, &completion);
            }
        }
    }
}

Test(no_alloc, a_warm_world_allocates_nothing)
{
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .seed = 1,
                                          .ops_max = 64,
                                          .fds_max = 16,
                                          .allocator = &counter};
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_rng rng = {1};
    uint64_t warm;

    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0));
    cr_assert(eq(i32, tp_io_create_dir_all_blocking(io, "/a/long/path/for"), 0));
    for (uint32_t i = 0; i < FILES; i++) {
        char path[4] = {'/', 'f', (char)('0' + i), '\0'};
        int32_t value = tp_io_block_on(io, tp_request_open(path, options));

        cr_assert(value >= 0);
        files[i] = tp_io_into_fd(io, value);
    }
    run(&rng, 4000);
    warm = allocations;
    run(&rng, 2000);
    cr_assert(eq(u64, allocations, warm));
    tp_virtual_io_destroy(io);
    cr_assert(eq(u64, live, 0));
}
