/** apps/sim/scenarios/log3/client.h - a client: ten appends a second, and now and then the
 * count, one after the other, each until it is answered, by whoever leads.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_CLIENT_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_CLIENT_H

#include "apps/sim/scenarios/log3/conditions.h"
#include "apps/sim/scenarios/log3/oracle.h"
#include "sm/connection.h"
#include "sm/periodic.h"

enum { LOG3_CLIENT_BYTES = 2048 };

#define LOG3_CLIENT_PERIOD_NS                                  \
    (UINT64_C(50000000) * LOG3_CLIENTS) /* 20 appends a second \
                                         */

struct log3_client {
    struct tp_machine machine;
    struct tp_node *node;
    struct log3_oracle *oracle;
    const struct tp_address *addresses; /* of the nodes, LOG3_NODES */
    const struct log3_conditions *conditions;
    uint64_t until_ns; /* the chaos ends then; 0: when there are no more commands */
    uint32_t id;
    uint32_t target; /* the node that it asks */
    bool is_done;    /* nothing more is asked for, but a last count */
    bool is_connected;
    struct tp_periodic periodic;
    struct log3_message question; /* that is open; body NULL and index 0: none */
    struct log3_message answer;
    struct tp_connection_options options;
    struct tp_connection connection;
    int32_t rc;
    uint8_t text[LOG3_TEXT_BYTES];
    uint8_t memory[LOG3_CLIENT_BYTES];
};

/** Its machine; all but the first eight members zeroed. */
enum tp_step log3_client_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
