#include "apps/sim/sweep.h"

#include <errno.h>
#include <string.h>

#include "apps/common/signals.h"
#include "apps/sim/sim_internal.h"

enum { RECORDS_MAX = 65536, NODES_MAX = 64, SECOND_MAX = 64 };

#define ALL_FAMILIES ((UINT32_C(1) << TP_FAMILIES) - 1)

void tp_sweep_options(struct tp_sim_options *options)
{
    options->families_on = TP_FAMILY_BIT(TP_FAMILY_POWER);
    options->families_off = ALL_FAMILIES & ~options->families_on;
}

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

/* The base with the cuts of `sweep`, survived in one of its ways. */
static int compose(const struct tp_sweep *sweep, uint32_t way, struct tp_tape **ret_tape)
{
    uint32_t stream = tp_stream(sweep->node + 1, TP_CONCERN_EVENT);
    struct tp_tape *tape = NULL;
    uint64_t at = 0;
    int error = tp_tape_copy(sweep->base, NULL, &tape);

    if (error < 0)
        return error;
    error = put_cut(tape, stream, &at, sweep->first);
    if (error == 0 && sweep->second > 0)
        error = put_cut(tape, stream, &at, sweep->second);
    for (uint32_t number = 1; number <= NODES_MAX && way > 0 && error == 0; number++) {
        uint32_t crash = tp_stream(number, TP_CONCERN_CRASH);

        tp_tape_delete(tape, crash, 0, tp_tape_count(tape, crash));
        error = tp_tape_go_on(tape, crash, way);
    }
    if (error == 0)
        *ret_tape = tape;
    else
        tp_tape_destroy(tape);
    return error;
}

/* ------------------------------------------------------------------ runs */

/* Operations of a node that is not spared, that had begun before a fact ended them: until
 * the last recovery, or, from its second boot on, until something is promised or it ends.
 */
static uint64_t count_operations(const struct tp_recorder *recorder, uint32_t node,
                                 bool recovery)
{
    uint64_t count = 0;
    bool counts = !recovery;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        if (record->kind == TP_FACT_PHASE && record->detail == TP_PHASE_RECOVERY)
            break;
        if (record->node != node + 1 || record->is_spared)
            continue;
        if (recovery && record->kind == TP_FACT_BOOT && record->detail > 0)
            counts = true;
        if (recovery && counts &&
            (record->kind == TP_FACT_PROMISE || record->kind == TP_FACT_END))
            break;
        count += counts && record->kind == TP_FACT_OPERATION &&
                 record->stage == TP_VIRTUAL_BEGUN;
    }
    return count;
}

static int try_one(struct tp_sweep *sweep, uint32_t way, uint64_t *ret_recovery)
{
    struct tp_trial *trial = sweep->trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    int error = compose(sweep, way, &tape);

    if (error < 0)
        return error;
    trial->records = ret_recovery == NULL ? 0 : RECORDS_MAX;
    error = tp_trial_replay(trial, tape, &outcome);
    if (error == 0) {
        sweep->runs++;
        sweep->second_cuts += sweep->second > 0;
        if (ret_recovery != NULL)
            *ret_recovery = count_operations(trial->recorder, sweep->node, true);
        if (outcome.verdict != TP_VERDICT_PASSED) {
            sweep->failures++;
            sweep->failed(sweep->context, sweep, tape, &outcome);
        }
        sweep->progress(sweep->context, sweep);
    }
    trial->records = 0;
    tp_tape_destroy(tape);
    return error;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_over(const struct tp_sweep *sweep)
{
    return tp_host_now_ns() >= sweep->until_ns || app_signals_caught() != 0;
}

/* One place of the first cut, each way, with each place of a second one. */
static int cut_there(struct tp_sweep *sweep)
{
    int error = 0;

    for (uint32_t way = 0; way < sweep->survivors && error == 0 && !is_over(sweep); way++) {
        uint64_t recovery = 0;

        sweep->second = 0;
        error = try_one(sweep, way, &recovery);
        recovery = least(recovery, SECOND_MAX);
        for (sweep->second = 1; sweep->second <= recovery && error == 0 && !is_over(sweep);
             sweep->second++)
            error = try_one(sweep, way, NULL);
    }
    sweep->points_done++;
    return error;
}

int tp_sweep_run(struct tp_sweep *sweep)
{
    struct tp_trial *trial = sweep->trial;
    uint64_t operations[NODES_MAX];
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    int error = tp_tape_copy(sweep->base, NULL, &tape);

    if (error < 0)
        return error;
    trial->records = RECORDS_MAX;
    trial->all_stages = true;
    error = tp_trial_replay(trial, tape, &outcome);
    tp_tape_destroy(tape);
    if (error < 0)
        return error;
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        operations[node] = count_operations(trial->recorder, node, false);
        sweep->points += operations[node];
    }
    for (sweep->node = 0; sweep->node < NODES_MAX; sweep->node++) {
        uint64_t last = least(operations[sweep->node], TP_CHAOS_WITHIN);

        for (sweep->first = 1; sweep->first <= last && error == 0 && !is_over(sweep);
             sweep->first++)
            error = cut_there(sweep);
    }
    trial->records = 0;
    return error;
}
