/** tests/kv/world.h - a virtual disk with a service's directory on it, over any number of
 * boots. */
#ifndef TESTS_KV_WORLD_H
#define TESTS_KV_WORLD_H

#include "io/virtual/virtual.h"
#include "tests/kv/service.h"

#define WORLD_PATH "/srv/kv"

enum world_end { WORLD_POWER_CUT, WORLD_KILL };

struct world {
    struct tp_disk *disk;
    struct oracle oracle;
    struct service service;          /* of the last boot; its store stays to be looked at */
    uint64_t seed;                   /* of the next boot's choices */
    struct tp_virtual_faults faults; /* of the next boot, after which they are gone */
    uint64_t cut_at;                 /* event of the next boot; 0: it runs to its end */
    enum world_end end;              /* how it is cut */
    uint64_t events, operations;     /* of the last boot */
    uint64_t trace;
};

/** An empty disk. */
void world_init(struct world *world, const struct tp_disk_config *config, uint64_t seed);
void world_deinit(struct world *world);

/** A world that goes on from where this one is. */
void world_clone(const struct world *world, struct world *ret_clone);

/** One boot; the result of tp_scheduler_run(). */
int32_t world_boot(struct world *world, const struct work *work);

/** The power goes while nothing runs. */
void world_power_cut(struct world *world);

/** Few keys, small files and blocks, so that everything happens within few records. */
struct work world_work(uint64_t seed);

#endif
