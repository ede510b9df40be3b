/** sm/read_file.h - reads a whole file into memory of the caller's.
 *
 *     m->text = tp_buf_empty(m->bytes, sizeof m->bytes);
 *     TP_AWAIT(cx, tp_read_file_start(cx, &m->read, tp_place_path(path), &m->text),
 * &result);
 *
 * The buffer is the bound: a file that does not fit ends with -EFBIG, and the buffer then
 * holds its beginning. Short reads are gone on with until the file ends; one that grows or
 * shrinks meanwhile is read to the end that is found, which may mix old and new bytes as
 * read(2) does.
 *
 * A fd as place is read from offset 0, must not be direct, and stays open. The buffer is
 * lent to the machine until it has ended.
 */
#ifndef TEMPEST_SM_READ_FILE_H
#define TEMPEST_SM_READ_FILE_H

#include "place.h"

/** Everything is internal. */
struct tp_read_file {
    struct tp_machine machine;
    struct tp_place place;
    struct tp_fd fd;
    struct tp_buf *buf;
    struct tp_buf part;
    int32_t value;
    uint8_t beyond; /* what one byte past the bound is read into */
    uint8_t reserved[3];
};

TP_BEGIN_DECLS

/** Starts it as a child. Completes with the bytes read, which are also in buf->len; -EFBIG;
 * or with the error of open or read (-EISDIR: a directory). buf->capacity is at most
 * INT32_MAX. */
TP_EXPORT struct tp_op tp_read_file_start(struct tp_ctx *cx, struct tp_read_file *read,
                                          struct tp_place place, struct tp_buf *buf);

TP_END_DECLS

#define tp_read_file_start(cx, ...) tp_read_file_start(TP_HERE(cx), __VA_ARGS__)

#endif
