/* shrink: the smallest run that fails alike, in words, as a tape, and as a test. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/sim/commands.h"
#include "apps/sim/report.h"
#include "apps/sim/shrink.h"
#include "apps/sim/words.h"

#define TIME_NS UINT64_C(30000000000)

struct shrinking {
    uint64_t began_ns, shown_ns;
    uint64_t time_ns;
    uint32_t before;
    uint64_t seed; /* of what is left; unless it was a tape */
    bool shows_bar;
};

/* The bar is of the time that it may take; it mostly ends before. */
static void show(void *context, const struct tp_shrink *shrink)
{
    struct shrinking *s = context;
    uint64_t now_ns = tp_host_now_ns();
    char what[64];
    struct app_bar bar = {.done_bytes = shrink->tried,
                          .total_bytes = shrink->tried,
                          .elapsed_ns = now_ns - s->began_ns,
                          .counts = true,
                          .what = what};

    if (!s->shows_bar || now_ns - s->shown_ns < 100000000)
        return;
    s->shown_ns = now_ns;
    (void)snprintf(what, sizeof what, "%u of %u choices left",
                   tp_shrink_choices(shrink->best), s->before);
    app_bar_draw(&bar);
}

/* What the file is called, behind the scenario's name. */
static void name_ending(const struct tp_sim_arguments *arguments, char *ret_ending,
                        size_t size_bytes)
{
    if (arguments->tape != NULL)
        (void)snprintf(ret_ending, size_bytes, "-small.tape");
    else
        (void)snprintf(ret_ending, size_bytes, "-%" PRIu64 ".tape", arguments->first);
}

static void tell(const struct tp_sim_arguments *arguments, const struct tp_shrink *shrink,
                 const struct shrinking *s, const char *path)
{
    char time[APP_TEXT_BYTES], manner[256];
    uint64_t spent_ns = tp_host_now_ns() - s->began_ns;
    uint32_t left = tp_shrink_choices(shrink->best);

    if (arguments->json) {
        (void)printf("{\"scenario\": \"%s\", \"verdict\": \"%s\", \"seed\": %" PRIu64
                     ", \"choices_before\": %u, "
                     "\"choices\": %u, \"tried\": %" PRIu64 ", \"operations\": %" PRIu64
                     ", \"trace_hash\": \"%016" PRIx64 "\", \"wall_ns\": %" PRIu64
                     ", \"interrupted\": %s}\n",
                     arguments->scenario->name, tp_verdict_name(shrink->outcome.verdict),
                     s->seed, s->before, left, shrink->tried, shrink->outcome.operations,
                     shrink->outcome.trace, spent_ns,
                     app_signals_caught() != 0 ? "true" : "false");
        return;
    }
    (void)printf("%s: %s\n", tp_verdict_name(shrink->outcome.verdict),
                 shrink->outcome.message);
    if (s->seed != arguments->first)
        (void)printf("seed %" PRIu64 " fails alike, and shorter:\n", s->seed);
    (void)printf("%u choices are left of %u (%" PRIu64 " runs, %s), %" PRIu64
                 " operations:\n",
                 left, s->before, shrink->tried, app_duration(spent_ns, time, sizeof time),
                 shrink->outcome.operations);
    tp_report_faults(shrink->outcome.fired, stdout);
    tp_words_print(shrink->best, stdout);
    (void)printf("to run it again:\n  %s replay %s --tape %s%s\n", arguments->typed,
                 arguments->scenario->name, path,
                 tp_command_manner(arguments, manner, sizeof manner));
    if (arguments->c_test)
        tp_words_test(shrink->best, arguments->scenario, &shrink->trial->job.options,
                      &shrink->outcome, stdout);
}

/* Also other seeds, if they are asked for: those with the shortest runs first, then what
 * may be smaller still. What is given is shrunk at the end, if no other run is alike. */
static int shrink_all(const struct tp_sim_arguments *arguments, struct tp_shrink *shrink,
                      struct shrinking *s)
{
    uint64_t after = arguments->tape == NULL ? arguments->first : 0;
    int error;

    if (!arguments->others)
        return tp_shrink_run(shrink);
    error = tp_shrink_shorter(shrink, after, &s->seed);
    if (error == 0)
        error = tp_shrink_run(shrink);
    if (error == 0)
        error = tp_shrink_others(shrink, after, &s->seed);
    return error;
}

int tp_command_shrink(const struct tp_sim_arguments *arguments)
{
    struct tp_trial trial;
    struct shrinking s = {.began_ns = tp_host_now_ns(), .seed = arguments->first};
    struct tp_shrink shrink = {
        .trial = &trial, .jobs = arguments->jobs, .progress = show, .context = &s};
    struct tp_output output;
    char ending[64];
    bool good;
    int error, status;

    name_ending(arguments, ending, sizeof ending);
    if (!tp_output_choose(arguments, ending, false, &output))
        return APP_EXIT_USAGE;
    status = tp_command_try(arguments, &trial, &shrink.outcome, &shrink.best);
    if (status != APP_EXIT_DONE)
        return status;
    if (shrink.outcome.verdict == TP_VERDICT_PASSED) {
        app_say("it passes: there is nothing to shrink");
        tp_tape_destroy(shrink.best);
        tp_trial_close(&trial);
        return APP_EXIT_FAILED;
    }
    s.before = tp_shrink_choices(shrink.best);
    s.shows_bar = !arguments->quiet && app_bar_possible();
    shrink.until_ns = s.began_ns + (arguments->time_ns > 0 ? arguments->time_ns : TIME_NS);
    error = shrink_all(arguments, &shrink, &s);
    app_bar_wipe();
    if (error < 0 && error != -EINTR)
        app_say("it ended early: %s (%s)", tp_errno_name(error), strerror(-error));
    good = tp_command_save(&trial, shrink.best, &output);
    tell(arguments, &shrink, &s, output.path);
    tp_tape_destroy(shrink.best);
    tp_trial_close(&trial);
    return !good ? APP_EXIT_USAGE : error == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}
