#include "apps/sim/zoo/hunt.h"

#include <stdio.h>
#include <sys/resource.h>

#include "apps/sim/explain.h"
#include "apps/sim/farm.h"
#include "apps/sim/shrink.h"
#include "apps/sim/text.h"

#define HANG_NS UINT64_C(120000000000)

static void take_result(void *context, const struct tp_seed_result *result)
{
    struct zoo_hunt *hunt = context;

    if (result->outcome.verdict == TP_VERDICT_PASSED ||
        (hunt->found && hunt->seed < result->seed))
        return;
    hunt->found = true;
    hunt->seed = result->seed;
    hunt->outcome = result->outcome;
}

static void show_nothing(void *context, uint64_t elapsed_ns)
{
    (void)context;
    (void)elapsed_ns;
}

/* What children that have ended took. */
static uint64_t children_ns(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

int zoo_hunt_run(const struct tp_scenario *scenario, uint64_t first, uint64_t seeds,
                 struct zoo_hunt *ret_hunt)
{
    struct tp_farm_totals totals;
    struct tp_farm_config config = {
        .job = {.scenario = scenario},
        .first = first,
        .last = first + seeds - 1,
        .hang_ns = HANG_NS,
        .jobs = 1,
        .until_failure = true,
        .result = take_result,
        .progress = show_nothing,
        .context = ret_hunt,
    };
    uint64_t before_ns = children_ns();
    int error;

    tp_assert(seeds > 0);
    *ret_hunt = (struct zoo_hunt){.found = false};
    error = tp_farm_run(&config, &totals);
    ret_hunt->cpu_ns = children_ns() - before_ns;
    ret_hunt->seeds = ret_hunt->found ? ret_hunt->seed - first + 1 : seeds;
    return error;
}

static void note_explanation(const struct tp_explain *explain, struct zoo_study *study)
{
    const struct tp_record *at = tp_explain_site(explain);

    if (explain->how == TP_EXPLAINED_NOT)
        return;
    study->missing = tp_explain_kind(explain);
    if (at->file == NULL)
        return;
    (void)snprintf(study->file, sizeof study->file, "%s", tp_text_base(at->file));
    study->line = at->line;
}

static int shrink_and_explain(struct tp_trial *trial, uint64_t seed, uint64_t time_ns,
                              struct zoo_study *study)
{
    struct tp_shrink shrink = {.trial = trial};
    struct tp_explain explain = {.trial = trial};
    int error = tp_trial_seed(trial, seed, &shrink.outcome, &shrink.best);

    if (error < 0)
        return error;
    shrink.until_ns = tp_host_now_ns() + time_ns;
    error = tp_shrink_run(&shrink);
    if (error == 0)
        error = tp_shrink_others(&shrink, seed, &seed);
    study->choices = tp_shrink_choices(shrink.best);
    explain.tape = shrink.best;
    explain.outcome = shrink.outcome;
    explain.until_ns = tp_host_now_ns() + time_ns;
    if (error == 0)
        error = tp_explain_run(&explain);
    if (error == 0)
        note_explanation(&explain, study);
    tp_tape_destroy(shrink.best);
    return error;
}

int zoo_hunt_study(const struct tp_scenario *scenario, const struct zoo_hunt *hunt,
                   uint64_t time_ns, struct zoo_study *ret_study)
{
    const struct tp_batch_job job = {.scenario = scenario};
    struct tp_trial trial;
    int error = tp_trial_open(&trial, &job);

    tp_assert(hunt->found);
    if (error < 0)
        return error;
    *ret_study = (struct zoo_study){.missing = NULL};
    error = shrink_and_explain(&trial, hunt->seed, time_ns, ret_study);
    tp_trial_close(&trial);
    return error;
}
