/** apps/sim/sweep.h - the power is cut at every operation of a run, and again at every one
 * of the recovery.
 *
 * Each cut is survived by every set of survivors there can be, if they are few, else by the
 * corner cases and by some that are drawn (survivors.h); it is counted which. First come
 * the cuts at operations and the one at the end, after all work is done; then second cuts,
 * in the recoveries from a few of the sets of each first cut, with a part of the sets.
 *
 * The cuts are choices of a tape, so that what fails is replayed, shrunk and explained like
 * any other run: the options are those of tp_sweep_options(). So there is a last operation
 * of each node at which it can be cut, number TP_CHAOS_WITHIN; a longer run is counted
 * whole, and cut that far.
 *
 * Cuts are swept by several processes at a time; what comes of it does not depend on how
 * many there are, unless time is up.
 */
#ifndef TEMPEST_APPS_SIM_SWEEP_H
#define TEMPEST_APPS_SIM_SWEEP_H

#include "apps/sim/trial.h"

enum {
    TP_SWEEP_RECOVERIES = 8, /* of the sets of a first cut, followed by second ones */
    TP_SWEEP_PART = 8,       /* of the limit of sets is that of second cuts */
    TP_SWEEP_SECOND_MAX = 64 /* operations of a recovery that are cut at */
};

/** Where the power is cut, and the first failure there. */
struct tp_sweep_cut {
    uint32_t node;
    uint64_t first;  /* operation of the node; 0: the end */
    uint64_t second; /* operation after it; 0: none */
    uint64_t runs,
        failures; /* of all second cuts behind one set of the first: of them all */
    uint32_t verdict;
    bool needs_end; /* it passes if the cut at the end, which comes then, takes nothing */
    char message[512];
};

/** Cuts of a kind: those that there are, those that were swept, and how. */
struct tp_sweep_count {
    uint64_t places, done;
    uint64_t all;     /* with every set of survivors */
    uint64_t sampled; /* with some: corner cases and drawn ones, or not all lengths */
    uint64_t runs;
};

struct tp_sweep {
    struct tp_trial *trial;
    const struct tp_tape *base; /* of a run in which nothing goes wrong */
    uint32_t survivors;         /* sets at each cut, at most */
    uint32_t jobs;
    /* Called for each place, or second places behind one set, where a run fails; and a few
     * times a second. */
    void (*failed)(void *context, const struct tp_sweep *sweep,
                   const struct tp_sweep_cut *cut);
    void (*progress)(void *context, const struct tp_sweep *sweep);
    void *context;
    uint64_t until_ns; /* of the host's clock */
    /* What came of it. */
    uint64_t points,
        points_done; /* operations of nodes that are not spared; those cut at */
    struct tp_sweep_count first, second;
    uint64_t not_recovered; /* operations of recoveries behind TP_SWEEP_SECOND_MAX */
    uint64_t failures;
    struct tp_tape *tape; /* of the first failure; NULL: none, or too long */
};

/** Nothing but power cuts. */
void tp_sweep_options(struct tp_sim_options *options);

/** Cuts. 0, -EINTR (a signal came), or another -errno. What was found until then is there.
 * `tape` is the caller's. */
int tp_sweep_run(struct tp_sweep *sweep);

#endif
