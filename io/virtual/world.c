#include "world.h"

#include <errno.h>
#include <string.h>

#define HEAP_FIRST_CAPACITY 256

static size_t heap_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tp_event);
}

int tp_world_init(struct tp_world *world, const struct tp_allocator *allocator)
{
    static const struct tp_world empty;

    *world = empty;
    world->allocator = allocator;
    world->heap = tp_alloc(allocator, heap_bytes(HEAP_FIRST_CAPACITY), 16);
    world->capacity = HEAP_FIRST_CAPACITY;
    return world->heap == NULL ? -ENOMEM : 0;
}

void tp_world_deinit(struct tp_world *world)
{
    tp_free(world->allocator, world->heap, heap_bytes(world->capacity), 16);
    world->heap = NULL;
}

uint32_t tp_world_join(struct tp_world *world, tp_world_due *due, void *context)
{
    uint32_t party = world->party_count++;

    tp_assert(party < TP_PARTIES_MAX);
    world->parties[party].due = due;
    world->parties[party].context = context;
    return party;
}

static bool is_before(const struct tp_event *a, const struct tp_event *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void heap_grow(struct tp_world *world)
{
    struct tp_event *heap = tp_alloc(world->allocator, heap_bytes(world->capacity * 2), 16);

    if (heap == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the events of the world");
    memcpy(heap, world->heap, heap_bytes(world->capacity)); /* full: that is why it grows */
    tp_free(world->allocator, world->heap, heap_bytes(world->capacity), 16);
    world->heap = heap;
    world->capacity *= 2;
}

void tp_world_at(struct tp_world *world, uint64_t at_ns, uint32_t tie, uint32_t party,
                 uint32_t what)
{
    struct tp_event event = {at_ns, (uint64_t)tie << 32 | world->sequence++, party, what};
    uint32_t at = world->count++;

    tp_assert(at_ns >= world->now_ns && party < world->party_count);
    if (world->count > world->capacity)
        heap_grow(world);
    while (at > 0 && is_before(&event, &world->heap[(at - 1) / 2])) {
        world->heap[at] = world->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->heap[at] = event;
}

static struct tp_event heap_pop(struct tp_world *world)
{
    struct tp_event first = world->heap[0];
    struct tp_event last = world->heap[--world->count];
    uint32_t at = 0;
    uint32_t child;

    while ((child = 2 * at + 1) < world->count) {
        if (child + 1 < world->count &&
            is_before(&world->heap[child + 1], &world->heap[child]))
            child++;
        if (!is_before(&world->heap[child], &last))
            break;
        world->heap[at] = world->heap[child];
        at = child;
    }
    world->heap[at] = last;
    return first;
}

uint64_t tp_world_next_ns(const struct tp_world *world)
{
    return world->count == 0 ? TP_NEVER : world->heap[0].at_ns;
}

void tp_world_run(struct tp_world *world, uint64_t until_ns)
{
    tp_assert(until_ns >= world->now_ns);
    while (!world->stopped && world->count > 0 && world->heap[0].at_ns <= until_ns) {
        struct tp_event event = heap_pop(world);

        world->now_ns = event.at_ns;
        world->parties[event.party].due(world->parties[event.party].context, event.what);
        world->events++;
        world->stopped = world->stop_at != 0 && world->events >= world->stop_at;
    }
    if (!world->stopped)
        world->now_ns = until_ns;
}
