#include "apps/sim/explain_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the run as it was */

static void note_cuts(struct tp_explain_search *s)
{
    for (uint32_t i = 0; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];
        uint32_t node = record->node - 1;

        if (!tp_record_is_cut(record) || node >= TP_EXPLAIN_NODES)
            continue;
        s->cut_nodes += !s->was_cut[node];
        s->was_cut[node] = true;
        s->cut_draws[node] = record->crash;
        s->cut_record[node] = i;
    }
}

/* Of what is to be drawn anew from a moment on, the tape has to have all that is drawn
 * before: a choice at the end that is never asked for makes it keep that. */
static int keep_all(struct tp_tape *tape)
{
    static const enum tp_concern concerns[] = {TP_CONCERN_LATENCY, TP_CONCERN_CRASH};
    int error = 0;

    for (uint32_t i = 0; i < 2 * TP_EXPLAIN_NODES && error == 0; i++) {
        uint32_t stream = tp_stream(i / 2 + 1, concerns[i % 2]);

        error = tp_tape_put(tape, stream, tp_tape_count(tape, stream), tp_explain_never);
    }
    return error;
}

static int record_run(struct tp_explain_search *s)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome;
    int error = tp_tape_copy(s->explain->tape, NULL, &s->filled);

    if (error == 0)
        error = keep_all(s->filled);
    if (error < 0)
        return error;
    trial->records = TP_EXPLAIN_RECORDS;
    trial->realigns = true;
    error = tp_trial_replay(trial, s->filled, &outcome);
    trial->realigns = false;
    trial->records = 0;
    if (error < 0)
        return error;
    s->record_count = trial->recorder->count;
    s->records = calloc((size_t)s->record_count + 1, sizeof *s->records);
    if (s->records == NULL)
        return -ENOMEM;
    memcpy(s->records, trial->recorder->records, s->record_count * sizeof *s->records);
    note_cuts(s);
    return 0;
}

/* Draws on a node's workload stream before a loss. */
static uint64_t work_before(const struct tp_explain_search *s, uint32_t number,
                            uint32_t loss)
{
    uint64_t work = 0;

    for (uint32_t i = 0; i <= loss && i < s->record_count; i++)
        work = s->records[i].node == number ? s->records[i].work : work;
    return work;
}

/* The last of what takes something away. */
static uint32_t find_last_loss(const struct tp_explain_search *s)
{
    uint32_t last = 0;

    for (uint32_t node = 0; node < TP_EXPLAIN_NODES; node++)
        last = s->was_cut[node] && s->cut_record[node] > last ? s->cut_record[node] : last;
    for (uint32_t i = 0; i < s->candidate_count; i++)
        last = s->candidates[i].loss > last ? s->candidates[i].loss : last;
    return last;
}

/* A program that goes on working after a loss that was healed can lose something anew, and
 * then no ghost seems to heal. So there is no work after the last one; unless the run does
 * not fail without it. */
static int find_idle(struct tp_explain_search *s)
{
    struct tp_sim_outcome outcome;
    uint32_t last = find_last_loss(s);
    int error = tp_tape_copy(s->filled, NULL, &s->idle);

    for (uint32_t number = 1; number <= TP_EXPLAIN_NODES && error == 0; number++) {
        uint32_t stream = tp_stream(number, TP_CONCERN_WORKLOAD);
        uint64_t work = work_before(s, number, last);
        uint64_t have = tp_tape_count(s->idle, stream);

        if (work < have)
            tp_tape_delete(s->idle, stream, work, have - work);
    }
    if (error == 0)
        error = tp_trial_replay(s->explain->trial, s->idle, &outcome);
    if (error == 0 && outcome.kind == s->explain->outcome.kind)
        return 0;
    tp_tape_destroy(s->idle);
    s->idle = NULL;
    return error;
}

/* ------------------------------------------------------------------ candidates */

enum tp_explained_before tp_explain_follows(const struct tp_explain_search *s,
                                            const struct tp_candidate *candidate,
                                            uint32_t *ret_at)
{
    const struct tp_record change = tp_explain_change(s, candidate);
    enum tp_explained_before before = TP_BEFORE_NOTHING;
    uint32_t cut = s->cut_record[change.node - 1];
    bool is_before_cut = s->was_cut[change.node - 1] && candidate->record < cut;
    uint32_t end = is_before_cut ? cut : s->record_count;

    *ret_at = end;
    for (uint32_t i = candidate->record + 1; i < end; i++) {
        const struct tp_record *later = &s->records[i];
        bool is_promise = later->kind == TP_FACT_PROMISE;

        if (!is_promise && (later->kind != TP_FACT_OPERATION || !later->changes ||
                            later->node != change.node))
            continue;
        if (is_promise || tp_explain_is_of_same(later, &change)) {
            *ret_at = i;
            return is_promise ? TP_BEFORE_PROMISE : TP_BEFORE_SAME;
        }
        if (before == TP_BEFORE_NOTHING)
            *ret_at = i;
        before = TP_BEFORE_OTHER;
    }
    return before;
}

/* Adds it, if it is its turn, and if there is something that takes the change away. */
static void add_candidate(struct tp_explain_search *s, uint32_t index, bool to,
                          enum tp_explained_before before)
{
    const struct tp_record *record = &s->records[index];
    struct tp_candidate candidate = {.record = index,
                                     .before = before,
                                     .ghost = {.node = record->node - 1,
                                               .effect = record->effect,
                                               .names = record->dir != 0,
                                               .to = to}};
    uint32_t at;

    if (s->candidate_count == TP_EXPLAIN_CANDIDATES ||
        tp_explain_follows(s, &candidate, &at) != before)
        return;
    candidate.loss = tp_explain_find_loss(s, index, index + 1);
    if (candidate.loss < s->record_count &&
        (before != TP_BEFORE_NOTHING || tp_record_is_cut(&s->records[candidate.loss])))
        s->candidates[s->candidate_count++] = candidate;
}

/* Those before a promise first, then those between changes of one object, then of two, then
 * those behind which nothing changed any more; each time the latest first. Of a rename from
 * one directory into another the one with the new name is what mostly matters. */
static void list_candidates(struct tp_explain_search *s)
{
    static const enum tp_explained_before order[] = {TP_BEFORE_PROMISE, TP_BEFORE_SAME,
                                                     TP_BEFORE_OTHER, TP_BEFORE_NOTHING};

    for (uint32_t pass = 0; pass < sizeof order / sizeof *order; pass++) {
        for (uint32_t i = s->record_count; i > 0; i--) {
            const struct tp_record *record = &s->records[i - 1];

            if (record->kind != TP_FACT_OPERATION || !record->changes ||
                record->node > TP_EXPLAIN_NODES)
                continue;
            if (record->to_dir != 0)
                add_candidate(s, i - 1, true, order[pass]);
            add_candidate(s, i - 1, false, order[pass]);
        }
    }
}

/* One more run with the ghosts whose turn it is. One that was ended early says nothing. */
static void try_ghosts(struct tp_explain_search *s)
{
    enum tp_explain_tried tried;

    tp_explain_choose_ghosts(s, 0);
    tried = tp_explain_try(s);
    if (tried != TP_TRIED_SO_FAR && s->error == 0)
        (void)tp_explain_tried(s, tried == TP_TRIED_HEALS);
}

/* ------------------------------------------------------------------ all of it */

int tp_explain_begin(struct tp_explain *explain)
{
    explain->search = calloc(1, sizeof *explain->search);
    if (explain->search == NULL)
        return -ENOMEM;
    explain->search->explain = explain;
    return 0;
}

bool tp_explain_step(struct tp_explain *explain)
{
    struct tp_explain_search *s = explain->search;

    switch (s->stage) {
    case TP_STAGE_RECORDS:
        s->error = record_run(s);
        if (s->error == 0)
            list_candidates(s);
        s->stage = TP_STAGE_STOP;
        break;
    case TP_STAGE_STOP:
        tp_explain_stop(s);
        break;
    case TP_STAGE_IDLE:
        s->error = find_idle(s);
        tp_explain_begin_losses(s);
        break;
    case TP_STAGE_LOSSES:
        tp_explain_loss(s);
        break;
    case TP_STAGE_ONE:
    case TP_STAGE_SET:
    case TP_STAGE_EARLIEST:
        try_ghosts(s);
        break;
    case TP_STAGE_FAULTS:
    case TP_STAGE_CUTS:
    case TP_STAGE_EVENTS:
    case TP_STAGE_CHOICES:
    case TP_STAGE_SWARM:
        tp_explain_choice(s);
        break;
    case TP_STAGE_RESTART:
        tp_explain_restart(s);
        break;
    case TP_STAGE_TOLD:
        tp_explain_told(s);
        break;
    case TP_STAGE_UNHEARD:
        tp_explain_told_before(s);
        break;
    case TP_STAGE_WHERE:
        tp_explain_where(s);
        break;
    case TP_STAGE_EARLY:
        tp_explain_early(s);
        break;
    case TP_STAGE_MUTE:
        tp_explain_mute(s);
        break;
    case TP_STAGE_OVER:
        return false;
    }
    if (s->error < 0) {
        tp_explain_end_ghosts(s);
        s->stage = TP_STAGE_OVER;
    }
    explain->is_whole = s->stage == TP_STAGE_OVER && s->error == 0;
    return s->stage != TP_STAGE_OVER;
}

int tp_explain_end(struct tp_explain *explain)
{
    int error;

    if (explain->search == NULL)
        return 0;
    tp_explain_end_ghosts(explain->search);
    error = explain->search->error;
    tp_tape_destroy(explain->search->filled);
    tp_tape_destroy(explain->search->idle);
    tp_tape_destroy(explain->search->way);
    free(explain->search->records);
    free(explain->search);
    explain->search = NULL;
    return error;
}

int tp_explain_run(struct tp_explain *explain)
{
    int error = tp_explain_begin(explain);

    if (error < 0)
        return error;
    while (tp_explain_step(explain) && tp_host_now_ns() < explain->until_ns)
        ;
    return tp_explain_end(explain);
}
