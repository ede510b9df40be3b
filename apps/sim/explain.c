#include "apps/sim/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/words.h"

enum {
    RECORDS_MAX = 65536,
    NODES_MAX = 64,
    CANDIDATES_MAX = 128, /* each at least one run */
    PAIRS_OF = 12,        /* the first so many of them */
    SURVIVORS = 64,       /* drawn anew for one that heals */
    POWER = 3,            /* an end of this detail, or above, is a power cut */
};

/* A barrier that could be missing, and the change after which it would be. */
struct candidate {
    struct tp_ghost ghost;
    uint32_t record;
};

struct search {
    struct tp_explain *explain;
    struct tp_record *records;
    uint32_t record_count;
    uint64_t cut_draws[NODES_MAX]; /* on a node's crash stream, before its last cut */
    uint64_t cut_effect[NODES_MAX];
    uint32_t cut_record[NODES_MAX];
    bool was_cut[NODES_MAX];
    struct candidate candidates[CANDIDATES_MAX];
    uint32_t candidate_count;
    int error;
};

static bool is_over(const struct search *s)
{
    return s->error < 0 || tp_host_now_ns() >= s->explain->until_ns;
}

/* ------------------------------------------------------------------ the run as it was */

static void note_cuts(struct search *s)
{
    for (uint32_t i = 0; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];
        uint32_t node = record->node - 1;

        if (record->kind != TP_FACT_END || record->detail < POWER || node >= NODES_MAX)
            continue;
        s->was_cut[node] = true;
        s->cut_draws[node] = record->crash;
        s->cut_effect[node] = record->effect;
        s->cut_record[node] = i;
    }
}

static int record_run(struct search *s)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    int error = tp_tape_copy(s->explain->tape, NULL, &tape);

    if (error < 0)
        return error;
    trial->records = RECORDS_MAX;
    error = tp_trial_replay(trial, tape, &outcome);
    trial->records = 0;
    tp_tape_destroy(tape);
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

/* ------------------------------------------------------------------ candidates */

/* What follows a change, before the last cut of its node: what a barrier between would have
 * to come before. */
static enum tp_explained_before what_follows(const struct search *s, uint32_t index)
{
    const struct tp_record *record = &s->records[index];
    enum tp_explained_before before = TP_BEFORE_NOTHING;

    for (uint32_t i = index + 1; i < s->cut_record[record->node - 1]; i++) {
        const struct tp_record *later = &s->records[i];

        if (later->kind == TP_FACT_PROMISE)
            return before == TP_BEFORE_SAME ? before : TP_BEFORE_PROMISE;
        if (later->kind != TP_FACT_OPERATION || !later->changes ||
            later->node != record->node)
            continue;
        if (later->dir == record->dir &&
            (record->dir != 0 || later->inode == record->inode))
            return TP_BEFORE_SAME;
        if (before == TP_BEFORE_NOTHING)
            before = TP_BEFORE_OTHER;
    }
    return before;
}

static void add_candidate(struct search *s, uint32_t index)
{
    const struct tp_record *record = &s->records[index];
    struct candidate *candidate = &s->candidates[s->candidate_count++];

    candidate->record = index;
    candidate->ghost.node = record->node - 1;
    candidate->ghost.effect = record->effect;
    candidate->ghost.names = record->dir != 0;
    candidate->ghost.inode = record->dir != 0 ? record->dir : record->inode;
}

/* Those before a promise first, then those between changes of one object, then of two; each
 * time the latest first. */
static void list_candidates(struct search *s)
{
    static const enum tp_explained_before order[] = {TP_BEFORE_PROMISE, TP_BEFORE_SAME,
                                                     TP_BEFORE_OTHER};

    for (uint32_t pass = 0; pass < sizeof order / sizeof *order; pass++) {
        for (uint32_t i = s->record_count; i > 0 && s->candidate_count < CANDIDATES_MAX;
             i--) {
            const struct tp_record *record = &s->records[i - 1];
            uint32_t node = record->node - 1;

            if (record->kind == TP_FACT_OPERATION && record->changes && node < NODES_MAX &&
                s->was_cut[node] && record->effect <= s->cut_effect[node] &&
                what_follows(s, i - 1) == order[pass])
                add_candidate(s, i - 1);
        }
    }
}

/* ------------------------------------------------------------------ trying */

/* One run with ghosts; with other survivors of the last cuts, unless `survivors` is 0. */
static bool passes(struct search *s, const struct tp_ghost *ghosts, uint32_t count,
                   uint64_t survivors)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = {.verdict = TP_VERDICT_FAILED};
    struct tp_tape *tape = NULL;

    s->error = tp_tape_copy(s->explain->tape, NULL, &tape);
    for (uint32_t node = 0; node < NODES_MAX && survivors != 0 && s->error == 0; node++) {
        uint32_t stream = tp_stream(node + 1, TP_CONCERN_CRASH);
        uint64_t have = tp_tape_count(tape, stream);

        if (!s->was_cut[node])
            continue;
        if (have > s->cut_draws[node])
            tp_tape_delete(tape, stream, s->cut_draws[node], have - s->cut_draws[node]);
        s->error = tp_tape_go_on(tape, stream, survivors);
    }
    trial->job.options.ghosts = ghosts;
    trial->job.options.ghost_count = count;
    if (s->error == 0)
        s->error = tp_trial_replay(trial, tape, &outcome);
    trial->job.options.ghosts = NULL;
    trial->job.options.ghost_count = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    return s->error == 0 && outcome.verdict == TP_VERDICT_PASSED;
}

static bool heals(struct search *s, const struct tp_ghost *ghosts, uint32_t count)
{
    if (!passes(s, ghosts, count, 0))
        return false;
    for (uint64_t i = 1; i <= SURVIVORS; i++) {
        if (!passes(s, ghosts, count, i * UINT64_C(0x9e3779b97f4a7c15)))
            return false;
    }
    return true;
}

static void found(struct search *s, const struct candidate *candidate)
{
    struct tp_explained_barrier *barrier = &s->explain->barriers[s->explain->barrier_count];

    s->explain->barrier_count++;
    barrier->ghost = candidate->ghost;
    barrier->after = s->records[candidate->record];
    barrier->before = what_follows(s, candidate->record);
    for (uint32_t i = candidate->record + 1;
         i < s->record_count && barrier->before == TP_BEFORE_PROMISE; i++) {
        if (s->records[i].kind == TP_FACT_PROMISE) {
            barrier->promise = s->records[i];
            return;
        }
    }
}

/* ------------------------------------------------------------------ what was not kept */

/* Changes of the ghost's object that no barrier of the program covers, in words. */
static void say_unkept(struct search *s)
{
    struct tp_explain *explain = s->explain;
    const struct tp_ghost *ghost = &explain->barriers[0].ghost;
    size_t used = 0;

    for (uint32_t i = 0; i < s->record_count; i++) {
        const struct tp_record *record = &s->records[i];
        char words[256];

        if (record->kind != TP_FACT_OPERATION || record->node != ghost->node + 1 ||
            i > s->cut_record[ghost->node] || record->result < 0)
            continue;
        if ((record->op == TP_FSYNC && !ghost->names && record->inode == ghost->inode) ||
            (record->op == TP_SYNC_DIR && ghost->names && record->inode == ghost->inode)) {
            used = 0; /* it covers what came before */
            continue;
        }
        if (!record->changes ||
            (ghost->names ? record->dir : record->inode) != ghost->inode ||
            (!ghost->names && record->dir != 0) || used + 1 >= sizeof explain->unkept)
            continue;
        used += (size_t)snprintf(explain->unkept + used, sizeof explain->unkept - used,
                                 "%s%s", used == 0 ? "" : "; ",
                                 tp_record_operation(record, words, sizeof words));
        used = used < sizeof explain->unkept ? used : sizeof explain->unkept - 1;
    }
    explain->unkept[used] = '\0';
}

/* ------------------------------------------------------------------ missing barriers */

/* The barrier may be there, and have failed unheard: then that is what to say. */
static void look_for_deaf_ears(struct search *s, const struct candidate *candidate)
{
    const struct tp_ghost *ghost = &candidate->ghost;

    for (uint32_t i = candidate->record + 1; i < s->cut_record[ghost->node]; i++) {
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

static bool try_barriers(struct search *s)
{
    uint32_t pairs_of = s->candidate_count < PAIRS_OF ? s->candidate_count : PAIRS_OF;

    for (uint32_t i = 0; i < s->candidate_count && !is_over(s); i++) {
        if (heals(s, &s->candidates[i].ghost, 1)) {
            s->explain->how = TP_EXPLAINED_BARRIER;
            found(s, &s->candidates[i]);
            say_unkept(s);
            look_for_deaf_ears(s, &s->candidates[i]);
            return true;
        }
    }
    for (uint32_t i = 0; i < pairs_of; i++) {
        for (uint32_t k = i + 1; k < pairs_of && !is_over(s); k++) {
            struct tp_ghost both[2] = {s->candidates[i].ghost, s->candidates[k].ghost};

            if (heals(s, both, 2)) {
                s->explain->how = TP_EXPLAINED_TWO;
                found(s, &s->candidates[i]);
                found(s, &s->candidates[k]);
                say_unkept(s);
                return true;
            }
        }
    }
    return false;
}

/* ------------------------------------------------------------------ where none heals */

/* Whether an operation failed, or moved fewer bytes, where the other did not. */
static bool is_worse(const struct tp_record *here, const struct tp_record *there)
{
    bool moves = (tp_kind_info[here->op].traits & (TP_LENDS_IN | TP_LENDS_OUT)) != 0;

    if (here->result < 0)
        return there->result >= 0;
    return moves && here->result < there->result;
}

/* The first operation that comes to another result in a run that passes, if that is why. */
static bool find_other(const struct search *s, const struct tp_recorder *passed,
                       struct tp_record *ret_record)
{
    for (uint32_t i = 0; i < s->record_count && i < passed->count; i++) {
        const struct tp_record *here = &s->records[i], *there = &passed->records[i];

        if (here->kind != there->kind || here->op != there->op)
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

/* Whether it passes with a choice made mildest. `ret_other`: an operation that came to
 * another result by that, if there is one. */
static bool passes_without(struct search *s, uint32_t stream, uint64_t index,
                           struct tp_record *ret_other, bool *ret_has_other)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = {.verdict = TP_VERDICT_FAILED};
    struct tp_tape *tape = NULL;

    s->error = tp_tape_copy(s->explain->tape, NULL, &tape);
    if (s->error < 0)
        return false;
    tp_tape_set(tape, stream, index, 0);
    trial->records = RECORDS_MAX;
    s->error = tp_trial_replay(trial, tape, &outcome);
    trial->records = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    if (s->error < 0 || outcome.verdict != TP_VERDICT_PASSED)
        return false;
    *ret_has_other = find_other(s, trial->recorder, ret_other);
    return true;
}

static bool try_choices_of(struct search *s, bool faults)
{
    struct tp_explain *explain = s->explain;

    for (uint32_t stream = 0; stream < tp_tape_streams(explain->tape); stream++) {
        bool is_fault = stream % TP_CONCERNS == TP_CONCERN_FAULT;

        for (uint64_t i = tp_tape_count(explain->tape, stream); i > 0 && !is_over(s); i--) {
            struct tp_draw_entry entry = tp_tape_entry(explain->tape, stream, i - 1);
            bool has_other = false;

            if (entry.value == 0 || entry.kind == TP_DRAW_SEED || is_fault != faults ||
                stream % TP_CONCERNS == TP_CONCERN_WORKLOAD ||
                !passes_without(s, stream, i - 1, &explain->failed, &has_other))
                continue;
            explain->choice = entry;
            explain->choice_stream = stream;
            explain->choice_index = i - 1;
            explain->how = faults && has_other ? TP_EXPLAINED_ERROR : TP_EXPLAINED_CHOICE;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ all of it */

/* The name that a file was opened by, for an operation that had only its fd. */
static void name_file(const struct search *s, struct tp_record *record)
{
    for (uint32_t i = s->record_count; i > 0 && record->text[0] == '\0'; i--) {
        const struct tp_record *other = &s->records[i - 1];

        if (other->kind == TP_FACT_OPERATION && other->node == record->node &&
            other->op == TP_OPEN && other->inode == record->inode)
            memcpy(record->text, other->text, sizeof record->text);
    }
}

int tp_explain_run(struct tp_explain *explain)
{
    struct search *s = calloc(1, sizeof *s);
    int error;

    if (s == NULL)
        return -ENOMEM;
    s->explain = explain;
    s->error = record_run(s);
    if (s->error == 0) {
        list_candidates(s);
        if (!try_barriers(s) && !try_choices_of(s, true))
            (void)try_choices_of(s, false);
        for (uint32_t i = 0; i < explain->barrier_count; i++)
            name_file(s, &explain->barriers[i].after);
        name_file(s, &explain->failed);
    }
    error = s->error;
    free(s->records);
    free(s);
    return error;
}

/* ------------------------------------------------------------------ in words */

const char *tp_explain_kind(const struct tp_explain *explain)
{
    switch (explain->how) {
    case TP_EXPLAINED_NOT:
        return "none";
    case TP_EXPLAINED_BARRIER:
    case TP_EXPLAINED_TWO:
        return explain->barriers[0].ghost.names ? "sync_dir" : "fsync";
    case TP_EXPLAINED_UNHEARD:
    case TP_EXPLAINED_ERROR:
        return "error";
    case TP_EXPLAINED_CHOICE:
        return "choice";
    }
    tp_unreachable();
}

const struct tp_record *tp_explain_site(const struct tp_explain *explain)
{
    return explain->barrier_count > 0 ? &explain->barriers[0].after : &explain->failed;
}

static void print_barrier(const struct tp_explained_barrier *barrier, FILE *out)
{
    char words[256];

    (void)fprintf(out, "missing: %s, on node %u\n",
                  barrier->ghost.names ? "a sync of the directory (tp_sync_dir)"
                                       : "a sync of the file (tp_fsync)",
                  barrier->ghost.node);
    (void)fprintf(out, "  after: %s\n",
                  tp_record_operation(&barrier->after, words, sizeof words));
    (void)fprintf(out, "  before %s%s\n",
                  barrier->before == TP_BEFORE_PROMISE ? "it is promised: "
                  : barrier->before == TP_BEFORE_SAME  ? "the next change of the same"
                                                       : "the next change of another",
                  barrier->promise.text);
}

static void print_failed(const struct tp_record *failed, FILE *out)
{
    char words[256];

    (void)fprintf(out, "  %s = %s\n", tp_record_operation(failed, words, sizeof words),
                  failed->result < 0 ? tp_errno_name(failed->result) : "fewer bytes");
}

void tp_explain_print(const struct tp_explain *explain, FILE *out)
{
    (void)fprintf(out, "%s: %s\n", tp_verdict_name(explain->outcome.verdict),
                  explain->outcome.message);
    switch (explain->how) {
    case TP_EXPLAINED_BARRIER:
    case TP_EXPLAINED_TWO:
        (void)fprintf(out, "not durable when the power was cut: %s\n", explain->unkept);
        for (uint32_t i = 0; i < explain->barrier_count; i++)
            print_barrier(&explain->barriers[i], out);
        return;
    case TP_EXPLAINED_UNHEARD:
        (void)fprintf(out,
                      "not durable when the power was cut: %s\n"
                      "the barrier is there, and failed, which is not borne:\n",
                      explain->unkept);
        print_failed(&explain->failed, out);
        return;
    case TP_EXPLAINED_ERROR:
        (void)fputs("no missing barrier was found; it passes if this does not fail:\n",
                    out);
        print_failed(&explain->failed, out);
        return;
    case TP_EXPLAINED_CHOICE:
        (void)fputs("no missing barrier was found; it passes if this choice is 0:\n", out);
        tp_words_choice(explain->choice_stream, explain->choice_index, &explain->choice,
                        out);
        return;
    case TP_EXPLAINED_NOT:
        (void)fprintf(out, "not explained\n");
        return;
    }
}
