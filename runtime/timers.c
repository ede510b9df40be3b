#include "timers.h"

#include <errno.h>

int tp_timers_init(struct tp_timers *timers, uint32_t capacity,
                   const struct tp_allocator *allocator)
{
    timers->capacity = capacity;
    timers->entries = tp_alloc(allocator, (size_t)capacity * sizeof *timers->entries, 64);
    return timers->entries == NULL ? -ENOMEM : 0;
}

void tp_timers_deinit(struct tp_timers *timers, const struct tp_allocator *allocator)
{
    tp_free(allocator, timers->entries, (size_t)timers->capacity * sizeof *timers->entries,
            64);
}

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

        if (first >= timers->count)
            break;
        for (uint32_t child = first + 1; child < first + 4 && child < timers->count;
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

void tp_timers_set(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot,
                   uint64_t deadline_ns)
{
    struct tp_timer_entry entry = {deadline_ns, timers->sequence++, slot};

    tp_assert(slots->slots[slot].timer == 0);
    tp_assert(timers->count < timers->capacity);
    sift_up(timers, slots, timers->count++, entry);
    if (timers->count > timers->count_max)
        timers->count_max = timers->count;
}

void tp_timers_remove(struct tp_timers *timers, struct tp_slots *slots, uint32_t slot)
{
    uint32_t position = slots->slots[slot].timer;
    struct tp_timer_entry last;

    if (position == 0)
        return;
    position--;
    tp_assert(timers->entries[position].slot == slot);
    slots->slots[slot].timer = 0;
    last = timers->entries[--timers->count];
    if (last.slot == slot)
        return;
    if (position > 0 && earlier(&last, &timers->entries[(position - 1) / 4]))
        sift_up(timers, slots, position, last);
    else
        sift_down(timers, slots, position, last);
}
