/** apps/copy/run.h - runs one copy on an Io, whichever it is, and says what came of it. */
#ifndef TEMPEST_APPS_COPY_RUN_H
#define TEMPEST_APPS_COPY_RUN_H

#include "apps/copy/copy.h"
#include "apps/copy/watch.h"

/** How it is run. */
struct copy_manner {
    enum copy_show show;
    bool watched;  /* with a machine that shows progress and looks for signals */
    bool stats;    /* print the statistics of the loop */
    uint64_t seed; /* of the machines; 0: drawn from the Io */
    /* Called when the world ended under the loop, before memory that it may still have on
     * loan is freed: it says how it ended. NULL where a world does not end. */
    void (*world_ended)(struct tp_io *io);
};

/** What came of it. */
struct copy_outcome {
    struct copy_totals totals;
    int error;           /* of the loop: -ESHUTDOWN when the world ended under it, else 0 */
    bool interrupted;    /* it was cancelled before it was done */
    uint64_t elapsed_ns; /* on the Io's clock */
    char stopped_at[TP_PATH_MAX]; /* the first path that was not finished; "": none */
};

/** Runs it to its end. False: there was not enough memory to begin. */
bool copy_run(struct tp_io *io, const struct copy_settings *settings,
              const struct copy_manner *manner, struct copy_outcome *ret_outcome);

/** Says in a line or two what came of it: files, bytes, time, rate, what was verified. */
void copy_outcome_say(const struct copy_outcome *outcome,
                      const struct copy_settings *settings);

#endif
