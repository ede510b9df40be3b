/** apps/kv/sim/world.h - the life of a server in a simulated world, and what its clients
 * say.
 *
 *     struct kv_world_config config = {.seed = 4711};
 *     kv_world_run(&config, &outcome);
 *     outcome.violation                     "": nothing that was promised was broken
 *
 * Two hosts and a network. On one a server with its disk, started again and again: each
 * time it is ended by a kill, a power cut, a signal, or a log that has failed. On the other
 * its clients, who live through all of it, some of them without manners. What goes wrong,
 * how often, and when, is a function of the seed; so is everything else, and the trace hash
 * says so. At the end everything is healed, the scripts are followed to their end, the
 * power goes once more, and every key is looked at.
 */
#ifndef TEMPEST_APPS_KV_SIM_WORLD_H
#define TEMPEST_APPS_KV_SIM_WORLD_H

#include "apps/kv/server.h"
#include "apps/kv/sim/oracle.h"

/** All zero but the seed is a working default: what is 0 is drawn. */
struct kv_world_config {
    uint64_t seed;
    uint32_t clients; /* at most KV_OWNERS_MAX */
    uint32_t steps;   /* of each client, when all is healed */
    uint32_t boots;   /* before the last one */
    bool mild;        /* nothing goes wrong, and nobody is killed */
};

struct kv_world_outcome {
    char violation[400];
    uint64_t trace_hash; /* of both hosts, all boots */
    uint64_t events, virtual_ns;
    uint32_t boots, kills, power_cuts, stops, failures; /* how servers have ended */
    uint64_t connections, snapshots, faults; /* resets, refusals, errors of operations */
    struct kv_oracle_stats stats;
};

/** Lives it. -ENOMEM: it could not be; else 0, whatever came of it. */
int kv_world_run(const struct kv_world_config *config,
                 struct kv_world_outcome *ret_outcome);

#endif
