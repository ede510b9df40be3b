/** apps/sim/zoo/hunt.h - looks for a bug of the zoo, and measures what it takes. */
#ifndef TEMPEST_APPS_SIM_ZOO_HUNT_H
#define TEMPEST_APPS_SIM_ZOO_HUNT_H

#include "apps/sim/zoo/zoo.h"

struct zoo_hunt {
    bool found;
    uint64_t seed;   /* the first that fails */
    uint64_t seeds;  /* run until then, that one included; or all of them */
    uint64_t cpu_ns; /* of the processes that ran them */
    struct tp_sim_outcome outcome;
};

/** Runs the seeds first .. first + seeds - 1, one after the other, until one fails. 0, or
 * -errno if there is no process to be had. */
int zoo_hunt_run(const struct tp_scenario *scenario, uint64_t first, uint64_t seeds,
                 struct zoo_hunt *ret_hunt);

/** What is made of a failure. */
struct zoo_study {
    uint32_t choices; /* that are left of it */
    const char
        *missing;  /* "fsync", "sync_dir"; or "error", "choice"; NULL: not explained */
    char file[64]; /* of the operation after which it is missing; "": none */
    uint32_t line;
};

/** Shrinks what was found, and explains it, for at most `time_ns` each. 0, or -errno. */
int zoo_hunt_study(const struct tp_scenario *scenario, const struct zoo_hunt *hunt,
                   uint64_t time_ns, struct zoo_study *ret_study);

#endif
