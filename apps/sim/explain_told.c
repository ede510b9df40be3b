/* A barrier behind a node's last change before a cut: whether others had been told of that
 * change, and rely on it. */
#include "apps/sim/explain_internal.h"

/* Whether the node came to the same cut: then what survives it is the same as well, and so
 * is what the node finds. */
static bool is_cut_alike(const struct tp_explain_search *s,
                         const struct tp_recorder *recorder)
{
    const struct tp_record *cut = &s->records[s->candidates[s->found].loss];

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (tp_record_is_cut(record) && tp_explain_is_alike(record, cut) &&
            record->effect == cut->effect && record->crash == cut->crash)
            return true;
    }
    return false;
}

/* The first message that the node began to send behind a change: it may have been under
 * way when the power was cut. NULL: none. */
static const struct tp_record *find_message(const struct tp_recorder *recorder,
                                            const struct tp_record *change)
{
    bool is_behind = false;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->node != change->node)
            continue;
        if (is_behind && tp_record_is_cut(record))
            return NULL;
        if (record->kind != TP_FACT_OPERATION)
            continue;
        is_behind = is_behind || (record->stage == TP_VIRTUAL_EFFECT &&
                                  record->effect == change->effect);
        if (is_behind && record->stage == TP_VIRTUAL_BEGUN &&
            (record->op == TP_SEND || record->op == TP_SEND_BUFS ||
             record->op == TP_SEND_TO))
            return record;
    }
    return NULL;
}

/* The candidate before it on the same object; NULL: none. What was changed there is not to
 * be what is missed. */
static const struct tp_candidate *find_earlier(const struct tp_explain_search *s,
                                               const struct tp_candidate *candidate)
{
    struct tp_record change = tp_explain_change(s, candidate);
    const struct tp_candidate *earlier = NULL;

    for (uint32_t i = 0; i < s->candidate_count; i++) {
        const struct tp_candidate *other = &s->candidates[i];
        struct tp_record before = tp_explain_change(s, other);

        if (other->record < candidate->record &&
            (earlier == NULL || other->record > earlier->record) &&
            tp_explain_is_of_same(&before, &change))
            earlier = other;
    }
    return earlier;
}

void tp_explain_told(struct tp_explain_search *s)
{
    struct tp_explain *explain = s->explain;
    struct tp_trial *trial = explain->trial;
    struct tp_explained_barrier *barrier = &explain->barriers[0];
    const struct tp_candidate *earlier = find_earlier(s, &s->candidates[s->found]);
    struct tp_ghost ghosts[2] = {
        {.node = barrier->ghost.node, .effect = barrier->last.effect, .mutes = true}};
    const struct tp_record *message;
    bool passes;

    s->stage = TP_STAGE_WHERE;
    if (earlier != NULL)
        ghosts[1] = earlier->ghost;
    trial->records = TP_EXPLAIN_RECORDS;
    trial->all_stages = true;
    passes = tp_explain_passes(s, ghosts, earlier == NULL ? 1 : 2, 0);
    trial->all_stages = false;
    trial->records = 0;
    if (!passes || !is_cut_alike(s, trial->recorder))
        return;
    message = find_message(trial->recorder, &barrier->last);
    if (message == NULL)
        return;
    barrier->before = TP_BEFORE_TOLD;
    barrier->next = *message;
    tp_explain_say_how(s);
}
