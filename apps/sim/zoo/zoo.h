/** apps/sim/zoo/zoo.h - the zoo: programs with a bug that somebody shipped, each with a
 * repaired twin.
 *
 * The line that is wrong is marked in the source, before any search; a search that is right
 * finds the bug, blames that line, and never blames a twin.
 */
#ifndef TEMPEST_APPS_SIM_ZOO_ZOO_H
#define TEMPEST_APPS_SIM_ZOO_ZOO_H

#include "apps/sim/sim.h"

struct zoo_bug {
    uint32_t number;  /* of the table in docs/zoo.md, which tells where it was seen */
    const char *file; /* of its source, in this directory */
    const char *seen_in;
    const struct tp_scenario *bug, *twin;
};

/** All of them, by number. */
extern const struct zoo_bug zoo_bugs[];
extern const uint32_t zoo_bug_count;

#endif
