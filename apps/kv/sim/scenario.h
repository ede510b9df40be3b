/** apps/kv/sim/scenario.h - tempest-kv in the simulated world.
 *
 *     tempest-sim run kv --seeds 1..1000
 *
 * A node with a server and its disk; up to three with clients who know what must hold, and
 * one or two with clients without manners; an operator, who ends the server in order now
 * and then, and starts it again. What goes wrong is what the simulator has
 * (apps/sim/sim.h).
 *
 * What must hold: nothing that was acknowledged or shown is lost, nothing comes that nobody
 * wrote, steps are whole, replies are in order (oracle.h); what was told of the keys that
 * everybody changes is linearizable (race.h); when all is healed the server serves.
 */
#ifndef TEMPEST_APPS_KV_SIM_SCENARIO_H
#define TEMPEST_APPS_KV_SIM_SCENARIO_H

#include "apps/kv/sim/oracle.h"
#include "apps/sim/sim.h"

/** What runs came to, added up by those whose scenario has such a context. */
struct kv_tally {
    struct kv_oracle_stats stats;
    uint64_t boots, stops, failures; /* of servers; in order, by an error */
    uint64_t snapshots;
    uint64_t races, unknown_races; /* operations on keys that everybody changes */
    uint64_t undecided;            /* runs in which these were too much to be judged */
};

/** The scenario's context, if it has one. */
struct kv_scenario_context {
    struct kv_tally *tally;
};

extern const struct tp_scenario kv_scenario;

#endif
