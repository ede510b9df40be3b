/** PING, ECHO, SELECT, QUIT, AUTH, HELLO: the connection itself. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/info.h"
#include "apps/kv/number.h"

void kv_cmd_ping(struct kv_call *call)
{
    if (call->argc > 2)
        kv_call_arity_error(call);
    else if (call->argc == 2)
        kv_reply_bulk(call->reply, call->argv[1]);
    else
        kv_reply_status(call->reply, "PONG");
}

void kv_cmd_echo(struct kv_call *call)
{
    kv_reply_bulk(call->reply, call->argv[1]);
}

void kv_cmd_quit(struct kv_call *call)
{
    kv_reply_ok(call->reply);
    call->result->close = true;
}

void kv_cmd_select(struct kv_call *call)
{
    int64_t db;

    if (!kv_call_integer(call, 1, &db))
        return;
    if (db < INT32_MIN || db > INT32_MAX) {
        kv_reply_error(call->reply, "ERR value is out of range, value must between "
                                    "-2147483648 and 2147483647");
        return;
    }
    if (db < 0 || db >= KV_DBS) {
        kv_reply_error(call->reply, "ERR DB index is out of range");
        return;
    }
    call->session->db = (uint32_t)db;
    kv_reply_ok(call->reply);
}

/* ------------------------------------------------------------------ AUTH and HELLO */

/* There is one user. False has been replied. */
static bool authenticate(struct kv_call *call, struct kv_slice user,
                         struct kv_slice password)
{
    bool right =
        call->engine->password_len == 0 || kv_engine_password_is(call->engine, password);

    if (!right || !kv_slice_equal(user, kv_slice_text("default"))) {
        kv_reply_error(call->reply,
                       "WRONGPASS invalid username-password pair or user is disabled.");
        return false;
    }
    call->session->known = true;
    return true;
}

void kv_cmd_auth(struct kv_call *call)
{
    struct kv_slice user = kv_slice_text("default");

    if (call->argc > 3) {
        kv_call_syntax_error(call);
        return;
    }
    if (call->argc == 2 && call->engine->password_len == 0) {
        kv_reply_error(call->reply,
                       "ERR AUTH <password> called without any password configured for the "
                       "default user. Are you sure your configuration is correct?");
        return;
    }
    if (call->argc == 3)
        user = call->argv[1];
    if (authenticate(call, user, call->argv[call->argc - 1]))
        kv_reply_ok(call->reply);
}

/* Options count as soon as they are read, whatever comes behind them; as in Redis. */
static bool do_options(struct kv_call *call)
{
    for (uint32_t i = 2; i < call->argc; i++) {
        uint32_t more = call->argc - 1 - i;

        if (kv_call_is(call, i, "auth") && more >= 2) {
            if (!authenticate(call, call->argv[i + 1], call->argv[i + 2]))
                return false;
            i += 2;
        } else if (kv_call_is(call, i, "setname") && more >= 1) {
            if (!kv_call_names(call, ++i))
                return false;
            kv_name_set(&call->session->name, call->argv[i]);
        } else {
            kv_reply_error_about(call->reply, "ERR Syntax error in HELLO option '",
                                 call->argv[i], "'");
            return false;
        }
    }
    return true;
}

static void reply_hello(struct kv_call *call)
{
    struct kv_reply *reply = call->reply;

    reply->version = call->session->version;
    kv_reply_map(reply, 7);
    kv_reply_text(reply, "server");
    kv_reply_text(reply, "redis");
    kv_reply_text(reply, "version");
    kv_reply_text(reply, KV_REDIS_VERSION);
    kv_reply_text(reply, "proto");
    kv_reply_integer(reply, reply->version);
    kv_reply_text(reply, "id");
    kv_reply_integer(reply, (int64_t)call->session->id);
    kv_reply_text(reply, "mode");
    kv_reply_text(reply, "standalone");
    kv_reply_text(reply, "role");
    kv_reply_text(reply, "master");
    kv_reply_text(reply, "modules");
    kv_reply_array(reply, 0);
}

void kv_cmd_hello(struct kv_call *call)
{
    struct kv_session *session = call->session;
    int64_t version = session->version;

    if (call->argc > 1 && !kv_number_parse(call->argv[1], &version)) {
        kv_reply_error(call->reply,
                       "ERR Protocol version is not an integer or out of range");
        return;
    }
    if (version != KV_RESP2 && version != KV_RESP3) {
        kv_reply_error(call->reply, "NOPROTO unsupported protocol version");
        return;
    }
    if (!do_options(call))
        return;
    if (!session->known) {
        kv_reply_error(
            call->reply,
            "NOAUTH HELLO must be called with the client already authenticated, "
            "otherwise the HELLO AUTH <user> <pass> option can be used to "
            "authenticate the client and select the RESP protocol version at the "
            "same time");
        return;
    }
    session->version = (uint8_t)version;
    reply_hello(call);
}
