/* Slices of a run are taken out: of what happened between two moments (moments.h), all that
 * was drawn, on every stream; and what was to come after it comes earlier. What repeats
 * itself, as commands do, leaves the rest as it was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/shrink_internal.h"

enum { OCTAVE = 16, OCTAVE_MAX = 31 };

/* ------------------------------------------------------------------ what comes after it */

/* The last pair of draws before `end` that says after how many operations something befalls
 * a node, or links (see draw_times() of chaos.c). */
static bool find_when(const struct tp_tape *tape, uint32_t stream, uint64_t end,
                      uint64_t *ret_index)
{
    for (uint64_t i = end; i >= 2; i--) {
        if (tp_shrink_is_kind(tape, stream, i - 2, TP_DRAW_WHEN) &&
            tp_shrink_is_kind(tape, stream, i - 1, TP_DRAW_WHEN)) {
            *ret_index = i - 2;
            return true;
        }
    }
    return false;
}

/* What is still to come at the slice comes so many operations earlier. False: there is
 * nothing to come, as far as can be seen, or it would not come at all. */
static bool come_earlier(struct tp_tape *tape, uint32_t stream, uint64_t end,
                         uint64_t operations)
{
    uint64_t at = 0, octave, after;

    if (operations == 0 || !find_when(tape, stream, end, &at))
        return false;
    octave = tp_tape_entry(tape, stream, at).value / OCTAVE;
    after = tp_tape_entry(tape, stream, at + 1).value;
    if (octave > OCTAVE_MAX || after >> OCTAVE_MAX != 0)
        return false; /* a tape from a file may have any values */
    after += UINT64_C(1) << octave;
    if (after <= operations)
        return false;
    after -= operations;
    octave = 63 - (uint64_t)__builtin_clzll(after);
    tp_tape_set(tape, stream, at, octave * OCTAVE);
    tp_tape_set(tape, stream, at + 1, after - (UINT64_C(1) << octave));
    return true;
}

/* ------------------------------------------------------------------ slices */

/* The moments of the best run; false: there are none. `*ret_memory` is to be freed. */
static bool take_moments(struct tp_shrink *shrink, struct tp_moments *ret_moments,
                         void **ret_memory)
{
    struct tp_tape *tape = tp_shrink_copy(shrink);
    const struct tp_moments *noted;
    struct tp_sim_outcome outcome;
    uint32_t streams;
    size_t size_bytes;
    void *memory;

    if (tape == NULL)
        return false;
    streams = tp_tape_streams(tape);
    if (streams == 0) { /* a tape that has been shrunk to no choices */
        tp_tape_destroy(tape);
        return false;
    }
    size_bytes = tp_moments_size_bytes(streams);
    shrink->trial->notes_moments = true;
    shrink->error = tp_trial_replay(shrink->trial, tape, &outcome);
    shrink->trial->notes_moments = false;
    tp_tape_destroy(tape);
    if (shrink->error < 0)
        return false;
    memory = realloc(*ret_memory, size_bytes);
    if (memory == NULL) {
        shrink->error = -ENOMEM;
        return false;
    }
    *ret_memory = memory;
    noted = shrink->trial->moments;
    size_bytes = (size_t)noted->count * streams * sizeof *noted->asked;
    tp_moments_init(ret_moments, memory, streams);
    ret_moments->count = noted->count;
    memcpy(ret_moments->asked, noted->asked, size_bytes);
    memcpy(ret_moments->begun, noted->begun, size_bytes);
    return ret_moments->count > 0;
}

/* What else is changed when a slice is taken out. */
enum manner {
    AS_THEY_ARE,
    COME_EARLIER, /* what is the last plan of a stream: unless it is over */
    RAISED,       /* rates at their highest: what a disk has room for is sooner full */
    MANNERS,
};

static bool raise_rates(struct tp_tape *tape)
{
    bool any = false;

    for (uint64_t i = 0; i < tp_tape_count(tape, TP_SHRINK_RUN_EVENTS); i++) {
        struct tp_draw_entry entry = tp_tape_entry(tape, TP_SHRINK_RUN_EVENTS, i);

        if (entry.kind != TP_DRAW_RATE || entry.value == 0 ||
            entry.value + 1 >= entry.bound)
            continue;
        tp_tape_set(tape, TP_SHRINK_RUN_EVENTS, i, entry.bound - 1);
        any = true;
    }
    return any;
}

/* Slices between two moments, `span` apart, from `at` on; each in several manners. */
struct slices {
    const struct tp_moments *moments;
    uint32_t at, span;
};

/* Takes out what lies between two moments. NULL: there is nothing to be changed besides. */
static struct tp_tape *take_out(struct tp_shrink *shrink, const struct tp_moments *moments,
                                uint32_t from, uint32_t to, enum manner manner)
{
    struct tp_tape *candidate = tp_shrink_copy(shrink);
    bool any = manner == AS_THEY_ARE;

    for (uint32_t stream = 0; candidate != NULL && stream < moments->streams; stream++) {
        uint64_t first = tp_moments_asked(moments, from, stream);
        uint64_t end = tp_moments_asked(moments, to, stream);
        uint64_t have = tp_tape_count(candidate, stream);

        end = end < have ? end : have;
        if (first < end)
            tp_tape_delete(candidate, stream, first, end - first);
        if (manner == COME_EARLIER && stream % TP_CONCERNS == TP_CONCERN_EVENT)
            any = come_earlier(candidate, stream, first,
                               tp_moments_begun(moments, to, stream) -
                                   tp_moments_begun(moments, from, stream)) ||
                  any;
    }
    if (candidate != NULL && manner == RAISED)
        any = raise_rates(candidate);
    if (any)
        return candidate;
    tp_tape_destroy(candidate);
    return NULL;
}

static struct tp_tape *make_slice(struct tp_shrink *shrink, const void *context, uint64_t k)
{
    static const enum manner manners[MANNERS] = {COME_EARLIER, AS_THEY_ARE, RAISED};
    const struct slices *s = context;
    uint32_t from = s->at + (uint32_t)(k / MANNERS) * s->span;

    return take_out(shrink, s->moments, from, from + s->span, manners[k % MANNERS]);
}

bool tp_shrink_slices(struct tp_shrink *shrink, uint32_t parts)
{
    struct tp_moments moments;
    struct slices s = {.moments = &moments};
    void *memory = NULL;
    bool any = false, good = take_moments(shrink, &moments, &memory);

    for (s.span = good ? moments.count / 2 : 0;
         s.span > 0 && s.span >= moments.count / parts; s.span /= 2) {
        s.at = 0;
        while (good && s.at + s.span < moments.count && !tp_shrink_is_over(shrink)) {
            uint64_t tries = (uint64_t)MANNERS * ((moments.count - 1 - s.at) / s.span);
            uint64_t kept = tp_shrink_first(shrink, make_slice, &s, tries);

            if (kept == tries)
                break;
            any = true;
            s.at += (uint32_t)(kept / MANNERS) * s.span;
            good = take_moments(shrink, &moments, &memory);
        }
    }
    free(memory);
    return any;
}
