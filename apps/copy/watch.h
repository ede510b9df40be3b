/** apps/copy/watch.h - shows progress, and cancels the job when a signal came. */
#ifndef TEMPEST_APPS_COPY_WATCH_H
#define TEMPEST_APPS_COPY_WATCH_H

#include "apps/copy/total.h"

enum copy_show {
    COPY_SHOW_NOTHING, /* but errors */
    COPY_SHOW_LINES,   /* a line now and then */
    COPY_SHOW_BAR,     /* a bar on the terminal */
};

struct copy_watch {
    struct tp_machine machine;
    const struct copy *copy;
    const struct copy_total *total; /* for a bar; else NULL */
    struct tp_machine *job;
    enum copy_show show;
    struct tp_op timer;
    uint64_t started_ns;
    bool told; /* the job was told of a signal */
};

/** Adds it to the scheduler. It looks for a signal whenever it is woken, and runs until it
 * is cancelled. */
void copy_watch_spawn(struct copy_watch *watch, struct tp_scheduler *scheduler);

#endif
