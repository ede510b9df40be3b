/** apps/kv/sim/life.h - what a run keeps while nodes come and go: the scenario's state.
 */
#ifndef TEMPEST_APPS_KV_SIM_LIFE_H
#define TEMPEST_APPS_KV_SIM_LIFE_H

#include "apps/kv/server.h"
#include "apps/kv/sim/scenario.h"
#include "apps/kv/sim/visitor.h"

enum {
    KV_LIFE_PORT = 7379,
    KV_LIFE_SERVER = 0, /* the first node */
    KV_LIFE_NODES_MAX = 3,
    KV_LIFE_EACH_MAX = 4, /* clients of a node */
};

/** What a node is: its role. */
enum kv_role { KV_ROLE_SERVER, KV_ROLE_CLIENTS, KV_ROLE_RUDE, KV_ROLE_OPERATOR };

struct kv_life {
    struct kv_oracle oracle;
    struct kv_visited visited;
    struct kv_race race;
    struct kv_script scripts[KV_OWNERS_MAX];
    uint32_t depths[KV_OWNERS_MAX];
    uint32_t whims_in[KV_OWNERS_MAX];
    uint32_t clients; /* of all nodes */
    uint32_t client_nodes, clients_each;
    uint64_t secret; /* that hash keys are made of */
    struct tp_address listen;
    struct kv_server server; /* its memory is given back at the next boot */
    int64_t wall_us;         /* what its engine was shown last */
    uint64_t asked_ns;       /* when it was asked to end; 0: it was not */
    bool is_made;            /* it is */
    bool is_starting;        /* by the operator */
    bool may_not_fail;       /* it was started when all was healed */
    struct kv_tally tally;
};

/** A machine of the operator's node. */
struct kv_operator {
    struct tp_machine machine;
    struct tp_node *node;
    struct kv_life *life;
    uint32_t calm; /* looks at a server from before, since all was healed */
};

enum tp_step kv_operator_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** Tells the oracle what this server has had reasons for. Whoever reads replies calls it
 * before: the server may have ticked since the last look at the run. */
void kv_life_look_at_server(struct tp_sim *sim);

/** Whether all clients have done their work. */
bool kv_life_is_done(struct tp_sim *sim);

/** A server begins on its node; the memory of the one before is given back. */
void kv_life_boot_server(struct tp_node *node);

/** The last server's memory is given back. */
void kv_life_bury(struct tp_sim *sim);

#endif
