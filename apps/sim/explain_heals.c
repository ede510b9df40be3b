/* Whether a run passes with ghosts: as it was, with all survivors, with other ones. */
#include "apps/sim/explain_internal.h"
#include "apps/sim/survivors.h"

enum {
    SURVIVORS = 64, /* drawn anew for one that heals */
    WAYS_MAX = 192, /* of survivors that are tried one by one before */
};

static struct tp_tape *copy_of(struct tp_explain_search *s, const struct tp_tape *tape)
{
    struct tp_tape *copy = NULL;

    s->error = tp_tape_copy(tape, NULL, &copy);
    return copy;
}

/* The run in which ghosts are tried. */
static const struct tp_tape *tape_of(const struct tp_explain_search *s)
{
    return s->idle != NULL ? s->idle : s->filled;
}

/* One run of a tape, which becomes what was drawn. */
static bool run(struct tp_explain_search *s, struct tp_tape *tape,
                const struct tp_ghost *ghosts, uint32_t count, bool ends_uncut)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = {.verdict = TP_VERDICT_FAILED};

    trial->job.options.ghosts = ghosts;
    trial->job.options.ghost_count = count;
    trial->job.options.ends_uncut = ends_uncut;
    trial->realigns = true; /* what is durable already draws less */
    s->error = tp_trial_replay(trial, tape, &outcome);
    trial->realigns = false;
    trial->job.options.ghosts = NULL;
    trial->job.options.ghost_count = 0;
    trial->job.options.ends_uncut = false;
    s->explain->runs++;
    s->fails_alike = s->error == 0 && outcome.verdict != TP_VERDICT_PASSED &&
                     outcome.kind == s->explain->outcome.kind;
    return s->error == 0 && outcome.verdict == TP_VERDICT_PASSED;
}

/* What fails before the cut at the end is to fail no more until then: a program that goes
 * on without having been asked to, as one does that was interrupted, can lose something
 * anew in that cut. */
static bool run_with(struct tp_explain_search *s, struct tp_tape *tape,
                     const struct tp_ghost *ghosts, uint32_t count)
{
    return run(s, tape, ghosts, count, s->explain->outcome.phase < TP_PHASE_RECOVERY);
}

static void cut_off(struct tp_tape *tape, uint32_t stream, uint64_t from)
{
    uint64_t have = tp_tape_count(tape, stream);

    if (have > from)
        tp_tape_delete(tape, stream, from, have - from);
}

/* What the last cut of a node left is to be drawn anew. */
static void forget_survivors(const struct tp_explain_search *s, struct tp_tape *tape,
                             uint32_t node)
{
    cut_off(tape, tp_stream(node + 1, TP_CONCERN_CRASH), s->cut_draws[node]);
}

bool tp_explain_passes(struct tp_explain_search *s, const struct tp_ghost *ghosts,
                       uint32_t count, uint64_t survivors)
{
    struct tp_tape *tape = copy_of(s, tape_of(s));
    bool good;

    for (uint32_t node = 0; node < TP_EXPLAIN_NODES && survivors != 0 && s->error == 0;
         node++) {
        if (!s->was_cut[node])
            continue;
        forget_survivors(s, tape, node);
        s->error = tp_tape_go_on(tape, tp_stream(node + 1, TP_CONCERN_CRASH), survivors);
    }
    good = s->error == 0 && run_with(s, tape, ghosts, count);
    tp_tape_destroy(tape);
    return good;
}

/* From there on only what is evicted is kept of a node's faults: by that it shows what a
 * failed sync has lost. */
static void cut_off_faults(struct tp_tape *tape, uint32_t stream, uint64_t from)
{
    for (uint64_t i = tp_tape_count(tape, stream); i > from; i--) {
        if (tp_tape_entry(tape, stream, i - 1).kind != TP_DRAW_EVICT)
            tp_tape_delete(tape, stream, i - 1, 1);
    }
}

/* From a fact on, operations of its node take another time, and nothing befalls it. Number
 * 0: all is as it was. */
static struct tp_tape *with_other_times(struct tp_explain_search *s,
                                        const struct tp_tape *base,
                                        const struct tp_record *from, uint64_t number)
{
    struct tp_tape *tape = copy_of(s, base);
    uint32_t latency = tp_stream(from->node, TP_CONCERN_LATENCY);

    if (tape == NULL || number == 0)
        return tape;
    cut_off(tape, latency, from->latency);
    cut_off_faults(tape, tp_stream(from->node, TP_CONCERN_FAULT), from->faults);
    cut_off(tape, tp_stream(from->node, TP_CONCERN_EVENT), from->events);
    s->error = tp_tape_go_on(tape, latency, number * UINT64_C(0x9e3779b97f4a7c15));
    return tape;
}

bool tp_explain_fails_later(struct tp_explain_search *s, const struct tp_remedy *remedy,
                            const struct tp_record *from, uint64_t number)
{
    const struct tp_tape *base = s->stage == TP_STAGE_LOSSES ? tape_of(s) : s->filled;
    struct tp_trial *trial = s->explain->trial;
    struct tp_sim_outcome outcome = s->explain->outcome;
    struct tp_tape *tape = with_other_times(s, base, from, number);

    if (s->error == 0 && remedy != NULL)
        tp_tape_set(tape, remedy->stream, remedy->index, 0);
    trial->realigns = true;
    if (s->error == 0)
        s->error = tp_trial_replay(trial, tape, &outcome);
    trial->realigns = false;
    s->explain->runs++;
    tp_tape_destroy(tape);
    return s->error == 0 && outcome.verdict != TP_VERDICT_PASSED &&
           (remedy != NULL || outcome.kind == s->explain->outcome.kind);
}

bool tp_explain_passes_mild(struct tp_explain_search *s, uint32_t stream, uint64_t from,
                            uint64_t to)
{
    struct tp_tape *tape = copy_of(s, s->explain->tape);
    bool good;

    for (uint64_t i = from; i < to && s->error == 0; i++)
        tp_tape_set(tape, stream, i, 0);
    good = s->error == 0 && run(s, tape, NULL, 0, false);
    tp_tape_destroy(tape);
    return good;
}

/* ------------------------------------------------------------------ all survivors
 *
 * What a cut leaves is drawn on the node's crash stream. All values of all draws are tried,
 * the last draw's first, as long as there are not too many of them; of a draw that says how
 * far or which one, the ends and the next to them. A choice of a kind that is never drawn
 * there, at the end, makes the tape keep what is drawn past it (tp_tape_realign()). */

/* The next way, in place: false when there was none. */
static bool advance(struct tp_tape *tape, uint32_t stream, uint64_t from)
{
    for (uint64_t i = tp_tape_count(tape, stream); i > from; i--) {
        struct tp_draw_entry entry = tp_tape_entry(tape, stream, i - 1);
        uint64_t value = tp_survivors_value_after(&entry, entry.value);

        if (value >= entry.bound)
            continue;
        tp_tape_set(tape, stream, i - 1, value);
        tp_tape_delete(tape, stream, i, tp_tape_count(tape, stream) - i);
        return true;
    }
    return false;
}

static bool begin_ways(struct tp_explain_search *s, uint32_t node)
{
    s->ways = 0;
    s->all_ways = false;
    s->way = copy_of(s, tape_of(s));
    if (s->way != NULL)
        forget_survivors(s, s->way, node);
    return s->way != NULL;
}

static void end_ways(struct tp_explain_search *s)
{
    tp_tape_destroy(s->way);
    s->way = NULL;
}

/* Whether it passes in one more way. */
static bool passes_one_way(struct tp_explain_search *s)
{
    uint32_t node = s->ghosts[0].node;
    uint32_t stream = tp_stream(node + 1, TP_CONCERN_CRASH);
    struct tp_tape *tape;
    bool good;

    if (s->way == NULL && !begin_ways(s, node))
        return false;
    tape = copy_of(s, s->way);
    if (tape == NULL)
        return false;
    s->error = tp_tape_put(tape, stream, tp_tape_count(tape, stream), tp_explain_never);
    good = s->error == 0 && run_with(s, tape, s->ghosts, s->ghost_count);
    s->ways++;
    s->all_ways = good && !advance(tape, stream, s->cut_draws[node]);
    tp_tape_destroy(s->way);
    s->way = copy_of(s, tape); /* as a record: it is replayed from its start */
    tp_tape_destroy(tape);
    return good && s->way != NULL;
}

/* ------------------------------------------------------------------ the same run
 *
 * A ghost takes no time and is not seen. But a barrier of the program's own that finds less
 * to do can draw less, and then another fault befalls it, or none: that run passes for
 * another reason. */

/* Up to the first loss: what is kept of it, the program may see from then on. */
static bool is_same_run(struct tp_explain_search *s)
{
    struct tp_trial *trial = s->explain->trial;
    struct tp_tape *tape = copy_of(s, tape_of(s));
    uint32_t end = s->until;
    bool same = tape != NULL;

    trial->records = TP_EXPLAIN_RECORDS;
    if (same)
        (void)run_with(s, tape, s->ghosts, s->ghost_count);
    trial->records = 0;
    tp_tape_destroy(tape);
    same = same && s->error == 0 && trial->recorder->count >= end;
    for (uint32_t i = 0; i < end && same; i++) {
        const struct tp_record *here = &s->records[i];
        const struct tp_record *there = &trial->recorder->records[i];

        same = tp_explain_is_alike(here, there) && here->result == there->result;
    }
    return same;
}

/* With a failed sync there are no survivors to be drawn. */
static enum tp_explain_tried try_other_times(struct tp_explain_search *s)
{
    struct tp_tape *tape =
        with_other_times(s, tape_of(s), &s->records[s->until], s->survivors++);
    bool good = s->error == 0 && run_with(s, tape, s->ghosts, s->ghost_count);

    tp_tape_destroy(tape);
    if (good && s->survivors <= TP_EXPLAIN_TIMES)
        return TP_TRIED_SO_FAR;
    s->survivors = 0;
    return good && is_same_run(s) ? TP_TRIED_HEALS : TP_TRIED_FAILS;
}

enum tp_explain_tried tp_explain_try(struct tp_explain_search *s)
{
    bool good, has_ways = s->was_cut[s->ghosts[0].node] && s->survivors == 1;

    if (!tp_record_is_cut(&s->records[s->until]))
        return try_other_times(s);
    if (has_ways && !s->all_ways && s->ways < WAYS_MAX)
        good = passes_one_way(s);
    else
        good = tp_explain_passes(s, s->ghosts, s->ghost_count,
                                 s->survivors++ * UINT64_C(0x9e3779b97f4a7c15));
    if (good && s->survivors <= SURVIVORS && s->cut_nodes > 0 &&
        !(s->all_ways && s->cut_nodes == 1))
        return TP_TRIED_SO_FAR;
    s->survivors = 0;
    s->ways = 0;
    s->all_ways = false;
    end_ways(s);
    return good && is_same_run(s) ? TP_TRIED_HEALS : TP_TRIED_FAILS;
}

/* ------------------------------------------------------------------ a restart
 *
 * What a process knows, and has not written, is gone whatever a cut leaves; so is what it
 * has written and does not understand when it reads it. */

/* As it was, but for what the last cuts have left, which is all. */
static bool passes_if_kept(struct tp_explain_search *s, bool ends_uncut)
{
    struct tp_tape *tape = copy_of(s, s->explain->tape);
    bool good;

    for (uint32_t node = 0; node < TP_EXPLAIN_NODES && s->error == 0; node++) {
        if (s->was_cut[node])
            forget_survivors(s, tape, node);
    }
    good = s->error == 0 && run(s, tape, NULL, 0, ends_uncut);
    tp_tape_destroy(tape);
    return good;
}

void tp_explain_restart(struct tp_explain_search *s)
{
    bool ends_in_cut = s->explain->outcome.phase >= TP_PHASE_RECOVERY && s->cut_nodes > 0;

    if (ends_in_cut && !s->passes_uncut) {
        s->passes_uncut = passes_if_kept(s, true);
        if (s->passes_uncut)
            return;
    } else if (ends_in_cut && !passes_if_kept(s, false) && s->error == 0) {
        s->explain->how = TP_EXPLAINED_RESTART;
        s->explain->in_recovery = true;
    }
    s->stage = TP_STAGE_WHERE;
}
