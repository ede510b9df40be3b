#include "apps/sim/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* What is tried, one trial a step. */
enum stage {
    RECORDS, /* the run once more, with its facts */
    IDLE,    /* the run with no work after its last cuts, in which ghosts are tried */
    ONE,     /* ghosts, one by one */
    TWO,     /* two at once */
    FAULTS,  /* choices made mildest: those of faults, then others */
    CHOICES,
    OVER,
};

struct tp_explain_search {
    struct tp_explain *explain;
    enum stage stage;
    uint32_t first, second; /* candidates that are being tried */
    uint64_t survivors;     /* sets of survivors that they have healed */
    uint32_t stream;        /* of the choices */
    uint64_t left;          /* of the stream's choices, counted from its end */
    bool skips;             /* the next trial is known to end badly */
    struct tp_tape *idle;   /* NULL: the tape as it is */
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

/* ------------------------------------------------------------------ the run as it was */

static void note_cuts(struct tp_explain_search *s)
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

static int record_run(struct tp_explain_search *s)
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

/* Draws on a node's workload stream before the last cut of any. */
static uint64_t work_before(const struct tp_explain_search *s, uint32_t number,
                            uint32_t cut_record)
{
    uint64_t work = 0;

    for (uint32_t i = 0; i <= cut_record && i < s->record_count; i++)
        work = s->records[i].node == number ? s->records[i].work : work;
    return work;
}

/* A program that goes on working after a loss that was healed can lose something anew, and
 * then no ghost seems to heal. So there is no work after the last cut; unless the run does
 * not fail without it. */
static int find_idle(struct tp_explain_search *s)
{
    struct tp_sim_outcome outcome;
    uint32_t last = 0;
    int error = tp_tape_copy(s->explain->tape, NULL, &s->idle);

    for (uint32_t node = 0; node < NODES_MAX; node++)
        last = s->was_cut[node] && s->cut_record[node] > last ? s->cut_record[node] : last;
    for (uint32_t number = 1; number <= NODES_MAX && error == 0; number++) {
        uint32_t stream = tp_stream(number, TP_CONCERN_WORKLOAD);
        uint64_t work = work_before(s, number, last);
        uint64_t have = tp_tape_count(s->idle, stream);

        if (work < have)
            tp_tape_delete(s->idle, stream, work, have - work);
    }
    if (error == 0 && !s->skips)
        error = tp_trial_replay(s->explain->trial, s->idle, &outcome);
    if (error == 0 && !s->skips && outcome.kind == s->explain->outcome.kind)
        return 0;
    tp_tape_destroy(s->idle);
    s->idle = NULL;
    return error;
}

/* ------------------------------------------------------------------ candidates */

/* What follows a change, before the last cut of its node: what a barrier between would have
 * to come before. */
static enum tp_explained_before what_follows(const struct tp_explain_search *s,
                                             uint32_t index)
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

static void add_candidate(struct tp_explain_search *s, uint32_t index)
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
static void list_candidates(struct tp_explain_search *s)
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
static bool passes(struct tp_explain_search *s, const struct tp_ghost *ghosts,
                   uint32_t count, uint64_t survivors)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = {.verdict = TP_VERDICT_FAILED};
    struct tp_tape *tape = NULL;

    s->error = tp_tape_copy(s->idle != NULL ? s->idle : s->explain->tape, NULL, &tape);
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
    if (s->error == 0 && !s->skips)
        s->error = tp_trial_replay(trial, tape, &outcome);
    trial->job.options.ghosts = NULL;
    trial->job.options.ghost_count = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    return s->error == 0 && outcome.verdict == TP_VERDICT_PASSED;
}

enum tried { HEALS, HEALS_SO_FAR, FAILS };

/* One more run with ghosts: with the original survivors, then with others. */
static enum tried try_ghosts(struct tp_explain_search *s, const struct tp_ghost *ghosts,
                             uint32_t count)
{
    if (!passes(s, ghosts, count, s->survivors * UINT64_C(0x9e3779b97f4a7c15))) {
        s->survivors = 0;
        return FAILS;
    }
    return s->survivors++ == SURVIVORS ? HEALS : HEALS_SO_FAR;
}

static void found(struct tp_explain_search *s, const struct candidate *candidate)
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
static void say_unkept(struct tp_explain_search *s)
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
static void look_for_deaf_ears(struct tp_explain_search *s,
                               const struct candidate *candidate)
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

static void try_one(struct tp_explain_search *s)
{
    const struct candidate *candidate = &s->candidates[s->first];

    if (s->first == s->candidate_count) {
        s->stage = TWO;
        s->first = 0;
        s->second = 1;
        return;
    }
    switch (try_ghosts(s, &candidate->ghost, 1)) {
    case HEALS_SO_FAR:
        return;
    case FAILS:
        s->first++;
        return;
    case HEALS:
        s->explain->how = TP_EXPLAINED_BARRIER;
        found(s, candidate);
        say_unkept(s);
        look_for_deaf_ears(s, candidate);
        s->stage = OVER;
        return;
    }
}

static void try_two(struct tp_explain_search *s)
{
    uint32_t pairs_of = s->candidate_count < PAIRS_OF ? s->candidate_count : PAIRS_OF;
    struct tp_ghost both[2];

    if (s->second >= pairs_of) {
        s->first++;
        s->second = s->first + 1;
    }
    if (s->second >= pairs_of) {
        s->stage = FAULTS;
        s->left = tp_tape_count(s->explain->tape, 0);
        return;
    }
    both[0] = s->candidates[s->first].ghost;
    both[1] = s->candidates[s->second].ghost;
    switch (try_ghosts(s, both, 2)) {
    case HEALS_SO_FAR:
        return;
    case FAILS:
        s->second++;
        return;
    case HEALS:
        s->explain->how = TP_EXPLAINED_TWO;
        found(s, &s->candidates[s->first]);
        found(s, &s->candidates[s->second]);
        say_unkept(s);
        s->stage = OVER;
        return;
    }
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
static bool find_other(const struct tp_explain_search *s, const struct tp_recorder *passed,
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
static bool passes_without(struct tp_explain_search *s, uint32_t stream, uint64_t index,
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
    if (!s->skips)
        s->error = tp_trial_replay(trial, tape, &outcome);
    trial->records = 0;
    tp_tape_destroy(tape);
    s->explain->runs++;
    if (s->error < 0 || outcome.verdict != TP_VERDICT_PASSED)
        return false;
    *ret_has_other = find_other(s, trial->recorder, ret_other);
    return true;
}

/* Whether the choice is one to be made mildest in this stage. */
static bool is_candidate(const struct tp_explain_search *s,
                         const struct tp_draw_entry *entry)
{
    uint32_t concern = s->stream % TP_CONCERNS;

    return entry->value != 0 && entry->kind != TP_DRAW_SEED &&
           (concern == TP_CONCERN_FAULT) == (s->stage == FAULTS) &&
           concern != TP_CONCERN_WORKLOAD;
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

static void try_choice(struct tp_explain_search *s)
{
    struct tp_explain *explain = s->explain;
    bool has_other = false;

    if (!find_choice(s)) {
        s->stage = s->stage == FAULTS ? CHOICES : OVER;
        s->stream = 0;
        s->left = tp_tape_count(explain->tape, 0);
        return;
    }
    s->left--;
    if (!passes_without(s, s->stream, s->left, &explain->failed, &has_other))
        return;
    explain->choice = tp_tape_entry(explain->tape, s->stream, s->left);
    explain->choice_stream = s->stream;
    explain->choice_index = s->left;
    explain->how =
        s->stage == FAULTS && has_other ? TP_EXPLAINED_ERROR : TP_EXPLAINED_CHOICE;
    s->stage = OVER;
}

/* ------------------------------------------------------------------ all of it */

/* The name that a file was opened by, for an operation that had only its fd. */
static void name_file(const struct tp_explain_search *s, struct tp_record *record)
{
    for (uint32_t i = s->record_count; i > 0 && record->text[0] == '\0'; i--) {
        const struct tp_record *other = &s->records[i - 1];

        if (other->kind == TP_FACT_OPERATION && other->node == record->node &&
            other->op == TP_OPEN && other->inode == record->inode)
            memcpy(record->text, other->text, sizeof record->text);
    }
}

int tp_explain_begin(struct tp_explain *explain)
{
    explain->search = calloc(1, sizeof *explain->search);
    if (explain->search == NULL)
        return -ENOMEM;
    explain->search->explain = explain;
    return 0;
}

static void name_files(struct tp_explain_search *s)
{
    for (uint32_t i = 0; i < s->explain->barrier_count; i++)
        name_file(s, &s->explain->barriers[i].after);
    name_file(s, &s->explain->failed);
}

bool tp_explain_step(struct tp_explain *explain)
{
    struct tp_explain_search *s = explain->search;

    switch (s->stage) {
    case RECORDS:
        s->error = record_run(s);
        if (s->error == 0)
            list_candidates(s);
        s->stage = IDLE;
        break;
    case IDLE:
        s->error = find_idle(s);
        s->stage = ONE;
        break;
    case ONE:
        try_one(s);
        break;
    case TWO:
        try_two(s);
        break;
    case FAULTS:
    case CHOICES:
        try_choice(s);
        break;
    case OVER:
        return false;
    }
    if (s->error < 0)
        s->stage = OVER;
    if (s->stage == OVER)
        name_files(s);
    return s->stage != OVER;
}

bool tp_explain_skip(struct tp_explain *explain)
{
    bool more;

    /* Without its facts there is nothing to look for. */
    if (explain->search->stage == RECORDS)
        explain->search->stage = OVER;
    explain->search->skips = true;
    more = tp_explain_step(explain);
    explain->search->skips = false;
    return more;
}

int tp_explain_end(struct tp_explain *explain)
{
    int error;

    if (explain->search == NULL)
        return 0;
    error = explain->search->error;
    tp_tape_destroy(explain->search->idle);
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
