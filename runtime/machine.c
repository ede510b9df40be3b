#include "machine.h"

#include "runtime/scheduler_internal.h"

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA
 * 2014). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* ------------------------------------------------------------------ wake */

void tp_machine_wake_later(struct tp_scheduler *s, struct tp_machine *machine)
{
    if (machine->woken)
        return;
    machine->woken = true;
    s->stats.wakes++;
    tp_wake_list_append(&s->later, machine);
}

void tp_wake(struct tp_machine *machine)
{
    tp_assert(machine->alive);
    tp_machine_wake(machine->scheduler, machine);
}

/* ------------------------------------------------------------------ life */

void tp_machine_begin(struct tp_scheduler *s, struct tp_machine *machine, tp_tick_fn *tick,
                      const char *name, uint32_t end_slot)
{
    void (*ended)(struct tp_machine *) = machine->ended;
    static const struct tp_machine empty;

    if (machine->alive)
        tp_stopf(__FILE__, __LINE__, "machine %s is started as %s while it is alive",
                 machine->name, name);
    *machine = empty;
    machine->ended = ended;
    machine->tick = tick;
    machine->name = name;
    machine->scheduler = s;
    machine->end_slot = end_slot;
    machine->last_iteration = (uint32_t)s->iteration - 1;
    machine->random = mix(s->seed ^ mix(++s->starts));
    machine->alive = true;
    if (!tp_machines_add(&s->machines, machine))
        tp_stop_with_census(s, "more machines than machines_max");
    s->stats.machines_started++;
    s->stats.machines = s->machines.count;
    if (s->machines.count > s->stats.machines_max)
        s->stats.machines_max = s->machines.count;
    tp_machine_wake(s, machine);
}

void tp_spawn(struct tp_scheduler *scheduler, struct tp_machine *machine, tp_tick_fn *tick,
              const char *name)
{
    tp_assert(tick != NULL && name != NULL);
    tp_machine_begin(scheduler, machine, tick, name, 0);
}

void tp_machine_finish(struct tp_scheduler *s, struct tp_machine *machine)
{
    /* A machine that is still in the wake set is finished when its turn comes. */
    if (machine->ops > 0 || machine->woken)
        return;
    tp_assert(machine->ending && machine->flying == 0 && machine->arrived == 0);
    machine->alive = false;
    machine->ending = false;
    tp_machines_remove(&s->machines, machine);
    s->stats.machines = s->machines.count;
    if (machine->end_slot != 0)
        tp_slot_make(s, machine->end_slot, machine->result);
    if (machine->ended != NULL)
        machine->ended(machine);
}

static void end(struct tp_scheduler *s, struct tp_machine *machine)
{
    if (machine->arrived != 0)
        tp_stop_with_slots(s, machine, "ended with completions unclaimed (law 3)",
                           machine->arrived, 0);
    if (machine->ops != machine->abandoned)
        tp_stop_with_slots(s, machine, "ended with operations in flight (law 4)",
                           machine->flying, s->made.first);
    if (machine->bufs != 0)
        tp_stop_with_bufs(s, machine);
    machine->ending = true;
    tp_machine_finish(s, machine);
}

static enum tp_step measured_tick(struct tp_scheduler *s, struct tp_machine *machine,
                                  struct tp_ctx *cx)
{
    uint64_t start = s->io->backend->clock(s->io, TP_CLOCK_MONOTONIC);
    enum tp_step step = machine->tick(machine, cx);
    uint64_t took = s->io->backend->clock(s->io, TP_CLOCK_MONOTONIC) - start;

    s->stats.ticking_ns += took;
    if (took > s->stats.slowest_ns) {
        s->stats.slowest_ns = took;
        s->stats.slowest = machine->name;
    }
    return step;
}

/* One tick, and what must hold after it. */
static inline void tick(struct tp_scheduler *s, struct tp_machine *machine,
                        struct tp_ctx *cx)
{
    enum tp_step step;

    machine->woken = false;
    if (__builtin_expect(machine->ending, 0)) {
        tp_machine_finish(s, machine);
        return;
    }
    machine->keeps = false;
    machine->last_iteration = (uint32_t)s->iteration;
    s->stats.ticks++;
    cx->self = machine;
    step = __builtin_expect(s->measure, 0) ? measured_tick(s, machine, cx)
                                           : machine->tick(machine, cx);
    if (step == TP_DONE) {
        end(s, machine);
        return;
    }
    if (__builtin_expect(machine->arrived != 0, 0) && !machine->keeps)
        tp_stop_with_slots(s, machine, "left completions unclaimed after its tick (law 3)",
                           machine->arrived, 0);
    if (step == TP_YIELD)
        tp_machine_wake_later(s, machine);
    else
        tp_assert(step == TP_WAIT);
}

void tp_machines_tick(struct tp_scheduler *s)
{
    struct tp_ctx cx = {s, NULL, NULL, 0, 0};

    while (s->now.first != NULL) {
        struct tp_machine *machine = s->now.first;

        s->now.first = machine->next_woken;
        if (s->now.first == NULL)
            s->now.last = NULL;
        tick(s, machine, &cx);
    }
}

bool tp_machine_alive(const struct tp_machine *machine)
{
    return machine->alive;
}

uint64_t tp_machine_id(const struct tp_machine *machine)
{
    tp_assert(machine->alive);
    return tp_machines_id(&machine->scheduler->machines, machine);
}

enum tp_step tp_end(struct tp_machine *machine, int32_t result)
{
    machine->result = result;
    return TP_DONE;
}

/* ------------------------------------------------------------------ cancel */

/* Every operation of `machine` in flight is asked to stop, but for clean-up. */
static void ask_all(struct tp_scheduler *s, struct tp_machine *machine)
{
    for (uint32_t index = machine->flying, next; index != 0; index = next) {
        next = s->slots.slots[index].next; /* asking a timer takes it out of the list */
        if ((tp_kind_info[s->slots.slots[index].kind].traits & TP_CLEANUP) == 0)
            tp_slot_ask(s, index);
    }
}

void tp_machine_cancel(struct tp_machine *machine)
{
    struct tp_scheduler *s = machine->scheduler;

    if (!machine->alive || machine->cancelled || machine->ending)
        return;
    machine->cancelled = true;
    if (!machine->shielded)
        ask_all(s, machine); /* children among them */
    tp_machine_wake(s, machine);
}

void tp_shield(struct tp_ctx *cx, bool on)
{
    cx->self->shielded = on;
    if (!on && cx->self->cancelled)
        ask_all(cx->scheduler, cx->self);
}

bool tp_cancelled(const struct tp_ctx *cx)
{
    return cx->self->cancelled;
}

/* ------------------------------------------------------------------ the context */

uint64_t tp_now_ns(struct tp_ctx *cx)
{
    return tp_io_now_ns(cx->scheduler->io);
}

uint64_t tp_wall_ns(struct tp_ctx *cx)
{
    return tp_io_wall_ns(cx->scheduler->io);
}

uint64_t tp_random(struct tp_ctx *cx)
{
    cx->self->random += UINT64_C(0x9e3779b97f4a7c15);
    return mix(cx->self->random);
}

uint32_t tp_room(const struct tp_ctx *cx)
{
    const struct tp_slots *slots = &cx->scheduler->slots;
    uint32_t free_slots = slots->ops_max - slots->count;
    uint32_t io_room = tp_io_room(cx->scheduler->io);

    io_room = io_room > slots->idle ? io_room - slots->idle : 0;
    return free_slots < io_room ? free_slots : io_room;
}

struct tp_io *tp_ctx_io(const struct tp_ctx *cx)
{
    return cx->scheduler->io;
}
