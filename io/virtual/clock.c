/* Clocks that differ from the world's: drift, steps, jumps, a wall clock that stands. */
#include "virtual_internal.h"

#define MS UINT64_C(1000000)

/* Rounded down, so that the clock shows a time only when it has come. */
static uint64_t scale_down(uint64_t ns, uint64_t up, uint64_t down)
{
    return ns / down * up + ns % down * up / down;
}

uint64_t tp_clock_monotonic_ns(const struct tp_virtual *v)
{
    const struct tp_clocks *c = &v->clocks;
    uint64_t passed = v->world->now_ns - c->world_ns;

    if (c->drift != 0)
        passed = scale_down(passed, (uint64_t)((int64_t)MS + c->drift), MS);
    return c->monotonic_ns + passed;
}

uint64_t tp_clock_wall_ns(const struct tp_virtual *v)
{
    const struct tp_clocks *c = &v->clocks;

    if (c->frozen)
        return c->frozen_ns;
    return v->config.wall_ns + tp_clock_monotonic_ns(v) + (uint64_t)c->wall_offset_ns;
}

uint64_t tp_virtual_io_world_ns(const struct tp_io *io, uint64_t at_ns)
{
    const struct tp_virtual *v = tp_virtual_of_const(io);
    const struct tp_clocks *c = &v->clocks;
    uint64_t rate = (uint64_t)((int64_t)MS + c->drift);
    uint64_t left;

    if (at_ns <= tp_clock_monotonic_ns(v))
        return v->world->now_ns;
    left = at_ns - c->monotonic_ns;
    if (c->drift != 0) /* rounded up: then the clock shows it */
        left = left / rate * MS + (left % rate * MS + rate - 1) / rate;
    return left > TP_NEVER - 1 - c->world_ns ? TP_NEVER - 1 : c->world_ns + left;
}

/* Fixes what the clocks show now, before one of them changes its way. */
static struct tp_clocks *from_now_on(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint64_t monotonic_ns = tp_clock_monotonic_ns(v);

    tp_assert(!v->ended);
    v->clocks.world_ns = v->world->now_ns;
    v->clocks.monotonic_ns = monotonic_ns;
    return &v->clocks;
}

void tp_virtual_io_drift(struct tp_io *io, int32_t ns_per_ms)
{
    tp_assert(ns_per_ms >= -1000 && ns_per_ms <= 1000);
    from_now_on(io)->drift = ns_per_ms;
}

void tp_virtual_io_step_wall(struct tp_io *io, int64_t delta_ns)
{
    struct tp_clocks *c = from_now_on(io);

    c->wall_offset_ns += delta_ns;
    c->frozen_ns += (uint64_t)delta_ns;
}

void tp_virtual_io_freeze_wall(struct tp_io *io, bool frozen)
{
    struct tp_virtual *v = tp_virtual_of(io);
    struct tp_clocks *c = from_now_on(io);
    uint64_t shown_ns = tp_clock_wall_ns(v);

    if (c->frozen && !frozen)
        c->wall_offset_ns = (int64_t)(shown_ns - v->config.wall_ns - c->monotonic_ns);
    c->frozen_ns = shown_ns;
    c->frozen = frozen;
}

void tp_virtual_io_jump(struct tp_io *io, uint64_t delta_ns)
{
    from_now_on(io)->monotonic_ns += delta_ns;
}
