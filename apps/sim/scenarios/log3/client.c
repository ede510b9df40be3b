#include "apps/sim/scenarios/log3/client.h"

#include <errno.h>
#include <inttypes.h>

#include "runtime/await.h"
#include "runtime/operations.h"

static bool has_more(struct log3_client *client)
{
    struct tp_sim *sim = tp_node_sim(client->node);

    if (client->until_ns == 0)
        return tp_node_more(client->node);
    return tp_sim_phase(sim) <= TP_PHASE_CHAOS && tp_sim_now_ns(sim) < client->until_ns;
}

/* ------------------------------------------------------------------ questions */

static void open_append(struct log3_client *client, uint64_t seq)
{
    log3_oracle_text(client->id, seq, client->text);
    client->question = (struct log3_message){.kind = LOG3_APPEND,
                                             .from = client->id,
                                             .index = seq,
                                             .count = LOG3_TEXT_BYTES,
                                             .body = client->text};
}

static void open_count(struct log3_client *client)
{
    log3_oracle_count(client->oracle, client->id);
    client->question = (struct log3_message){
        .kind = LOG3_ASK_COUNT, .from = client->id, .index = 1 + client->question.index};
}

static bool is_open(const struct log3_client *client)
{
    const struct log3_desk *desk = &client->oracle->desks[client->id];

    return desk->is_counting || desk->begun != desk->acked;
}

/* What its process was about to do when it died. */
static void resume(struct log3_client *client)
{
    const struct log3_desk *desk = &client->oracle->desks[client->id];

    log3_oracle_reborn(client->oracle, client->id);
    if (is_open(client))
        open_append(client, desk->begun);
}

/* The next question; false: there is none. */
static bool open_next(struct log3_client *client)
{
    uint32_t every = client->conditions->count_every[client->id];

    if (client->is_done)
        return false;
    client->is_done = !has_more(client);
    if (client->is_done || tp_node_draw(client->node, every) == every - 1)
        open_count(client);
    else
        open_append(client, log3_oracle_append(client->oracle, client->id));
    return true;
}

/* ------------------------------------------------------------------ answers */

static struct tp_op connect(struct tp_ctx *cx, struct log3_client *client)
{
    struct tp_socket_options socket = {.no_delay = true};

    return tp_deadline(cx, tp_connect(cx, &client->addresses[client->target], socket),
                       LOG3_QUORUM_NS);
}

/* One that is not answered for so long asks another. */
static void begin(struct log3_client *client, struct tp_fd fd)
{
    client->options = (struct tp_connection_options){
        .frame_max = LOG3_MESSAGE_BYTES_MAX, .idle_ns = client->conditions->patience_ns};
    tp_connection_init(&client->connection, fd, client->memory, sizeof client->memory,
                       &client->options);
    client->is_connected = true;
}

/* Whether it was answered; if not, whom to ask next. */
static bool take_answer(struct log3_client *client)
{
    const struct log3_message *answer = &client->answer;
    bool is_answer = client->rc > 0 && answer->kind == LOG3_DONE &&
                     answer->index == client->question.index;

    if (is_answer && answer->yes) {
        log3_oracle_told(client->oracle, client->id, answer->commit);
        tp_node_promised(client->node, "%s %" PRIu64,
                         client->question.kind == LOG3_APPEND ? "append" : "count",
                         answer->commit);
        return true;
    }
    if (is_answer && answer->from < LOG3_NODES && answer->from != client->target)
        client->target = answer->from;
    else
        client->target = (client->target + 1) % LOG3_NODES;
    return false;
}

enum tp_step log3_client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct log3_client *client = tp_container_of(machine, struct log3_client, machine);
    struct tp_connection *connection = &client->connection;
    struct tp_result result;

    TP_BEGIN(cx);
    tp_periodic_init(cx, &client->periodic, LOG3_CLIENT_PERIOD_NS, TP_PERIODIC_SKIP);
    resume(client);
    for (;;) {
        if (!is_open(client)) {
            TP_AWAIT(cx, tp_periodic_next(cx, &client->periodic), &result);
            if (!open_next(client))
                break;
        }
        if (!client->is_connected) {
            TP_AWAIT(cx, connect(cx, client), &result);
            if (result.value >= 0)
                begin(client, tp_into_fd(cx, result));
        }
        client->rc = -ENOTCONN;
        if (client->is_connected) {
            log3_oracle_asks(client->oracle, client->id);
            log3_message_say(connection, &client->question, 0);
            TP_AWAIT_UNTIL(cx, (client->rc = log3_message_hear(
                                    cx, connection, &client->answer)) != -EAGAIN);
        }
        if (take_answer(client)) {
            tp_connection_consume(connection, (uint32_t)client->rc);
            tp_connection_settle(cx, connection);
            continue;
        }
        if (client->is_connected) {
            tp_connection_abort(connection, -ECONNABORTED);
            TP_AWAIT_UNTIL(cx, tp_connection_close(cx, connection));
            client->is_connected = false;
        }
        TP_AWAIT(cx, tp_timer(cx, client->conditions->retry_ns), &result);
    }
    if (client->is_connected)
        TP_AWAIT_UNTIL(cx, tp_connection_close(cx, connection));
    return tp_end(machine, 0);
    TP_END(cx);
}
