/** CLIENT: who is connected. */
#include <inttypes.h>

#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/number.h"
#include "apps/kv/text.h"

void kv_cmd_client_help(struct kv_call *call)
{
    kv_call_help(call, kv_command_find(call->argv[0]));
}

void kv_cmd_client_id(struct kv_call *call)
{
    kv_reply_integer(call->reply, (int64_t)call->session->id);
}

void kv_cmd_client_getname(struct kv_call *call)
{
    if (call->session->name.len > 0)
        kv_reply_bulk(call->reply, kv_name_slice(&call->session->name));
    else
        kv_reply_null(call->reply);
}

void kv_cmd_client_setname(struct kv_call *call)
{
    if (!kv_call_names(call, 2))
        return;
    kv_name_set(&call->session->name, call->argv[2]);
    kv_reply_ok(call->reply);
}

void kv_cmd_client_setinfo(struct kv_call *call)
{
    bool name = kv_call_is(call, 2, "lib-name");

    if (!name && !kv_call_is(call, 2, "lib-ver")) {
        kv_reply_error_about(call->reply, "ERR Unrecognized option '", call->argv[2], "'");
        return;
    }
    if (call->argv[3].len > KV_NAME_MAX) {
        kv_reply_errorf(call->reply, "ERR %s can have %d bytes at most",
                        name ? "lib-name" : "lib-ver", KV_NAME_MAX);
        return;
    }
    if (!kv_name_is_fine(call->argv[3])) {
        kv_reply_error_about(call->reply, "ERR ", call->argv[2],
                             " cannot contain spaces, newlines or special characters.");
        return;
    }
    kv_name_set(name ? &call->session->library_name : &call->session->library_version,
                call->argv[3]);
    kv_reply_ok(call->reply);
}

/* ------------------------------------------------------------------ LIST */

static void add_name(struct kv_text *text, const char *label, const struct kv_name *name)
{
    kv_text_add(text, "%s", label);
    kv_text_add_slice(text, kv_name_slice(name));
}

static void add_flags(struct kv_text *text, const struct kv_session *session)
{
    uint32_t begin = text->len;

    if (session->in_multi)
        kv_text_add(text, "x");
    if (session->watcher.broken)
        kv_text_add(text, "d");
    if (session->on_unix)
        kv_text_add(text, "U");
    if (text->len == begin)
        kv_text_add(text, "N");
}

static void describe(struct kv_text *text, const struct kv_engine *engine,
                     const struct kv_session *session)
{
    int64_t now_ms = engine->clock_ms;
    int64_t multi = session->in_multi ? (int64_t)session->queue.count : -1;
    uint64_t memory = session->input_bytes + session->output_bytes + session->queue.bytes;

    kv_text_add(text, "id=%" PRIu64 " addr=%s laddr=%s fd=%" PRId64, session->id,
                session->address, session->local_address, session->number);
    add_name(text, " name=", &session->name);
    kv_text_add(text, " age=%" PRId64 " idle=%" PRId64 " flags=",
                (now_ms - session->opened_ms) / 1000, (now_ms - session->active_ms) / 1000);
    add_flags(text, session);
    kv_text_add(text,
                " db=%u sub=0 psub=0 ssub=0 multi=%" PRId64 " qbuf=%" PRIu64
                " qbuf-free=0 argv-mem=0 multi-mem=%" PRIu64 " rbs=0 rbp=0 obl=%" PRIu64
                " oll=0 omem=0 tot-mem=%" PRIu64
                " events=r cmd=%s user=default redir=-1 resp=%u",
                session->db, multi, session->input_bytes, session->queue.bytes,
                session->output_bytes, memory,
                session->last == NULL ? "NULL" : session->last->name, session->version);
    add_name(text, " lib-name=", &session->library_name);
    add_name(text, " lib-ver=", &session->library_version);
    kv_text_add(text, "\n");
}

static const struct kv_session *find_session(const struct kv_engine *engine, uint64_t id)
{
    const struct kv_session *session = engine->first;

    while (session != NULL && session->id != id)
        session = session->next;
    return session;
}

/* A list that is too long for a reply is not written to its end. */
static bool is_short(const struct kv_call *call, const struct kv_text *text)
{
    return text->len <= call->engine->config.reply_max;
}

/* Those of the IDs that are connected, in the order in which they are asked for. */
static bool describe_ids(struct kv_call *call, struct kv_text *text)
{
    for (uint32_t i = 3; i < call->argc && is_short(call, text); i++) {
        const struct kv_session *session;
        int64_t id;

        if (!kv_number_parse(call->argv[i], &id)) {
            kv_reply_error(call->reply, "ERR Invalid client ID");
            return false;
        }
        session = find_session(call->engine, (uint64_t)id);
        if (session != NULL)
            describe(text, call->engine, session);
    }
    return true;
}

static void describe_all(struct kv_call *call, struct kv_text *text)
{
    const struct kv_session *session = call->engine->first;

    for (; session != NULL && is_short(call, text); session = session->next)
        describe(text, call->engine, session);
}

/* All clients are of one type. */
static bool describe_type(struct kv_call *call, struct kv_text *text)
{
    bool normal = kv_call_is(call, 3, "normal");

    if (!normal && !kv_call_is(call, 3, "master") && !kv_call_is(call, 3, "replica") &&
        !kv_call_is(call, 3, "slave") && !kv_call_is(call, 3, "pubsub")) {
        kv_reply_error_about(call->reply, "ERR Unknown client type '", call->argv[3], "'");
        return false;
    }
    if (normal)
        describe_all(call, text);
    return true;
}

static bool describe_wanted(struct kv_call *call, struct kv_text *text)
{
    if (call->argc == 4 && kv_call_is(call, 2, "type"))
        return describe_type(call, text);
    if (call->argc > 3 && kv_call_is(call, 2, "id"))
        return describe_ids(call, text);
    if (call->argc > 2) {
        kv_call_syntax_error(call);
        return false;
    }
    describe_all(call, text);
    return true;
}

void kv_cmd_client_list(struct kv_call *call)
{
    struct kv_text text = {.bytes = NULL};

    if (describe_wanted(call, &text))
        kv_reply_verbatim(call->reply, kv_text_slice(&text));
    kv_text_deinit(&text);
}
