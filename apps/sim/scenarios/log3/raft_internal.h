/** apps/sim/scenarios/log3/raft_internal.h - what the parts of raft.h share: raft.c (what
 * is kept, applied and timed), election.c, replication.c.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_RAFT_INTERNAL_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_RAFT_INTERNAL_H

#include "apps/sim/scenarios/log3/raft.h"

enum { LOG3_MAJORITY = LOG3_NODES / 2 + 1 };

/** A message of this node, in its term. */
struct log3_message log3_raft_message(const struct log3_raft *raft, enum log3_kind kind);

/** Keeps term and vote, then has them. False: it could not be kept. */
bool log3_raft_vote(struct log3_raft *raft, uint64_t term, uint32_t vote);

/** Follows `leader` (LOG3_NOBODY: whoever it will be) in the term that it is in. */
void log3_raft_follow(struct log3_raft *raft, uint32_t leader, uint64_t now_ns);

/** Keeps an entry in this place, which is not committed; what was there and behind it is
 * gone. False: it could not be kept. */
bool log3_raft_keep_entry(struct log3_raft *raft, uint64_t index, struct log3_entry *entry);

/** Entries up to there are committed, if they are here: applies them. */
void log3_raft_commit(struct log3_raft *raft, uint64_t index);

/** Goes on from a state that somebody else has come to. False: it could not be kept. */
bool log3_raft_install(struct log3_raft *raft, const struct log3_state *state);

/** Begins to ask whether it would be elected. */
void log3_raft_stand(struct log3_raft *raft, uint64_t now_ns);

/** Questions and answers of elections. */
void log3_raft_hear_ask(struct log3_raft *raft, const struct log3_message *message,
                        uint64_t now_ns);
void log3_raft_hear_vote(struct log3_raft *raft, const struct log3_message *message,
                         uint64_t now_ns);

/** It was elected. */
void log3_raft_lead(struct log3_raft *raft, uint64_t now_ns);

/** Says to all what they lack, or that it is there. */
void log3_raft_broadcast(struct log3_raft *raft);

/** A leader's words, and what followers answer. */
void log3_raft_hear_entries(struct log3_raft *raft, const struct log3_message *message,
                            uint64_t now_ns);
void log3_raft_hear_snapshot(struct log3_raft *raft, const struct log3_message *message,
                             uint64_t now_ns);
void log3_raft_hear_matched(struct log3_raft *raft, const struct log3_message *message,
                            uint64_t now_ns);

/** What a majority has is committed. */
void log3_raft_count(struct log3_raft *raft);

#endif
