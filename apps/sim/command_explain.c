/* explain: what was missing, and where. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/sim/commands.h"
#include "apps/sim/shrink.h"
#include "apps/sim/text.h"

/* Barriers that are missing, by place of the source. */
static void tell_places(const struct tp_explain *explain)
{
    (void)printf(", \"places\": [");
    for (uint32_t i = 0; i < explain->barrier_count; i++) {
        const struct tp_explained_barrier *barrier = &explain->barriers[i];
        const struct tp_record *after = &barrier->after;

        (void)printf("%s{\"kind\": \"%s\", \"node\": %u, \"times\": %u, \"file\": ",
                     i == 0 ? "" : ", ", barrier->ghost.names ? "sync_dir" : "fsync",
                     barrier->ghost.node, barrier->times);
        tp_text_json(after->file == NULL ? "" : tp_text_base(after->file), stdout);
        (void)printf(", \"line\": %u, \"operation\": \"%s\", \"path\": ", after->line,
                     tp_kind_info[after->op].name);
        tp_text_json(after->text, stdout);
        (void)putchar('}');
    }
    (void)putchar(']');
}

static void tell_json(const struct tp_sim_arguments *arguments,
                      const struct tp_explain *explain, uint32_t choices)
{
    const struct tp_record *at = tp_explain_site(explain);

    (void)printf("{\"scenario\": ");
    tp_text_json(arguments->scenario->name, stdout);
    (void)printf(", \"verdict\": \"%s\", \"explained\": %s, \"kind\": \"%s\", "
                 "\"barriers\": %u, \"file\": ",
                 tp_verdict_name(explain->outcome.verdict),
                 explain->how == TP_EXPLAINED_NOT ? "false" : "true",
                 tp_explain_kind(explain), tp_explain_missing(explain));
    tp_text_json(at->file == NULL ? "" : tp_text_base(at->file), stdout);
    (void)printf(", \"line\": %u, \"operation\": \"%s\", \"path\": ", at->line,
                 tp_kind_info[at->op].name);
    tp_text_json(at->text, stdout);
    tell_places(explain);
    (void)printf(", \"choices\": %u, \"runs\": %" PRIu64 ", \"interrupted\": %s}\n",
                 choices, explain->runs, app_signals_caught() != 0 ? "true" : "false");
}

/* ------------------------------------------------------------------ looking for it */

struct progress {
    uint64_t began_ns, shown_ns;
    bool shows_bar;
};

static void draw(struct progress *progress, uint64_t runs, const char *what)
{
    uint64_t now_ns = tp_host_now_ns();
    struct app_bar bar = {.done_bytes = runs,
                          .total_bytes = runs,
                          .elapsed_ns = now_ns - progress->began_ns,
                          .counts = true,
                          .what = what};

    if (!progress->shows_bar || now_ns - progress->shown_ns < 100000000)
        return;
    progress->shown_ns = now_ns;
    app_bar_draw(&bar);
}

static void draw_shrinking(void *context, const struct tp_shrink *shrink)
{
    char what[64];

    (void)snprintf(what, sizeof what, "shrinking: %u choices left",
                   tp_shrink_choices(shrink->best));
    draw(context, shrink->tried, what);
}

static void draw_explaining(void *context, const struct tp_explain *explain)
{
    draw(context, explain->runs, "looking for what was missing");
}

static int find_why(struct tp_explain *explain, struct progress *progress)
{
    int error = tp_explain_begin(explain);

    explain->until_ns = tp_host_now_ns() + TP_EXPLAIN_NS;
    explain->progress = draw_explaining;
    explain->context = progress;
    progress->began_ns = tp_host_now_ns();
    if (error < 0)
        return error;
    while (tp_explain_step(explain) && tp_host_now_ns() < explain->until_ns &&
           app_signals_caught() == 0) {
        draw_explaining(progress, explain);
        tp_explain_ahead(explain);
    }
    return tp_explain_end(explain);
}

/* A smaller run is explained sooner, and in fewer words. */
int tp_command_find_why(const struct tp_sim_arguments *arguments,
                        struct tp_explain *explain, struct tp_tape **tape)
{
    struct progress progress = {.began_ns = tp_host_now_ns(),
                                .shows_bar = !arguments->quiet && app_bar_possible()};
    struct tp_shrink shrink = {.trial = explain->trial,
                               .best = *tape,
                               .jobs = arguments->jobs,
                               .outcome = explain->outcome,
                               .until_ns = progress.began_ns + TP_EXPLAIN_SHRINK_NS,
                               .progress = draw_shrinking,
                               .context = &progress};
    int error = tp_shrink_run(&shrink);

    *tape = shrink.best;
    explain->tape = shrink.best;
    explain->outcome = shrink.outcome;
    explain->jobs = arguments->jobs;
    if (error == 0 && app_signals_caught() == 0)
        error = find_why(explain, &progress);
    explain->progress = NULL;
    explain->context = NULL;
    app_bar_wipe();
    return error;
}

/* ------------------------------------------------------------------ the command */

int tp_command_explain(const struct tp_sim_arguments *arguments)
{
    struct tp_trial trial;
    struct tp_explain explain = {.trial = &trial};
    struct tp_tape *tape = NULL;
    int error, status = tp_command_try(arguments, &trial, &explain.outcome, &tape);

    if (status != APP_EXIT_DONE)
        return status;
    if (explain.outcome.verdict == TP_VERDICT_PASSED) {
        app_say("it passes: there is nothing to explain");
        tp_tape_destroy(tape);
        tp_trial_close(&trial);
        return APP_EXIT_FAILED;
    }
    error = tp_command_find_why(arguments, &explain, &tape);
    if (error < 0 && error != -EINTR)
        app_say("it ended early: %s (%s)", tp_errno_name(error), strerror(-error));
    if (arguments->json)
        tell_json(arguments, &explain, tp_shrink_choices(tape));
    else
        tp_explain_print(&explain, stdout);
    tp_tape_destroy(tape);
    tp_trial_close(&trial);
    return error < 0 ? APP_EXIT_FAILED : APP_EXIT_DONE;
}
