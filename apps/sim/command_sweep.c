/* sweep: the power is cut at every operation of one run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/sim/commands.h"
#include "apps/sim/sweep.h"

enum { SHOWN_MAX = 10 };

struct sweeping {
    const struct tp_sim_arguments *arguments;
    struct tp_output output; /* of the first failure's tape */
    uint64_t began_ns, shown_ns, told;
    bool shows_bar, saved;
};

/* Cuts: of the second ones it is not known how many there will be until the first are done.
 */
static void show(void *context, const struct tp_sweep *sweep)
{
    struct sweeping *s = context;
    uint64_t now_ns = tp_host_now_ns();
    char what[64], runs[APP_TEXT_BYTES];
    struct app_bar bar = {.done_bytes = sweep->first.done + sweep->second.done,
                          .total_bytes = sweep->first.places + sweep->second.places,
                          .total_known = sweep->first.done == sweep->first.places,
                          .elapsed_ns = now_ns - s->began_ns,
                          .counts = true,
                          .what = what};

    if (!s->shows_bar || now_ns - s->shown_ns < 100000000)
        return;
    s->shown_ns = now_ns;
    (void)snprintf(what, sizeof what, "cuts, %s runs, %" PRIu64 " failed",
                   app_count(sweep->first.runs + sweep->second.runs, runs, sizeof runs),
                   sweep->failures);
    app_bar_draw(&bar);
}

static void tell(void *context, const struct tp_sweep *sweep,
                 const struct tp_sweep_cut *cut)
{
    struct sweeping *s = context;
    char first[64] = "at the end", second[64] = "";

    if (s->told++ >= SHOWN_MAX)
        return;
    if (cut->first > 0)
        (void)snprintf(first, sizeof first, "at operation %" PRIu64, cut->first);
    if (cut->second > 0)
        (void)snprintf(second, sizeof second, ", and at operation %" PRIu64 " after it",
                       cut->second);
    app_say("node %u cut %s%s%s: %s: %s (%" PRIu64 " of %" PRIu64 " runs)", cut->node,
            first, second, cut->needs_end ? ", and at the end" : "",
            tp_verdict_name(cut->verdict), cut->message, cut->failures, cut->runs);
    if (!s->saved && sweep->tape != NULL)
        s->saved = tp_command_save(sweep->trial, sweep->tape, &s->output);
}

/* ------------------------------------------------------------------ the summary */

static void tell_json(const struct tp_sim_arguments *arguments,
                      const struct tp_sweep *sweep)
{
    const struct tp_sweep_count *first = &sweep->first, *second = &sweep->second;

    (void)printf("{\"scenario\": \"%s\", \"points\": %" PRIu64 ", \"points_done\": %" PRIu64
                 ", \"survivors\": %u, \"runs\": %" PRIu64 ", \"second_cuts\": %" PRIu64,
                 arguments->scenario->name, sweep->points, sweep->points_done,
                 sweep->survivors, first->runs + second->runs, second->runs);
    (void)printf(", \"first\": {\"places\": %" PRIu64 ", \"done\": %" PRIu64
                 ", \"every_set\": %" PRIu64 ", \"some_sets\": %" PRIu64 "}",
                 first->places, first->done, first->all, first->sampled);
    (void)printf(
        ", \"second\": {\"places\": %" PRIu64 ", \"done\": %" PRIu64
        ", \"every_set\": %" PRIu64 ", \"some_sets\": %" PRIu64 ", \"behind\": %" PRIu64
        "}, \"failures\": %" PRIu64 ", \"interrupted\": %s}\n",
        second->places, second->done, second->all, second->sampled, sweep->not_recovered,
        sweep->failures, app_signals_caught() != 0 ? "true" : "false");
}

static uint64_t part_of(uint32_t survivors)
{
    return survivors < TP_SWEEP_PART ? 1 : survivors / TP_SWEEP_PART;
}

/* How thoroughly cuts of a kind were survived. */
static void tell_sets(const struct tp_sweep_count *count, uint64_t sets)
{
    char all[APP_TEXT_BYTES], some[APP_TEXT_BYTES], runs[APP_TEXT_BYTES];

    (void)printf(": %s with every set of survivors, ",
                 app_count(count->all, all, sizeof all));
    (void)printf("%s with %" PRIu64 " of them at most (%s runs)\n",
                 app_count(count->sampled, some, sizeof some), sets,
                 app_count(count->runs, runs, sizeof runs));
}

static void tell_words(const struct tp_sim_arguments *arguments,
                       const struct tp_sweep *sweep, uint64_t elapsed_ns)
{
    char time[APP_TEXT_BYTES], done[APP_TEXT_BYTES], places[APP_TEXT_BYTES];

    (void)printf("%s: the power cut at %" PRIu64 " of %" PRIu64 " operations, %" PRIu64
                 " of %s runs failed, in %s\n",
                 arguments->scenario->name, sweep->points_done, sweep->points,
                 sweep->failures,
                 app_count(sweep->first.runs + sweep->second.runs, done, sizeof done),
                 app_duration(elapsed_ns, time, sizeof time));
    (void)printf("first cuts, the end included: %s of %s",
                 app_count(sweep->first.done, done, sizeof done),
                 app_count(sweep->first.places, places, sizeof places));
    tell_sets(&sweep->first, sweep->survivors);
    (void)printf("second cuts, in the recovery: %s of %s",
                 app_count(sweep->second.done, done, sizeof done),
                 app_count(sweep->second.places, places, sizeof places));
    tell_sets(&sweep->second, part_of(sweep->survivors));
    if (sweep->not_recovered > 0)
        (void)printf(
            "operations of recoveries that were left out, each the last ones: %s\n",
            app_count(sweep->not_recovered, done, sizeof done));
}

static int sweep_base(const struct tp_sim_arguments *arguments, struct sweeping *s,
                      struct tp_sweep *sweep)
{
    struct tp_sim_arguments power = *arguments; /* what tp_sweep_options() is in words */
    char manner[256];
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
        tell_json(arguments, sweep);
    else
        tell_words(arguments, sweep, tp_host_now_ns() - s->began_ns);
    if (s->saved && !arguments->json)
        (void)printf("to run the first again:\n  %s replay %s --tape %s%s\n",
                     arguments->typed, arguments->scenario->name, s->output.path,
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
                             .survivors = arguments->survivors,
                             .jobs = arguments->jobs,
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
    tp_tape_destroy(sweep.tape);
    tp_trial_close(&trial);
    return status;
}
