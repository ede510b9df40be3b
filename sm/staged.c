#include "sm/staged.h"

#include <errno.h>
#include <string.h>

#include "runtime/await.h"
#include "sm/become_internal.h"

enum { ATTEMPTS_MAX = 8 };

static const char temporary_prefix[] = ".tempest-";
static const char digits[] = "0123456789abcdef";

bool tp_staged_is_temporary(const char *name)
{
    size_t prefix_len = sizeof temporary_prefix - 1;
    size_t len = strlen(name);

    if (len != TP_TEMPORARY_NAME_BYTES - 1 ||
        memcmp(name, temporary_prefix, prefix_len) != 0)
        return false;
    return strspn(name + prefix_len, digits) == len - prefix_len;
}

/* A name that nothing else has, but by a chance that create_new finds out. */
static void name_temporary(struct tp_ctx *cx, struct tp_staged *staged)
{
    size_t prefix_len = sizeof temporary_prefix - 1;
    uint64_t number = tp_random(cx);
    char *at = staged->temporary;

    memcpy(at, temporary_prefix, prefix_len);
    for (uint32_t i = 0; i < 16; i++)
        at[prefix_len + i] = digits[(number >> (60 - 4 * i)) & 15];
    at[prefix_len + 16] = '\0';
    tp_assert(tp_staged_is_temporary(at));
}

/* Splits a path into the directory that is opened, dir_path, and the name in it. 0, or
 * -errno. */
static int32_t split(struct tp_staged *staged, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t dir_len = (size_t)(name - path);

    if (path[0] == '\0')
        return -ENOENT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EISDIR;
    if (dir_len >= sizeof staged->dir_path)
        return -ENAMETOOLONG;
    memcpy(staged->dir_path, path, dir_len);
    if (dir_len == 0)
        staged->dir_path[dir_len++] = '.';
    else if (dir_len > 1)
        dir_len--; /* the slash, but that of the root */
    staged->dir_path[dir_len] = '\0';
    staged->name = name;
    return 0;
}

/* ------------------------------------------------------------------ discard, and every
 * failure */

static enum tp_step discard_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_staged *staged = tp_container_of(machine, struct tp_staged, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_fd_is_some(staged->fd))
        tp_detach(cx, tp_close(cx, staged->fd));
    staged->fd = tp_fd_none();
    if (staged->made) {
        TP_AWAIT(cx, tp_remove_in(cx, staged->dir, staged->temporary), &result);
        staged->made = false;
        /* Whatever began the discard is the better reason. */
        if (result.value < 0 && staged->error == 0) {
            staged->error = result.value;
            staged->failed_kind = TP_REMOVE;
        }
    }
    if (staged->own_dir)
        tp_detach(cx, tp_close(cx, staged->dir));
    staged->own_dir = false;
    return tp_end(machine, staged->error);
    TP_END(cx);
}

/* The machine goes on as a discard, which is made of clean-up operations only, and so runs
 * its course when the reason is a cancel. */
static enum tp_step fail(struct tp_staged *staged, struct tp_ctx *cx, enum tp_kind kind,
                         int32_t error)
{
    tp_assert(error < 0);
    staged->error = error;
    staged->failed_kind = (uint32_t)kind;
    return tp_become(&staged->machine, cx, discard_tick);
}

/* ------------------------------------------------------------------ begin */

static struct tp_op open_dir(struct tp_ctx *cx, struct tp_staged *staged)
{
    struct tp_open_options options = {.read = true};

    return tp_open(cx, staged->dir_path, options);
}

static struct tp_op open_temporary(struct tp_ctx *cx, struct tp_staged *staged)
{
    struct tp_open_options options = {.write = true,
                                      .create_new = true,
                                      .read = staged->options.read,
                                      .direct = staged->options.direct,
                                      .dsync = staged->options.dsync};

    name_temporary(cx, staged);
    staged->attempts++;
    return tp_open_in(cx, staged->dir, staged->temporary, options);
}

static enum tp_step begin_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_staged *staged = tp_container_of(machine, struct tp_staged, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (staged->error < 0)
        return fail(staged, cx, TP_OPEN, staged->error);
    if (!tp_fd_is_some(staged->dir)) {
        TP_AWAIT(cx, open_dir(cx, staged), &result);
        if (result.value < 0)
            return fail(staged, cx, TP_OPEN, result.value);
        staged->dir = tp_into_fd(cx, result);
        staged->own_dir = true;
    }
    do {
        TP_AWAIT(cx, open_temporary(cx, staged), &result);
    } while (result.value == -EEXIST && staged->attempts < ATTEMPTS_MAX);
    if (result.value < 0) {
        /* An open that fails may have made the file: one that was interrupted, or for which
         * there was no fd left, or that found direct I/O missing after the fact. */
        staged->made = result.value != -EEXIST;
        return fail(staged, cx, TP_OPEN, result.value);
    }
    staged->fd = tp_into_fd(cx, result);
    staged->made = true;
    return tp_end(machine, 0);
    TP_END(cx);
}

struct tp_op(tp_staged_begin)(struct tp_ctx *cx, struct tp_staged *staged,
                              struct tp_place place, struct tp_open_options options)
{
    tp_assert(!tp_machine_alive(&staged->machine));
    tp_assert(!tp_place_is_open(place) && place.path != NULL);
    memset(staged, 0, offsetof(struct tp_staged, dir_path));
    staged->options = options;
    staged->dir = place.dir;
    staged->name = place.path;
    if (!tp_fd_is_some(place.dir))
        staged->error = split(staged, place.path);
    return (tp_start)(cx, &staged->machine, begin_tick, "staged_begin");
}

/* ------------------------------------------------------------------ commit */

static enum tp_step commit_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_staged *staged = tp_container_of(machine, struct tp_staged, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (staged->mode != TP_MODE_DEFAULT) {
        TP_AWAIT(cx, tp_set_mode(cx, staged->fd, staged->mode), &result);
        if (result.value < 0)
            return fail(staged, cx, TP_SET_MODE, result.value);
        staged->synced = false;
    }
    if (staged->durability != TP_DURABLE_NOT && !staged->synced) {
        TP_AWAIT(cx, tp_fsync(cx, staged->fd, 0), &result);
        if (result.value < 0)
            return fail(staged, cx, TP_FSYNC, result.value);
    }
    /* The fd is gone from here on; what the close reports still decides. */
    TP_AWAIT(cx, tp_close(cx, staged->fd), &result);
    staged->fd = tp_fd_none();
    if (result.value < 0)
        return fail(staged, cx, TP_CLOSE, result.value);
    TP_AWAIT(cx,
             tp_rename_in(cx, staged->dir, staged->temporary, staged->dir, staged->name),
             &result);
    if (result.value < 0)
        return fail(staged, cx, TP_RENAME, result.value);
    staged->made = false;
    if (staged->durability == TP_DURABLE) {
        TP_AWAIT(cx, tp_fsync(cx, staged->dir, 0), &result);
        if (result.value < 0)
            return fail(staged, cx, TP_SYNC_DIR, result.value);
    }
    if (staged->own_dir)
        tp_detach(cx, tp_close(cx, staged->dir));
    staged->own_dir = false;
    return tp_end(machine, 0);
    TP_END(cx);
}

struct tp_op(tp_staged_commit)(struct tp_ctx *cx, struct tp_staged *staged, uint32_t mode,
                               enum tp_durability durability)
{
    tp_assert(!tp_machine_alive(&staged->machine));
    tp_assert(staged->made && tp_fd_is_some(staged->fd));
    staged->mode = mode;
    staged->durability = (uint32_t)durability;
    return (tp_start)(cx, &staged->machine, commit_tick, "staged_commit");
}

struct tp_op(tp_staged_discard)(struct tp_ctx *cx, struct tp_staged *staged)
{
    tp_assert(!tp_machine_alive(&staged->machine));
    tp_assert(staged->made || !tp_fd_is_some(staged->fd));
    staged->error = 0;
    return (tp_start)(cx, &staged->machine, discard_tick, "staged_discard");
}
