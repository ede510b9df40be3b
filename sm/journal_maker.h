/** sm/journal_maker.h - makes a segment: a file of zeros with a header, durable, and named.
 *
 * Under a temporary name, in a new file: zeros written over the whole size (blocks that are
 * only reserved would cost a journal commit at every write), the header, fsync, rename,
 * fsync of the directory. So a segment that has its name is whole, whatever happens. Then
 * it is opened for direct, durable writes; where the file system has no direct I/O, for
 * durable ones.
 *
 * Ends with 0 and `fd`, or an error. What had failed can be tried again from the start,
 * with new data in a new file, unless `final` is set: a directory whose sync has failed is
 * not to be believed when it later succeeds.
 */
#ifndef TEMPEST_SM_JOURNAL_MAKER_H
#define TEMPEST_SM_JOURNAL_MAKER_H

#include "journal_format.h"
#include "journal_transfer.h"

struct tp_journal_maker {
    struct tp_machine machine;
    struct tp_fd dir;                  /* in: the open directory */
    struct tp_journal_segment segment; /* in: what to make */
    struct tp_buf block;               /* in: one aligned block, overwritten */
    struct tp_buf zeros;               /* in: aligned and zero; stays so */
    bool direct;                       /* in: try direct I/O; out: whether it is used */
    bool final;                        /* out: do not try again */
    struct tp_fd fd;                   /* out: open for writing, while the result is 0 */
    int32_t error;
    int32_t left; /* why what a dead process has left could not be removed; or 0 */
    uint32_t stalls;
    uint64_t at;
    struct tp_journal_transfer transfer;
    char name[TP_JOURNAL_NAME_SIZE];
};

/** Starts it; the in fields are set, the rest is zero or left by an earlier run. */
struct tp_op tp_journal_maker_start(struct tp_ctx *cx, struct tp_journal_maker *maker);

#endif
