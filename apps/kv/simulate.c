#include "apps/kv/simulate.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/kv/sim/scenario.h"

/* What runs came to. */
struct sum {
    struct kv_tally tally;
    uint64_t events, operations, virtual_ns;
    uint64_t faults, kills, power_cuts;
};

static void add(struct sum *sum, const struct tp_sim_outcome *outcome)
{
    sum->events += outcome->events;
    sum->operations += outcome->operations;
    sum->virtual_ns += outcome->virtual_ns;
    sum->kills += outcome->fired[TP_FAMILY_KILL];
    sum->power_cuts += outcome->fired[TP_FAMILY_POWER];
    for (uint32_t family = 0; family < TP_FAMILIES; family++)
        sum->faults += outcome->fired[family];
}

/* Numbers are short-lived texts: one buffer for each of a line. */
struct numbers {
    char text[4][APP_TEXT_BYTES];
};

static const char *count(struct numbers *numbers, uint32_t which, uint64_t number)
{
    return app_count(number, numbers->text[which], APP_TEXT_BYTES);
}

static void print(const struct sum *sum)
{
    const struct kv_tally *tally = &sum->tally;
    const struct kv_oracle_stats *stats = &tally->stats;
    struct numbers n;
    char time[APP_TEXT_BYTES];

    (void)printf("  servers      %s; %s times a process was killed, %s times the power was "
                 "cut\n",
                 count(&n, 0, tally->boots), count(&n, 1, sum->kills),
                 count(&n, 2, sum->power_cuts));
    (void)printf("               %s ended in order, %s by an error\n",
                 count(&n, 0, tally->stops), count(&n, 1, tally->failures));
    (void)printf("  writes       %s acknowledged, %s refused; %s without an answer, of "
                 "which %s were there\n",
                 count(&n, 0, stats->steps_acked), count(&n, 1, stats->steps_refused),
                 count(&n, 2, stats->steps_unknown), count(&n, 3, stats->survived));
    (void)printf("  reads        %s, %s of them of what others write; %s of counters\n",
                 count(&n, 0, stats->reads), count(&n, 1, stats->reads_of_others),
                 count(&n, 2, stats->counts));
    (void)printf("  races        %s reads and writes of what everybody writes, %s of them "
                 "without an answer\n",
                 count(&n, 0, tally->races), count(&n, 1, tally->unknown_races));
    if (tally->undecided > 0)
        (void)printf("               too much to be judged in %s lives\n",
                     count(&n, 0, tally->undecided));
    (void)printf("  beside       %s snapshots, %s faults of all kinds\n",
                 count(&n, 0, tally->snapshots), count(&n, 1, sum->faults));
    (void)printf("  the world    %s operations, %s events in %s of its time\n",
                 count(&n, 0, sum->operations), count(&n, 1, sum->events),
                 app_duration(sum->virtual_ns, time, sizeof time));
}

int kv_simulate(uint64_t first, uint64_t last)
{
    struct sum sum = {.events = 0};
    struct kv_scenario_context context = {&sum.tally};
    struct tp_scenario scenario = kv_scenario;
    struct tp_sim_outcome outcome;

    scenario.context = &context;
    for (uint64_t seed = first;; seed++) {
        struct tp_sim_options options = {.size = sizeof options, .seed = seed};

        tp_sim_run(&scenario, &options, &outcome);
        add(&sum, &outcome);
        if (outcome.verdict != TP_VERDICT_PASSED) {
            (void)printf("seed %" PRIu64 ": %s: %s\n", seed,
                         tp_verdict_name(outcome.verdict), outcome.message);
            print(&sum);
            return APP_EXIT_FAILED;
        }
        if (seed == last)
            break;
    }
    if (first == last)
        (void)printf("seed %" PRIu64 ": nothing was lost, nothing was invented; trace hash "
                     "%016" PRIx64 "\n",
                     first, outcome.trace);
    else
        (void)printf("seeds %" PRIu64 " to %" PRIu64
                     ": nothing was lost, nothing was invented\n",
                     first, last);
    print(&sum);
    return APP_EXIT_DONE;
}
