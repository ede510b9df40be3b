#include "apps/sim/scenarios/log3/oracle.h"

#include <inttypes.h>
#include <string.h>

#include "apps/sim/linear.h"
#include "apps/sim/scenarios/log3/model.h"

enum {
    ROOM_AT_FIRST = 256,
    STEPS_MAX = 2 << 20,
    TEXT_PERIOD = 56, /* of a text that is as long as it likes */
};

/* ------------------------------------------------------------------ life */

void log3_oracle_init(struct log3_oracle *oracle, struct tp_sim *sim, bool has_history)
{
    static const struct log3_oracle empty;

    *oracle = empty;
    oracle->sim = sim;
    if (has_history && tp_history_create(NULL, &oracle->history) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a history");
}

void log3_oracle_deinit(struct log3_oracle *oracle)
{
    tp_free(NULL, oracle->truths, (size_t)oracle->truths_max * sizeof *oracle->truths, 8);
    tp_free(NULL, oracle->leaders, (size_t)oracle->terms_max, 1);
    tp_history_destroy(oracle->history);
}

/* `room` elements of a table that had `had`, so that `index` is one of them. */
static void *grow(void *table, uint64_t *room, uint64_t index, size_t each, size_t align)
{
    uint64_t had = *room, now = had == 0 ? ROOM_AT_FIRST : had;
    void *grown;

    if (index < had)
        return table;
    while (now <= index)
        now *= 2;
    grown = tp_alloc(NULL, (size_t)now * each, align);
    if (grown == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for an oracle");
    if (had > 0)
        memcpy(grown, table, (size_t)had * each);
    tp_free(NULL, table, (size_t)had * each, align);
    *room = now;
    return grown;
}

void log3_oracle_text(uint32_t client, uint64_t seq, uint8_t *ret_text)
{
    uint64_t word = (seq << 8 | client) * UINT64_C(0x9e3779b97f4a7c15);

    for (uint32_t i = 0; i < TEXT_PERIOD; i++)
        ret_text[i] = (uint8_t)('a' + (word >> i) % 26);
    for (uint32_t i = TEXT_PERIOD; i < LOG3_TEXT_BYTES; i++)
        ret_text[i] = ret_text[i - TEXT_PERIOD];
}

/* ------------------------------------------------------------------ what nodes do */

/* Nobody has applied an entry of that index before. */
static void check_first(struct log3_oracle *oracle, uint32_t node,
                        const struct log3_entry *entry, uint64_t position)
{
    uint8_t text[LOG3_TEXT_BYTES];
    struct log3_desk *desk;

    if (entry->client >= LOG3_CLIENTS)
        return;
    desk = &oracle->desks[entry->client];
    if (entry->seq > desk->begun) {
        tp_sim_fail(oracle->sim, "node %u has applied what nobody has asked for", node);
        return;
    }
    log3_oracle_text(entry->client, entry->seq, text);
    if (entry->len != sizeof text || memcmp(text, entry->text, sizeof text) != 0)
        tp_sim_fail(oracle->sim, "node %u has applied another text than was asked for",
                    node);
    if ((position != 0) != (entry->seq == desk->applied + 1))
        tp_sim_fail(oracle->sim,
                    "append %" PRIu64
                    " of client %u was applied behind its append %" PRIu64,
                    entry->seq, entry->client, desk->applied);
    if (position == 0)
        return;
    oracle->count++;
    desk->applied = entry->seq;
    desk->position = position;
}

/* A log as somebody sees it who is asked for a vote. */
struct log_end {
    uint64_t index, term;
};

static struct log_end end_of(const struct log3_raft *raft, uint64_t index)
{
    struct log_end end = {.index = index, .term = log3_entries_term(&raft->entries, index)};

    return end;
}

/* What is left at least of a node's log when its power is cut now. */
static struct log_end durable_end(const struct log3_server *server)
{
    const struct log3_entries *entries = &server->raft.entries;
    uint64_t lsn = tp_journal_durable_lsn(&server->journal);
    uint64_t index = server->raft.stable;

    if (index < entries->base)
        index = entries->base;
    while (index < entries->last && log3_entries_at(entries, index + 1)->lsn <= lsn)
        index++;
    return end_of(&server->raft, index);
}

static bool would_be_elected(const struct log3_oracle *oracle, uint32_t candidate,
                             struct log_end end)
{
    uint32_t votes = 1;

    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        const struct log3_server *server = oracle->servers[i];
        struct log_end other;

        if (i == candidate || server == NULL || !server->is_serving)
            continue;
        other = durable_end(server);
        votes +=
            end.term > other.term || (end.term == other.term && end.index >= other.index);
    }
    return votes > LOG3_NODES / 2;
}

/* An entry is committed if nobody can come to lead without it, whatever befalls the nodes
 * now: that is what leader completeness rests upon (section 5.4.3). Who voted for whom in
 * which term is not asked: an election may always be in a new one. */
static void check_electable(struct log3_oracle *oracle)
{
    uint64_t index = oracle->committed, term = oracle->truths[index].term;

    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        const struct log3_server *server = oracle->servers[i];
        struct log_end ends[2];

        if (server == NULL || !server->is_serving)
            continue;
        ends[0] = end_of(&server->raft, server->raft.entries.last);
        ends[1] = durable_end(server);
        for (uint32_t j = 0; j < 2; j++) {
            bool has = ends[j].index >= index &&
                       (index <= server->raft.entries.base ||
                        log3_entries_term(&server->raft.entries, index) == term);

            if (!has && would_be_elected(oracle, i, ends[j]))
                tp_sim_fail(oracle->sim,
                            "entry %" PRIu64
                            " is taken for committed, and node %u would be "
                            "elected without it",
                            index, i);
        }
    }
}

void log3_oracle_applied(struct log3_oracle *oracle, uint32_t node,
                         const struct log3_state *state, const struct log3_entry *entry,
                         uint64_t position)
{
    struct log3_truth *truth;

    if (state->index == oracle->committed + 1) {
        oracle->truths =
            grow(oracle->truths, &oracle->truths_max, state->index, sizeof *truth, 8);
        oracle->committed = state->index;
        check_first(oracle, node, entry, position);
        oracle->truths[state->index] =
            (struct log3_truth){.term = state->term,
                                .count = state->count,
                                .hash = state->hash,
                                .committed_in = oracle->servers[node]->raft.term};
        check_electable(oracle);
        return;
    }
    if (state->index > oracle->committed) {
        tp_sim_fail(oracle->sim, "node %u has applied what nobody has committed", node);
        return;
    }
    truth = &oracle->truths[state->index];
    if (truth->term != state->term || truth->count != state->count ||
        truth->hash != state->hash)
        tp_sim_fail(oracle->sim,
                    "node %u has applied another entry %" PRIu64 " (of term %" PRIu64
                    ") than was committed (of term %" PRIu64 ")",
                    node, state->index, state->term, truth->term);
}

/* What was committed in earlier terms is there. It may take long until one hears that it
 * was elected; by then others may be in a later term, and have committed more, of which it
 * knows nothing ("Raft", section 5.4.3: leaders of higher terms). */
void log3_oracle_leads(struct log3_oracle *oracle, uint32_t node,
                       const struct log3_raft *raft)
{
    uint64_t last = oracle->committed, term;

    oracle->leaders = grow(oracle->leaders, &oracle->terms_max, raft->term, 1, 1);
    if (oracle->leaders[raft->term] != 0)
        tp_sim_fail(oracle->sim, "two leaders in term %" PRIu64 ": nodes %u and %u",
                    raft->term, oracle->leaders[raft->term] - 1U, node);
    oracle->leaders[raft->term] = (uint8_t)(node + 1);
    while (last > 0 && oracle->truths[last].committed_in >= raft->term)
        last--;
    if (last == 0)
        return;
    term = log3_entries_term(&raft->entries, last);
    if (term != oracle->truths[last].term)
        tp_sim_fail(oracle->sim,
                    "node %u leads in term %" PRIu64 " without entry %" PRIu64
                    ", which is committed",
                    node, raft->term, last);
}

/* ------------------------------------------------------------------ what clients see */

static struct log3_desk *desk_of(struct log3_oracle *oracle, uint32_t client)
{
    tp_assert(client < LOG3_CLIENTS);
    return &oracle->desks[client];
}

static void note_call(struct log3_oracle *oracle, uint32_t client,
                      enum tp_history_kind kind)
{
    struct tp_history_call call = {.kind = kind, .key = tp_value_text("log")};

    if (oracle->history != NULL &&
        tp_history_invoke(oracle->history, client, tp_sim_now_ns(oracle->sim), &call) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a history");
}

static void note_return(struct log3_oracle *oracle, uint32_t client,
                        enum tp_history_outcome outcome, uint64_t number)
{
    uint8_t bytes[LOG3_MODEL_BYTES];

    (void)log3_put(bytes, number, sizeof bytes);
    if (oracle->history != NULL &&
        tp_history_return(oracle->history, client, tp_sim_now_ns(oracle->sim), outcome,
                          tp_value_bytes(bytes, sizeof bytes)) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a history");
}

uint64_t log3_oracle_append(struct log3_oracle *oracle, uint32_t client)
{
    struct log3_desk *desk = desk_of(oracle, client);

    tp_assert(desk->begun == desk->acked && !desk->is_counting);
    desk->floor = oracle->count;
    note_call(oracle, client, TP_HISTORY_APPEND);
    return ++desk->begun;
}

void log3_oracle_count(struct log3_oracle *oracle, uint32_t client)
{
    struct log3_desk *desk = desk_of(oracle, client);

    tp_assert(desk->begun == desk->acked && !desk->is_counting);
    desk->is_counting = true;
    note_call(oracle, client, TP_HISTORY_GET);
}

void log3_oracle_asks(struct log3_oracle *oracle, uint32_t client)
{
    struct log3_desk *desk = desk_of(oracle, client);

    if (desk->is_counting) /* an append may have come to a node when it was asked before */
        desk->floor = oracle->count;
}

static void check_append(struct log3_oracle *oracle, uint32_t client, uint64_t position)
{
    const struct log3_desk *desk = desk_of(oracle, client);

    if (desk->applied != desk->begun || desk->position != position)
        tp_sim_fail(oracle->sim,
                    "append %" PRIu64 " of client %u was acknowledged at %" PRIu64
                    ", and is not there",
                    desk->begun, client, position);
    if (position <= desk->floor)
        tp_sim_fail(oracle->sim,
                    "append %" PRIu64 " of client %u is at %" PRIu64 ": not behind %" PRIu64
                    ", which was committed before",
                    desk->begun, client, position, desk->floor);
}

void log3_oracle_told(struct log3_oracle *oracle, uint32_t client, uint64_t number)
{
    struct log3_desk *desk = desk_of(oracle, client);

    if (!desk->is_counting)
        check_append(oracle, client, number);
    else if (number < desk->floor || number > oracle->count)
        tp_sim_fail(oracle->sim,
                    "client %u was told of %" PRIu64 " appends: fewer than %" PRIu64
                    ", or more than %" PRIu64,
                    client, number, desk->floor, oracle->count);
    desk->acked = desk->begun;
    desk->is_counting = false;
    note_return(oracle, client, TP_HISTORY_OK, number);
}

void log3_oracle_reborn(struct log3_oracle *oracle, uint32_t client)
{
    struct log3_desk *desk = desk_of(oracle, client);

    if (desk->is_counting)
        note_return(oracle, client, TP_HISTORY_UNKNOWN, 0);
    desk->is_counting = false;
}

void log3_oracle_judge(struct log3_oracle *oracle)
{
    struct tp_linear_config config = {.size = sizeof config, .steps_max = STEPS_MAX};
    struct tp_linear_report report;

    if (oracle->history == NULL)
        return;
    tp_linear_check(oracle->history, &log3_model, &config, &report);
    if (report.verdict == TP_LINEAR_NO)
        tp_sim_fail(oracle->sim,
                    "what clients were told is not linearizable: not operation %" PRIu32
                    " of %" PRIu32,
                    report.blocked, tp_history_ops(oracle->history));
    tp_linear_report_deinit(&report);
}
