/* replay: a seed or a tape once more; and what other commands share with it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/content.h"
#include "apps/sim/manner.h"
#include "apps/sim/report.h"

enum { RECORDS_MAX = 1 << 20 };

const char *tp_command_manner(const struct tp_sim_arguments *arguments, char *ret_text,
                              size_t size_bytes)
{
    (void)snprintf(ret_text, size_bytes, "%s%s%s%s",
                   arguments->profile == NULL ? "" : " --profile ",
                   arguments->profile == NULL ? "" : arguments->profile,
                   arguments->faults == NULL ? "" : " --faults=",
                   arguments->faults == NULL ? "" : arguments->faults);
    return ret_text;
}

/* ------------------------------------------------------------------ files */

static struct tp_tape *load(const char *path)
{
    struct tp_content content;
    struct tp_tape *tape = NULL;
    int error = tp_content_read(path, TP_CONTENT_BYTES_MAX, &content);

    if (error == 0)
        error = tp_tape_load(content.bytes, content.len_bytes, NULL, &tape);
    tp_content_free(&content);
    if (error < 0)
        app_say_error(path, error == -EBADMSG ? "this is no tape" : "read", error);
    return tape;
}

/* A tape of another scenario would be some run, but not the one that was saved. */
static bool take_label(const struct tp_sim_arguments *arguments, const struct tp_tape *tape,
                       struct tp_sim_options *run)
{
    char name[TP_TAPE_LABEL_BYTES], quoted[APP_QUOTED_BYTES(TP_TAPE_LABEL_BYTES)];
    struct tp_sim_options of_tape = {.size = 0};
    bool is_of_seed, good = tp_manner_read_label(tape, name, &of_tape, &is_of_seed);
    bool sweeps = arguments->command == TP_COMMAND_SWEEP; /* it has faults of its own */

    if (!good) {
        app_say("%s: its label says what is not known here", arguments->tape);
        return false;
    }
    if (name[0] == '\0')
        return true; /* an older tape */
    if (strcmp(name, arguments->scenario->name) != 0) {
        app_say("%s: this tape is of scenario %s, and not of '%s'", arguments->tape,
                app_quote(name, quoted, sizeof quoted), arguments->scenario->name);
        return false;
    }
    if (arguments->profile == NULL)
        run->profile = of_tape.profile;
    if (arguments->faults == NULL && !sweeps) {
        run->families_on = of_tape.families_on;
        run->families_off = of_tape.families_off;
    }
    if (run->profile != of_tape.profile ||
        (!sweeps && (run->families_on != of_tape.families_on ||
                     run->families_off != of_tape.families_off)))
        app_say("%s was saved with another profile or other faults: this is another run",
                arguments->tape);
    return true;
}

bool tp_command_save(const struct tp_trial *trial, const struct tp_tape *tape,
                     const struct tp_output *output)
{
    struct tp_tape *labelled = NULL;
    uint8_t *bytes = NULL;
    FILE *file = NULL;
    bool good;
    size_t len = 0;

    errno = ENOMEM;
    if (tp_tape_copy(tape, NULL, &labelled) == 0) {
        tp_manner_label(labelled, trial->job.scenario, &trial->job.options);
        len = tp_tape_save(labelled, NULL, 0);
        bytes = malloc(len);
    }
    if (bytes != NULL) {
        (void)tp_tape_save(labelled, bytes, len);
        file = tp_output_open(output);
    }
    good =
        tp_output_close(output, file, file != NULL && fwrite(bytes, 1, len, file) == len);
    free(bytes);
    tp_tape_destroy(labelled);
    return good;
}

/* ------------------------------------------------------------------ one run */

int tp_command_try(const struct tp_sim_arguments *arguments, struct tp_trial *ret_trial,
                   struct tp_sim_outcome *ret_outcome, struct tp_tape **ret_tape)
{
    struct tp_batch_job job = {.scenario = arguments->scenario, .options = arguments->run};
    struct tp_tape *tape = NULL;
    int error;

    if (arguments->tape != NULL) {
        tape = load(arguments->tape);
        if (tape == NULL || !take_label(arguments, tape, &job.options)) {
            tp_tape_destroy(tape);
            return APP_EXIT_USAGE;
        }
    }
    error = tp_trial_open(ret_trial, &job);
    if (error == 0 && arguments->limit_ns > 0)
        ret_trial->hang_ns = arguments->limit_ns;
    if (error == 0 && arguments->verbose) {
        ret_trial->records = RECORDS_MAX;
        ret_trial->all_stages = true;
        ret_trial->compares = arguments->command == TP_COMMAND_REPLAY;
    }
    if (error == 0) {
        error = tape != NULL
                    ? tp_trial_replay(ret_trial, tape, ret_outcome)
                    : tp_trial_seed(ret_trial, arguments->first, ret_outcome, &tape);
        if (error < 0)
            tp_trial_close(ret_trial);
    }
    if (error < 0) {
        if (error != -EINTR)
            app_say("it could not be run: %s (%s)", tp_errno_name(error), strerror(-error));
        tp_tape_destroy(tape);
        return APP_EXIT_FAILED;
    }
    *ret_tape = tape;
    return APP_EXIT_DONE;
}

int tp_command_replay(const struct tp_sim_arguments *arguments)
{
    struct tp_trial trial;
    struct tp_tape *tape = NULL;
    struct tp_report report;
    struct tp_seed_result result = {.seed = arguments->first};
    struct tp_farm_totals totals = {0};
    struct tp_mark_list none = {NULL, NULL};
    bool failed;
    int status = tp_command_try(arguments, &trial, &result.outcome, &tape);

    if (status != APP_EXIT_DONE)
        return status;
    if (tp_report_init(&report, arguments) < 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    failed = result.outcome.verdict != TP_VERDICT_PASSED;
    tp_report_add(&report, &result);
    for (uint32_t i = 0; trial.recorder != NULL && i < trial.recorder->count; i++)
        tp_record_print(&trial.recorder->records[i], arguments->json ? stderr : stdout);
    if (failed)
        app_say("%s: %s", tp_verdict_name(result.outcome.verdict), result.outcome.message);
    if (arguments->json)
        tp_report_json(&report, &totals, &none, stdout);
    else
        (void)printf("%s: %s, trace %016" PRIx64 ", ended in %s, %" PRIu64 " operations\n",
                     arguments->scenario->name, tp_verdict_name(result.outcome.verdict),
                     result.outcome.trace, tp_phase_name(result.outcome.phase),
                     result.outcome.operations);
    tp_report_deinit(&report);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return failed ? APP_EXIT_FAILED : APP_EXIT_DONE;
}
