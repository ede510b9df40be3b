#include "world.h"

#include <errno.h>
#include <string.h>

#include "io/virtual/world_internal.h"

#define HEAP_FIRST_CAPACITY 256
#define PARTIES_FIRST       16

static size_t heap_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tp_event);
}

static size_t party_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tp_party);
}

int tp_world_create(const struct tp_allocator *allocator, struct tp_world **ret_world)
{
    struct tp_world *world = tp_alloc(allocator, sizeof *world, 16);

    if (world == NULL)
        return -ENOMEM;
    world->allocator = allocator;
    world->heap = tp_alloc(allocator, heap_bytes(HEAP_FIRST_CAPACITY), 16);
    world->capacity = HEAP_FIRST_CAPACITY;
    world->parties = tp_alloc(allocator, party_bytes(PARTIES_FIRST), 16);
    world->party_capacity = PARTIES_FIRST;
    if (world->heap == NULL || world->parties == NULL) {
        tp_world_destroy(world);
        return -ENOMEM;
    }
    *ret_world = world;
    return 0;
}

void tp_world_destroy(struct tp_world *world)
{
    if (world == NULL)
        return;
    tp_assert(world->members == 0);
    tp_free(world->allocator, world->heap, heap_bytes(world->capacity), 16);
    tp_free(world->allocator, world->parties, party_bytes(world->party_capacity), 16);
    tp_free(world->allocator, world, sizeof *world, 16);
}

/* ------------------------------------------------------------------ parties */

static void parties_grow(struct tp_world *world)
{
    uint32_t capacity = world->party_capacity * 2;
    struct tp_party *parties = tp_alloc(world->allocator, party_bytes(capacity), 16);

    if (parties == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the members of the world");
    memcpy(parties, world->parties, party_bytes(world->party_capacity));
    tp_free(world->allocator, world->parties, party_bytes(world->party_capacity), 16);
    world->parties = parties;
    world->party_capacity = capacity;
}

uint32_t tp_world_join(struct tp_world *world, tp_world_due *due, void *context)
{
    uint32_t party = world->party_free;

    while (party < world->party_count && world->parties[party].due != NULL)
        party++;
    world->party_free = party + 1;
    if (party == world->party_capacity)
        parties_grow(world);
    if (party == world->party_count)
        world->party_count++;
    world->members++;
    world->parties[party].due = due;
    world->parties[party].context = context;
    return party;
}

__extension__ typedef unsigned __int128 moment_and_order;

static moment_and_order when(const struct tp_event *event)
{
    return (moment_and_order)event->at_ns << 64 | event->order;
}

/* Without a branch: which of two events comes first is anybody's guess, a processor's too.
 */
static bool is_before(const struct tp_event *a, const struct tp_event *b)
{
    return when(a) < when(b);
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

/* Puts an event where it belongs on the way from the hole at `at` to the top. */
static void heap_rise(struct tp_world *world, uint32_t at, const struct tp_event *event)
{
    while (at > 0 && is_before(event, &world->heap[(at - 1) / 2])) {
        world->heap[at] = world->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->heap[at] = *event;
}

/* The hole that the first one leaves goes all the way down, and the last one rises from
 * there: it nearly always belongs to the bottom, so asking at each level would be in vain.
 */
static void fill_with_last(struct tp_world *world)
{
    struct tp_event *heap = world->heap;
    uint32_t count = --world->count;
    struct tp_event last = heap[count];
    uint32_t at = 0;
    uint32_t child = 2;

    world->is_hollow = false;
    for (; child < count; child = 2 * at + 2) {
        child -= is_before(&heap[child - 1], &heap[child]);
        heap[at] = heap[child];
        at = child;
    }
    if (child == count) { /* the last of all has no sibling */
        heap[at] = heap[child - 1];
        at = child - 1;
    }
    if (count > 0)
        heap_rise(world, at, &last);
}

/* What an event asks for is often next, or nearly, so it is asked at each level. */
static void fill_with(struct tp_world *world, const struct tp_event *event)
{
    struct tp_event *heap = world->heap;
    uint32_t count = world->count;
    uint32_t at = 0;

    world->is_hollow = false;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && is_before(&heap[child + 1], &heap[child]);
        if (is_before(event, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = *event;
}

void tp_world_fill(struct tp_world *world)
{
    if (world->is_hollow)
        fill_with_last(world);
}

static bool is_empty(const struct tp_world *world)
{
    return world->count <= (world->is_hollow ? 1 : 0);
}

static void heap_push(struct tp_world *world, const struct tp_event *event)
{
    heap_rise(world, world->count++, event);
}

void tp_world_at(struct tp_world *world, uint64_t at_ns, uint32_t tie, uint32_t party,
                 uint32_t what)
{
    struct tp_event event = {at_ns, (uint64_t)tie << 32 | world->sequence++, party, what};

    tp_assert(at_ns >= world->now_ns && party < world->party_count);
    if (world->is_hollow) {
        fill_with(world, &event);
        return;
    }
    if (world->count == world->capacity)
        heap_grow(world);
    heap_push(world, &event);
}

/* The order of events is a total one, so the heap that is built anew gives the same. */
void tp_world_leave(struct tp_world *world, uint32_t party)
{
    uint32_t count;

    tp_assert(party < world->party_count && world->parties[party].due != NULL);
    tp_world_fill(world);
    count = world->count;
    world->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct tp_event event = world->heap[i]; /* the heap so far ends at or before it */

        if (event.party != party)
            heap_push(world, &event);
    }
    world->parties[party].due = NULL;
    world->members--;
    if (party < world->party_free)
        world->party_free = party;
}

/* ------------------------------------------------------------------ time */

uint64_t tp_world_now_ns(const struct tp_world *world)
{
    return world->now_ns;
}

uint64_t tp_world_next_ns(const struct tp_world *world)
{
    const struct tp_event *heap = world->heap;

    if (is_empty(world))
        return TP_NEVER;
    if (!world->is_hollow)
        return heap[0].at_ns;
    if (world->count == 2 || heap[1].at_ns < heap[2].at_ns)
        return heap[1].at_ns;
    return heap[2].at_ns;
}

/* The first event leaves a hole, for the next that is asked for. */
static void happen(struct tp_world *world)
{
    struct tp_event event;

    tp_world_fill(world);
    event = world->heap[0];
    world->is_hollow = true;
    world->now_ns = event.at_ns;
    world->parties[event.party].due(world->parties[event.party].context, event.what);
    world->events++;
    world->stopped = world->stop_at != 0 && world->events >= world->stop_at;
}

void tp_world_run(struct tp_world *world, uint64_t until_ns)
{
    tp_assert(until_ns >= world->now_ns);
    while (!world->stopped && !is_empty(world) && tp_world_next_ns(world) <= until_ns)
        happen(world);
    if (!world->stopped)
        world->now_ns = until_ns;
}

bool tp_world_step(struct tp_world *world)
{
    if (world->stopped || is_empty(world))
        return false;
    happen(world);
    return true;
}

uint64_t tp_world_events(const struct tp_world *world)
{
    return world->events;
}

void tp_world_stop_at(struct tp_world *world, uint64_t event)
{
    world->stop_at = event;
    world->stopped = event != 0 && world->events >= event;
}

bool tp_world_is_stopped(const struct tp_world *world)
{
    return world->stopped;
}
