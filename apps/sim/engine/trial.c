/* A trial in this process: trial.h without children, for hosts that have none. What traps
 * takes the module with it, and the host says so to a copy (why.h). */
#include "apps/sim/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_KEPT = 8192 };

int tp_trial_open(struct tp_trial *trial, const struct tp_batch_job *job)
{
    memset(trial, 0, sizeof *trial);
    trial->job = *job;
    return 0;
}

static void free_recorder(struct tp_trial *trial)
{
    if (trial->recorder == NULL)
        return;
    free(trial->recorder->records);
    free(trial->recorder->shadow);
    free(trial->recorder);
    trial->recorder = NULL;
}

void tp_trial_close(struct tp_trial *trial)
{
    free_recorder(trial);
}

static int make_recorder(struct tp_trial *trial)
{
    struct tp_recorder *recorder;

    free_recorder(trial);
    if (trial->records == 0)
        return 0;
    recorder = trial->recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL)
        return -ENOMEM;
    tp_recorder_init(recorder, malloc(RECORDS_KEPT * sizeof *recorder->records),
                     RECORDS_KEPT);
    recorder->all_stages = trial->all_stages;
    if (trial->compares)
        recorder->shadow = calloc(1, tp_shadow_size_bytes());
    if (recorder->records == NULL || (trial->compares && recorder->shadow == NULL)) {
        free_recorder(trial);
        return -ENOMEM;
    }
    return 0;
}

/* What was not asked for is no part of the run. */
static void trim(struct tp_tape *tape)
{
    for (uint32_t stream = 0; stream < tp_tape_streams(tape); stream++) {
        uint64_t asked = tp_tape_asked(tape, stream);

        tp_tape_delete(tape, stream, asked, tp_tape_count(tape, stream) - asked);
    }
}

int tp_trial_replay(struct tp_trial *trial, struct tp_tape *tape,
                    struct tp_sim_outcome *ret_outcome)
{
    struct tp_sim_options options = trial->job.options;

    trial->runs++;
    if (make_recorder(trial) < 0)
        return -ENOMEM;
    options.tape = tape;
    options.watch = trial->recorder == NULL ? NULL : &trial->recorder->watch;
    if (trial->realigns)
        tp_tape_realign(tape);
    tp_sim_run(trial->job.scenario, &options, ret_outcome);
    trim(tape);
    return 0;
}

/* There is no clock: whoever drives a module watches the time. */
uint64_t tp_host_now_ns(void)
{
    return 0;
}
