/** sm/journal_transfer.h - moves whole blocks between a file and memory, short counts and
 * all.
 *
 *     tp_journal_transfer_write(cx, &t, fd, &buf, len, offset);
 *     TP_AWAIT_UNTIL(cx, tp_journal_transfer_done(cx, &t));
 *     if (t.result < 0) ...
 *
 * A short count goes on from the aligned offset below it, as direct I/O needs. Calls that
 * were interrupted are made again, a bounded number of times; any other error is the result
 * at once, since a block must never be written again after one.
 */
#ifndef TEMPEST_SM_JOURNAL_TRANSFER_H
#define TEMPEST_SM_JOURNAL_TRANSFER_H

#include "../runtime/operations.h"

/** Lives in the machine that awaits it: the part being moved is on loan. */
struct tp_journal_transfer {
    struct tp_buf whole; /* what it was started with */
    struct tp_buf part;  /* what of it is being moved */
    struct tp_fd fd;
    struct tp_op op;
    uint64_t offset; /* in the file, of the first byte of `whole` */
    uint32_t len;    /* bytes to move, a multiple of the block */
    uint32_t done;   /* bytes moved, a multiple of the block */
    uint32_t stalls; /* attempts in a row that moved no block */
    int32_t result;  /* bytes moved (a read: fewer at the end of the file), or -errno */
    bool writing;
};

/** Starts to fill `buf` with `len_bytes` from `offset` on. */
void tp_journal_transfer_read(struct tp_ctx *cx, struct tp_journal_transfer *transfer,
                              struct tp_fd fd, const struct tp_buf *buf, uint32_t len_bytes,
                              uint64_t offset);

/** Starts to write the first `len_bytes` of `buf`. */
void tp_journal_transfer_write(struct tp_ctx *cx, struct tp_journal_transfer *transfer,
                               struct tp_fd fd, const struct tp_buf *buf,
                               uint32_t len_bytes, uint64_t offset);

/** Whether an operation that came to `value` was interrupted and is to be made again.
 * `stalls` counts, from 0 on, how often that has been so: nothing is made again for ever.
 */
bool tp_journal_interrupted(uint32_t *stalls, int32_t value);

/** Whether it has ended, with `result`; goes on with what is left if not. */
bool tp_journal_transfer_done(struct tp_ctx *cx, struct tp_journal_transfer *transfer);

#endif
