/* Replication: sections 5.3, 5.4.2 and 7 of the paper. A leader sends to each of the others
 * what it has not been sent yet, without waiting for answers; one who lacks what comes
 * before says from where. */
#include <string.h>

#include "apps/sim/scenarios/log3/raft_internal.h"
#include "io/mark.h"

/* What is left of the room is for the entries that begin terms: with none of these nothing
 * would be committed, and nothing forgotten. */
enum { CLIENTS_LAST = LOG3_ENTRIES_MAX - 128 };

/* ------------------------------------------------------------------ the leader */

static void send_snapshot(struct log3_raft *raft, uint32_t to)
{
    struct log3_message message = log3_raft_message(raft, LOG3_SNAPSHOT);

    message.round = raft->round;
    message.state = &raft->state;
    raft->peers[to].next = raft->state.index + 1;
    raft->host.sends(raft->host.context, to, &message, false);
}

/* What it was not sent yet, or that there is nothing. */
static void send_entries(struct log3_raft *raft, uint32_t to)
{
    struct log3_message message = log3_raft_message(raft, LOG3_ENTRIES);
    struct log3_peer_view *peer = &raft->peers[to];
    uint64_t left = raft->entries.last + 1 - peer->next;

    tp_assert(peer->next <= raft->entries.last + 1);
    if (peer->next <= raft->entries.base) {
        send_snapshot(raft, to);
        return;
    }
    message.index = peer->next - 1;
    message.index_term = log3_entries_term(&raft->entries, message.index);
    message.commit = raft->commit;
    message.round = raft->round;
    message.entries = &raft->entries;
    message.count = left < LOG3_BATCH_MAX ? (uint32_t)left : LOG3_BATCH_MAX;
    peer->next += message.count;
    tp_sometimes(left > LOG3_BATCH_MAX, "a follower lacks more than a message holds");
    raft->host.sends(raft->host.context, to, &message, false);
}

static void send_all(struct log3_raft *raft)
{
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        if (i != raft->me)
            send_entries(raft, i);
    }
}

void log3_raft_broadcast(struct log3_raft *raft)
{
    raft->round++;
    for (uint32_t i = 0; i < LOG3_NODES; i++)
        raft->peers[i].tried = UINT64_MAX;
    send_all(raft);
}

/* What earlier terms have left is committed with an entry of this one: section 8. */
void log3_raft_lead(struct log3_raft *raft, uint64_t now_ns)
{
    struct log3_entry first = {.term = raft->term, .client = LOG3_NOBODY};
    uint64_t last = raft->entries.last;

    if (!log3_raft_keep_entry(raft, last + 1, &first))
        return; /* it stands again when its patience is over */
    raft->role = LOG3_LEADER;
    raft->leader = raft->me;
    for (uint32_t i = 0; i < LOG3_NODES; i++)
        raft->peers[i] = (struct log3_peer_view){.next = last + 1, .heard_ns = now_ns};
    raft->due_ns = now_ns + LOG3_BEAT_NS;
    raft->host.leads(raft->host.context);
    log3_raft_broadcast(raft);
    tp_reached("a leader is elected");
}

/* The highest index that a majority has, durably; the leader counts as one of them. */
static uint64_t majority_index(const struct log3_raft *raft)
{
    uint64_t best = 0;

    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        uint64_t index = i == raft->me ? raft->stable : raft->peers[i].matched;
        uint32_t count = 0;

        for (uint32_t j = 0; j < LOG3_NODES; j++)
            count += (j == raft->me ? raft->stable : raft->peers[j].matched) >= index;
        if (count >= LOG3_MAJORITY && index > best)
            best = index;
    }
    return best;
}

/* An entry of an earlier term is not committed by counting: figure 8. */
void log3_raft_count(struct log3_raft *raft)
{
    uint64_t index = majority_index(raft);

    if (index <= raft->commit)
        return;
    tp_sometimes(log3_entries_term(&raft->entries, index) != raft->term,
                 "a majority has an entry of an earlier term, which does not count");
    if (log3_entries_term(&raft->entries, index) == raft->term)
        log3_raft_commit(raft, index);
}

static uint64_t within(uint64_t number, uint64_t from, uint64_t to)
{
    return number < from ? from : number > to ? to : number;
}

/* A follower lacks what comes before what it was sent. Each of those that were under way
 * brings such an answer: only the first that leads further back is acted upon, until it
 * gets on, or the next beat. */
static void go_back(struct log3_raft *raft, const struct log3_message *message)
{
    struct log3_peer_view *peer = &raft->peers[message->from];
    uint64_t next = within(message->index + 1, peer->matched + 1, raft->entries.last + 1);

    tp_reached("a follower lacks what comes before");
    if (next >= peer->tried)
        return;
    peer->next = peer->tried = next;
    send_entries(raft, message->from);
}

void log3_raft_hear_matched(struct log3_raft *raft, const struct log3_message *message,
                            uint64_t now_ns)
{
    struct log3_peer_view *peer = &raft->peers[message->from];
    uint64_t last = raft->entries.last;

    if (raft->role != LOG3_LEADER)
        return;
    peer->heard_ns = now_ns;
    if (message->round <= raft->round && message->round > peer->round)
        peer->round = message->round;
    if (!message->yes) {
        go_back(raft, message);
        return;
    }
    if (message->index <= peer->matched || message->index > last)
        return;
    peer->matched = message->index;
    peer->tried = UINT64_MAX;
    if (peer->next <= peer->matched)
        peer->next = peer->matched + 1;
    log3_raft_count(raft);
    if (peer->next <= raft->entries.last)
        send_entries(raft, message->from);
}

/* ------------------------------------------------------------------ a follower */

/* From where a leader is to try that comes with an entry behind one of another term than
 * ours: before all of that term (end of section 5.3). */
static uint64_t before_term_of(const struct log3_raft *raft, uint64_t index)
{
    uint64_t term = log3_entries_term(&raft->entries, index);

    while (index > raft->commit && log3_entries_term(&raft->entries, index) == term)
        index--;
    return index;
}

/* Takes what it lacks, and what is there of another term instead. Up to which index it has
 * all of it. */
static uint64_t take_entries(struct log3_raft *raft, const struct log3_message *message)
{
    struct log3_reader reader = log3_reader_of(message->body, message->body_len);
    uint64_t index = message->index;

    for (uint32_t i = 0; i < message->count; i++) {
        struct log3_entry entry;

        log3_entry_read(&reader, &entry);
        if (index + 1 > raft->commit &&
            log3_entries_term(&raft->entries, index + 1) != entry.term &&
            !log3_raft_keep_entry(raft, index + 1, &entry))
            return index;
        index++;
    }
    return index;
}

void log3_raft_hear_entries(struct log3_raft *raft, const struct log3_message *message,
                            uint64_t now_ns)
{
    struct log3_message answer = log3_raft_message(raft, LOG3_MATCHED);
    uint64_t index = message->index, last = raft->entries.last;

    if (raft->role == LOG3_LEADER)
        return; /* two of a term: somebody lies */
    log3_raft_follow(raft, message->from, now_ns);
    answer.round = message->round;
    if (index > last) {
        answer.index = last;
    } else if (index >= raft->commit &&
               log3_entries_term(&raft->entries, index) != message->index_term) {
        answer.index = before_term_of(raft, index);
    } else {
        answer.yes = true;
        answer.index = take_entries(raft, message);
        log3_raft_commit(raft,
                         message->commit < answer.index ? message->commit : answer.index);
    }
    tp_sometimes(!answer.yes && index <= last,
                 "a follower's log conflicts with the leader's");
    raft->host.sends(raft->host.context, message->from, &answer, true);
}

void log3_raft_hear_snapshot(struct log3_raft *raft, const struct log3_message *message,
                             uint64_t now_ns)
{
    struct log3_reader reader = log3_reader_of(message->body, message->body_len);
    struct log3_message answer = log3_raft_message(raft, LOG3_MATCHED);
    struct log3_state state;

    if (raft->role == LOG3_LEADER)
        return;
    log3_raft_follow(raft, message->from, now_ns);
    log3_state_read(&reader, &state);
    if (state.index > raft->commit && !log3_raft_install(raft, &state))
        return;
    answer.round = message->round;
    answer.yes = true;
    answer.index = raft->commit;
    raft->host.sends(raft->host.context, message->from, &answer, true);
}

/* ------------------------------------------------------------------ clients */

uint64_t log3_raft_append(struct log3_raft *raft, uint32_t client, uint64_t seq,
                          const uint8_t *text, uint32_t len)
{
    struct log3_entry entry;

    tp_assert(client < LOG3_CLIENTS && len <= LOG3_TEXT_BYTES);
    if (raft->role != LOG3_LEADER ||
        raft->entries.last - raft->entries.base >= CLIENTS_LAST)
        return 0;
    entry.term = raft->term;
    entry.seq = seq;
    entry.client = client;
    entry.len = len;
    memcpy(entry.text, text, len);
    if (!log3_raft_keep_entry(raft, raft->entries.last + 1, &entry))
        return 0;
    send_all(raft);
    return raft->entries.last;
}

/* Before an entry of this term is committed it does not know what is ("Consensus", section
 * 6.4). */
uint64_t log3_raft_read(struct log3_raft *raft, uint64_t *ret_index)
{
    if (raft->role != LOG3_LEADER ||
        log3_entries_term(&raft->entries, raft->commit) != raft->term)
        return 0;
    *ret_index = raft->commit;
    log3_raft_broadcast(raft);
    return raft->round;
}

bool log3_raft_confirmed(const struct log3_raft *raft, uint64_t round)
{
    uint32_t count = raft->role == LOG3_LEADER;

    for (uint32_t i = 0; i < LOG3_NODES; i++)
        count += i != raft->me && raft->peers[i].round >= round;
    return raft->role == LOG3_LEADER && count >= LOG3_MAJORITY;
}
