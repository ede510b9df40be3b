#include "apps/kv/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/kv/execute.h"
#include "apps/kv/server_internal.h"
#include "io/mark.h"
#include "runtime/operations.h"

enum { REPLY_KEPT = 1 << 20 }; /* room that a reply leaves to the next */

void kv_client_init(struct kv_client *client, struct kv_server *server, struct tp_fd fd,
                    const struct tp_connection_options *options)
{
    memset(client, 0, sizeof *client);
    client->server = server;
    client->wanted = 1;
    tp_connection_init(&client->connection, fd, client->memory, sizeof client->memory,
                       options);
}

void kv_client_deinit(struct kv_client *client)
{
    if (client->admitted)
        kv_session_close(&client->server->engine, &client->session);
    kv_resp_deinit(&client->resp);
    kv_reply_deinit(&client->late);
    tp_connection_deinit(&client->connection);
}

/* ------------------------------------------------------------------ replies */

/* Puts a reply behind those that are there. */
static void answer(struct kv_client *client, const struct kv_reply *reply, uint64_t lsn)
{
    struct tp_connection *connection = &client->connection;
    const struct kv_server *server = client->server;

    if (reply->len == 0)
        return;
    (void)tp_connection_write(connection, reply->bytes, reply->len);
    if (server->engine.config.sync != KV_SYNC_ALWAYS)
        return;
    if (lsn <= tp_journal_durable_lsn(server->hook.journal))
        lsn = 0;
    tp_connection_hold(connection, lsn);
}

/* An empty reply to be filled, which all clients share. */
static struct kv_reply *blank(struct kv_client *client)
{
    struct kv_reply *reply = &client->server->reply;

    if (reply->capacity > REPLY_KEPT)
        kv_reply_deinit(reply);
    reply->len = 0;
    return reply;
}

/* The log has failed: none of what is held can be sent as it is. */
static void say_unknown(struct kv_client *client)
{
    uint32_t count = tp_connection_discard_held(&client->connection);

    for (uint32_t i = 0; i < count; i++) {
        struct kv_reply *reply = blank(client);

        tp_reached("a reply says that the outcome is unknown");
        kv_reply_unknown(&client->server->engine, &client->session, reply);
        answer(client, reply, 0);
    }
}

/* Lets those replies go that wait for nothing any more, and waits for the first of the
 * others. */
static void let_go(struct kv_client *client, struct tp_ctx *cx)
{
    struct tp_connection *connection = &client->connection;
    struct tp_journal *journal = client->server->hook.journal;
    uint64_t lsn;

    while ((lsn = tp_connection_held(connection)) != 0) {
        int32_t rc = tp_journal_wait(cx, journal, &client->durable, lsn);

        if (rc == -EAGAIN)
            return;
        if (rc == 0)
            (void)tp_connection_release(connection, tp_journal_durable_lsn(journal));
        else
            say_unknown(client);
    }
    tp_journal_leave(&client->durable);
}

/* ------------------------------------------------------------------ replies that are late
 */

static void keep_late(struct kv_client *client, struct kv_reply *reply, uint64_t lsn)
{
    struct kv_reply unused = client->late;

    /* The buffers change places: nothing is copied. */
    client->late = *reply;
    unused.len = 0;
    *reply = unused;
    client->late_lsn = lsn;
}

static void answer_late(struct kv_client *client)
{
    answer(client, &client->late, client->late_lsn);
    kv_reply_deinit(&client->late);
    client->late.len = 0;
    client->state = KV_CLIENT_SERVING;
}

/* Nobody sleeps when all is to end, or when his connection is broken. */
static void cut_sleep(struct kv_client *client, struct tp_ctx *cx)
{
    if (client->server->stopping || client->connection.error < 0)
        tp_cancel(cx, client->sleep_op);
}

static bool has_slept(struct kv_client *client, struct tp_ctx *cx)
{
    struct tp_result result;

    return tp_take(cx, &client->sleep_op, &result);
}

static bool is_saved(struct kv_client *client, struct tp_ctx *cx)
{
    struct kv_server *server = client->server;

    if (server->keeper.saves_ended < client->snapshot && !tp_cancelled(cx))
        return false;
    tp_wait_list_leave(&client->saved);
    if (server->keeper.save_result < 0) {
        client->late.len = 0;
        kv_reply_snapshot_failed(&server->engine, &client->session, &client->late);
    }
    return true;
}

/* ------------------------------------------------------------------ requests */

/* What a request comes to beside its reply. */
static void follow(struct kv_client *client, struct tp_ctx *cx,
                   const struct kv_result *result, struct kv_reply *reply)
{
    if (result->sleep_us > 0 || result->holds_snapshot)
        keep_late(client, reply, result->lsn);
    else
        answer(client, reply, result->lsn);
    if (result->shutdown != KV_STAY) {
        kv_server_say_shutdown(client->server, client->session.address);
        kv_server_stop(client->server, result->shutdown == KV_SHUTDOWN_SAVE);
    }
    if (result->close || result->shutdown != KV_STAY) {
        client->state = KV_CLIENT_CLOSING;
    } else if (result->sleep_us > 0) {
        client->sleep_op = tp_timer(cx, result->sleep_us * 1000);
        client->state = KV_CLIENT_SLEEPING;
    } else if (result->holds_snapshot) {
        client->snapshot = client->server->keeper.saves_begun;
        client->state = KV_CLIENT_SAVING;
        tp_wait_list_join(cx, &client->server->keeper.saved, &client->saved);
    }
}

/* Executes the request that was read. False: it could not be, and is to be read again. */
static bool execute(struct kv_client *client, struct tp_ctx *cx)
{
    struct kv_reply *reply = blank(client);
    struct kv_result result;

    kv_execute(&client->server->engine, &client->session, client->resp.argv,
               client->resp.argc, reply, &result);
    if (result.lsn != 0)
        kv_keeper_stir(&client->server->keeper);
    switch (result.outcome) {
    case KV_DONE:
        follow(client, cx, &result, reply);
        return true;
    case KV_AGAIN:
        tp_reached("a command waits for room in the log");
        client->state = KV_CLIENT_STUCK;
        return false;
    case KV_SOON:
        client->state = KV_CLIENT_SOON;
        return false;
    }
    tp_unreachable();
}

static void refuse_unreadable(struct kv_client *client, const char *error)
{
    struct kv_reply *reply = blank(client);

    kv_reply_unreadable(&client->server->engine, &client->session, error, reply);
    answer(client, reply, 0);
    client->state = KV_CLIENT_CLOSING;
}

static void set_limits(struct kv_client *client)
{
    client->resp.limits.argument_max = client->server->engine.config.argument_max;
    client->resp.limits.stranger = !client->session.known;
}

/* Executes the requests that are there, as long as it is their turn. The bytes that are
 * done with. */
static uint32_t take_requests(struct kv_client *client, struct tp_ctx *cx,
                              const uint8_t *bytes, uint32_t len)
{
    struct kv_resp *resp = &client->resp;
    uint32_t at = 0;

    client->wanted = 1;
    while (at < len && client->state == KV_CLIENT_SERVING &&
           tp_connection_pending(&client->connection) <= KV_OUTPUT_HIGH) {
        enum kv_resp_status status = kv_resp_read(resp, bytes + at, len - at);
        uint32_t used = resp->used;
        bool done;

        if (status == KV_RESP_MORE) {
            uint64_t wanted = kv_resp_wanted(resp);

            client->wanted = wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
            break;
        }
        if (status == KV_RESP_WRONG) {
            refuse_unreadable(client, resp->error);
            break;
        }
        done = execute(client, cx);
        kv_resp_next(resp);
        if (!done)
            break;
        set_limits(client);
        at += used;
    }
    return at;
}

/* The input has ended, or is broken, or is more than one request may have. */
static void end_input(struct kv_client *client, int32_t why)
{
    if (why == -EMSGSIZE)
        refuse_unreadable(client, "Protocol error: too big request");
    client->state = KV_CLIENT_CLOSING;
}

static void serve(struct kv_client *client, struct tp_ctx *cx)
{
    struct tp_connection *connection = &client->connection;

    while (client->state == KV_CLIENT_SERVING) {
        const uint8_t *bytes;
        int32_t len = tp_connection_peek(cx, connection, client->wanted, &bytes);
        uint32_t used;

        if (len == -EAGAIN)
            return;
        if (len <= 0) {
            end_input(client, len);
            return;
        }
        used = take_requests(client, cx, bytes, (uint32_t)len);
        if (used > 0)
            tp_connection_consume(connection, used);
        let_go(client, cx);
    }
}

/* ------------------------------------------------------------------ beginning and end */

/* "127.0.0.1:6379", or, of a Unix socket, "/path:0". */
static void print_address(const struct tp_address *address, char ret_text[KV_ADDRESS_BYTES])
{
    char text[TP_ADDRESS_TEXT];

    if (address->family == TP_ADDRESS_UNIX)
        (void)snprintf(ret_text, KV_ADDRESS_BYTES, "%s:0", address->at.path);
    else if (address->family != TP_ADDRESS_NONE)
        (void)snprintf(ret_text, KV_ADDRESS_BYTES, "%s", tp_address_print(address, text));
}

static bool has_begun(const struct kv_client *client)
{
    return !tp_op_is_some(client->peer_op) && !tp_op_is_some(client->local_op) &&
           !tp_op_is_some(client->option_op);
}

/* Both addresses are asked for; false until they are known. A peer that has gone already
 * has none, and it does not matter whether its socket took an option. */
static bool is_known(struct kv_client *client, struct tp_ctx *cx)
{
    struct kv_session *session = &client->session;
    struct tp_result result;

    if (tp_take(cx, &client->peer_op, &result) && result.value >= 0) {
        print_address(&client->peer, session->address);
    }
    if (tp_take(cx, &client->local_op, &result) && result.value >= 0) {
        print_address(&client->local, session->local_address);
        session->on_unix = client->local.family == TP_ADDRESS_UNIX;
        if (session->on_unix)
            memcpy(session->address, session->local_address, sizeof session->address);
    }
    (void)tp_take(cx, &client->option_op, &result);
    return has_begun(client);
}

static void begin(struct kv_client *client, struct tp_ctx *cx)
{
    struct kv_server *server = client->server;
    struct kv_resp_limits limits = {.args_max = KV_RESP_ARGS_MAX};
    static const char full[] = "-ERR max number of clients reached\r\n";

    kv_resp_init(&client->resp, &limits);
    client->admitted = kv_server_admits(server);
    if (!client->admitted) {
        (void)tp_connection_write(&client->connection, full, sizeof full - 1);
        client->state = KV_CLIENT_CLOSING;
        return;
    }
    kv_session_open(&server->engine, &client->session);
    client->session.number = client->connection.fd.number;
    set_limits(client);
    client->peer_op = tp_peer_address(cx, client->connection.fd, &client->peer);
    client->local_op = tp_local_address(cx, client->connection.fd, &client->local);
    /* It came with what the listening socket was given at the start. */
    if (server->engine.config.keepalive_s != server->config.config.keepalive_s)
        client->option_op = tp_set_socket(cx, client->connection.fd,
                                          kv_server_socket_options(&server->engine.config));
    client->state = KV_CLIENT_SERVING;
}

static enum tp_step end(struct kv_client *client)
{
    tp_journal_leave(&client->durable);
    tp_journal_leave(&client->room);
    tp_wait_list_leave(&client->saved);
    kv_resp_deinit(&client->resp);
    kv_reply_deinit(&client->late);
    if (client->admitted)
        kv_session_close(&client->server->engine, &client->session);
    client->admitted = false;
    return tp_end(&client->machine, client->connection.error);
}

/* ------------------------------------------------------------------ the machine */

/* Whether what it waited for has come. */
static bool goes_on(struct kv_client *client, struct tp_ctx *cx)
{
    switch (client->state) {
    case KV_CLIENT_NEW:
        begin(client, cx);
        break;
    case KV_CLIENT_STUCK:
    case KV_CLIENT_SOON:
        client->state = KV_CLIENT_SERVING;
        break;
    case KV_CLIENT_SLEEPING:
        if (has_slept(client, cx))
            answer_late(client);
        break;
    case KV_CLIENT_SAVING:
        if (is_saved(client, cx))
            answer_late(client);
        break;
    case KV_CLIENT_SERVING:
    case KV_CLIENT_CLOSING:
        break;
    }
    return client->state == KV_CLIENT_SERVING && is_known(client, cx);
}

static enum tp_step close_it(struct kv_client *client, struct tp_ctx *cx)
{
    let_go(client, cx);
    if (!is_known(client, cx) || !tp_connection_close(cx, &client->connection))
        return TP_WAIT;
    return end(client);
}

enum tp_step kv_client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_client *client = tp_container_of(machine, struct kv_client, machine);
    struct tp_connection *connection = &client->connection;

    kv_server_enter(client->server, cx, &client->room);
    connection->working = false;
    let_go(client, cx);
    if (goes_on(client, cx))
        serve(client, cx);
    if (client->state == KV_CLIENT_CLOSING)
        return close_it(client, cx);
    /* Who waits for his reply is not idle. */
    connection->working = client->state != KV_CLIENT_SERVING;
    if (client->state != KV_CLIENT_SERVING || !has_begun(client))
        tp_connection_settle(cx, connection);
    if (client->state == KV_CLIENT_SLEEPING)
        cut_sleep(client, cx);
    client->session.input_bytes = tp_connection_buffered(connection);
    client->session.output_bytes = tp_connection_pending(connection);
    return client->state == KV_CLIENT_SOON ? TP_YIELD : TP_WAIT;
}
