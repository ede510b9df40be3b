/** io/virtual/world_internal.h - how a world is kept: the event heap, and its parties.
 *
 * A party (a VirtualIo, a network) has a function that is called when an event of its own
 * is due. Two events at the same time come in the order of their ties (a draw), then as
 * they were asked for.
 */
#ifndef TEMPEST_IO_VIRTUAL_WORLD_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_WORLD_INTERNAL_H

#include "world.h"

struct tp_event {
    uint64_t at_ns;
    uint64_t order; /* tie, then sequence */
    uint32_t party;
    uint32_t what; /* the party's own business */
};

typedef void tp_world_due(void *context, uint32_t what);

struct tp_party {
    tp_world_due *due; /* NULL: free */
    void *context;
};

struct tp_world {
    uint64_t now_ns;
    struct tp_event *heap;
    uint32_t count, capacity;
    bool is_hollow; /* heap[0] has happened, and counts until another takes its place */
    uint32_t sequence;
    uint32_t party_count; /* numbers that were ever given out */
    uint32_t members;     /* of these, in use */
    uint64_t events;      /* that have happened */
    uint64_t stop_at;     /* the number of the last event that happens; 0: no such */
    bool stopped;
    struct tp_party *parties;
    uint32_t party_capacity;
    uint32_t party_free; /* no lower number is free */
    const struct tp_allocator *allocator;
};

/** Joins; the number by which the party names itself. */
uint32_t tp_world_join(struct tp_world *world, tp_world_due *due, void *context);

/** Leaves: its events will not happen. */
void tp_world_leave(struct tp_world *world, uint32_t party);

/** Leaves no hole in the heap, for who looks at it: events that are to come, and no others.
 */
void tp_world_fill(struct tp_world *world);

/** Asks for an event; not before now. */
void tp_world_at(struct tp_world *world, uint64_t at_ns, uint32_t tie, uint32_t party,
                 uint32_t what);

#endif
