/** apps/sim/scenarios/log3/server.h - a node of the replicated log: a machine around
 * raft.h.
 *
 *     log3_server_init(&server, &config);
 *     tp_node_spawn(node, &server.machine, log3_server_tick, "server");
 *
 * It opens its journal and restores from it, listens, connects to its peers, and serves
 * until something fails: then it ends with the error, and whoever supervises it starts it
 * again. Its parts are machines of their own: a journal (sm/journal.h), a service
 * (sm/service.h) whose connections are log3_session_tick(), and a log3_peer for each of the
 * others. Nodes talk in one direction of a connection only: each says what it has to say,
 * answers too, on those that it has made.
 *
 * It holds to what raft.h demands: what depends on records leaves when these are durable.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_SERVER_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_SERVER_H

#include "apps/sim/scenarios/log3/raft.h"
#include "sm/journal.h"
#include "sm/service.h"

enum { LOG3_PEER_BYTES = 8192 };

struct log3_session;

/** The way to another node. */
struct log3_peer {
    struct tp_machine machine;
    bool is_connected;
    struct tp_connection connection;
    struct tp_address address;
    const uint8_t *bytes;
    int32_t rc;
    uint8_t memory[LOG3_PEER_BYTES];
};

/** Who wants to know what happens; may change nothing. */
struct log3_witness {
    void (*applied)(void *context, uint32_t node, const struct log3_state *state,
                    const struct log3_entry *entry, uint64_t position);
    void (*leads)(void *context, uint32_t node, const struct log3_raft *raft);
    void *context;
};

struct log3_server_config {
    uint32_t me;
    uint32_t forget_after;   /* as log3_raft_init() has it */
    struct log3_entry *ring; /* LOG3_ENTRIES_MAX, with anything in them */
    const char *path;        /* of the journal's directory, which is there */
    struct tp_address addresses[LOG3_NODES];
    struct log3_witness witness;
};

struct log3_server {
    struct tp_machine machine;
    struct log3_server_config config;
    struct log3_raft raft;
    struct tp_journal journal;
    struct tp_service service;
    struct log3_peer peers[LOG3_NODES]; /* that of `me` is unused */
    struct log3_session *waiting;       /* those whom an answer is due to: a list */
    struct tp_waiter waiter;            /* for the next group of the journal */
    struct tp_ctx *cx;                  /* of the tick under way */
    struct tp_op journal_op, service_op, timer_op, peer_ops[LOG3_NODES];
    uint64_t timer_due_ns;
    uint64_t released_lsn; /* what was durable when it was last looked at */
    struct tp_journal_record record;
    int32_t error; /* the first thing that went wrong; 0 */
    int32_t rc;
    uint32_t at;
    bool is_serving;
};

/** Sets it up, and takes the journal's memory. 0, or -ENOMEM. */
int32_t log3_server_init(struct log3_server *server,
                         const struct log3_server_config *config);

/** Gives all memory back; the machine has ended, or its scheduler has crashed. */
void log3_server_deinit(struct log3_server *server);

/** The node's machine. */
enum tp_step log3_server_tick(struct tp_machine *machine, struct tp_ctx *cx);

/* ------------------------------------------------------------------ among its parts */

/** Something was said to the consensus, by this machine: answers who waits, and sees to
 * what was kept and to the time. Ends each tick in which raft.h was called. */
void log3_server_settle(struct log3_server *server, struct tp_ctx *cx);

/** The machine of a peer. */
enum tp_step log3_peer_tick(struct tp_machine *machine, struct tp_ctx *cx);

#endif
