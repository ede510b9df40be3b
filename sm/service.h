/** sm/service.h - a whole service around one function: what to do when a client has sent
 * something.
 *
 *     static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
 *     {
 *         struct tp_connection *c = &tp_client_of(machine)->connection;
 *         ... peek, write, consume, until it is -EAGAIN ...
 *         return tp_client_end(machine, cx);
 *     }
 *
 *     struct tp_service_config config = {.address = tp_address_ipv4(127, 0, 0, 1, 7777),
 *                                        .tick = client_tick,
 *                                        .stop_signals = TP_SIGNAL_TERM | TP_SIGNAL_INT};
 *     tp_service_spawn(scheduler, &service, &config);
 *     tp_scheduler_run(scheduler);
 *
 * A listener (listener.h) whose connections' machines begin with a struct tp_client: the
 * machine and its connection (connection.h), in memory that the service asks of the
 * allocator when one comes and gives back when it has ended. Stops in order on a signal, or
 * by tp_service_stop().
 *
 * Signals must be blocked by the program before (sigprocmask(2)), or the service ends with
 * -EINVAL.
 */
#ifndef TEMPEST_SM_SERVICE_H
#define TEMPEST_SM_SERVICE_H

#include "connection.h"
#include "listener.h"

struct tp_service;

/** What a client's machine begins with. */
struct tp_client {
    struct tp_machine machine;
    struct tp_connection connection;
    struct tp_service *service;
};

/** `address` and `tick` are needed. */
struct tp_service_config {
    uint32_t size;            /* of this struct; 0: as in version 0.1 */
    uint32_t connections_max; /* 0: 1024 */
    uint32_t client_bytes;    /* of your struct, which begins with a struct tp_client; 0: it
                                 is just that */
    uint32_t buffer_bytes;    /* of each connection's own memory; 0: 4096 */
    struct tp_address address;
    struct tp_socket_options options;
    tp_tick_fn *tick; /* of a client's machine; the struct is zeroed but for tp_client */
    const char *name; /* of these machines; NULL: "client" */
    struct tp_connection_options connection; /* stop, allocator: set by the service */
    uint32_t stop_signals; /* enum tp_signal, a set: they stop it; 0: none */
    uint32_t reserved;
    uint64_t grace_ns;                    /* of such a stop; 0: 10 s */
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
};

/** Embed it, in the struct of what all clients share; read `listener`; the rest is
 * internal.
 */
struct tp_service {
    struct tp_machine machine;
    struct tp_listener listener;
    struct tp_service_config config; /* with the defaults filled in */
    struct tp_machine *parent;       /* NULL: none */
    struct tp_op listener_op, signal_op;
    int32_t signal; /* that stopped it, or why there is none */
    bool early;     /* it was stopped before it began */
};

TP_BEGIN_DECLS

/** Starts it as a child. Completes as tp_listener_start() does. */
TP_EXPORT struct tp_op tp_service_start(struct tp_ctx *cx, struct tp_service *service,
                                        const struct tp_service_config *config);

/** The same without a parent: service->machine.result is the result, in the end. */
TP_EXPORT void tp_service_spawn(struct tp_scheduler *scheduler, struct tp_service *service,
                                const struct tp_service_config *config);

/** 0: it listens, at service->listener.address. -EAGAIN: not yet; its parent is woken. Else
 * it has failed. */
static inline int32_t tp_service_ready(const struct tp_service *service)
{
    return tp_listener_ready(&service->listener);
}

/** Stops in order; see tp_listener_stop(). */
TP_EXPORT void tp_service_stop(struct tp_service *service, uint64_t grace_ns);

/** Gives the memory back that a service has when its scheduler has crashed, all clients'
 * included; one that has ended, or never began, has none. */
TP_EXPORT void tp_service_deinit(struct tp_service *service);

/** The client whose machine it is. */
static inline struct tp_client *tp_client_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct tp_client, machine);
}

/** Closes the connection, and ends the machine with its error when that is done: for a tick
 * to return, again and again, once the client is finished with. */
TP_EXPORT enum tp_step tp_client_end(struct tp_machine *machine, struct tp_ctx *cx);

TP_END_DECLS

#define tp_service_start(cx, ...) tp_service_start(TP_HERE(cx), __VA_ARGS__)

#endif
