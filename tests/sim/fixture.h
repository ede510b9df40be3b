/** tests/sim/fixture.h - a scenario, run for some seeds in this process. */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include "apps/sim/sim.h"

/** What seeds came to, together. */
struct s_total {
    uint32_t failed;
    uint32_t verdicts[TP_VERDICTS];
    uint64_t operations;
    uint64_t fired[TP_FAMILIES];
    struct tp_sim_outcome first; /* that failed; else the last */
    uint64_t first_seed;
};

/** Seeds 1 to `seeds`. */
struct s_total s_run(const struct tp_scenario *scenario, uint64_t seeds);

/** One seed. */
struct tp_sim_outcome s_seed(const struct tp_scenario *scenario, uint64_t seed);

/** The same with options. */
struct tp_sim_outcome s_with(const struct tp_scenario *scenario, uint64_t seed,
                             uint32_t families_on, uint32_t families_off);

/** For a scenario that has nothing to finish: it is done once nothing befalls it any more.
 */
bool s_chaos_is_over(struct tp_sim *sim);

/** Every family. */
#define S_ALL ((UINT32_C(1) << TP_FAMILIES) - 1)

#endif
