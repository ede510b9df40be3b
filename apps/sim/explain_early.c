/* Whether others were told too early: of what was found to matter, a change that failed,
 * was torn or was left undone, or of what the same machine goes on to do. The run passes
 * when nothing arrives that the process sends from a message on, and then, too, the change
 * comes: it does not take that message, and so the message should have waited for it.
 *
 * That the run passes without a message says little by itself, since a service of which
 * nothing is heard does nothing that could go wrong. */
#include "apps/sim/explain_internal.h"

#include <string.h>

enum { TOLD_OF = 8 }; /* of the messages before a change, the last so many */

/* One that was tried counts: why it failed is no matter. */
static bool is_change(const struct tp_record *record)
{
    if (record->kind != TP_FACT_OPERATION)
        return false;
    switch (record->op) {
    case TP_OPEN:
    case TP_WRITE:
    case TP_FSYNC:
    case TP_TRUNCATE:
    case TP_RENAME:
    case TP_REMOVE:
    case TP_SYNC_DIR:
        return record->changes || record->result < 0;
    default:
        return record->changes;
    }
}

static bool is_message(const struct tp_record *record)
{
    return record->kind == TP_FACT_OPERATION && record->result > 0 &&
           (record->op == TP_SEND || record->op == TP_SEND_BUFS);
}

/* ------------------------------------------------------------------ of which change */

/* What was found to matter: NULL, it is no change. */
static const struct tp_record *find_matter(const struct tp_explain *explain)
{
    if (explain->how == TP_EXPLAINED_TORN)
        return &explain->barriers[0].after;
    if (explain->how == TP_EXPLAINED_ERROR)
        return is_change(&explain->failed) ? &explain->failed : NULL;
    return explain->undone_count == 1 ? &explain->undone[0] : NULL;
}

/* Until when a message is too early: a change fails when it completes; one that was lost,
 * or never done, would have had to be durable when its process came to its end. */
static uint64_t until_of(const struct tp_explain *explain,
                         const struct tp_recorder *recorder, const struct tp_record *matter)
{
    bool has_failed = explain->how != TP_EXPLAINED_TORN && matter->result < 0;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->node != matter->node || record->at_ns < matter->at_ns)
            continue;
        if (record->kind == TP_FACT_END || record->kind == TP_FACT_VERDICT ||
            (has_failed && record->kind == TP_FACT_OPERATION &&
             record->stage == TP_VIRTUAL_COMPLETED && record->handle == matter->handle))
            return record->at_ns;
    }
    return UINT64_MAX;
}

/* ------------------------------------------------------------------ which messages */

/* The change that the same machine goes on to as soon as its message has been sent, which
 * is before it has heard anything; NULL: none. */
static const struct tp_record *find_next_change(const struct tp_recorder *recorder,
                                                uint32_t sent)
{
    const struct tp_record *message = &recorder->records[sent];
    bool goes_on = false;

    for (uint32_t i = sent + 1; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->node == message->node && record->kind == TP_FACT_END)
            return NULL;
        if (record->kind != TP_FACT_OPERATION || record->node != message->node ||
            record->machine != message->machine)
            continue;
        if (record->stage == TP_VIRTUAL_BEGUN &&
            (tp_kind_info[record->op].traits & TP_WAITS) != 0)
            return NULL;
        goes_on = goes_on ||
                  (record->stage == TP_VIRTUAL_BEGUN && record->at_ns == message->at_ns);
        if (record->stage == TP_VIRTUAL_EFFECT && is_change(record))
            return goes_on ? record : NULL;
    }
    return NULL;
}

/* Where the effect of an operation is, of which this is the end. */
static const struct tp_record *find_effect(const struct tp_recorder *recorder, uint32_t end)
{
    uint32_t at = end;

    while (at > 0 && (recorder->records[at - 1].kind != TP_FACT_OPERATION ||
                      recorder->records[at - 1].stage != TP_VIRTUAL_EFFECT ||
                      recorder->records[at - 1].handle != recorder->records[end].handle ||
                      recorder->records[at - 1].node != recorder->records[end].node))
        at--;
    return at == 0 ? NULL : &recorder->records[at - 1];
}

/* Where the draws of its node's faults are that may have made an operation fail: behind
 * those of the fact before it. */
static uint64_t faults_before(const struct tp_recorder *recorder,
                              const struct tp_record *operation)
{
    uint64_t faults = 0;

    for (const struct tp_record *record = recorder->records; record != operation; record++)
        faults = record->node == operation->node ? record->faults : faults;
    return faults;
}

static bool is_full(const struct tp_explain_search *s)
{
    return s->early_count == TP_EXPLAIN_EARLY;
}

/* Messages whose machines go on to a change: of more than there is room for, the last. */
static void list_by_machine(struct tp_explain_search *s, const struct tp_recorder *recorder,
                            uint32_t verdict)
{
    for (uint32_t i = verdict; i > 0 && !is_full(s); i--) {
        const struct tp_record *record = &recorder->records[i - 1], *change, *told;

        if (!is_message(record) || record->stage != TP_VIRTUAL_COMPLETED)
            continue;
        change = find_next_change(recorder, i - 1);
        told = find_effect(recorder, i - 1);
        if (change == NULL || told == NULL)
            continue;
        s->early[s->early_count++] =
            (struct tp_early){.told = *told,
                              .change = *change,
                              .goes_on = true,
                              .until_ns = until_of(s->explain, recorder, change),
                              .faults_from = faults_before(recorder, change),
                              .faults_to = change->faults};
    }
}

/* Whether that is what the machine goes on to which sends this. */
static bool goes_on_to(const struct tp_recorder *recorder, uint32_t sent,
                       const struct tp_record *change)
{
    uint32_t end =
        tp_record_end_of(recorder->records, recorder->count, sent, TP_VIRTUAL_COMPLETED);
    const struct tp_record *next = NULL;

    if (end < recorder->count && recorder->records[end].kind == TP_FACT_OPERATION)
        next = find_next_change(recorder, end);
    return next != NULL && next->handle == change->handle && next->at_ns == change->at_ns;
}

/* The last messages of its process that are sent before a change is too late, the last of
 * them first. */
static void list_before(struct tp_explain_search *s, const struct tp_recorder *recorder,
                        const struct tp_record *change)
{
    uint64_t until_ns = until_of(s->explain, recorder, change);
    uint32_t begun = 0, end = 0, told = 0;

    for (; end < recorder->count && recorder->records[end].at_ns < until_ns; end++) {
        const struct tp_record *record = &recorder->records[end];

        if (record->kind == TP_FACT_BOOT && record->node == change->node &&
            record->at_ns <= change->at_ns)
            begun = end;
    }
    for (; end > begun && told < TOLD_OF && !is_full(s); end--) {
        const struct tp_record *record = &recorder->records[end - 1];

        if (record->node != change->node || !is_message(record) ||
            record->stage != TP_VIRTUAL_EFFECT)
            continue;
        s->early[s->early_count++] =
            (struct tp_early){.told = *record,
                              .change = *change,
                              .goes_on = goes_on_to(recorder, end - 1, change),
                              .until_ns = until_ns};
        told++;
    }
}

/* What is known best comes first. */
void tp_explain_begin_early(struct tp_explain_search *s, const struct tp_recorder *recorder)
{
    uint32_t verdict = tp_explain_find_verdict(recorder->records, recorder->count);
    const struct tp_record *matter = find_matter(s->explain);

    s->stage = TP_STAGE_EARLY;
    s->early_at = s->early_count = 0;
    if (matter != NULL)
        list_before(s, recorder, matter);
    if (s->explain->how != TP_EXPLAINED_TORN)
        list_by_machine(s, recorder, verdict);
}

/* ------------------------------------------------------------------ whether it matters */

/* Whether the run passes if nothing is heard from a message on. With `change` it is to come
 * all the same: one that never took effect is not looked for. */
static bool passes_unheard(struct tp_explain_search *s, const struct tp_record *message,
                           const struct tp_record *change)
{
    struct tp_ghost ghost = {
        .node = message->node - 1, .effect = message->effect, .mutes = true};
    struct tp_trial *trial = s->explain->trial;
    bool good, is_there = change == NULL || change->stage != TP_VIRTUAL_EFFECT;

    trial->records = TP_EXPLAIN_RECORDS;
    good = tp_explain_passes(s, &ghost, 1, 0);
    trial->records = 0;
    for (uint32_t i = 0; good && !is_there && i < trial->recorder->count; i++) {
        const struct tp_record *record = &trial->recorder->records[i];

        is_there = is_change(record) && tp_explain_is_alike(record, change) &&
                   strcmp(record->text, change->text) == 0;
    }
    return good && is_there;
}

/* Where a process goes on behind what has failed, it may be what it says then that should
 * not have been said. */
static bool passes_unheard_behind(struct tp_explain_search *s, const struct tp_early *early)
{
    const struct tp_record *change = &early->change, *behind = NULL;

    for (uint32_t i = 0; i < s->record_count && behind == NULL; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->at_ns < early->until_ns || record->node != change->node)
            continue;
        if (record->kind == TP_FACT_END)
            return false;
        behind = is_message(record) ? record : NULL;
    }
    return behind != NULL && change->result < 0 && passes_unheard(s, behind, NULL);
}

/* Of a change that the machine goes on to, and that fails: whether the run passes without
 * that. All else has been found to matter. */
static bool passes_if_made(struct tp_explain_search *s, const struct tp_early *early)
{
    return early->faults_to == 0 || early->change.result >= 0 ||
           tp_explain_passes_mild(s, tp_stream(early->change.node, TP_CONCERN_FAULT),
                                  early->faults_from, early->faults_to);
}

/* A write that fails ends its process, and that is all that is known of what it was for: it
 * is only said which message came before. */
static bool is_only_said(const struct tp_explain *explain, const struct tp_early *early)
{
    return explain->how == TP_EXPLAINED_ERROR && !early->goes_on;
}

void tp_explain_early(struct tp_explain_search *s)
{
    struct tp_explain *explain = s->explain;
    const struct tp_early *early;

    if (s->early_at == s->early_count) {
        tp_explain_begin_mute(s);
        return;
    }
    early = &s->early[s->early_at++];
    if (!passes_unheard(s, &early->told, &early->change) ||
        passes_unheard_behind(s, early) || !passes_if_made(s, early))
        return;
    explain->told = early->told;
    s->stage = TP_STAGE_OVER;
    if (is_only_said(explain, early))
        return;
    explain->failed = early->change;
    explain->how = TP_EXPLAINED_EARLY;
    explain->barrier_count = 0;
}
