#include "apps/sim/scenarios/log3/server.h"

#include <errno.h>

#include "apps/sim/scenarios/log3/session.h"
#include "io/mark.h"
#include "runtime/await.h"
#include "runtime/operations.h"
#include "sm/become_internal.h"

enum {
    GROUP_BYTES = 16 << 10,
    SEGMENT_BYTES = 128 << 10,
    SESSIONS_MAX = 32,
    SESSION_BYTES = 8192,
    PENDING_MAX = 4 * LOG3_MESSAGE_BYTES_MAX, /* bytes: one who takes no more lacks some */
};

/* Who says nothing for so long is gone, though nobody says so: it has lost its power. */
#define SILENCE_NS UINT64_C(10000000000)

static enum tp_step restore_tick(struct tp_machine *machine, struct tp_ctx *cx);
static enum tp_step serve_tick(struct tp_machine *machine, struct tp_ctx *cx);
static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx);

static struct log3_server *server_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct log3_server, machine);
}

static void note_error(struct log3_server *server, int32_t error)
{
    if (server->error == 0)
        server->error = error;
}

/* ------------------------------------------------------------------ the host of raft.h */

static int32_t keep(void *context, const struct log3_record *record, uint64_t *ret_lsn)
{
    struct log3_server *server = context;
    uint8_t bytes[LOG3_RECORD_BYTES_MAX];
    uint32_t len = log3_record_put(bytes, record);
    int32_t rc = tp_journal_append(server->cx, &server->journal, NULL, bytes, len, ret_lsn);

    /* One whose disk is full, or has failed, is of no use: the others go on without it. */
    if (rc < 0 && rc != -EAGAIN) {
        note_error(server, rc);
        tp_wake(&server->machine);
    }
    return rc;
}

static void say(void *context, uint32_t to, const struct log3_message *message, bool holds)
{
    struct log3_server *server = context;
    struct log3_peer *peer = &server->peers[to];
    uint64_t lsn = tp_journal_lsn(&server->journal);

    tp_assert(to < LOG3_NODES && to != server->config.me);
    tp_sometimes(!peer->is_connected, "a message finds no connection");
    if (!peer->is_connected || tp_connection_pending(&peer->connection) > PENDING_MAX)
        return;
    if (!holds || lsn == tp_journal_durable_lsn(&server->journal))
        lsn = 0;
    log3_message_say(&peer->connection, message, lsn);
    tp_wake(&peer->machine);
}

static void forget(void *context, uint64_t lsn)
{
    struct log3_server *server = context;

    tp_journal_trim(&server->journal, lsn);
}

static void note_applied(void *context, const struct log3_entry *entry, uint64_t position)
{
    struct log3_server *server = context;
    const struct log3_witness *witness = &server->config.witness;

    witness->applied(witness->context, server->config.me, &server->raft.state, entry,
                     position);
}

static void note_leads(void *context)
{
    struct log3_server *server = context;
    const struct log3_witness *witness = &server->config.witness;

    witness->leads(witness->context, server->config.me, &server->raft);
}

static uint64_t draw(void *context, uint64_t bound)
{
    struct log3_server *server = context;

    return tp_random(server->cx) % bound;
}

/* ------------------------------------------------------------------ life */

int32_t log3_server_init(struct log3_server *server,
                         const struct log3_server_config *config)
{
    struct tp_journal_config journal = {.path = config->path,
                                        .group_bytes = GROUP_BYTES,
                                        .segment_bytes = SEGMENT_BYTES,
                                        .from_lsn = TP_JOURNAL_OLDEST,
                                        .idle_mark_ns = LOG3_QUORUM_NS};
    struct log3_host host = {.keeps = keep,
                             .sends = say,
                             .forgets = forget,
                             .applied = note_applied,
                             .leads = note_leads,
                             .draws = draw,
                             .context = server};

    tp_assert(config->me < LOG3_NODES);
    server->config = *config;
    log3_raft_init(&server->raft, config->me, config->forget_after, config->ring, &host);
    return tp_journal_init(&server->journal, &journal);
}

void log3_server_deinit(struct log3_server *server)
{
    tp_service_deinit(&server->service);
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        if (server->peers[i].connection.options != NULL)
            tp_connection_deinit(&server->peers[i].connection);
    }
    tp_journal_deinit(&server->journal);
}

/* ------------------------------------------------------------------ the beginning */

enum tp_step log3_server_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_server *server = server_of(machine);

    server->cx = cx;
    server->journal_op = tp_journal_open(cx, &server->journal);
    return tp_become(machine, cx, restore_tick);
}

/* What the journal holds. It is checked there, byte for byte: what makes no sense was
 * written so. */
static enum tp_step restore_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_server *server = server_of(machine);
    struct log3_record record;

    server->cx = cx;
    while ((server->rc = tp_journal_next(&server->journal, &server->record)) == 1) {
        if (!log3_record_read(server->record.bytes, server->record.len, &record) ||
            !log3_raft_restore(&server->raft, &record, server->record.lsn)) {
            note_error(server, -EBADMSG);
            return tp_become(machine, cx, end_tick);
        }
    }
    if (server->rc == -EAGAIN && !tp_cancelled(cx))
        return tp_suspend(cx);
    note_error(server, server->rc);
    if (server->rc == 0 && !log3_raft_begin(&server->raft, tp_now_ns(cx)))
        note_error(server, -EBADMSG);
    return tp_become(machine, cx, server->error == 0 ? serve_tick : end_tick);
}

/* ------------------------------------------------------------------ serving */

static void start_parts(struct log3_server *server, struct tp_ctx *cx)
{
    struct tp_service_config config = {
        .address = server->config.addresses[server->config.me],
        .connections_max = SESSIONS_MAX,
        .client_bytes = (uint32_t)sizeof(struct log3_session),
        .buffer_bytes = SESSION_BYTES,
        .options = {.no_delay = true},
        .tick = log3_session_tick,
        .name = "session",
        .connection = {.frame_max = LOG3_MESSAGE_BYTES_MAX, .idle_ns = SILENCE_NS}};

    server->service_op = tp_service_start(cx, &server->service, &config);
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        struct log3_peer *peer = &server->peers[i];

        if (i == server->config.me)
            continue;
        peer->address = server->config.addresses[i];
        server->peer_ops[i] = tp_start(cx, &peer->machine, log3_peer_tick, "peer");
    }
    server->is_serving = true;
}

/* More is durable: who has waited for that may leave. */
static void release(struct log3_server *server)
{
    uint64_t lsn = tp_journal_durable_lsn(&server->journal);

    log3_raft_durable(&server->raft, lsn);
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        struct log3_peer *peer = &server->peers[i];

        if (peer->is_connected && tp_connection_release(&peer->connection, lsn))
            tp_wake(&peer->machine);
    }
}

/* Looks at the journal until nothing more of it is durable, then waits for what comes next.
 */
static void look_at_journal(struct log3_server *server, struct tp_ctx *cx)
{
    struct tp_journal *journal = &server->journal;
    int32_t rc;

    while (server->released_lsn < tp_journal_durable_lsn(journal)) {
        server->released_lsn = tp_journal_durable_lsn(journal);
        release(server);
    }
    if (tp_journal_lsn(journal) == server->released_lsn) {
        tp_journal_leave(&server->waiter);
        return;
    }
    rc = tp_journal_wait(cx, journal, &server->waiter, server->released_lsn + 1);
    if (rc < 0 && rc != -EAGAIN)
        note_error(server, rc);
}

static void set_timer(struct log3_server *server, struct tp_ctx *cx)
{
    uint64_t due_ns = server->raft.due_ns, now_ns;

    if (tp_op_is_some(server->timer_op) && server->timer_due_ns <= due_ns)
        return; /* it is looked at again then */
    tp_abandon(cx, server->timer_op);
    now_ns = tp_now_ns(cx);
    server->timer_due_ns = due_ns;
    server->timer_op = tp_timer(cx, due_ns > now_ns ? due_ns - now_ns : 0);
}

/* The journal and the timer are this machine's: another one has to wake it. */
void log3_server_settle(struct log3_server *server, struct tp_ctx *cx)
{
    bool due = tp_journal_lsn(&server->journal) != server->released_lsn &&
               server->waiter.list == NULL;

    log3_sessions_answer(server);
    if (cx->self != &server->machine && (due || server->raft.due_ns < server->timer_due_ns))
        tp_wake(&server->machine);
}

/* A part has ended: it has failed, or all is being ended. */
static bool has_lost_a_part(struct log3_server *server, struct tp_ctx *cx)
{
    struct tp_result result = {.value = 0};
    bool lost = tp_take(cx, &server->journal_op, &result);

    if (!lost)
        lost = tp_take(cx, &server->service_op, &result);
    for (uint32_t i = 0; !lost && i < LOG3_NODES; i++)
        lost = tp_take(cx, &server->peer_ops[i], &result);
    if (lost)
        note_error(server, result.value < 0 ? result.value : -EIO);
    return lost;
}

static enum tp_step serve_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_server *server = server_of(machine);
    struct tp_result result;

    server->cx = cx;
    if (!server->is_serving) {
        server->released_lsn = tp_journal_durable_lsn(&server->journal);
        start_parts(server, cx);
    }
    if (tp_cancelled(cx))
        note_error(server, -ECANCELED);
    if (tp_take(cx, &server->timer_op, &result) && result.value == 0)
        log3_raft_pass(&server->raft, tp_now_ns(cx));
    look_at_journal(server, cx);
    log3_server_settle(server, cx);
    if (has_lost_a_part(server, cx) || server->error < 0)
        return tp_become(machine, cx, end_tick);
    set_timer(server, cx);
    return TP_WAIT;
}

/* ------------------------------------------------------------------ the end */

/* Ends what has begun, whatever it is about; there is nothing left to be saved. */
static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_server *server = server_of(machine);
    struct tp_result result;

    server->cx = cx;
    TP_BEGIN(cx);
    tp_journal_leave(&server->waiter);
    tp_abandon(cx, server->timer_op);
    for (server->at = 0; server->at < LOG3_NODES; server->at++) {
        tp_cancel(cx, server->peer_ops[server->at]);
        TP_AWAIT_UNTIL(cx, !tp_op_is_some(server->peer_ops[server->at]) ||
                               tp_take(cx, &server->peer_ops[server->at], &result));
    }
    tp_cancel(cx, server->service_op);
    TP_AWAIT_UNTIL(cx, !tp_op_is_some(server->service_op) ||
                           tp_take(cx, &server->service_op, &result));
    tp_cancel(cx, server->journal_op);
    TP_AWAIT_UNTIL(cx, !tp_op_is_some(server->journal_op) ||
                           tp_take(cx, &server->journal_op, &result));
    return tp_end(machine, server->error);
    TP_END(cx);
}
