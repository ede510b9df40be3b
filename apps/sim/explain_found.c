/* What ghosts that heal say. */
#include <string.h>

#include "apps/sim/explain_internal.h"

enum {
    UNKEPT_TOLD = 12, /* changes that one barrier would have kept */
    UNKEPT_ALL = 4,   /* several */
    UNKEPT_MORE = 32, /* bytes for how many more there are */
};

/* ------------------------------------------------------------------ what was not kept */

/* Whether what came before is of no interest: it is durable, or another process's. */
static bool is_start(const struct tp_record *record, const struct tp_record *change)
{
    bool is_name = change->dir != 0;

    if (record->kind == TP_FACT_BOOT)
        return true;
    if (record->kind != TP_FACT_OPERATION || record->result < 0)
        return false;
    return record->inode == tp_explain_object(change) &&
           (tp_explain_is_barrier(record, change) || (record->op == TP_OPEN && !is_name));
}

/* The words of explain->unkept, as they are put together. */
struct unkept {
    size_t used;
    uint32_t told, more, told_most;
    char last[256];
};

/* As many as are told, and then how many more. */
static void add_words(struct tp_explain *explain, struct unkept *unkept, const char *words)
{
    size_t size = sizeof explain->unkept, len = strlen(words) + 2;

    if (strcmp(words, unkept->last) == 0)
        return;
    memcpy(unkept->last, words, sizeof unkept->last);
    if (unkept->more > 0 || unkept->told == unkept->told_most ||
        unkept->used + len + UNKEPT_MORE >= size) {
        unkept->more++;
        return;
    }
    unkept->used += (size_t)snprintf(explain->unkept + unkept->used, size - unkept->used,
                                     "%s%s", unkept->used == 0 ? "" : "; ", words);
    unkept->told++;
}

/* Changes of the ghost's object up to the ghost, that no barrier of the program covers; the
 * same words in a row once. */
static void say_unkept(struct tp_explain_search *s, const struct tp_candidate *candidate,
                       struct unkept *unkept)
{
    const struct tp_record change = tp_explain_change(s, candidate);
    struct unkept before = *unkept;
    char words[256] = "";

    for (uint32_t i = 0; i <= candidate->record; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->node != change.node)
            continue;
        if (is_start(record, &change))
            *unkept = before;
        if (record->kind == TP_FACT_OPERATION && record->changes &&
            tp_explain_is_of_same(record, &change))
            add_words(s->explain, unkept, tp_record_operation(record, words, sizeof words));
    }
}

/* Of each object, up to the last ghost on it. */
static void say_all_unkept(struct tp_explain_search *s, const uint32_t *candidates,
                           uint32_t count)
{
    char *text = s->explain->unkept;
    struct unkept unkept = {.told_most = count == 1 ? UNKEPT_TOLD : UNKEPT_ALL};

    for (uint32_t i = 0; i < count; i++) {
        const struct tp_candidate *candidate = &s->candidates[candidates[i]];
        bool is_last = true;

        for (uint32_t j = 0; j < count && is_last; j++) {
            const struct tp_candidate *other = &s->candidates[candidates[j]];
            const struct tp_record change = tp_explain_change(s, candidate);
            const struct tp_record later = tp_explain_change(s, other);

            is_last = other->record <= candidate->record ||
                      !tp_explain_is_of_same(&later, &change);
        }
        if (is_last)
            say_unkept(s, candidate, &unkept);
    }
    text[unkept.used] = '\0';
    if (unkept.more > 0)
        (void)snprintf(text + unkept.used, sizeof s->explain->unkept - unkept.used,
                       "; and %u more", unkept.more);
}

/* ------------------------------------------------------------------ what it means */

/* The barrier may be there, and have failed, and what it was to come before came all the
 * same: then that is what to say. The last of them; NULL: there is none. */
static const struct tp_record *find_failed(const struct tp_explain_search *s,
                                           const struct tp_candidate *candidate,
                                           uint32_t next)
{
    const struct tp_record change = tp_explain_change(s, candidate);
    const struct tp_record *failed = NULL;

    for (uint32_t i = candidate->record + 1; i < next; i++) {
        const struct tp_record *record = &s->records[i];

        if (tp_explain_is_barrier(record, &change) && record->result < 0)
            failed = record;
    }
    return failed;
}

/* What first looked at it after the cut. */
static void note_reader(struct tp_explain_search *s, const struct tp_candidate *candidate)
{
    const struct tp_record *change = &s->records[candidate->record];

    for (uint32_t i = candidate->loss + 1; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->kind != TP_FACT_OPERATION || record->node != change->node ||
            (change->dir != 0 ? record->op != TP_OPEN
                              : record->op != TP_READ || record->inode != change->inode))
            continue;
        s->explain->read = *record;
        return;
    }
}

static bool is_at_place(const struct tp_explained_barrier *barrier,
                        const struct tp_explained_barrier *other)
{
    const struct tp_record *one = &barrier->after, *two = &other->after;

    return barrier->ghost.node == other->ghost.node &&
           barrier->ghost.names == other->ghost.names &&
           barrier->ghost.to == other->ghost.to && barrier->before == other->before &&
           one->op == two->op && one->line == two->line && one->file != NULL &&
           two->file != NULL && strcmp(one->file, two->file) == 0;
}

/* Whether what a barrier would have to come before comes before the sync, too, that failed:
 * another barrier is missing then. What others promise in the meantime is their matter. */
static bool is_before_sync(const struct tp_explain_search *s,
                           const struct tp_explained_barrier *barrier, uint32_t next,
                           uint32_t sync)
{
    return next < sync && (barrier->before != TP_BEFORE_PROMISE ||
                           s->records[next].node == barrier->after.node);
}

/* Those that are missing at one place of the source are told as one. */
static void add_barrier(struct tp_explain_search *s, const struct tp_candidate *candidate,
                        const struct tp_candidate *last)
{
    struct tp_explain *explain = s->explain;
    struct tp_explained_barrier barrier = {.ghost = candidate->ghost,
                                           .times = 1,
                                           .after = tp_explain_change(s, candidate),
                                           .last = tp_explain_change(s, last)};
    const struct tp_record *failed;
    bool is_sync = !tp_record_is_cut(&s->records[candidate->loss]);
    uint32_t at;

    barrier.before = tp_explain_follows(s, last, &at);
    barrier.next = s->records[at];
    failed = find_failed(s, candidate, at);
    if (failed == NULL && is_sync && !is_before_sync(s, &barrier, at, candidate->loss))
        failed = &s->records[candidate->loss];
    explain->by_sync = explain->by_sync || is_sync;
    explain->by_cut = explain->by_cut || !is_sync;
    if (failed != NULL) {
        barrier.own_how = TP_OWN_FAILED;
        barrier.own = *failed;
    }
    for (uint32_t i = 0; i < explain->barrier_count; i++) {
        if (!is_at_place(&explain->barriers[i], &barrier))
            continue;
        explain->barriers[i].times++;
        return;
    }
    if (explain->barrier_count < TP_EXPLAIN_BARRIERS)
        explain->barriers[explain->barrier_count++] = barrier;
    else
        explain->barriers_more++;
}

void tp_explain_found_all(struct tp_explain_search *s, const uint32_t *candidates,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct tp_candidate *candidate = &s->candidates[candidates[i]];

        add_barrier(s, candidate, candidate);
    }
    say_all_unkept(s, candidates, count);
    s->explain->how = TP_EXPLAINED_BARRIER;
}

void tp_explain_say_how(struct tp_explain_search *s)
{
    struct tp_explain *explain = s->explain;
    const struct tp_explained_barrier *barrier = &explain->barriers[0];

    if (barrier->before == TP_BEFORE_NOTHING) {
        explain->how = TP_EXPLAINED_TORN;
    } else if (barrier->own_how == TP_OWN_FAILED) {
        explain->how = TP_EXPLAINED_UNHEARD;
        explain->failed = barrier->own;
        explain->barrier_count = 0;
    } else {
        explain->how = TP_EXPLAINED_BARRIER;
    }
}

void tp_explain_found_one(struct tp_explain_search *s, const struct tp_candidate *candidate,
                          const struct tp_candidate *last)
{
    uint32_t index = (uint32_t)(candidate - s->candidates);

    add_barrier(s, candidate, last);
    say_all_unkept(s, &index, 1);
    tp_explain_say_how(s);
    if (s->explain->how == TP_EXPLAINED_TORN)
        note_reader(s, candidate);
}
