/** apps/sim/scenarios/log3/state.h - what the committed entries add up to: the service.
 *
 * It is a count of appends, a hash over them, and of each client the number of its last
 * append with the position that it got. Equal states have applied equal entries. It is so
 * small that a copy of it is a record of the journal, and a message: that is the snapshot
 * of section 7.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_STATE_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_STATE_H

#include "apps/sim/scenarios/log3/entry.h"

enum { LOG3_STATE_BYTES = 32 + 16 * LOG3_CLIENTS };

struct log3_state {
    uint64_t index, term; /* of the last entry applied; 0: none */
    uint64_t count;       /* appends: the length of the log as clients know it */
    uint64_t hash;        /* over all of them, in order */
    struct {
        uint64_t seq, position; /* of its last append; 0: none */
    } clients[LOG3_CLIENTS];
};

/** Applies the entry that is due. Its position, from 1; 0: it is no append, or was applied
 * before. */
uint64_t log3_state_apply(struct log3_state *state, const struct log3_entry *entry);

/** Reads one; impossible ones fail. Writes one: LOG3_STATE_BYTES. */
void log3_state_read(struct log3_reader *reader, struct log3_state *ret_state);
uint8_t *log3_state_put(uint8_t *at, const struct log3_state *state);

#endif
