/** io/recv_pool.h - the receive buffers of an Io: who has which.
 *
 * recv_many brings what came in one of these. A buffer is with the world (to be written),
 * then with the user (in a completion, then claimed), who gives it back; then it waits in
 * `returned` until the backend hands it to the world again with its next poll. Under
 * AddressSanitizer its memory is poisoned while it is not with the user.
 */
#ifndef TEMPEST_IO_RECV_POOL_H
#define TEMPEST_IO_RECV_POOL_H

#include "io.h" /* what backends do with the pool is declared there */

enum tp_recv_state { TP_RECV_WORLD, TP_RECV_USER, TP_RECV_RETURNED };

struct tp_recv_buf {
    struct tp_buf buf; /* first: what the user sees; its data and capacity are restored */
    void *holder;      /* the runtime's: the machine that has it; or NULL */
    const char *file;  /* of the recv_many that brought it, when the runtime knows it */
    uint32_t line;
    uint32_t state; /* enum tp_recv_state */
};

struct tp_recv_pool {
    uint8_t *memory;
    uint32_t count, size_bytes;
    uint32_t with_user;
    uint32_t returned_count;
    uint32_t *returned; /* a stack of indices: what is warm in the cache goes first */
    struct tp_recv_buf items[];
};

/** `count` buffers of `size_bytes` each, back to back from `memory`, all of them in
 * `returned`: not yet with the world. NULL when there is no memory. */
struct tp_recv_pool *tp_recv_pool_create(void *memory, uint32_t count, uint32_t size_bytes,
                                         const struct tp_allocator *allocator);
void tp_recv_pool_destroy(struct tp_recv_pool *pool, const struct tp_allocator *allocator);

/** The world has put `len` bytes into a buffer: it is the user's. */
void tp_recv_pool_deliver(struct tp_recv_pool *pool, uint32_t index, uint32_t len_bytes);

/** What is known of a buffer that the user has. Stops the program, naming file:line, when
 * it is not one (NULL: there is no pool). */
struct tp_recv_buf *tp_recv_pool_find(struct tp_recv_pool *pool, const struct tp_buf *buf,
                                      const char *file, int line);

/** The user has no more use for a buffer. Stops as tp_recv_pool_find() does. */
void tp_recv_pool_give_back(struct tp_recv_pool *pool, struct tp_buf *buf, const char *file,
                            int line);

#endif
