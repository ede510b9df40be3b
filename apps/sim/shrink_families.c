/* Families of faults and their rates: as few as can be, as low as can be. */
#include "apps/sim/shrink_internal.h"

/* ------------------------------------------------------------------ whole families
 *
 * The run's event stream begins with the swarm (swarm.c): how many families there may be,
 * each on or off, the rate of each that is on. What befalls nodes is drawn among the
 * families that are on (chaos.c), four values for each: so one family less moves them. */

enum { VALUES_AN_EVENT = 4, EVENT_MOVES = 3 };

static uint64_t family_count(const struct tp_tape *tape)
{
    uint64_t count = 0;

    while (tp_shrink_is_kind(tape, TP_SHRINK_RUN_EVENTS, count + 1, TP_DRAW_FAMILY))
        count++;
    return count;
}

/* Events are drawn among one less; those behind it have moved down, or not. */
static void move_events(struct tp_tape *tape, bool moves_down)
{
    for (uint32_t stream = TP_CONCERN_EVENT; stream < tp_tape_streams(tape);
         stream += TP_CONCERNS) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);
            uint64_t count = entry.bound / VALUES_AN_EVENT, which;

            if (entry.kind != TP_DRAW_EVENT || entry.bound % VALUES_AN_EVENT != 0 ||
                entry.value < count || count < 2)
                continue;
            which = (entry.value - count) / 3;
            if (moves_down && which > 0)
                which--;
            tp_tape_set(tape, stream, i, count - 1 + 3 * which);
        }
    }
}

/* Turns off the family of the draw at `index`; `rate` is where its rate is. */
static bool try_without_family(struct tp_shrink *shrink, uint64_t index, uint64_t rate)
{
    for (uint32_t move = 0; move < EVENT_MOVES && !tp_shrink_is_over(shrink); move++) {
        struct tp_tape *candidate = tp_shrink_copy(shrink);

        if (candidate == NULL)
            return false;
        if (tp_shrink_is_kind(candidate, TP_SHRINK_RUN_EVENTS, rate, TP_DRAW_RATE))
            tp_tape_delete(candidate, TP_SHRINK_RUN_EVENTS, rate, 1);
        tp_tape_set(candidate, TP_SHRINK_RUN_EVENTS, index, 0);
        if (move > 0)
            move_events(candidate, move == 1);
        if (tp_shrink_keeps(shrink, candidate))
            return true;
    }
    return false;
}

/* Where one family is left: the shorter way to say so. */
static bool try_one_family(struct tp_shrink *shrink)
{
    uint64_t count = family_count(shrink->best), on = 0, which = 0;
    struct tp_draw_entry entry = {.bound = count, .kind = TP_DRAW_FAMILY};
    struct tp_tape *candidate;

    for (uint64_t i = 1; i <= count; i++) {
        if (tp_tape_entry(shrink->best, TP_SHRINK_RUN_EVENTS, i).value == 0)
            continue;
        on++;
        which = i - 1;
    }
    if (on != 1 || count < 2 ||
        !tp_shrink_is_kind(shrink->best, TP_SHRINK_RUN_EVENTS, 0, TP_DRAW_SWARM))
        return false;
    candidate = tp_shrink_copy(shrink);
    if (candidate == NULL)
        return false;
    entry.value = which;
    tp_tape_delete(candidate, TP_SHRINK_RUN_EVENTS, 2, count - 1);
    shrink->error = tp_tape_put(candidate, TP_SHRINK_RUN_EVENTS, 1, entry);
    tp_tape_set(candidate, TP_SHRINK_RUN_EVENTS, 0, 1);
    return tp_shrink_keeps(shrink, candidate);
}

bool tp_shrink_families(struct tp_shrink *shrink)
{
    uint32_t before = tp_shrink_choices(shrink->best);
    uint64_t count = family_count(shrink->best), rate = count + 1;

    if (!tp_shrink_is_kind(shrink->best, TP_SHRINK_RUN_EVENTS, 0, TP_DRAW_SWARM) ||
        tp_tape_entry(shrink->best, TP_SHRINK_RUN_EVENTS, 0).value < 2)
        return false;
    for (uint64_t i = 1; i <= count && !tp_shrink_is_over(shrink); i++) {
        if (tp_tape_entry(shrink->best, TP_SHRINK_RUN_EVENTS, i).value == 0)
            continue;
        if (!try_without_family(shrink, i, rate))
            rate++;
    }
    (void)try_one_family(shrink);
    return tp_shrink_choices(shrink->best) < before;
}

/* ------------------------------------------------------------------ rates */

enum { HALVINGS_MAX = 10 };

/* A fault at the very top of its values comes about at any rate; below it, each of several
 * faults that one draw decides about keeps its part as rates are halved so often. */
static void raise_faults(struct tp_tape *tape, uint32_t halvings)
{
    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);
            uint64_t below = (TP_SHRINK_PPM - entry.value) >> halvings;

            if (entry.bound == TP_SHRINK_PPM && entry.value > 0)
                tp_tape_set(tape, stream, i,
                            halvings == 0 || below == 0 ? TP_SHRINK_PPM - 1
                                                        : TP_SHRINK_PPM - below);
        }
    }
}

static bool is_rate(const struct tp_tape *tape, uint64_t index)
{
    return tp_shrink_is_kind(tape, TP_SHRINK_RUN_EVENTS, index, TP_DRAW_RATE);
}

/* The rates from `first` to `last` at their lowest. */
static bool try_low_rates(struct tp_shrink *shrink, uint64_t first, uint64_t last)
{
    for (uint32_t halvings = 0; halvings <= HALVINGS_MAX && !tp_shrink_is_over(shrink);
         halvings++) {
        struct tp_tape *candidate = tp_shrink_copy(shrink);

        if (candidate == NULL)
            return false;
        raise_faults(candidate, halvings);
        for (uint64_t i = first; i <= last; i++)
            tp_tape_set(candidate, TP_SHRINK_RUN_EVENTS, i, 0);
        if (tp_shrink_keeps(shrink, candidate))
            return true;
    }
    return false;
}

bool tp_shrink_rates(struct tp_shrink *shrink)
{
    uint64_t first = family_count(shrink->best) + 1, end = first;
    uint32_t before = tp_shrink_choices(shrink->best);

    while (is_rate(shrink->best, end))
        end++;
    if (end > first + 1)
        (void)try_low_rates(shrink, first, end - 1);
    for (uint64_t i = first; i < end && is_rate(shrink->best, i); i++) {
        if (tp_tape_entry(shrink->best, TP_SHRINK_RUN_EVENTS, i).value != 0)
            (void)try_low_rates(shrink, i, i);
    }
    return tp_shrink_choices(shrink->best) < before;
}
