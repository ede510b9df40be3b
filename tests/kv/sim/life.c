/* The simulated life of a server: what it must contain to be worth something, and that it
 * is the same life whenever it is lived. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/kv/sim/world.h"

static struct kv_world_outcome live(uint64_t seed, bool mild)
{
    struct kv_world_config config = {.seed = seed, .mild = mild};
    struct kv_world_outcome outcome;

    cr_assert(eq(int, kv_world_run(&config, &outcome), 0));
    cr_assert(eq(str, outcome.violation, ""), "seed %llu", (unsigned long long)seed);
    return outcome;
}

/* Without faults there is one server after the other, and every write is acknowledged. */
Test(life, is_calm_when_nothing_goes_wrong)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct kv_world_outcome outcome = live(seed, true);

        cr_assert(eq(u32, outcome.boots, 2));
        cr_assert(eq(u32, outcome.stops, 2));
        cr_assert(eq(u32, outcome.kills + outcome.failures, 0));
        cr_assert(eq(u64, outcome.faults, 0));
        cr_assert(eq(u64, outcome.stats.steps_refused + outcome.stats.steps_unknown, 0));
        cr_assert(gt(u64, outcome.stats.steps_acked, 0));
    }
}

Test(life, is_the_same_for_the_same_seed)
{
    uint64_t hashes[3];

    for (uint64_t seed = 0; seed < 3; seed++)
        hashes[seed] = live(20 + seed, false).trace_hash;
    for (uint64_t seed = 3; seed-- > 0;)
        cr_assert(eq(u64, live(20 + seed, false).trace_hash, hashes[seed]));
    cr_assert(ne(u64, hashes[0], hashes[1]));
}

/* A search that finds nothing means something only if everything was tried. */
Test(life, holds_everything_that_can_go_wrong)
{
    struct kv_world_outcome sum = {.events = 0};

    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct kv_world_outcome outcome = live(seed, false);

        sum.kills += outcome.kills;
        sum.power_cuts += outcome.power_cuts - 2; /* there always are, in the end */
        sum.stops += outcome.stops - 2;
        sum.failures += outcome.failures;
        sum.snapshots += outcome.snapshots;
        sum.faults += outcome.faults;
        sum.stats.steps_unknown += outcome.stats.steps_unknown;
        sum.stats.survived += outcome.stats.survived;
        sum.stats.steps_refused += outcome.stats.steps_refused;
        sum.stats.reads_of_others += outcome.stats.reads_of_others;
    }
    cr_assert(gt(u32, sum.kills, 20));
    cr_assert(gt(u32, sum.power_cuts, 20));
    cr_assert(gt(u32, sum.stops, 10));
    cr_assert(gt(u32, sum.failures, 3), "of the disk, or of the log");
    cr_assert(gt(u64, sum.snapshots, 20));
    cr_assert(gt(u64, sum.faults, 20));
    cr_assert(gt(u64, sum.stats.survived, 20), "writes without an answer that were there");
    cr_assert(gt(u64, sum.stats.steps_unknown, sum.stats.survived + 20),
              "and that were not");
    cr_assert(gt(u64, sum.stats.reads_of_others, 200));
}
