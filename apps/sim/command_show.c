/* show: a run as a page for a browser; one that failed, with the smallest that fails alike,
 * and why. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/html.h"
#include "apps/sim/output.h"

enum { RECORDER_WHOLE, RECORDER_SMALL, RECORDERS };

struct showing {
    const struct tp_sim_arguments *arguments;
    struct tp_trial trial;
    struct tp_sim_outcome outcome; /* of the run that was asked for */
    struct tp_explain explain;
    struct tp_tape *tape;
    struct tp_recorder
        recorders[RECORDERS]; /* copies: the trial's is gone with the next run */
};

static int keep_recorder(struct showing *s, uint32_t which)
{
    struct tp_recorder *copy = &s->recorders[which];
    size_t bytes = s->trial.recorder->capacity * sizeof *copy->records;

    *copy = *s->trial.recorder;
    copy->records = malloc(bytes);
    if (copy->records == NULL)
        return -ENOMEM;
    memcpy(copy->records, s->trial.recorder->records, bytes);
    return 0;
}

/* The run of `s->tape` once more, looked at. */
static int look(struct showing *s, uint32_t which, struct tp_sim_outcome *ret_outcome)
{
    int error;

    s->trial.records = TP_HTML_FACTS_MAX;
    s->trial.all_stages = s->trial.looks = true;
    error = tp_trial_replay(&s->trial, s->tape, ret_outcome);
    if (error == 0)
        error = keep_recorder(s, which);
    s->trial.records = 0;
    s->trial.all_stages = s->trial.looks = false;
    return error;
}

static int look_at_all(struct showing *s)
{
    int error = look(s, RECORDER_WHOLE, &s->outcome);

    if (error < 0 || s->outcome.verdict == TP_VERDICT_PASSED)
        return error;
    s->explain.trial = &s->trial;
    s->explain.outcome = s->outcome;
    error = tp_command_find_why(s->arguments, &s->explain, &s->tape);
    if (error < 0 && error != -EINTR)
        app_say("the explanation ended early: %s (%s)", tp_errno_name(error),
                strerror(-error));
    return look(s, RECORDER_SMALL, &s->explain.outcome);
}

/* ------------------------------------------------------------------ the file */

static bool write_page(const struct showing *s, const struct tp_output *output)
{
    const struct tp_sim_arguments *arguments = s->arguments;
    bool failed = s->outcome.verdict != TP_VERDICT_PASSED;
    char origin[4160], which[4168], manner[256], replay[8192];
    struct tp_html html = {.program = arguments->program,
                           .scenario = arguments->scenario->name,
                           .summary = arguments->scenario->summary,
                           .origin = origin,
                           .replay = replay,
                           .explain = failed ? &s->explain : NULL};
    const struct tp_html_run whole = {"The run as it was", &s->recorders[RECORDER_WHOLE],
                                      s->outcome};
    const struct tp_html_run small = {"The smallest run that fails alike",
                                      &s->recorders[RECORDER_SMALL], s->explain.outcome};
    FILE *file;

    if (arguments->tape != NULL)
        (void)snprintf(origin, sizeof origin, "tape %s", arguments->tape);
    else
        (void)snprintf(origin, sizeof origin, "seed %" PRIu64, arguments->first);
    (void)snprintf(which, sizeof which, "--%s", origin);
    (void)snprintf(replay, sizeof replay, "%s replay %s %s%s -v", arguments->program,
                   arguments->scenario->name, which,
                   tp_command_manner(arguments, manner, sizeof manner));
    if (failed)
        html.runs[html.run_count++] = small;
    html.runs[html.run_count++] = whole;
    file = tp_output_open(output);
    return tp_output_close(output, file, file != NULL && tp_html_write(&html, file));
}

int tp_command_show(const struct tp_sim_arguments *arguments)
{
    struct showing *s = calloc(1, sizeof *s);
    struct tp_output output;
    bool good = false;
    int error, status;

    if (s == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    s->arguments = arguments;
    if (!tp_output_choose(arguments, ".html", true, &output)) {
        free(s);
        return APP_EXIT_USAGE;
    }
    status = tp_command_try(arguments, &s->trial, &s->outcome, &s->tape);
    if (status != APP_EXIT_DONE) {
        free(s);
        return status;
    }
    error = look_at_all(s);
    if (error < 0)
        app_say("it could not be looked at: %s (%s)", tp_errno_name(error),
                strerror(-error));
    else
        good = write_page(s, &output);
    if (good)
        (void)fprintf(tp_output_words(&output), "%s: %s; %u facts in %s, for any browser\n",
                      arguments->scenario->name, tp_verdict_name(s->outcome.verdict),
                      s->recorders[RECORDER_WHOLE].count,
                      output.is_stdout ? "it" : output.path);
    for (uint32_t i = 0; i < RECORDERS; i++)
        free(s->recorders[i].records);
    tp_tape_destroy(s->tape);
    tp_trial_close(&s->trial);
    free(s);
    return good ? APP_EXIT_DONE : error < 0 ? APP_EXIT_FAILED : APP_EXIT_USAGE;
}
