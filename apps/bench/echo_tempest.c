/* Machines: one that accepts, and one for each connection, which sends every receive buffer
 * from where it lies and then gives it back. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tempest.h"

enum { HELD_FEW = 8 };

struct door;

/* A connection. Received buffers wait in a ring; the first one is being sent. */
struct visitor {
    struct tp_machine machine;
    struct door *door;
    struct tp_fd fd;
    struct tp_op receiving, sending, closing;
    bool begun;
    struct tp_buf **held;
    uint32_t first, count, capacity; /* capacity: a power of two */
};

struct door {
    struct tp_machine machine;
    const struct bench_echo *echo;
    struct tp_address address;
    struct tp_fd listener;
    struct tp_op accepting;
    struct tp_result result;
    uint32_t accepted, gone;
    int32_t error; /* the first */
    struct visitor visitors[];
};

static void fail(struct door *door, int32_t error)
{
    if (door->error == 0)
        door->error = error;
    tp_machine_cancel(&door->machine);
}

/* ------------------------------------------------------------------ a connection */

static struct tp_buf **place(struct visitor *v, uint32_t at)
{
    return &v->held[(v->first + at) & (v->capacity - 1)];
}

static void send_first(struct visitor *v, struct tp_ctx *cx)
{
    v->sending = tp_send(cx, v->fd, *place(v, 0));
}

static void drop_first(struct visitor *v, struct tp_ctx *cx)
{
    tp_give_back(cx, *place(v, 0));
    v->first++;
    v->count--;
}

static void on_sent(struct visitor *v, struct tp_ctx *cx, int32_t value)
{
    struct tp_buf *buf = *place(v, 0);

    v->sending = tp_no_op();
    if (value < 0) {
        fail(v->door, value);
        while (v->count > 0)
            drop_first(v, cx);
        return;
    }
    *buf = tp_buf_from(buf, (uint32_t)value);
    if (buf->len == 0)
        drop_first(v, cx);
    if (v->count > 0)
        send_first(v, cx);
}

/* Room for twice as many: all the Io's buffers may come to one that does not read. */
static bool grow(struct visitor *v)
{
    uint32_t capacity = v->capacity == 0 ? HELD_FEW : 2 * v->capacity;
    struct tp_buf **held = malloc(capacity * sizeof(struct tp_buf *));

    if (held == NULL)
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        held[i] = *place(v, i);
    free(v->held);
    v->held = held;
    v->first = 0;
    v->capacity = capacity;
    return true;
}

static void on_received(struct visitor *v, struct tp_ctx *cx, struct tp_buf *buf)
{
    if (v->count == v->capacity && !grow(v)) {
        tp_give_back(cx, buf);
        fail(v->door, -ENOMEM);
        return;
    }
    *place(v, v->count++) = buf;
    if (v->count == 1)
        send_first(v, cx);
}

static enum tp_step visitor_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct visitor *v = tp_container_of(machine, struct visitor, machine);
    struct tp_result result;

    if (!v->begun) {
        v->begun = true;
        v->receiving = tp_recv_many(cx, v->fd);
        return TP_WAIT;
    }
    while (tp_next_cqe(cx, &result)) {
        if (result.op.handle == v->sending.handle) {
            on_sent(v, cx, result.value);
        } else if (result.buf != NULL) {
            on_received(v, cx, result.buf);
        } else if (result.op.handle == v->receiving.handle) {
            v->receiving = tp_no_op();
            if (result.value < 0)
                fail(v->door, result.value);
        } else {
            tp_assert(result.op.handle == v->closing.handle);
            if (++v->door->gone == v->door->accepted)
                tp_wake(&v->door->machine);
            return tp_end(machine, 0);
        }
    }
    if (!tp_op_is_some(v->receiving) && v->count == 0 && !tp_op_is_some(v->closing))
        v->closing = tp_close(cx, v->fd);
    return TP_WAIT;
}

/* ------------------------------------------------------------------ who accepts */

static void welcome(struct door *door, struct tp_ctx *cx, struct tp_fd fd)
{
    struct visitor *v = &door->visitors[door->accepted];

    tp_assert(door->accepted < door->echo->connections);
    v->door = door;
    v->fd = fd;
    door->accepted++;
    tp_spawn(cx->scheduler, &v->machine, visitor_tick, "visitor");
}

static enum tp_step door_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct door *door = tp_container_of(machine, struct door, machine);
    const struct tp_socket_options options = {.no_delay = true};

    TP_BEGIN(cx);
    door->address = tp_address_ipv4(127, 0, 0, 1, 0);
    TP_AWAIT(cx, tp_listen(cx, &door->address, options), &door->result);
    if (door->result.value < 0)
        return tp_end(machine, door->result.value);
    door->listener = tp_into_fd(cx, door->result);
    TP_AWAIT(cx, tp_local_address(cx, door->listener, &door->address), &door->result);
    if (door->result.value == 0)
        door->result.value = bench_echo_tell(door->echo, door->address.port);
    if (door->result.value < 0)
        fail(door, door->result.value); /* and what follows is cancelled */
    door->accepting = tp_accept_many(cx, door->listener);
    for (;;) {
        TP_AWAIT_NEXT(cx, &door->result);
        if ((door->result.flags & TP_MORE) == 0)
            break;
        welcome(door, cx, tp_into_fd(cx, door->result));
        if (door->accepted == door->echo->connections)
            tp_cancel(cx, door->accepting);
    }
    if (door->result.value < 0 && door->accepted < door->echo->connections)
        fail(door, door->result.value);
    TP_AWAIT_UNTIL(cx, door->error < 0 || door->gone == door->accepted);
    for (uint32_t i = 0; door->error < 0 && i < door->accepted; i++)
        tp_machine_cancel(&door->visitors[i].machine);
    TP_AWAIT_UNTIL(cx, door->gone == door->accepted);
    TP_AWAIT(cx, tp_close(cx, door->listener), &door->result);
    return tp_end(machine, door->error);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the server */

int bench_echo_run(const struct bench_echo *echo, struct tp_machine *machine,
                   tp_tick_fn *tick)
{
    const struct bench_io_wants wants = {.ops_max = 16 * echo->connections + 64,
                                         .recv_buf_count = echo->buf_count,
                                         .recv_buf_size = BENCH_ECHO_BUF_BYTES,
                                         .files_max = echo->connections};
    struct tp_scheduler *scheduler = NULL;
    struct tp_io *io = NULL;
    int result = echo->options->make_io(echo->options, &wants, &io);

    if (result == 0) {
        scheduler = tp_scheduler_create(io, wants.ops_max);
        result = scheduler == NULL ? -ENOMEM : 0;
    }
    if (result == 0) {
        tp_spawn(scheduler, machine, tick, "server");
        result = tp_scheduler_run(scheduler);
        if (result == 0)
            result = machine->result;
    }
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return result;
}

int bench_echo_tempest(const struct bench_echo *echo)
{
    struct door *door =
        calloc(1, sizeof *door + echo->connections * sizeof door->visitors[0]);
    int result;

    if (door == NULL)
        return -ENOMEM;
    door->echo = echo;
    result = bench_echo_run(echo, &door->machine, door_tick);
    for (uint32_t i = 0; i < door->accepted; i++)
        free(door->visitors[i].held);
    free(door);
    return result;
}
