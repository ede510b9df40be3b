/** tests/virtual/net_random.c - every operation on sockets, in any order and state, on two
 * hosts: whatever comes, the network stays whole, and the same choices give the same run.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "net_scenario.h"
#include "scenario.h"

/* A change of what a run does changes these on purpose: then take the new values from the
 * report, after a look at why. */
#define GOLDEN_TRACE UINT64_C(0x6799454fd49662ba)
#define GOLDEN_NS    UINT64_C(34534693017)

static struct net_scenario small(uint64_t seed)
{
    struct net_scenario scenario = {.seed = seed, .operations = 1500, .cut = true};

    scenario.breaks = true;
    scenario.config.faults.short_ppm = 50000;
    scenario.faults.loss_ppm = 20000;
    scenario.faults.clog_ppm = 2000;
    scenario.faults.reset_ppm = 5000;
    scenario.faults.refuse_ppm = 50000;
    scenario.faults.silence_ppm = 20000;
    scenario.faults.resolve_ppm = 100000;
    return scenario;
}

Test(net_random, a_seed_gives_the_golden_trace)
{
    struct net_scenario scenario = small(4711);
    struct net_scenario_outcome outcome = net_scenario_run(&scenario);
    char trace[17];

    scenario_hex(outcome.trace, trace);
    cr_assert(outcome.trace == GOLDEN_TRACE && outcome.ns == GOLDEN_NS,
              "trace 0x%s ns %llu", trace, (unsigned long long)outcome.ns);
}

/* No state is left from one run to the next, and what only watches changes nothing. */
Test(net_random, runs_do_not_know_of_each_other)
{
    struct net_scenario scenario = small(1), other = small(2);
    struct net_scenario_outcome first = net_scenario_run(&scenario);
    struct net_scenario_outcome between = net_scenario_run(&other);
    struct net_scenario_outcome second;

    scenario.config.checks = TP_VIRTUAL_OFF;
    second = net_scenario_run(&scenario);
    cr_assert(eq(u64, first.trace, second.trace));
    cr_assert(eq(u64, first.ns, second.ns));
    cr_assert(ne(u64, first.trace, between.trace));
}

/* A run from a record is the run that was recorded. */
Test(net_random, a_record_replays)
{
    struct net_scenario scenario = small(5);
    struct net_scenario_outcome first, again;
    struct tp_tape *tape, *replay;

    cr_assert(eq(int, tp_tape_from_seed(5, true, NULL, &tape), 0));
    scenario.tape = tape;
    first = net_scenario_run(&scenario);
    cr_assert(eq(int, tp_tape_replay(tape, &replay), 0));
    scenario.tape = replay;
    again = net_scenario_run(&scenario);
    cr_assert(eq(u64, first.trace, again.trace));
    cr_assert(eq(u64, first.ns, again.ns));
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->draws, tp_tape_stats(tape)->draws));
    tp_tape_destroy(tape);
    tp_tape_destroy(replay);
}

/* Every choice at its mildest, and then any bytes: the run ends all the same. */
Test(net_random, any_bytes_make_a_run)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct net_scenario scenario = small(seed);
        struct net_scenario_outcome outcome;
        uint8_t bytes[2048];
        struct tp_tape *tape;

        for (uint64_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(seed * 131 + i * i * 7 + (i >> 3));
        cr_assert(eq(
            int, tp_tape_from_bytes(bytes, sizeof bytes / 2 * (seed % 3), NULL, &tape), 0));
        scenario.operations = 500;
        scenario.tape = tape;
        outcome = net_scenario_run(&scenario);
        cr_assert(outcome.completions > 0);
        tp_tape_destroy(tape);
    }
}

/* Many seeds; net_scenario_run() checks all structures, often. Everything that can go wrong
 * has gone wrong in one of them. */
Test(net_random, the_network_stays_whole_over_many_seeds)
{
    struct tp_net_stats sum = {0};
    uint64_t bytes = 0;

    for (uint64_t seed = 0; seed < 60; seed++) {
        struct net_scenario scenario = small(seed);
        struct net_scenario_outcome outcome;

        scenario.cut = seed % 2 == 0;
        scenario.breaks = seed % 3 != 0;
        scenario.config.node = 1;
        scenario.config.faults.short_ppm = seed % 5 == 0 ? 200000 : 0;
        scenario.config.faults.error_ppm = seed % 4 == 0 ? 20000 : 0;
        scenario.config.instant = seed % 7 == 0;
        if (seed % 4 == 0)
            memset(&scenario.faults, 0, sizeof scenario.faults);
        outcome = net_scenario_run(&scenario);
        bytes += outcome.bytes;
#define ADD(field) sum.field += outcome.stats.field
        ADD(connections), ADD(refused), ADD(lost), ADD(repeated), ADD(timed_out);
        ADD(resets), ADD(splits), ADD(fault_losses), ADD(fault_clogs), ADD(fault_resets);
        ADD(fault_refusals), ADD(fault_silences);
#undef ADD
    }
    cr_assert(bytes > 100000 && sum.connections > 1000 && sum.refused > 100);
    cr_assert(sum.lost > 0 && sum.repeated > 0 && sum.timed_out > 0 && sum.resets > 0);
    cr_assert(sum.splits > 0 && sum.fault_losses > 0 && sum.fault_clogs > 0);
    cr_assert(sum.fault_resets > 0 && sum.fault_refusals > 0 && sum.fault_silences > 0);
}
