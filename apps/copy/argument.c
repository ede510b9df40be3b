#include "apps/copy/argument.h"

#include <errno.h>
#include <string.h>

#include "runtime/await.h"

static enum tp_step fail(struct copy_argument *argument, struct tp_ctx *cx,
                         const char *operation, int32_t error)
{
    copy_failed(cx, argument->copy, copy_where(NULL, argument->path, COPY_SOURCE),
                operation, error);
    *argument->refused = true;
    return tp_end(&argument->machine, error);
}

static enum tp_step refuse(struct copy_argument *argument, const char *why)
{
    copy_refuse(argument->copy, NULL, argument->path, why);
    *argument->refused = true;
    return tp_end(&argument->machine, -EINVAL);
}

static void close_parent(struct copy_argument *argument, struct tp_ctx *cx)
{
    struct tp_fd *fd = &argument->above.fd[COPY_SOURCE];

    if (tp_fd_is_some(*fd))
        tp_detach(cx, tp_close(cx, *fd));
    *fd = tp_fd_none();
}

/* Whether SRC is opened by its path, since it has no name of its own or is to be followed.
 */
static bool opened_by_path(const struct copy_argument *argument)
{
    return argument->split.itself || argument->split.slash;
}

static struct tp_op open_parent(struct copy_argument *argument, struct tp_ctx *cx)
{
    struct tp_open_options options = {.read = true};

    return tp_open(cx, copy_split_parent(&argument->split), options);
}

static const char *target_name(const struct copy_argument *argument)
{
    const char *name = argument->target->name;

    return name == NULL ? argument->split.name : name;
}

/* ------------------------------------------------------------------ not into itself */

static struct tp_op look_up(struct copy_argument *argument, struct tp_ctx *cx)
{
    argument->climbed[1] = argument->climbed[0];
    return tp_stat(cx, argument->climb, &argument->climbed[0]);
}

/* One directory up; false at the root, which is above itself. */
static bool climb(struct copy_argument *argument)
{
    static const char up[] = "/..";
    size_t len = strlen(argument->climb);

    if (copy_same_file(&argument->climbed[0], &argument->climbed[1]) ||
        len + sizeof up > sizeof argument->climb)
        return false;
    memcpy(argument->climb + len, up, sizeof up);
    return true;
}

static bool is_inside_itself(const struct copy_argument *argument)
{
    return copy_same_file(&argument->climbed[0], &argument->statx);
}

/* ------------------------------------------------------------------ a directory */

static struct tp_op start_dir(struct copy_argument *argument, struct tp_ctx *cx)
{
    struct copy_dir *dir = argument->dir;
    const struct copy_target *target = argument->target;

    if (opened_by_path(argument)) {
        dir->place[COPY_SOURCE] = tp_place_path(argument->path);
        dir->name[COPY_SOURCE] = argument->path;
        argument->above.name[COPY_SOURCE] = "";
    }
    dir->name[COPY_TARGET] = target_name(argument);
    dir->place[COPY_TARGET] = tp_place_in(target->dir, dir->name[COPY_TARGET]);
    if (dir->name[COPY_TARGET][0] == '\0') { /* the contents of "." go into DST itself */
        dir->is_there = true;
        dir->place[COPY_TARGET] = tp_place_path(target->dir_path);
    }
    return copy_dir_start(cx, dir);
}

static enum tp_step dir_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_argument *argument =
        tp_container_of(machine, struct copy_argument, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        TP_AWAIT(cx, look_up(argument, cx), &result);
        if (result.value < 0 && argument->copy->phase != COPY_LISTING) {
            close_parent(argument, cx);
            return fail(argument, cx, "look above DST", result.value);
        }
        if (result.value == 0 && is_inside_itself(argument)) {
            close_parent(argument, cx);
            return refuse(argument, "a directory is not copied into itself");
        }
    } while (result.value == 0 && climb(argument));
    argument->dir = copy_dir_create(argument->copy, &argument->above, argument->split.name);
    if (argument->dir == NULL) {
        close_parent(argument, cx);
        return fail(argument, cx, "copy", -ENOMEM);
    }
    TP_AWAIT(cx, start_dir(argument, cx), &result);
    argument->error = result.value;
    copy_dir_destroy(argument->dir);
    close_parent(argument, cx);
    return tp_end(machine, argument->error);
    TP_END(cx);
}

/* ------------------------------------------------------------------ anything else */

static bool has_task(struct copy_argument *argument, struct tp_ctx *cx)
{
    argument->error = tp_semaphore_acquire(cx, &argument->copy->slots, &argument->turn);
    return argument->error != -EAGAIN;
}

static struct tp_op start_task(struct copy_argument *argument, struct tp_ctx *cx)
{
    argument->task = copy_task_take(argument->copy);
    return copy_task_start(cx, argument->task, &argument->above, argument->split.name,
                           target_name(argument));
}

static enum tp_step file_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_argument *argument =
        tp_container_of(machine, struct copy_argument, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (argument->repeated) {
        close_parent(argument, cx);
        return refuse(argument, "another SRC of the same name was copied before");
    }
    if (argument->target->needs_directory) {
        close_parent(argument, cx);
        return fail(argument, cx, "copy to what must be a directory", -ENOTDIR);
    }
    TP_AWAIT_UNTIL(cx, has_task(argument, cx));
    if (argument->error < 0) {
        close_parent(argument, cx);
        return fail(argument, cx, "copy", argument->error);
    }
    TP_AWAIT(cx, start_task(argument, cx), &result);
    argument->error = result.value;
    copy_task_give(argument->copy, argument->task);
    close_parent(argument, cx);
    return tp_end(machine, argument->error);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the machine */

/* What SRC and its copy are in, as a directory that never runs. */
static void set_above(struct copy_argument *argument)
{
    struct copy_dir *above = &argument->above;

    above->copy = argument->copy;
    above->name[COPY_SOURCE] = argument->split.parent;
    above->name[COPY_TARGET] = argument->target->dir_text;
    above->fd[COPY_TARGET] = argument->target->dir;
    memcpy(argument->climb, argument->target->dir_path,
           strlen(argument->target->dir_path) + 1);
}

static enum tp_step look_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_argument *argument =
        tp_container_of(machine, struct copy_argument, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    argument->error = copy_split(argument->path, &argument->split);
    if (argument->error < 0)
        return fail(argument, cx, "stat", argument->error);
    TP_AWAIT(cx, tp_lstat(cx, argument->path, &argument->statx), &result);
    if (result.value < 0)
        return fail(argument, cx, "stat", result.value);
    set_above(argument);
    if (!opened_by_path(argument)) {
        TP_AWAIT(cx, open_parent(argument, cx), &result);
        if (result.value < 0)
            return fail(argument, cx, "open the directory it is in", result.value);
        argument->above.fd[COPY_SOURCE] = tp_into_fd(cx, result);
    }
    return copy_become(machine, cx,
                       argument->statx.kind == TP_FILE_DIRECTORY ? dir_tick : file_tick);
    TP_END(cx);
}

struct tp_op copy_argument_start(struct tp_ctx *cx, struct copy_argument *argument)
{
    tp_assert(argument->copy != NULL && argument->target != NULL);
    tp_assert(!tp_machine_alive(&argument->machine));
    return tp_start(cx, &argument->machine, look_tick, "argument");
}
