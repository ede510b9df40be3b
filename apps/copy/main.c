/* tempest-copy: chooses the world that a copy runs in, and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "apps/common/args.h"
#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/copy/options.h"
#include "apps/copy/run.h"
#include "io/linux/linux.h"

enum {
    EXIT_SIGNAL = 128,     /* plus its number */
    LARGE_FILES = 2,       /* that find all the registered buffers they want */
    BUFFER_BYTES_MAX = 64, /* MiB of registered buffers */
    UMASK_PRIVATE = 077,
};

/* A deep tree needs open directories; the soft limit is there for select(), not for us. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Whether all that is copied goes into directories that this copy makes, which are closed to
 * others until they are complete: then a new file may have the mode that the umask leaves
 * until it gets its own, or already be right. Else it must begin closed. */
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

/* What the library notices (fds left open, ...) is a mistake of this program: say it. */
static void write_log(void *context, enum tp_log_level level, const char *message,
                      const struct tp_log_field *fields, uint32_t count)
{
    (void)context;
    if (level < TP_LOG_WARNING)
        return;
    app_say("%s", message);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL)
            app_say("    %s: %s", fields[i].name, fields[i].text);
        else
            app_say("    %s: %lld", fields[i].name, (long long)fields[i].number);
    }
}

static const struct tp_log log_hook = {write_log, NULL};

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
    struct copy_manner manner = {.show = options->quiet        ? COPY_SHOW_NOTHING
                                         : app_bar_possible() ? COPY_SHOW_BAR
                                                              : COPY_SHOW_LINES,
                                 .stats = options->stats};

    if (options->settings.dry_run && manner.show == COPY_SHOW_BAR)
        manner.show = COPY_SHOW_LINES; /* the plan is what is shown */
    return manner;
}

/* ------------------------------------------------------------------ the real world */

static int copy_linux(struct copy_options *options)
{
    struct copy_settings *settings = &options->settings;
    struct copy_manner manner = manner_of(options);
    struct tp_linux_io_config config = {.size = sizeof config,
                                        .buf_count = buffer_count(settings),
                                        .buf_size = settings->block_bytes,
                                        .log = &log_hook};
    struct copy_outcome outcome;
    struct tp_io *io;
    int error;

    raise_file_limit();
    choose_umask(settings);
    error = tp_linux_io_create(&config, &io);
    if (error < 0) {
        app_say("io_uring cannot be used: %s (%s)", tp_linux_io_refusal(error),
                tp_errno_name(error));
        return APP_EXIT_FAILED;
    }
    manner.watched = true;
    if (!copy_run(io, settings, &manner, &outcome)) {
        app_say("no memory");
        tp_linux_io_destroy(io);
        return APP_EXIT_FAILED;
    }
    tp_linux_io_destroy(io);
    if (!options->quiet || outcome.interrupted)
        copy_outcome_say(&outcome, settings);
    return exit_status(&outcome);
}

int main(int argc, char **argv)
{
    struct copy_options options;
    enum copy_todo todo;
    int status = APP_EXIT_FAILED;

    app_say_as("tempest-copy");
    todo = copy_options_parse(argc, argv, &options);
    if (todo == COPY_USAGE)
        status = APP_EXIT_USAGE;
    else if (todo == COPY_EXIT)
        status = APP_EXIT_DONE;
    else
        status = copy_linux(&options);
    copy_options_deinit(&options);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        app_say("standard output: %s", strerror(errno));
        return APP_EXIT_FAILED;
    }
    return status;
}
