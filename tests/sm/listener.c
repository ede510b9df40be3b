/** tests/sm/listener.c - a listener: its limit, errors of the system, stop and cancel. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "io/fd_table.h"
#include "runtime/scheduler.h"
#include "sm/listener.h"
#include "tests/common/manual_io.h"

#define MS UINT64_C(1000000)

enum { CHILDREN = 200, LISTENER_FD = 3, FIRST_FD = 10 };

static struct manual_io manual;
static struct tp_scheduler *scheduler;
static struct tp_listener listener;
static struct tp_listener_config config;

/* A connection's machine lives until it is told to end, and closes its fd. */
static struct child {
    struct tp_machine machine;
    struct tp_fd fd;
    bool used, finish, stubborn;
} children[CHILDREN];

static struct {
    struct tp_machine machine;
    struct tp_op listening;
    int32_t ready, result;
    uint32_t ready_ticks;
} parent;

static uint32_t running, ended_count, refuse_one_in, asked;

static enum tp_step child_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct child *c = tp_container_of(machine, struct child, machine);

    if (!c->finish && !tp_cancelled(cx) && (c->stubborn || !listener.stopping))
        return TP_WAIT;
    tp_detach(cx, tp_close(cx, c->fd));
    running--;
    return tp_end(machine, tp_cancelled(cx) ? -ECANCELED : 0);
}

static struct tp_machine *spawn(void *context, struct tp_fd fd)
{
    cr_assert(eq(ptr, context, &running));
    if (refuse_one_in != 0 && ++asked % refuse_one_in == 0)
        return NULL;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        if (children[i].used)
            continue;
        memset(&children[i], 0, sizeof children[i]);
        children[i].fd = fd;
        children[i].used = true;
        running++;
        return &children[i].machine;
    }
    return NULL;
}

static void ended(void *context, struct tp_machine *machine)
{
    struct child *c = tp_container_of(machine, struct child, machine);

    cr_assert(eq(ptr, context, &running));
    cr_assert(c->used);
    cr_assert(not(tp_machine_alive(machine)));
    c->used = false;
    ended_count++;
}

static enum tp_step parent_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    if (!tp_op_is_some(parent.listening))
        parent.listening = tp_listener_start(cx, &listener, &config);
    parent.ready = tp_listener_ready(&listener);
    parent.ready_ticks += parent.ready == 0;
    if (!tp_get_cqe(cx, parent.listening, &result))
        return TP_WAIT;
    return tp_end(machine, result.value);
}

/* ------------------------------------------------------------------ the world */

static void settle(void)
{
    while (tp_scheduler_tick(scheduler) == TP_PROGRESS) {
    }
}

static void set_up(void)
{
    struct tp_listener_config fresh = {.address = tp_address_ipv4(127, 0, 0, 1, 0),
                                       .connections_max = 100,
                                       .tick = child_tick,
                                       .spawn = spawn,
                                       .ended = ended,
                                       .context = &running};

    config = fresh;
    memset(&listener, 0, sizeof listener);
    memset(&parent, 0, sizeof parent);
    memset(children, 0, sizeof children);
    running = ended_count = refuse_one_in = asked = 0;
    manual_io_init(&manual);
    scheduler = tp_scheduler_create(&manual.io, 4096);
    cr_assert(ne(ptr, scheduler, NULL));
}

/* Closes are through. */
static void close_all(void)
{
    struct manual_op *op;

    while ((op = manual_find(&manual, TP_CLOSE)) != NULL)
        manual_complete(op, 0);
    settle();
}

static void come_to(enum tp_kind kind, int32_t value)
{
    manual_complete(manual_find(&manual, kind), value);
    settle();
}

static void listen_now(void)
{
    tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
    settle();
    cr_assert(eq(i32, parent.ready, -EAGAIN));
    come_to(TP_LISTEN, LISTENER_FD);
    come_to(TP_SOCKET_ADDRESS, 0);
    cr_assert(eq(i32, parent.ready, 0));
}

static bool is_accepting(void)
{
    return manual_find(&manual, TP_ACCEPT_MANY) != NULL ||
           manual_find(&manual, TP_ACCEPT) != NULL;
}

/* Connections that come at once. */
static uint32_t next_fd;

static void burst(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        manual_shot(&manual, manual_find(&manual, TP_ACCEPT_MANY),
                    (int32_t)(FIRST_FD + next_fd++));
    settle();
}

static void finish_one(void)
{
    for (uint32_t i = 0; i < CHILDREN; i++) {
        if (!children[i].used || children[i].finish)
            continue;
        children[i].finish = true;
        tp_wake(&children[i].machine);
        settle();
        return;
    }
    cr_fatal("none is left");
}

static void tear_down(void)
{
    close_all();
    cr_assert(not(tp_machine_alive(&parent.machine)));
    cr_assert(eq(u32, running, 0));
    cr_assert(eq(u32, listener.stats.connections, 0));
    cr_assert(eq(u64, ended_count, listener.stats.started));
    cr_assert(eq(u32, manual_pending(&manual), 0));
    cr_assert(eq(u32, manual.io.fds->open_count, 0));
    tp_scheduler_destroy(scheduler);
    manual_io_deinit(&manual);
    next_fd = 0;
}

TestSuite(listener, .init = set_up, .fini = tear_down);

static void stop_now(void)
{
    tp_listener_stop(&listener, TP_NEVER);
    settle();
}

/* ------------------------------------------------------------------ usual life */

Test(listener, starts_a_machine_for_each_connection)
{
    listen_now();
    burst(10);
    cr_assert(eq(u32, running, 10));
    finish_one();
    cr_assert(eq(u32, running, 9));
    cr_assert(eq(u32, ended_count, 1));
    burst(1);
    cr_assert(eq(u64, listener.stats.accepted, 11));
    cr_assert(eq(u32, listener.stats.connections_max, 10));
    stop_now();
    cr_assert(eq(i32, parent.machine.result, 0));
}

Test(listener, says_why_it_does_not_listen)
{
    tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
    settle();
    come_to(TP_LISTEN, -EADDRINUSE);
    cr_assert(eq(i32, parent.ready, -EADDRINUSE));
    cr_assert(eq(i32, parent.machine.result, -EADDRINUSE));
}

Test(listener, an_error_of_the_address_ends_it)
{
    tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
    settle();
    come_to(TP_LISTEN, LISTENER_FD);
    come_to(TP_SOCKET_ADDRESS, -EIO);
    cr_assert(eq(i32, parent.machine.result, -EIO));
}

Test(listener, closes_whom_spawn_refuses)
{
    refuse_one_in = 3;
    listen_now();
    burst(9);
    cr_assert(eq(u32, running, 6));
    cr_assert(eq(u64, listener.stats.refused, 3));
    close_all();
    cr_assert(eq(u32, manual.io.fds->open_count, 7));
    stop_now();
}

/* ------------------------------------------------------------------ the limit */

Test(listener, accepts_no_more_at_its_limit_and_goes_on_below)
{
    listen_now();
    burst(100);
    cr_assert(eq(u32, running, 100));
    cr_assert(not(is_accepting()));
    cr_assert(eq(u64, listener.stats.pauses, 1));
    finish_one();
    cr_assert(ne(ptr, manual_find(&manual, TP_ACCEPT), NULL)); /* just the one */
    cr_assert(eq(ptr, manual_find(&manual, TP_ACCEPT_MANY), NULL));
    come_to(TP_ACCEPT, (int32_t)(FIRST_FD + next_fd++));
    cr_assert(eq(u32, running, 100));
    cr_assert(not(is_accepting()));
    for (uint32_t i = 0; i < 70; i++)
        finish_one();
    come_to(TP_ACCEPT, (int32_t)(FIRST_FD + next_fd++));
    cr_assert(ne(ptr, manual_find(&manual, TP_ACCEPT_MANY), NULL));
    stop_now();
}

/* A multishot may bring more than is wanted: they wait, in order, and none is lost. */
Test(listener, loses_no_connection_of_a_burst_over_its_limit)
{
    listen_now();
    burst(150);
    cr_assert(eq(u32, running, 100));
    cr_assert(eq(u32, listener.stats.waiting_max, 150));
    cr_assert(not(is_accepting()));
    for (uint32_t i = 0; i < 50; i++) {
        finish_one();
        cr_assert(eq(u32, running, 100));
        cr_assert(not(is_accepting()));
    }
    cr_assert(eq(u64, listener.stats.started, 150));
    cr_assert(eq(u64, listener.stats.refused, 0));
    finish_one();
    cr_assert(is_accepting());
    stop_now();
}

/* Where descriptors are short: none waits here that has no machine. */
Test(listener, accepts_none_beyond_its_limit_when_it_takes_them_one_by_one)
{
    config.one_by_one = 1;
    listen_now();
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert(eq(ptr, manual_find(&manual, TP_ACCEPT_MANY), NULL));
        come_to(TP_ACCEPT, (int32_t)(FIRST_FD + next_fd++));
    }
    cr_assert(eq(u32, running, 100));
    cr_assert(not(is_accepting()));
    cr_assert(eq(u32, listener.stats.waiting_max, 1));
    finish_one();
    cr_assert(ne(ptr, manual_find(&manual, TP_ACCEPT), NULL));
    stop_now();
}

/* Connections that came between the cancel and its effect. */
Test(listener, what_comes_while_it_stops_accepting_waits)
{
    manual.ignore_cancels = true;
    listen_now();
    burst(100);
    burst(20);
    come_to(TP_ACCEPT_MANY, -ECANCELED);
    manual.ignore_cancels = false;
    cr_assert(eq(u32, running, 100));
    cr_assert(eq(u64, listener.stats.errors, 0));
    for (uint32_t i = 0; i < 20; i++)
        finish_one();
    cr_assert(eq(u64, listener.stats.started, 120));
    stop_now();
}

Test(listener, closes_what_waits_when_it_stops)
{
    listen_now();
    burst(130);
    stop_now();
    cr_assert(eq(u64, listener.stats.refused, 30));
}

/* The program would stop past ops_max; so fewer connections than allowed are served. */
Test(listener, starts_no_machine_without_room_for_its_operations)
{
    config.ops_each = 1000;
    listen_now();
    burst(70);
    cr_assert(lt(u32, running, 10)); /* of four, in every tick */
    cr_assert(not(is_accepting()));
    for (uint32_t before = running; running < 70; before = running) {
        manual.now_ns += 10 * MS;
        settle();
        cr_assert(lt(u32, before, running));
    }
    cr_assert(is_accepting());
    stop_now();
}

/* ------------------------------------------------------------------ errors of the system
 */

Test(listener, waits_out_a_lack_of_descriptors)
{
    static const int32_t errors[] = {-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM};

    listen_now();
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t least = (10 << i) / 2 * MS;

        come_to(TP_ACCEPT_MANY, errors[i]);
        cr_assert(not(is_accepting()));
        manual.now_ns += least - 1;
        settle();
        cr_assert(not(is_accepting()));
        manual.now_ns += least + 1;
        settle();
        cr_assert(is_accepting());
    }
    cr_assert(eq(u64, listener.stats.back_offs, 4));
    burst(1);
    come_to(TP_ACCEPT_MANY, -EMFILE);
    manual.now_ns += 10 * MS; /* from the start again */
    settle();
    cr_assert(is_accepting());
    stop_now();
}

Test(listener, tries_again_as_soon_as_a_connection_has_ended)
{
    listen_now();
    burst(1);
    come_to(TP_ACCEPT_MANY, -EMFILE);
    cr_assert(not(is_accepting()));
    finish_one();
    cr_assert(is_accepting());
    stop_now();
}

Test(listener, does_not_mind_connections_that_were_gone_before)
{
    listen_now();
    for (uint32_t i = 0; i < 16; i++) {
        come_to(TP_ACCEPT_MANY, -ECONNABORTED);
        cr_assert(is_accepting());
    }
    come_to(TP_ACCEPT_MANY, -ECONNABORTED); /* that is strange */
    cr_assert(not(is_accepting()));
    cr_assert(eq(u64, listener.stats.errors, 17));
    stop_now();
}

Test(listener, an_end_without_error_is_none)
{
    listen_now();
    come_to(TP_ACCEPT_MANY, 0);
    cr_assert(is_accepting());
    cr_assert(eq(u64, listener.stats.accepted, 0));
    stop_now();
}

Test(listener, ends_when_its_socket_is_no_listener_any_more)
{
    listen_now();
    burst(3);
    children[1].stubborn = true;
    come_to(TP_ACCEPT_MANY, -EINVAL);
    cr_assert(eq(i32, parent.machine.result, -EINVAL));
}

/* ------------------------------------------------------------------ stop and cancel */

Test(listener, those_that_finish_in_time_are_not_cancelled)
{
    listen_now();
    burst(5);
    children[2].stubborn = true;
    tp_listener_stop(&listener, 100 * MS);
    settle();
    cr_assert(eq(u32, running, 1));
    cr_assert(not(is_accepting()));
    manual.now_ns += 50 * MS;
    settle();
    finish_one();
    cr_assert(eq(i32, parent.machine.result, 0));
    cr_assert(eq(u64, listener.stats.cancelled, 0));
}

Test(listener, those_that_do_not_are_cancelled)
{
    listen_now();
    burst(5);
    children[2].stubborn = children[4].stubborn = true;
    tp_listener_stop(&listener, 100 * MS);
    settle();
    manual.now_ns += 100 * MS - 1;
    settle();
    cr_assert(eq(u32, running, 2));
    manual.now_ns += 1;
    settle();
    cr_assert(eq(i32, parent.machine.result, -ETIMEDOUT));
    cr_assert(eq(u64, listener.stats.cancelled, 2));
}

Test(listener, a_second_stop_shortens_the_grace)
{
    listen_now();
    burst(2);
    children[0].stubborn = true;
    tp_listener_stop(&listener, TP_NEVER);
    settle();
    tp_listener_stop(&listener, 100 * MS);
    settle();
    tp_listener_stop(&listener, 1000 * MS); /* not longer */
    settle();
    manual.now_ns += 100 * MS;
    settle();
    cr_assert(eq(i32, parent.machine.result, -ETIMEDOUT));
}

Test(listener, may_be_stopped_before_it_listens)
{
    for (uint32_t moment = 0; moment < 3; moment++) {
        tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
        if (moment == 0)
            (void)tp_scheduler_tick(scheduler);
        else
            settle();
        if (moment == 2)
            come_to(TP_LISTEN, LISTENER_FD);
        stop_now();
        cr_assert(eq(i32, parent.machine.result, 0));
        tear_down();
        set_up();
    }
    listen_now();
    stop_now();
}

Test(listener, cancel_cancels_all)
{
    for (uint32_t moment = 0; moment < 5; moment++) {
        tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
        settle();
        if (moment > 0)
            come_to(TP_LISTEN, LISTENER_FD);
        if (moment > 1)
            come_to(TP_SOCKET_ADDRESS, 0);
        if (moment > 2)
            burst(120);
        if (moment > 3) {
            for (uint32_t i = 0; i < CHILDREN; i++)
                children[i].stubborn = true;
            stop_now();
        }
        tp_machine_cancel(&listener.machine);
        settle();
        cr_assert(eq(i32, parent.machine.result, -ECANCELED));
        tear_down();
        set_up();
    }
    listen_now();
    stop_now();
}

/* A connection that arrives in the tick in which the listener is cancelled is closed. */
Test(listener, no_connection_is_left_open_by_a_cancel)
{
    manual.ignore_cancels = true;
    listen_now();
    for (uint32_t i = 0; i < 3; i++)
        manual_shot(&manual, manual_find(&manual, TP_ACCEPT_MANY), FIRST_FD + (int32_t)i);
    tp_machine_cancel(&listener.machine);
    settle();
    come_to(TP_ACCEPT_MANY, -ECANCELED);
    cr_assert(eq(i32, parent.machine.result, -ECANCELED));
    cr_assert(eq(u32, running, 0));
}

static void *no_memory(void *context, size_t size_bytes, size_t align)
{
    (void)context, (void)size_bytes, (void)align;
    return NULL;
}

static void no_free(void *context, void *memory, size_t size_bytes)
{
    (void)context, (void)memory, (void)size_bytes;
}

Test(listener, says_so_when_there_is_no_memory)
{
    static const struct tp_allocator none = {no_memory, no_free, NULL};

    config.allocator = &none;
    tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
    settle();
    cr_assert(eq(i32, parent.machine.result, -ENOMEM));
    cr_assert(eq(i32, parent.ready, -ENOMEM));
}
