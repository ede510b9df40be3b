/** apps/sim/farm.h - many seeds on many processors.
 *
 * Seeds are handed out in batches (batch.h), each to a child. What a seed comes to does not
 * depend on how many children there are, nor on which seeds ran before it in the same one:
 * of each batch one seed, and each that failed, is repeated in a fresh process, and another
 * trace is a verdict of its own.
 *
 * Where the program takes signals (apps/common/signals.h), one ends it: children die, what
 * they had finished counts, and failures are told though they were not repeated.
 */
#ifndef TEMPEST_APPS_SIM_FARM_H
#define TEMPEST_APPS_SIM_FARM_H

#include "apps/sim/batch.h"

struct tp_farm_config {
    struct tp_batch_job job;
    uint64_t first, last; /* seeds, both included */
    uint64_t time_ns;     /* of the host; 0: no limit */
    uint64_t hang_ns;     /* of the host, for one seed */
    uint32_t jobs;        /* children at a time */
    bool until_failure;   /* begin no seed above the lowest that has failed */
    /* Called for each seed, in no order. */
    void (*result)(void *context, const struct tp_seed_result *result);
    /* Called a few times a second. */
    void (*progress)(void *context, uint64_t elapsed_ns);
    void *context;
};

/** What is not said seed by seed. */
struct tp_farm_totals {
    uint64_t elapsed_ns;
    uint64_t repeated;            /* seeds that were run twice */
    bool reached[TP_BATCH_MARKS]; /* which marks have held */
};

/** Runs them. 0, or -errno if there is no memory or no process to be had. */
int tp_farm_run(const struct tp_farm_config *config, struct tp_farm_totals *ret_totals);

#endif
