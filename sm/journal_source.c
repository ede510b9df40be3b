#include "journal_source.h"

#include <errno.h>

#include "runtime/await.h"

static struct tp_op open_segment(struct tp_ctx *cx, const struct tp_journal_source *s)
{
    struct tp_open_options options = {.read = true, .direct = s->direct};

    return tp_open_in(cx, s->dir, s->name, options);
}

static int32_t refuse(struct tp_journal_source *s, int32_t error, const char *what)
{
    s->problem.error = error;
    s->problem.segment = s->number;
    s->problem.offset = 0;
    s->problem.what = what;
    return error;
}

/* Takes the result of the open; what is missing here lies between segments that are not. */
static int32_t opened(struct tp_ctx *cx, struct tp_journal_source *s,
                      struct tp_result result)
{
    if (result.value >= 0) {
        s->fd = tp_into_fd(cx, result);
        return 0;
    }
    if (result.value == -ENOENT)
        return refuse(s, -ENODATA, "a segment is missing");
    return refuse(s, result.value, "a segment cannot be opened");
}

/* Whether this is to be done once more: without direct I/O, if this file system has none
 * after all, or because it was interrupted. */
static bool starts_over(struct tp_ctx *cx, struct tp_journal_source *s)
{
    if (s->problem.error == -EINVAL && s->direct)
        s->direct = false;
    else if (!tp_journal_interrupted(&s->stalls, s->problem.error))
        return false;
    s->problem.error = 0;
    tp_journal_source_close(cx, s);
    return true;
}

static int32_t check_stat(struct tp_journal_source *s, int32_t value)
{
    if (value < 0)
        return refuse(s, value, "the size of a segment cannot be read");
    if (s->stat.kind != TP_FILE_REGULAR)
        return refuse(s, -EBADMSG, "not a file");
    if (s->stat.size < TP_JOURNAL_BLOCK)
        return refuse(s, -EBADMSG, "a segment is shorter than its header");
    return 0;
}

static int32_t check_header(struct tp_journal_source *s)
{
    int32_t error = s->transfer.result;

    if (error < 0)
        return refuse(s, error, "the header of a segment cannot be read");
    if (error < (int32_t)TP_JOURNAL_BLOCK)
        return refuse(s, -EBADMSG, "a segment is shorter than its header");
    error = tp_journal_segment_decode(s->block.data, &s->segment);
    if (error == -EPROTONOSUPPORT)
        return refuse(s, error, "a format version that this program does not know");
    if (error < 0)
        return refuse(s, error, "the header of a segment is corrupt");
    if (s->segment.number != s->number)
        return refuse(s, -EBADMSG, "a segment has the name of another one");
    if (s->segment.size_bytes != s->stat.size)
        return refuse(s, -EBADMSG, "a segment does not have the size in its header");
    return 0;
}

static enum tp_step source_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_source *s =
        tp_container_of(machine, struct tp_journal_source, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    s->stalls = 0;
    do {
        TP_AWAIT(cx, open_segment(cx, s), &result);
        if (opened(cx, s, result) < 0)
            continue;
        TP_AWAIT(cx, tp_fstat(cx, s->fd, &s->stat), &result);
        if (check_stat(s, result.value) < 0)
            continue;
        tp_journal_transfer_read(cx, &s->transfer, s->fd, &s->block, TP_JOURNAL_BLOCK, 0);
        TP_AWAIT_UNTIL(cx, tp_journal_transfer_done(cx, &s->transfer));
        (void)check_header(s);
    } while (starts_over(cx, s));
    if (s->problem.error < 0)
        tp_journal_source_close(cx, s);
    return tp_end(machine, s->problem.error);
    TP_END(cx);
}

struct tp_op tp_journal_source_start(struct tp_ctx *cx, struct tp_journal_source *source)
{
    static const struct tp_journal_problem none;

    tp_assert(source->number > 0 && source->block.capacity >= TP_JOURNAL_BLOCK);
    source->fd = tp_fd_none();
    source->problem = none;
    tp_journal_name(source->number, source->name);
    return (tp_start)(cx, &source->machine, source_tick, "journal-source");
}

void tp_journal_source_close(struct tp_ctx *cx, struct tp_journal_source *source)
{
    if (tp_fd_is_some(source->fd))
        tp_detach(cx, tp_close(cx, source->fd));
    source->fd = tp_fd_none();
}
