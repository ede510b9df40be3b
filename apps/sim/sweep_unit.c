/* One unit of a sweep: a cut and its survivors, or the second cuts behind a set of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "apps/sim/cuts.h"
#include "apps/sim/survivors.h"
#include "apps/sim/sweep_internal.h"

struct sweeper {
    const struct tp_sweep *sweep;
    const struct tp_sweep_unit *unit;
    struct tp_sweep_result *result;
    struct tp_trial trial;
    struct tp_cuts *cuts; /* shared with the run */
    struct tp_survivors survivors;
    uint32_t stream; /* what the node's cuts leave */
    uint64_t second;
};

/* ------------------------------------------------------------------ a cut, as choices */

static int put(struct tp_tape *tape, uint32_t stream, uint64_t *at, enum tp_draw kind,
               uint64_t value)
{
    struct tp_draw_entry entry = {
        .bound = UINT64_MAX, .value = value, .kind = (uint32_t)kind};

    return tp_tape_put(tape, stream, (*at)++, entry);
}

/* The draws of plan_node() in chaos.c, where power cuts are all that can befall a node:
 * a cut after so many operations, down for the shortest time, not aimed. */
static int put_cut(struct tp_tape *tape, uint32_t stream, uint64_t *at, uint64_t gap)
{
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(gap);
    int error = put(tape, stream, at, TP_DRAW_EVENT, 1);

    if (error == 0)
        error = put(tape, stream, at, TP_DRAW_WHEN, (uint64_t)octave * 16);
    if (error == 0)
        error = put(tape, stream, at, TP_DRAW_WHEN, gap - (UINT64_C(1) << octave));
    if (error == 0)
        error = put(tape, stream, at, TP_DRAW_SPAN, 0);
    if (error == 0)
        error = put(tape, stream, at, TP_DRAW_AIM, 0);
    return error;
}

int tp_sweep_compose(const struct tp_sweep *sweep, uint32_t node, uint64_t first,
                     uint64_t second, struct tp_tape **ret_tape)
{
    uint32_t stream = tp_stream(node + 1, TP_CONCERN_EVENT);
    struct tp_tape *tape = NULL;
    uint64_t at = 0;
    int error = tp_tape_copy(sweep->base, NULL, &tape);

    if (error < 0)
        return error;
    if (first > 0)
        error = put_cut(tape, stream, &at, first);
    if (error == 0 && second > 0)
        error = put_cut(tape, stream, &at, second);
    for (uint32_t other = TP_CONCERN_CRASH; other < tp_tape_streams(tape);
         other += TP_CONCERNS)
        tp_tape_delete(tape, other, 0, tp_tape_count(tape, other));
    if (error == 0)
        *ret_tape = tape;
    else
        tp_tape_destroy(tape);
    return error;
}

/* The first cut's set, and the one that is next. */
static int put_survivors(const struct sweeper *s, struct tp_tape *tape)
{
    const struct tp_sweep_kept *kept = s->unit->kept;
    int error = 0;

    for (uint32_t i = 0; kept != NULL && i < kept->count && error == 0; i++)
        error = tp_tape_put(tape, s->stream, i, kept->draws[i]);
    return error < 0 ? error : tp_survivors_put(&s->survivors, tape, s->stream);
}

/* ------------------------------------------------------------------ what came of it */

/* A failure is told with what the first `count` draws on the crash stream are. */
static void note_failure(struct sweeper *s, const struct tp_tape *tape, uint64_t count,
                         const struct tp_sim_outcome *outcome)
{
    struct tp_sweep_result *result = s->result;

    result->failed.second = s->second;
    result->failed.verdict = outcome->verdict;
    (void)snprintf(result->failed.message, sizeof result->failed.message, "%.*s",
                   (int)sizeof result->failed.message - 1, outcome->message);
    result->failed_count = TP_SWEEP_FAILED + 1;
    for (uint32_t i = 0; i < count && count <= TP_SWEEP_FAILED; i++)
        result->failed_draws[i] = tp_tape_entry(tape, s->stream, i);
    if (count <= TP_SWEEP_FAILED)
        result->failed_count = (uint32_t)count;
    result->failed.failures = 1;
}

/* What the power cut at the end leaves is on the same stream, and may be what is not borne.
 * So the run once more, with that whole, which is not counted. */
static int note_first_failure(struct sweeper *s, const struct tp_tape *tape, uint64_t to,
                              const struct tp_sim_outcome *outcome)
{
    uint64_t count = tp_tape_count(tape, s->stream);
    struct tp_sim_outcome alone = *outcome;
    struct tp_tape *once = NULL;
    int error = 0;

    if (to < count) {
        error = tp_sweep_compose(s->sweep, s->unit->node, s->unit->first, s->second, &once);
        for (uint64_t i = 0; i < to && error == 0; i++)
            error = tp_tape_put(once, s->stream, i, tp_tape_entry(tape, s->stream, i));
        if (error == 0)
            error = tp_trial_replay(&s->trial, once, &alone);
        tp_tape_destroy(once);
    }
    if (error < 0)
        return error;
    s->result->failed.needs_end = alone.verdict == TP_VERDICT_PASSED;
    if (s->result->failed.needs_end)
        note_failure(s, tape, count, outcome);
    else
        note_failure(s, tape, to, &alone);
    return 0;
}

/* Some of the sets, evenly, are those behind which there are second cuts. */
static void keep(struct sweeper *s, const struct tp_tape *tape, uint64_t from, uint64_t to)
{
    struct tp_sweep_result *result = s->result;
    struct tp_sweep_kept *kept = &result->kept[result->kept_count];
    uint64_t sets = s->survivors.there_are < s->survivors.limit ? s->survivors.there_are
                                                                : s->survivors.limit;
    uint64_t step = (sets + TP_SWEEP_RECOVERIES - 1) / TP_SWEEP_RECOVERIES;

    if (s->unit->first == 0 || s->cuts->recovery == 0 || to - from > TP_SWEEP_DRAWS ||
        result->kept_count == TP_SWEEP_RECOVERIES || (s->survivors.sets - 1) % step != 0)
        return;
    for (uint64_t i = from; i < to; i++)
        kept->draws[i - from] = tp_tape_entry(tape, s->stream, i);
    kept->count = (uint32_t)(to - from);
    kept->recovery = s->cuts->recovery;
    result->kept_count++;
}

/* Where on the node's crash stream the last of the cuts draws. False: it did not come. */
static bool find_draws(const struct sweeper *s, const struct tp_tape *tape,
                       uint64_t *ret_from, uint64_t *ret_to)
{
    uint32_t cut = s->second > 0 ? 1 : 0;

    if (s->cuts->count <= cut)
        return false;
    *ret_from = s->cuts->draws[cut];
    *ret_to =
        s->cuts->count > cut + 1 ? s->cuts->draws[cut + 1] : tp_tape_count(tape, s->stream);
    return true;
}

/* ------------------------------------------------------------------ runs */

/* What came of a set. Whether there are more. */
static bool note_set(struct sweeper *s, const struct tp_tape *tape,
                     const struct tp_sim_outcome *outcome)
{
    bool fails = outcome->verdict != TP_VERDICT_PASSED, more = false;
    uint64_t from = 0, to = tp_tape_count(tape, s->stream);

    s->result->count.runs++;
    s->result->failed.runs++;
    if (find_draws(s, tape, &from, &to)) {
        more = tp_survivors_note(&s->survivors, tape, s->stream, from, to);
        if (s->unit->kept == NULL && s->survivors.is_set && !fails)
            keep(s, tape, from, to);
    }
    if (fails && s->result->failed.failures > 0)
        s->result->failed.failures++;
    else if (fails)
        s->result->error = note_first_failure(s, tape, to, outcome);
    return more && s->result->error == 0;
}

/* One set. Whether there are more. */
static bool try_set(struct sweeper *s)
{
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    bool more = false;
    int error = tp_sweep_compose(s->sweep, s->unit->node, s->unit->first, s->second, &tape);

    if (error == 0)
        error = put_survivors(s, tape);
    tp_cuts_init(s->cuts, s->unit->node);
    if (error == 0)
        error = tp_trial_replay(&s->trial, tape, &outcome);
    s->result->error = error;
    if (error == 0)
        more = note_set(s, tape, &outcome);
    tp_tape_destroy(tape);
    return more;
}

static bool is_over(const struct sweeper *s)
{
    return tp_host_now_ns() >= s->sweep->until_ns;
}

/* All sets of a cut. False: time is up, or something went wrong. */
static bool sweep_place(struct sweeper *s, uint32_t limit)
{
    bool more = true;

    tp_survivors_begin(&s->survivors, limit == 0 ? 1 : limit);
    while (more && !is_over(s))
        more = try_set(s);
    s->result->is_over = more;
    if (more || s->result->error < 0)
        return false;
    s->result->count.done++;
    if (tp_survivors_are_all(&s->survivors))
        s->result->count.all++;
    else
        s->result->count.sampled++;
    return true;
}

static void sweep_unit(struct sweeper *s)
{
    const struct tp_sweep_kept *kept = s->unit->kept;
    uint32_t limit = s->sweep->survivors;

    if (kept == NULL) {
        (void)sweep_place(s, limit);
        return;
    }
    for (s->second = 1; s->second <= kept->recovery && s->second <= TP_SWEEP_SECOND_MAX;
         s->second++) {
        if (!sweep_place(s, limit / TP_SWEEP_PART))
            return;
    }
}

static int run_unit(struct sweeper *s)
{
    int error;

    s->cuts = mmap(NULL, sizeof *s->cuts, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->cuts == MAP_FAILED)
        return -ENOMEM;
    error = tp_trial_open(&s->trial, &s->sweep->trial->job);
    if (error == 0) {
        s->trial.hang_ns = s->sweep->trial->hang_ns;
        s->trial.realigns = true;
        s->trial.watch = &s->cuts->watch;
        sweep_unit(s);
        error = s->result->error;
        tp_trial_close(&s->trial);
    }
    (void)munmap(s->cuts, sizeof *s->cuts);
    return error;
}

void tp_sweep_unit_run(const struct tp_sweep *sweep, const struct tp_sweep_unit *unit,
                       struct tp_sweep_result *ret_result)
{
    struct sweeper *s = tp_alloc(NULL, sizeof *s, 64); /* too much for a stack */

    ret_result->failed.node = unit->node;
    ret_result->failed.first = unit->first;
    if (s == NULL) {
        ret_result->error = -ENOMEM;
        return;
    }
    s->sweep = sweep;
    s->unit = unit;
    s->result = ret_result;
    s->stream = tp_stream(unit->node + 1, TP_CONCERN_CRASH);
    ret_result->error = run_unit(s);
    tp_free(NULL, s, sizeof *s, 64);
}
