/* A barrier behind a node's last change before a cut, or one that failed unheard: whether
 * others had been told of that change, and rely on it. */
#include "apps/sim/explain_internal.h"

enum { TOLD_OF = 8 }; /* of the messages before a failed sync, the last so many */

static bool is_message(const struct tp_record *record)
{
    return record->kind == TP_FACT_OPERATION &&
           (record->op == TP_SEND || record->op == TP_SEND_BUFS ||
            record->op == TP_SEND_TO);
}

/* ------------------------------------------------------------------ before a cut */

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
        if (is_behind && record->stage == TP_VIRTUAL_BEGUN && is_message(record))
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
    if (explain->how == TP_EXPLAINED_UNHEARD)
        s->stage = TP_STAGE_UNHEARD;
}

/* ------------------------------------------------------------------ before a failed sync
 *
 * What a failed sync loses may have been told before, and then it is no use to bear that:
 * the run fails alike though nothing is heard of what the node sends behind the sync. It is
 * a message between the change and the sync if it does not fail alike when nothing is heard
 * from that on, though the sync fails all the same. Where the node does something else
 * then, it is the first message, if others promise something behind it. */

/* Where the sync is among the facts. */
static uint32_t find_sync(const struct tp_explain_search *s)
{
    uint32_t at = 0;

    while (at < s->record_count && (s->records[at].kind != TP_FACT_OPERATION ||
                                    s->records[at].node != s->explain->failed.node ||
                                    s->records[at].effect != s->explain->failed.effect))
        at++;
    return at;
}

static bool is_sent(const struct tp_explain_search *s, uint32_t at)
{
    return is_message(&s->records[at]) && s->records[at].result > 0 &&
           s->records[at].node == s->explain->failed.node;
}

/* The message behind the change that has so many others between it and the sync. The count:
 * there is none. */
static uint32_t find_before(const struct tp_explain_search *s, uint32_t sync,
                            uint32_t number)
{
    for (uint32_t i = sync; i > 0; i--) {
        if (is_sent(s, i - 1) &&
            s->records[i - 1].effect > s->explain->barriers[0].after.effect &&
            number-- == 0)
            return i - 1;
    }
    return s->record_count;
}

/* Of the change that is lost, which need not be that of the candidate that was found. */
static const struct tp_candidate *find_candidate(const struct tp_explain_search *s)
{
    const struct tp_ghost *ghost = &s->explain->barriers[0].ghost;
    uint32_t at = s->found;

    for (uint32_t i = 0; i < s->candidate_count; i++) {
        const struct tp_ghost *other = &s->candidates[i].ghost;

        if (other->node == ghost->node && other->effect == ghost->effect &&
            other->names == ghost->names && other->to == ghost->to)
            at = i;
    }
    return &s->candidates[at];
}

/* Whether the run fails alike if nothing is heard of the node from an effect on, whether it
 * boots again or not; what was changed before is not to be what is missed. What it comes to
 * where a trial is skipped is not known. */
static bool fails_unheard(struct tp_explain_search *s, uint64_t effect)
{
    const struct tp_candidate *earlier = find_earlier(s, find_candidate(s));
    struct tp_ghost ghosts[2] = {{.node = s->explain->failed.node - 1,
                                  .effect = effect,
                                  .mutes = true,
                                  .stays = true}};

    if (earlier != NULL)
        ghosts[1] = earlier->ghost;
    return !tp_explain_passes(s, ghosts, earlier == NULL ? 1 : 2, 0) && s->fails_alike;
}

/* From the first message on that is sent behind the sync. */
static bool fails_unheard_behind(struct tp_explain_search *s, uint32_t sync)
{
    uint32_t at = sync;

    while (at < s->record_count && !is_sent(s, at))
        at++;
    return at == s->record_count || fails_unheard(s, s->records[at].effect);
}

/* Whether it does not, from a message before on, or from the change; and if the sync fails
 * then. The trial has the facts. */
static bool is_heard(struct tp_explain_search *s, uint64_t effect, bool *ret_sync_fails)
{
    const struct tp_record *failed = &s->explain->failed;
    struct tp_trial *trial = s->explain->trial;
    bool matters;

    *ret_sync_fails = false;
    trial->records = TP_EXPLAIN_RECORDS;
    trial->all_stages = true;
    matters = !fails_unheard(s, effect) && s->error == 0;
    trial->all_stages = false;
    trial->records = 0;
    for (uint32_t i = 0; matters && i < trial->recorder->count && !*ret_sync_fails; i++) {
        const struct tp_record *record = &trial->recorder->records[i];

        *ret_sync_fails = tp_explain_is_alike(record, failed) && record->result < 0 &&
                          record->stage == failed->stage &&
                          record->effect == failed->effect;
    }
    return matters;
}

/* Whether somebody else promises something behind the message. */
static bool is_promised_behind(const struct tp_explain_search *s,
                               const struct tp_record *message)
{
    for (uint32_t i = 0; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->kind == TP_FACT_PROMISE && record->node != message->node &&
            record->at_ns > message->at_ns)
            return true;
    }
    return false;
}

/* The sync is of the process that has sent the message, and so it is what was to come
 * first; or one is missing. */
static void say_told(struct tp_explain_search *s, const struct tp_record *message,
                     uint32_t sync)
{
    struct tp_explain *explain = s->explain;
    struct tp_explained_barrier *barrier = &explain->barriers[0];
    bool is_same_process = true;

    for (uint32_t i = 0; i < sync; i++)
        is_same_process = is_same_process && (s->records[i].kind != TP_FACT_END ||
                                              s->records[i].node != message->node ||
                                              s->records[i].at_ns < message->at_ns);
    s->stage = TP_STAGE_WHERE;
    if (is_same_process) {
        explain->how = TP_EXPLAINED_EARLY;
        explain->told = *message;
        return;
    }
    if (barrier->before != TP_BEFORE_PROMISE ||
        barrier->next.at_ns > explain->failed.at_ns) {
        barrier->before = TP_BEFORE_TOLD;
        barrier->next = *message;
    }
    barrier->own_how = TP_OWN_NONE;
    explain->barrier_count = 1;
    tp_explain_say_how(s);
}

/* And if nothing is heard from the change on: a message may have been under way when its
 * process came to its end. */
static void try_change(struct tp_explain_search *s, uint32_t sync)
{
    const struct tp_record *change = &s->explain->barriers[0].after, *message;
    bool sync_fails;

    s->stage = TP_STAGE_WHERE;
    if (!is_heard(s, change->effect, &sync_fails))
        return;
    message = find_message(s->explain->trial->recorder, change);
    if (message == NULL || message->at_ns > s->explain->failed.at_ns)
        return;
    if (sync_fails || is_promised_behind(s, message))
        say_told(s, message, sync);
}

void tp_explain_told_before(struct tp_explain_search *s)
{
    uint32_t sync = find_sync(s), message = find_before(s, sync, s->told_at);
    bool sync_fails;

    if (s->told_at == 0 && !fails_unheard_behind(s, sync)) {
        s->stage = TP_STAGE_WHERE;
        return;
    }
    if (message == s->record_count || s->told_at == TOLD_OF) {
        try_change(s, sync);
        return;
    }
    s->told_at++;
    if (is_heard(s, s->records[message].effect, &sync_fails) && sync_fails)
        say_told(s, &s->records[message], sync);
}
