#include "sm/listener.h"

#include <errno.h>

#include "sm/retry.h"

enum {
    CONNECTIONS_MAX = 1024,
    OPS_EACH = 8,
    BACKLOG = 4096,
    MANY_ROOM = 64, /* below, connections are accepted one by one: none too many */
    ABORTED_MAX =
        16, /* in a row, of connections that were gone before they were accepted */
    ALIGN = 64,
};

#define DELAY_NS_FIRST UINT64_C(10000000)
#define DELAY_NS_MAX   UINT64_C(1000000000)

/* ------------------------------------------------------------------ memory */

static bool take_memory(struct tp_listener *l)
{
    uint32_t children = l->config.connections_max;

    l->children = tp_alloc(l->config.allocator, children * sizeof *l->children, ALIGN);
    l->waiting =
        tp_alloc(l->config.allocator, l->waiting_capacity * sizeof *l->waiting, ALIGN);
    return l->children != NULL && l->waiting != NULL;
}

void tp_listener_deinit(struct tp_listener *listener)
{
    struct tp_listener *l = listener;

    tp_free(l->config.allocator, l->children,
            l->config.connections_max * sizeof *l->children, ALIGN);
    tp_free(l->config.allocator, l->waiting, l->waiting_capacity * sizeof *l->waiting,
            ALIGN);
    l->children = NULL;
    l->waiting = NULL;
    l->child_fresh = l->child_free = 0;
}

/* ------------------------------------------------------------------ connections */

static void push_waiting(struct tp_ctx *cx, struct tp_listener *l, struct tp_fd fd)
{
    if (l->waiting_count == l->waiting_capacity) {
        l->stats.refused++;
        tp_detach(cx, tp_close(cx, fd));
        return;
    }
    l->waiting[(l->waiting_first + l->waiting_count++) % l->waiting_capacity] = fd;
    if (l->waiting_count > l->stats.waiting_max)
        l->stats.waiting_max = l->waiting_count;
}

static struct tp_fd pop_waiting(struct tp_listener *l)
{
    struct tp_fd fd = l->waiting[l->waiting_first];

    tp_assert(l->waiting_count > 0);
    l->waiting_first = (l->waiting_first + 1) % l->waiting_capacity;
    l->waiting_count--;
    return fd;
}

static void refuse_waiting(struct tp_ctx *cx, struct tp_listener *l)
{
    while (l->waiting_count > 0) {
        l->stats.refused++;
        tp_detach(cx, tp_close(cx, pop_waiting(l)));
    }
}

/* An entry's number, from 1. There is one, since connections are counted. */
static uint32_t take_child(struct tp_listener *l)
{
    uint32_t number = l->child_free;

    if (number != 0)
        l->child_free = l->children[number - 1].next_free;
    else
        number = ++l->child_fresh;
    tp_assert(number <= l->config.connections_max);
    return number;
}

static void start(struct tp_ctx *cx, struct tp_listener *l, struct tp_fd fd)
{
    struct tp_machine *machine = l->config.spawn(l->config.context, fd);
    uint32_t number;

    if (machine == NULL) {
        l->stats.refused++;
        tp_detach(cx, tp_close(cx, fd));
        return;
    }
    number = take_child(l);
    l->children[number - 1].machine = machine;
    l->children[number - 1].op =
        tp_tag(cx, tp_start(cx, machine, l->config.tick, l->config.name), number);
    l->stats.started++;
    if (++l->stats.connections > l->stats.connections_max)
        l->stats.connections_max = l->stats.connections;
}

/* Those just started have not yet begun the operations that they will have. */
static void start_waiting(struct tp_ctx *cx, struct tp_listener *l)
{
    uint32_t started = 0;

    l->crowded = false;
    while (l->waiting_count > 0 && l->stats.connections < l->config.connections_max) {
        if (tp_room(cx) / l->config.ops_each <= started) {
            l->crowded = true;
            return;
        }
        start(cx, l, pop_waiting(l));
        started++;
    }
}

static void end_child(struct tp_listener *l, const struct tp_result *result)
{
    struct tp_listener_child *child = &l->children[result->tag - 1];
    struct tp_machine *machine = child->machine;

    tp_assert(result->tag <= l->config.connections_max && machine != NULL);
    child->machine = NULL;
    child->op = tp_no_op();
    child->next_free = l->child_free;
    l->child_free = (uint32_t)result->tag;
    tp_assert(l->stats.connections > 0);
    l->stats.connections--;
    if (l->config.ended != NULL)
        l->config.ended(l->config.context, machine);
}

/* ------------------------------------------------------------------ accepting */

static bool is_exhausted(int32_t error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

/* The socket is none any more that takes connections. */
static bool is_permanent(int32_t error)
{
    return error == -EBADF || error == -EINVAL || error == -ENOTSOCK ||
           error == -EOPNOTSUPP;
}

static void back_off(struct tp_ctx *cx, struct tp_listener *l, uint32_t number)
{
    if (tp_op_is_some(l->timer_op))
        return;
    l->stats.back_offs++;
    l->timer_op =
        tp_timer(cx, tp_backoff_ns(DELAY_NS_FIRST, DELAY_NS_MAX, number, tp_random(cx)));
}

static void note_error(struct tp_ctx *cx, struct tp_listener *l, int32_t error)
{
    l->stats.errors++;
    l->stats.last_error = error;
    l->failures++;
    if (is_permanent(error)) {
        l->result = error;
        tp_listener_stop(l, 0);
    } else if (is_exhausted(error) || l->failures > ABORTED_MAX) {
        back_off(cx, l, l->failures - 1);
    }
}

static void note_accepted(struct tp_ctx *cx, struct tp_listener *l,
                          const struct tp_result *result)
{
    bool last = (result->flags & TP_MORE) == 0;

    if (last)
        l->accept_op = tp_no_op();
    if (result->value >= 0 && !(last && l->many)) {
        l->failures = 0;
        l->stats.accepted++;
        push_waiting(cx, l, tp_into_fd(cx, *result));
        return;
    }
    if (result->value < 0 && !(l->pausing && result->value == -ECANCELED) &&
        !tp_cancelled(cx))
        note_error(cx, l, result->value);
    l->pausing = false;
}

/* Accepts while there is room, after an error when it is time again. */
static void steer_accepting(struct tp_ctx *cx, struct tp_listener *l)
{
    uint32_t taken = l->stats.connections + l->waiting_count;
    uint32_t room =
        taken < l->config.connections_max ? l->config.connections_max - taken : 0;

    if (l->crowded)
        room = 0;
    if (tp_op_is_some(l->accept_op)) {
        if (l->many && room == 0 && !l->pausing) {
            l->pausing = true;
            l->stats.pauses++;
            tp_cancel(cx, l->accept_op);
        }
        return;
    }
    if (l->crowded)
        back_off(cx, l, 0);
    if (room == 0 || tp_op_is_some(l->timer_op))
        return;
    l->many = room >= MANY_ROOM && l->config.one_by_one == 0;
    l->accept_op = l->many ? tp_accept_many(cx, l->fd) : tp_accept(cx, l->fd);
}

/* ------------------------------------------------------------------ start and stop */

static void opened(struct tp_ctx *cx, struct tp_listener *l, const struct tp_result *result)
{
    l->open_op = tp_no_op();
    if (result->value < 0) {
        l->result = result->value;
        l->stopping = true;
        return;
    }
    if (!tp_fd_is_some(l->fd)) {
        l->fd = tp_into_fd(cx, *result);
        l->open_op = tp_local_address(cx, l->fd, &l->address);
        return;
    }
    l->phase = TP_LISTENER_OPEN;
    l->opened = true;
    tp_wake(l->parent);
}

static void abandon(struct tp_ctx *cx, struct tp_op *op)
{
    tp_abandon(cx, *op);
    *op = tp_no_op();
}

static void begin_stop(struct tp_ctx *cx, struct tp_listener *l)
{
    l->phase = TP_LISTENER_STOPPING;
    l->stopping = true;
    abandon(cx, &l->open_op);
    abandon(cx, &l->accept_op);
    abandon(cx, &l->timer_op);
    refuse_waiting(cx, l);
    if (tp_fd_is_some(l->fd))
        tp_detach(cx, tp_close(cx, l->fd));
    for (uint32_t i = 0; i < l->child_fresh; i++) {
        if (l->children[i].machine != NULL && tp_machine_alive(l->children[i].machine))
            tp_wake(l->children[i].machine);
    }
}

static void set_grace(struct tp_ctx *cx, struct tp_listener *l)
{
    uint64_t now = tp_now_ns(cx);
    uint64_t due = l->stop_ns >= TP_NEVER - now ? TP_NEVER : now + l->stop_ns;

    l->regraced = false;
    if (due >= l->due_ns)
        return;
    l->due_ns = due;
    abandon(cx, &l->timer_op);
    l->timer_op = tp_timer(cx, l->stop_ns);
}

static void cancel_children(struct tp_ctx *cx, struct tp_listener *l)
{
    l->late = true;
    l->stats.cancelled = l->stats.connections;
    for (uint32_t i = 0; i < l->child_fresh; i++) {
        if (l->children[i].machine != NULL)
            tp_cancel(cx, l->children[i].op);
    }
    if (l->stats.cancelled > 0 && l->result == 0)
        l->result = -ETIMEDOUT;
}

/* Claims what has come. Whether the grace of a stop is over. */
static bool claim_all(struct tp_ctx *cx, struct tp_listener *l)
{
    bool stopping = l->phase == TP_LISTENER_STOPPING, over = false;
    struct tp_result result;

    while (tp_next_cqe(cx, &result)) {
        if (result.tag != 0) {
            end_child(l, &result);
            if (!stopping && is_exhausted(l->stats.last_error))
                abandon(cx, &l->timer_op); /* what was lacking may be there now */
        } else if (result.op.handle == l->accept_op.handle) {
            note_accepted(cx, l, &result);
        } else if (result.op.handle == l->timer_op.handle) {
            l->timer_op = tp_no_op();
            over = stopping && result.value == 0;
        } else {
            opened(cx, l, &result);
        }
    }
    return over;
}

static enum tp_step end(struct tp_ctx *cx, struct tp_listener *l)
{
    abandon(cx, &l->timer_op);
    tp_listener_deinit(l);
    l->phase = TP_LISTENER_ENDED;
    return tp_end(&l->machine, l->result);
}

static enum tp_step go_on_stopping(struct tp_ctx *cx, struct tp_listener *l, bool over)
{
    if (over && !l->late)
        cancel_children(cx, l);
    if (l->stats.connections == 0)
        return end(cx, l);
    if (l->regraced)
        set_grace(cx, l);
    return TP_WAIT;
}

static enum tp_step listener_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_listener *l = tp_container_of(machine, struct tp_listener, machine);
    bool over;

    if (l->children == NULL) {
        if (!take_memory(l)) {
            l->result = -ENOMEM;
            return end(cx, l);
        }
        l->open_op = tp_listen(cx, &l->config.address, l->config.options);
    }
    over = claim_all(cx, l);
    if (tp_cancelled(cx)) {
        l->stopping = true;
        if (l->result == 0)
            l->result = -ECANCELED;
    }
    if (l->stopping && l->phase != TP_LISTENER_STOPPING)
        begin_stop(cx, l);
    if (l->phase == TP_LISTENER_STOPPING)
        return go_on_stopping(cx, l, over);
    if (l->phase == TP_LISTENER_OPEN) {
        start_waiting(cx, l);
        steer_accepting(cx, l);
    }
    return TP_WAIT;
}

struct tp_op(tp_listener_start)(struct tp_ctx *cx, struct tp_listener *listener,
                                const struct tp_listener_config *config)
{
    struct tp_listener fresh = {.config = *config, .parent = cx->self, .due_ns = TP_NEVER};
    struct tp_listener_config *filled = &fresh.config;

    tp_assert(config->size == 0 || config->size == sizeof *config);
    tp_assert(config->tick != NULL && config->spawn != NULL);
    if (filled->connections_max == 0)
        filled->connections_max = CONNECTIONS_MAX;
    if (filled->ops_each == 0)
        filled->ops_each = OPS_EACH;
    if (filled->options.backlog == 0)
        filled->options.backlog = BACKLOG;
    if (filled->name == NULL)
        filled->name = "connection";
    fresh.waiting_capacity = 2 * (uint32_t)filled->options.backlog;
    tp_assert(!tp_machine_alive(&listener->machine));
    *listener = fresh;
    return (tp_start)(cx, &listener->machine, listener_tick, "listener");
}

int32_t tp_listener_ready(const struct tp_listener *listener)
{
    if (listener->opened)
        return 0;
    if (listener->phase == TP_LISTENER_OPENING)
        return -EAGAIN;
    return listener->result < 0 ? listener->result : -ECANCELED;
}

void tp_listener_stop(struct tp_listener *listener, uint64_t grace_ns)
{
    if (!tp_machine_alive(&listener->machine))
        return;
    listener->stopping = true;
    listener->stop_ns = grace_ns;
    listener->regraced = true;
    tp_wake(&listener->machine);
}
