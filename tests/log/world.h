/** tests/log/world.h - a virtual disk with a journal on it, over any number of boots. */
#ifndef TESTS_LOG_WORLD_H
#define TESTS_LOG_WORLD_H

#include "io/virtual/virtual.h"
#include "tests/log/workload.h"

#define WORLD_PATH "/log"

enum world_end { WORLD_POWER_CUT, WORLD_KILL };

struct world {
    struct tp_disk *disk;
    struct oracle oracle;
    struct run run;
    uint64_t seed;                   /* of the next boot's choices */
    struct tp_virtual_faults faults; /* of the next boot, after which they are gone */
    uint64_t cut_at;                 /* event of the next boot; 0: it runs to its end */
    enum world_end end;              /* how it is cut */
    uint64_t events, operations;     /* of the last boot */
};

/** An empty directory on an empty disk. */
void world_init(struct world *world, const struct tp_disk_config *config, uint64_t seed);
void world_deinit(struct world *world);

/** A world that goes on from where this one is. */
void world_clone(const struct world *world, struct world *ret_clone);

/** One boot; the result of tp_scheduler_run(). */
int32_t world_boot(struct world *world, const struct workload *work);

/** The same, with the journal cancelled; see run_boot_cancelled(). */
int32_t world_boot_cancelled(struct world *world, const struct workload *work,
                             uint32_t iterations, bool *ret_finished);

/** The power goes while nothing runs. */
void world_power_cut(struct world *world);

/** Small files and groups, so that everything happens within a few records. */
struct workload world_work(uint64_t seed);

/** Reads and writes the file of a segment behind the journal's back. */
void world_read(struct world *world, uint64_t segment, uint64_t offset, void *ret_bytes,
                uint32_t len_bytes);
void world_write(struct world *world, uint64_t segment, uint64_t offset, const void *bytes,
                 uint32_t len_bytes);

/** The path of the file of a segment; valid until the next call. */
const char *world_segment(uint64_t segment);

#endif
