/* Runs: what is broken is found, what is sound stays green, and a seed is a run. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/sim/scenarios/scenarios.h"
#include "fixture.h"

Test(core, the_broken_one_is_found)
{
    struct s_total total = s_run(&tally_broken_scenario, 20);

    cr_assert(lt(u32, 3, total.failed));
    cr_assert(eq(u32, total.verdicts[TP_VERDICT_FAILED], total.failed));
    cr_assert(ne(u64, total.first.kind, 0));
}

Test(core, its_twin_stays_green)
{
    struct s_total total = s_run(&tally_scenario, 200);

    cr_assert(eq(u32, total.failed, 0), "seed %llu: %s",
              (unsigned long long)total.first_seed, total.first.message);
    cr_assert(lt(u64, 0, total.fired[TP_FAMILY_POWER]));
    cr_assert(lt(u64, 0, total.fired[TP_FAMILY_KILL]));
    cr_assert(lt(u64, 0, total.fired[TP_FAMILY_PAUSE]));
    cr_assert(lt(u64, 0, total.fired[TP_FAMILY_CLOCK]));
    cr_assert(lt(u64, 0, total.fired[TP_FAMILY_ERROR]));
}

Test(core, a_seed_is_a_run)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct tp_sim_outcome first = s_seed(&tally_scenario, seed);
        struct tp_sim_outcome again = s_seed(&tally_scenario, seed);
        struct tp_sim_outcome other = s_seed(&tally_scenario, seed + 1000);

        cr_assert(eq(u64, first.trace, again.trace));
        cr_assert(eq(u64, first.events, again.events));
        cr_assert(ne(u64, first.trace, other.trace));
    }
}

/* Event by event is the same run, and one that is left in the middle is given back whole.
 */
Test(core, a_run_can_be_stepped)
{
    struct tp_sim_outcome whole = s_seed(&tally_scenario, 3);
    struct tp_sim_options options = {.seed = 3};
    struct tp_sim_outcome outcome;
    struct tp_sim *sim = tp_sim_create(&tally_scenario, &options, &outcome);
    uint64_t events = 0;

    cr_assert(eq(u64, tp_sim_events(sim), 0));
    while (tp_sim_advance(sim))
        cr_assert(eq(u64, tp_sim_events(sim), ++events));
    cr_assert(not(tp_sim_advance(sim)));
    tp_sim_destroy(sim);
    cr_assert(eq(u64, outcome.trace, whole.trace));
    cr_assert(eq(u64, outcome.events, whole.events));

    sim = tp_sim_create(&tally_scenario, &options, &outcome);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert(tp_sim_advance(sim));
    tp_sim_destroy(sim);
    cr_assert(eq(u64, outcome.events, 100));
    cr_assert(ne(u64, outcome.trace, whole.trace));
}

Test(core, families_are_switched)
{
    struct tp_sim_outcome none = s_with(&tally_scenario, 3, 0, S_ALL);
    struct tp_sim_outcome kills =
        s_with(&tally_scenario, 3, TP_FAMILY_BIT(TP_FAMILY_KILL), S_ALL);

    cr_assert(eq(u32, none.drawn, 0));
    for (uint32_t family = 0; family < TP_FAMILIES; family++)
        cr_assert(eq(u64, none.fired[family], 0));
    cr_assert(eq(u32, kills.drawn, TP_FAMILY_BIT(TP_FAMILY_KILL)));
}
