#include "apps/copy/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/await.h"

/* ------------------------------------------------------------------ life */

struct named {
    char name[TP_NAME_MAX + 1];
    uint32_t index;
};

static int by_name(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Marks every SRC whose name an earlier one has: it would replace that one's copy. */
static int mark_repeated(struct copy_job *job)
{
    const struct copy_settings *settings = job->copy->settings;
    struct named *names = calloc(settings->source_count, sizeof *names);

    if (names == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < settings->source_count; i++) {
        names[i].index = i;
        if (copy_split(settings->sources[i], &job->split) == 0)
            memcpy(names[i].name, job->split.name, sizeof names[i].name);
    }
    qsort(names, settings->source_count, sizeof *names, by_name);
    for (uint32_t i = 1; i < settings->source_count; i++) {
        if (names[i].name[0] != '\0')
            job->repeated[names[i].index] = strcmp(names[i].name, names[i - 1].name) == 0;
    }
    free(names);
    return 0;
}

int copy_job_init(struct copy_job *job, struct copy *copy)
{
    uint32_t count = copy->settings->source_count;

    tp_assert(count > 0);
    memset(job, 0, offsetof(struct copy_job, arguments)); /* these, when they start */
    for (uint32_t i = 0; i < COPY_ARGUMENTS; i++)
        job->arguments[i].copy = NULL;
    job->copy = copy;
    job->refused = calloc(count, sizeof *job->refused);
    job->repeated = calloc(count, sizeof *job->repeated);
    if (job->refused == NULL || job->repeated == NULL || mark_repeated(job) < 0) {
        copy_job_deinit(job);
        return -ENOMEM;
    }
    return 0;
}

void copy_job_deinit(struct copy_job *job)
{
    free(job->refused);
    free(job->repeated);
    job->refused = NULL;
    job->repeated = NULL;
}

/* ------------------------------------------------------------------ DST */

static enum tp_step fail(struct copy_job *job, struct tp_ctx *cx, const char *operation,
                         int32_t error)
{
    copy_failed(cx, job->copy, copy_where(NULL, job->copy->settings->target, COPY_TARGET),
                operation, error);
    return tp_end(&job->machine, error);
}

/* DST is a directory: everything goes into it, under the name that it has. */
static void go_into(struct copy_job *job)
{
    job->target.dir_path = job->copy->settings->target;
    job->target.dir_text = job->target.dir_path;
}

/* DST is what the one SRC is going to be called. 0 or the reason why it cannot be. */
static int32_t go_by_name(struct copy_job *job, int32_t found)
{
    const struct copy_settings *settings = job->copy->settings;
    int32_t error = copy_split(settings->target, &job->split);

    if (error < 0)
        return error;
    if (settings->source_count > 1)
        return found < 0 ? found : -ENOTDIR;
    if (job->split.itself)
        return found < 0 ? found : -ENOTDIR;
    job->target.dir_path = copy_split_parent(&job->split);
    job->target.dir_text = job->split.parent;
    job->target.name = job->split.name;
    job->target.needs_directory = job->split.slash;
    return 0;
}

static int32_t choose(struct copy_job *job, int32_t found)
{
    tp_assert(found <= 0);
    if (found < 0 && found != -ENOENT)
        return found;
    if (found == 0 && job->statx.kind == TP_FILE_DIRECTORY) {
        go_into(job);
        return 0;
    }
    return go_by_name(job, found);
}

static struct tp_op open_target(struct copy_job *job, struct tp_ctx *cx)
{
    struct tp_open_options options = {.read = true};

    return tp_open(cx, job->target.dir_path, options);
}

static void close_target(struct copy_job *job, struct tp_ctx *cx)
{
    if (tp_fd_is_some(job->target.dir))
        tp_detach(cx, tp_close(cx, job->target.dir));
    job->target.dir = tp_fd_none();
}

/* ------------------------------------------------------------------ every SRC */

static void start_argument(struct copy_job *job, struct tp_ctx *cx)
{
    struct copy_argument *argument = job->arguments;
    uint32_t index = job->next++;
    struct tp_op op;

    while (argument->copy != NULL)
        argument++;
    tp_assert(argument < job->arguments + COPY_ARGUMENTS);
    memset(argument, 0, sizeof *argument);
    argument->copy = job->copy;
    argument->target = &job->target;
    argument->path = job->copy->settings->sources[index];
    argument->refused = &job->refused[index];
    argument->repeated = job->repeated[index];
    op = copy_argument_start(cx, argument);
    (void)tp_tag(cx, op, (uint64_t)(argument - job->arguments));
    job->running++;
}

/* Starts as many as may run, claims those that have ended; true when none is left. */
static bool ran_all(struct copy_job *job, struct tp_ctx *cx)
{
    const struct copy_settings *settings = job->copy->settings;
    struct tp_result result;

    while (tp_next_cqe(cx, &result)) {
        job->arguments[result.tag].copy = NULL; /* free for another */
        job->running--;
    }
    while (!tp_cancelled(cx) && job->next < settings->source_count &&
           job->running < COPY_ARGUMENTS) {
        bool verified = job->copy->phase == COPY_VERIFYING;

        if (verified && job->refused[job->next])
            job->next++;
        else
            start_argument(job, cx);
    }
    return job->running == 0;
}

/* ------------------------------------------------------------------ the machine */

static void set_phase(struct copy_job *job, enum copy_phase phase)
{
    job->copy->phase = phase;
    job->next = 0;
}

static bool wants_verify(const struct copy_job *job, const struct tp_ctx *cx)
{
    const struct copy_settings *settings = job->copy->settings;

    return settings->verify && !settings->dry_run && !tp_cancelled(cx);
}

static enum tp_step run_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_job *job = tp_container_of(machine, struct copy_job, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    set_phase(job, job->copy->settings->dry_run ? COPY_LISTING : COPY_COPYING);
    TP_AWAIT_UNTIL(cx, ran_all(job, cx));
    if (job->copy->settings->sync && job->copy->phase == COPY_COPYING) {
        TP_AWAIT(cx, tp_fsync(cx, job->target.dir, 0), &result);
        if (result.value < 0)
            (void)fail(job, cx, "fsync", result.value);
    }
    if (wants_verify(job, cx)) {
        set_phase(job, COPY_VERIFYING);
        TP_AWAIT_UNTIL(cx, ran_all(job, cx));
    }
    close_target(job, cx);
    if (tp_cancelled(cx) && job->next < job->copy->settings->source_count)
        copy_failed(cx, job->copy,
                    copy_where(NULL, job->copy->settings->sources[job->next], COPY_SOURCE),
                    "copy", -ECANCELED);
    return tp_end(machine, tp_cancelled(cx) ? -ECANCELED : 0);
    TP_END(cx);
}

static enum tp_step find_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_job *job = tp_container_of(machine, struct copy_job, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_stat(cx, job->copy->settings->target, &job->statx), &result);
    result.value = choose(job, result.value);
    if (result.value < 0)
        return fail(job, cx, "copy to", result.value);
    TP_AWAIT(cx, open_target(job, cx), &result);
    if (result.value < 0 && !(result.value == -ENOENT && job->copy->settings->dry_run))
        return fail(job, cx, "open the directory to copy to", result.value);
    if (result.value >= 0) {
        job->target.dir = tp_into_fd(cx, result);
        TP_AWAIT(cx, tp_fstat(cx, job->target.dir, &job->copy->target_dir), &result);
        if (result.value < 0) {
            close_target(job, cx);
            return fail(job, cx, "fstat", result.value);
        }
    }
    return copy_become(machine, cx, run_tick);
    TP_END(cx);
}

void copy_job_spawn(struct copy_job *job, struct tp_scheduler *scheduler)
{
    tp_assert(job->refused != NULL);
    tp_spawn(scheduler, &job->machine, find_tick, "job");
}
