/** tests/virtual/determinism.c - the same choices give the same run, bit for bit. The
 * golden hashes below hold for every compiler, level and sanitizer;
 * tests/packaging/matrix.sh compares some of these. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "io/virtual/random.h"
#include "scenario.h"

/* A change of what a run does changes these on purpose: then take the new values from the
 * report, after a look at why. */
#define GOLDEN_TRACE UINT64_C(0x4d466d748d1e3f3b)
#define GOLDEN_DISK  UINT64_C(0x60f4b709e8ce9b7b)
#define GOLDEN_NS    UINT64_C(6853463)

static struct scenario small(uint64_t seed)
{
    struct scenario scenario = {.seed = seed, .operations = 1500, .depth = 32, .cut = true};

    scenario.config.faults.short_ppm = 50000;
    return scenario;
}

Test(determinism, a_seed_gives_the_golden_trace)
{
    struct scenario scenario = small(4711);
    struct scenario_outcome outcome = scenario_run(&scenario);
    char trace[17], disk[17];

    scenario_hex(outcome.trace, trace);
    scenario_hex(outcome.disk, disk);
    cr_assert(outcome.trace == GOLDEN_TRACE && outcome.disk == GOLDEN_DISK &&
                  outcome.virtual_ns == GOLDEN_NS,
              "trace 0x%s disk 0x%s ns %llu", trace, disk,
              (unsigned long long)outcome.virtual_ns);
}

/* No state is left from one run to the next. */
Test(determinism, runs_do_not_know_of_each_other)
{
    struct scenario scenario = small(1);
    struct scenario other = small(2);
    struct scenario_outcome first = scenario_run(&scenario);
    struct scenario_outcome between = scenario_run(&other);
    struct scenario_outcome second = scenario_run(&scenario);

    cr_assert(eq(u64, first.trace, second.trace));
    cr_assert(eq(u64, first.disk, second.disk));
    cr_assert(eq(u64, first.virtual_ns, second.virtual_ns));
    cr_assert(ne(u64, first.trace, between.trace));
}

/* What only watches must not change the run: checks of loans, and the trace itself. */
Test(determinism, checks_do_not_change_the_run)
{
    struct scenario scenario = small(3);
    struct scenario_outcome with, without;

    scenario.config.checks = TP_VIRTUAL_ON;
    with = scenario_run(&scenario);
    scenario.config.checks = TP_VIRTUAL_OFF;
    without = scenario_run(&scenario);
    cr_assert(eq(u64, with.trace, without.trace));
    scenario.config.trace = TP_VIRTUAL_OFF;
    without = scenario_run(&scenario);
    cr_assert(eq(u64, with.disk, without.disk));
    cr_assert(eq(u64, with.virtual_ns, without.virtual_ns));
}

/* A run from a record is the run that was recorded. */
Test(determinism, a_record_replays)
{
    struct scenario scenario = small(5);
    struct scenario_outcome first, again;
    struct tp_tape *tape, *replay;

    cr_assert(eq(int, tp_tape_from_seed(5, true, NULL, &tape), 0));
    scenario.tape = tape;
    first = scenario_run(&scenario);
    cr_assert(eq(int, tp_tape_replay(tape, &replay), 0));
    scenario.tape = replay;
    again = scenario_run(&scenario);
    cr_assert(eq(u64, first.trace, again.trace));
    cr_assert(eq(u64, first.disk, again.disk));
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->draws, tp_tape_stats(tape)->draws));
    tp_tape_destroy(tape);
    tp_tape_destroy(replay);
}

/* Any bytes make a run that ends, and the disk is whole after it. */
Test(determinism, any_bytes_make_a_run)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct scenario scenario = {
            .seed = seed, .operations = 300, .depth = 16, .cut = seed % 2 == 0};
        uint8_t bytes[512];
        struct tp_tape *tape;
        struct scenario_outcome outcome;

        for (uint32_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(seed * 131 + i * i * 7 + (i >> 3));
        cr_assert(eq(
            int, tp_tape_from_bytes(bytes, sizeof bytes / 2 * (seed % 3), NULL, &tape), 0));
        scenario.tape = tape;
        outcome = scenario_run(&scenario);
        cr_assert(outcome.completions > 0);
        tp_tape_destroy(tape);
    }
}

/* Many seeds, all profiles; scenario_run() checks the disk's structures after each. */
Test(determinism, structures_hold_over_many_seeds)
{
    for (uint64_t seed = 0; seed < 120; seed++) {
        struct scenario scenario = {.seed = seed,
                                    .operations = 200 + (uint32_t)seed * 5,
                                    .depth = 1 + (uint32_t)seed % 64,
                                    .cut = seed % 3 != 0,
                                    .profile = (uint32_t)seed % TP_DISK_PROFILES};

        scenario.config.faults.short_ppm = seed % 5 == 0 ? 100000 : 0;
        scenario.config.faults.error_ppm = seed % 4 == 0 ? 20000 : 0;
        scenario.config.instant = seed % 7 == 0;
        scenario.config.queue_max = seed % 11 == 0 ? 1 : 0;
        scenario.config.node = (uint32_t)seed % 3;
        (void)scenario_run(&scenario);
    }
}

/* The same with every family of faults of the disk, some on and some off, each seed twice.
 * A hung operation would keep the scenario waiting for ever, so that family stays off. */
Test(determinism, structures_hold_whatever_goes_wrong)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct scenario scenario = {.seed = seed,
                                    .operations = 600,
                                    .depth = 1 + (uint32_t)seed % 64,
                                    .cut = seed % 3 != 0,
                                    .profile = (uint32_t)seed % TP_DISK_PROFILES};
        struct tp_rng rng = tp_rng_make(seed, 2);
        struct scenario_outcome first, again;

        for (uint32_t fault = TP_FAULT_SYNC_ERROR; fault < TP_FAULTS; fault++) {
            uint64_t drawn = tp_rng_next(&rng);

            if (fault == TP_FAULT_HANG || drawn % 2 == 0)
                continue;
            *tp_virtual_faults_rate(&scenario.config.faults, (enum tp_fault)fault) =
                fault == TP_FAULT_JOURNAL ? 2000 : 1000U << (drawn >> 8) % 8;
        }
        first = scenario_run(&scenario);
        again = scenario_run(&scenario);
        cr_assert(eq(u64, first.trace, again.trace), "seed %llu", (unsigned long long)seed);
        cr_assert(eq(u64, first.disk, again.disk));
    }
}
