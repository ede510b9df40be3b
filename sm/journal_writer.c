#include "journal_writer.h"

#include <errno.h>

#include "io/mark.h"

enum { GATHER_PART = 4 }; /* of the time that a group took, more records are waited for */

/* ------------------------------------------------------------------ batches */

static struct tp_buf *buf_of(struct tp_journal_batch *batch)
{
    return batch->registered != NULL ? batch->registered : &batch->plain;
}

/* Registered buffers for the groups, if the Io has any of that size. */
static void acquire_bufs(struct tp_ctx *cx, struct tp_journal *j)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct tp_buf *buf = tp_acquire_buf(cx);

        if (buf != NULL && buf->capacity < j->config.group_bytes) {
            tp_release_buf(cx, buf);
            buf = NULL;
        }
        j->batches[i].registered = buf;
    }
}

static void release_bufs(struct tp_ctx *cx, struct tp_journal *j)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (j->batches[i].registered != NULL)
            tp_release_buf(cx, j->batches[i].registered);
        j->batches[i].registered = NULL;
    }
}

/* Those who wait for this batch need look only once more. */
static void wake_batch(struct tp_journal_batch *batch)
{
    while (tp_wait_list_wake_first(&batch->durable) != NULL)
        ;
}

/* ------------------------------------------------------------------ failing */

/* From here on nothing is taken or written any more. */
static void fail(struct tp_journal *j, int32_t error, int32_t result)
{
    tp_assert(error < 0 && j->phase != TP_JOURNAL_ENDED);
    if (j->phase == TP_JOURNAL_ENDING)
        return;
    j->phase = TP_JOURNAL_ENDING;
    /* To those who ask, -EAGAIN means something else. */
    j->failure = error == -EAGAIN ? -EIO : error;
    j->result = result;
    wake_batch(&j->batches[0]);
    wake_batch(&j->batches[1]);
    tp_wait_list_wake_all(&j->room);
    tp_wake(j->recovery.reader);
}

/* ------------------------------------------------------------------ opening */

static void start_recovery(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_journal_recovery *r = &j->recovery;

    acquire_bufs(cx, j);
    /* A file system whose blocks for direct I/O are larger than ours cannot do it. */
    j->direct =
        j->config.buffered == 0 && tp_io_block_size(tp_ctx_io(cx)) <= TP_JOURNAL_BLOCK;
    r->path = j->config.path;
    r->oldest = j->config.from_lsn == TP_JOURNAL_OLDEST;
    r->from_lsn = r->oldest ? 1 : j->config.from_lsn;
    r->segment_bytes = j->config.segment_bytes;
    r->group_bytes = j->config.group_bytes;
    r->direct = j->direct;
    r->read_only = j->config.read_only != 0;
    r->window_buf = *buf_of(&j->batches[0]);
    r->block = j->spare.block;
    r->list_buf = j->batches[1].plain;
    r->maker.zeros = j->spare.zeros;
    j->recovery_op = tp_journal_recovery_start(cx, r);
    j->phase = TP_JOURNAL_RECOVERING;
}

/* Takes over what the recovery has found and made: the new segment is durable, and says
 * where the log before it ends. */
static void begin(struct tp_journal *j)
{
    struct tp_journal_recovery *r = &j->recovery;

    j->dir = r->dir;
    j->fd = r->maker.fd;
    j->segment = r->maker.segment;
    j->direct = r->maker.direct;
    j->at = TP_JOURNAL_BLOCK;
    j->lsn = j->durable_lsn = j->flying_lsn = r->end.lsn;
    j->group = 0;
    j->marked = true;
    j->anchor = j->segment.number;
    j->trimmer.oldest = r->survey.lowest != 0 ? r->survey.lowest : j->segment.number;
    j->stats.segments_found = j->segment.number - j->trimmer.oldest;
    j->stats.segments = 1;
    j->phase = TP_JOURNAL_OPEN;
    tp_wait_list_wake_all(&j->room);
    tp_wake(r->reader);
}

static void take_recovery(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_result result;

    if (j->closing)
        tp_cancel(cx, j->recovery_op);
    if (!tp_take(cx, &j->recovery_op, &result))
        return;
    if (result.value == 0 && j->config.read_only != 0) {
        j->dir = j->recovery.dir;
        j->lsn = j->durable_lsn = j->recovery.end.lsn;
        fail(j, -EROFS, 0);
        return;
    }
    if (result.value == 0) {
        begin(j);
        return;
    }
    j->problem = j->recovery.problem;
    fail(j, result.value, result.value);
}

/* ------------------------------------------------------------------ space */

static uint64_t blocks_left(const struct tp_journal *j)
{
    return (j->segment.size_bytes - j->at) / TP_JOURNAL_BLOCK;
}

int32_t tp_journal_space(const struct tp_journal *journal, uint64_t blocks)
{
    uint64_t total = blocks + journal->reserved_blocks;

    if (total <= blocks_left(journal))
        return 0;
    if (journal->spare_ready &&
        total <= journal->config.segment_bytes / TP_JOURNAL_BLOCK - 1)
        return 0;
    return journal->spare_error != 0 ? journal->spare_error : -EAGAIN;
}

/* Goes on in the spare segment. No write is in flight, and none goes to the old one again.
 */
static void roll_over(struct tp_ctx *cx, struct tp_journal *j)
{
    tp_assert(j->spare_ready && !j->flying);
    tp_reached("the log goes on in its spare segment");
    tp_detach(cx, tp_close(cx, j->fd));
    j->fd = j->spare.fd;
    j->spare.fd = tp_fd_none();
    j->segment = j->spare.segment;
    j->at = TP_JOURNAL_BLOCK;
    j->spare_ready = false;
    j->holds_group = false;
    j->stats.segments++;
}

/* ------------------------------------------------------------------ groups */

/* Writes the batch as a group, on blocks that were never written to but with zeros. */
static void launch(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_journal_batch *batch = tp_journal_filling(j);
    struct tp_buf *buf = buf_of(batch);
    uint32_t padded = tp_journal_padded(batch->len);
    struct tp_journal_group group;

    tp_assert(!j->flying && j->durable_lsn == j->lsn - batch->count);
    if (padded > j->segment.size_bytes - j->at)
        roll_over(cx, j);
    group.log_id = j->segment.log_id;
    group.segment = j->segment.number;
    group.offset = j->at;
    group.group = ++j->group;
    group.first_lsn = j->durable_lsn + 1;
    group.durable_lsn = j->durable_lsn;
    group.wall_ns = (int64_t)tp_wall_ns(cx);
    group.count = batch->count;
    group.len = batch->len;
    tp_journal_group_encode(&group, buf->data);
    tp_journal_transfer_write(cx, &j->write, j->fd, buf, padded, j->at);
    j->at += padded;
    j->stats.groups++;
    j->stats.blocks += padded / TP_JOURNAL_BLOCK;
    j->marked = batch->count == 0;
    j->stats.marks += j->marked ? 1 : 0;
    j->mark_due = false;
    j->flying = true;
    j->flying_lsn = j->lsn;
    if (j->config.gather != 0)
        j->launched_ns = tp_now_ns(cx);
    j->filling ^= 1;
    tp_journal_filling(j)->len = TP_JOURNAL_GROUP_HEADER;
    tp_journal_filling(j)->count = 0;
    tp_journal_filling(j)->began_ns = 0;
    tp_wait_list_wake_all(&j->room);
}

/* A group is durable: its writers go on, and if each of them appends again, these records
 * are worth waiting for. Else every group would have half of the writers, while the other
 * half waits for it. */
static void begin_gathering(struct tp_ctx *cx, struct tp_journal *j)
{
    uint64_t now_ns = tp_now_ns(cx);

    j->gather_count = tp_journal_flying(j)->count + tp_journal_filling(j)->count;
    j->gather_ns = now_ns + (now_ns - j->launched_ns) / GATHER_PART;
}

/* Takes what the write came to. */
static void take_write(struct tp_ctx *cx, struct tp_journal *j)
{
    if (!j->flying || !tp_journal_transfer_done(cx, &j->write))
        return;
    j->flying = false;
    if (j->write.result < 0) {
        tp_reached("a write to the log has failed");
        fail(j, j->write.result, j->write.result);
        return;
    }
    j->durable_lsn = j->flying_lsn;
    j->anchor = j->segment.number;
    j->holds_group = true;
    j->active_ns = tp_now_ns(cx);
    if (j->config.gather != 0 && j->config.pace_ns == 0)
        begin_gathering(cx, j);
    wake_batch(tp_journal_flying(j));
}

/* Whether a group without records is to be written, for its mark: it tells a later recovery
 * that the last records were durable, and are not a torn tail if they have rotted. */
static bool wants_mark(const struct tp_journal *j)
{
    return !j->marked && (j->closing || j->mark_due) && tp_journal_space(j, 1) == 0;
}

/* Whether the records that are there are old enough to be written, if nobody waits for
 * them. Else a timer will tell. */
static bool is_old(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_journal_batch *batch = tp_journal_filling(j);
    uint64_t now_ns = tp_now_ns(cx);

    if (batch->began_ns == 0)
        batch->began_ns = now_ns;
    if (now_ns - batch->began_ns >= j->config.pace_ns)
        return true;
    if (!tp_op_is_some(j->pace_op))
        j->pace_op = tp_timer(cx, j->config.pace_ns - (now_ns - batch->began_ns));
    return false;
}

static bool is_gathering(struct tp_ctx *cx, struct tp_journal *j)
{
    uint64_t now_ns = tp_now_ns(cx);

    if (j->gather_ns <= now_ns || tp_journal_filling(j)->count >= j->gather_count ||
        j->closing || j->room.count > 0) {
        j->gather_ns = 0;
        return false;
    }
    /* A timer of an earlier, slower group may be later than this one's time. */
    if (tp_op_is_some(j->pace_op) && j->pace_due_ns <= j->gather_ns)
        return true;
    tp_abandon(cx, j->pace_op);
    j->pace_op = tp_timer(cx, j->gather_ns - now_ns);
    j->pace_due_ns = j->gather_ns;
    return true;
}

static void launch_next(struct tp_ctx *cx, struct tp_journal *j)
{
    bool due;

    if (j->flying)
        return;
    if (tp_journal_filling(j)->count > 0)
        due = j->gather_ns != 0 ? !is_gathering(cx, j)
                                : tp_journal_is_due(j) || is_old(cx, j);
    else
        due = wants_mark(j);
    if (due)
        launch(cx, j);
    else if (j->closing)
        fail(j, -ESHUTDOWN, 0);
}

/* ------------------------------------------------------------------ the mark's timer */

static bool is_idle(const struct tp_journal *j)
{
    return !j->flying && j->durable_lsn == j->lsn;
}

/* One timer runs while something is not marked; it looks how long that has been so. Not in
 * a cancelled machine, in which it would end at once, again and again, until the write that
 * is in flight has come home. */
static void time_mark(struct tp_ctx *cx, struct tp_journal *j)
{
    uint64_t idle_ns = j->config.idle_mark_ns;
    struct tp_result result;

    if (tp_take(cx, &j->mark_op, &result) && result.value == 0 && is_idle(j)) {
        uint64_t passed_ns = tp_now_ns(cx) - j->active_ns;

        j->mark_due = passed_ns >= idle_ns;
        idle_ns -= j->mark_due ? 0 : passed_ns;
    }
    if (j->phase == TP_JOURNAL_OPEN && idle_ns != TP_NEVER && !j->marked && !j->mark_due &&
        !j->closing && !tp_cancelled(cx) && !tp_op_is_some(j->mark_op))
        j->mark_op = tp_timer(cx, idle_ns);
}

/* ------------------------------------------------------------------ the spare segment */

/* Whether a later attempt may come to something else. */
static bool is_lack(int32_t error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EMFILE || error == -ENFILE ||
           error == -ENOMEM || error == -EINTR || error == -EAGAIN;
}

static void start_spare(struct tp_ctx *cx, struct tp_journal *j)
{
    static const struct tp_journal_end none;
    struct tp_journal_segment *segment = &j->spare.segment;

    *segment = j->segment;
    segment->number = j->segment.number + 1;
    segment->size_bytes = j->config.segment_bytes;
    segment->group_bytes = j->config.group_bytes;
    segment->starts_log = 0;
    segment->before = none;
    segment->wall_ns = (int64_t)tp_wall_ns(cx);
    j->spare.dir = j->dir;
    j->spare.direct = j->direct;
    j->spare_op = tp_journal_maker_start(cx, &j->spare);
}

static void take_spare(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_result result;

    if (!tp_take(cx, &j->spare_op, &result))
        return;
    j->spare_error = result.value;
    j->spare_ready = result.value == 0;
    if (!j->spare_ready) {
        j->stats.spares_failed++;
        j->spare_final = j->spare.final || !is_lack(result.value);
        if (j->spare_final && result.value == -EAGAIN)
            j->spare_error = -EIO; /* waiting would be in vain */
        tp_sometimes(j->spare_final, "no spare segment can be made any more");
        tp_sometimes(!j->spare_final, "a spare segment cannot be made now");
        if (!j->spare_final && j->phase == TP_JOURNAL_OPEN)
            j->retry_op = tp_timer(cx, j->config.retry_ns);
    }
    tp_wait_list_wake_all(&j->room);
}

/* Keeps one spare ready. It is begun when the current segment holds a durable group, so
 * that a segment that exists proves that the one before the one before it was used. */
static void keep_spare(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_result result;

    take_spare(cx, j);
    (void)tp_take(cx, &j->retry_op, &result);
    if (j->phase == TP_JOURNAL_OPEN && j->holds_group && !j->closing && !j->spare_ready &&
        !j->spare_final && !tp_op_is_some(j->spare_op) && !tp_op_is_some(j->retry_op))
        start_spare(cx, j);
}

/* ------------------------------------------------------------------ trimming */

static void start_trim(struct tp_ctx *cx, struct tp_journal *j)
{
    j->trimmer.dir = j->dir;
    j->trimmer.direct = j->direct;
    j->trimmer.keep_segment = j->anchor;
    j->trimmer.keep_lsn = j->keep_lsn;
    j->trim_op = tp_journal_trimmer_start(cx, &j->trimmer);
}

/* Runs again when there is more to keep out or more that may go, and makes up for what has
 * failed. Not for a removal that may not be durable: it fails where that was tried, so that
 * nothing behind it goes. */
static void trim(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_result result;

    if (tp_take(cx, &j->trim_op, &result)) {
        if (j->trimmer.removed > j->stats.segments_trimmed)
            tp_cancel(cx, j->retry_op); /* there is room for a spare now */
        tp_sometimes(result.value < 0, "the log cannot be trimmed");
        tp_sometimes(j->trimmer.removed > 0, "the log is trimmed");
        j->stats.segments_trimmed = j->trimmer.removed;
    }
    if (j->phase == TP_JOURNAL_OPEN && !j->closing && !tp_op_is_some(j->trim_op) &&
        j->keep_lsn > 0 && j->trimmer.oldest < j->anchor &&
        (j->keep_lsn > j->trimmer.keep_lsn || j->anchor > j->trimmer.keep_segment))
        start_trim(cx, j);
}

/* ------------------------------------------------------------------ the machine */

/* Ends when nothing is in flight any more. */
static enum tp_step wind_down(struct tp_machine *machine, struct tp_ctx *cx,
                              struct tp_journal *j)
{
    tp_cancel(cx, j->spare_op);
    tp_cancel(cx, j->trim_op);
    tp_cancel(cx, j->mark_op);
    tp_cancel(cx, j->pace_op);
    tp_cancel(cx, j->retry_op);
    if (tp_op_is_some(j->spare_op) || tp_op_is_some(j->trim_op) ||
        tp_op_is_some(j->mark_op) || tp_op_is_some(j->pace_op) ||
        tp_op_is_some(j->retry_op))
        return TP_WAIT;
    tp_assert(!j->flying && !tp_op_is_some(j->recovery_op));
    if (tp_fd_is_some(j->fd))
        tp_detach(cx, tp_close(cx, j->fd));
    if (tp_fd_is_some(j->spare.fd))
        tp_detach(cx, tp_close(cx, j->spare.fd));
    if (tp_fd_is_some(j->dir))
        tp_detach(cx, tp_close(cx, j->dir));
    j->fd = j->spare.fd = j->dir = tp_fd_none();
    release_bufs(cx, j);
    j->phase = TP_JOURNAL_ENDED;
    return tp_end(machine, j->result);
}

static void serve(struct tp_ctx *cx, struct tp_journal *j)
{
    struct tp_result result;

    take_write(cx, j);
    (void)tp_take(cx, &j->pace_op, &result);
    time_mark(cx, j);
    if (j->phase == TP_JOURNAL_OPEN && tp_cancelled(cx) && !j->flying)
        fail(j, -ECANCELED, -ECANCELED);
    keep_spare(cx, j);
    if (j->phase == TP_JOURNAL_OPEN)
        launch_next(cx, j);
    trim(cx, j);
}

enum tp_step tp_journal_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal *j = tp_container_of(machine, struct tp_journal, machine);

    switch (j->phase) {
    case TP_JOURNAL_CLOSED:
        start_recovery(cx, j);
        return TP_WAIT;
    case TP_JOURNAL_RECOVERING:
        take_recovery(cx, j);
        if (j->phase == TP_JOURNAL_OPEN)
            serve(cx, j);
        break;
    case TP_JOURNAL_OPEN:
    case TP_JOURNAL_ENDING:
        serve(cx, j);
        break;
    case TP_JOURNAL_ENDED:
        tp_unreachable();
    }
    return j->phase == TP_JOURNAL_ENDING ? wind_down(machine, cx, j) : TP_WAIT;
}
