/* What is kept, applied and timed; and who gets to hear a message. */
#include "apps/sim/scenarios/log3/raft_internal.h"

#include "io/mark.h"

void log3_raft_init(struct log3_raft *raft, uint32_t me, uint32_t forget_after,
                    struct log3_entry *ring, const struct log3_host *host)
{
    static const struct log3_state nothing;

    tp_assert(me < LOG3_NODES && forget_after > 0);
    tp_assert(forget_after <= LOG3_ENTRIES_MAX / 2);
    raft->forget_after = forget_after;
    raft->host = *host;
    raft->me = me;
    raft->role = LOG3_FOLLOWER;
    raft->leader = raft->vote = LOG3_NOBODY;
    raft->term = raft->commit = raft->stable = raft->round = 0;
    raft->state_lsn = raft->forgotten_lsn = 0;
    raft->state = nothing;
    raft->due_ns = TP_NEVER;
    raft->entries.ring = ring;
    log3_entries_reset(&raft->entries, 0, 0);
}

struct log3_message log3_raft_message(const struct log3_raft *raft, enum log3_kind kind)
{
    struct log3_message message = {.kind = kind, .from = raft->me, .term = raft->term};

    return message;
}

/* ------------------------------------------------------------------ what was kept */

/* The journal forgets from its beginning, in pieces, so what comes first may be the rest of
 * anything. The last state makes all of it unnecessary but for the entries behind it, and
 * these are there: log3_raft_begin() looks whether they fit. */
static bool restore_entry(struct log3_raft *raft, const struct log3_record *record,
                          uint64_t lsn)
{
    struct log3_entries *entries = &raft->entries;
    struct log3_entry entry = record->entry;

    if (record->index <= entries->base || record->index > entries->last + 1)
        log3_entries_reset(entries, record->index - 1, 0);
    log3_entries_cut(entries, record->index - 1);
    if (!log3_entries_have_room(entries))
        return false;
    entry.lsn = lsn;
    log3_entries_add(entries, &entry);
    return true;
}

static void restore_state(struct log3_raft *raft, const struct log3_record *record)
{
    const struct log3_state *state = &record->state;
    struct log3_entries *entries = &raft->entries;

    if (!record->keeps_tail || state->index > entries->last)
        log3_entries_reset(entries, state->index, 0);
    else if (state->index >= entries->base)
        log3_entries_forget(entries, state->index);
    if (entries->base == state->index)
        entries->base_term = state->term;
    raft->state = *state;
    raft->commit = state->index;
    tp_reached("a node begins with a snapshot of its own");
}

bool log3_raft_restore(struct log3_raft *raft, const struct log3_record *record,
                       uint64_t lsn)
{
    if (record->kind == LOG3_RECORD_ENTRY)
        return restore_entry(raft, record, lsn);
    if (record->term < raft->term)
        return false;
    raft->term = record->term;
    raft->vote = record->vote;
    if (record->kind == LOG3_RECORD_STATE) {
        restore_state(raft, record);
        raft->state_lsn = lsn;
    }
    return true;
}

bool log3_raft_begin(struct log3_raft *raft, uint64_t now_ns)
{
    if (raft->entries.base != raft->state.index)
        return false;
    raft->stable = raft->entries.last;
    raft->patience_ns =
        LOG3_PATIENCE_NS + raft->host.draws(raft->host.context, LOG3_PATIENCE_NS);
    log3_raft_follow(raft, LOG3_NOBODY, now_ns);
    return true;
}

/* ------------------------------------------------------------------ what is kept */

static bool keep(struct log3_raft *raft, const struct log3_record *record,
                 uint64_t *ret_lsn)
{
    int32_t rc = raft->host.keeps(raft->host.context, record, ret_lsn);

    tp_sometimes(rc < 0, "a record cannot be kept now");
    return rc == 0;
}

bool log3_raft_vote(struct log3_raft *raft, uint64_t term, uint32_t vote)
{
    struct log3_record record;
    uint64_t lsn;

    tp_assert(term >= raft->term);
    record.kind = LOG3_RECORD_VOTE;
    record.term = term;
    record.vote = vote;
    if (!keep(raft, &record, &lsn))
        return false;
    raft->term = term;
    raft->vote = vote;
    return true;
}

bool log3_raft_keep_entry(struct log3_raft *raft, uint64_t index, struct log3_entry *entry)
{
    struct log3_entries *entries = &raft->entries;
    struct log3_record record;

    tp_assert(index > raft->commit && index <= entries->last + 1);
    if (index > entries->last && !log3_entries_have_room(entries))
        return false;
    record.kind = LOG3_RECORD_ENTRY;
    record.index = index;
    record.entry = *entry;
    if (!keep(raft, &record, &entry->lsn))
        return false;
    tp_sometimes(index <= entries->last, "a follower's conflicting tail is cut off");
    log3_entries_cut(entries, index - 1);
    log3_entries_add(entries, entry);
    if (raft->stable >= index)
        raft->stable = index - 1;
    return true;
}

/* A state as a record. What it replaces is forgotten when it is durable. */
static bool keep_state(struct log3_raft *raft, const struct log3_state *state,
                       bool keeps_tail)
{
    struct log3_record record;
    uint64_t lsn;

    record.kind = LOG3_RECORD_STATE;
    record.term = raft->term;
    record.vote = raft->vote;
    record.keeps_tail = keeps_tail;
    record.state = *state;
    if (!keep(raft, &record, &lsn))
        return false;
    raft->state_lsn = lsn;
    if (keeps_tail)
        log3_entries_forget(&raft->entries, state->index);
    else
        log3_entries_reset(&raft->entries, state->index, state->term);
    return true;
}

static void forget_kept(struct log3_raft *raft, uint64_t durable_lsn)
{
    const struct log3_entries *entries = &raft->entries;
    uint64_t keep_lsn = raft->state_lsn;

    if (keep_lsn == 0 || keep_lsn > durable_lsn || raft->forgotten_lsn == keep_lsn)
        return;
    raft->forgotten_lsn = keep_lsn;
    if (entries->last > entries->base &&
        log3_entries_at(entries, entries->base + 1)->lsn < keep_lsn)
        keep_lsn = log3_entries_at(entries, entries->base + 1)->lsn;
    raft->host.forgets(raft->host.context, keep_lsn);
    tp_reached("records are forgotten");
}

void log3_raft_durable(struct log3_raft *raft, uint64_t lsn)
{
    const struct log3_entries *entries = &raft->entries;

    if (raft->stable < entries->base)
        raft->stable = entries->base;
    while (raft->stable < entries->last &&
           log3_entries_at(entries, raft->stable + 1)->lsn <= lsn)
        raft->stable++;
    forget_kept(raft, lsn);
    if (raft->role == LOG3_LEADER)
        log3_raft_count(raft);
}

/* ------------------------------------------------------------------ what is committed */

void log3_raft_commit(struct log3_raft *raft, uint64_t index)
{
    struct log3_entries *entries = &raft->entries;
    struct log3_state *state = &raft->state;

    if (index > entries->last)
        index = entries->last;
    while (state->index < index) {
        const struct log3_entry *entry = log3_entries_at(entries, state->index + 1);
        uint64_t position = log3_state_apply(state, entry);

        raft->host.applied(raft->host.context, entry, position);
    }
    if (raft->commit < index)
        raft->commit = index;
    if (state->index - entries->base >= raft->forget_after)
        (void)keep_state(raft, state, true);
}

bool log3_raft_install(struct log3_raft *raft, const struct log3_state *state)
{
    bool keeps_tail = log3_entries_term(&raft->entries, state->index) == state->term;

    tp_assert(state->index > raft->commit);
    if (!keep_state(raft, state, keeps_tail))
        return false;
    raft->state = *state;
    raft->commit = state->index;
    tp_reached("a follower goes on from a snapshot");
    return true;
}

/* ------------------------------------------------------------------ time */

void log3_raft_follow(struct log3_raft *raft, uint32_t leader, uint64_t now_ns)
{
    tp_sometimes(raft->role == LOG3_LEADER, "a leader becomes a follower");
    raft->heard_ns = now_ns;
    raft->leader = leader;
    if (raft->role == LOG3_LEADER || raft->due_ns == TP_NEVER)
        raft->due_ns = now_ns + raft->patience_ns;
    raft->role = LOG3_FOLLOWER;
}

/* One that cannot hear a majority cannot commit anything: another may ("Consensus", section
 * 6.2). */
static bool hears_majority(const struct log3_raft *raft, uint64_t now_ns)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < LOG3_NODES; i++)
        count += i != raft->me && now_ns < raft->peers[i].heard_ns + LOG3_QUORUM_NS;
    return count >= LOG3_MAJORITY;
}

void log3_raft_pass(struct log3_raft *raft, uint64_t now_ns)
{
    if (now_ns < raft->due_ns)
        return;
    if (raft->role == LOG3_LEADER) {
        if (hears_majority(raft, now_ns)) {
            log3_raft_broadcast(raft);
            raft->due_ns = now_ns + LOG3_BEAT_NS;
            return;
        }
        tp_reached("a leader that no majority answers steps down");
        log3_raft_follow(raft, LOG3_NOBODY, now_ns);
        return;
    }
    /* Whoever was heard meanwhile has only put it off. */
    if (raft->role == LOG3_FOLLOWER && now_ns < raft->heard_ns + raft->patience_ns) {
        raft->due_ns = raft->heard_ns + raft->patience_ns;
        return;
    }
    log3_raft_stand(raft, now_ns);
}

/* ------------------------------------------------------------------ messages */

/* One of an earlier term is told so. */
static void refuse(struct log3_raft *raft, const struct log3_message *message)
{
    struct log3_message answer = log3_raft_message(raft, LOG3_VOTE);

    if (message->kind == LOG3_ENTRIES || message->kind == LOG3_SNAPSHOT)
        answer.kind = LOG3_MATCHED;
    else if (message->kind != LOG3_ASK_VOTE)
        return;
    raft->host.sends(raft->host.context, message->from, &answer, true);
}

/* Whether it is of the term that this node is in, now. */
static bool is_of_this_term(struct log3_raft *raft, const struct log3_message *message,
                            uint64_t now_ns)
{
    if (message->term < raft->term) {
        refuse(raft, message);
        return false;
    }
    if (message->term > raft->term) {
        if (!log3_raft_vote(raft, message->term, LOG3_NOBODY))
            return false;
        if (raft->role != LOG3_FOLLOWER)
            log3_raft_follow(raft, LOG3_NOBODY, now_ns);
        raft->leader = LOG3_NOBODY;
    }
    return true;
}

void log3_raft_hear(struct log3_raft *raft, const struct log3_message *message,
                    uint64_t now_ns)
{
    bool about_next = message->pre && (message->kind == LOG3_ASK_VOTE || message->yes);

    if (message->from >= LOG3_NODES || message->from == raft->me)
        return;
    if (!about_next && !is_of_this_term(raft, message, now_ns))
        return;
    switch (message->kind) {
    case LOG3_ASK_VOTE:
        log3_raft_hear_ask(raft, message, now_ns);
        return;
    case LOG3_VOTE:
        log3_raft_hear_vote(raft, message, now_ns);
        return;
    case LOG3_ENTRIES:
        log3_raft_hear_entries(raft, message, now_ns);
        return;
    case LOG3_SNAPSHOT:
        log3_raft_hear_snapshot(raft, message, now_ns);
        return;
    case LOG3_MATCHED:
        log3_raft_hear_matched(raft, message, now_ns);
        return;
    case LOG3_APPEND:
    case LOG3_ASK_COUNT:
    case LOG3_DONE:
    case LOG3_KINDS:
        return; /* not for this ear */
    }
    tp_unreachable();
}
