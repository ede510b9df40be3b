/* tests/sim/blame.c - what befell a node is told of the choices that say how, and no other.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "apps/sim/explain_internal.h"

/* Node 1 is drawn two clocks, a kill in 4 choices, a power cut in 5; the links, of which
 * the run draws behind 12 of its own, are cut in 5. */
static const struct tp_record records[] = {
    {.kind = TP_FACT_EVENT, .node = 1, .events = 2, .text = "clocks"},
    {.kind = TP_FACT_OPERATION, .node = 1, .events = 6},
    {.kind = TP_FACT_EVENT,
     .node = 1,
     .events = 6,
     .detail = TP_EVENT_ACT | 1,
     .text = "by hand"},
    {.kind = TP_FACT_EVENT, .node = 1, .events = 6, .text = "by the scenario"},
    {.kind = TP_FACT_EVENT, .node = 2, .events = 90, .detail = 3, .text = "another's"},
    {.kind = TP_FACT_EVENT, .node = 1, .events = 6, .detail = 3, .text = "kill"},
    {.kind = TP_FACT_EVENT, .node = 0, .events = 17, .text = "links"},
    {.kind = TP_FACT_EVENT, .node = 0, .events = 17, .text = "whole"},
    {.kind = TP_FACT_EVENT, .node = 1, .events = 11, .detail = 4, .text = "power"},
};
enum { RECORDS = sizeof records / sizeof *records };

static bool is(const char *text, const char *wanted)
{
    return strcmp(text, wanted) == 0;
}

static const char *event_of(uint32_t number, enum tp_draw kind, uint64_t index)
{
    struct tp_draw_entry choice = {.bound = 8, .kind = kind, .value = 1};
    uint32_t at = tp_explain_find_event(
        records, RECORDS, tp_stream(number, TP_CONCERN_EVENT), index, &choice);

    return at == RECORDS ? "" : records[at].text;
}

Test(blame, is_on_what_the_choice_was_drawn_for)
{
    cr_assert(is(event_of(1, TP_DRAW_CLOCK, 1), "clocks"));
    for (uint64_t index = 2; index < 6; index++)
        cr_assert(is(event_of(1, TP_DRAW_WHEN, index), "kill"));
    for (uint64_t index = 6; index < 11; index++)
        cr_assert(is(event_of(1, TP_DRAW_EVENT, index), "power"));
    cr_assert(is(event_of(0, TP_DRAW_SPAN, 15), "links"));
}

/* It was to come, and the run had ended. */
Test(blame, is_on_nothing_that_has_not_come)
{
    cr_assert(is(event_of(1, TP_DRAW_WHEN, 11), ""));
    cr_assert(is(event_of(3, TP_DRAW_EVENT, 0), ""));
}

Test(blame, is_on_no_event_for_what_decides_something_else)
{
    struct tp_draw_entry fault = {.bound = 1000000, .kind = TP_DRAW_FAULT, .value = 1};

    cr_assert(is(event_of(0, TP_DRAW_SWARM, 0), ""));
    cr_assert(eq(
        u32,
        tp_explain_find_event(records, RECORDS, tp_stream(1, TP_CONCERN_FAULT), 0, &fault),
        RECORDS));
}
