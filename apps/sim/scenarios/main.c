/* tempest-sim: the scenarios of this directory, the zoo, and everything that can be done
 * with them. */
#include <string.h>

#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/zoo/command.h"
#include "apps/sim/zoo/zoo.h"

enum { OWN = 4, SCENARIOS_MAX = 64 };

int main(int argc, char **argv)
{
    struct tp_scenario scenarios[SCENARIOS_MAX] = {
        tally_scenario, tally_broken_scenario, tally_nodir_scenario, tally_deaf_scenario};
    uint32_t count = OWN;

    if (argc > 1 && strcmp(argv[1], "zoo") == 0)
        return zoo_command(argc - 1, argv + 1);
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        tp_assert(count + 2 <= SCENARIOS_MAX);
        scenarios[count++] = *zoo_bugs[i].bug;
        scenarios[count++] = *zoo_bugs[i].twin;
    }
    return tp_sim_main(argc, argv, scenarios, count);
}
