/** io/virtual/world.h - virtual time, and the world that several Ios can share.
 *
 * A world has one clock and one heap of events. Every VirtualIo and every network belongs
 * to one; those that share a world live in the same time. One host thread drives them all.
 *
 * Who advances time. A world of an Io's own is advanced by that Io, in poll (a little) and
 * park (to the next event). A shared one is advanced by the host alone: poll takes what is
 * queued and delivers what is complete, and does not move time. So a round of the host is:
 *
 *     tick every scheduler until none says PROGRESS;
 *     tp_world_run(world, the earliest of tp_world_next_ns() and of all time-outs);
 *
 * and when both are TP_NEVER nothing can ever happen again: a deadlock. A loop that never
 * sleeps (every round has PROGRESS) needs a little time a round: run to now + 1000. A park,
 * a blocking helper, or the end of an Io on a shared world moves everybody's time; the
 * others are as processes then that the system does not schedule.
 *
 * A world can be stopped at its n-th event: time and events stand still from then on.
 */
#ifndef TEMPEST_IO_VIRTUAL_WORLD_H
#define TEMPEST_IO_VIRTUAL_WORLD_H

#include "../base.h"

struct tp_world; /* world_internal.h */

/** How long something takes: `base_ns`, and a random part that is exponential with a mean
 * of `spread_ns`. In millionths: one in so many takes no time at all, one in so many takes
 * `tail_factor` times the random part. */
struct tp_virtual_latency {
    uint32_t base_ns;
    uint32_t spread_ns;
    uint32_t zero_ppm;
    uint32_t tail_ppm;
    uint32_t tail_factor;
};

TP_BEGIN_DECLS

/** 0, or -ENOMEM. The allocator (NULL: the default) must outlive it. */
TP_EXPORT int tp_world_create(const struct tp_allocator *allocator,
                              struct tp_world **ret_world);

/** Nobody may be in it any more (asserted). NULL is fine. */
TP_EXPORT void tp_world_destroy(struct tp_world *world);

/** Time since the world began. */
TP_EXPORT uint64_t tp_world_now_ns(const struct tp_world *world);

/** When the next event is due; TP_NEVER if there is none. */
TP_EXPORT uint64_t tp_world_next_ns(const struct tp_world *world);

/** Lets happen what is due until then, in order, and sets the clock there; less when it
 * stops. `until_ns` is not before now. */
TP_EXPORT void tp_world_run(struct tp_world *world, uint64_t until_ns);

/** Lets the next event happen, and sets the clock to its time: for a host that looks after
 * every one. False: there is none, or the world is stopped. */
TP_EXPORT bool tp_world_step(struct tp_world *world);

/** Events that have happened. */
TP_EXPORT uint64_t tp_world_events(const struct tp_world *world);

/** Stops the world when so many events have happened, at once if they have; 0: never, and a
 * stopped one goes on. */
TP_EXPORT void tp_world_stop_at(struct tp_world *world, uint64_t event);

/** Whether it stands still because of tp_world_stop_at(). */
TP_EXPORT bool tp_world_is_stopped(const struct tp_world *world);

TP_END_DECLS

#endif
