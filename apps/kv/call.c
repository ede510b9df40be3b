#include "apps/kv/call.h"

#include <errno.h>

#include "apps/kv/change.h"
#include "apps/kv/number.h"

/* ------------------------------------------------------------------ keys */

/* Its delete is part of the command's record, or one of its own. Without room for that the
 * command comes again; when the log does not take it the key is only not shown. So it is in
 * a transaction that only reads: the log was asked before that began, and did not take it,
 * and half of a transaction cannot come again. */
static void expire(struct kv_call *call, struct kv_slice key)
{
    struct kv_engine *engine = call->engine;
    struct kv_effect effect = kv_effect_del(call->session->db, key);
    int32_t error = 0;

    if (call->in_exec && !engine->change.open) {
        engine->stats.unlogged++;
        return;
    }
    if (engine->change.open)
        kv_change_apply(engine, &effect);
    else
        error = kv_change_single(engine, &effect);
    if (error == -EAGAIN)
        call->result->outcome = KV_AGAIN;
    if (error == 0)
        engine->stats.expired++;
    else if (error != -EAGAIN)
        engine->stats.unlogged++;
}

static void wait_for(struct kv_call *call, uint64_t lsn)
{
    if (lsn > call->result->lsn)
        call->result->lsn = lsn;
}

bool kv_call_get(struct kv_call *call, struct kv_slice key, struct kv_view *ret_view)
{
    struct kv_store *store = call->engine->store;
    uint32_t db = call->session->db;

    if (kv_store_get(store, db, key, ret_view)) {
        if (!kv_view_expired(ret_view, call->engine->now_ms)) {
            wait_for(call, ret_view->lsn);
            return true;
        }
        expire(call, key);
    }
    wait_for(call, kv_store_key_lsn(store, db, key));
    *ret_view = (struct kv_view){.expire_ms = 0};
    return false;
}

bool kv_call_read(struct kv_call *call, struct kv_slice key, struct kv_view *ret_view)
{
    bool found = kv_call_get(call, key, ret_view);

    if (found)
        call->engine->stats.hits++;
    else
        call->engine->stats.misses++;
    return found;
}

void kv_call_apply(struct kv_call *call, const struct kv_effect *effect)
{
    kv_change_apply(call->engine, effect);
}

void kv_call_set(struct kv_call *call, struct kv_slice key, struct kv_slice value,
                 int64_t expire_ms)
{
    struct kv_effect effect = kv_effect_set(call->session->db, key, value, expire_ms);

    kv_change_apply(call->engine, &effect);
}

void kv_call_delete(struct kv_call *call, struct kv_slice key)
{
    struct kv_effect effect = kv_effect_del(call->session->db, key);

    kv_change_apply(call->engine, &effect);
}

/* ------------------------------------------------------------------ arguments */

bool kv_call_integer(struct kv_call *call, uint32_t index, int64_t *ret_number)
{
    tp_assert(index < call->argc);
    if (kv_number_parse(call->argv[index], ret_number))
        return true;
    kv_call_not_an_integer(call);
    return false;
}

bool kv_call_names(struct kv_call *call, uint32_t index)
{
    tp_assert(index < call->argc);
    if (call->argv[index].len > KV_NAME_MAX) {
        kv_reply_errorf(call->reply, "ERR Client names can have %d bytes at most",
                        KV_NAME_MAX);
        return false;
    }
    if (kv_name_is_fine(call->argv[index]))
        return true;
    kv_reply_error(call->reply,
                   "ERR Client names cannot contain spaces, newlines or special "
                   "characters.");
    return false;
}

bool kv_call_fits(struct kv_call *call, uint64_t len)
{
    if (len <= call->engine->config.argument_max)
        return true;
    kv_reply_error(call->reply,
                   "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return false;
}

/* ------------------------------------------------------------------ errors */

void kv_call_syntax_error(struct kv_call *call)
{
    kv_reply_error(call->reply, "ERR syntax error");
}

void kv_call_not_an_integer(struct kv_call *call)
{
    kv_reply_error(call->reply, "ERR value is not an integer or out of range");
}

void kv_call_expiry_error(struct kv_call *call)
{
    kv_reply_errorf(call->reply, "ERR invalid expire time in '%s' command",
                    call->command->name);
}

void kv_call_arity_error(struct kv_call *call)
{
    kv_reply_errorf(call->reply, "ERR wrong number of arguments for '%s' command",
                    call->command->name);
}

/* ------------------------------------------------------------------ help */

/* A line, and the line behind it that says what it is about. */
static void help_on(struct kv_reply *reply, const char *usage)
{
    char line[128];
    size_t len = strcspn(usage, "\n");

    tp_assert(usage[len] == '\n' && len < sizeof line);
    memcpy(line, usage, len);
    line[len] = '\0';
    kv_reply_status(reply, line);
    kv_reply_statusf(reply, "    %s", usage + len + 1);
}

void kv_call_help(struct kv_call *call, const struct kv_command *command)
{
    uint32_t count = 0;
    char name[32] = {0};

    while (command->subcommands[count].name != NULL)
        count++;
    tp_assert(strlen(command->name) < sizeof name);
    for (size_t i = 0; command->name[i] != '\0'; i++)
        name[i] = (char)(command->name[i] - ('a' - 'A'));
    kv_reply_array(call->reply, 1 + 2 * count);
    kv_reply_statusf(call->reply,
                     "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", name);
    for (uint32_t i = 0; i < count; i++)
        help_on(call->reply, command->subcommands[i].usage);
}
