/** sm/write_all.h - writes all of a buffer, however short the single writes come out.
 *
 *     TP_AWAIT(cx, tp_write_all_start(cx, &m->write, fd, &m->block, offset, 0), &result);
 *
 * After a short write it goes on behind what is written; on a file that is open for direct
 * I/O from the aligned offset below, writing up to align - 1 bytes again. Writes that bring
 * nothing forward, 16 in a row, end with -EIO. After an error `done` bytes are written, and
 * nothing is known of those behind them.
 *
 * Durable when: on a file opened with dsync, when it completes with a count. Otherwise
 * after an fsync that was submitted later.
 */
#ifndef TEMPEST_SM_WRITE_ALL_H
#define TEMPEST_SM_WRITE_ALL_H

#include "../runtime/operations.h"

/** Read `done` at any time; the rest is internal. */
struct tp_write_all {
    struct tp_machine machine;
    uint32_t done; /* bytes from the start of the buffer that are written */
    uint32_t align;
    uint32_t stalls;
    uint32_t reserved;
    struct tp_fd fd;
    const struct tp_buf *buf;
    struct tp_buf part;
    uint64_t offset;
};

TP_BEGIN_DECLS

/** Starts it as a child: buf->len bytes (at most INT32_MAX) go to `offset`. `buf` and its
 * bytes are lent until the end. `align`: of direct I/O on `fd`, a power of two that
 * buf->data, buf->len and `offset` are multiples of; 0 when it is not direct. Completes
 * with buf->len, or the error of a write (-ENOSPC, -EIO, ...). */
TP_EXPORT struct tp_op tp_write_all_start(struct tp_ctx *cx, struct tp_write_all *write,
                                          struct tp_fd fd, const struct tp_buf *buf,
                                          uint64_t offset, uint32_t align);

TP_END_DECLS

#define tp_write_all_start(cx, ...) tp_write_all_start(TP_HERE(cx), __VA_ARGS__)

#endif
