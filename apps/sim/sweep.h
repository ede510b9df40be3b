/** apps/sim/sweep.h - the power is cut at every operation of a run, and again at every one
 * of the recovery.
 *
 * The cuts are choices of a tape, so that what fails is replayed, shrunk and explained like
 * any other run: the options are those of tp_sweep_options(). So there is a last operation
 * of each node at which it can be cut, number TP_CHAOS_WITHIN; a longer run is counted
 * whole, and cut that far.
 */
#ifndef TEMPEST_APPS_SIM_SWEEP_H
#define TEMPEST_APPS_SIM_SWEEP_H

#include "apps/sim/trial.h"

struct tp_sweep {
    struct tp_trial *trial;
    const struct tp_tape *base; /* of a run in which nothing goes wrong */
    uint32_t survivors;         /* ways in which each cut is survived */
    /* Called for each run that fails, and now and then. */
    void (*failed)(void *context, const struct tp_sweep *sweep, const struct tp_tape *tape,
                   const struct tp_sim_outcome *outcome);
    void (*progress)(void *context, const struct tp_sweep *sweep);
    void *context;
    uint64_t until_ns; /* of the host's clock */
    /* What came of it. */
    uint64_t points,
        points_done; /* operations of nodes that are not spared; those cut at */
    uint64_t runs, failures;
    uint64_t second_cuts; /* of the runs, those with another in the recovery */
    /* Of the run under way. */
    uint32_t node;
    uint64_t first, second; /* operations: of the node; after the first cut, 0: no other */
};

/** Nothing but power cuts. */
void tp_sweep_options(struct tp_sim_options *options);

/** Cuts. 0, or -errno. */
int tp_sweep_run(struct tp_sweep *sweep);

#endif
