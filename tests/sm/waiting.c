/** tests/sm/waiting.c - wait list, semaphore and queue: order, bounds, nothing lost under
 * cancel. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/await.h"
#include "sm/queue.h"
#include "tests/sm/harness.h"

enum { MACHINES = 24, UNITS = 3, ROUNDS = 5, ITEMS = 50, CAPACITY = 3 };

static struct harness world;

static void open_world(uint64_t seed)
{
    harness_open(&world, "waiting", ON_VIRTUAL, seed);
}

/* Cancels a machine after a delay. */
struct reaper {
    struct tp_machine machine;
    struct tp_machine *target;
    uint64_t delay_ns;
};

static enum tp_step reaper_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reaper *r = tp_container_of(machine, struct reaper, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, r->delay_ns), &result);
    if (tp_machine_alive(r->target))
        tp_machine_cancel(r->target);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* ------------------------------------------------------------------ wait list */

static struct {
    struct tp_wait_list list;
    bool ready;
    uint32_t seen;
} gate;

struct visitor {
    struct tp_machine machine;
    struct tp_waiter waiter;
    uint32_t order; /* in which it went through */
};

static enum tp_step visitor_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct visitor *v = tp_container_of(machine, struct visitor, machine);

    TP_BEGIN(cx);
    tp_wait_list_join(cx, &gate.list, &v->waiter);
    tp_wait_list_join(cx, &gate.list, &v->waiter); /* in it already: nothing happens */
    TP_AWAIT_UNTIL(cx, gate.ready || tp_cancelled(cx));
    tp_wait_list_leave(&v->waiter);
    v->order = gate.seen++;
    return tp_end(machine, gate.ready ? 0 : -ECANCELED);
    TP_END(cx);
}

static enum tp_step opener_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    tp_wait_list_wake_all(&gate.list); /* nothing has changed: everybody waits on */
    TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    gate.ready = true;
    tp_wait_list_wake_all(&gate.list);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(wait_list, wakes_all_in_the_order_in_which_they_came)
{
    static struct visitor visitors[MACHINES];
    static struct tp_machine opener;
    static struct reaper reaper;

    open_world(1);
    for (uint32_t i = 0; i < MACHINES; i++)
        tp_spawn(world.scheduler, &visitors[i].machine, visitor_tick, "visitor");
    tp_spawn(world.scheduler, &opener, opener_tick, "opener");
    reaper.target = &visitors[5].machine;
    reaper.delay_ns = 500;
    tp_spawn(world.scheduler, &reaper.machine, reaper_tick, "reaper");
    harness_finish(&world);

    expect(&world, visitors[5].machine.result == -ECANCELED && visitors[5].order == 0);
    expect(&world, visitors[0].order == 1 && visitors[4].order == 5);
    expect(&world, visitors[6].order == 6 && visitors[MACHINES - 1].order == MACHINES - 1);
    expect(&world,
           gate.list.count == 0 && gate.list.first == NULL && gate.list.last == NULL);
    harness_close(&world);
}

/* ------------------------------------------------------------------ semaphore */

static struct {
    struct tp_semaphore semaphore;
    uint32_t inside, inside_max, asked, served, cancelled;
    uint32_t order[MACHINES]; /* of the first round: who asked when */
    bool in_order;
} room;

struct guest {
    struct tp_machine machine;
    struct tp_turn turn;
    uint32_t round;
    int32_t rc;
    uint32_t ticket;
};

static enum tp_step guest_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct guest *g = tp_container_of(machine, struct guest, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; g->round < ROUNDS; g->round++) {
        g->ticket = room.asked++;
        TP_AWAIT_UNTIL(cx, (g->rc = tp_semaphore_acquire(cx, &room.semaphore, &g->turn)) !=
                               -EAGAIN);
        if (g->rc < 0) {
            room.cancelled++;
            return tp_end(machine, g->rc);
        }
        room.in_order = room.in_order && g->ticket >= room.served;
        room.served++;
        room.inside++;
        if (room.inside > room.inside_max)
            room.inside_max = room.inside;
        TP_AWAIT(cx, tp_timer(cx, tp_random(cx) % 3 * 1000), &result);
        room.inside--;
        tp_semaphore_release(&room.semaphore);
        if (result.value < 0)
            return tp_end(machine, result.value);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void fill_room(struct guest *guests, uint64_t seed)
{
    memset(&room, 0, sizeof room);
    memset(guests, 0, MACHINES * sizeof *guests);
    room.in_order = true;
    open_world(seed);
    tp_semaphore_init(&room.semaphore, UNITS);
    for (uint32_t i = 0; i < MACHINES; i++)
        tp_spawn(world.scheduler, &guests[i].machine, guest_tick, "guest");
}

static void expect_all_units(void)
{
    expect(&world, room.inside == 0);
    expect(&world, room.semaphore.units == UNITS && room.semaphore.granted == 0);
    expect(&world, room.semaphore.waiting.count == 0);
}

Test(semaphore, lets_in_as_many_as_it_has_units_first_come_first_served)
{
    static struct guest guests[MACHINES];

    for (uint64_t seed = 0; seed < 20; seed++) {
        fill_room(guests, seed);
        harness_finish(&world);
        expect(&world, room.inside_max == UNITS && room.served == MACHINES * ROUNDS);
        expect(&world, room.in_order);
        expect_all_units();
        harness_close(&world);
    }
}

Test(semaphore, loses_no_unit_however_machines_are_cancelled)
{
    static struct guest guests[MACHINES];
    static struct reaper reapers[MACHINES];
    uint32_t cancelled = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        fill_room(guests, seed);
        memset(reapers, 0, sizeof reapers);
        for (uint32_t i = 0; i < MACHINES / 2; i++) {
            uint8_t delay;
            harness_fill(&delay, 1, seed * 100 + i);
            reapers[i].target = &guests[i * 2].machine;
            reapers[i].delay_ns = (uint64_t)delay * 200;
            tp_spawn(world.scheduler, &reapers[i].machine, reaper_tick, "reaper");
        }
        harness_finish(&world);
        expect(&world, room.inside_max <= UNITS);
        expect_all_units();
        cancelled += room.cancelled;
        harness_close(&world);
    }
    cr_assert(cancelled > 100, "%u were cancelled while they waited", cancelled);
}

/* A unit that was given to a machine which is cancelled before it looks goes to the next.
 */
Test(semaphore, passes_on_a_unit_that_nobody_took)
{
    struct tp_semaphore semaphore;
    struct tp_machine machines[3] = {0};
    struct tp_turn turns[3];
    struct tp_ctx cx = {0};

    open_world(1);
    memset(turns, 0, sizeof turns);
    tp_semaphore_init(&semaphore, 1);
    for (int i = 0; i < 3; i++) {
        tp_spawn(world.scheduler, &machines[i], reaper_tick, "idle");
        cx.scheduler = world.scheduler;
        cx.self = &machines[i];
        expect(&world,
               tp_semaphore_acquire(&cx, &semaphore, &turns[i]) == (i == 0 ? 0 : -EAGAIN));
    }
    tp_semaphore_release(&semaphore);
    expect(&world, turns[1].granted && !turns[2].granted && semaphore.granted == 1);
    tp_semaphore_leave(&turns[1]);
    expect(&world, turns[2].granted && semaphore.granted == 1);
    expect(&world, tp_semaphore_acquire(&cx, &semaphore, &turns[2]) == 0);
    tp_semaphore_close(&semaphore);
    cx.self = &machines[0];
    expect(&world, tp_semaphore_acquire(&cx, &semaphore, &turns[0]) == -EPIPE);
    tp_semaphore_release(&semaphore);
    expect(&world, tp_semaphore_acquire(&cx, &semaphore, &turns[0]) == 0);
    tp_scheduler_crash(world.scheduler);
    world.scheduler = tp_scheduler_create(world.io, 16);
    harness_close(&world);
}

/* ------------------------------------------------------------------ queue */

struct item {
    uint32_t producer, number;
};

static struct {
    struct tp_queue queue;
    struct item storage[CAPACITY];
    uint32_t got[MACHINES][ITEMS]; /* by producer and number: how often */
    uint32_t put[MACHINES];        /* items that went in, by producer */
    uint32_t producing;            /* producers still at it */
    uint32_t full, empty;          /* waits */
    uint32_t last[MACHINES]; /* with one consumer: the number after the last one got */
    bool in_order;
} belt;

struct worker {
    struct tp_machine machine;
    struct tp_turn turn;
    struct item item;
    uint32_t index;
    int32_t rc;
};

static enum tp_step producer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (w->item.number = 0; w->item.number < ITEMS; w->item.number++) {
        w->item.producer = w->index;
        TP_AWAIT_UNTIL(cx, (w->rc = tp_queue_put(cx, &belt.queue, &w->turn, &w->item)) !=
                                   -EAGAIN ||
                               (belt.full++, false));
        if (w->rc < 0)
            break;
        belt.put[w->index]++;
        if (tp_random(cx) % 4 == 0)
            TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    }
    if (--belt.producing == 0)
        tp_queue_close(&belt.queue);
    return tp_end(machine, w->rc);
    TP_END(cx);
}

static enum tp_step consumer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (w->rc = tp_queue_get(cx, &belt.queue, &w->turn, &w->item)) !=
                                   -EAGAIN ||
                               (belt.empty++, false));
        if (w->rc < 0)
            break;
        belt.got[w->item.producer][w->item.number]++;
        belt.in_order = belt.in_order && w->item.number >= belt.last[w->item.producer];
        belt.last[w->item.producer] = w->item.number + 1;
        if (tp_random(cx) % 4 == 0)
            TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    }
    return tp_end(machine, w->rc);
    TP_END(cx);
}

static void run_belt(uint64_t seed, uint32_t producers, uint32_t consumers,
                     uint32_t cancels)
{
    static struct worker workers[2 * MACHINES];
    static struct reaper reapers[MACHINES];

    memset(&belt, 0, sizeof belt);
    memset(workers, 0, sizeof workers);
    memset(reapers, 0, sizeof reapers);
    open_world(seed);
    belt.in_order = true;
    belt.producing = producers;
    tp_queue_init(&belt.queue, belt.storage, sizeof belt.storage[0], CAPACITY);
    for (uint32_t i = 0; i < producers + consumers; i++) {
        workers[i].index = i;
        tp_spawn(world.scheduler, &workers[i].machine,
                 i < producers ? producer_tick : consumer_tick,
                 i < producers ? "producer" : "consumer");
    }
    for (uint32_t i = 0; i < cancels; i++) {
        uint8_t delay;
        harness_fill(&delay, 1, seed * 100 + i);
        /* One consumer is left, or producers would wait for ever. */
        reapers[i].target = &workers[i % (producers + consumers - 1)].machine;
        reapers[i].delay_ns = (uint64_t)delay * 500;
        tp_spawn(world.scheduler, &reapers[i].machine, reaper_tick, "reaper");
    }
    harness_finish(&world);
    for (uint32_t p = 0; p < producers; p++) {
        for (uint32_t n = 0; n < ITEMS; n++)
            expect(&world, belt.got[p][n] == (n < belt.put[p] ? 1 : 0));
    }
    expect(&world, belt.queue.count == 0 && belt.queue.items.waiting.count == 0);
    expect(&world, belt.queue.slots.waiting.count == 0);
    harness_close(&world);
}

Test(queue, carries_every_item_once_and_in_order)
{
    run_belt(1, 1, 1, 0);
    expect(&world, belt.in_order && belt.put[0] == ITEMS);
    run_belt(2, 5, 1, 0);
    expect(&world, belt.in_order && belt.full > 0);
    run_belt(3, 1, 5, 0);
    expect(&world, belt.empty > 0);
    for (uint64_t seed = 0; seed < 20; seed++)
        run_belt(seed, 4, 4, 0);
}

Test(queue, loses_nothing_however_machines_are_cancelled)
{
    for (uint64_t seed = 0; seed < 200; seed++)
        run_belt(seed, 4, 4, 7);
}

/* A consumer closes: producers are told, at once and while they wait. */
static enum tp_step refuser_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 5000), &result);
    tp_queue_close(&belt.queue);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(queue, tells_producers_that_nobody_listens)
{
    static struct worker producers[2];
    static struct tp_machine refuser;

    memset(&belt, 0, sizeof belt);
    open_world(1);
    belt.producing = 3; /* they do not close it themselves */
    tp_queue_init(&belt.queue, belt.storage, sizeof belt.storage[0], CAPACITY);
    for (uint32_t i = 0; i < 2; i++)
        tp_spawn(world.scheduler, &producers[i].machine, producer_tick, "producer");
    tp_spawn(world.scheduler, &refuser, refuser_tick, "refuser");
    harness_finish(&world);
    expect(&world, producers[0].machine.result == -EPIPE);
    expect(&world, producers[1].machine.result == -EPIPE);
    expect(&world, belt.queue.count == CAPACITY);
    harness_close(&world);
}
