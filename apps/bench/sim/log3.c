#include <stdlib.h>

#include "apps/bench/sim/sim.h"
#include "apps/sim/scenarios/log3/scenario.h"

/* Three nodes with a replicated log for 1,000 virtual seconds, with the faults that a seed
 * draws: how much faster than real time that is. A seed a round. */

enum { ROUNDS = 49 }; /* seeds differ by seven times */

/* What one round came to. */
struct round {
    double sim_to_real, ops_s, seeds_s;
};

/* A seed that fails took its time like any other; whether log3 is right is not measured
 * here, but nobody shall overlook it. */
static void run_seed(uint64_t seed, struct round *ret_round)
{
    struct tp_sim_options options = {.size = sizeof options, .seed = seed};
    struct tp_sim_outcome outcome = {0};
    uint64_t began_ns = bench_cpu_ns();
    double spent_s;

    tp_sim_run(&log3_long_scenario, &options, &outcome);
    spent_s = (double)(bench_cpu_ns() - began_ns + 1) / 1e9;
    if (outcome.verdict != TP_VERDICT_PASSED)
        fprintf(stderr, "tempest-bench: log3, seed %llu: %s\n", (unsigned long long)seed,
                outcome.message);
    ret_round->sim_to_real = (double)outcome.virtual_ns / 1e9 / spent_s;
    ret_round->ops_s = (double)outcome.operations / spent_s;
    ret_round->seeds_s = 1 / spent_s;
}

/* By how fast the time passed. */
static int compare(const void *a, const void *b)
{
    const struct round *left = a, *right = b;

    return (left->sim_to_real > right->sim_to_real) -
           (left->sim_to_real < right->sim_to_real);
}

void bench_sim_log3(const struct bench_options *options, struct bench_report *report)
{
    uint32_t count = options->rounds > 0 ? options->rounds : ROUNDS;
    struct round rounds[BENCH_ROUNDS_MAX];
    const struct round *median;

    if (!bench_options_want(options, "log3"))
        return;
    for (uint32_t i = 0; i < count; i++)
        run_seed(i + 1, &rounds[i]);
    qsort(rounds, count, sizeof rounds[0], compare);
    median = &rounds[count / 2];
    {
        const struct bench_extra extras[] = {
            {"sim_to_real", median->sim_to_real},
            {"sim_to_real_min", rounds[0].sim_to_real},
            {"sim_to_real_max", rounds[count - 1].sim_to_real},
            {"ops_s", median->ops_s},
            {"seeds_s", median->seeds_s}};

        bench_report_numbers(report, "log3", extras, sizeof extras / sizeof extras[0]);
    }
}
