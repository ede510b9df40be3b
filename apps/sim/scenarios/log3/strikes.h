/** apps/sim/scenarios/log3/strikes.h - who leads is struck: at its election, or when it has
 * committed something, at once or a little later.
 *
 * The simulator hurts whom it likes, whenever it likes. What tells a wrong consensus from a
 * right one are leaders that come to little, several of them in a row, each while the one
 * before is still cut off with what only it has: rare by chance, frequent here. The kinds
 * of strikes are the simulator's, and a family that is off is off here as well.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_STRIKES_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_STRIKES_H

#include "apps/sim/scenarios/log3/conditions.h"

struct log3_strikes {
    struct tp_sim *sim;
    uint32_t odds;      /* as struct log3_conditions has it */
    uint32_t node;      /* who is to be struck next ... */
    uint64_t strike_ns; /* ... and when; TP_NEVER: nobody */
};

void log3_strikes_init(struct log3_strikes *strikes, struct tp_sim *sim, uint32_t odds);

/** A node was elected; it was the first to know that an entry is committed. */
void log3_strikes_leads(struct log3_strikes *strikes, uint32_t node);
void log3_strikes_committed(struct log3_strikes *strikes, uint32_t node);

/** Something has happened in the world. */
void log3_strikes_pass(struct log3_strikes *strikes);

#endif
