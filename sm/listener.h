/** sm/listener.h - accepts connections, and runs a machine of yours for each.
 *
 *     m->listener_end = tp_listener_start(cx, &m->listener, &config);
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_listener_ready(&m->listener)) != -EAGAIN);
 *     ...
 *     TP_AWAIT(cx, tp_signal(cx, TP_SIGNAL_TERM | TP_SIGNAL_INT), &result);
 *     tp_listener_stop(&m->listener, UINT64_C(5000000000));
 *     TP_AWAIT(cx, m->listener_end, &result);
 *
 * Each connection's machine is a child of the listener; its memory comes from `spawn` and
 * goes to `ended`, so the pool is yours.
 *
 * The limit: at most connections_max machines run. When they do, no connection is accepted;
 * the system keeps those that come (its backlog), and it goes on when one has ended. What
 * one burst of the system brought beyond the limit waits here, accepted and in order; where
 * descriptors are short, see one_by_one.
 *
 * Errors of the system (no descriptor or memory left) are waited out: accepting stops and
 * begins again after 10 ms, then twice as long each time, 1 s at most, or when a connection
 * has ended. Errors that will not go away (-EBADF, -EINVAL) end it as tp_listener_stop()
 * does, without grace.
 *
 * Graceful stop: tp_listener_stop() closes the socket, sets `stopping` and wakes all
 * machines. They finish what is in hand and end (a tp_connection whose options.stop is
 * &listener->stopping does). Those that have not ended by the deadline are cancelled. Then
 * the listener ends.
 *
 * Cancelled, it cancels its machines, and ends when they have.
 *
 * The name of a Unix socket stays when it has ended, and must not be there when it starts:
 * remove it (tp_remove()) before, when nobody else can be listening.
 */
#ifndef TEMPEST_SM_LISTENER_H
#define TEMPEST_SM_LISTENER_H

#include "../runtime/operations.h"

struct tp_listener;

/** `address`, `tick`, `spawn` are needed. */
struct tp_listener_config {
    uint32_t size;            /* of this struct; 0: as in version 0.1 */
    uint32_t connections_max; /* 0: 1024 */
    uint32_t ops_each;   /* operations that a connection's machine has at a time; with fewer
                            free (tp_room()) none is started; 0: 8 */
    uint32_t one_by_one; /* not 0: no connection is accepted beyond the limit, not even by a
                            burst, at the price of an operation for each */
    struct tp_address address;
    struct tp_socket_options options; /* of the listening socket, and of those that come of
                                         it; backlog 0: 4096 */
    tp_tick_fn *tick;                 /* of each connection's machine */
    const char *name;                 /* of these machines; NULL: "connection" */
    /* Gives the machine of a new connection, which takes `fd` over; its tick will be called
     * in this iteration. NULL: no, and the connection is closed. */
    struct tp_machine *(*spawn)(void *context, struct tp_fd fd);
    /* The machine has ended, with machine->result: the memory is yours. NULL: not wanted.
     */
    void (*ended)(void *context, struct tp_machine *machine);
    void *context;
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
};

struct tp_listener_stats {
    uint64_t accepted;
    uint64_t started;   /* machines */
    uint64_t refused;   /* closed: spawn gave none, or a stop came first */
    uint64_t errors;    /* of accept */
    uint64_t back_offs; /* times it waited after one */
    uint64_t pauses;    /* times it stopped accepting because of the limit */
    uint64_t cancelled; /* machines that the deadline of a stop met */
    uint32_t connections, connections_max; /* running now; high-water mark */
    uint32_t waiting_max;                  /* most that waited here, accepted */
    int32_t last_error;                    /* of accept; 0: none yet */
};

/** A connection that has a machine. */
struct tp_listener_child {
    struct tp_machine *machine; /* NULL: the entry is free */
    struct tp_op op;
    uint32_t next_free;
    uint32_t reserved;
};

enum tp_listener_phase {
    TP_LISTENER_OPENING,
    TP_LISTENER_OPEN,
    TP_LISTENER_STOPPING,
    TP_LISTENER_ENDED,
};

/** Embed it; read `stopping`, `address` and `stats`; the rest is internal. */
struct tp_listener {
    struct tp_machine machine;
    bool stopping; /* a machine without work in hand is to end */
    uint8_t phase; /* enum tp_listener_phase */
    bool opened;   /* it has listened */
    bool many;     /* accept_op is a multishot */
    bool pausing;  /* accepting was asked to stop */
    bool late;     /* the machines were cancelled */
    bool regraced; /* stop_ns is news */
    bool crowded;  /* there was no room for operations */
    struct tp_address
        address; /* where it listens, once it is ready: port 0 has become one */
    struct tp_listener_stats stats;
    struct tp_listener_config config; /* with the defaults filled in */
    struct tp_machine *parent;
    struct tp_fd fd;
    int32_t result;    /* what it will end with */
    uint32_t failures; /* of accept, in a row */
    struct tp_op open_op, accept_op, timer_op;
    uint64_t stop_ns; /* the grace of a stop */
    uint64_t due_ns;  /* when that is over */
    struct tp_listener_child *children;
    uint32_t child_free;   /* list of entries, 1 + index; 0: none */
    uint32_t child_fresh;  /* entries from here on were never used */
    struct tp_fd *waiting; /* a ring: accepted, no machine yet */
    uint32_t waiting_first, waiting_count, waiting_capacity;
};

TP_BEGIN_DECLS

/** Starts it as a child of the machine of `cx`. Completes at the end: with 0 when all
 * connections had ended in time; -ETIMEDOUT: some were cancelled; -ECANCELED; the error of
 * listen (-EADDRINUSE, ...), -ENOMEM; or the one that ended accepting. */
TP_EXPORT struct tp_op tp_listener_start(struct tp_ctx *cx, struct tp_listener *listener,
                                         const struct tp_listener_config *config);

/** 0: it listens. -EAGAIN: not yet; ask again when woken. Else it has failed. */
TP_EXPORT int32_t tp_listener_ready(const struct tp_listener *listener);

/** Stops as told above; `grace_ns` 0: cancels at once, TP_NEVER: waits for ever. A second
 * call may shorten it. Nothing happens when it has ended. */
TP_EXPORT void tp_listener_stop(struct tp_listener *listener, uint64_t grace_ns);

/** Gives the memory back that a listener has when its scheduler has crashed; one that has
 * ended has none. */
TP_EXPORT void tp_listener_deinit(struct tp_listener *listener);

TP_END_DECLS

#define tp_listener_start(cx, ...) tp_listener_start(TP_HERE(cx), __VA_ARGS__)

#endif
