#include "fixture.h"

struct tp_sim_outcome s_with(const struct tp_scenario *scenario, uint64_t seed,
                             uint32_t families_on, uint32_t families_off)
{
    struct tp_sim_options options = {.size = sizeof options,
                                     .seed = seed,
                                     .families_on = families_on,
                                     .families_off = families_off};
    struct tp_sim_outcome outcome;

    tp_sim_run(scenario, &options, &outcome);
    return outcome;
}

struct tp_sim_outcome s_seed(const struct tp_scenario *scenario, uint64_t seed)
{
    return s_with(scenario, seed, 0, 0);
}

bool s_chaos_is_over(struct tp_sim *sim)
{
    return tp_sim_phase(sim) > TP_PHASE_CHAOS;
}

struct s_total s_run(const struct tp_scenario *scenario, uint64_t seeds)
{
    struct s_total total = {0};

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct tp_sim_outcome outcome = s_seed(scenario, seed);
        bool failed = outcome.verdict != TP_VERDICT_PASSED;

        if (total.failed == 0) {
            total.first = outcome;
            total.first_seed = seed;
        }
        total.failed += failed;
        total.verdicts[outcome.verdict]++;
        total.operations += outcome.operations;
        for (uint32_t family = 0; family < TP_FAMILIES; family++)
            total.fired[family] += outcome.fired[family];
    }
    return total;
}
