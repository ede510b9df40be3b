/** sm/journal_window.h - looks at a segment group by group, through one buffer.
 *
 *     TP_AWAIT_UNTIL(cx, (m->sight = tp_journal_window_look(cx, &m->window)) !=
 * TP_JOURNAL_BUSY);
 *
 * The buffer holds a stretch of the segment and is loaded again when what is looked at lies
 * outside of it. It is at least as long as any group of the segment.
 */
#ifndef TEMPEST_SM_JOURNAL_WINDOW_H
#define TEMPEST_SM_JOURNAL_WINDOW_H

#include "journal_format.h"
#include "journal_transfer.h"

enum tp_journal_sight {
    TP_JOURNAL_BUSY,    /* being read: ask again when woken */
    TP_JOURNAL_GROUP,   /* a sound group is at `at`: `group` and `bytes` */
    TP_JOURNAL_NOTHING, /* none is */
    TP_JOURNAL_FAILED,  /* the segment cannot be read there: `error` */
};

struct tp_journal_window {
    struct tp_fd fd;
    struct tp_buf buf;
    struct tp_journal_segment segment;
    uint64_t at;    /* where to look; set it at will while nothing is being read */
    uint64_t start; /* of the stretch in the buffer */
    uint32_t len;   /* of the stretch, bytes */
    int32_t error;
    const uint8_t *bytes; /* of the group */
    struct tp_journal_group group;
    struct tp_journal_transfer transfer;
};

/** Begins to look at an open segment, at its first group. */
void tp_journal_window_open(struct tp_journal_window *window, struct tp_fd fd,
                            const struct tp_buf *buf,
                            const struct tp_journal_segment *segment);

/** Looks at `at`, which lies inside the segment. */
enum tp_journal_sight tp_journal_window_look(struct tp_ctx *cx,
                                             struct tp_journal_window *window);

/** Whether the block at `at`, where nothing was seen, was never written to. */
bool tp_journal_window_blank(const struct tp_journal_window *window);

#endif
