/** apps/sim/scenarios/log3/record.h - what a node keeps in its journal, record by record.
 *
 * The journal (sm/journal.h) only grows, so each record says what changed; the last word
 * counts. An entry with an index that is there already replaces that one and everything
 * behind it: that is how a conflicting tail is cut off, in one step that a power cut cannot
 * halve. A state makes the entries up to it unnecessary, and the records before it too,
 * but for entries behind it.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_RECORD_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_RECORD_H

#include "apps/sim/scenarios/log3/state.h"

enum log3_record_kind {
    LOG3_RECORD_VOTE,  /* term, vote */
    LOG3_RECORD_ENTRY, /* index, entry */
    LOG3_RECORD_STATE, /* term, vote, keeps_tail, state */
    LOG3_RECORD_KINDS
};

struct log3_record {
    enum log3_record_kind kind;
    uint64_t term;   /* the node's */
    uint32_t vote;   /* for whom in it; LOG3_NOBODY */
    bool keeps_tail; /* entries behind the state stay; else there are none */
    uint64_t index;
    struct log3_entry entry;
    struct log3_state state;
};

enum { LOG3_RECORD_BYTES_MAX = 16 + LOG3_ENTRY_HEADER + LOG3_TEXT_BYTES };

/** Writes one into LOG3_RECORD_BYTES_MAX bytes. How many it took. */
uint32_t log3_record_put(uint8_t *ret_bytes, const struct log3_record *record);

/** Reads one. False: it is none. */
bool log3_record_read(const uint8_t *bytes, uint32_t len, struct log3_record *ret_record);

#endif
