/** apps/sim/scenarios/log3/scenario.h - the scenario: three nodes, their clients, and what
 * must hold.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_SCENARIO_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_SCENARIO_H

#include "apps/sim/scenarios/log3/conditions.h"
#include "apps/sim/scenarios/log3/oracle.h"
#include "apps/sim/scenarios/log3/server.h"
#include "apps/sim/scenarios/log3/strikes.h"
#include "apps/sim/sim.h"

/** How long a life is, and how closely it is looked at. */
struct log3_form {
    uint64_t chaos_ns; /* that clients are at work; 0: until they have no more commands */
    bool has_history;  /* whether it is judged at the end */
    bool varies;       /* whether no life is like the other: conditions.h */
    uint32_t visits;   /* of a stranger */
};

/** The state of a run. */
struct log3_life {
    struct log3_oracle oracle;
    struct log3_conditions conditions;
    struct log3_strikes strikes;
    struct tp_address addresses[LOG3_NODES];
    struct {
        struct log3_server server;
        struct log3_entry ring[LOG3_ENTRIES_MAX];
        bool is_made;
    } nodes[LOG3_NODES];
};

/** Some seconds, of commands that are drawn: for many seeds, and for the playground. */
extern const struct tp_scenario log3_scenario;

/** The same for 1,000 virtual seconds: for measuring. */
extern const struct tp_scenario log3_long_scenario;

#endif
