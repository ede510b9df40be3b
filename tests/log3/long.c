/* Long lives. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/sim/scenarios/log3/scenario.h"

/* Node 0 is told by two votes that were long under way that it leads, when the others are a
 * term further and have committed two entries. */
Test(life, who_leads_in_a_term_that_is_over_need_not_have_what_was_committed_since)
{
    struct tp_sim_options options = {.size = sizeof options, .seed = 54};
    struct tp_sim_outcome outcome = {0};

    tp_sim_run(&log3_long_scenario, &options, &outcome);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
}
