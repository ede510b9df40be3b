/** tests/virtual/clocks.c - clocks that differ from the world's; a host that goes from
 * event to event. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "io/virtual/virtual.h"
#include "io/virtual/world_internal.h"

#define SECOND UINT64_C(1000000000)
#define START  UINT64_C(1577836800000000000)

/* An Io in a world that the test advances. */
struct clocks {
    struct tp_world *world;
    struct tp_net *net;
    struct tp_io *io;
};

static struct clocks begin(void)
{
    struct clocks c;
    struct tp_virtual_io_config config = {0};

    cr_assert(eq(int, tp_world_create(NULL, &c.world), 0));
    cr_assert(eq(int, tp_net_create(NULL, c.world, &c.net), 0));
    config.net = c.net;
    cr_assert(eq(int, tp_virtual_io_create(&config, &c.io), 0));
    return c;
}

static void end(struct clocks *c)
{
    tp_virtual_io_kill(c->io);
    tp_virtual_io_destroy(c->io);
    tp_net_destroy(c->net);
    tp_world_destroy(c->world);
}

static uint64_t monotonic_ns(const struct clocks *c)
{
    return c->io->backend->clock(c->io, TP_CLOCK_MONOTONIC);
}

static uint64_t wall_ns(const struct clocks *c)
{
    return c->io->backend->clock(c->io, TP_CLOCK_WALL);
}

static void pass(const struct clocks *c, uint64_t ns)
{
    tp_world_run(c->world, tp_world_now_ns(c->world) + ns);
}

Test(clocks, drift_and_the_time_at_which_the_clock_shows_something)
{
    static const int32_t rates[] = {500, -500, 1, -1, 0, 1000, -1000};
    struct clocks c = begin();

    for (uint32_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t before = monotonic_ns(&c);
        uint64_t due, at_ns;

        tp_virtual_io_drift(c.io, rates[i]);
        pass(&c, SECOND);
        cr_assert(eq(i64, (int64_t)(monotonic_ns(&c) - before),
                     (int64_t)SECOND + (int64_t)rates[i] * 1000));
        /* A deadline is neither early nor late by a nanosecond. */
        due = monotonic_ns(&c) + 123456789;
        at_ns = tp_virtual_io_world_ns(c.io, due);
        pass(&c, at_ns - tp_world_now_ns(c.world) - 1);
        cr_assert(lt(u64, monotonic_ns(&c), due));
        pass(&c, 1);
        cr_assert(ge(u64, monotonic_ns(&c), due));
        cr_assert(eq(u64, tp_virtual_io_world_ns(c.io, due), tp_world_now_ns(c.world)));
    }
    end(&c);
}

Test(clocks, the_wall_clock_steps_and_stands_still_and_the_other_does_not)
{
    struct clocks c = begin();

    pass(&c, SECOND);
    cr_assert(eq(u64, wall_ns(&c), START + SECOND));
    tp_virtual_io_step_wall(c.io, -(int64_t)(3 * SECOND));
    cr_assert(eq(u64, wall_ns(&c), START - 2 * SECOND));
    tp_virtual_io_step_wall(c.io, (int64_t)(5 * SECOND));
    tp_virtual_io_freeze_wall(c.io, true);
    pass(&c, 7 * SECOND);
    cr_assert(eq(u64, wall_ns(&c), START + 3 * SECOND));
    cr_assert(eq(u64, monotonic_ns(&c), 8 * SECOND));
    tp_virtual_io_step_wall(c.io, (int64_t)SECOND);
    cr_assert(eq(u64, wall_ns(&c), START + 4 * SECOND));
    tp_virtual_io_freeze_wall(c.io, false);
    pass(&c, SECOND);
    cr_assert(eq(u64, wall_ns(&c), START + 5 * SECOND));
    end(&c);
}

Test(clocks, both_jump_ahead)
{
    struct clocks c = begin();

    pass(&c, SECOND);
    tp_virtual_io_jump(c.io, 10 * SECOND);
    cr_assert(eq(u64, monotonic_ns(&c), 11 * SECOND));
    cr_assert(eq(u64, wall_ns(&c), START + 11 * SECOND));
    cr_assert(eq(u64, tp_virtual_io_world_ns(c.io, 5 * SECOND), SECOND));
    end(&c);
}

static void count(void *context, uint32_t what)
{
    *(uint32_t *)context += what;
}

Test(clocks, a_world_goes_on_by_one_event_and_has_room_for_many_members)
{
    enum { MEMBERS = 1000 };
    struct tp_world *world;
    uint32_t parties[MEMBERS], sum = 0;

    cr_assert(eq(int, tp_world_create(NULL, &world), 0));
    for (uint32_t i = 0; i < MEMBERS; i++)
        parties[i] = tp_world_join(world, count, &sum);
    cr_assert(not(tp_world_step(world)));
    for (uint32_t i = 0; i < MEMBERS; i++)
        tp_world_at(world, MEMBERS - i, 0, parties[i], i);
    tp_world_leave(world, parties[MEMBERS - 1]);
    cr_assert(tp_world_step(world));
    cr_assert(eq(u32, sum, MEMBERS - 2));
    cr_assert(eq(u64, tp_world_now_ns(world), 2));
    cr_assert(eq(u32, tp_world_join(world, count, &sum), parties[MEMBERS - 1]));
    while (tp_world_step(world))
        ;
    cr_assert(eq(u32, sum, (MEMBERS - 1) * (MEMBERS - 2) / 2));
    for (uint32_t i = 0; i < MEMBERS; i++)
        tp_world_leave(world, parties[i]);
    tp_world_destroy(world);
}
