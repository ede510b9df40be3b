/* What takes changes away that are not durable, power cuts and failed syncs; and whether
 * the run fails by that. A ghost before a loss makes another run of all that comes behind
 * it, in which what went wrong there may not happen again, and then anything seems to heal.
 * So things take other times from the loss on, and nothing else befalls the node: if the
 * run hardly ever fails alike then, it is not the loss that it fails by. */
#include "apps/sim/explain_internal.h"

/* ------------------------------------------------------------------ what takes away */

/* A failed sync may lose what it did not write; of names it loses none. */
static bool is_failed_sync(const struct tp_record *record, const struct tp_record *change)
{
    return record->result < 0 && change->dir == 0 && tp_explain_is_barrier(record, change);
}

uint32_t tp_explain_find_loss(const struct tp_explain_search *s, uint32_t index,
                              uint32_t from)
{
    const struct tp_record *change = &s->records[index];
    uint32_t node = change->node - 1;
    bool is_cut = s->was_cut[node] && index < s->cut_record[node];

    for (uint32_t i = from; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];

        if (record->node == change->node &&
            (is_cut ? tp_record_is_cut(record) : is_failed_sync(record, change)))
            return i;
    }
    return s->record_count;
}

/* ------------------------------------------------------------------ whether it is that */

static struct tp_loss *find(struct tp_explain_search *s, uint32_t record)
{
    for (uint32_t i = 0; i < s->loss_count; i++) {
        if (s->losses[i].record == record)
            return &s->losses[i];
    }
    return NULL;
}

static void add(struct tp_explain_search *s, uint32_t record)
{
    if (find(s, record) == NULL && s->loss_count < TP_EXPLAIN_LOSSES)
        s->losses[s->loss_count++] = (struct tp_loss){.record = record};
}

void tp_explain_begin_losses(struct tp_explain_search *s)
{
    s->stage = TP_STAGE_LOSSES;
    for (uint32_t i = 0; i < s->candidate_count; i++)
        add(s, s->candidates[i].loss);
}

static bool fails_by(struct tp_explain_search *s, uint32_t record)
{
    const struct tp_loss *loss = find(s, record);

    return loss != NULL && loss->failed >= TP_EXPLAIN_FAIL_MIN;
}

/* Where the run does not fail by a sync, what that has not written may have been written
 * anew from memory, and be lost by the next one that fails. */
static void go_to_next(struct tp_explain_search *s)
{
    for (uint32_t i = 0; i < s->candidate_count; i++) {
        struct tp_candidate *candidate = &s->candidates[i];
        uint32_t next;

        if (tp_record_is_cut(&s->records[candidate->loss]) || fails_by(s, candidate->loss))
            continue;
        next = tp_explain_find_loss(s, candidate->record, candidate->loss + 1);
        if (next == s->record_count)
            continue;
        candidate->loss = next;
        add(s, next);
    }
}

/* Ghosts are tried before those that the run fails by, and before no other ones. */
static void keep_candidates(struct tp_explain_search *s)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->candidate_count; i++) {
        if (fails_by(s, s->candidates[i].loss))
            s->candidates[kept++] = s->candidates[i];
    }
    s->candidate_count = kept;
    tp_explain_begin_ghosts(s);
}

void tp_explain_loss(struct tp_explain_search *s)
{
    struct tp_loss *loss = &s->losses[s->loss_at];

    if (s->loss_at == s->loss_count)
        go_to_next(s);
    if (s->loss_at == s->loss_count) {
        keep_candidates(s);
        return;
    }
    loss->tried++;
    loss->failed += tp_explain_fails_later(s, NULL, &s->records[loss->record], loss->tried);
    if (loss->failed == TP_EXPLAIN_FAIL_MIN ||
        loss->tried - loss->failed > TP_EXPLAIN_TIMES - TP_EXPLAIN_FAIL_MIN)
        s->loss_at++;
}
