#include "apps/copy/task.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/copy/dir.h"
#include "apps/copy/plan.h"
#include "runtime/await.h"

/* From this size on a durable copy is written past the page cache: one pass over the disk
 * instead of a copy in memory and a sync that waits for it (docs/tempest-copy.md). */
static const uint64_t direct_bytes_min = UINT64_C(4) << 20;

enum {
    PERMISSION_BITS = 0777,
    ATTEMPTS_MAX = 8,
    SPARE_BLOCK_BYTES =
        COPY_TASK_BYTES / 4, /* for a large file without registered buffers */
};

static struct tp_fd fd_of(const struct copy_task *task, enum copy_side side)
{
    return task->dir->fd[side];
}

static struct tp_place place_of(const struct copy_task *task, enum copy_side side)
{
    return tp_place_in(fd_of(task, side), task->name[side]);
}

/* Says what failed; the task ends with it. */
static enum tp_step fail(struct copy_task *task, struct tp_ctx *cx, enum copy_side side,
                         const char *operation, int32_t error)
{
    copy_failed(cx, task->copy, copy_where(task->dir, task->name[side], side), operation,
                error);
    return tp_end(&task->machine, error);
}

static enum tp_step refuse(struct copy_task *task, const char *why)
{
    copy_refuse(task->copy, task->dir, task->name[COPY_SOURCE], why);
    return tp_end(&task->machine, -EINVAL);
}

static struct tp_op stat_side(struct copy_task *task, struct tp_ctx *cx,
                              enum copy_side side)
{
    return tp_stat_in(cx, fd_of(task, side), task->name[side], &task->statx[side]);
}

/* Why what is at the target cannot be replaced; NULL: it can. */
static const char *obstacle(const struct copy_task *task)
{
    const struct tp_statx *target = &task->statx[COPY_TARGET];

    if (copy_same_file(target, &task->statx[COPY_SOURCE]))
        return "it is the same file as the one to be copied to";
    if (target->kind == TP_FILE_DIRECTORY)
        return "a directory is in its place in DST";
    if (target->kind == TP_FILE_OTHER) /* /dev/null would become a file, for all */
        return "a device, a pipe or a socket is in its place in DST";
    return NULL;
}

/* ------------------------------------------------------------------ a regular file */

/* A small file fits into the task's own memory; a larger one wants registered buffers, and
 * makes do with that memory when others have them all. */
static struct tp_op start_copy(struct copy_task *task, struct tp_ctx *cx)
{
    const struct copy_settings *settings = task->copy->settings;
    struct tp_statx *source = &task->statx[COPY_SOURCE];
    bool small = source->size <= COPY_TASK_BYTES;
    bool spare = task->attempts++ > 0;
    struct tp_copy_options options = {
        .size = sizeof options,
        .depth = settings->depth,
        .block_bytes = small ? COPY_TASK_BYTES : settings->block_bytes,
        .durability = settings->sync ? TP_DURABLE_CONTENT : TP_DURABLE_NOT,
        .source_statx = source,
        .destination_direct = settings->sync && source->size >= direct_bytes_min,
    };

    if (spare)
        options.block_bytes = SPARE_BLOCK_BYTES;
    if (small || spare) {
        options.memory = task->memory;
        options.memory_bytes = COPY_TASK_BYTES;
    }
    /* Bits that act on behalf of an owner are not passed on: the copy's may be another. */
    source->mode &= PERMISSION_BITS;
    options.forget_mode = source->mode == settings->mode_created;
    task->copying = true;
    return tp_copy_file_start(cx, &task->copy_file, place_of(task, COPY_SOURCE),
                              place_of(task, COPY_TARGET), &options);
}

static enum tp_step end_copy(struct copy_task *task, struct tp_ctx *cx, int32_t value)
{
    struct copy_totals *totals = &task->copy->totals;
    const struct tp_copy_file *copy_file = &task->copy_file;

    task->copying = false;
    if (value < 0)
        return fail(task, cx, copy_file->failed_source ? COPY_SOURCE : COPY_TARGET,
                    tp_kind_info[copy_file->failed_kind].name, value);
    totals->files++;
    totals->bytes += copy_file->length;
    return tp_end(&task->machine, 0);
}

/* ------------------------------------------------------------------ a symbolic link */

static struct tp_op read_link(struct copy_task *task, struct tp_ctx *cx)
{
    task->link = tp_buf_empty(task->link_target, sizeof task->link_target);
    return tp_read_link_in(cx, fd_of(task, COPY_SOURCE), task->name[COPY_SOURCE],
                           &task->link);
}

/* A name as tp_staged_is_temporary() knows them. */
static void name_temporary(struct copy_task *task, struct tp_ctx *cx)
{
    (void)snprintf(task->temporary, sizeof task->temporary, ".tempest-%016" PRIx64,
                   tp_random(cx));
    tp_assert(tp_staged_is_temporary(task->temporary));
}

/* Makes the link under its own name at first, then beside it to be renamed over it. */
static struct tp_op make_link(struct copy_task *task, struct tp_ctx *cx)
{
    const char *name = task->name[COPY_TARGET];

    if (task->attempts++ > 0) {
        name_temporary(task, cx);
        name = task->temporary;
    }
    return tp_symlink_in(cx, fd_of(task, COPY_TARGET), name, task->link_target);
}

static struct tp_op rename_link(struct copy_task *task, struct tp_ctx *cx)
{
    return tp_rename_in(cx, fd_of(task, COPY_TARGET), task->temporary,
                        fd_of(task, COPY_TARGET), task->name[COPY_TARGET]);
}

/* ------------------------------------------------------------------ verifying */

static enum tp_step differs(struct copy_task *task, const char *how)
{
    task->copy->totals.differences++;
    return refuse(task, how);
}

static enum tp_step end_compare(struct copy_task *task, struct tp_ctx *cx, int32_t value)
{
    struct copy_totals *totals = &task->copy->totals;

    if (value < 0)
        return fail(task, cx, task->compare.failed_side,
                    tp_kind_info[task->compare.failed_kind].name, value);
    if (value == COPY_DIFFERENT)
        return differs(task, "the copy has other bytes");
    totals->verified++;
    totals->verified_bytes += task->compare.offset;
    return tp_end(&task->machine, 0);
}

static enum tp_step end_link_compare(struct copy_task *task, struct tp_ctx *cx,
                                     int32_t value)
{
    const char *target = (const char *)task->memory;

    if (value < 0)
        return fail(task, cx, COPY_TARGET, "read_link", value);
    if ((uint32_t)value != strlen(task->link_target) ||
        memcmp(target, task->link_target, (size_t)value) != 0)
        return differs(task, "the copy is a link to something else");
    task->copy->totals.verified++;
    return tp_end(&task->machine, 0);
}

static const char *difference(const struct copy_task *task)
{
    const struct tp_statx *source = &task->statx[COPY_SOURCE];
    const struct tp_statx *target = &task->statx[COPY_TARGET];

    if (source->kind != target->kind)
        return "the copy is of another kind";
    if (source->kind == TP_FILE_REGULAR &&
        ((source->mode ^ target->mode) & PERMISSION_BITS) != 0)
        return "the copy has another mode";
    return NULL;
}

static struct tp_op start_compare(struct copy_task *task, struct tp_ctx *cx)
{
    return copy_compare_start(cx, &task->compare, place_of(task, COPY_SOURCE),
                              place_of(task, COPY_TARGET), task->memory, COPY_TASK_BYTES);
}

static struct tp_op read_copied_link(struct copy_task *task, struct tp_ctx *cx)
{
    task->link = tp_buf_empty(task->memory, TP_PATH_MAX);
    return tp_read_link_in(cx, fd_of(task, COPY_TARGET), task->name[COPY_TARGET],
                           &task->link);
}

/* ------------------------------------------------------------------ the machine
 *
 * A task begins as look_tick, and goes on as one of the others once it knows what it has
 * before it. */

static enum tp_step file_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_task *task = tp_container_of(machine, struct copy_task, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        TP_AWAIT(cx, start_copy(task, cx), &result);
    } while (result.value == -ENOBUFS && task->attempts == 1);
    return end_copy(task, cx, result.value);
    TP_END(cx);
}

static enum tp_step link_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_task *task = tp_container_of(machine, struct copy_task, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, read_link(task, cx), &result);
    if (result.value == TP_PATH_MAX)
        result.value = -ENAMETOOLONG;
    if (result.value < 0)
        return fail(task, cx, COPY_SOURCE, "read_link", result.value);
    task->link_target[result.value] = '\0';
    do {
        TP_AWAIT(cx, make_link(task, cx), &result);
    } while (result.value == -EEXIST && task->attempts < ATTEMPTS_MAX);
    if (result.value < 0)
        return fail(task, cx, COPY_TARGET, "symlink", result.value);
    if (task->attempts > 1) {
        TP_AWAIT(cx, rename_link(task, cx), &result);
        task->error = result.value;
        if (task->error < 0) {
            TP_AWAIT(cx, tp_remove_in(cx, fd_of(task, COPY_TARGET), task->temporary),
                     &result);
            return fail(task, cx, COPY_TARGET, "rename", task->error);
        }
    }
    task->copy->totals.links++;
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step verify_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_task *task = tp_container_of(machine, struct copy_task, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, stat_side(task, cx, COPY_TARGET), &result);
    if (result.value == -ENOENT)
        return differs(task, "there is no copy");
    if (result.value < 0)
        return fail(task, cx, COPY_TARGET, "stat", result.value);
    if (difference(task) != NULL)
        return differs(task, difference(task));
    if (task->statx[COPY_SOURCE].kind == TP_FILE_REGULAR) {
        TP_AWAIT(cx, start_compare(task, cx), &result);
        return end_compare(task, cx, result.value);
    }
    TP_AWAIT(cx, read_link(task, cx), &result);
    if (result.value < 0 || result.value == TP_PATH_MAX)
        return fail(task, cx, COPY_SOURCE, "read_link",
                    result.value < 0 ? result.value : -ENAMETOOLONG);
    task->link_target[result.value] = '\0';
    TP_AWAIT(cx, read_copied_link(task, cx), &result);
    return end_link_compare(task, cx, result.value);
    TP_END(cx);
}

/* Says, and counts, what would be copied. */
static enum tp_step list(struct copy_task *task)
{
    const struct tp_statx *source = &task->statx[COPY_SOURCE];
    struct copy_totals *totals = &task->copy->totals;

    if (!task->copy->silent)
        copy_plan_say(task->dir, task->name, source);
    if (source->kind == TP_FILE_SYMLINK) {
        totals->links++;
    } else {
        totals->files++;
        totals->bytes += source->size;
    }
    return tp_end(&task->machine, 0);
}

static enum tp_step look_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_task *task = tp_container_of(machine, struct copy_task, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, stat_side(task, cx, COPY_SOURCE), &result);
    if (result.value < 0)
        return fail(task, cx, COPY_SOURCE, "stat", result.value);
    if (task->statx[COPY_SOURCE].kind == TP_FILE_DIRECTORY)
        return tp_end(machine, COPY_IS_DIRECTORY);
    if (task->statx[COPY_SOURCE].kind == TP_FILE_OTHER) {
        if (task->copy->phase == COPY_VERIFYING)
            return tp_end(machine, 0); /* said when it was not copied */
        return refuse(task, "skipped: it is a device, a pipe or a socket");
    }
    if (task->copy->phase == COPY_LISTING)
        return list(task);
    if (task->copy->phase == COPY_VERIFYING)
        return copy_become(machine, cx, verify_tick);
    if (!task->dir->made) {
        TP_AWAIT(cx, stat_side(task, cx, COPY_TARGET), &result);
        if (result.value < 0 && result.value != -ENOENT)
            return fail(task, cx, COPY_TARGET, "stat", result.value);
        if (result.value == 0 && obstacle(task) != NULL)
            return refuse(task, obstacle(task));
    }
    return copy_become(machine, cx,
                       task->statx[COPY_SOURCE].kind == TP_FILE_REGULAR ? file_tick
                                                                        : link_tick);
    TP_END(cx);
}

struct tp_op copy_task_start(struct tp_ctx *cx, struct copy_task *task,
                             const struct copy_dir *dir, const char *source_name,
                             const char *target_name)
{
    tp_assert(!tp_machine_alive(&task->machine));
    task->dir = dir;
    task->name[COPY_SOURCE] = source_name;
    task->name[COPY_TARGET] = target_name;
    task->copying = false;
    task->attempts = 0;
    task->error = 0;
    return tp_start(cx, &task->machine, look_tick, "task");
}

struct tp_op copy_task_start_entry(struct tp_ctx *cx, struct copy_task *task,
                                   const struct copy_dir *dir, const char *name)
{
    size_t len = strlen(name);

    tp_assert(len <= TP_NAME_MAX);
    memcpy(task->own_name, name, len + 1);
    return copy_task_start(cx, task, dir, task->own_name, task->own_name);
}
