#include "apps/kv/simulate.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/kv/sim/world.h"

static void add(struct kv_world_outcome *sum, const struct kv_world_outcome *one)
{
    sum->events += one->events;
    sum->virtual_ns += one->virtual_ns;
    sum->boots += one->boots;
    sum->kills += one->kills;
    sum->power_cuts += one->power_cuts;
    sum->stops += one->stops;
    sum->failures += one->failures;
    sum->connections += one->connections;
    sum->snapshots += one->snapshots;
    sum->faults += one->faults;
    sum->stats.steps_acked += one->stats.steps_acked;
    sum->stats.steps_refused += one->stats.steps_refused;
    sum->stats.steps_unknown += one->stats.steps_unknown;
    sum->stats.survived += one->stats.survived;
    sum->stats.reads += one->stats.reads;
    sum->stats.reads_of_others += one->stats.reads_of_others;
    sum->stats.counts += one->stats.counts;
}

/* Numbers are short-lived texts: one buffer for each of a line. */
struct numbers {
    char text[4][APP_TEXT_BYTES];
};

static const char *count(struct numbers *numbers, uint32_t which, uint64_t number)
{
    return app_count(number, numbers->text[which], APP_TEXT_BYTES);
}

static void print(const struct kv_world_outcome *o)
{
    const struct kv_oracle_stats *stats = &o->stats;
    struct numbers n;
    char time[APP_TEXT_BYTES];

    (void)printf("  servers      %" PRIu32 ": %" PRIu32 " killed, %" PRIu32
                 " power cuts, %" PRIu32 " ended in order, %" PRIu32 " by an error\n",
                 o->boots, o->kills, o->power_cuts, o->stops, o->failures);
    (void)printf("  writes       %s acknowledged, %s refused; %s without an answer, of "
                 "which %s were there\n",
                 count(&n, 0, stats->steps_acked), count(&n, 1, stats->steps_refused),
                 count(&n, 2, stats->steps_unknown), count(&n, 3, stats->survived));
    (void)printf("  reads        %s, %s of them of what others write; %s of counters\n",
                 count(&n, 0, stats->reads), count(&n, 1, stats->reads_of_others),
                 count(&n, 2, stats->counts));
    (void)printf("  beside       %s connections, %s snapshots, %s faults of the network\n",
                 count(&n, 0, o->connections), count(&n, 1, o->snapshots),
                 count(&n, 2, o->faults));
    (void)printf("  the world    %s events in %s of its time\n", count(&n, 0, o->events),
                 app_duration(o->virtual_ns, time, sizeof time));
}

int kv_simulate(uint64_t first, uint64_t last)
{
    struct kv_world_outcome sum = {.events = 0}, outcome;

    for (uint64_t seed = first;; seed++) {
        struct kv_world_config config = {.seed = seed};

        if (kv_world_run(&config, &outcome) < 0) {
            app_say("no memory");
            return APP_EXIT_FAILED;
        }
        add(&sum, &outcome);
        if (outcome.violation[0] != '\0') {
            (void)printf("seed %" PRIu64 ": broken: %s\n", seed, outcome.violation);
            print(&outcome);
            return APP_EXIT_FAILED;
        }
        if (seed == last)
            break;
    }
    if (first == last)
        (void)printf("seed %" PRIu64 ": nothing was lost, nothing was invented; trace hash "
                     "%016" PRIx64 "\n",
                     first, outcome.trace_hash);
    else
        (void)printf("seeds %" PRIu64 " to %" PRIu64
                     ": nothing was lost, nothing was invented\n",
                     first, last);
    print(&sum);
    return APP_EXIT_DONE;
}
