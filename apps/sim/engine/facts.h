/** apps/sim/engine/facts.h - what happened last, by number.
 *
 * Two rings: one of everything, and one of all but operations, which goes round less
 * often. Both number their facts from 0 on.
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_FACTS_H
#define TEMPEST_APPS_SIM_ENGINE_FACTS_H

#include "apps/sim/record.h"

enum {
    ENGINE_FACTS_KEPT = 2048,
    ENGINE_MARKS_KEPT = 1024,
    ENGINE_FACTS_A_CALL = 512,
    ENGINE_NODES = 64, /* of which more than facts are kept */
};

struct engine_fact {
    uint64_t event;
    struct tp_record record;
};

struct engine_ring {
    struct engine_fact *facts; /* by number, modulo `capacity` */
    uint32_t capacity;
    uint64_t next; /* the number of the next one */
};

struct engine_facts {
    struct tp_sim_watch watch; /* to be given to a run */
    const struct tp_sim *sim;  /* that is being watched; set once it is there */
    struct tp_recorder one;    /* puts a fact into a place of `all` */
    struct engine_ring all, marks;
    uint64_t told[ENGINE_NODES]; /* facts of each node */
    uint32_t last_end[ENGINE_NODES];
};

/** 0, or -ENOMEM. */
int engine_facts_init(struct engine_facts *facts);
void engine_facts_deinit(struct engine_facts *facts);

/** Those of a ring from number `from` on, as JSON. */
void engine_facts_write(const struct engine_ring *ring, uint64_t from, FILE *out);

#endif
