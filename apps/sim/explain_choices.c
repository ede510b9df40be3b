/* Where no ghost heals: choices that are made mildest. */
#include "apps/sim/explain_internal.h"

#include <string.h>

enum {
    PPM = 1000000, /* of the draws of faults */
};

/* In which stage a choice is made mildest. What decides comes before its details: whether
 * there is a fault before which byte it hits. */
static enum tp_explain_stage stage_of(uint32_t concern, const struct tp_draw_entry *entry)
{
    switch (entry->kind) {
    case TP_DRAW_SWARM:
    case TP_DRAW_FAMILY:
    case TP_DRAW_RATE:
        return TP_STAGE_SWARM;
    case TP_DRAW_CUT_OP:
    case TP_DRAW_CUT_DATA:
    case TP_DRAW_CUT_SIZES:
    case TP_DRAW_CUT_NAMES:
        return TP_STAGE_CUTS;
    case TP_DRAW_EVENT:
        return TP_STAGE_EVENTS;
    default:
        return concern == TP_CONCERN_FAULT && entry->bound == PPM ? TP_STAGE_FAULTS
                                                                  : TP_STAGE_CHOICES;
    }
}

/* Whether an operation failed, or moved fewer bytes, where the other did not. */
static bool is_worse(const struct tp_record *here, const struct tp_record *there)
{
    bool moves = (tp_kind_info[here->op].traits & (TP_LENDS_IN | TP_LENDS_OUT)) != 0;

    if (here->result < 0)
        return there->result >= 0;
    return moves && here->result < there->result;
}

bool tp_explain_is_alike(const struct tp_record *here, const struct tp_record *there)
{
    return here->kind == there->kind && here->node == there->node &&
           here->op == there->op && here->at_ns == there->at_ns &&
           (here->kind != TP_FACT_EVENT || strcmp(here->text, there->text) == 0);
}

/* The first operation that comes to another result in a run that passes, if that is why. */
static bool find_other(const struct tp_explain_search *s, const struct tp_recorder *passed,
                       struct tp_record *ret_record)
{
    for (uint32_t i = 0; i < s->record_count && i < passed->count; i++) {
        const struct tp_record *here = &s->records[i], *there = &passed->records[i];

        if (!tp_explain_is_alike(here, there))
            return false;
        if (here->kind == TP_FACT_OPERATION && here->result != there->result) {
            if (!is_worse(here, there))
                return false;
            *ret_record = *here;
            return true;
        }
    }
    return false;
}

/* What comes next is drawn when the last has come, so it is the first to be told that has
 * the choice among the draws before it. What somebody outside did, or the scenario, is not
 * drawn; what is wrong with clocks from the start has no number either, but is. */
uint32_t tp_explain_find_event(const struct tp_record *records, uint32_t count,
                               uint32_t stream, uint64_t index,
                               const struct tp_draw_entry *choice)
{
    bool is_of_event = stream % TP_CONCERNS == TP_CONCERN_EVENT &&
                       stage_of(TP_CONCERN_EVENT, choice) != TP_STAGE_SWARM;
    uint32_t number = stream / TP_CONCERNS, at = is_of_event ? 0 : count;

    for (; at < count; at++) {
        const struct tp_record *record = &records[at];
        bool is_drawn =
            (record->detail & TP_EVENT_ACT) == 0 &&
            (number == 0 || record->detail > 0 || choice->kind == TP_DRAW_CLOCK);

        if (record->kind == TP_FACT_EVENT && record->node == number && is_drawn &&
            record->events > index)
            break;
    }
    return at;
}

/* Where the run is that a choice decides: nowhere, that is of no node, or not known. */
static void find_from(const struct tp_explain_search *s, struct tp_remedy *remedy)
{
    uint32_t number = remedy->stream / TP_CONCERNS;
    bool is_fault = s->stage == TP_STAGE_FAULTS, is_cut = s->stage == TP_STAGE_CUTS;

    if (s->stage == TP_STAGE_EVENTS && remedy->event.node != 0)
        remedy->from = remedy->event;
    for (uint32_t i = 0; i < s->record_count && (is_fault || is_cut); i++) {
        const struct tp_record *record = &s->records[i];

        if (record->node != number)
            continue;
        if (is_fault && record->faults > remedy->index) {
            remedy->from = *record;
            return;
        }
        if (is_cut && record->kind == TP_FACT_END && record->crash <= remedy->index)
            remedy->from = *record;
    }
}

/* Whether it passes with a choice made mildest, and what that comes to. */
static bool passes_without(struct tp_explain_search *s, struct tp_remedy *remedy)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = {.verdict = TP_VERDICT_FAILED};
    struct tp_tape *tape = NULL;
    bool has_other;
    uint32_t at;

    s->error = tp_tape_copy(s->explain->tape, NULL, &tape);
    if (s->error < 0)
        return false;
    tp_tape_set(tape, remedy->stream, remedy->index, 0);
    trial->records = TP_EXPLAIN_RECORDS;
    trial->realigns = true;
    s->error = tp_trial_replay(trial, tape, &outcome);
    trial->realigns = false;
    trial->records = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    if (s->error < 0 || outcome.verdict != TP_VERDICT_PASSED)
        return false;
    has_other = find_other(s, trial->recorder, &remedy->failed);
    at = tp_explain_find_event(s->records, s->record_count, remedy->stream, remedy->index,
                               &remedy->choice);
    if (at < s->record_count)
        remedy->event = s->records[at];
    /* What a process meets after a cut is no error that befell it. */
    remedy->how =
        has_other && s->stage != TP_STAGE_CUTS ? TP_EXPLAINED_ERROR : TP_EXPLAINED_CHOICE;
    find_from(s, remedy);
    return true;
}

static void take(struct tp_explain *explain, const struct tp_remedy *remedy)
{
    explain->how = remedy->how;
    explain->choice = remedy->choice;
    explain->choice_stream = remedy->stream;
    explain->choice_index = remedy->index;
    explain->failed = remedy->failed;
    explain->event = remedy->event;
}

/* ------------------------------------------------------------------ no chance
 *
 * Any change of a long run makes another one of all that comes behind it, in which what
 * went wrong there may not happen again. So things take other times from there on, and
 * nothing else befalls the node: if it is that choice, the run fails alike with it now and
 * then, and never without it. */

enum {
    REMEDIES_MAX = 32, /* until one is no chance */
};

static bool is_over(const struct tp_explain_search *s)
{
    return s->remedies == REMEDIES_MAX;
}

/* One more run. */
static void be_sure(struct tp_explain_search *s)
{
    const struct tp_remedy *remedy = &s->remedy;
    bool is_with = s->failed_with < TP_EXPLAIN_FAIL_MIN;

    s->times++;
    if (is_with) {
        s->failed_with += tp_explain_fails_later(s, NULL, &remedy->from, s->times);
        s->is_trying = s->times - s->failed_with <= TP_EXPLAIN_TIMES - TP_EXPLAIN_FAIL_MIN;
        if (s->failed_with == TP_EXPLAIN_FAIL_MIN)
            s->times = 0;
        return;
    }
    if (tp_explain_fails_later(s, remedy, &remedy->from, s->times)) {
        s->is_trying = false;
        return;
    }
    if (s->times < TP_EXPLAIN_TIMES)
        return;
    take(s->explain, remedy);
    s->explain->is_chance = false;
    s->is_trying = false;
    s->stage = TP_STAGE_WHERE;
}

/* ------------------------------------------------------------------ choices */

/* Whether the choice is one to be made mildest in this stage. */
static bool is_candidate(const struct tp_explain_search *s,
                         const struct tp_draw_entry *entry)
{
    uint32_t concern = s->stream % TP_CONCERNS;

    return entry->value != 0 && entry->kind != TP_DRAW_SEED &&
           concern != TP_CONCERN_WORKLOAD && stage_of(concern, entry) == s->stage;
}

/* The next one, from the end of each stream; false: there is none. */
static bool find_choice(struct tp_explain_search *s)
{
    const struct tp_tape *tape = s->explain->tape;

    while (s->stream < tp_tape_streams(tape)) {
        for (; s->left > 0; s->left--) {
            struct tp_draw_entry entry = tp_tape_entry(tape, s->stream, s->left - 1);

            if (is_candidate(s, &entry))
                return true;
        }
        s->stream++;
        s->left = tp_tape_count(tape, s->stream);
    }
    return false;
}

/* One of which it cannot be said whether it is chance is taken as it is. */
static void found(struct tp_explain_search *s)
{
    s->remedies++;
    s->times = s->failed_with = 0;
    s->is_trying = s->remedy.from.node != 0;
    if (s->remedies == 1)
        take(s->explain, &s->remedy);
    s->explain->is_chance = s->is_trying || s->remedies > 1;
    if (!s->explain->is_chance)
        s->stage = TP_STAGE_WHERE;
}

void tp_explain_choice(struct tp_explain_search *s)
{
    if (s->is_trying) {
        be_sure(s);
        return;
    }
    if (!is_over(s) && find_choice(s)) {
        s->left--;
        s->remedy = (struct tp_remedy){
            .stream = s->stream,
            .index = s->left,
            .choice = tp_tape_entry(s->explain->tape, s->stream, s->left)};
        if (passes_without(s, &s->remedy))
            found(s);
        return;
    }
    s->stage++;
    s->stream = 0;
    s->left = tp_tape_count(s->explain->tape, 0);
    if (s->remedies > 0 && (is_over(s) || s->stage == TP_STAGE_CHOICES))
        s->stage = TP_STAGE_WHERE;
}
