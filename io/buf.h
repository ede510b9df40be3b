/** io/buf.h - a buffer that operations borrow.
 *
 * The memory belongs to whoever made the buffer. From submission until the completion is
 * claimed it is on loan (law 2): a read may write anywhere in [data, data + capacity), a
 * write reads [data, data + len). The struct itself must stay where it is for as long,
 * since the claim sets its `len`. Registered buffers come from tp_io_acquire_buf(); they
 * are aligned for direct I/O and known to the kernel. A part of a buffer, registered or
 * not, is a buffer too.
 */
#ifndef TEMPEST_IO_BUF_H
#define TEMPEST_IO_BUF_H

#include "base.h"

struct tp_buf {
    uint8_t *data;
    uint32_t
        len; /* bytes that hold something: set by you before a write, by a read's claim */
    uint32_t capacity; /* bytes there are */
    uint32_t
        registered; /* 1 + index among the backend's registered buffers; 0: plain memory */
    uint32_t reserved;
};

/** A buffer over plain memory with nothing in it yet (to read into). */
static inline struct tp_buf tp_buf_empty(void *memory, uint32_t capacity_bytes)
{
    struct tp_buf buf = {(uint8_t *)memory, 0, capacity_bytes, 0, 0};
    return buf;
}

/** A buffer over plain memory that is full (to write from). The bytes are only read. */
static inline struct tp_buf tp_buf_full(const void *memory, uint32_t len_bytes)
{
    struct tp_buf buf = {(uint8_t *)(uintptr_t)memory, len_bytes, len_bytes, 0, 0};
    return buf;
}

/** The part of `buf` from `offset` to the end of its capacity; `len` is what of it is
 * filled. */
static inline struct tp_buf tp_buf_from(const struct tp_buf *buf, uint32_t offset_bytes)
{
    struct tp_buf part = *buf;
    tp_assert(offset_bytes <= buf->capacity);
    part.data += offset_bytes;
    part.capacity -= offset_bytes;
    part.len = buf->len > offset_bytes ? buf->len - offset_bytes : 0;
    return part;
}

#endif
