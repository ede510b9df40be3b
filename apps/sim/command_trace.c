/* trace: a run as Chrome and Perfetto show it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/perfetto.h"

static bool write_file(const struct tp_recorder *recorder, const char *path)
{
    FILE *file = fopen(path, "wb");
    bool good = false;

    if (file != NULL) {
        good = tp_perfetto_write(recorder, file);
        good = fclose(file) == 0 && good;
    }
    if (!good)
        app_say_error(path, "write", -errno);
    return good;
}

int tp_command_trace(const struct tp_sim_arguments *arguments)
{
    struct tp_sim_arguments all = *arguments;
    struct tp_trial trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *tape = NULL;
    char path[4096];
    bool good;
    int status;

    all.verbose = true;
    status = tp_command_try(&all, &trial, &outcome, &tape);
    if (status != APP_EXIT_DONE)
        return status;
    if (arguments->output != NULL)
        (void)snprintf(path, sizeof path, "%s", arguments->output);
    else
        (void)snprintf(path, sizeof path, "%s.json", arguments->scenario->name);
    good = write_file(trial.recorder, path);
    if (good)
        (void)printf("%s: %s; %u facts in %s, for ui.perfetto.dev or chrome://tracing\n",
                     arguments->scenario->name, tp_verdict_name(outcome.verdict),
                     trial.recorder->count, path);
    if (trial.recorder->dropped > 0)
        app_say("%" PRIu64 " facts more found no room", trial.recorder->dropped);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return good ? APP_EXIT_DONE : APP_EXIT_FAILED;
}
