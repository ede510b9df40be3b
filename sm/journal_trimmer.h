/** sm/journal_trimmer.h - removes the segments of a journal that are not needed any more.
 *
 * Oldest first, each removal durable before the next, so that what is left never has a gap.
 * A segment goes when the one behind it begins at or below the first record to keep.
 */
#ifndef TEMPEST_SM_JOURNAL_TRIMMER_H
#define TEMPEST_SM_JOURNAL_TRIMMER_H

#include "journal_source.h"
#include "journal_window.h"

struct tp_journal_trimmer {
    struct tp_machine machine;
    struct tp_fd dir;         /* in: the open directory */
    struct tp_buf block;      /* in: one aligned block */
    struct tp_buf window_buf; /* in: aligned, as long as any group */
    bool direct;              /* in: try direct I/O */
    uint64_t keep_lsn;        /* in: the first record to keep */
    uint64_t keep_segment;    /* in: a segment that stays, and holds something durable */
    uint64_t oldest;          /* in and out: the first segment there is */
    uint64_t removed;         /* out: segments, in all runs */
    uint64_t next_lsn;        /* the first one of the segment behind */
    enum tp_journal_sight sight;
    struct tp_journal_source source;
    struct tp_journal_window window;
    char name[TP_JOURNAL_NAME_SIZE];
};

/** Starts it. Ends with 0, or with the error at which it stopped. */
struct tp_op tp_journal_trimmer_start(struct tp_ctx *cx,
                                      struct tp_journal_trimmer *trimmer);

#endif
