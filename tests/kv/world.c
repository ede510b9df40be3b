#include "tests/kv/world.h"

#include <stdio.h>

void world_init(struct world *world, const struct tp_disk_config *config, uint64_t seed)
{
    struct tp_disk_config small = {.size = sizeof small};
    int error;

    memset(world, 0, sizeof *world);
    oracle_init(&world->oracle);
    world->seed = seed;
    if (config != NULL)
        small = *config;
    small.inodes_max = 256; /* small tables: a sweep makes thousands of disks */
    small.names_pending_max = 256;
    error = tp_disk_create(&small, &world->disk);
    tp_assert(error == 0);
}

void world_deinit(struct world *world)
{
    service_deinit(&world->service);
    oracle_deinit(&world->oracle);
    tp_disk_destroy(world->disk);
    world->disk = NULL;
}

void world_clone(const struct world *world, struct world *ret_clone)
{
    int error;

    *ret_clone = *world;
    memset(&ret_clone->service, 0, sizeof ret_clone->service);
    oracle_copy(&world->oracle, &ret_clone->oracle);
    error = tp_disk_clone(world->disk, &ret_clone->disk);
    tp_assert(error == 0);
}

int32_t world_boot(struct world *world, const struct work *work)
{
    static const struct tp_virtual_faults none;
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
    int32_t result = tp_virtual_io_create(&config, &io);

    tp_assert(result == 0);
    service_deinit(&world->service);
    tp_virtual_io_cut_at(io, world->cut_at);
    result = service_boot(&world->service, io, work, &world->oracle,
                          world->end == WORLD_KILL ? tp_virtual_io_kill
                                                   : tp_virtual_io_power_cut);
    world->events = tp_virtual_io_events(io);
    world->operations = tp_virtual_io_operations(io);
    world->trace = tp_virtual_io_trace_hash(io);
    world->faults = none;
    world->cut_at = 0;
    world->seed++;
    tp_io_destroy(io);
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

struct work world_work(uint64_t seed)
{
    struct work work = {.seed = seed,
                        .path = WORLD_PATH,
                        .records = 40,
                        .keys = 40,
                        .dbs = 3,
                        .len_max = 700,
                        .flush_every = 60,
                        .wait_one_in = 5,
                        .pause_ns = 60000,
                        .save_every = 8};

    return work;
}
