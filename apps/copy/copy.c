#include "apps/copy/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/say.h"
#include "apps/copy/dir.h"
#include "apps/copy/task.h"

/* Directories that may be at work beside the first: enough to hide the time that making,
 * opening and listing one takes, few enough that a deep tree does not use up the fds. */
enum { BRANCHES = 8, MEMORY_ALIGN = 4096 };

int copy_init(struct copy *copy, const struct copy_settings *settings)
{
    struct copy empty = {.settings = settings, .branches = BRANCHES};
    uint32_t jobs = settings->jobs;

    tp_assert(jobs > 0 && settings->depth > 0 && settings->block_bytes > 0);
    *copy = empty;
    tp_semaphore_init(&copy->slots, jobs);
    copy->tasks = calloc(jobs, sizeof *copy->tasks);
    if (copy->tasks == NULL)
        return -ENOMEM;
    for (uint32_t i = jobs; i-- > 0;) {
        struct copy_task *task = &copy->tasks[i];

        task->copy = copy;
        task->memory = aligned_alloc(MEMORY_ALIGN, COPY_TASK_BYTES);
        if (task->memory == NULL) {
            copy_deinit(copy);
            return -ENOMEM;
        }
        task->next_free = copy->free_tasks;
        copy->free_tasks = task;
    }
    return 0;
}

void copy_deinit(struct copy *copy)
{
    while (copy->dirs != NULL)
        copy_dir_destroy(copy->dirs);
    for (uint32_t i = 0; copy->tasks != NULL && i < copy->settings->jobs; i++)
        free(copy->tasks[i].memory);
    free(copy->tasks);
    free(copy->stopped_at);
    copy->tasks = NULL;
    copy->stopped_at = NULL;
}

struct copy_task *copy_task_take(struct copy *copy)
{
    struct copy_task *task = copy->free_tasks;

    tp_assert(task != NULL); /* there is one for each unit of `slots` */
    copy->free_tasks = task->next_free;
    return task;
}

void copy_task_give(struct copy *copy, struct copy_task *task)
{
    tp_assert(!tp_machine_alive(&task->machine));
    task->next_free = copy->free_tasks;
    copy->free_tasks = task;
    tp_semaphore_release(&copy->slots);
}

/* ------------------------------------------------------------------ paths */

/* Puts `name` and a '/' in front of what begins at `at`; where it begins then. */
static size_t prepend(char *text, size_t at, const char *name)
{
    static const char cut[] = "...";
    size_t len = strlen(name);
    bool slash = text[at] != '\0' && len > 0 && name[len - 1] != '/';

    if (len == 0)
        return at;
    if (at < len + 1 + sizeof cut) {
        if (at >= sizeof cut && memcmp(text + at, cut, sizeof cut - 1) != 0) {
            at -= sizeof cut - 1;
            memcpy(text + at, cut, sizeof cut - 1);
        }
        return at;
    }
    if (slash)
        text[--at] = '/';
    at -= len;
    memcpy(text + at, name, len);
    return at;
}

const char *copy_path(const struct copy_dir *dir, const char *name, enum copy_side side,
                      char *ret_text, size_t size_bytes)
{
    size_t at = size_bytes - 1;

    tp_assert(size_bytes > TP_NAME_MAX + 8);
    ret_text[at] = '\0';
    if (name != NULL)
        at = prepend(ret_text, at, name);
    for (; dir != NULL; dir = dir->parent)
        at = prepend(ret_text, at, dir->name[side]);
    return ret_text + at;
}

/* ------------------------------------------------------------------ what went wrong */

static void note_stop(struct copy *copy, const char *path)
{
    if (copy->stopped_at == NULL)
        copy->stopped_at = strdup(path);
}

void copy_failed(struct tp_ctx *cx, struct copy *copy, struct copy_where where,
                 const char *operation, int32_t error)
{
    char text[TP_PATH_MAX];
    const char *path = copy_path(where.dir, where.name, where.side, text, sizeof text);

    tp_assert(error < 0);
    if (error == -ECANCELED && tp_cancelled(cx)) {
        note_stop(copy, path);
        copy->totals.stopped += where.name != NULL ? 1 : 0;
        return;
    }
    copy->totals.errors++;
    if (!copy->silent)
        app_say_error(path, operation, error);
}

void copy_refuse(struct copy *copy, const struct copy_dir *dir, const char *name,
                 const char *why)
{
    char text[TP_PATH_MAX], quoted[APP_QUOTED_BYTES(TP_PATH_MAX)];
    const char *path = copy_path(dir, name, COPY_SOURCE, text, sizeof text);

    copy->totals.errors++;
    if (!copy->silent)
        app_say("%s: %s", app_quote(path, quoted, sizeof quoted), why);
}
