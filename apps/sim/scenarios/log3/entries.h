/** apps/sim/scenarios/log3/entries.h - the log in memory: entries with consecutive indexes.
 *
 * Entries base + 1 to last are there, as copies, in a ring of somebody else's memory: it is
 * large, and need not be cleared. What is up to `base` was applied and forgotten; of it,
 * the term of the last one is known.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_ENTRIES_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_ENTRIES_H

#include "apps/sim/scenarios/log3/entry.h"

struct log3_entries {
    uint64_t base, base_term;
    uint64_t last;
    struct log3_entry *ring; /* LOG3_ENTRIES_MAX */
};

/** None, after this one. */
void log3_entries_reset(struct log3_entries *entries, uint64_t base, uint64_t base_term);

/** Whether one more fits. */
bool log3_entries_have_room(const struct log3_entries *entries);

/** Adds a copy behind the last; there must be room. */
void log3_entries_add(struct log3_entries *entries, const struct log3_entry *entry);

/** Entry `index`, which must be there. */
const struct log3_entry *log3_entries_at(const struct log3_entries *entries,
                                         uint64_t index);

/** The term of an entry from base to last; 0 of any other. */
uint64_t log3_entries_term(const struct log3_entries *entries, uint64_t index);

/** Forgets entries behind `last`, which is from base to last. */
void log3_entries_cut(struct log3_entries *entries, uint64_t last);

/** Forgets entries up to `base`, which is from base to last. */
void log3_entries_forget(struct log3_entries *entries, uint64_t base);

#endif
