/** sm/journal_recovery.h - reads a journal from its first segment to its end, and begins a
 * new log behind it, unless it is only to be looked at.
 *
 * Groups are read in sequence, each checked against the one before. The first place without
 * the group that is due is the end of the log, unless something durable says that the log
 * went on: a segment behind it that was only made when this one held groups, the end that a
 * later log gives for this one, or a sound group further on whose durable mark covers what
 * is missing. Then it is corruption, and the journal is refused with file and offset. Else
 * what lies there is a torn tail: never acknowledged, and discarded for good, since the new
 * log names the end that was found.
 *
 * Three machines share the struct: the recovery, the one that plays the groups of a segment
 * to the reader, and the one that sweeps what lies behind the end.
 */
#ifndef TEMPEST_SM_JOURNAL_RECOVERY_H
#define TEMPEST_SM_JOURNAL_RECOVERY_H

#include "journal_format.h"
#include "journal_maker.h"
#include "journal_source.h"
#include "journal_survey.h"
#include "journal_window.h"

/** A place where no group was found. */
struct tp_journal_halt {
    uint64_t segment; /* 0: there is none */
    uint64_t offset;
    bool blank; /* nothing was ever written there */
    bool later; /* a sound group is there, but a later one than is due */
};

struct tp_journal_recovery {
    struct tp_machine machine;
    struct tp_machine player, worker;
    struct tp_machine *reader; /* in: woken when there are records for it */
    const char *path;          /* in: of the directory */
    uint64_t from_lsn;         /* in: the first record wanted, from 1 */
    bool oldest;               /* in: a later one will do, if it is the first there */
    uint64_t segment_bytes;    /* in: of the new segment */
    uint32_t group_bytes;      /* in: likewise */
    bool direct;               /* in: try direct I/O; out: whether it is used */
    bool read_only;            /* in: nothing is synced, and no new log begun */
    struct tp_buf window_buf;  /* in: aligned, of group_bytes */
    struct tp_buf block;       /* in: aligned, a block; the maker's */
    struct tp_buf list_buf;    /* in: aligned, a block or more */

    struct tp_fd dir;                  /* out: open, while the result is 0 */
    struct tp_journal_maker maker;     /* out: its `fd` and `segment`; in: its `zeros` */
    struct tp_journal_end end;         /* out: of what was found */
    struct tp_journal_problem problem; /* out: with a result < 0 */
    struct tp_journal_halt torn;       /* out: where a torn tail was discarded, if it was */

    struct tp_journal_cursor cursor; /* records that the reader has not taken */
    struct tp_journal_survey survey;
    struct tp_journal_source current, next; /* next: open while `has_next` */
    struct tp_journal_window window;
    struct tp_journal_end chain; /* the log being read; group and lsn are the last ones */
    struct tp_journal_halt halt; /* where the groups stopped, or would go on in the ... */
    struct tp_journal_halt halt_after; /* ... segment behind, which holds none */
    uint64_t adopted;                  /* groups taken from the current segment */
    enum tp_journal_sight sight;
    uint32_t sweep;
    uint32_t stalls;
    bool has_next;
    bool proved; /* the log went on, so the sweep is only to find out where */
    bool lent;   /* the reader has records of the group in the window */
    bool begun;  /* the numbers in `chain` are known */
};

/** Starts it; the in fields are set, all others zero. Ends with 0, or an error and
 * `problem`. */
struct tp_op tp_journal_recovery_start(struct tp_ctx *cx,
                                       struct tp_journal_recovery *recovery);

/** The next record for the reader; false when there is none at the moment. Its bytes stay
 * until the next call. */
bool tp_journal_recovery_next(struct tp_journal_recovery *recovery,
                              struct tp_journal_record *ret_record);

#endif
