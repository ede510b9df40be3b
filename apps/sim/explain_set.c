/* Ghosts one by one, and how early that may be which heals. Where none heals, all at once,
 * then with some of them left out: halves, quarters, and in the end single ones, until none
 * can be done without (delta debugging, of which only the complements are tried: no few of
 * them heal alone). */
#include <string.h>

#include "apps/sim/explain_internal.h"

enum {
    ONES_MAX = 128,  /* candidates that are tried one by one, the first */
    RUNS_MAX = 8192, /* for all that is tried of several */
};

/* ------------------------------------------------------------------ the earliest one
 *
 * The later on an object a ghost comes, the more it keeps. The first one that heals comes
 * behind the change that matters, which the last one may not: from there on it is missing,
 * until what the last one comes before. */

static void end_earliest(struct tp_explain_search *s)
{
    uint32_t earliest = s->members[s->member_count - 1];

    tp_explain_found_one(s, &s->candidates[earliest], &s->candidates[s->found]);
    s->stage = s->explain->how == TP_EXPLAINED_TORN      ? TP_STAGE_TOLD
               : s->explain->how == TP_EXPLAINED_UNHEARD ? TP_STAGE_UNHEARD
                                                         : TP_STAGE_WHERE;
}

static bool is_of_found(const struct tp_explain_search *s,
                        const struct tp_candidate *candidate)
{
    const struct tp_candidate *found = &s->candidates[s->found];
    const struct tp_record change = tp_explain_change(s, candidate);
    const struct tp_record last = tp_explain_change(s, found);

    return candidate->record <= found->record && change.node == last.node &&
           (change.dir != 0) == (last.dir != 0) &&
           tp_explain_object(&change) == tp_explain_object(&last);
}

/* Those of its object up to the one that is found, in the order of the run. */
static void begin_earliest(struct tp_explain_search *s, uint32_t found)
{
    s->stage = TP_STAGE_EARLIEST;
    s->found = found;
    s->tried = s->member_count = 0;
    for (uint32_t i = 0; i < s->candidate_count; i++) {
        uint32_t at = s->member_count;

        if (!is_of_found(s, &s->candidates[i]))
            continue;
        for (; at > 0 && s->candidates[s->members[at - 1]].record > s->candidates[i].record;
             at--)
            s->members[at] = s->members[at - 1];
        s->members[at] = i;
        s->member_count++;
    }
    tp_assert(s->members[s->member_count - 1] == found);
    if (s->member_count == 1)
        end_earliest(s);
}

/* Between those that do not heal and those that do. */
static uint32_t middle_of(const struct tp_explain_search *s)
{
    return s->tried + (s->member_count - 1 - s->tried) / 2;
}

static void earliest_tried(struct tp_explain_search *s, bool heals)
{
    uint32_t middle = middle_of(s);

    if (heals)
        s->member_count = middle + 1;
    else
        s->tried = middle + 1;
    if (s->tried + 1 == s->member_count)
        end_earliest(s);
}

/* ------------------------------------------------------------------ the set */

/* The members that are to be left out: from the last, which are those that promise least,
 * to the first. */
static void find_left_out(const struct tp_explain_search *s, uint32_t try,
                          uint32_t *ret_low, uint32_t *ret_high)
{
    uint32_t before = s->tried + try * s->left_out;

    tp_assert(before < s->member_count || s->left_out == 0);
    *ret_high = s->member_count - before;
    *ret_low = *ret_high > s->left_out ? *ret_high - s->left_out : 0;
}

static void leave_out(struct tp_explain_search *s, uint32_t low, uint32_t high)
{
    tp_assert(low < high && high <= s->member_count);
    memmove(&s->members[low], &s->members[high],
            (s->member_count - high) * sizeof *s->members);
    s->member_count -= high - low;
    s->were_fewer = true;
}

static void begin_choices(struct tp_explain_search *s)
{
    s->left = tp_tape_count(s->explain->tape, 0);
    s->stage = TP_STAGE_FAULTS;
}

static void end_set(struct tp_explain_search *s, bool is_least)
{
    if (s->member_count == 1) {
        begin_earliest(s, s->members[0]);
        return;
    }
    s->explain->has_more = !is_least;
    tp_explain_found_all(s, s->members, s->member_count);
    s->stage = TP_STAGE_WHERE;
}

/* All members have been tried, so many at a time; or there are no more than that. */
static void begin_pass(struct tp_explain_search *s)
{
    uint32_t half = s->member_count / 2;
    uint32_t next = s->left_out == 0 ? half : (s->left_out + 1) / 2;

    if (s->member_count == 1 || (s->left_out == 1 && !s->were_fewer)) {
        end_set(s, true);
        return;
    }
    s->left_out = next < half ? next : half;
    s->were_fewer = false;
    s->tried = 0;
}

void tp_explain_end_ghosts(struct tp_explain_search *s)
{
    if (s->stage == TP_STAGE_SET && s->left_out > 0)
        end_set(s, false);
    if (s->stage == TP_STAGE_EARLIEST)
        end_earliest(s);
}

/* What comes before nothing is not missing. One alone has been tried. */
static void begin_set(struct tp_explain_search *s)
{
    s->stage = TP_STAGE_SET;
    s->tried = 0;
    s->runs_before = s->explain->runs;
    for (uint32_t i = 0; i < s->candidate_count; i++) {
        if (s->candidates[i].before != TP_BEFORE_NOTHING)
            s->members[s->member_count++] = i;
    }
    if (s->member_count < 2)
        begin_choices(s);
}

static bool set_tried(struct tp_explain_search *s, bool heals)
{
    uint32_t low, high;

    if (s->left_out == 0) {
        if (heals)
            begin_pass(s);
        else
            begin_choices(s);
        return false;
    }
    find_left_out(s, 0, &low, &high);
    if (heals)
        leave_out(s, low, high);
    else
        s->tried += high - low;
    if (s->explain->runs - s->runs_before > RUNS_MAX) {
        end_set(s, false);
        return false;
    }
    if (s->tried < s->member_count && s->left_out < s->member_count)
        return !heals;
    begin_pass(s);
    return false;
}

/* ------------------------------------------------------------------ one by one */

static uint32_t count_ones(const struct tp_explain_search *s)
{
    return s->candidate_count < ONES_MAX ? s->candidate_count : ONES_MAX;
}

static bool one_tried(struct tp_explain_search *s, bool heals)
{
    if (heals) {
        begin_earliest(s, s->tried);
        return false;
    }
    s->tried++;
    if (s->tried < count_ones(s))
        return true;
    begin_set(s);
    return false;
}

/* ------------------------------------------------------------------ all of them */

void tp_explain_begin_ghosts(struct tp_explain_search *s)
{
    s->stage = TP_STAGE_ONE;
    s->tried = 0;
    if (s->candidate_count == 0)
        begin_choices(s);
}

uint32_t tp_explain_tries(const struct tp_explain_search *s)
{
    if (s->stage == TP_STAGE_ONE)
        return count_ones(s) - s->tried;
    if (s->stage == TP_STAGE_EARLIEST)
        return 1;
    tp_assert(s->stage == TP_STAGE_SET && s->tried < s->member_count);
    if (s->left_out == 0)
        return 1;
    return (s->member_count - s->tried + s->left_out - 1) / s->left_out;
}

static void choose(struct tp_explain_search *s, const struct tp_candidate *candidate)
{
    s->ghosts[s->ghost_count++] = candidate->ghost;
    s->until = candidate->loss < s->until ? candidate->loss : s->until;
}

void tp_explain_choose_ghosts(struct tp_explain_search *s, uint32_t try)
{
    uint32_t low, high;

    s->ghost_count = 0;
    s->until = s->record_count;
    if (s->stage == TP_STAGE_ONE) {
        choose(s, &s->candidates[s->tried + try]);
        return;
    }
    if (s->stage == TP_STAGE_EARLIEST) {
        choose(s, &s->candidates[s->members[middle_of(s)]]);
        return;
    }
    find_left_out(s, try, &low, &high);
    for (uint32_t i = 0; i < s->member_count; i++) {
        if (s->left_out == 0 || i < low || i >= high)
            choose(s, &s->candidates[s->members[i]]);
    }
}

bool tp_explain_tried(struct tp_explain_search *s, bool heals)
{
    if (s->stage == TP_STAGE_ONE)
        return one_tried(s, heals);
    if (s->stage == TP_STAGE_SET)
        return set_tried(s, heals);
    earliest_tried(s, heals);
    return false;
}
