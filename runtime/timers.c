#include "timers.h"

#include <errno.h>

/* In a slot's `timer`: it is in this queue, and not at a position of the heap. */
#define QUEUED UINT32_C(0x80000000)

int tp_timers_init(struct tp_timers *timers, uint32_t capacity,
                   const struct tp_allocator *allocator)
{
    timers->capacity = capacity;
    timers->entries = tp_alloc(allocator, (size_t)capacity * sizeof *timers->entries, 64);
    timers->nodes = tp_alloc(allocator, ((size_t)capacity + 1) * sizeof *timers->nodes, 64);
    return timers->entries == NULL || timers->nodes == NULL ? -ENOMEM : 0;
}

void tp_timers_deinit(struct tp_timers *timers, const struct tp_allocator *allocator)
{
    tp_free(allocator, timers->entries, (size_t)timers->capacity * sizeof *timers->entries,
            64);
    tp_free(allocator, timers->nodes,
            ((size_t)timers->capacity + 1) * sizeof *timers->nodes, 64);
}

/* ------------------------------------------------------------------ the heap */

static bool earlier(const struct tp_timer_entry *a, const struct tp_timer_entry *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return (int32_t)(a->sequence - b->sequence) < 0; /* the counter may wrap */
}

static void place(struct tp_timers *timers, struct tp_slots *slots, uint32_t position,
                  struct tp_timer_entry entry)
{
    timers->entries[position] = entry;
    slots->slots[entry.slot].timer = position + 1;
}

static void sift_up(struct tp_timers *timers, struct tp_slots *slots, uint32_t position,
                    struct tp_timer_entry entry)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / 4;

        if (!earlier(&entry, &timers->entries[parent]))
            break;
        place(timers, slots, position, timers->entries[parent]);
        position = parent;
    }
    place(timers, slots, position, entry);
}

static void sift_down(struct tp_timers *timers, struct tp_slots *slots, uint32_t position,
                      struct tp_timer_entry entry)
{
    for (;;) {
        uint32_t first = position * 4 + 1;
        uint32_t best = first;

        if (first >= timers->heap_count)
            break;
        for (uint32_t child = first + 1; child < first + 4 && child < timers->heap_count;
             child++) {
            if (earlier(&timers->entries[child], &timers->entries[best]))
                best = child;
        }
        if (!earlier(&timers->entries[best], &entry))
            break;
        place(timers, slots, position, timers->entries[best]);
        position = best;
    }
    place(timers, slots, position, entry);
}

static void heap_remove(struct tp_timers *timers, struct tp_slots *slots, uint32_t position)
{
    struct tp_timer_entry last = timers->entries[--timers->heap_count];

    tp_assert(position <= timers->heap_count);
    if (position == timers->heap_count)
        return;
    if (position > 0 && earlier(&last, &timers->entries[(position - 1) / 4]))
        sift_up(timers, slots, position, last);
    else
        sift_down(timers, slots, position, last);
}

/* ------------------------------------------------------------------ the queues */

/* The queue of a delay, or one that is free; NULL when there is neither, or when the delay
 * says nothing about the order. */
static struct tp_timer_queue *queue_for(struct tp_timers *timers, uint64_t delay_ns,
                                        uint64_t deadline_ns)
{
    struct tp_timer_queue *free = NULL;

    for (uint32_t i = 0; i < timers->queues_used; i++) {
        struct tp_timer_queue *queue = &timers->queues[i];

        if (queue->first == 0)
            free = queue;
        else if (queue->delay_ns == delay_ns)
            return timers->nodes[queue->last].entry.deadline_ns <= deadline_ns ? queue
                                                                               : NULL;
    }
    if (free == NULL && timers->queues_used < TP_TIMER_QUEUES)
        free = &timers->queues[timers->queues_used++];
    return free;
}

static void queue_append(struct tp_timers *timers, struct tp_timer_queue *queue,
                         struct tp_timer_entry entry)
{
    struct tp_timer_node *node = &timers->nodes[entry.slot];

    node->entry = entry;
    node->next = 0;
    node->previous = queue->last;
    if (queue->last != 0)
        timers->nodes[queue->last].next = entry.slot;
    else
        queue->first = entry.slot;
    queue->last = entry.slot;
}

static void queue_remove(struct tp_timers *timers, struct tp_timer_queue *queue,
                         uint32_t slot)
{
    const struct tp_timer_node *node = &timers->nodes[slot];

    tp_assert(node->entry.slot == slot);
    if (node->next != 0)
        timers->nodes[node->next].previous = node->previous;
    else
        queue->last = node->previous;
    if (node->previous != 0)
        timers->nodes[node->previous].next = node->next;
    else
        queue->first = node->next;
}

/* ------------------------------------------------------------------ both */

void tp_timers_set(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot,
                   uint64_t deadline_ns, uint64_t delay_ns)
{
    struct tp_timer_entry entry = {deadline_ns, timers->sequence++, slot};
    struct tp_timer_queue *queue =
        delay_ns == 0 ? NULL : queue_for(timers, delay_ns, deadline_ns);

    tp_assert(slots->slots[slot].timer == 0);
    tp_assert(timers->count < timers->capacity && slot <= timers->capacity);
    if (queue == NULL) {
        sift_up(timers, slots, timers->heap_count++, entry);
    } else {
        queue->delay_ns = delay_ns;
        queue_append(timers, queue, entry);
        slots->slots[slot].timer = QUEUED | (uint32_t)(queue - timers->queues);
    }
    if (timers->known_first.slot != 0 && earlier(&entry, &timers->known_first))
        timers->known_first = entry;
    timers->count++;
    if (timers->count > timers->count_max)
        timers->count_max = timers->count;
}

void tp_timers_remove(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot)
{
    uint32_t place = slots->slots[slot].timer;

    if (place == 0)
        return;
    slots->slots[slot].timer = 0;
    if (timers->known_first.slot == slot)
        timers->known_first.slot = 0;
    timers->count--;
    if ((place & QUEUED) != 0) {
        queue_remove(timers, &timers->queues[place & ~QUEUED], slot);
    } else {
        tp_assert(timers->entries[place - 1].slot == slot);
        heap_remove(timers, slots, place - 1);
    }
}

void tp_timers_find_first(struct tp_timers *timers)
{
    const struct tp_timer_entry *first =
        timers->heap_count > 0 ? &timers->entries[0] : NULL;

    tp_assert(timers->count > 0);
    for (uint32_t i = 0; i < timers->queues_used; i++) {
        const struct tp_timer_queue *queue = &timers->queues[i];
        const struct tp_timer_entry *entry = &timers->nodes[queue->first].entry;

        if (queue->first != 0 && (first == NULL || earlier(entry, first)))
            first = entry;
    }
    tp_assert(first != NULL);
    timers->known_first = *first;
}
