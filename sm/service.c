#include "sm/service.h"

#include <errno.h>

#include "runtime/await.h"

enum { BUFFER_BYTES = 4096, ALIGN = 64 };

#define GRACE_NS UINT64_C(10000000000)

static uint32_t block_bytes(const struct tp_service *service)
{
    return service->config.client_bytes + service->config.buffer_bytes;
}

static struct tp_machine *spawn_client(void *context, struct tp_fd fd)
{
    struct tp_service *service = context;
    const struct tp_service_config *config = &service->config;
    struct tp_client *client = tp_alloc(config->allocator, block_bytes(service), ALIGN);

    if (client == NULL)
        return NULL;
    client->service = service;
    tp_connection_init(&client->connection, fd, (uint8_t *)client + config->client_bytes,
                       config->buffer_bytes, &config->connection);
    return &client->machine;
}

static void free_client(void *context, struct tp_machine *machine)
{
    struct tp_service *service = context;

    tp_free(service->config.allocator, tp_client_of(machine), block_bytes(service), ALIGN);
}

static struct tp_op listen(struct tp_ctx *cx, struct tp_service *service)
{
    const struct tp_service_config *config = &service->config;
    struct tp_listener_config listener = {.connections_max = config->connections_max,
                                          .address = config->address,
                                          .options = config->options,
                                          .tick = config->tick,
                                          .name = config->name,
                                          .spawn = spawn_client,
                                          .ended = free_client,
                                          .context = service,
                                          .allocator = config->allocator};

    return tp_listener_start(cx, &service->listener, &listener);
}

static enum tp_step service_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_service *service = tp_container_of(machine, struct tp_service, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    service->listener_op = listen(cx, service);
    if (service->config.stop_signals != 0)
        service->signal_op = tp_signal(cx, service->config.stop_signals);
    if (service->early)
        tp_listener_stop(&service->listener, 0);
    TP_AWAIT_UNTIL(cx, tp_service_ready(service) != -EAGAIN);
    if (service->parent != NULL)
        tp_wake(service->parent);
    TP_AWAIT_NEXT(cx, &result);
    if (result.op.handle == service->listener_op.handle) {
        tp_abandon(cx, service->signal_op);
        return tp_end(machine, result.value);
    }
    service->signal = result.value;
    tp_listener_stop(&service->listener, result.value < 0 ? 0 : service->config.grace_ns);
    TP_AWAIT(cx, service->listener_op, &result);
    return tp_end(machine, service->signal < 0 ? service->signal : result.value);
    TP_END(cx);
}

static void fill(struct tp_service *service, const struct tp_service_config *config)
{
    struct tp_service fresh = {.config = *config};
    struct tp_service_config *filled = &fresh.config;

    tp_assert(config->size == 0 || config->size == sizeof *config);
    tp_assert(config->tick != NULL);
    tp_assert(config->client_bytes == 0 ||
              config->client_bytes >= sizeof(struct tp_client));
    tp_assert(!tp_machine_alive(&service->machine));
    if (filled->client_bytes == 0)
        filled->client_bytes = (uint32_t)sizeof(struct tp_client);
    if (filled->buffer_bytes == 0)
        filled->buffer_bytes = BUFFER_BYTES;
    if (filled->name == NULL)
        filled->name = "client";
    if (filled->grace_ns == 0)
        filled->grace_ns = GRACE_NS;
    filled->connection.stop = &service->listener.stopping;
    filled->connection.allocator = config->allocator;
    *service = fresh;
}

struct tp_op(tp_service_start)(struct tp_ctx *cx, struct tp_service *service,
                               const struct tp_service_config *config)
{
    fill(service, config);
    service->parent = cx->self;
    return (tp_start)(cx, &service->machine, service_tick, "service");
}

void tp_service_spawn(struct tp_scheduler *scheduler, struct tp_service *service,
                      const struct tp_service_config *config)
{
    fill(service, config);
    tp_spawn(scheduler, &service->machine, service_tick, "service");
}

void tp_service_stop(struct tp_service *service, uint64_t grace_ns)
{
    service->early = true;
    tp_listener_stop(&service->listener, grace_ns);
}

void tp_service_deinit(struct tp_service *service)
{
    struct tp_listener *listener = &service->listener;

    for (uint32_t i = 0; i < listener->child_fresh; i++) {
        struct tp_machine *machine = listener->children[i].machine;

        if (machine == NULL)
            continue;
        tp_connection_deinit(&tp_client_of(machine)->connection);
        free_client(service, machine);
    }
    tp_listener_deinit(listener);
}

enum tp_step tp_client_end(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_connection *connection = &tp_client_of(machine)->connection;

    if (!tp_connection_close(cx, connection))
        return TP_WAIT;
    return tp_end(machine, connection->error);
}
