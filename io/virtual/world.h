/** io/virtual/world.h - virtual time, and what happens when: the event heap.
 *
 * A world holds any number of parties (today one VirtualIo), each with a function that is
 * called when an event of its own is due. Time moves only in tp_world_run(), from event to
 * event. Two events at the same time come in the order of their ties (a draw), then as they
 * were asked for.
 *
 * A world can be stopped at its n-th event: then time and events stand still for ever. That
 * is how a run is cut at every point, one after the other.
 */
#ifndef TEMPEST_IO_VIRTUAL_WORLD_H
#define TEMPEST_IO_VIRTUAL_WORLD_H

#include "../base.h"

struct tp_event {
    uint64_t at_ns;
    uint64_t order; /* tie, then sequence */
    uint32_t party;
    uint32_t what; /* the party's own business */
};

typedef void tp_world_due(void *context, uint32_t what);

#define TP_PARTIES_MAX 64

struct tp_world {
    uint64_t now_ns;
    struct tp_event *heap;
    uint32_t count, capacity;
    uint32_t sequence;
    uint32_t party_count;
    uint64_t events;  /* that have happened */
    uint64_t stop_at; /* the number of the last event that happens; 0: no such */
    bool stopped;
    struct {
        tp_world_due *due;
        void *context;
    } parties[TP_PARTIES_MAX];
    const struct tp_allocator *allocator;
};

/** 0, or -ENOMEM. */
int tp_world_init(struct tp_world *world, const struct tp_allocator *allocator);
void tp_world_deinit(struct tp_world *world);

/** Joins; the number by which the party names itself. */
uint32_t tp_world_join(struct tp_world *world, tp_world_due *due, void *context);

/** Asks for an event; not before now. */
void tp_world_at(struct tp_world *world, uint64_t at_ns, uint32_t tie, uint32_t party,
                 uint32_t what);

/** When the next event is due; TP_NEVER if there is none. */
uint64_t tp_world_next_ns(const struct tp_world *world);

/** Lets happen what is due until then, in order, and sets the clock there; less when it
 * stops. */
void tp_world_run(struct tp_world *world, uint64_t until_ns);

#endif
