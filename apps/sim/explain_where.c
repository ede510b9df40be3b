/* What an explanation says besides, from the run with all stages of its operations: where a
 * choice befalls it, whether a barrier that is missing was under way, and what a program
 * was told before it stopped itself. */
#include <string.h>

#include "apps/sim/explain_internal.h"

/* Whether this is the fact that the choice comes to. */
static bool is_event(const struct tp_record *record, const struct tp_record *event)
{
    return record->kind == TP_FACT_EVENT && record->node == event->node &&
           record->at_ns == event->at_ns && event->text[0] != '\0';
}

/* The operation for which a fault was drawn: what an operation draws, it draws before it is
 * told of. Or the last of the node before something befell it. */
static void find_where(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    uint32_t number = explain->choice_stream / TP_CONCERNS;
    bool is_fault = explain->choice_stream % TP_CONCERNS == TP_CONCERN_FAULT;
    struct tp_record last = {.file = NULL};

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (is_event(record, &explain->event)) {
            explain->where = last;
            return;
        }
        if (record->kind != TP_FACT_OPERATION || record->node != number)
            continue;
        if (is_fault && record->faults > explain->choice_index) {
            explain->where = *record;
            return;
        }
        last = *record;
    }
}

/* Whether the process was started again before that, and has promised nothing since. */
static void look_for_recovery(struct tp_explain *explain,
                              const struct tp_recorder *recorder)
{
    const struct tp_record *at =
        explain->how == TP_EXPLAINED_ERROR ? &explain->failed : &explain->where;
    bool is_again = false;

    for (uint32_t i = 0; i < recorder->count && at->node != 0; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind == TP_FACT_OPERATION && record->node == at->node &&
            record->stage == at->stage && record->handle == at->handle &&
            record->at_ns == at->at_ns)
            break;
        if (record->node != at->node)
            continue;
        if (record->kind == TP_FACT_BOOT)
            is_again = record->detail > 0;
        if (record->kind == TP_FACT_PROMISE)
            is_again = false;
    }
    explain->in_recovery = is_again;
}

/* What a barrier would have to come before. */
static bool is_next(const struct tp_record *record, const struct tp_record *next)
{
    return record->kind == next->kind && record->node == next->node &&
           record->at_ns == next->at_ns && record->handle == next->handle &&
           record->stage == next->stage && strcmp(record->text, next->text) == 0;
}

static bool is_change_of(const struct tp_record *record, const struct tp_record *after)
{
    return record->kind == TP_FACT_OPERATION && record->changes &&
           tp_explain_is_of_same(record, after);
}

/* The barrier that is missing may come all the same, and only too late: begun behind the
 * change, with no other one between, it completes, if at all, after what it was to come
 * before. NULL: it does not. */
static const struct tp_record *find_late(const struct tp_explained_barrier *barrier,
                                         const struct tp_recorder *recorder)
{
    const struct tp_record *after = &barrier->last;
    const struct tp_record *begun = NULL;
    bool is_behind = false, is_late = false;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (!is_behind) {
            is_behind = record->kind == TP_FACT_OPERATION && record->node == after->node &&
                        record->stage == TP_VIRTUAL_EFFECT &&
                        record->effect == after->effect;
            continue;
        }
        is_late = is_late || is_next(record, &barrier->next);
        if (begun == NULL && tp_explain_is_barrier(record, after) &&
            record->stage == TP_VIRTUAL_BEGUN)
            begun = record;
        if (record->node == after->node &&
            (record->kind == TP_FACT_END || (begun == NULL && is_change_of(record, after))))
            break;
        if (begun != NULL && !is_late && record->stage == TP_VIRTUAL_COMPLETED &&
            record->handle == begun->handle)
            return NULL;
    }
    return begun;
}

/* Of each barrier that is missing, what of the program's own ones is there in its place. */
static void look_for_own(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    for (uint32_t i = 0; i < explain->barrier_count; i++) {
        struct tp_explained_barrier *barrier = &explain->barriers[i];
        const struct tp_record *own = tp_explain_overtaking_barrier(barrier, recorder);

        if (barrier->own_how != TP_OWN_NONE)
            continue;
        barrier->own_how = own != NULL ? TP_OWN_OVERTAKES : TP_OWN_LATE;
        if (own == NULL)
            own = find_late(barrier, recorder);
        if (own == NULL)
            barrier->own_how = TP_OWN_NONE;
        else
            barrier->own = *own;
    }
}

/* Where it is the only one, that is what to say: which operation is to be waited for. */
static void look_for_waits(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    const struct tp_explained_barrier *barrier = &explain->barriers[0];

    look_for_own(explain, recorder);
    if (tp_explain_missing(explain) > 1 || barrier->own_how == TP_OWN_NONE)
        return;
    explain->how = TP_EXPLAINED_WAIT;
    explain->failed = barrier->own_how == TP_OWN_OVERTAKES ? barrier->after : barrier->own;
    if (barrier->own_how == TP_OWN_OVERTAKES)
        explain->overtakes = barrier->own;
}

/* The run once more, with all stages of its operations, in the trial's recorder. False:
 * that is not to be, or there is no memory. */
static bool record_stages(struct tp_explain_search *s)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;

    s->error = tp_tape_copy(s->explain->tape, NULL, &tape);
    if (s->error < 0)
        return false;
    trial->records = TP_EXPLAIN_RECORDS;
    trial->all_stages = trial->compares = true;
    s->error = tp_trial_replay(trial, tape, &outcome);
    trial->all_stages = trial->compares = false;
    trial->records = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    return s->error == 0;
}

/* What a program is told it acts upon at once: the last that it was told is what it stopped
 * at. */
void tp_explain_stop(struct tp_explain_search *s)
{
    enum tp_verdict verdict = (enum tp_verdict)s->explain->outcome.verdict;
    const struct tp_recorder *recorder;
    bool is_known = (verdict == TP_VERDICT_STOPPED || verdict == TP_VERDICT_SANITIZER ||
                     verdict == TP_VERDICT_CRASHED) &&
                    record_stages(s);

    s->stage = TP_STAGE_IDLE;
    if (!is_known)
        return;
    recorder = s->explain->trial->recorder;
    for (uint32_t i = recorder->dropped > 0 ? 0 : recorder->count; i > 0; i--) {
        if (recorder->records[i - 1].node == 0)
            continue;
        s->explain->last = recorder->records[i - 1];
        return;
    }
}

/* What the run with all stages says of what was found. */
static void look_around(struct tp_explain *explain, const struct tp_recorder *recorder)
{
    bool is_choice = explain->how == TP_EXPLAINED_CHOICE;
    bool is_struck = is_choice || explain->how == TP_EXPLAINED_ERROR;

    if (explain->how == TP_EXPLAINED_BARRIER) {
        look_for_waits(explain, recorder);
        return;
    }
    if (is_struck && tp_explain_overtaken_by_promise(explain, recorder))
        return;
    if (is_choice)
        find_where(explain, recorder);
    if (is_struck)
        look_for_recovery(explain, recorder);
    tp_explain_after(explain, recorder);
    tp_explain_read(explain, recorder);
}

void tp_explain_where(struct tp_explain_search *s)
{
    struct tp_explain *explain = s->explain;
    bool is_recorded = record_stages(s);

    if (is_recorded)
        look_around(explain, explain->trial->recorder);
    s->stage = TP_STAGE_OVER;
    if (is_recorded &&
        (explain->how == TP_EXPLAINED_ERROR || explain->how == TP_EXPLAINED_CHOICE ||
         explain->how == TP_EXPLAINED_TORN))
        tp_explain_begin_early(s, explain->trial->recorder);
}
