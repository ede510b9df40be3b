/** apps/kv/sim/visitor.h - a simulated client: follows its script over real connections.
 *
 * It sends in pieces, reads late, now and then hangs up in the middle, or ends its side and
 * reads what is still to come; and it comes back until its script is done. When its node
 * dies it is forgotten, but for its script. What it does is on the tape, as draws of its
 * node's workload, and what it was told as promises.
 */
#ifndef TEMPEST_APPS_KV_SIM_VISITOR_H
#define TEMPEST_APPS_KV_SIM_VISITOR_H

#include "apps/kv/sim/script.h"
#include "apps/sim/sim.h"
#include "runtime/op.h"

enum {
    KV_VISITOR_IN = 64 << 10, /* bytes received and not understood yet */
    KV_VISITOR_OUT = 4096,    /* bytes of one send */
};

/** What all visitors look at. */
struct kv_visited {
    struct tp_address address;
    uint32_t boot;                /* of the server, counted; which one answers now */
    bool serving;                 /* it has begun, and has not been asked to stop */
    bool calm;                    /* nothing goes wrong in this run */
    bool fails_to_send;           /* its operations fail, those on connections too */
    const struct tp_node *server; /* whose wall clock counts */
};

struct kv_visitor {
    struct tp_machine machine;
    struct tp_node *node;
    struct kv_script *script; /* which outlives it */
    const struct kv_visited *visited;
    enum {
        KV_VISITOR_NEW,
        KV_VISITOR_AWAY,
        KV_VISITOR_CONNECTING,
        KV_VISITOR_TALKING,
        KV_VISITOR_LEAVING, /* until nothing is on loan any more */
    } state;
    uint32_t depth;    /* answers outstanding */
    uint64_t step;     /* the last one that it was told of */
    uint32_t whims_in; /* one tick in so many something happens; 0: nothing ever does */
    bool ended_output;
    bool hung_up;  /* ... or the other side has */
    bool finished; /* its script */
    struct tp_fd fd;
    struct tp_op op, send_op, recv_op, shutdown_op;
    struct tp_buf send_buf, recv_buf;
    uint32_t sent;   /* bytes of the script's request */
    uint32_t in_len; /* bytes of `in` */
    uint8_t out[KV_VISITOR_OUT];
    uint8_t in[KV_VISITOR_IN];
};

/** What the server's wall clock shows; while its node is down, what it showed last. */
int64_t kv_visited_now_ms(const struct kv_visited *visited, const struct kv_clock *clock);

enum tp_step kv_visitor_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
