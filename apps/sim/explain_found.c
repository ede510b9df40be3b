/* What a ghost that heals says. */
#include <string.h>

#include "apps/sim/explain_internal.h"

static void found(struct tp_explain_search *s, const struct tp_candidate *candidate)
{
    struct tp_explained_barrier *barrier = &s->explain->barriers[s->explain->barrier_count];
    uint32_t at;

    s->explain->barrier_count++;
    barrier->ghost = candidate->ghost;
    barrier->after = s->records[candidate->record];
    barrier->before = tp_explain_follows(s, candidate->record, &at);
    barrier->next = s->records[at];
}

/* ------------------------------------------------------------------ what was not kept */

/* Whether what came before is of no interest: it is durable, or another process's. */
static bool is_start(const struct tp_record *record, const struct tp_ghost *ghost)
{
    if (record->kind == TP_FACT_BOOT)
        return true;
    if (record->kind != TP_FACT_OPERATION || record->result < 0)
        return false;
    return record->inode == ghost->inode &&
           (record->op == (ghost->names ? TP_SYNC_DIR : TP_FSYNC) ||
            (record->op == TP_OPEN && !ghost->names));
}

/* Changes of the ghost's object up to the ghost, that no barrier of the program covers, in
 * words; the same words in a row once. */
static void say_unkept(struct tp_explain_search *s, const struct tp_candidate *candidate)
{
    struct tp_explain *explain = s->explain;
    const struct tp_ghost *ghost = &candidate->ghost;
    char words[256], last[256] = "";
    size_t used = 0, size = sizeof explain->unkept;

    for (uint32_t i = 0; i <= candidate->record; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->node != ghost->node + 1)
            continue;
        if (is_start(record, ghost)) {
            used = 0;
            last[0] = '\0';
        }
        if (record->kind != TP_FACT_OPERATION || !record->changes ||
            (ghost->names ? record->dir : record->inode) != ghost->inode ||
            (!ghost->names && record->dir != 0) || used + 1 >= size ||
            strcmp(tp_record_operation(record, words, sizeof words), last) == 0)
            continue;
        used += (size_t)snprintf(explain->unkept + used, size - used, "%s%s",
                                 used == 0 ? "" : "; ", words);
        used = used < size ? used : size - 1;
        memcpy(last, words, sizeof last);
    }
    explain->unkept[used] = '\0';
}

/* ------------------------------------------------------------------ what it means */

/* The barrier may be there, and have failed, and what it was to come before came all the
 * same: then that is what to say. */
static void look_for_deaf_ears(struct tp_explain_search *s,
                               const struct tp_candidate *candidate)
{
    const struct tp_ghost *ghost = &candidate->ghost;
    uint32_t next;

    (void)tp_explain_follows(s, candidate->record, &next);
    for (uint32_t i = candidate->record + 1; i < next; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->kind != TP_FACT_OPERATION || record->node != ghost->node + 1 ||
            record->op != (ghost->names ? TP_SYNC_DIR : TP_FSYNC) ||
            record->inode != ghost->inode || record->result >= 0)
            continue;
        s->explain->how = TP_EXPLAINED_UNHEARD;
        s->explain->failed = *record;
        s->explain->barrier_count = 0;
    }
}

/* What first looked at it after the cut. */
static void note_reader(struct tp_explain_search *s, const struct tp_ghost *ghost)
{
    for (uint32_t i = s->cut_record[ghost->node] + 1; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->kind != TP_FACT_OPERATION || record->node != ghost->node + 1 ||
            (ghost->names ? record->op != TP_OPEN
                          : record->op != TP_READ || record->inode != ghost->inode))
            continue;
        s->explain->read = *record;
        return;
    }
}

void tp_explain_found_one(struct tp_explain_search *s, const struct tp_candidate *candidate)
{
    found(s, candidate);
    say_unkept(s, candidate);
    if (s->explain->barriers[0].before == TP_BEFORE_NOTHING) {
        s->explain->how = TP_EXPLAINED_TORN;
        note_reader(s, &candidate->ghost);
        return;
    }
    s->explain->how = TP_EXPLAINED_BARRIER;
    look_for_deaf_ears(s, candidate);
}

void tp_explain_found_two(struct tp_explain_search *s, const struct tp_candidate *first,
                          const struct tp_candidate *second)
{
    s->explain->how = TP_EXPLAINED_TWO;
    found(s, first);
    found(s, second);
    say_unkept(s, first);
}
