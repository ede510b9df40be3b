#include "apps/sim/scenarios/log3/session.h"

#include <errno.h>

#include "io/mark.h"
#include "runtime/await.h"

static struct log3_server *server_of(struct log3_session *session)
{
    return tp_container_of(session->client.service, struct log3_server, service);
}

/* ------------------------------------------------------------------ who waits */

static void begin_waiting(struct log3_session *session)
{
    struct log3_server *server = server_of(session);

    tp_assert(session->link == NULL);
    session->question = session->message;
    session->next = server->waiting;
    session->link = &server->waiting;
    if (session->next != NULL)
        session->next->link = &session->next;
    server->waiting = session;
}

static void end_waiting(struct log3_session *session)
{
    if (session->link == NULL)
        return;
    *session->link = session->next;
    if (session->next != NULL)
        session->next->link = session->link;
    session->link = NULL;
}

/* ------------------------------------------------------------------ answers */

static void answer(struct log3_session *session, bool yes, uint64_t number)
{
    struct log3_server *server = server_of(session);
    struct log3_message message = {.kind = LOG3_DONE,
                                   .from = server->raft.leader,
                                   .yes = yes,
                                   .index = session->question.index,
                                   .commit = number};

    end_waiting(session);
    log3_message_say(&session->client.connection, &message, 0);
    if (server->cx->self != &session->client.machine)
        tp_wake(&session->client.machine); /* it sends at the end of its tick */
}

/* Whoever applies it knows its position, be it the one who was asked or not. */
static bool answer_append(struct log3_session *session)
{
    const struct log3_message *question = &session->question;
    const struct log3_state *state = &server_of(session)->raft.state;
    uint64_t seq = state->clients[question->from].seq;

    if (seq < question->index)
        return false;
    answer(session, seq == question->index, state->clients[question->from].position);
    return true;
}

static bool answer_count(struct log3_session *session)
{
    const struct log3_raft *raft = &server_of(session)->raft;

    if (raft->role != LOG3_LEADER || raft->term != session->term) {
        tp_reached("a leader is none any more when a read is to be answered");
        answer(session, false, 0);
        return true;
    }
    if (!log3_raft_confirmed(raft, session->round) || raft->state.index < session->index)
        return false;
    answer(session, true, raft->state.count);
    return true;
}

static bool try_to_answer(struct log3_session *session)
{
    return session->question.kind == LOG3_APPEND ? answer_append(session)
                                                 : answer_count(session);
}

void log3_sessions_answer(struct log3_server *server)
{
    struct log3_session *next;

    for (struct log3_session *session = server->waiting; session != NULL; session = next) {
        next = session->next;
        (void)try_to_answer(session);
    }
}

/* ------------------------------------------------------------------ questions */

static void ask_append(struct log3_session *session)
{
    const struct log3_message *message = &session->message;
    struct log3_server *server = server_of(session);

    begin_waiting(session);
    if (answer_append(session))
        return; /* it was asked before */
    if (log3_raft_append(&server->raft, message->from, message->index, message->body,
                         message->count) == 0)
        answer(session, false, 0);
}

static void ask_count(struct log3_session *session)
{
    struct log3_raft *raft = &server_of(session)->raft;

    begin_waiting(session);
    session->term = raft->term;
    session->round = log3_raft_read(raft, &session->index);
    if (session->round == 0)
        answer(session, false, 0);
}

/* Whether it makes sense to go on with who has said that. */
static bool hear(struct log3_session *session, struct tp_ctx *cx)
{
    const struct log3_message *message = &session->message;
    struct log3_server *server = server_of(session);

    server->cx = cx;
    if (message->kind == LOG3_DONE)
        return false;
    if (message->kind != LOG3_APPEND && message->kind != LOG3_ASK_COUNT) {
        log3_raft_hear(&server->raft, message, tp_now_ns(cx));
    } else if (message->from >= LOG3_CLIENTS || session->link != NULL) {
        return false; /* no client of ours, or one who does not wait for its answer */
    } else if (message->kind == LOG3_APPEND) {
        ask_append(session);
    } else {
        ask_count(session);
    }
    log3_server_settle(server, cx);
    return true;
}

enum tp_step log3_session_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_session *session =
        tp_container_of(tp_client_of(machine), struct log3_session, client);
    struct tp_connection *connection = &session->client.connection;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (session->rc = log3_message_hear(cx, connection,
                                                            &session->message)) != -EAGAIN);
        if (session->rc <= 0)
            break;
        if (!hear(session, cx))
            tp_connection_abort(connection, -EPROTO);
        tp_connection_consume(connection, (uint32_t)session->rc);
    }
    tp_sometimes(session->rc == -EPROTO, "what arrives is no message");
    end_waiting(session);
    tp_connection_abort(connection, -ECONNABORTED);
    TP_AWAIT_UNTIL(cx, tp_connection_close(cx, connection));
    return tp_end(machine, 0);
    TP_END(cx);
}
