/** sm/journal_writer.h - the machine behind a journal: groups, segments, background work.
 *
 * What journal.c, the face of it, needs to know of journal_writer.c, and the other way
 * round.
 */
#ifndef TEMPEST_SM_JOURNAL_WRITER_H
#define TEMPEST_SM_JOURNAL_WRITER_H

#include "journal.h"

/** The batch that records go into, and the one that is being written while `flying`. */
static inline struct tp_journal_batch *tp_journal_filling(struct tp_journal *journal)
{
    return &journal->batches[journal->filling];
}

static inline struct tp_journal_batch *tp_journal_flying(struct tp_journal *journal)
{
    return &journal->batches[journal->filling ^ 1];
}

/** Whether the batch that is being filled is to be written as soon as it can be. */
static inline bool tp_journal_is_due(struct tp_journal *journal)
{
    const struct tp_journal_batch *batch = tp_journal_filling(journal);

    return journal->config.pace_ns == 0 || journal->closing || batch->durable.count > 0 ||
           journal->room.count > 0 || batch->len >= journal->config.group_bytes / 4;
}

/** 0 if `blocks` more can be written and all that are reserved beside them: into the
 * current segment, or into the spare one alone. Else -EAGAIN, or why there is no spare. */
int32_t tp_journal_space(const struct tp_journal *journal, uint64_t blocks);

/** The machine's tick. */
enum tp_step tp_journal_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
