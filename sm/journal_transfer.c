#include "journal_transfer.h"

#include <errno.h>

#include "io/mark.h"
#include "sm/journal_format.h"

enum { STALLS_MAX = 16 };

static void submit(struct tp_ctx *cx, struct tp_journal_transfer *t)
{
    t->part = tp_buf_from(&t->whole, t->done);
    t->part.capacity = t->len - t->done;
    if (t->writing) {
        t->part.len = t->part.capacity;
        t->op = tp_write_at(cx, t->fd, &t->part, t->offset + t->done);
    } else {
        t->part.len = 0;
        t->op = tp_read_at(cx, t->fd, &t->part, t->offset + t->done);
    }
}

static void start(struct tp_ctx *cx, struct tp_journal_transfer *t, struct tp_fd fd,
                  const struct tp_buf *buf, uint32_t len_bytes, uint64_t offset)
{
    tp_assert(!tp_op_is_some(t->op));
    tp_assert(len_bytes > 0 && len_bytes <= buf->capacity &&
              len_bytes % TP_JOURNAL_BLOCK == 0 && offset % TP_JOURNAL_BLOCK == 0);
    t->whole = *buf;
    t->fd = fd;
    t->offset = offset;
    t->len = len_bytes;
    t->done = 0;
    t->stalls = 0;
    t->result = 0;
    submit(cx, t);
}

void tp_journal_transfer_read(struct tp_ctx *cx, struct tp_journal_transfer *transfer,
                              struct tp_fd fd, const struct tp_buf *buf, uint32_t len_bytes,
                              uint64_t offset)
{
    transfer->writing = false;
    start(cx, transfer, fd, buf, len_bytes, offset);
}

void tp_journal_transfer_write(struct tp_ctx *cx, struct tp_journal_transfer *transfer,
                               struct tp_fd fd, const struct tp_buf *buf,
                               uint32_t len_bytes, uint64_t offset)
{
    transfer->writing = true;
    start(cx, transfer, fd, buf, len_bytes, offset);
}

bool tp_journal_interrupted(uint32_t *stalls, int32_t value)
{
    if (value != -EINTR || *stalls == STALLS_MAX)
        return false;
    tp_reached("an interrupted operation of the log is made again");
    ++*stalls;
    return true;
}

/* Notes what one operation came to; true when there is nothing more to do. */
static bool note(struct tp_journal_transfer *t, int32_t value)
{
    uint32_t before = t->done;

    if (value < 0 && value != -EINTR && value != -EAGAIN) {
        t->result = value;
        return true;
    }
    if (value > 0) {
        tp_assert((uint32_t)value <= t->len - t->done);
        t->done = (t->done + (uint32_t)value) & ~(TP_JOURNAL_BLOCK - 1);
    }
    t->result = (int32_t)t->done;
    if (t->done == t->len || (value == 0 && !t->writing))
        return true;
    tp_sometimes(t->writing && value > 0, "a short write to the log goes on");
    tp_sometimes(!t->writing && value > 0, "a short read of the log goes on");
    t->stalls = t->done == before ? t->stalls + 1 : 0;
    if (t->stalls < STALLS_MAX)
        return false;
    if (t->writing || value < 0)
        t->result = value < 0 ? value : -EIO;
    return true;
}

bool tp_journal_transfer_done(struct tp_ctx *cx, struct tp_journal_transfer *transfer)
{
    struct tp_result result;

    if (!tp_take(cx, &transfer->op, &result))
        return false;
    if (note(transfer, result.value))
        return true;
    submit(cx, transfer);
    return false;
}
