/* Elections: sections 5.2 and 5.4.1 of the paper, and pre-vote: nobody begins a term before
 * a majority has said that it would elect it. So one that hears nobody, but is heard, does
 * not end term after term ("Consensus", section 9.6). */
#include <string.h>

#include "apps/sim/scenarios/log3/raft_internal.h"
#include "io/mark.h"

static void ask_all(struct log3_raft *raft, bool pre)
{
    struct log3_message ask = log3_raft_message(raft, LOG3_ASK_VOTE);

    ask.pre = pre;
    ask.term = raft->term + pre;
    ask.index = raft->entries.last;
    ask.index_term = log3_entries_term(&raft->entries, raft->entries.last);
    memset(raft->votes, 0, sizeof raft->votes);
    raft->votes[raft->me] = true;
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        if (i != raft->me)
            raft->host.sends(raft->host.context, i, &ask, !pre);
    }
}

void log3_raft_stand(struct log3_raft *raft, uint64_t now_ns)
{
    raft->role = LOG3_ASKING;
    raft->leader = LOG3_NOBODY;
    raft->patience_ns =
        LOG3_PATIENCE_NS + raft->host.draws(raft->host.context, LOG3_PATIENCE_NS);
    raft->due_ns = now_ns + raft->patience_ns;
    ask_all(raft, true);
}

/* Its own vote is kept before anybody is asked. */
static void begin_term(struct log3_raft *raft, uint64_t now_ns)
{
    if (!log3_raft_vote(raft, raft->term + 1, raft->me))
        return; /* it stands again when its patience is over */
    raft->role = LOG3_CANDIDATE;
    raft->due_ns = now_ns + raft->patience_ns;
    ask_all(raft, false);
    tp_reached("a term begins");
}

/* Whether the one who asks has all that may be committed: section 5.4.1. */
static bool is_up_to_date(const struct log3_raft *raft, const struct log3_message *ask)
{
    uint64_t last = raft->entries.last;
    uint64_t term = log3_entries_term(&raft->entries, last);

    return ask->index_term > term || (ask->index_term == term && ask->index >= last);
}

static bool would_vote(const struct log3_raft *raft, const struct log3_message *ask,
                       uint64_t now_ns)
{
    return ask->term > raft->term && raft->role != LOG3_LEADER &&
           now_ns >= raft->heard_ns + LOG3_PATIENCE_NS && is_up_to_date(raft, ask);
}

static bool votes(struct log3_raft *raft, const struct log3_message *ask, uint64_t now_ns)
{
    if (raft->role == LOG3_LEADER || raft->role == LOG3_CANDIDATE ||
        !is_up_to_date(raft, ask))
        return false;
    if (raft->vote != LOG3_NOBODY && raft->vote != ask->from)
        return false;
    if (raft->vote == LOG3_NOBODY && !log3_raft_vote(raft, raft->term, ask->from))
        return false;
    log3_raft_follow(raft, LOG3_NOBODY, now_ns);
    return true;
}

void log3_raft_hear_ask(struct log3_raft *raft, const struct log3_message *message,
                        uint64_t now_ns)
{
    struct log3_message answer = log3_raft_message(raft, LOG3_VOTE);

    answer.pre = message->pre;
    answer.yes =
        message->pre ? would_vote(raft, message, now_ns) : votes(raft, message, now_ns);
    if (message->pre && answer.yes)
        answer.term = message->term;
    tp_sometimes(!answer.yes && message->pre, "one who would not be elected is told so");
    raft->host.sends(raft->host.context, message->from, &answer, true);
}

static bool has_majority(const struct log3_raft *raft)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < LOG3_NODES; i++)
        count += raft->votes[i];
    return count >= LOG3_MAJORITY;
}

void log3_raft_hear_vote(struct log3_raft *raft, const struct log3_message *message,
                         uint64_t now_ns)
{
    if (!message->yes || message->term != raft->term + message->pre ||
        raft->role != (message->pre ? LOG3_ASKING : LOG3_CANDIDATE))
        return;
    raft->votes[message->from] = true;
    if (!has_majority(raft))
        return;
    if (message->pre)
        begin_term(raft, now_ns);
    else
        log3_raft_lead(raft, now_ns);
}
