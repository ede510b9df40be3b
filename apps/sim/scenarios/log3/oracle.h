/** apps/sim/scenarios/log3/oracle.h - what must hold, seen from outside: it knows what
 * every node has applied, who has led, what every client asked and was told.
 *
 * - at most one node leads in a term (election safety);
 * - who leads has every committed entry (leader completeness), and so has everybody whom a
 *   majority would elect, even if the power were cut at this moment;
 * - all nodes apply the same entries in the same places, for ever (state machine safety);
 * - what was acknowledged was applied, once, in its client's order, with the position told,
 *   and behind everything that was committed before it was asked for;
 * - a count covers what was committed before it was asked for, and no more than there is.
 *
 * An entry that any node has applied was committed: that is the oracle's truth. It fails
 * the run (tp_sim_fail()) at the first that does not hold.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_ORACLE_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_ORACLE_H

#include "apps/sim/history.h"
#include "apps/sim/scenarios/log3/server.h"
#include "apps/sim/sim.h"

/** What the state was when an entry was first applied. */
struct log3_truth {
    uint64_t term, count, hash;
    uint64_t committed_in; /* the term of the leader who did */
};

/** A client: outlives its process, as the number on its last order form does. */
struct log3_desk {
    uint64_t begun;    /* its last append */
    uint64_t applied;  /* the last that was committed ... */
    uint64_t position; /* ... and where */
    uint64_t acked;    /* the last that it was told of */
    uint64_t floor;    /* appends that were committed before it asked */
    bool is_counting;  /* that was for the count, and it was not told yet */
};

struct log3_oracle {
    struct tp_sim *sim;
    struct log3_truth *truths; /* by index */
    uint64_t committed, truths_max;
    uint8_t *leaders; /* by term: 1 and the node; 0: nobody */
    uint64_t terms_max;
    struct log3_desk desks[LOG3_CLIENTS];
    uint64_t count;                                /* appends that were committed */
    const struct log3_server *servers[LOG3_NODES]; /* as they are, or were when they died */
    struct tp_history *history;                    /* NULL: none is recorded */
};

/** With a history, or without. A node whose server is NULL, or does not serve yet, is not
 * known. */
void log3_oracle_init(struct log3_oracle *oracle, struct tp_sim *sim, bool has_history);
void log3_oracle_deinit(struct log3_oracle *oracle);

/** The text of a client's append; it has LOG3_TEXT_BYTES. */
void log3_oracle_text(uint32_t client, uint64_t seq, uint8_t *ret_text);

/** What nodes do: as struct log3_witness has it. */
void log3_oracle_applied(struct log3_oracle *oracle, uint32_t node,
                         const struct log3_state *state, const struct log3_entry *entry,
                         uint64_t position);
void log3_oracle_leads(struct log3_oracle *oracle, uint32_t node,
                       const struct log3_raft *raft);

/** A client asks for an append: its number; or for the count. */
uint64_t log3_oracle_append(struct log3_oracle *oracle, uint32_t client);
void log3_oracle_count(struct log3_oracle *oracle, uint32_t client);

/** It asks now, for what was not answered yet; it will not be told what it asked before. */
void log3_oracle_asks(struct log3_oracle *oracle, uint32_t client);

/** It was told the position, or the count. */
void log3_oracle_told(struct log3_oracle *oracle, uint32_t client, uint64_t number);

/** It begins anew: an append that was asked for is asked for again, a count is not. */
void log3_oracle_reborn(struct log3_oracle *oracle, uint32_t client);

/** Whether an order explains what the clients were told (apps/sim/linear.h). */
void log3_oracle_judge(struct log3_oracle *oracle);

#endif
