/** io/buf_pool.h - the registered buffers of an Io: who holds which. */
#ifndef TEMPEST_IO_BUF_POOL_H
#define TEMPEST_IO_BUF_POOL_H

#include "buf.h"

struct tp_pooled {
    struct tp_buf buf; /* first: what acquire gives out */
    const char *file;  /* of the acquisition; NULL while free */
    uint32_t line;
    uint32_t next_free; /* 1 + index; 0 ends the list */
};

struct tp_buf_pool {
    uint8_t *memory;
    uint32_t count, size_bytes;
    uint32_t first_free; /* 1 + index; 0: none */
    uint32_t taken;
    struct tp_pooled items[];
};

/** NULL when there is no memory. */
struct tp_buf_pool *tp_buf_pool_create(void *memory, uint32_t count, uint32_t size_bytes,
                                       const struct tp_allocator *allocator);
void tp_buf_pool_destroy(struct tp_buf_pool *pool, const struct tp_allocator *allocator);

/** NULL when all are taken. */
struct tp_buf *tp_buf_pool_acquire(struct tp_buf_pool *pool, const char *file, int line);

/** Stops the program, naming file:line, when `buf` is not one that was acquired here. */
void tp_buf_pool_release(struct tp_buf_pool *pool, struct tp_buf *buf, const char *file,
                         int line);

#endif
