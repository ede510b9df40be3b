#include "journal_recovery.h"

#include <errno.h>

#include "io/mark.h"
#include "runtime/await.h"

static int32_t refuse(struct tp_journal_recovery *r, int32_t error, uint64_t segment,
                      uint64_t offset, const char *what)
{
    tp_assert(error < 0);
    r->problem.error = error;
    r->problem.segment = segment;
    r->problem.offset = offset;
    r->problem.what = what;
    return error;
}

static int32_t corrupt(struct tp_journal_recovery *r, struct tp_journal_halt at)
{
    return refuse(r, -EBADMSG, at.segment, at.offset,
                  "a record that was durable is missing or corrupt");
}

/* Where the missing group would be, when a group of segment `evidence` proves that there
 * was one (0: the existence of a segment proves it). */
static struct tp_journal_halt missing_place(const struct tp_journal_recovery *r,
                                            uint64_t evidence)
{
    if (r->halt_after.segment == 0 || r->halt_after.later || !r->halt.blank ||
        evidence == r->halt.segment)
        return r->halt;
    return r->halt_after;
}

/* Takes what the opening of a segment came to. */
static int32_t opened(struct tp_journal_recovery *r, const struct tp_journal_source *source,
                      int32_t value)
{
    if (value < 0) {
        r->problem = source->problem;
        return value;
    }
    if (source->segment.group_bytes > r->window_buf.capacity)
        return refuse(r, -EFBIG, source->number, 0,
                      "a segment has larger groups than this program is set up for");
    return 0;
}

/* ------------------------------------------------------------------ the player */

/* The log that a segment begins. What comes after a log goes on counting its records. */
static void begin_log(struct tp_journal_recovery *r,
                      const struct tp_journal_segment *segment)
{
    r->begun = segment->starts_log != 0;
    r->chain.log_id = segment->log_id;
    r->chain.group = 0;
    r->chain.lsn = r->begun ? segment->before.lsn : 0;
    if (r->begun)
        r->end = segment->before;
}

/* Whether the sound group in the window is the one that is due. The very first one, of a
 * log whose beginning was trimmed away, is due whatever its numbers. */
static bool is_due(const struct tp_journal_recovery *r)
{
    const struct tp_journal_group *group = &r->window.group;

    return !r->begun ||
           (group->group == r->chain.group + 1 && group->first_lsn == r->chain.lsn + 1);
}

static void adopt(struct tp_journal_recovery *r)
{
    const struct tp_journal_group *group = &r->window.group;

    r->begun = true;
    r->adopted++;
    r->chain.group = group->group;
    r->chain.lsn = group->first_lsn + group->count - 1;
    r->cursor = tp_journal_cursor_of(r->window.bytes, group);
    r->lent = group->count > 0 && r->chain.lsn >= r->from_lsn;
    if (!r->lent)
        r->cursor.left = 0;
    r->window.at += tp_journal_padded(group->len);
    r->end = r->chain;
    r->end.segment = group->segment;
    r->end.offset = r->window.at;
}

/* How far the groups of the current segment go at most: to where the next log says that
 * this one ended, for what was written behind that was discarded. */
static uint64_t stop_of(const struct tp_journal_recovery *r)
{
    if (r->has_next && r->next.segment.starts_log != 0 &&
        r->next.segment.before.offset < r->current.segment.size_bytes)
        return r->next.segment.before.offset;
    return r->current.segment.size_bytes;
}

/* Notes where the groups stopped. A segment without any is behind the place where the ones
 * before it stopped, if there is one in the same log. */
static void note_halt(struct tp_journal_recovery *r, bool at_stop)
{
    static const struct tp_journal_halt none;
    struct tp_journal_halt halt = {r->current.segment.number, r->window.at, at_stop, false};

    tp_sometimes(at_stop && r->has_next && r->next.segment.starts_log != 0,
                 "a log ends where the one behind it says");
    if (!at_stop) {
        halt.blank = tp_journal_window_blank(&r->window);
        halt.later = r->sight == TP_JOURNAL_GROUP;
    }
    if (r->adopted == 0 && r->current.segment.starts_log == 0 && r->halt.segment != 0) {
        r->halt_after = halt;
        return;
    }
    r->halt = halt;
    r->halt_after = none;
}

/* Plays the groups of the current segment to the reader, one by one. */
static enum tp_step player_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_recovery *r =
        tp_container_of(machine, struct tp_journal_recovery, player);

    TP_BEGIN(cx);
    r->adopted = 0;
    tp_journal_window_open(&r->window, r->current.fd, &r->window_buf, &r->current.segment);
    while (r->window.at < stop_of(r)) {
        TP_AWAIT_UNTIL(cx, (r->sight = tp_journal_window_look(cx, &r->window)) !=
                               TP_JOURNAL_BUSY);
        if (r->sight == TP_JOURNAL_FAILED)
            return tp_end(machine, refuse(r, r->window.error, r->current.number,
                                          r->window.at, "a segment cannot be read"));
        if (r->sight == TP_JOURNAL_NOTHING || !is_due(r))
            break;
        if (!r->begun && !r->oldest && r->window.group.first_lsn > r->from_lsn)
            return tp_end(machine, refuse(r, -ENODATA, r->current.number, r->window.at,
                                          "the first record asked for is missing"));
        adopt(r);
        if (r->lent)
            tp_wake(r->reader);
        TP_AWAIT_UNTIL(cx, !r->lent || tp_cancelled(cx));
        if (r->lent)
            return tp_end(machine, -ECANCELED);
    }
    note_halt(r, r->window.at >= stop_of(r));
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the sweeper */

static struct tp_journal_halt sweep_place(const struct tp_journal_recovery *r)
{
    return r->sweep == 0 ? r->halt : r->halt_after;
}

/* Steps over what is at the window. True if it proves that something before it is missing:
 * a group of this log that was written when more than what was found was durable. */
static bool sweep_proves(struct tp_journal_recovery *r)
{
    if (r->sight == TP_JOURNAL_NOTHING) {
        r->window.at += TP_JOURNAL_BLOCK;
        return false;
    }
    r->window.at += tp_journal_padded(r->window.group.len);
    return r->proved || r->window.group.durable_lsn > r->chain.lsn;
}

/* Opens where the groups stopped, and the segment behind; looks for groups that prove that
 * the log went on; and makes what was found durable, which so far is only known of what a
 * mark covers: it may have been read from a cache. */
static enum tp_step sweeper_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_recovery *r =
        tp_container_of(machine, struct tp_journal_recovery, worker);
    struct tp_result result;

    TP_BEGIN(cx);
    for (r->sweep = 0; r->sweep < 2 && sweep_place(r).segment != 0; r->sweep++) {
        r->current.number = sweep_place(r).segment;
        TP_AWAIT(cx, tp_journal_source_start(cx, &r->current), &result);
        result.value = opened(r, &r->current, result.value);
        if (result.value < 0)
            return tp_end(machine, result.value);
        tp_journal_window_open(&r->window, r->current.fd, &r->window_buf,
                               &r->current.segment);
        r->window.at = sweep_place(r).offset;
        while (r->window.at < r->current.segment.size_bytes) {
            TP_AWAIT_UNTIL(cx, (r->sight = tp_journal_window_look(cx, &r->window)) !=
                                   TP_JOURNAL_BUSY);
            if (r->sight == TP_JOURNAL_FAILED)
                return tp_end(machine, refuse(r, r->window.error, r->current.number,
                                              r->window.at, "a segment cannot be read"));
            if (sweep_proves(r))
                return tp_end(machine, corrupt(r, missing_place(r, r->current.number)));
        }
        if (!r->read_only) {
            TP_AWAIT(cx, tp_fsync(cx, r->current.fd, 0), &result);
            tp_sometimes(result.value < 0, "what was recovered cannot be made durable");
            if (result.value < 0)
                return tp_end(machine, refuse(r, result.value, r->current.number, 0,
                                              "a segment cannot be made durable"));
        }
        tp_journal_source_close(cx, &r->current);
    }
    if (r->proved)
        return tp_end(machine, corrupt(r, missing_place(r, 0)));
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the recovery */

static bool same_end(const struct tp_journal_end *a, const struct tp_journal_end *b)
{
    return a->log_id == b->log_id && a->segment == b->segment && a->offset == b->offset &&
           a->group == b->group && a->lsn == b->lsn;
}

/* What the segment behind the current one says about it. */
static int32_t judge(struct tp_journal_recovery *r)
{
    if (!r->begun)
        return corrupt(r, r->halt);
    if (!r->has_next)
        return 0;
    if (r->next.segment.starts_log != 0) {
        r->proved = !same_end(&r->next.segment.before, &r->end);
    } else {
        if (r->next.segment.log_id != r->chain.log_id)
            return refuse(r, -EBADMSG, r->next.number, 0, "a segment of another log");
        r->proved = r->adopted == 0;
    }
    return 0;
}

/* Goes on to the segment behind, which is open already. */
static void advance(struct tp_ctx *cx, struct tp_journal_recovery *r)
{
    tp_journal_source_close(cx, &r->current);
    r->current.number = r->next.number;
    r->current.segment = r->next.segment;
    r->current.fd = r->next.fd;
    r->next.fd = tp_fd_none();
    r->has_next = false;
    if (r->current.segment.starts_log != 0)
        begin_log(r, &r->current.segment);
}

static struct tp_op open_next(struct tp_ctx *cx, struct tp_journal_recovery *r)
{
    r->next.number = r->current.number + 1;
    r->next.dir = r->dir;
    r->next.block = r->block;
    r->next.direct = r->current.direct;
    return tp_journal_source_start(cx, &r->next);
}

static struct tp_op open_first(struct tp_ctx *cx, struct tp_journal_recovery *r)
{
    r->current.number = r->survey.lowest;
    r->current.dir = r->dir;
    r->current.block = r->block;
    r->current.direct = r->direct;
    return tp_journal_source_start(cx, &r->current);
}

/* Whether the first segment can be read at all with what this program is set up for. */
static int32_t check_first(struct tp_journal_recovery *r)
{
    begin_log(r, &r->current.segment);
    if (r->begun && !r->oldest && r->chain.lsn >= r->from_lsn)
        return refuse(r, -ENODATA, r->current.number, 0,
                      "the first record asked for is missing");
    return 0;
}

/* Plays all segments in order, and judges each by the one behind it. */
static enum tp_step replay_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_recovery *r =
        tp_container_of(machine, struct tp_journal_recovery, worker);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, open_first(cx, r), &result);
    result.value = opened(r, &r->current, result.value);
    if (result.value < 0 || (result.value = check_first(r)) < 0)
        return tp_end(machine, result.value);
    for (;;) {
        if (r->current.number < r->survey.highest) {
            TP_AWAIT(cx, open_next(cx, r), &result);
            result.value = opened(r, &r->next, result.value);
            if (result.value < 0)
                return tp_end(machine, result.value);
            r->has_next = true;
        }
        TP_AWAIT(cx, (tp_start)(cx, &r->player, player_tick, "journal-player"), &result);
        if (result.value < 0 || (result.value = judge(r)) < 0)
            return tp_end(machine, result.value);
        if (!r->has_next || r->proved)
            break;
        advance(cx, r);
    }
    tp_journal_source_close(cx, &r->current);
    tp_journal_source_close(cx, &r->next);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* What was found is what there is. The segment after it begins a new log; one of that
 * number that is there already holds no group, and is replaced. */
static struct tp_op make_segment(struct tp_ctx *cx, struct tp_journal_recovery *r)
{
    struct tp_journal_segment *segment = &r->maker.segment;

    tp_assert(r->end.segment + 1 >= r->survey.highest);
    tp_sometimes(r->end.segment + 1 == r->survey.highest,
                 "a segment without a group is replaced");
    segment->log_id = tp_journal_next_id(&r->end, tp_random(cx));
    segment->number = r->end.segment + 1;
    segment->size_bytes = r->segment_bytes;
    segment->group_bytes = r->group_bytes;
    segment->starts_log = 1;
    segment->before = r->end;
    segment->wall_ns = (int64_t)tp_wall_ns(cx);
    r->maker.dir = r->dir;
    r->maker.block = r->block;
    r->maker.direct = r->direct;
    return tp_journal_maker_start(cx, &r->maker);
}

static struct tp_op open_directory(struct tp_ctx *cx, const struct tp_journal_recovery *r)
{
    struct tp_open_options options = {.read = true};

    return tp_open(cx, r->path, options);
}

static struct tp_op survey(struct tp_ctx *cx, struct tp_journal_recovery *r)
{
    r->survey.dir = r->dir;
    r->survey.buf = r->list_buf;
    return tp_journal_survey_start(cx, &r->survey);
}

/* Where something was discarded that is not simply unused. */
static struct tp_journal_halt torn_place(const struct tp_journal_recovery *r)
{
    static const struct tp_journal_halt none;

    if (!r->halt.blank)
        return r->halt;
    return r->halt_after.blank ? none : r->halt_after;
}

/* Ends with `error`, and says where it came from if nothing has done so yet. */
static enum tp_step give_up(struct tp_ctx *cx, struct tp_journal_recovery *r, int32_t error,
                            const char *what)
{
    tp_reached("a recovery of the log gives up");
    if (r->problem.error == 0)
        (void)refuse(r, error, 0, 0, what);
    tp_journal_source_close(cx, &r->current);
    tp_journal_source_close(cx, &r->next);
    if (tp_fd_is_some(r->dir))
        tp_detach(cx, tp_close(cx, r->dir));
    r->dir = tp_fd_none();
    return tp_end(&r->machine, error);
}

static enum tp_step recovery_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_recovery *r =
        tp_container_of(machine, struct tp_journal_recovery, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        TP_AWAIT(cx, open_directory(cx, r), &result);
    } while (tp_journal_interrupted(&r->stalls, result.value));
    if (result.value < 0)
        return give_up(cx, r, result.value, "the directory cannot be opened");
    r->dir = tp_into_fd(cx, result);
    TP_AWAIT(cx, survey(cx, r), &result);
    if (result.value < 0)
        return give_up(cx, r, result.value, "the directory cannot be listed");
    if (r->survey.highest > 0) {
        TP_AWAIT(cx, (tp_start)(cx, &r->worker, replay_tick, "journal-replay"), &result);
        if (result.value < 0)
            return give_up(cx, r, result.value, "stopped");
        TP_AWAIT(cx, (tp_start)(cx, &r->worker, sweeper_tick, "journal-sweeper"), &result);
        if (result.value < 0)
            return give_up(cx, r, result.value, "stopped");
        r->torn = torn_place(r);
    }
    if (r->from_lsn > r->end.lsn + 1)
        return give_up(cx, r, -ENODATA, "the log ends before the first record asked for");
    if (r->read_only)
        return tp_end(machine, 0);
    TP_AWAIT(cx, make_segment(cx, r), &result);
    if (result.value < 0)
        return give_up(cx, r, result.value, "no new segment can be made");
    return tp_end(machine, 0);
    TP_END(cx);
}

struct tp_op tp_journal_recovery_start(struct tp_ctx *cx,
                                       struct tp_journal_recovery *recovery)
{
    tp_assert(recovery->reader != NULL && recovery->from_lsn > 0);
    tp_assert(recovery->window_buf.capacity >= recovery->group_bytes);
    return (tp_start)(cx, &recovery->machine, recovery_tick, "journal-recovery");
}

bool tp_journal_recovery_next(struct tp_journal_recovery *recovery,
                              struct tp_journal_record *ret_record)
{
    while (tp_journal_cursor_next(&recovery->cursor, ret_record)) {
        if (ret_record->lsn >= recovery->from_lsn)
            return true;
    }
    if (recovery->lent && tp_machine_alive(&recovery->player)) {
        recovery->lent = false;
        tp_wake(&recovery->player);
    }
    return false;
}
