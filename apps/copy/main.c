/* tempest-copy: chooses the world that a copy runs in, and runs it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/common/streams.h"
#include "apps/copy/check.h"
#include "apps/copy/mirror.h"
#include "apps/copy/options.h"
#include "apps/copy/run.h"
#include "io/virtual/virtual.h"
#include "sm/staged.h"

enum {
    EXIT_SIGNAL = 128,     /* plus its number */
    LARGE_FILES = 2,       /* that find all the registered buffers they want */
    BUFFER_BYTES_MAX = 64, /* MiB of registered buffers */
    UMASK_PRIVATE = 077,
    TORN_SAID = 5, /* files of each cut */
};

/* Of the virtual disk: room for any tree that fits into memory. */
static const uint64_t capacity_bytes = UINT64_C(1) << 40;
static const uint32_t inodes_max = UINT32_C(1) << 24;

/* A deep tree needs open directories; the soft limit is there for select(), not for us. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Whether all that is copied goes into directories that this copy makes, which are closed
 * to others until they are complete: then a new file may have the mode that the umask
 * leaves until it gets its own, or already be right. Else it must begin closed. */
static bool goes_into_new_directories(const struct copy_settings *settings)
{
    struct stat status;

    return settings->source_count == 1 && lstat(settings->sources[0], &status) == 0 &&
           S_ISDIR(status.st_mode) && lstat(settings->target, &status) < 0 &&
           errno == ENOENT;
}

static void choose_umask(struct copy_settings *settings)
{
    mode_t before = umask(UMASK_PRIVATE);

    if (goes_into_new_directories(settings))
        (void)umask(before);
    else
        before = UMASK_PRIVATE;
    settings->mode_created = 0666 & ~(uint32_t)before;
}

/* What the library notices (fds left open, ...) is a mistake of this program: say it. But
 * not while `context`, a bool, holds: then what went wrong is said in one line by main. */
static void write_log(void *context, enum tp_log_level level, const char *message,
                      const struct tp_log_field *fields, uint32_t count)
{
    const bool *silent = context;

    if (level < TP_LOG_WARNING || *silent)
        return;
    app_say("%s", message);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            app_say("    %s: %s", fields[i].name, fields[i].text);
        else
            app_say("    %s: %lld", fields[i].name, (long long)fields[i].number);
    }
}

static bool log_silent;
static const struct tp_log log_hook = {write_log, &log_silent};

static uint32_t buffer_count(const struct copy_settings *settings)
{
    uint64_t wanted = (uint64_t)settings->depth * LARGE_FILES;
    uint64_t most = ((uint64_t)BUFFER_BYTES_MAX << 20) / settings->block_bytes;

    if (most == 0)
        return 1;
    return (uint32_t)(wanted < most ? wanted : most);
}

static int exit_status(const struct copy_outcome *outcome)
{
    if (outcome->interrupted)
        return EXIT_SIGNAL + app_signals_caught();
    return outcome->error < 0 || outcome->totals.errors > 0 ? APP_EXIT_FAILED
                                                            : APP_EXIT_DONE;
}

static struct copy_manner manner_of(const struct copy_options *options)
{
    struct copy_manner manner = {.show = options->quiet       ? COPY_SHOW_NOTHING
                                         : app_bar_possible() ? COPY_SHOW_BAR
                                                              : COPY_SHOW_LINES,
                                 .stats = options->stats};

    if (options->settings.dry_run && manner.show == COPY_SHOW_BAR)
        manner.show = COPY_SHOW_LINES; /* the plan is what is shown */
    return manner;
}

/* ------------------------------------------------------------------ the real world */

static int copy_system(struct copy_options *options)
{
    struct copy_settings *settings = &options->settings;
    struct copy_manner manner = manner_of(options);
    const struct app_backend_wants wants = {.buf_count = buffer_count(settings),
                                            .buf_size = settings->block_bytes,
                                            .log = &log_hook,
                                            .quiet = options->quiet};
    struct copy_outcome outcome;
    struct tp_io *io;

    raise_file_limit();
    choose_umask(settings);
    log_silent = true;
    io = app_backend_create(options->backend, &wants);
    log_silent = false;
    if (io == NULL)
        return APP_EXIT_FAILED;
    manner.watched = true;
    if (!copy_run(io, settings, &manner, &outcome)) {
        app_say("no memory");
        tp_io_destroy(io);
        return APP_EXIT_FAILED;
    }
    tp_io_destroy(io);
    if (!options->quiet || outcome.interrupted)
        copy_outcome_say(&outcome, settings);
    return exit_status(&outcome);
}

/* ------------------------------------------------------------------ the virtual world */

/* A virtual Io on `disk`. `instant` is for loading and looking: no time, no trace. */
static struct tp_io *create_virtual(const struct copy_settings *settings,
                                    struct tp_disk *disk, uint64_t seed, bool instant)
{
    struct tp_virtual_io_config config = {
        .size = sizeof config,
        .seed = seed,
        .disk = disk,
        .buf_count = buffer_count(settings),
        .buf_size = settings->block_bytes,
        .instant = instant,
        .trace = instant ? TP_VIRTUAL_OFF : TP_VIRTUAL_ON,
        .log = &log_hook,
    };
    struct tp_io *io;

    return tp_virtual_io_create(&config, &io) < 0 ? NULL : io;
}

/* A disk that holds SRC, durably, and what DST needs. NULL: what was wrong has been said.
 */
static struct tp_disk *create_disk(const struct copy_options *options,
                                   struct copy_mirror *mirror)
{
    struct tp_disk_config config = {
        .size = sizeof config, .capacity_bytes = capacity_bytes, .inodes_max = inodes_max};
    struct tp_disk *disk;
    struct tp_io *io;
    int32_t error;

    if (tp_disk_create(&config, &disk) < 0)
        return NULL;
    io = create_virtual(&options->settings, disk, options->seed, true);
    error = io == NULL
                ? -ENOMEM
                : copy_mirror_load(mirror, io, &options->settings, options->power_cuts > 0);
    for (uint32_t i = 0; error == 0 && options->power_cuts > 0 && i < mirror->count; i++)
        error = copy_put_older(io, &mirror->items[i].list, mirror->items[i].target);
    tp_virtual_io_destroy(io);
    if (error < 0) {
        app_say("SRC was not loaded onto the virtual disk (%s)", tp_errno_name(error));
        tp_disk_destroy(disk);
        return NULL;
    }
    tp_disk_sync(disk);
    return disk;
}

/* One run of the copy, as on the real machine. */
static int run_virtual(const struct copy_options *options, const struct copy_mirror *mirror,
                       struct tp_disk *disk)
{
    struct copy_manner manner = manner_of(options);
    struct copy_outcome outcome;
    struct tp_io *io = create_virtual(&mirror->settings, disk, options->seed, false);
    char time[APP_TEXT_BYTES];

    if (io == NULL || !copy_run(io, &mirror->settings, &manner, &outcome)) {
        app_say("no memory");
        tp_virtual_io_destroy(io);
        return APP_EXIT_FAILED;
    }
    if (!options->quiet)
        copy_outcome_say(&outcome, &mirror->settings);
    (void)printf("virtual: seed %" PRIu64 ", %" PRIu64 " operations in %s of virtual time, "
                 "trace hash %016" PRIx64 "\n",
                 options->seed, tp_virtual_io_operations(io),
                 app_duration(outcome.elapsed_ns, time, sizeof time),
                 tp_virtual_io_trace_hash(io));
    tp_virtual_io_destroy(io);
    return exit_status(&outcome);
}

/* ------------------------------------------------------------------ power cuts */

/* What all the cuts came to. */
struct cuts {
    const struct copy_options *options;
    const struct copy_mirror *mirror;
    const struct tp_disk *disk; /* before the copy */
    uint64_t events;            /* of a run that is not cut */
    struct copy_fates fates;
    uint64_t finished;    /* runs that were done, and so durable, before the cut */
    uint64_t temporaries; /* left over */
    uint64_t broken;      /* runs after which a promise was broken */
};

static int32_t count_temporary(void *context, const char *name,
                               const struct tp_statx *statx)
{
    struct cuts *cuts = context;
    const char *slash = strrchr(name, '/');

    (void)statx;
    cuts->temporaries += tp_staged_is_temporary(slash == NULL ? name : slash + 1) ? 1 : 0;
    return 0;
}

/* Looks at what the cut left. False: it cannot be looked at. */
static bool look(struct cuts *cuts, struct tp_disk *disk, bool finished)
{
    struct tp_io *io = create_virtual(&cuts->mirror->settings, disk, 1, true);
    struct copy_fates fates = {0, 0, 0, 0};
    int32_t error = io == NULL ? -ENOMEM : 0;

    for (uint32_t i = 0; error == 0 && i < cuts->mirror->count; i++) {
        const struct copy_mirrored *item = &cuts->mirror->items[i];

        error = copy_check(io, &item->list, item->root, item->target, TORN_SAID, &fates);
    }
    tp_virtual_io_destroy(io);
    (void)tp_disk_walk(disk, "/", count_temporary, cuts);
    cuts->fates.new_ones += fates.new_ones;
    cuts->fates.old_ones += fates.old_ones;
    cuts->fates.absent += fates.absent;
    cuts->fates.torn += fates.torn;
    if (fates.torn > 0 || (finished && fates.old_ones + fates.absent > 0))
        cuts->broken++;
    if (error < 0)
        app_say("after a power cut the disk cannot be read (%s)", tp_errno_name(error));
    return error == 0;
}

/* Copies on a disk of its own; at event `event` (0: never) the power goes, or when the copy
 * is done. Gives the events that there were. False: it could not be done. */
static bool run_cut(struct cuts *cuts, uint64_t seed, uint64_t event, uint64_t *ret_events)
{
    struct copy_manner manner = {.show = COPY_SHOW_NOTHING,
                                 .world_ended = tp_virtual_io_power_cut};
    struct copy_outcome outcome;
    struct tp_disk *disk;
    struct tp_io *io;
    bool fine = false;

    if (tp_disk_clone(cuts->disk, &disk) < 0)
        return false;
    io = create_virtual(&cuts->mirror->settings, disk, seed, false);
    if (io != NULL)
        tp_virtual_io_cut_at(io, event);
    if (io != NULL && copy_run(io, &cuts->mirror->settings, &manner, &outcome)) {
        bool finished = outcome.error == 0;

        *ret_events = tp_virtual_io_events(io);
        fine = !finished || outcome.totals.errors == 0;
        if (finished)
            tp_virtual_io_power_cut(io);
        tp_virtual_io_destroy(io);
        cuts->finished += finished && event > 0 ? 1 : 0;
        fine = fine && look(cuts, disk, finished);
    } else {
        tp_virtual_io_destroy(io);
    }
    tp_disk_destroy(disk);
    return fine;
}

/* Every cut is worth as much; said as it goes on a terminal, with the bar wiped by the end.
 */
static void show_cuts(const struct copy_options *options, uint32_t done)
{
    if (options->quiet || !app_bar_possible())
        return;
    (void)fprintf(stderr, "\r%u of %u power cuts\033[K%s", done, options->power_cuts,
                  done == options->power_cuts ? "\r\033[K" : "");
}

static void say_cuts(const struct cuts *cuts)
{
    char counts[4][APP_TEXT_BYTES];
    const struct copy_fates *fates = &cuts->fates;

    (void)printf("power cuts: %u at moments drawn from seed %" PRIu64 ", among %" PRIu64
                 " events; %" PRIu64 " came after the copy had returned\n",
                 cuts->options->power_cuts, cuts->options->seed, cuts->events,
                 cuts->finished);
    (void)printf("%s: %s new, %s old, %s absent, %s torn; "
                 "%" PRIu64 " temporaries left over\n",
                 cuts->broken == 0 ? "every file was old, new or absent, none torn"
                                   : "BROKEN: files that must not be like that",
                 app_count(fates->new_ones, counts[0], sizeof counts[0]),
                 app_count(fates->old_ones, counts[1], sizeof counts[1]),
                 app_count(fates->absent, counts[2], sizeof counts[2]),
                 app_count(fates->torn, counts[3], sizeof counts[3]), cuts->temporaries);
}

/* The moments are drawn from a generator of their own, a little beyond the end too. */
static int run_power_cuts(const struct copy_options *options,
                          const struct copy_mirror *mirror, const struct tp_disk *disk)
{
    struct cuts cuts = {.options = options, .mirror = mirror, .disk = disk};
    struct cuts none = cuts;
    struct tp_tape *moments;
    uint64_t events;
    bool fine;

    if (tp_tape_from_seed(options->seed, false, NULL, &moments) < 0)
        return APP_EXIT_FAILED;
    fine = run_cut(&none, options->seed, 0, &cuts.events);
    for (uint32_t i = 0; fine && i < options->power_cuts; i++) {
        uint64_t bound = cuts.events + cuts.events / 50 + 1;
        uint64_t moment = 1 + tp_tape_draw(moments, tp_stream(0, TP_CONCERN_WORKLOAD),
                                           TP_DRAW_WORKLOAD, bound);

        fine = run_cut(&cuts, options->seed + i, moment, &events);
        show_cuts(options, i + 1);
    }
    tp_tape_destroy(moments);
    if (!fine) {
        app_say("the copy on the virtual disk failed");
        return APP_EXIT_FAILED;
    }
    say_cuts(&cuts);
    return cuts.broken + none.broken > 0 ? APP_EXIT_FAILED : APP_EXIT_DONE;
}

static int copy_virtual(const struct copy_options *options)
{
    struct copy_mirror mirror = {.count = 0};
    struct tp_disk *disk = create_disk(options, &mirror);
    int status = APP_EXIT_FAILED;

    if (disk != NULL && options->power_cuts > 0)
        status = run_power_cuts(options, &mirror, disk);
    else if (disk != NULL)
        status = run_virtual(options, &mirror, disk);
    if (disk != NULL)
        tp_disk_destroy(disk);
    copy_mirror_deinit(&mirror);
    return status;
}

int main(int argc, char **argv)
{
    struct copy_options options;
    enum copy_todo todo;
    int status = APP_EXIT_FAILED;

    app_take_streams();
    app_say_as("tempest-copy");
    todo = copy_options_parse(argc, argv, &options);
    if (todo == COPY_USAGE)
        status = APP_EXIT_USAGE;
    else if (todo == COPY_EXIT)
        status = APP_EXIT_DONE;
    else if (options.world == COPY_VIRTUAL)
        status = copy_virtual(&options);
    else
        status = copy_system(&options);
    copy_options_deinit(&options);
    return app_printed() ? status : APP_EXIT_FAILED;
}
