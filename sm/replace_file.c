#include "sm/replace_file.h"

#include <errno.h>

#include "runtime/await.h"

/* Up to here the content is written through a fd opened dsync, which is one trip to a
 * worker less than a write and a sync (inside the noise of a disk, never slower). Beyond it
 * the transfer itself is all that counts, and each piece of one that comes out short would
 * wait for the disk. */
enum { DSYNC_BYTES_MAX = 1 << 20 };

static struct tp_op stat_old(struct tp_ctx *cx, struct tp_replace_file *replace)
{
    if (tp_fd_is_some(replace->place.dir))
        return tp_stat_in(cx, replace->place.dir, replace->place.path, &replace->statx);
    return tp_lstat(cx, replace->place.path, &replace->statx);
}

static struct tp_op begin(struct tp_ctx *cx, struct tp_replace_file *replace)
{
    bool dsync = replace->options.durability != TP_DURABLE_NOT &&
                 replace->content->len <= DSYNC_BYTES_MAX;
    struct tp_open_options options = {.dsync = dsync};

    return tp_staged_begin(cx, &replace->staged, replace->place, options);
}

static struct tp_op write(struct tp_ctx *cx, struct tp_replace_file *replace)
{
    return tp_write_all_start(cx, &replace->write, replace->staged.fd, replace->content, 0,
                              0);
}

static struct tp_op commit(struct tp_ctx *cx, struct tp_replace_file *replace)
{
    bool set = replace->options.set_mode;

    replace->staged.synced = replace->staged.options.dsync;
    return tp_staged_commit(cx, &replace->staged,
                            set ? replace->options.mode : TP_MODE_DEFAULT,
                            (enum tp_durability)replace->options.durability);
}

/* Takes the old file's mode from what stat found; a link is replaced, so it has none to
 * keep. */
static int32_t keep_mode(struct tp_replace_file *replace, int32_t found)
{
    if (found < 0)
        return found == -ENOENT ? 0 : found;
    if (replace->statx.kind == TP_FILE_SYMLINK)
        return 0;
    replace->options.set_mode = true;
    replace->options.mode = replace->statx.mode;
    return 0;
}

static void note(struct tp_replace_file *replace, int32_t value, uint32_t kind)
{
    replace->error = value < 0 ? value : 0;
    replace->failed_kind = kind;
}

static enum tp_step replace_file_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_replace_file *replace =
        tp_container_of(machine, struct tp_replace_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (replace->options.keep_mode) {
        TP_AWAIT(cx, stat_old(cx, replace), &result);
        note(replace, keep_mode(replace, result.value), TP_STAT);
    }
    if (replace->error < 0)
        return tp_end(machine, replace->error);

    TP_AWAIT(cx, begin(cx, replace), &result);
    note(replace, result.value, replace->staged.failed_kind);
    if (replace->error >= 0) {
        TP_AWAIT(cx, write(cx, replace), &result);
        note(replace, result.value, TP_WRITE);
    }
    if (replace->error >= 0) {
        TP_AWAIT(cx, commit(cx, replace), &result);
        note(replace, result.value, replace->staged.failed_kind);
    }
    if (replace->error >= 0)
        return tp_end(machine, 0);

    tp_shield(cx, true);
    TP_AWAIT(cx, tp_staged_discard(cx, &replace->staged), &result);
    tp_shield(cx, false);
    return tp_end(machine, replace->error);
    TP_END(cx);
}

struct tp_op(tp_replace_file_start)(struct tp_ctx *cx, struct tp_replace_file *replace,
                                    struct tp_place place, const struct tp_buf *content,
                                    const struct tp_replace_options *options)
{
    tp_assert(!tp_machine_alive(&replace->machine));
    tp_assert(!tp_place_is_open(place) && place.path != NULL);
    tp_assert(content->len <= INT32_MAX);
    memset(&replace->options, 0, sizeof replace->options);
    if (options != NULL)
        replace->options = *options;
    tp_assert(replace->options.size == 0 || replace->options.size == sizeof *options);
    replace->place = place;
    replace->content = content;
    replace->error = 0;
    return (tp_start)(cx, &replace->machine, replace_file_tick, "replace_file");
}
