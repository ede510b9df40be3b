/* trace: a run as Chrome and Perfetto show it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/output.h"
#include "apps/sim/perfetto.h"

static bool write_file(const struct tp_recorder *recorder, const struct tp_output *output)
{
    FILE *file = tp_output_open(output);

    return tp_output_close(output, file, file != NULL && tp_perfetto_write(recorder, file));
}

int tp_command_trace(const struct tp_sim_arguments *arguments)
{
    struct tp_sim_arguments all = *arguments;
    struct tp_trial trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    struct tp_output output;
    bool good;
    int status;

    if (!tp_output_choose(arguments, ".json", true, &output))
        return APP_EXIT_USAGE;
    all.verbose = true;
    status = tp_command_try(&all, &trial, &outcome, &tape);
    if (status != APP_EXIT_DONE)
        return status;
    good = write_file(trial.recorder, &output);
    if (good)
        (void)fprintf(tp_output_words(&output),
                      "%s: %s; %u facts in %s, for ui.perfetto.dev or chrome://tracing\n",
                      arguments->scenario->name, tp_verdict_name(outcome.verdict),
                      trial.recorder->count, output.is_stdout ? "it" : output.path);
    if (trial.recorder->dropped > 0)
        app_say("%" PRIu64 " facts more found no room", trial.recorder->dropped);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return good ? APP_EXIT_DONE : APP_EXIT_USAGE;
}
