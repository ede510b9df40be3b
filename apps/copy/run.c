#include "apps/copy/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/copy/job.h"
#include "apps/copy/total.h"

/* Everything that runs on one scheduler. */
struct run {
    struct tp_scheduler *scheduler;
    struct copy copy;
    struct copy_job job;
    struct copy_total total;
    struct copy_watch watch;
    bool totals; /* the count ahead runs */
};

/* The job has ended: nobody needs the others any more. */
static void job_ended(struct tp_machine *machine)
{
    struct copy_job *job = tp_container_of(machine, struct copy_job, machine);
    struct run *run = tp_container_of(job, struct run, job);

    tp_machine_cancel(&run->total.job.machine);
    tp_machine_cancel(&run->watch.machine);
}

static bool run_init(struct run *run, struct tp_io *io,
                     const struct copy_settings *settings, const struct copy_manner *manner)
{
    struct tp_scheduler_config config = {
        .size = sizeof config, .measure = manner->stats ? 1 : 0, .seed = manner->seed};

    run->totals = manner->watched && manner->show == COPY_SHOW_BAR;
    return tp_scheduler_create_with(io, &config, &run->scheduler) == 0 &&
           copy_init(&run->copy, settings) == 0 &&
           copy_job_init(&run->job, &run->copy) == 0 &&
           (!run->totals || copy_total_init(&run->total, settings) == 0);
}

static void run_deinit(struct run *run)
{
    copy_total_deinit(&run->total);
    copy_job_deinit(&run->job);
    if (run->copy.settings != NULL)
        copy_deinit(&run->copy);
    tp_scheduler_destroy(run->scheduler);
}

static void run_spawn(struct run *run, const struct copy_manner *manner)
{
    run->job.machine.ended = job_ended;
    copy_job_spawn(&run->job, run->scheduler);
    if (run->totals)
        copy_total_spawn(&run->total, run->scheduler);
    if (!manner->watched)
        return;
    run->watch.copy = &run->copy;
    run->watch.total = run->totals ? &run->total : NULL;
    run->watch.job = &run->job.machine;
    run->watch.show = manner->show;
    copy_watch_spawn(&run->watch, run->scheduler);
    app_signals_take(run->scheduler, tp_machine_id(&run->watch.machine));
}

static void print_stats(const struct run *run)
{
    char text[8192];

    tp_scheduler_stats_print(run->scheduler, text, sizeof text);
    (void)puts(text);
}

bool copy_run(struct tp_io *io, const struct copy_settings *settings,
              const struct copy_manner *manner, struct copy_outcome *ret_outcome)
{
    struct run *run = calloc(1, sizeof *run);
    uint64_t started_ns = tp_io_now_ns(io);

    memset(ret_outcome, 0, sizeof *ret_outcome);
    if (run == NULL || !run_init(run, io, settings, manner)) {
        if (run != NULL)
            run_deinit(run);
        free(run);
        return false;
    }
    run_spawn(run, manner);
    ret_outcome->error = tp_scheduler_run(run->scheduler);
    app_signals_forget();
    ret_outcome->elapsed_ns = tp_io_now_ns(io) - started_ns;
    ret_outcome->totals = run->copy.totals;
    ret_outcome->interrupted = run->job.machine.cancelled && run->copy.stopped_at != NULL;
    if (run->copy.stopped_at != NULL)
        (void)snprintf(ret_outcome->stopped_at, sizeof ret_outcome->stopped_at, "%s",
                       run->copy.stopped_at);
    if (manner->stats)
        print_stats(run);
    if (ret_outcome->error == -ESHUTDOWN) {
        tp_assert(manner->world_ended != NULL);
        manner->world_ended(io);
        tp_scheduler_crash(run->scheduler);
        run->scheduler = NULL;
    }
    run_deinit(run);
    free(run);
    return true;
}

/* ------------------------------------------------------------------ what came of it */

static uint64_t per_second(uint64_t amount, uint64_t elapsed_ns)
{
    uint64_t us = elapsed_ns / 1000;

    if (us == 0)
        return 0;
    return amount <= UINT64_MAX / 1000000 ? amount * 1000000 / us : amount / us * 1000000;
}

static void say_interrupted(const struct copy_outcome *outcome)
{
    char files[APP_TEXT_BYTES], quoted[APP_QUOTED_BYTES(TP_PATH_MAX)];

    app_say("%s: stopped at %s: %s files are complete, the %" PRIu64
            " that were begun have been removed",
            app_signals_name(app_signals_caught()),
            app_quote(outcome->stopped_at, quoted, sizeof quoted),
            app_count(outcome->totals.files, files, sizeof files), outcome->totals.stopped);
}

void copy_outcome_say(const struct copy_outcome *outcome,
                      const struct copy_settings *settings)
{
    const struct copy_totals *totals = &outcome->totals;
    char files[APP_TEXT_BYTES], directories[APP_TEXT_BYTES], links[APP_TEXT_BYTES];
    char bytes[APP_TEXT_BYTES], time[APP_TEXT_BYTES], rate[APP_TEXT_BYTES];

    app_say("%s %s files, %s directories, %s symbolic links, %s in %s (%s/s)%s",
            settings->dry_run ? "would copy" : "copied",
            app_count(totals->files, files, sizeof files),
            app_count(totals->directories, directories, sizeof directories),
            app_count(totals->links, links, sizeof links),
            app_bytes(totals->bytes, bytes, sizeof bytes),
            app_duration(outcome->elapsed_ns, time, sizeof time),
            app_bytes(per_second(totals->bytes, outcome->elapsed_ns), rate, sizeof rate),
            settings->sync && !settings->dry_run ? ", durable" : "");
    if (settings->verify && !settings->dry_run && !outcome->interrupted)
        app_say("verified byte for byte: %s files and links are equal, %" PRIu64
                " differ or are missing",
                app_count(totals->verified, files, sizeof files), totals->differences);
    if (outcome->interrupted)
        say_interrupted(outcome);
    else if (totals->errors > 0)
        app_say("%" PRIu64 " errors, see above", totals->errors);
}
