/** apps/copy/total.h - walks ahead of the copy and adds up what there is, for the bar. */
#ifndef TEMPEST_APPS_COPY_TOTAL_H
#define TEMPEST_APPS_COPY_TOTAL_H

#include "apps/copy/copy.h"
#include "sm/walk.h"

/** Deeper down than this nothing is added up: the total is a little too small then. */
enum { COPY_TOTAL_LEVELS = 256 };

struct copy_total {
    struct tp_machine machine;
    struct copy *copy;
    uint32_t next; /* SRC */
    struct tp_statx statx;
    struct tp_walk walk;
    struct tp_walk_level *levels;
    char path[TP_PATH_MAX];
};

/** Prepares one. 0 or -ENOMEM. */
int copy_total_init(struct copy_total *total, struct copy *copy);

void copy_total_deinit(struct copy_total *total);

/** Adds it to the scheduler. */
void copy_total_spawn(struct copy_total *total, struct tp_scheduler *scheduler);

#endif
