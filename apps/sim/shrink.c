#include "apps/sim/shrink_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/signals.h"

/* At first, slices that are not less than this part of the run: a long run is slow to try.
 */
enum { COARSE = 16 };

/* A choice that is not 0. */
struct choice {
    uint32_t stream;
    uint64_t index;
};

static bool is_seed(const struct tp_draw_entry *entry)
{
    return entry->kind == TP_DRAW_SEED;
}

uint32_t tp_shrink_choices(const struct tp_tape *tape)
{
    uint32_t count = 0;

    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

            count += entry.value != 0 && !is_seed(&entry);
        }
    }
    return count;
}

static struct choice *list_choices(const struct tp_tape *tape, uint32_t *ret_count)
{
    uint32_t count = tp_shrink_choices(tape), at = 0;
    struct choice *choices = calloc((size_t)count + 1, sizeof *choices);

    if (choices == NULL)
        return NULL;
    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

            if (entry.value != 0 && !is_seed(&entry))
                choices[at++] = (struct choice){stream, i};
        }
    }
    *ret_count = count;
    return choices;
}

/* ------------------------------------------------------------------ trying */

bool tp_shrink_is_over(const struct tp_shrink *shrink)
{
    return shrink->error < 0 || tp_host_now_ns() >= shrink->until_ns ||
           app_signals_caught() != 0;
}

struct tp_tape *tp_shrink_copy(struct tp_shrink *shrink)
{
    struct tp_tape *tape = NULL;

    shrink->error = tp_tape_copy(shrink->best, NULL, &tape);
    return tape;
}

bool tp_shrink_is_kind(const struct tp_tape *tape, uint32_t stream, uint64_t index,
                       enum tp_draw kind)
{
    return index < tp_tape_count(tape, stream) &&
           tp_tape_entry(tape, stream, index).kind == (uint32_t)kind;
}

/* What fails alike, and only much later, is no smaller, and slow to be tried. What will
 * not fail is mostly longer, too: it is not run to its end. */
static void bound_length(struct tp_shrink *shrink)
{
    uint64_t most = shrink->outcome.events + shrink->outcome.events / 4 + 64;
    struct tp_trial *trial = shrink->trial;

    if (trial->events_max == 0 || most < trial->events_max)
        trial->events_max = most;
}

/* Takes the candidate: it becomes the best, or is gone. */
bool tp_shrink_keeps(struct tp_shrink *shrink, struct tp_tape *candidate)
{
    struct tp_sim_outcome outcome;
    uint64_t began_ns;

    if (!tp_shrink_is_new(shrink, tp_shrink_hash(candidate))) {
        tp_tape_destroy(candidate);
        return false;
    }
    began_ns = tp_host_now_ns();
    shrink->error = tp_trial_replay(shrink->trial, candidate, &outcome);
    shrink->run_ns = tp_host_now_ns() - began_ns;
    if (shrink->progress != NULL)
        shrink->progress(shrink->context, shrink);
    if (shrink->error < 0 || !tp_shrink_is_alike(shrink, &outcome)) {
        tp_tape_destroy(candidate);
        return false;
    }
    tp_tape_destroy(shrink->best);
    shrink->best = candidate;
    shrink->outcome = outcome;
    shrink->kept++;
    if (outcome.events > 0)
        bound_length(shrink);
    return true;
}

/* ------------------------------------------------------------------ whole kinds */

/* All choices of a kind that are higher. */
static uint64_t lower_kind(struct tp_tape *tape, uint32_t kind, uint64_t value)
{
    uint64_t changed = 0;

    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        for (uint64_t i = 0; i < tp_tape_count(tape, stream); i++) {
            struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

            if (entry.kind != kind || entry.value <= value)
                continue;
            tp_tape_set(tape, stream, i, value);
            changed++;
        }
    }
    return changed;
}

static bool try_kind(struct tp_shrink *shrink, uint32_t kind, uint64_t value)
{
    struct tp_tape *candidate = tp_shrink_copy(shrink);

    if (candidate == NULL)
        return false;
    if (lower_kind(candidate, kind, value) > 0)
        return tp_shrink_keeps(shrink, candidate);
    tp_tape_destroy(candidate);
    return false;
}

/* All times at once first: they are most of a tape, and rarely matter. */
static void try_kinds(struct tp_shrink *shrink)
{
    static const enum tp_draw times[] = {TP_DRAW_LATENCY,     TP_DRAW_EFFECT,
                                         TP_DRAW_NET_LATENCY, TP_DRAW_NET_SPLIT,
                                         TP_DRAW_WRITEBACK,   TP_DRAW_PAGE};
    struct tp_tape *candidate = tp_shrink_copy(shrink);
    uint64_t changed = 0;

    for (size_t i = 0; candidate != NULL && i < sizeof times / sizeof *times; i++)
        changed += lower_kind(candidate, (uint32_t)times[i], 0);
    if (changed > 0)
        (void)tp_shrink_keeps(shrink, candidate);
    else
        tp_tape_destroy(candidate);
    for (uint32_t kind = 0; kind < TP_DRAWS && !tp_shrink_is_over(shrink); kind++) {
        if (kind != TP_DRAW_SEED && !try_kind(shrink, kind, 0))
            (void)try_kind(shrink, kind, 1);
    }
}

/* ------------------------------------------------------------------ whole nodes */

/* Takes out what is drawn for a node, of some concerns: bits. */
static bool try_node(struct tp_shrink *shrink, uint32_t node, uint32_t concerns)
{
    struct tp_tape *candidate = tp_shrink_copy(shrink);
    uint64_t gone = 0;

    for (uint32_t i = 0; i < TP_CONCERNS && candidate != NULL; i++) {
        uint32_t stream = tp_stream(node, (enum tp_concern)i);
        uint64_t count = tp_tape_count(candidate, stream);

        if (((concerns >> i) & 1) == 0)
            continue;
        tp_tape_delete(candidate, stream, 0, count);
        gone += count;
    }
    if (candidate != NULL && gone > 0)
        return tp_shrink_keeps(shrink, candidate);
    tp_tape_destroy(candidate);
    return false;
}

/* Nothing befalls the node, it is asked to do the least, and its operations take the time
 * that they take; or some of that. */
static void try_nodes(struct tp_shrink *shrink)
{
    uint32_t nodes = tp_tape_streams(shrink->best) / TP_CONCERNS;
    uint32_t all = ((UINT32_C(1) << TP_CONCERNS) - 1) & ~(UINT32_C(1) << TP_CONCERN_SEED);

    for (uint32_t node = 1; node <= nodes && !tp_shrink_is_over(shrink); node++)
        (void)try_node(shrink, node, all);
    for (uint32_t node = 1; node <= nodes; node++) {
        for (uint32_t i = 0; i < TP_CONCERNS && !tp_shrink_is_over(shrink); i++) {
            if (i != TP_CONCERN_SEED)
                (void)try_node(shrink, node, UINT32_C(1) << i);
        }
    }
}

/* ------------------------------------------------------------------ spans */

/* Parts of the choices, each `span` long, from `at` on. */
struct zeros {
    const struct choice *choices;
    uint32_t count, at, span;
};

static struct tp_tape *make_zeros(struct tp_shrink *shrink, const void *context, uint64_t k)
{
    const struct zeros *z = context;
    struct tp_tape *candidate = tp_shrink_copy(shrink);
    uint32_t first = z->at + (uint32_t)k * z->span;

    for (uint32_t i = first; i < first + z->span && i < z->count && candidate != NULL; i++)
        tp_tape_set(candidate, z->choices[i].stream, z->choices[i].index, 0);
    return candidate;
}

/* Ever smaller parts of all that is not 0, down to one of so many. */
static bool try_zeros(struct tp_shrink *shrink, uint32_t parts)
{
    struct zeros z = {.at = 0};
    bool any = false;
    struct choice *choices = list_choices(shrink->best, &z.count);
    uint32_t least = z.count / parts;

    for (z.span = (z.count + 1) / 2; z.span > 0 && z.span >= least && choices != NULL;
         z.span /= 2) {
        z.at = 0;
        while (z.at < z.count && !tp_shrink_is_over(shrink)) {
            uint32_t tries = (z.count - z.at + z.span - 1) / z.span;
            uint64_t kept;

            z.choices = choices;
            kept = tp_shrink_first(shrink, make_zeros, &z, tries);
            if (kept == tries)
                break;
            any = true; /* what was there is gone; the list is another one */
            z.at += (uint32_t)kept * z.span;
            free(choices);
            choices = list_choices(shrink->best, &z.count);
            if (choices == NULL)
                break;
        }
    }
    if (choices == NULL)
        shrink->error = -ENOMEM;
    free(choices);
    return any;
}

/* Streams in which a few draws make up one thing: a command, an event. */
static bool has_structure(uint32_t stream)
{
    enum tp_concern concern = (enum tp_concern)(stream % TP_CONCERNS);

    return concern == TP_CONCERN_WORKLOAD || concern == TP_CONCERN_EVENT;
}

/* So many draws of a stream, from `at` on. */
struct deletions {
    uint32_t stream;
    uint64_t at, span;
};

static struct tp_tape *make_deletion(struct tp_shrink *shrink, const void *context,
                                     uint64_t k)
{
    const struct deletions *d = context;
    struct tp_tape *candidate = tp_shrink_copy(shrink);

    if (candidate != NULL)
        tp_tape_delete(candidate, d->stream, d->at + k, d->span);
    return candidate;
}

static bool try_deletions_of(struct tp_shrink *shrink, uint32_t stream)
{
    struct deletions d = {.stream = stream};
    bool any = false;
    uint64_t longest = tp_tape_count(shrink->best, stream) / 2 + 1;

    if (!has_structure(stream) && longest > 8)
        longest = 8;
    for (d.span = longest; d.span > 0; d.span /= 2) {
        d.at = 0;
        while (d.at + d.span <= tp_tape_count(shrink->best, stream) &&
               !tp_shrink_is_over(shrink)) {
            uint64_t tries = tp_tape_count(shrink->best, stream) - d.span - d.at + 1;
            uint64_t kept = tp_shrink_first(shrink, make_deletion, &d, tries);

            if (kept == tries)
                break;
            any = true;
            d.at += kept;
        }
    }
    return any;
}

static bool try_deletions(struct tp_shrink *shrink)
{
    uint32_t before = tp_shrink_choices(shrink->best);

    for (uint32_t stream = 0; stream < tp_tape_streams(shrink->best); stream++) {
        uint64_t count = tp_tape_count(shrink->best, stream);

        if (count > 0 && (has_structure(stream) || count <= 64) &&
            !tp_shrink_is_over(shrink))
            (void)try_deletions_of(shrink, stream);
    }
    return tp_shrink_choices(shrink->best) < before;
}

/* ------------------------------------------------------------------ values */

static bool try_value(struct tp_shrink *shrink, const struct choice *choice, uint64_t value)
{
    struct tp_tape *candidate = tp_shrink_copy(shrink);

    if (candidate == NULL)
        return false;
    tp_tape_set(candidate, choice->stream, choice->index, value);
    return tp_shrink_keeps(shrink, candidate);
}

static bool is_there(const struct tp_shrink *shrink, const struct choice *choice)
{
    return choice->index < tp_tape_count(shrink->best, choice->stream);
}

/* Halves what lies between a value that is too low and one that fails. */
static bool lower(struct tp_shrink *shrink, const struct choice *choice)
{
    uint64_t low = 0, high;
    bool any = false;

    if (!is_there(shrink, choice))
        return false;
    high = tp_tape_entry(shrink->best, choice->stream, choice->index).value;
    if (high > 1 && try_value(shrink, choice, 1))
        return true;
    low = 1;
    while (high > low + 1 && !tp_shrink_is_over(shrink) && is_there(shrink, choice)) {
        uint64_t middle = low + (high - low) / 2;

        if (try_value(shrink, choice, middle)) {
            high = middle;
            any = true;
        } else {
            low = middle;
        }
    }
    return any;
}

static bool try_lower(struct tp_shrink *shrink)
{
    uint32_t count = 0;
    struct choice *choices = list_choices(shrink->best, &count);
    bool any = false;

    if (choices == NULL) {
        shrink->error = -ENOMEM;
        return false;
    }
    for (uint32_t i = 0; i < count && !tp_shrink_is_over(shrink); i++)
        any = lower(shrink, &choices[i]) || any;
    free(choices);
    return any;
}

/* ------------------------------------------------------------------ all of it */

int tp_shrink_run(struct tp_shrink *shrink)
{
    bool any = true;

    tp_assert(shrink->outcome.verdict != TP_VERDICT_PASSED);
    shrink->error = 0;
    shrink->hashes = calloc(TP_SHRINK_HASHES, sizeof *shrink->hashes);
    if (shrink->hashes == NULL)
        return -ENOMEM;
    shrink->trial->realigns = true;
    if (shrink->outcome.events > 0) /* of what died nobody has counted them */
        bound_length(shrink);
    try_nodes(shrink);
    tp_shrink_slices(shrink, COARSE);
    try_kinds(shrink);
    while (any && !tp_shrink_is_over(shrink)) {
        any = tp_shrink_families(shrink);
        any = tp_shrink_rates(shrink) || any;
        any = try_zeros(shrink, COARSE) || any;
        any = tp_shrink_slices(shrink, COARSE) || any;
        any = try_zeros(shrink, UINT32_MAX) || any;
        any = tp_shrink_slices(shrink, UINT32_MAX) || any;
        any = try_deletions(shrink) || any;
        if (!any && tp_shrink_choices(shrink->best) <= 64)
            any = try_lower(shrink);
    }
    shrink->trial->realigns = false;
    shrink->trial->events_max = 0;
    free(shrink->hashes);
    shrink->hashes = NULL;
    return shrink->error;
}
