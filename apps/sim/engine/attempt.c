#include "apps/sim/engine/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/judge.h"
#include "apps/sim/trial.h"

/* ------------------------------------------------------------------ its beginning */

void engine_attempt_forget(struct engine_attempt *attempt)
{
    tp_tape_destroy(attempt->tape);
    free(attempt->ghosts);
    free(attempt->recorder.records);
    free(attempt->recorder.shadow);
    free(attempt->moments_memory);
    memset(attempt, 0, sizeof *attempt);
}

static bool make_recorder(struct engine_attempt *attempt)
{
    const struct engine_order *order = &attempt->order;
    struct tp_recorder *recorder = &attempt->recorder;

    if (order->records == 0)
        return true;
    tp_recorder_init(recorder, malloc(order->records * sizeof *recorder->records),
                     order->records);
    recorder->all_stages = order->all_stages;
    if (order->compares)
        recorder->shadow = calloc(1, tp_shadow_size_bytes());
    attempt->options.watch = &recorder->watch;
    return recorder->records != NULL && (!order->compares || recorder->shadow != NULL);
}

static bool make_moments(struct engine_attempt *attempt)
{
    uint32_t streams = tp_tape_streams(attempt->tape);

    if (!attempt->order.notes_moments)
        return true;
    attempt->moments_memory = malloc(tp_moments_size_bytes(streams));
    if (attempt->moments_memory == NULL)
        return false;
    tp_moments_init(&attempt->moments, attempt->moments_memory, streams);
    attempt->options.watch = &attempt->moments.watch;
    return true;
}

static bool take_order(struct engine_attempt *attempt, struct engine_parcel *parcel)
{
    struct engine_order *order = &attempt->order;
    size_t ghosts_bytes;

    if (!engine_parcel_take(parcel, order, sizeof *order))
        return false;
    ghosts_bytes = order->ghost_count * sizeof *attempt->ghosts;
    attempt->ghosts = malloc(ghosts_bytes + 1);
    return attempt->ghosts != NULL &&
           engine_parcel_take(parcel, attempt->ghosts, ghosts_bytes) &&
           engine_parcel_take_tape(parcel, &attempt->tape);
}

bool engine_attempt_begin(struct engine_attempt *attempt,
                          const struct tp_scenario *scenario,
                          const struct tp_sim_options *options, struct engine_parcel *order)
{
    struct tp_sim_options *run = &attempt->options;

    engine_attempt_forget(attempt);
    *run = *options;
    if (!take_order(attempt, order) || !make_recorder(attempt) || !make_moments(attempt)) {
        engine_attempt_forget(attempt);
        return false;
    }
    run->tape = attempt->tape;
    run->ghosts = attempt->order.ghost_count == 0 ? NULL : attempt->ghosts;
    run->ghost_count = attempt->order.ghost_count;
    run->ends_uncut = attempt->order.ends_uncut;
    if (attempt->order.realigns)
        tp_tape_realign(attempt->tape);
    attempt->sim = tp_sim_create(scenario, run, &attempt->outcome);
    return true;
}

/* ------------------------------------------------------------------ its end */

/* A run that is as long as that without a verdict has none. */
static void end_early(struct engine_attempt *attempt)
{
    struct tp_sim_outcome outcome = attempt->outcome;

    tp_sim_destroy(attempt->sim);
    attempt->sim = NULL;
    attempt->outcome = outcome;
}

bool engine_attempt_go(struct engine_attempt *attempt, uint32_t events)
{
    uint64_t most = attempt->order.events_max;

    for (uint32_t i = 0; i < events && attempt->sim != NULL; i++) {
        if (!tp_sim_advance(attempt->sim)) {
            tp_sim_destroy(attempt->sim);
            attempt->sim = NULL;
        } else if (most > 0 && tp_sim_events(attempt->sim) >= most) {
            end_early(attempt);
        }
    }
    return attempt->sim != NULL;
}

static void judge(struct engine_attempt *attempt, const char *said)
{
    struct tp_sim_outcome *outcome = &attempt->outcome;

    memset(outcome, 0, sizeof *outcome);
    if (said == NULL) {
        outcome->verdict = TP_VERDICT_HANG;
        (void)snprintf(outcome->message, sizeof outcome->message, "it did not end in time");
    } else if (!tp_judge_said(said, outcome)) {
        outcome->verdict = TP_VERDICT_CRASHED;
        (void)snprintf(outcome->message, sizeof outcome->message, "the program died: %s",
                       said);
    }
    outcome->kind = tp_judge_kind(outcome);
}

/* Each name once: those of neighbours are mostly the same. */
static void put_files(const struct tp_recorder *recorder, struct engine_parcel *parcel,
                      uint32_t *ret_count)
{
    const char *files[256];
    uint32_t count = 0;

    for (uint32_t i = 0; i < recorder->count; i++) {
        const char *file = recorder->records[i].file;
        struct engine_file head;
        uint32_t at = 0;

        while (at < count && files[at] != file)
            at++;
        if (file == NULL || at < count || count == sizeof files / sizeof *files)
            continue;
        files[count++] = file;
        memset(&head, 0, sizeof head);
        head.address = (uintptr_t)file;
        head.len_bytes = (uint32_t)strlen(file);
        engine_parcel_put(parcel, &head, sizeof head);
        engine_parcel_put(parcel, file, head.len_bytes);
    }
    *ret_count = count;
}

void engine_attempt_end(struct engine_attempt *attempt, const char *said,
                        struct engine_parcel *ret_answer)
{
    const struct tp_moments *moments = &attempt->moments;
    const struct tp_recorder *recorder = &attempt->recorder;
    struct engine_answer answer;
    struct engine_parcel files = {0};
    size_t moments_bytes =
        (size_t)moments->count * moments->streams * sizeof *moments->asked;

    if (attempt->sim != NULL)
        judge(attempt, said);
    tp_trial_trim(attempt->tape);
    memset(&answer, 0, sizeof answer);
    answer.outcome = attempt->outcome;
    answer.dropped = recorder->dropped;
    answer.record_count = recorder->count;
    answer.moment_count = moments->count;
    answer.streams = moments->streams;
    put_files(recorder, &files, &answer.file_count);
    engine_parcel_put(ret_answer, &answer, sizeof answer);
    engine_parcel_put_tape(ret_answer, attempt->tape);
    engine_parcel_put(ret_answer, recorder->records,
                      recorder->count * sizeof *recorder->records);
    engine_parcel_put(ret_answer, files.bytes, files.len_bytes);
    engine_parcel_put(ret_answer, moments->asked, moments_bytes);
    engine_parcel_put(ret_answer, moments->begun, moments_bytes);
    free(files.bytes);
}
