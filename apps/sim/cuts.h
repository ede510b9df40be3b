/** apps/sim/cuts.h - what a sweep has to know of a run: how many operations there are to
 * cut the power at, and which draws of the tape say what a cut left.
 */
#ifndef TEMPEST_APPS_SIM_CUTS_H
#define TEMPEST_APPS_SIM_CUTS_H

#include "apps/sim/sim.h"

enum { TP_CUTS_MAX = 4 };

struct tp_cuts {
    uint32_t node; /* whose cuts, and recovery */
    /* Operations of nodes that are not spared, that had begun before a fact ended them:
     * until the last recovery. */
    uint64_t operations[TP_TAPE_NODES_MAX];
    uint32_t nodes;    /* of the run, those that are spared as well */
    uint64_t recovery; /* of the node, from its second boot on until it promises or ends */
    uint32_t count;    /* cuts of the node */
    uint64_t draws[TP_CUTS_MAX]; /* on its crash stream, before each */
    bool spared[TP_TAPE_NODES_MAX];
    bool recovers, recovered, ended; /* where the run is */
    struct tp_sim_watch watch;
};

/** `cuts->watch` is to be given to a run. */
void tp_cuts_init(struct tp_cuts *cuts, uint32_t node);

#endif
