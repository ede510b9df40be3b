#include "journal_trimmer.h"

#include <errno.h>

#include "runtime/await.h"

static struct tp_op open_behind(struct tp_ctx *cx, struct tp_journal_trimmer *t)
{
    t->source.dir = t->dir;
    t->source.block = t->block;
    t->source.number = t->oldest + 1;
    t->source.direct = t->direct;
    return tp_journal_source_start(cx, &t->source);
}

/* Finds the first record of the segment that is open: true when it is known. */
static bool first_is_known(struct tp_ctx *cx, struct tp_journal_trimmer *t)
{
    const struct tp_journal_segment *segment = &t->source.segment;

    t->sight = TP_JOURNAL_GROUP;
    t->next_lsn = segment->before.lsn + 1;
    if (segment->starts_log != 0)
        return true;
    t->sight = tp_journal_window_look(cx, &t->window);
    if (t->sight == TP_JOURNAL_GROUP)
        t->next_lsn = t->window.group.first_lsn;
    return t->sight != TP_JOURNAL_BUSY;
}

static int32_t look_result(const struct tp_journal_trimmer *t)
{
    if (t->sight == TP_JOURNAL_FAILED)
        return t->window.error;
    return t->sight == TP_JOURNAL_GROUP ? 0 : -EBADMSG;
}

static struct tp_op remove_oldest(struct tp_ctx *cx, struct tp_journal_trimmer *t)
{
    tp_journal_name(t->oldest, t->name);
    return tp_remove_in(cx, t->dir, t->name);
}

static enum tp_step trimmer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_trimmer *t =
        tp_container_of(machine, struct tp_journal_trimmer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (t->oldest < t->keep_segment) {
        TP_AWAIT(cx, open_behind(cx, t), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        if (t->source.segment.group_bytes > t->window_buf.capacity) {
            tp_journal_source_close(cx, &t->source);
            return tp_end(machine, -EFBIG);
        }
        tp_journal_window_open(&t->window, t->source.fd, &t->window_buf,
                               &t->source.segment);
        TP_AWAIT_UNTIL(cx, first_is_known(cx, t));
        tp_journal_source_close(cx, &t->source);
        if (look_result(t) < 0 || t->next_lsn > t->keep_lsn)
            return tp_end(machine, look_result(t));
        TP_AWAIT(cx, remove_oldest(cx, t), &result);
        if (result.value >= 0)
            TP_AWAIT(cx, tp_fsync(cx, t->dir, 0), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        t->oldest++;
        t->removed++;
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

struct tp_op tp_journal_trimmer_start(struct tp_ctx *cx, struct tp_journal_trimmer *trimmer)
{
    tp_assert(trimmer->oldest > 0 && trimmer->oldest <= trimmer->keep_segment);
    return (tp_start)(cx, &trimmer->machine, trimmer_tick, "journal-trimmer");
}
