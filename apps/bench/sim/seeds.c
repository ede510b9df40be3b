#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/bench/sim/sim.h"
#include "apps/kv/sim/scenario.h"
#include "apps/sim/zoo/zoo.h"

/* Seeds of scenarios in which everything goes well in the end: faults, a power cut of
 * everything, a recovery, and a look at what is left. */

struct seeds {
    uint64_t done; /* which scenario comes next, and which seed, follows from it */
};

static int run_seed(const struct tp_scenario *scenario, uint64_t seed)
{
    struct tp_sim_options options = {.size = sizeof options, .seed = seed};
    struct tp_sim_outcome outcome = {0};

    tp_sim_run(scenario, &options, &outcome);
    if (outcome.verdict == TP_VERDICT_PASSED)
        return 0;
    fprintf(stderr, "tempest-bench: %s, seed %llu: %s\n", scenario->name,
            (unsigned long long)seed, outcome.message);
    return -EPROTO;
}

/* The twins in turn: a bug would end most of its runs early. */
static int zoo_run(void *state, uint64_t operations)
{
    struct seeds *s = state;
    int result = 0;

    for (uint64_t i = 0; i < operations && result == 0; i++, s->done++)
        result =
            run_seed(zoo_bugs[s->done % zoo_bug_count].twin, 1 + s->done / zoo_bug_count);
    return result;
}

static int kv_run(void *state, uint64_t operations)
{
    struct seeds *s = state;
    int result = 0;

    for (uint64_t i = 0; i < operations && result == 0; i++)
        result = run_seed(&kv_scenario, ++s->done);
    return result;
}

static int seeds_open(const struct bench_setting *setting, void **ret_state)
{
    (void)setting;
    *ret_state = calloc(1, sizeof(struct seeds));
    return *ret_state == NULL ? -ENOMEM : 0;
}

static const struct bench_hooks hooks = {.sample = bench_sim_sample};

const struct bench_contestant bench_sim_zoo = {"zoo",   NULL, 0,     seeds_open,
                                               zoo_run, free, &hooks};
const struct bench_contestant bench_sim_kv = {"kv",   NULL, 0,     seeds_open,
                                              kv_run, free, &hooks};
