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

enum { LOG3_HOSTS = LOG3_NODES + 1 }; /* the last is that of the clients */

struct log3_strikes {
    struct tp_sim *sim;
    uint32_t odds;              /* as struct log3_conditions has it */
    uint32_t hosts[LOG3_HOSTS]; /* in the network; 0: it has not booted yet */
    uint32_t node;              /* who is to be struck next ... */
    uint64_t strike_ns;         /* ... and when; TP_NEVER: nobody */
    struct {
        uint64_t until_ns; /* it is cut off; 0: it is not */
        bool from_all;     /* from clients too */
    } cuts[LOG3_NODES];
    uint64_t due_ns; /* log3_strikes_pass() has something to do */
};

void log3_strikes_init(struct log3_strikes *strikes, struct tp_sim *sim, uint32_t odds);

/** A node boots, the clients' too. */
void log3_strikes_boot(struct log3_strikes *strikes, struct tp_node *node);

/** A node was elected; it was the first to know that an entry is committed. */
void log3_strikes_leads(struct log3_strikes *strikes, uint32_t node);
void log3_strikes_committed(struct log3_strikes *strikes, uint32_t node);

/** Something has happened in the world. */
void log3_strikes_pass(struct log3_strikes *strikes);

#endif
