/** apps/kv/client.h - one connection: requests in, replies out, each when it may leave.
 *
 * A tick takes what has come, executes all of it in order, and sends what may leave in one
 * send. A reply that tells of something that is not durable yet is held in the output, with
 * everything behind it; meanwhile the next requests are executed. The journal wakes the
 * client when the group is durable that the first held reply waits for.
 *
 * A request that finds no room in the log stays where it is and is executed when there is
 * some; one that has to sleep, or waits for a snapshot, keeps what is behind it waiting.
 * Memory: little but what the connection needs for requests and replies that are under way.
 */
#ifndef TEMPEST_APPS_KV_CLIENT_H
#define TEMPEST_APPS_KV_CLIENT_H

#include "apps/kv/reply.h"
#include "apps/kv/resp.h"
#include "apps/kv/session.h"
#include "sm/connection.h"
#include "sm/wait.h"

struct kv_server;

enum {
    KV_CLIENT_MEMORY = 2048,
    KV_REQUEST_MAX = 64 << 20,  /* bytes of one request */
    KV_OUTPUT_HIGH = 256 << 10, /* replies not sent, before requests wait */
};

enum kv_client_state {
    KV_CLIENT_NEW,
    KV_CLIENT_SERVING,
    KV_CLIENT_STUCK,    /* the request waits for room in the log */
    KV_CLIENT_SOON,     /* there is much to do for it: it goes on in the next tick */
    KV_CLIENT_SLEEPING, /* the last reply waits for a time */
    KV_CLIENT_SAVING,   /* ... or for the end of a snapshot */
    KV_CLIENT_CLOSING,
};

struct kv_client {
    struct tp_machine machine;
    struct kv_server *server;
    struct kv_client *next, *previous; /* of the server's, in no order */
    enum kv_client_state state;
    bool admitted;   /* it has a session */
    uint32_t wanted; /* bytes of the request that is not complete, or 1 */
    struct kv_session session;
    struct kv_resp resp;
    struct kv_reply late; /* the reply that waits while sleeping or saving */
    uint64_t late_lsn;    /* what it waits for besides */
    uint64_t snapshot;    /* saving: its number */
    struct tp_waiter durable, room, saved;
    struct tp_op peer_op, local_op, option_op, sleep_op;
    struct tp_address peer, local;
    struct tp_connection connection;
    uint8_t memory[KV_CLIENT_MEMORY];
};

/** Prepares the client of a new connection; the listener starts its machine. `options` are
 * those of all connections of that listener. */
void kv_client_init(struct kv_client *client, struct kv_server *server, struct tp_fd fd,
                    const struct tp_connection_options *options);

enum tp_step kv_client_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** Frees what a client has when its scheduler has crashed; one that has ended has nothing.
 */
void kv_client_deinit(struct kv_client *client);

#endif
