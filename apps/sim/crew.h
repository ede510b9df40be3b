/** apps/sim/crew.h - units of work on many processors, each in a child of its own.
 *
 * A unit is a number; what it comes to is written into memory that child and parent share,
 * and is taken by the parent in the order of the numbers. So what all of them come to does
 * not depend on how many there are at a time: units that were begun beyond the one behind
 * which no more are wanted are dropped unseen.
 *
 * A signal that the program takes (apps/common/signals.h) ends children; what they have
 * written until then is taken.
 */
#ifndef TEMPEST_APPS_SIM_CREW_H
#define TEMPEST_APPS_SIM_CREW_H

#include "apps/sim/sim.h"

struct tp_crew {
    uint32_t jobs;  /* children at a time; fewer, if their results were above 128 MiB */
    uint64_t units; /* their numbers are below it */
    size_t result_bytes;
    /* In the child: the result is all zero at first. */
    void (*work)(void *context, uint64_t unit, void *ret_result);
    /* In the parent, in order; false: no more are wanted. */
    bool (*take)(void *context, uint64_t unit, const void *result);
    /* In the parent, a few times a second. */
    void (*progress)(void *context);
    void *context;
};

/** Does them. 0; -EINTR: a signal came; -ECHILD: a child died of something else; or another
 * -errno if there is no memory or no process to be had. */
int tp_crew_run(const struct tp_crew *crew);

#endif
