#include "apps/sim/scenarios/log3/entries.h"

#include <string.h>

void log3_entries_reset(struct log3_entries *entries, uint64_t base, uint64_t base_term)
{
    entries->base = entries->last = base;
    entries->base_term = base_term;
}

bool log3_entries_have_room(const struct log3_entries *entries)
{
    return entries->last - entries->base < LOG3_ENTRIES_MAX;
}

void log3_entries_add(struct log3_entries *entries, const struct log3_entry *entry)
{
    struct log3_entry *place = &entries->ring[(entries->last + 1) % LOG3_ENTRIES_MAX];

    tp_assert(log3_entries_have_room(entries));
    memcpy(place, entry, offsetof(struct log3_entry, text) + entry->len);
    entries->last++;
}

const struct log3_entry *log3_entries_at(const struct log3_entries *entries, uint64_t index)
{
    tp_assert(index > entries->base && index <= entries->last);
    return &entries->ring[index % LOG3_ENTRIES_MAX];
}

uint64_t log3_entries_term(const struct log3_entries *entries, uint64_t index)
{
    if (index == entries->base)
        return entries->base_term;
    return index < entries->base || index > entries->last
               ? 0
               : log3_entries_at(entries, index)->term;
}

void log3_entries_cut(struct log3_entries *entries, uint64_t last)
{
    tp_assert(last >= entries->base && last <= entries->last);
    entries->last = last;
}

void log3_entries_forget(struct log3_entries *entries, uint64_t base)
{
    entries->base_term = log3_entries_term(entries, base);
    tp_assert(base >= entries->base && base <= entries->last);
    entries->base = base;
}
