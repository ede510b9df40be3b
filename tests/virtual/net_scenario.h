/** tests/virtual/net_scenario.h - a seeded workload on two VirtualIos and the network
 * between them: every operation on sockets, in any order and state, right and wrong. Plain
 * C; no test framework. */
#ifndef TESTS_VIRTUAL_NET_SCENARIO_H
#define TESTS_VIRTUAL_NET_SCENARIO_H

#include "io/virtual/virtual.h"

struct net_scenario {
    uint64_t seed;
    uint32_t operations; /* to hand in, both nodes together */
    bool cut;    /* half-way one node is killed or loses its power, and comes back */
    bool breaks; /* the links between the nodes break and heal again */
    struct tp_net_faults faults;
    struct tp_virtual_io_config config; /* what is not of the scenario's own making */
    struct tp_tape *tape;               /* NULL: one from the seed */
};

struct net_scenario_outcome {
    uint64_t trace; /* hash of all traces */
    uint64_t ns;    /* time that passed */
    uint64_t completions, errors, bytes;
    struct tp_net_stats stats;
};

/** Runs it; stops the program if an invariant does not hold. */
struct net_scenario_outcome net_scenario_run(const struct net_scenario *scenario);

#endif
