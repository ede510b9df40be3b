#include "apps/copy/sim/scenario.h"
#include "apps/kv/sim/scenario.h"
#include "apps/sim/scenarios/log3/scenario.h"
#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/zoo/zoo.h"

enum { OWN = 8 };

static const struct tp_scenario *const own[OWN] = {
    &tally_scenario, &tally_broken_scenario, &tally_nodir_scenario, &tally_deaf_scenario,
    &kv_scenario,    &log3_scenario,         &copy_scenario,        &copy_unsynced_scenario,
};

uint32_t sim_scenarios(struct tp_scenario *ret_scenarios)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < OWN; i++)
        ret_scenarios[count++] = *own[i];
    tp_assert(count + 2 * zoo_bug_count <= SIM_SCENARIOS_MAX);
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        ret_scenarios[count++] = *zoo_bugs[i].bug;
        ret_scenarios[count++] = *zoo_bugs[i].twin;
    }
    return count;
}
