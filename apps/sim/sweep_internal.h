/** apps/sim/sweep_internal.h - how a sweep is divided.
 *
 *     sweep.c        the units, their order, their sums
 *     sweep_unit.c   one unit, in a process of its own
 */
#ifndef TEMPEST_APPS_SIM_SWEEP_INTERNAL_H
#define TEMPEST_APPS_SIM_SWEEP_INTERNAL_H

#include "apps/sim/sweep.h"

enum {
    TP_SWEEP_DRAWS = 512,   /* of a set that second cuts follow; longer ones are left out */
    TP_SWEEP_FAILED = 4096, /* of a run that fails, on the node's crash stream */
};

/** A set of survivors of a first cut, and what followed. */
struct tp_sweep_kept {
    uint64_t recovery; /* operations */
    uint32_t count;
    struct tp_draw_entry draws[TP_SWEEP_DRAWS];
};

/** A first cut; or all second ones behind one set of it. */
struct tp_sweep_unit {
    uint32_t node;
    uint64_t first;
    struct tp_sweep_kept *kept; /* NULL: a first cut */
};

/** What a unit comes to; shared. */
struct tp_sweep_result {
    struct tp_sweep_count count;
    struct tp_sweep_cut failed; /* the first failure, if there is one */
    uint32_t failed_count;      /* its draws; above TP_SWEEP_FAILED: not there */
    struct tp_draw_entry failed_draws[TP_SWEEP_FAILED];
    uint32_t kept_count;
    struct tp_sweep_kept kept[TP_SWEEP_RECOVERIES];
    bool is_over; /* time was up */
    int error;
};

/** Sweeps it. Ends early when time is up. */
void tp_sweep_unit_run(const struct tp_sweep *sweep, const struct tp_sweep_unit *unit,
                       struct tp_sweep_result *ret_result);

/** The base with the cuts; what a cut leaves is behind what is put on the node's crash
 * stream. 0, or -ENOMEM. */
int tp_sweep_compose(const struct tp_sweep *sweep, uint32_t node, uint64_t first,
                     uint64_t second, struct tp_tape **ret_tape);

#endif
