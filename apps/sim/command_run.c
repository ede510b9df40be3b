/* run: many seeds, or one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/sim/commands.h"
#include "apps/sim/report.h"

#define HANG_NS UINT64_C(120000000000)

struct running {
    struct tp_report report;
    const struct tp_sim_arguments *arguments;
    bool shows_bar;
};

static void take_result(void *context, const struct tp_seed_result *result)
{
    struct running *running = context;

    tp_report_add(&running->report, result);
    if (result->outcome.verdict != TP_VERDICT_PASSED)
        tp_report_failure(&running->report, result);
}

static void show_progress(void *context, uint64_t elapsed_ns)
{
    const struct running *running = context;
    const struct tp_sim_arguments *arguments = running->arguments;
    char what[64], failed[APP_TEXT_BYTES];
    struct app_bar bar = {.done_bytes = running->report.seeds,
                          .total_bytes = arguments->last - arguments->first + 1,
                          .total_known = arguments->last != UINT64_MAX,
                          .elapsed_ns = elapsed_ns,
                          .counts = true,
                          .what = what};

    if (!running->shows_bar)
        return;
    if (!bar.total_known)
        bar.total_bytes = bar.done_bytes;
    (void)snprintf(what, sizeof what, "%s failed",
                   app_count(running->report.failed, failed, sizeof failed));
    app_bar_draw(&bar);
}

int tp_command_run(const struct tp_sim_arguments *arguments, struct tp_mark_list marks)
{
    struct running running = {.arguments = arguments};
    struct tp_farm_totals totals;
    struct tp_farm_config config = {
        .job = {arguments->scenario, arguments->run, marks},
        .first = arguments->first,
        .last = arguments->last,
        .time_ns = arguments->time_ns,
        .hang_ns = arguments->limit_ns > 0 ? arguments->limit_ns : HANG_NS,
        .jobs = arguments->jobs,
        .until_failure = arguments->until_failure,
        .result = take_result,
        .progress = show_progress,
        .context = &running,
    };
    int error = tp_report_init(&running.report, arguments);

    running.shows_bar = !arguments->quiet && !arguments->one_seed && app_bar_possible();
    if (error == 0)
        error = tp_farm_run(&config, &totals);
    app_bar_wipe();
    if (error < 0) {
        app_say("no seed could be run: %s (%s)", tp_errno_name(error), strerror(-error));
        tp_report_deinit(&running.report);
        return APP_EXIT_FAILED;
    }
    if (arguments->json)
        tp_report_json(&running.report, &totals, &marks, stdout);
    else
        tp_report_summary(&running.report, &totals, &marks, stdout);
    tp_report_deinit(&running.report);
    return running.report.failed > 0 ? APP_EXIT_FAILED : APP_EXIT_DONE;
}
