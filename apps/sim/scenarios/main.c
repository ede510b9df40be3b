/* tempest-sim: the scenarios of this directory, and everything that can be done with one.
 */
#include "apps/sim/scenarios/scenarios.h"

enum { SCENARIOS = 4 };

int main(int argc, char **argv)
{
    struct tp_scenario scenarios[SCENARIOS] = {tally_scenario, tally_broken_scenario,
                                               tally_nodir_scenario, tally_deaf_scenario};

    return tp_sim_main(argc, argv, scenarios, SCENARIOS);
}
