/* The simulated life of a server: what it must contain to be worth something, and that it
 * is the same life whenever it is lived. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/kv/sim/scenario.h"
#include "apps/sim/act.h"

/* What lives came to, together. */
static struct kv_tally tally;
static struct tp_sim_outcome sum;

static struct tp_sim_outcome live(uint64_t seed, uint32_t families_off)
{
    struct kv_scenario_context context = {&tally};
    struct tp_sim_options options = {
        .size = sizeof options, .seed = seed, .families_off = families_off};
    struct tp_scenario scenario = kv_scenario;
    struct tp_sim_outcome outcome;

    scenario.context = &context;
    tp_sim_run(&scenario, &options, &outcome);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "seed %llu: %s",
              (unsigned long long)seed, outcome.message);
    for (uint32_t family = 0; family < TP_FAMILIES; family++)
        sum.fired[family] += outcome.fired[family];
    return outcome;
}

/* Without faults no server ends but when it is asked to, or in the end, and no write is
 * refused. */
Test(life, is_calm_when_nothing_goes_wrong)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        (void)live(seed, UINT32_MAX);
    cr_assert(eq(u64, tally.failures, 0));
    cr_assert(eq(u64, tally.stats.steps_refused, 0));
    cr_assert(lt(u64, 100, tally.stats.steps_acked));
    cr_assert(lt(u64, tally.unknown_races, tally.races));
    for (uint32_t family = 0; family < TP_FAMILIES; family++)
        cr_assert(eq(u64, sum.fired[family], 0), "%s", tp_family_name(family));
}

Test(life, is_the_same_for_the_same_seed)
{
    uint64_t hashes[3];

    for (uint64_t seed = 0; seed < 3; seed++)
        hashes[seed] = live(20 + seed, 0).trace;
    for (uint64_t seed = 3; seed-- > 0;)
        cr_assert(eq(u64, live(20 + seed, 0).trace, hashes[seed]));
    cr_assert(ne(u64, hashes[0], hashes[1]));
}

/* A search that finds nothing means something only if everything was tried. */
Test(life, holds_everything_that_can_go_wrong)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        (void)live(seed, 0);
    cr_assert(lt(u64, 80, tally.boots));
    cr_assert(lt(u64, 10, tally.stops), "servers that ended in order");
    cr_assert(lt(u64, 3, tally.failures), "of the disk, or of the log");
    cr_assert(lt(u64, 20, tally.snapshots));
    cr_assert(lt(u64, 1000, tally.races));
    cr_assert(lt(u64, 20, tally.unknown_races));
    cr_assert(eq(u64, tally.undecided, 0));
    cr_assert(lt(u64, 20, tally.stats.survived),
              "writes without an answer that were there");
    cr_assert(lt(u64, tally.stats.survived + 20, tally.stats.steps_unknown),
              "and that were not");
    cr_assert(lt(u64, 0, tally.stats.steps_refused));
    cr_assert(lt(u64, 100, tally.stats.reads_of_others));
    for (uint32_t family = 0; family <= TP_FAMILY_REFUSE; family++)
        cr_assert(lt(u64, 0, sum.fired[family]), "%s", tp_family_name(family));
}

/* Somebody outside has done what a run without faults does not have. */
static void disturb(struct tp_sim *sim, uint64_t seed, uint32_t at)
{
    static const uint32_t kinds[] = {TP_ACT_POWER, TP_ACT_HARSH, TP_ACT_KILL, TP_ACT_PAUSE,
                                     TP_ACT_PART,  TP_ACT_SYNC,  TP_ACT_FILL, TP_ACT_ROOM};
    struct tp_act act = {.kind = kinds[(seed + at) % (sizeof kinds / sizeof *kinds)],
                         .other = 1};

    (void)tp_act_now(sim, &act); /* one that cannot be is refused */
}

/* What a visitor of the run does to it is no fault of the server's; and a replay of the
 * tape is the same run. */
Test(life, bears_what_is_done_to_it_from_outside)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct tp_sim_options options = {.size = sizeof options,
                                         .families_off = UINT32_MAX};
        struct tp_scenario scenario = kv_scenario;
        struct kv_scenario_context context = {&tally};
        struct tp_sim_outcome outcome, again;
        struct tp_tape *tape;
        struct tp_sim *sim;

        cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &tape), 0));
        options.tape = tape;
        scenario.context = &context;
        sim = tp_sim_create(&scenario, &options, &outcome);
        for (uint32_t events = 1; tp_sim_advance(sim); events++) {
            if (events % 400 == 0)
                disturb(sim, seed, events / 400);
        }
        tp_sim_destroy(sim);
        cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "seed %llu: %s",
                  (unsigned long long)seed, outcome.message);
        cr_assert(eq(int, tp_tape_replay(tape, &options.tape), 0));
        tp_sim_run(&scenario, &options, &again);
        cr_assert(eq(u64, again.trace, outcome.trace));
        tp_tape_destroy(options.tape);
        tp_tape_destroy(tape);
    }
    cr_assert(lt(u64, 0, tally.failures));
    cr_assert(lt(u64, 0, tally.stats.steps_refused));
}
