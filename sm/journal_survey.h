/** sm/journal_survey.h - which segments there are: the numbers in the names of a directory.
 */
#ifndef TEMPEST_SM_JOURNAL_SURVEY_H
#define TEMPEST_SM_JOURNAL_SURVEY_H

#include "../runtime/operations.h"

struct tp_journal_survey {
    struct tp_machine machine;
    struct tp_fd dir;  /* in: open, not listed yet */
    struct tp_buf buf; /* in: for entries, aligned to 8, at least a block */
    uint64_t lowest;   /* out; 0: there is none */
    uint64_t highest;  /* out */
};

/** Ends with 0, or the error of the listing. */
struct tp_op tp_journal_survey_start(struct tp_ctx *cx, struct tp_journal_survey *survey);

#endif
