#include "journal_window.h"

#include <errno.h>
#include <string.h>

void tp_journal_window_open(struct tp_journal_window *window, struct tp_fd fd,
                            const struct tp_buf *buf,
                            const struct tp_journal_segment *segment)
{
    tp_assert(segment->group_bytes <= buf->capacity);
    tp_assert(!tp_op_is_some(window->transfer.op));
    window->fd = fd;
    window->buf = *buf;
    window->segment = *segment;
    window->at = TP_JOURNAL_BLOCK;
    window->start = 0;
    window->len = 0;
    window->error = 0;
}

static bool holds(const struct tp_journal_window *w, uint32_t len_bytes)
{
    return w->at >= w->start && w->at + len_bytes <= w->start + w->len;
}

static void load(struct tp_ctx *cx, struct tp_journal_window *w)
{
    uint64_t left = w->segment.size_bytes - w->at;

    if (left > w->buf.capacity)
        left = w->buf.capacity;
    w->start = w->at;
    w->len = 0;
    tp_journal_transfer_read(cx, &w->transfer, w->fd, &w->buf,
                             (uint32_t)left & ~(TP_JOURNAL_BLOCK - 1), w->at);
}

/* Takes what a read came to. A segment has its whole size before it has its name, so its
 * end does not come early. */
static bool loaded(struct tp_journal_window *w)
{
    w->error = w->transfer.result;
    if (w->error >= 0)
        w->error = w->transfer.done == w->transfer.len ? 0 : -EBADMSG;
    w->len = w->error < 0 ? 0 : w->transfer.len;
    return w->error == 0;
}

enum tp_journal_sight tp_journal_window_look(struct tp_ctx *cx,
                                             struct tp_journal_window *window)
{
    struct tp_journal_window *w = window;
    struct tp_journal_place place = {w->segment.log_id, w->segment.number, w->at,
                                     w->segment.group_bytes};
    uint64_t left = w->segment.size_bytes - w->at;

    tp_assert(w->at < w->segment.size_bytes && w->at % TP_JOURNAL_BLOCK == 0);
    if (tp_op_is_some(w->transfer.op)) {
        if (!tp_journal_transfer_done(cx, &w->transfer))
            return TP_JOURNAL_BUSY;
        if (!loaded(w))
            return TP_JOURNAL_FAILED;
    }
    if (!holds(w, TP_JOURNAL_BLOCK)) {
        load(cx, w);
        return TP_JOURNAL_BUSY;
    }
    if (place.len_max > left)
        place.len_max = left;
    w->bytes = w->buf.data + (w->at - w->start);
    if (!tp_journal_group_peek(w->bytes, &place, &w->group))
        return TP_JOURNAL_NOTHING;
    if (!holds(w, tp_journal_padded(w->group.len))) {
        load(cx, w);
        return TP_JOURNAL_BUSY;
    }
    return tp_journal_group_check(w->bytes, &w->group) ? TP_JOURNAL_GROUP
                                                       : TP_JOURNAL_NOTHING;
}

bool tp_journal_window_blank(const struct tp_journal_window *window)
{
    const uint8_t *block = window->buf.data + (window->at - window->start);

    tp_assert(holds(window, TP_JOURNAL_BLOCK));
    /* All bytes are equal if each equals its neighbour. */
    return block[0] == 0 && memcmp(block, block + 1, TP_JOURNAL_BLOCK - 1) == 0;
}
