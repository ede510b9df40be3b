#include "apps/copy/dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/copy/plan.h"
#include "apps/copy/task.h"
#include "runtime/await.h"

enum {
    MODE_PRIVATE = 0700, /* of a directory that is not complete yet */
    MODE_BITS = 01777,   /* what is passed on: set-id bits act on behalf of an owner */
    BRANCH_DEPTH_MAX = 32,
    NAME_LEN_BYTES = 2, /* behind a name in `names` */
};

/* ------------------------------------------------------------------ life */

struct copy_dir *copy_dir_create(struct copy *copy, struct copy_dir *parent,
                                 const char *name)
{
    size_t len = strlen(name);
    struct copy_dir *dir = calloc(1, sizeof *dir + len + 1);

    if (dir == NULL)
        return NULL;
    dir->own_name = (char *)(dir + 1);
    memcpy(dir->own_name, name, len + 1);
    dir->copy = copy;
    dir->parent = parent;
    dir->depth = parent->depth + 1;
    for (uint32_t side = 0; side < COPY_SIDES; side++) {
        dir->name[side] = dir->own_name;
        dir->place[side] = tp_place_in(parent->fd[side], dir->own_name);
    }
    dir->next = copy->dirs;
    if (copy->dirs != NULL)
        copy->dirs->previous = dir;
    copy->dirs = dir;
    return dir;
}

void copy_dir_destroy(struct copy_dir *dir)
{
    tp_assert(!tp_machine_alive(&dir->machine));
    if (dir->next != NULL)
        dir->next->previous = dir->previous;
    if (dir->previous != NULL)
        dir->previous->next = dir->next;
    else
        dir->copy->dirs = dir->next;
    free(dir->listing_memory);
    free(dir->names);
    free(dir);
}

/* Says what failed, and remembers it as what the directory ends with. */
static void fail(struct copy_dir *dir, struct tp_ctx *cx, enum copy_side side,
                 const char *operation, int32_t error)
{
    copy_failed(cx, dir->copy, copy_where(dir, NULL, side), operation, error);
    dir->error = error;
}

/* ------------------------------------------------------------------ names that wait */

/* Keeps the name of a directory for later. 0 or -ENOMEM. */
static int32_t push_name(struct copy_dir *dir, const char *name)
{
    size_t len = strlen(name);
    size_t needed = dir->names_len + len + NAME_LEN_BYTES;
    char *names;

    if (needed > dir->names_capacity) {
        names = realloc(dir->names, needed * 2);
        if (names == NULL)
            return -ENOMEM;
        dir->names = names;
        dir->names_capacity = needed * 2;
    }
    names = dir->names + dir->names_len;
    memcpy(names, name, len);
    names[len] = (char)(uint8_t)len;
    names[len + 1] = (char)(uint8_t)(len >> 8);
    dir->names_len = needed;
    return 0;
}

/* The name that was kept last, NUL-terminated. */
static void pop_name(struct copy_dir *dir, char ret_name[TP_NAME_MAX + 1])
{
    const char *end = dir->names + dir->names_len;
    size_t len = (size_t)(uint8_t)end[-2] | (size_t)(uint8_t)end[-1] << 8;

    tp_assert(len <= TP_NAME_MAX && dir->names_len >= len + NAME_LEN_BYTES);
    dir->names_len -= len + NAME_LEN_BYTES;
    memcpy(ret_name, dir->names + dir->names_len, len);
    ret_name[len] = '\0';
}

static void keep_name(struct copy_dir *dir, struct tp_ctx *cx, const char *name)
{
    int32_t error = push_name(dir, name);

    if (error < 0)
        copy_failed(cx, dir->copy, copy_where(dir, name, COPY_SOURCE), "list", error);
}

/* ------------------------------------------------------------------ children */

static void end_task(struct copy_dir *dir, struct tp_ctx *cx, uint64_t index, int32_t value)
{
    struct copy_task *task = &dir->copy->tasks[index];

    tp_assert(dir->files > 0);
    dir->files--;
    if (value == COPY_IS_DIRECTORY)
        keep_name(dir, cx, task->own_name);
    copy_task_give(dir->copy, task);
}

static void end_child(struct copy_dir *dir, struct tp_op op)
{
    struct copy_dir **link = &dir->running;
    struct copy_dir *child;

    while (*link != NULL && (*link)->op.handle != op.handle)
        link = &(*link)->next_sibling;
    child = *link;
    tp_assert(child != NULL && child->opened);
    *link = child->next_sibling;
    if (child->branched)
        dir->copy->branches++;
    copy_dir_destroy(child);
}

/* Claims the children that have ended; nothing else is in flight when it is called. */
static void claim(struct copy_dir *dir, struct tp_ctx *cx)
{
    struct tp_result result;

    while (tp_next_cqe(cx, &result)) {
        if (result.tag == 0)
            end_child(dir, result.op);
        else
            end_task(dir, cx, result.tag - 1, result.value);
    }
}

/* Whether a task was had, or can no longer be. */
static bool has_task(struct copy_dir *dir, struct tp_ctx *cx)
{
    claim(dir, cx);
    dir->refused = tp_semaphore_acquire(cx, &dir->copy->slots, &dir->turn);
    return dir->refused != -EAGAIN;
}

static void start_task(struct copy_dir *dir, struct tp_ctx *cx, const char *name)
{
    struct copy_task *task = copy_task_take(dir->copy);
    struct tp_op op = copy_task_start_entry(cx, task, dir, name);

    (void)tp_tag(cx, op, (uint64_t)(task - dir->copy->tasks) + 1);
    dir->files++;
}

/* Whether there is a next step for the names that wait: one can be begun, or none will come
 * any more. */
static bool may_descend(struct copy_dir *dir, struct tp_ctx *cx)
{
    claim(dir, cx);
    if (tp_cancelled(cx) && dir->names_len > 0) {
        fail(dir, cx, COPY_SOURCE, "copy", -ECANCELED);
        dir->names_len = 0;
    }
    if (dir->names_len == 0)
        return dir->files == 0 && dir->opening == 0;
    return dir->running == NULL ||
           (dir->copy->branches > 0 && dir->depth < BRANCH_DEPTH_MAX);
}

static void descend(struct copy_dir *dir, struct tp_ctx *cx)
{
    char name[TP_NAME_MAX + 1];
    struct copy_dir *child;

    pop_name(dir, name);
    child = copy_dir_create(dir->copy, dir, name);
    if (child == NULL) {
        copy_failed(cx, dir->copy, copy_where(dir, name, COPY_SOURCE), "copy", -ENOMEM);
        return;
    }
    child->branched = dir->running != NULL;
    if (child->branched)
        dir->copy->branches--;
    child->next_sibling = dir->running;
    dir->running = child;
    dir->opening++;
    child->op = copy_dir_start(cx, child);
}

static bool all_ended(struct copy_dir *dir, struct tp_ctx *cx)
{
    claim(dir, cx);
    return dir->running == NULL;
}

/* ------------------------------------------------------------------ opening */

/* Tells the parent that this child no longer needs its fds. */
static void say_opened(struct copy_dir *dir)
{
    struct copy_dir *parent = dir->parent;

    if (dir->opened)
        return;
    dir->opened = true;
    if (parent == NULL || !tp_machine_alive(&parent->machine))
        return;
    tp_assert(parent->opening > 0);
    parent->opening--;
    tp_wake(&parent->machine);
}

static struct tp_op open_side(struct copy_dir *dir, struct tp_ctx *cx, enum copy_side side)
{
    struct tp_open_options options = {.read = true};

    return tp_place_open(cx, dir->place[side], options);
}

static struct tp_op stat_side(struct copy_dir *dir, struct tp_ctx *cx, enum copy_side side)
{
    return tp_fstat(cx, dir->fd[side], &dir->statx[side]);
}

/* Makes the twin; where it stands was opened by the parent. */
static struct tp_op make_target(struct copy_dir *dir, struct tp_ctx *cx)
{
    return tp_create_dir_in(cx, dir->place[COPY_TARGET].dir, dir->place[COPY_TARGET].path,
                            MODE_PRIVATE);
}

/* Why the directory cannot be copied to where it is going to be; NULL: it can. */
static const char *contradiction(const struct copy_dir *dir)
{
    const struct tp_statx *source = &dir->statx[COPY_SOURCE];

    if (copy_same_file(source, &dir->copy->target_dir))
        return "it is the directory that is copied to: not copied into itself";
    if (dir->copy->phase != COPY_LISTING && !dir->made &&
        copy_same_file(source, &dir->statx[COPY_TARGET]))
        return "it is the same directory as the one to be copied to";
    return NULL;
}

/* ------------------------------------------------------------------ listing */

static struct tp_op list(struct copy_dir *dir, struct tp_ctx *cx)
{
    dir->entry = NULL;
    dir->listing = tp_buf_empty(dir->listing_memory, COPY_LISTING_BYTES);
    return tp_list_dir(cx, dir->fd[COPY_SOURCE], &dir->listing);
}

/* Goes to the next entry that is not known to be a directory; those are kept for later. */
static bool next_file(struct copy_dir *dir, struct tp_ctx *cx)
{
    while ((dir->entry = tp_dir_next(&dir->listing, dir->entry)) != NULL) {
        if (dir->entry->kind != TP_FILE_DIRECTORY)
            return true;
        keep_name(dir, cx, tp_dir_entry_name(dir->entry));
    }
    return false;
}

/* ------------------------------------------------------------------ the machine */

static void say_plan(const struct copy_dir *dir)
{
    static const char *const itself[COPY_SIDES] = {NULL, NULL};

    copy_plan_say(dir, itself, &dir->statx[COPY_SOURCE]);
}

static void close_side(struct copy_dir *dir, struct tp_ctx *cx, enum copy_side side)
{
    if (tp_fd_is_some(dir->fd[side]))
        tp_detach(cx, tp_close(cx, dir->fd[side]));
    dir->fd[side] = tp_fd_none();
}

/* The mode that it is given once it is complete. */
static struct tp_op set_mode(struct copy_dir *dir, struct tp_ctx *cx)
{
    return tp_set_mode(cx, dir->fd[COPY_TARGET], dir->statx[COPY_SOURCE].mode & MODE_BITS);
}

/* It begins as open_tick, goes on as list_tick, and ends as finish_tick. */
static enum tp_step finish_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_dir *dir = tp_container_of(machine, struct copy_dir, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    say_opened(dir);
    close_side(dir, cx, COPY_SOURCE);
    /* Even if it was cancelled, what it has is made accessible as the source is. */
    if (dir->made && tp_fd_is_some(dir->fd[COPY_TARGET])) {
        tp_shield(cx, true);
        TP_AWAIT(cx, set_mode(dir, cx), &result);
        tp_shield(cx, false);
        if (result.value < 0)
            fail(dir, cx, COPY_TARGET, "set_mode", result.value);
    }
    if (dir->copy->phase == COPY_COPYING && dir->copy->settings->sync &&
        tp_fd_is_some(dir->fd[COPY_TARGET])) {
        TP_AWAIT(cx, tp_fsync(cx, dir->fd[COPY_TARGET], 0), &result);
        if (result.value < 0)
            fail(dir, cx, COPY_TARGET, "fsync", result.value);
    }
    close_side(dir, cx, COPY_TARGET);
    TP_AWAIT_UNTIL(cx, all_ended(dir, cx));
    if (dir->error == 0 && dir->copy->phase != COPY_VERIFYING)
        dir->copy->totals.directories++;
    return tp_end(machine, dir->error);
    TP_END(cx);
}

static enum tp_step finish(struct copy_dir *dir, struct tp_ctx *cx, enum copy_side side,
                           const char *operation, int32_t error)
{
    fail(dir, cx, side, operation, error);
    return copy_become(&dir->machine, cx, finish_tick);
}

/* Lists, and begins what it finds. */
static enum tp_step list_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_dir *dir = tp_container_of(machine, struct copy_dir, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT(cx, list(dir, cx), &result);
        if (result.value < 0)
            fail(dir, cx, COPY_SOURCE, "list_dir", result.value);
        if (result.value <= 0)
            break;
        while (next_file(dir, cx)) {
            TP_AWAIT_UNTIL(cx, has_task(dir, cx));
            if (dir->refused < 0)
                break;
            start_task(dir, cx, tp_dir_entry_name(dir->entry));
        }
    }
    free(dir->listing_memory);
    dir->listing_memory = NULL;

    for (;;) {
        TP_AWAIT_UNTIL(cx, may_descend(dir, cx));
        if (dir->names_len == 0)
            break;
        descend(dir, cx);
    }
    return copy_become(&dir->machine, cx, finish_tick);
    TP_END(cx);
}

static enum tp_step open_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_dir *dir = tp_container_of(machine, struct copy_dir, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, open_side(dir, cx, COPY_SOURCE), &result);
    if (result.value < 0)
        return finish(dir, cx, COPY_SOURCE, "open", result.value);
    dir->fd[COPY_SOURCE] = tp_into_fd(cx, result);
    TP_AWAIT(cx, stat_side(dir, cx, COPY_SOURCE), &result);
    if (result.value < 0)
        return finish(dir, cx, COPY_SOURCE, "fstat", result.value);
    if (dir->copy->phase == COPY_COPYING && !dir->is_there) {
        TP_AWAIT(cx, make_target(dir, cx), &result);
        if (result.value < 0 && result.value != -EEXIST)
            return finish(dir, cx, COPY_TARGET, "create_dir", result.value);
        dir->made = result.value == 0;
    }
    if (dir->copy->phase != COPY_LISTING) {
        TP_AWAIT(cx, open_side(dir, cx, COPY_TARGET), &result);
        if (result.value < 0)
            return finish(dir, cx, COPY_TARGET, "open", result.value);
        dir->fd[COPY_TARGET] = tp_into_fd(cx, result);
        TP_AWAIT(cx, stat_side(dir, cx, COPY_TARGET), &result);
        if (result.value == 0 && dir->statx[COPY_TARGET].kind != TP_FILE_DIRECTORY)
            result.value = -ENOTDIR;
        if (result.value < 0)
            return finish(dir, cx, COPY_TARGET, "open as a directory", result.value);
    }
    if (contradiction(dir) != NULL) {
        if (dir->copy->phase != COPY_VERIFYING) /* said when it was not copied */
            copy_refuse(dir->copy, dir, NULL, contradiction(dir));
        dir->error = -EINVAL;
        return copy_become(&dir->machine, cx, finish_tick);
    }
    say_opened(dir);
    if (dir->copy->phase == COPY_LISTING && !dir->copy->silent)
        say_plan(dir);
    dir->listing_memory = malloc(COPY_LISTING_BYTES);
    if (dir->listing_memory == NULL)
        return finish(dir, cx, COPY_SOURCE, "list_dir", -ENOMEM);
    return copy_become(machine, cx, list_tick);
    TP_END(cx);
}

struct tp_op copy_dir_start(struct tp_ctx *cx, struct copy_dir *dir)
{
    tp_assert(!tp_machine_alive(&dir->machine) && !dir->opened);
    return tp_start(cx, &dir->machine, open_tick, "dir");
}
