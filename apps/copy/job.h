/** apps/copy/job.h - the whole copy: DST, every SRC, the last sync, and verifying. */
#ifndef TEMPEST_APPS_COPY_JOB_H
#define TEMPEST_APPS_COPY_JOB_H

#include "apps/copy/argument.h"

/** SRCs at work at once. */
enum { COPY_ARGUMENTS = 8 };

struct copy_job {
    struct tp_machine machine;
    struct copy *copy;
    struct copy_target target;
    struct copy_split split; /* of DST */
    struct tp_statx statx;   /* of DST */
    uint32_t next, running;
    bool *refused;                                  /* of each SRC */
    bool *repeated;                                 /* of each SRC */
    struct copy_argument arguments[COPY_ARGUMENTS]; /* free ones have no `copy` */
};

/** Prepares a job. 0 or -ENOMEM. */
int copy_job_init(struct copy_job *job, struct copy *copy);

void copy_job_deinit(struct copy_job *job);

/** Adds it to the scheduler; it ends with 0, or with the error for which it did not begin.
 * All errors have been said and counted. */
void copy_job_spawn(struct copy_job *job, struct tp_scheduler *scheduler);

#endif
