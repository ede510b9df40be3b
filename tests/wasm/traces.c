/* The traces of seeds, natively, for traces.mjs to compare with: of every scenario the
 * first few, a line each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/sim/scenarios/scenarios.h"

int main(int argc, char **argv)
{
    static struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
    uint32_t count = sim_scenarios(scenarios);
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 3;

    for (uint32_t i = 0; i < count; i++) {
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct tp_sim_options options = {.seed = seed};
            struct tp_sim_outcome outcome;

            tp_sim_run(&scenarios[i], &options, &outcome);
            (void)printf("%s %" PRIu64 " %s %016" PRIx64 " %" PRIu64 "\n",
                         scenarios[i].name, seed, tp_verdict_name(outcome.verdict),
                         outcome.trace, outcome.events);
        }
    }
    return 0;
}
