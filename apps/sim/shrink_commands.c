/* Commands that come before what matters are taken out, and it comes earlier. */
#include "apps/sim/shrink_internal.h"

/* ------------------------------------------------------------------ commands and faults */

enum { LESS = 4, OCTAVE = 16 };

/* Takes out the first `count` choices of a kind, if they are all 0. */
static bool take_out(struct tp_tape *tape, uint32_t stream, uint32_t kind, uint64_t count)
{
    for (uint64_t i = 0; count > 0 && i < tp_tape_count(tape, stream);) {
        struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

        if (entry.kind != kind) {
            i++;
            continue;
        }
        if (entry.value != 0)
            return false;
        tp_tape_delete(tape, stream, i, 1);
        count--;
    }
    return count == 0;
}

/* How much earlier things come when commands are taken out: of the kinds of faults that
 * there are, so many draws each, and what befalls the node, so many operations. */
enum { KINDS_MAX = 2 };
struct shift {
    uint32_t kinds[KINDS_MAX];
    uint64_t draws[KINDS_MAX];
    uint32_t kind_count;
    uint64_t operations;
    bool raises; /* rates go to their highest: what a disk has room for is sooner full */
};

static bool has_kind(const struct shift *shift, uint32_t kind)
{
    for (uint32_t i = 0; i < shift->kind_count; i++) {
        if (shift->kinds[i] == kind)
            return true;
    }
    return false;
}

/* Operations that a node does before something befalls it (see draw_times() of chaos.c). */
static uint64_t operations_before(const struct tp_tape *tape, uint32_t stream,
                                  uint64_t index)
{
    if (!tp_shrink_is_kind(tape, stream, index, TP_DRAW_WHEN) ||
        !tp_shrink_is_kind(tape, stream, index + 1, TP_DRAW_WHEN))
        return 0;
    return (UINT64_C(1) << tp_tape_entry(tape, stream, index).value / OCTAVE) +
           tp_tape_entry(tape, stream, index + 1).value;
}

/* The latest of them. */
static uint64_t find_latest(const struct tp_tape *tape, uint32_t stream,
                            uint64_t *ret_index)
{
    uint64_t latest = 0;

    for (uint64_t i = 0; i + 1 < tp_tape_count(tape, stream); i++) {
        uint64_t operations = operations_before(tape, stream, i);

        if (operations == 0)
            continue;
        if (operations > latest) {
            latest = operations;
            *ret_index = i;
        }
        i++;
    }
    return latest;
}

/* What one command makes, at most: all that is drawn before the first fault of a kind, and
 * all operations, came from the commands. */
static struct shift measure(const struct tp_tape *tape, uint32_t number)
{
    uint32_t faults = tp_stream(number, TP_CONCERN_FAULT);
    uint64_t commands = tp_tape_count(tape, tp_stream(number, TP_CONCERN_WORKLOAD)), at = 0;
    struct shift shift = {.kind_count = 0};

    if (commands == 0)
        return shift;
    for (uint64_t i = 0; i < tp_tape_count(tape, faults) && shift.kind_count < KINDS_MAX;
         i++) {
        struct tp_draw_entry entry = tp_tape_entry(tape, faults, i);
        uint64_t before = 0;

        if (entry.value == 0 || entry.bound != TP_SHRINK_PPM ||
            has_kind(&shift, entry.kind))
            continue;
        for (uint64_t k = 0; k < i; k++)
            before += tp_tape_entry(tape, faults, k).kind == entry.kind;
        shift.kinds[shift.kind_count] = entry.kind;
        shift.draws[shift.kind_count++] = before / commands;
    }
    shift.operations =
        find_latest(tape, tp_stream(number, TP_CONCERN_EVENT), &at) / commands;
    return shift;
}

static bool come_earlier(struct tp_tape *tape, uint32_t stream, uint64_t operations)
{
    uint64_t at = 0, octave, after = find_latest(tape, stream, &at);

    if (operations == 0)
        return true;
    if (after <= operations)
        return false;
    after -= operations;
    octave = 63 - (uint64_t)__builtin_clzll(after);
    tp_tape_set(tape, stream, at, octave * OCTAVE);
    tp_tape_set(tape, stream, at + 1, after - (UINT64_C(1) << octave));
    return true;
}

/* The first commands of a node are taken out, and what happens later moves up. */
static bool try_command_span(struct tp_shrink *shrink, uint32_t number, uint64_t span,
                             const struct shift *shift)
{
    struct tp_tape *candidate = tp_shrink_copy(shrink);
    bool good = candidate != NULL;

    if (good)
        tp_tape_delete(candidate, tp_stream(number, TP_CONCERN_WORKLOAD), 0, span);
    for (uint64_t i = 0;
         good && shift->raises && i < tp_tape_count(candidate, TP_SHRINK_RUN_EVENTS); i++) {
        struct tp_draw_entry entry = tp_tape_entry(candidate, TP_SHRINK_RUN_EVENTS, i);

        if (entry.kind == TP_DRAW_RATE && entry.value > 0)
            tp_tape_set(candidate, TP_SHRINK_RUN_EVENTS, i, entry.bound - 1);
    }
    for (uint32_t i = 0; i < shift->kind_count && good; i++)
        good = take_out(candidate, tp_stream(number, TP_CONCERN_FAULT), shift->kinds[i],
                        span * shift->draws[i]);
    good = good && come_earlier(candidate, tp_stream(number, TP_CONCERN_EVENT),
                                span * shift->operations);
    if (good)
        return tp_shrink_keeps(shrink, candidate);
    tp_tape_destroy(candidate);
    return false;
}

/* How much a command makes is measured, and boots make some of it: so less is tried too. */
static bool try_command_spans(struct tp_shrink *shrink, uint32_t number, uint64_t span)
{
    static const struct shift nothing, higher = {.raises = true};
    struct shift most = measure(shrink->best, number);
    uint32_t ways = 1;

    if (try_command_span(shrink, number, span, &nothing) ||
        try_command_span(shrink, number, span, &higher))
        return true;
    for (uint32_t i = 0; i <= most.kind_count; i++)
        ways *= LESS;
    for (uint32_t way = 0; way < ways && !tp_shrink_is_over(shrink); way++) {
        struct shift shift = most;
        uint64_t *places[KINDS_MAX + 1] = {&shift.draws[0], &shift.draws[1],
                                           &shift.operations};
        uint32_t left = way;

        for (uint32_t i = 0; i <= KINDS_MAX; i++) {
            if (i >= most.kind_count && i < KINDS_MAX)
                continue;
            *places[i] -= *places[i] < left % LESS ? *places[i] : left % LESS;
            left /= LESS;
        }
        if (try_command_span(shrink, number, span, &shift))
            return true;
    }
    return false;
}

static bool try_commands_of(struct tp_shrink *shrink, uint32_t number)
{
    uint32_t commands = tp_stream(number, TP_CONCERN_WORKLOAD);
    uint64_t span = tp_tape_count(shrink->best, commands);
    bool any = false;

    while (span > 0 && !tp_shrink_is_over(shrink)) {
        if (span <= tp_tape_count(shrink->best, commands) &&
            try_command_spans(shrink, number, span))
            any = true;
        else
            span /= 2;
    }
    return any;
}

bool tp_shrink_commands(struct tp_shrink *shrink)
{
    bool any = false;

    for (uint32_t number = 1; number * TP_CONCERNS < tp_tape_streams(shrink->best);
         number++)
        any = try_commands_of(shrink, number) || any;
    return any;
}
