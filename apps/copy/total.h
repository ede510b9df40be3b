/** apps/copy/total.h - how much there is to copy: a second job, which runs ahead and
 * counts.
 *
 * It is a dry run of the same SRC and DST that says nothing, so it counts what the copy is
 * going to do and no more, with many files in flight; for each it only looks, so it is
 * soon far ahead. What fails in it fails again in the copy, and is said there.
 */
#ifndef TEMPEST_APPS_COPY_TOTAL_H
#define TEMPEST_APPS_COPY_TOTAL_H

#include "apps/copy/job.h"

struct copy_total {
    struct copy_settings settings;
    struct copy copy; /* copy.totals.bytes and .files: found so far */
    struct copy_job job;
    bool complete; /* all was found */
};

/** Prepares one for a copy with these settings. 0 or -ENOMEM. */
int copy_total_init(struct copy_total *total, const struct copy_settings *settings);

/** Frees it; one that was never prepared, too. */
void copy_total_deinit(struct copy_total *total);

/** Adds it to the scheduler. It may be cancelled at any time. */
void copy_total_spawn(struct copy_total *total, struct tp_scheduler *scheduler);

#endif
