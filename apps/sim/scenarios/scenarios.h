/** apps/sim/scenarios/scenarios.h - the scenarios of tempest-sim. */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_SCENARIOS_H
#define TEMPEST_APPS_SIM_SCENARIOS_SCENARIOS_H

#include "apps/sim/sim.h"

extern const struct tp_scenario tally_scenario, tally_broken_scenario, tally_nodir_scenario,
    tally_deaf_scenario;

enum { SIM_SCENARIOS_MAX = 64 };

/** All of them, those of the zoo too, copied into an array of SIM_SCENARIOS_MAX. Result:
 * how many. */
uint32_t sim_scenarios(struct tp_scenario *ret_scenarios);

#endif
