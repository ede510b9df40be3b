#include "sm/copy_file.h"

#include <errno.h>

#include "runtime/await.h"
#include "sm/become_internal.h"
#include "sm/copy_ring_internal.h"

/* Further than any file reaches. */
#define OFFSET_MAX ((uint64_t)INT64_MAX)

static struct tp_op open_source(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    struct tp_open_options options = {.read = true, .direct = copy->source_direct};

    return tp_place_open(cx, copy->source_place, options);
}

static struct tp_op begin_destination(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    struct tp_open_options options = {.direct = copy->destination_direct};

    return tp_staged_begin(cx, &copy->staged, copy->destination_place, options);
}

/* Whether an open failed for want of direct I/O: then it is tried once more without. */
static bool try_plain(bool *direct, int32_t value)
{
    if (value != -EINVAL || !*direct)
        return false;
    *direct = false;
    return true;
}

/* A failure of `kind`, if it is one. */
static void check(struct tp_ctx *cx, struct tp_copy_file *copy, int32_t value,
                  enum tp_kind kind, bool source)
{
    if (value < 0)
        tp_copy_fail(cx, copy, value, kind, source);
}

static void check_staged(struct tp_ctx *cx, struct tp_copy_file *copy, int32_t value)
{
    check(cx, copy, value, (enum tp_kind)copy->staged.failed_kind, false);
}

/* Everything that follows from the source's kind and size, and the blocks for it. */
static void plan(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    bool direct = copy->source_direct || copy->destination_direct;

    if (copy->statx.kind != TP_FILE_REGULAR) {
        bool directory = copy->statx.kind == TP_FILE_DIRECTORY;
        tp_copy_fail(cx, copy, directory ? -EISDIR : -EINVAL, TP_FSTAT, true);
        return;
    }
    copy->align = direct ? tp_io_block_size(tp_ctx_io(cx)) : 1;
    copy->open_ended = copy->statx.size == 0;
    copy->limit = copy->open_ended ? OFFSET_MAX : copy->statx.size;
    copy->holes = !copy->options.fill_holes && !copy->open_ended &&
                  copy->statx.allocated < copy->statx.size;
    check(cx, copy, tp_copy_ring_take(cx, copy), TP_READ, true);
}

/* All blocks are written: what has the file become? */
static void measure(struct tp_copy_file *copy)
{
    tp_assert(copy->flying == 0 && copy->next >= copy->limit);
    copy->length = copy->limit;
    copy->found_shrunk = !copy->open_ended && copy->limit < copy->statx.size;
}

static uint32_t mode(const struct tp_copy_file *copy)
{
    return copy->options.forget_mode ? TP_MODE_DEFAULT : copy->statx.mode;
}

static struct tp_op commit(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    return tp_staged_commit(cx, &copy->staged, mode(copy),
                            (enum tp_durability)copy->options.durability);
}

/* ------------------------------------------------------------------ the three parts */

/* Last, and after every failure: gives back what the copy holds. */
static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_copy_file *copy = tp_container_of(machine, struct tp_copy_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_copy_ring_release(cx, copy);
    if (!tp_place_is_open(copy->source_place) && tp_fd_is_some(copy->source))
        tp_detach(cx, tp_close(cx, copy->source));
    if (copy->error < 0 && !tp_place_is_open(copy->destination_place)) {
        tp_shield(cx, true);
        TP_AWAIT(cx, tp_staged_discard(cx, &copy->staged), &result);
        tp_shield(cx, false);
    }
    return tp_end(machine, copy->error);
    TP_END(cx);
}

/* Moves the blocks, and makes the destination what it is to be. */
static enum tp_step transfer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_copy_file *copy = tp_container_of(machine, struct tp_copy_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_copy_ring_fill(cx, copy);
    while (copy->flying > 0) {
        TP_AWAIT_NEXT(cx, &result);
        tp_copy_ring_step(cx, copy, &result);
        tp_copy_ring_fill(cx, copy);
    }
    if (copy->error < 0)
        return tp_become(machine, cx, end_tick);
    measure(copy);

    /* A hole at the end has not been reached yet, and a direct write went beyond. */
    if (copy->reached != copy->length) {
        TP_AWAIT(cx, tp_truncate(cx, copy->destination, copy->length), &result);
        check(cx, copy, result.value, TP_TRUNCATE, false);
        if (copy->error < 0)
            return tp_become(machine, cx, end_tick);
    }
    if (!tp_place_is_open(copy->destination_place)) {
        TP_AWAIT(cx, commit(cx, copy), &result);
        check_staged(cx, copy, result.value);
        return tp_become(machine, cx, end_tick);
    }
    if (!copy->options.forget_mode) {
        TP_AWAIT(cx, tp_set_mode(cx, copy->destination, copy->statx.mode), &result);
        check(cx, copy, result.value, TP_SET_MODE, false);
    }
    if (copy->error >= 0 && copy->options.durability != TP_DURABLE_NOT) {
        TP_AWAIT(cx, tp_fsync(cx, copy->destination, 0), &result);
        check(cx, copy, result.value, TP_FSYNC, false);
    }
    return tp_become(machine, cx, end_tick);
    TP_END(cx);
}

/* Opens both sides, and finds out what there is to do. */
static enum tp_step begin_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_copy_file *copy = tp_container_of(machine, struct tp_copy_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (!tp_place_is_open(copy->source_place)) {
        do {
            TP_AWAIT(cx, open_source(cx, copy), &result);
        } while (try_plain(&copy->source_direct, result.value));
        check(cx, copy, result.value, TP_OPEN, true);
        if (copy->error < 0)
            return tp_become(machine, cx, end_tick);
        copy->source = tp_into_fd(cx, result);
    }
    if (copy->options.source_statx == NULL) {
        TP_AWAIT(cx, tp_fstat(cx, copy->source, &copy->statx), &result);
        check(cx, copy, result.value, TP_FSTAT, true);
    }
    if (copy->error >= 0)
        plan(cx, copy);
    if (copy->error < 0)
        return tp_become(machine, cx, end_tick);

    if (!tp_place_is_open(copy->destination_place)) {
        do {
            TP_AWAIT(cx, begin_destination(cx, copy), &result);
        } while (try_plain(&copy->destination_direct, result.value));
        check_staged(cx, copy, result.value);
        if (copy->error < 0)
            return tp_become(machine, cx, end_tick);
        copy->destination = copy->staged.fd;
    }
    return tp_become(machine, cx, transfer_tick);
    TP_END(cx);
}

struct tp_op(tp_copy_file_start)(struct tp_ctx *cx, struct tp_copy_file *copy,
                                 struct tp_place source, struct tp_place destination,
                                 const struct tp_copy_options *options)
{
    tp_assert(!tp_machine_alive(&copy->machine));
    memset(copy, 0, offsetof(struct tp_copy_file, staged));
    memset(&copy->staged, 0, offsetof(struct tp_staged, dir_path));
    if (options != NULL)
        copy->options = *options;
    tp_assert(copy->options.size == 0 || copy->options.size == sizeof *options);
    copy->source_place = source;
    copy->destination_place = destination;
    copy->source = source.fd;
    copy->destination = destination.fd;
    copy->source_direct = copy->options.source_direct;
    copy->destination_direct = copy->options.destination_direct;
    if (copy->options.source_statx != NULL)
        copy->statx = *copy->options.source_statx;
    return (tp_start)(cx, &copy->machine, begin_tick, "copy_file");
}
