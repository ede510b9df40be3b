#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/bench/sim/sim.h"
#include "apps/kv/sim/scenario.h"
#include "apps/sim/zoo/zoo.h"

/* Seeds of scenarios in which everything goes well in the end: faults, a power cut of
 * everything, a recovery, and a look at what is left. */

struct seeds {
    struct bench_sim_clock clock;
    const struct tp_scenario *scenarios[64];
    uint32_t count, next;
    uint64_t seed;
};

static int seeds_run(void *state, uint64_t operations)
{
    struct seeds *s = state;
    struct tp_sim_outcome outcome = {0};

    bench_sim_clock_start(&s->clock);
    for (uint64_t i = 0; i < operations; i++) {
        const struct tp_scenario *scenario = s->scenarios[s->next];
        struct tp_sim_options options = {.size = sizeof options, .seed = s->seed};

        tp_sim_run(scenario, &options, &outcome);
        if (outcome.verdict != TP_VERDICT_PASSED) {
            fprintf(stderr, "tempest-bench: %s, seed %llu: %s\n", scenario->name,
                    (unsigned long long)s->seed, outcome.message);
            return -EPROTO;
        }
        s->next = (s->next + 1) % s->count;
        s->seed += s->next == 0;
    }
    bench_sim_clock_stop(&s->clock);
    return 0;
}

static int seeds_open(void **ret_state)
{
    struct seeds *s = calloc(1, sizeof *s);

    if (s == NULL)
        return -ENOMEM;
    s->seed = 1;
    *ret_state = s;
    return 0;
}

/* The twins: a bug would end most of its runs early. */
static int zoo_open(const struct bench_setting *setting, void **ret_state)
{
    int result = seeds_open(ret_state);
    struct seeds *s;

    (void)setting;
    if (result < 0)
        return result;
    s = *ret_state;
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        tp_assert(s->count < sizeof s->scenarios / sizeof s->scenarios[0]);
        s->scenarios[s->count++] = zoo_bugs[i].twin;
    }
    return 0;
}

static int kv_open(const struct bench_setting *setting, void **ret_state)
{
    int result = seeds_open(ret_state);
    struct seeds *s;

    (void)setting;
    if (result < 0)
        return result;
    s = *ret_state;
    s->scenarios[s->count++] = &kv_scenario;
    return 0;
}

static void seeds_sample(void *state, struct bench_sample *ret_sample)
{
    const struct seeds *s = state;

    ret_sample->wall_ns = (double)s->clock.spent_ns;
}

static const struct bench_hooks hooks = {.sample = seeds_sample};

const struct bench_contestant bench_sim_zoo = {"zoo",     NULL, 0,     zoo_open,
                                               seeds_run, free, &hooks};
const struct bench_contestant bench_sim_kv = {"kv",      NULL, 0,     kv_open,
                                              seeds_run, free, &hooks};
