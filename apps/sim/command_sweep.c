/* sweep: the power is cut at every operation of one run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/sweep.h"

enum { SURVIVORS = 6, SHOWN_MAX = 10 };

struct sweeping {
    const struct tp_sim_arguments *arguments;
    struct tp_output output; /* of the first failure's tape */
    uint64_t began_ns, shown_ns;
    bool shows_bar, saved;
};

static void show(void *context, const struct tp_sweep *sweep)
{
    struct sweeping *s = context;
    uint64_t now_ns = tp_host_now_ns();
    char what[64], runs[APP_TEXT_BYTES];
    struct app_bar bar = {.done_bytes = sweep->points_done,
                          .total_bytes = sweep->points,
                          .total_known = true,
                          .elapsed_ns = now_ns - s->began_ns,
                          .counts = true,
                          .what = what};

    if (!s->shows_bar || now_ns - s->shown_ns < 100000000)
        return;
    s->shown_ns = now_ns;
    (void)snprintf(what, sizeof what, "%s runs, %" PRIu64 " failed",
                   app_count(sweep->runs, runs, sizeof runs), sweep->failures);
    app_bar_draw(&bar);
}

static void tell(void *context, const struct tp_sweep *sweep, const struct tp_tape *tape,
                 const struct tp_sim_outcome *outcome)
{
    struct sweeping *s = context;
    char second[64] = "";

    if (sweep->failures > SHOWN_MAX)
        return;
    if (sweep->second > 0)
        (void)snprintf(second, sizeof second, ", and at operation %" PRIu64 " after it",
                       sweep->second);
    app_say("node %u cut at operation %" PRIu64 "%s: %s: %s", sweep->node, sweep->first,
            second, tp_verdict_name(outcome->verdict), outcome->message);
    if (!s->saved)
        s->saved = tp_command_save(sweep->trial, tape, &s->output);
}

static int sweep_base(const struct tp_sim_arguments *arguments, struct sweeping *s,
                      struct tp_sweep *sweep)
{
    struct tp_sim_arguments power = *arguments; /* what tp_sweep_options() is in words */
    char time[APP_TEXT_BYTES], manner[256];
    int error;

    power.faults = "-all,+power";
    sweep->until_ns =
        arguments->time_ns > 0 ? s->began_ns + arguments->time_ns : UINT64_MAX;
    error = tp_sweep_run(sweep);
    app_bar_wipe();
    if (error < 0 && error != -EINTR) {
        app_say("it ended early: %s (%s)", tp_errno_name(error), strerror(-error));
        return APP_EXIT_FAILED;
    }
    if (arguments->json)
        (void)printf("{\"scenario\": \"%s\", \"points\": %" PRIu64
                     ", \"points_done\": %" PRIu64 ", \"runs\": %" PRIu64
                     ", \"second_cuts\": %" PRIu64 ", \"failures\": %" PRIu64 "}\n",
                     arguments->scenario->name, sweep->points, sweep->points_done,
                     sweep->runs, sweep->second_cuts, sweep->failures);
    else
        (void)printf("%s: the power cut at %" PRIu64 " of %" PRIu64 " operations, %" PRIu64
                     " runs (%" PRIu64 " with a second cut), %" PRIu64 " failed, in %s\n",
                     arguments->scenario->name, sweep->points_done, sweep->points,
                     sweep->runs, sweep->second_cuts, sweep->failures,
                     app_duration(tp_host_now_ns() - s->began_ns, time, sizeof time));
    if (s->saved && !arguments->json)
        (void)printf("to run the first again:\n  %s replay %s --tape %s%s\n",
                     arguments->program, arguments->scenario->name, s->output.path,
                     tp_command_manner(&power, manner, sizeof manner));
    return sweep->failures > 0 ? APP_EXIT_FAILED : APP_EXIT_DONE;
}

int tp_command_sweep(const struct tp_sim_arguments *arguments)
{
    struct tp_sim_arguments quiet = *arguments;
    struct sweeping s = {.arguments = arguments, .began_ns = tp_host_now_ns()};
    struct tp_trial trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *base = NULL;
    struct tp_sweep sweep = {.trial = &trial,
                             .survivors = SURVIVORS,
                             .failed = tell,
                             .progress = show,
                             .context = &s};
    int status;

    quiet.run.families_on = 0;
    quiet.run.families_off = (UINT32_C(1) << TP_FAMILIES) - 1;
    if (!tp_output_choose(arguments, "-sweep.tape", false, &s.output))
        return APP_EXIT_USAGE;
    status = tp_command_try(&quiet, &trial, &outcome, &base);
    if (status != APP_EXIT_DONE)
        return status;
    s.shows_bar = !arguments->quiet && app_bar_possible();
    tp_sweep_options(&trial.job.options);
    sweep.base = base;
    status = sweep_base(arguments, &s, &sweep);
    tp_tape_destroy(base);
    tp_trial_close(&trial);
    return status;
}
