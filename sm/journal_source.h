/** sm/journal_source.h - opens a segment that exists and checks what its header says.
 *
 * Ends with 0, and `fd` and `segment`; or with an error, and `problem` saying what is wrong
 * where. Direct reads where the file system has them: they show what the disk holds, which
 * after a failed sync is not what the page cache holds.
 */
#ifndef TEMPEST_SM_JOURNAL_SOURCE_H
#define TEMPEST_SM_JOURNAL_SOURCE_H

#include "journal_format.h"
#include "journal_transfer.h"

/** Why a journal cannot be used, and the place that shows it. */
struct tp_journal_problem {
    int32_t error; /* -errno; 0: there is none */
    uint32_t reserved;
    uint64_t segment; /* whose file it is about; 0: about none in particular */
    uint64_t offset;  /* in that file, bytes */
    const char *what; /* in words */
};

struct tp_journal_source {
    struct tp_machine machine;
    struct tp_fd dir;                  /* in: the open directory */
    struct tp_buf block;               /* in: one aligned block, overwritten */
    uint64_t number;                   /* in: of the segment */
    bool direct;                       /* in: try direct I/O; out: whether it is used */
    struct tp_fd fd;                   /* out: open for reading, while the result is 0 */
    struct tp_journal_segment segment; /* out */
    struct tp_journal_problem problem; /* out */
    struct tp_statx stat;
    struct tp_journal_transfer transfer;
    uint32_t stalls;
    char name[TP_JOURNAL_NAME_SIZE];
};

/** Starts it; the in fields are set, the rest is zero or left by an earlier run. */
struct tp_op tp_journal_source_start(struct tp_ctx *cx, struct tp_journal_source *source);

/** Closes the file, if it is open. Nobody waits for it. */
void tp_journal_source_close(struct tp_ctx *cx, struct tp_journal_source *source);

#endif
