#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void world_init(struct world *world, const struct tp_disk_config *config, uint64_t seed)
{
    struct tp_disk_config small = {.size = sizeof small};
    int error;

    memset(world, 0, sizeof *world);
    oracle_reset(&world->oracle);
    world->seed = seed;
    if (config != NULL)
        small = *config;
    small.inodes_max = 256; /* small tables: a sweep makes thousands of disks */
    small.names_pending_max = 256;
    error = tp_disk_create(&small, &world->disk);
    tp_assert(error == 0);
    error = tp_disk_make_dir(world->disk, WORLD_PATH, 0755);
    tp_assert(error == 0);
}

void world_deinit(struct world *world)
{
    tp_disk_destroy(world->disk);
    world->disk = NULL;
}

void world_clone(const struct world *world, struct world *ret_clone)
{
    int error;

    *ret_clone = *world;
    error = tp_disk_clone(world->disk, &ret_clone->disk);
    tp_assert(error == 0);
}

static struct tp_io *open_io(struct world *world)
{
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .seed = world->seed,
                                          .disk = world->disk,
                                          .ops_max = 1024,
                                          .completions_max = 1024,
                                          .fds_max = 64,
                                          .queue_max = 256,
                                          .buf_count = 4,
                                          .buf_size = 16384,
                                          .faults = world->faults};
    struct tp_io *io;
    int error = tp_virtual_io_create(&config, &io);

    tp_assert(error == 0);
    tp_virtual_io_cut_at(io, world->cut_at);
    return io;
}

static void close_io(struct world *world, struct tp_io *io)
{
    static const struct tp_virtual_faults none;

    world->events = tp_virtual_io_events(io);
    world->operations = tp_virtual_io_operations(io);
    world->faults = none;
    world->cut_at = 0;
    world->seed++;
    tp_io_destroy(io);
}

int32_t world_boot(struct world *world, const struct workload *work)
{
    struct tp_io *io = open_io(world);
    int32_t result =
        run_boot(&world->run, io, work, &world->oracle,
                 world->end == WORLD_KILL ? tp_virtual_io_kill : tp_virtual_io_power_cut);

    close_io(world, io);
    return result;
}

int32_t world_boot_cancelled(struct world *world, const struct workload *work,
                             uint32_t iterations, bool *ret_finished)
{
    struct tp_io *io = open_io(world);
    int32_t result =
        run_boot_cancelled(&world->run, io, work, &world->oracle, iterations, ret_finished);

    close_io(world, io);
    return result;
}

void world_power_cut(struct world *world)
{
    struct tp_tape *tape;
    int error = tp_tape_from_seed(world->seed++, false, NULL, &tape);

    tp_assert(error == 0);
    tp_disk_power_cut(world->disk, tape, 0);
    tp_tape_destroy(tape);
}

struct workload world_work(uint64_t seed)
{
    struct workload work = {.config = {.group_bytes = 8192,
                                       .segment_bytes = 32768,
                                       .path = WORLD_PATH,
                                       .idle_mark_ns = 1000000},
                            .seed = seed,
                            .appenders = 3,
                            .records = 6,
                            .len_max = 3000};

    return work;
}

const char *world_segment(uint64_t segment)
{
    static char path[sizeof WORLD_PATH + TP_JOURNAL_NAME_SIZE];
    char name[TP_JOURNAL_NAME_SIZE];

    tp_journal_name(segment, name);
    (void)snprintf(path, sizeof path, "%s/%s", WORLD_PATH, name);
    return path;
}

void world_read(struct world *world, uint64_t segment, uint64_t offset, void *ret_bytes,
                uint32_t len_bytes)
{
    int64_t count =
        tp_disk_read_at(world->disk, world_segment(segment), offset, ret_bytes, len_bytes);

    tp_assert(count == len_bytes);
}

void world_write(struct world *world, uint64_t segment, uint64_t offset, const void *bytes,
                 uint32_t len_bytes)
{
    int64_t count =
        tp_disk_write_at(world->disk, world_segment(segment), offset, bytes, len_bytes);

    tp_assert(count == len_bytes);
}
