/** apps/sim/scenarios/log3/conditions.h - what a life is like, drawn once for a run: how
 * slow the disks are and how far apart the nodes, what clients ask for and how patient they
 * are, and how often a leader is struck (strikes.h).
 *
 * A bug shows where two things race that usually do not: a leader whose disk is slower than
 * its followers', a read that comes before a leader has committed anything. Such a race is
 * not waited for; each is likely in some of the lives.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_CONDITIONS_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_CONDITIONS_H

#include "apps/sim/scenarios/log3/entry.h"
#include "apps/sim/sim.h"

enum { LOG3_STRIKE_ODDS = 16 };

struct log3_conditions {
    uint32_t forget_after;              /* entries, of every node */
    uint32_t count_every[LOG3_CLIENTS]; /* questions, on average */
    uint64_t patience_ns;               /* of a client, with whom it has asked */
    uint64_t retry_ns;                  /* what it waits before it asks the next */
    uint32_t sync_ms[LOG3_NODES];       /* what a sync takes */
    uint32_t distance_ms[LOG3_NODES];   /* of a node from all others, beyond a link's */
    uint32_t strikes; /* leaders that are struck when elected, of LOG3_STRIKE_ODDS */
};

/** In setup(). Those of a life that does not vary are: disks and links of a millisecond,
 * and nobody is struck but by the simulator. */
void log3_conditions_draw(struct tp_sim *sim, bool varies,
                          struct log3_conditions *ret_conditions);

/** How much farther a node is from all others than one that is near; clients are near. */
uint32_t log3_distance_ms(const struct log3_conditions *conditions, uint32_t node);

/** What takes `base_ms`, and a random part: a sync, a link. */
struct tp_virtual_latency log3_latency(uint32_t base_ms);

#endif
