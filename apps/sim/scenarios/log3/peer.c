/* The way to another node: a connection that is made again whenever it has ended. Nothing
 * is said on it but by this side. What finds no connection is not said: raft.h says it
 * again.
 */
#include <errno.h>

#include "apps/sim/scenarios/log3/server.h"
#include "io/mark.h"
#include "runtime/await.h"
#include "runtime/operations.h"

/* A node that says nothing, or takes nothing, for so long is given up. Those who follow
 * have little to say to each other, and their connections are made anew in between. */
#define SILENCE_NS UINT64_C(5000000000)

static const struct tp_connection_options options = {.idle_ns = SILENCE_NS};

static struct tp_op connect(struct tp_ctx *cx, struct log3_peer *peer)
{
    struct tp_socket_options socket = {.no_delay = true};

    return tp_deadline(cx, tp_connect(cx, &peer->address, socket), LOG3_QUORUM_NS);
}

static void begin(struct log3_peer *peer, struct tp_fd fd)
{
    tp_connection_init(&peer->connection, fd, peer->memory, sizeof peer->memory, &options);
    peer->is_connected = true;
}

static void end(struct log3_peer *peer)
{
    tp_connection_abort(&peer->connection, -ECONNABORTED);
    peer->is_connected = false;
}

enum tp_step log3_peer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_peer *peer = tp_container_of(machine, struct log3_peer, machine);
    struct tp_connection *connection = &peer->connection;
    struct tp_result result;

    TP_BEGIN(cx);
    while (!tp_cancelled(cx)) {
        TP_AWAIT(cx, connect(cx, peer), &result);
        if (result.value >= 0) {
            begin(peer, tp_into_fd(cx, result));
            TP_AWAIT_UNTIL(cx, (peer->rc = tp_connection_peek(cx, connection, 1,
                                                              &peer->bytes)) != -EAGAIN);
            end(peer);
            TP_AWAIT_UNTIL(cx, tp_connection_close(cx, connection));
        }
        TP_AWAIT(cx, tp_timer(cx, LOG3_BEAT_NS), &result);
    }
    return tp_end(machine, -ECANCELED);
    TP_END(cx);
}
