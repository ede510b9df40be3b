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

/** Shrinks what was found for at most `time_ns`: the choices that are left. 0, or -errno.
 */
int zoo_hunt_shrink(const struct tp_scenario *scenario, const struct zoo_hunt *hunt,
                    uint64_t time_ns, uint32_t *ret_choices);

#endif
