/** apps/sim/scenarios/log3/raft.h - the consensus: who leads, and which entries are
 * committed.
 *
 * Raft as in "In Search of an Understandable Consensus Algorithm (Extended Version)"
 * (Ongaro, Ousterhout; 2014), figure 2, with pre-vote and a leader that steps down when it
 * hears from no majority (Ongaro's thesis "Consensus", sections 9.6 and 6.2), snapshots
 * (section 7 of the paper) and reads that touch no disk (section 6.4 of the thesis).
 *
 * It knows no disk, network or clock: a host (struct log3_host) keeps its records, delivers
 * its messages and tells it the time. Every function may call the host.
 *
 * Durable before it is said: `sends` with `holds` set must not let a message leave before
 * everything kept until then is durable. The host may refuse to keep a record at any time,
 * and what depended on it has then not happened: messages may be lost anyway, so whoever
 * needed it asks again.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_RAFT_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_RAFT_H

#include "apps/sim/scenarios/log3/entries.h"
#include "apps/sim/scenarios/log3/message.h"
#include "apps/sim/scenarios/log3/record.h"

#define LOG3_BEAT_NS     UINT64_C(100000000)  /* a leader speaks up so often */
#define LOG3_PATIENCE_NS UINT64_C(300000000)  /* of a follower; and up to that much more */
#define LOG3_QUORUM_NS   UINT64_C(1000000000) /* a leader that hears no majority so long */

struct log3_raft;

/** What the node does for it. */
struct log3_host {
    /** Keeps a record behind all others: 0 and its LSN, or a reason why not. */
    int32_t (*keeps)(void *context, const struct log3_record *record, uint64_t *ret_lsn);
    /** Says something to a node, if it can be reached. */
    void (*sends)(void *context, uint32_t to, const struct log3_message *message,
                  bool holds);
    /** Records before `lsn` are not needed any more once that one is durable. */
    void (*forgets)(void *context, uint64_t lsn);
    /** An entry was applied; `position` as log3_state_apply() says. */
    void (*applied)(void *context, const struct log3_entry *entry, uint64_t position);
    /** It leads from now on. */
    void (*leads)(void *context);
    /** A number below `bound`, by chance. */
    uint64_t (*draws)(void *context, uint64_t bound);
    void *context;
};

enum log3_role {
    LOG3_FOLLOWER,
    LOG3_ASKING, /* whether it would be elected: nobody's term has changed */
    LOG3_CANDIDATE,
    LOG3_LEADER,
};

/** What a leader knows of another node. */
struct log3_peer_view {
    uint64_t next;    /* entry to be sent next */
    uint64_t matched; /* its log is this one's up to there, durably */
    uint64_t tried;   /* the least `next` that it was sent since it was last asked anew */
    uint64_t round;   /* the last broadcast that it has answered */
    uint64_t heard_ns;
};

struct log3_raft {
    struct log3_host host;
    uint32_t me, forget_after;
    enum log3_role role;
    uint32_t leader; /* LOG3_NOBODY: unknown */

    /* Durable, as far as `durable_lsn` has come. */
    uint64_t term;
    uint32_t vote; /* in this term; LOG3_NOBODY */
    struct log3_entries entries;
    struct log3_state state; /* of what is applied: entries up to state.index */

    uint64_t commit;
    uint64_t stable;        /* entries up to here are durable, or committed */
    uint64_t state_lsn;     /* of the record with the last state kept; 0: none */
    uint64_t forgotten_lsn; /* of the last such record that has replaced others */
    uint64_t due_ns;        /* when log3_raft_pass() has something to do */
    uint64_t heard_ns;      /* from a leader, or when a vote was given */
    uint64_t patience_ns;   /* this time */
    bool votes[LOG3_NODES];
    struct log3_peer_view peers[LOG3_NODES];
    uint64_t round; /* the last broadcast */
};

/** A node without a past. When `forget_after` entries are applied (LOG3_ENTRIES_MAX / 2 at
 * most), it keeps the state, and forgets them; who lags behind less gets entries. */
void log3_raft_init(struct log3_raft *raft, uint32_t me, uint32_t forget_after,
                    struct log3_entry *ring, const struct log3_host *host);

/** A record that was kept in an earlier life; all of them, in order, before begin(). False:
 * it makes no sense behind those before it. */
bool log3_raft_restore(struct log3_raft *raft, const struct log3_record *record,
                       uint64_t lsn);

/** All that was kept is known, and durable. False: something is missing of it. */
bool log3_raft_begin(struct log3_raft *raft, uint64_t now_ns);

/** A node says something. */
void log3_raft_hear(struct log3_raft *raft, const struct log3_message *message,
                    uint64_t now_ns);

/** Time has come to `due_ns`. Nothing happens before. */
void log3_raft_pass(struct log3_raft *raft, uint64_t now_ns);

/** Records up to `lsn` are durable. */
void log3_raft_durable(struct log3_raft *raft, uint64_t lsn);

/** Appends an entry of a client's to the log of a leader: its index, to be waited for until
 * it is applied. 0: not now, or not here. */
uint64_t log3_raft_append(struct log3_raft *raft, uint32_t client, uint64_t seq,
                          const uint8_t *text, uint32_t len);

/** Begins a read: asks whether it leads still. The number of the broadcast, and which index
 * must be applied. 0: it does not lead. */
uint64_t log3_raft_read(struct log3_raft *raft, uint64_t *ret_index);

/** Whether a majority has answered that broadcast. */
bool log3_raft_confirmed(const struct log3_raft *raft, uint64_t round);

#endif
