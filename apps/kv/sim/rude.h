/** apps/kv/sim/rude.h - a simulated client without manners: garbage, silence, resets.
 *
 * It asks nothing that could be answered, keeps the connection for a while, reads or does
 * not, and goes without a word; again and again. Whatever it does, it disturbs nobody.
 */
#ifndef TEMPEST_APPS_KV_SIM_RUDE_H
#define TEMPEST_APPS_KV_SIM_RUDE_H

#include "apps/kv/sim/visitor.h"

struct kv_rude {
    struct tp_machine machine;
    struct tp_node *node;
    const struct kv_visited *visited;
    enum {
        KV_RUDE_AWAY,
        KV_RUDE_CONNECTING,
        KV_RUDE_SENDING,
        KV_RUDE_STAYING,
        KV_RUDE_LEAVING
    } state;
    bool over; /* it will not come again */
    struct tp_fd fd;
    struct tp_op op, recv_op;
    struct tp_buf buf, in_buf;
    uint8_t bytes[512], in[512];
};

/** It comes as often as its node's workload says. */

enum tp_step kv_rude_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
