/* A service as one writes it: sm's listener, and its connection, through which bytes are
 * copied once. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/tempest.h"
#include "sm/connection.h"
#include "sm/listener.h"

enum { MEMORY_BYTES = 2048 };

struct guest {
    struct tp_machine machine;
    struct tp_connection connection;
    const uint8_t *bytes;
    int32_t len;
    uint8_t memory[MEMORY_BYTES];
};

struct house {
    struct tp_machine machine;
    const struct bench_echo *echo;
    struct tp_listener listener;
    struct tp_listener_config config;
    struct tp_op listening;
    struct tp_result result;
    uint32_t started, gone;
    int32_t error; /* the first */
    struct guest guests[];
};

/* ------------------------------------------------------------------ a connection */

static enum tp_step guest_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct guest *g = tp_container_of(machine, struct guest, machine);
    struct tp_connection *c = &g->connection;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (g->len = tp_connection_peek(cx, c, 1, &g->bytes)) != -EAGAIN);
        if (g->len <= 0)
            break;
        (void)tp_connection_write(c, g->bytes, (uint32_t)g->len);
        tp_connection_consume(c, (uint32_t)g->len);
    }
    TP_AWAIT_UNTIL(cx, tp_connection_close(cx, c));
    return tp_end(machine, c->error);
    TP_END(cx);
}

static struct tp_machine *guest_spawn(void *context, struct tp_fd fd)
{
    struct house *house = context;
    struct guest *g = &house->guests[house->started];

    if (house->started == house->echo->connections)
        return NULL;
    house->started++;
    tp_connection_init(&g->connection, fd, g->memory, sizeof g->memory, NULL);
    return &g->machine;
}

static void guest_ended(void *context, struct tp_machine *machine)
{
    struct house *house = context;

    if (machine->result < 0 && house->error == 0)
        house->error = machine->result;
    if (++house->gone == house->echo->connections || house->error < 0)
        tp_wake(&house->machine);
}

/* ------------------------------------------------------------------ the service */

static void configure(struct house *house)
{
    house->config.address = tp_address_ipv4(127, 0, 0, 1, 0);
    house->config.options.no_delay = true;
    house->config.connections_max = house->echo->connections;
    house->config.tick = guest_tick;
    house->config.spawn = guest_spawn;
    house->config.ended = guest_ended;
    house->config.context = house;
}

static enum tp_step house_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct house *house = tp_container_of(machine, struct house, machine);
    int32_t ready;

    TP_BEGIN(cx);
    house->listening = tp_listener_start(cx, &house->listener, &house->config);
    TP_AWAIT_UNTIL(cx, tp_listener_ready(&house->listener) != -EAGAIN);
    ready = tp_listener_ready(&house->listener);
    if (ready == 0)
        ready = bench_echo_tell(house->echo, house->listener.address.port);
    if (ready < 0)
        house->error = ready;
    TP_AWAIT_UNTIL(cx, house->error < 0 || house->gone == house->echo->connections);
    tp_listener_stop(&house->listener, house->error < 0 ? 0 : TP_NEVER);
    TP_AWAIT(cx, house->listening, &house->result);
    if (house->error == 0)
        house->error = house->result.value;
    return tp_end(machine, house->error);
    TP_END(cx);
}

int bench_echo_connection(const struct bench_echo *echo)
{
    struct house *house =
        calloc(1, sizeof *house + echo->connections * sizeof house->guests[0]);
    int result;

    if (house == NULL)
        return -ENOMEM;
    house->echo = echo;
    configure(house);
    result = bench_echo_run(echo, &house->machine, house_tick);
    free(house);
    return result;
}
