#include "explained.h"

#include <string.h>

#include "fixture.h"

static bool is_wanted(const struct s_wanted *wanted, const struct tp_sim_outcome *outcome)
{
    return outcome->verdict == TP_VERDICT_FAILED &&
           (!wanted->is_uncut || outcome->phase < TP_PHASE_RECOVERY) &&
           (wanted->message == NULL || strstr(outcome->message, wanted->message) != NULL);
}

uint64_t s_explain(const struct tp_scenario *scenario, const struct s_wanted *wanted,
                   struct tp_explain *ret_explain)
{
    uint32_t on = wanted->families, off = S_ALL & ~on;
    struct tp_batch_job job = {.scenario = scenario,
                               .options = {.families_off = off, .families_on = on}};
    struct tp_explain explain = {.until_ns = UINT64_MAX};
    struct tp_trial trial;
    struct tp_tape *tape = NULL;
    uint64_t seed = wanted->after + 1;

    while (seed <= wanted->seeds) {
        explain.outcome = s_with(scenario, seed, on, off);
        if (is_wanted(wanted, &explain.outcome))
            break;
        seed++;
    }
    if (seed > wanted->seeds)
        return 0;
    tp_assert(tp_trial_open(&trial, &job) == 0);
    tp_assert(tp_trial_seed(&trial, seed, &explain.outcome, &tape) == 0);
    tp_assert(is_wanted(wanted, &explain.outcome));
    explain.trial = &trial;
    explain.tape = tape;
    tp_assert(tp_explain_run(&explain) == 0);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    *ret_explain = explain;
    ret_explain->trial = NULL;
    ret_explain->tape = NULL;
    return seed;
}
