#include "apps/kv/execute.h"

#include <errno.h>
#include <stdio.h>

#include "apps/kv/call.h"
#include "apps/kv/change.h"
#include "apps/kv/commands.h"
#include "apps/kv/room.h"
#include "apps/kv/transaction.h"

enum {
    EXPIRED_AT_ONCE = 1000, /* keys removed before a command that tells of all keys */
    SHOWN_MAX = 128,        /* bytes of a command or its arguments in an error */
};

/* ------------------------------------------------------------------ refusing */

/* A refused command spoils the transaction that it was meant for; EXEC itself drops it. */
static void refuse(struct kv_call *call, const char *why)
{
    struct kv_session *session = call->session;

    if (call->command != NULL && call->command->run == kv_cmd_exec) {
        kv_transaction_drop(call->engine, session);
        kv_reply_errorf(call->reply, "EXECABORT Transaction discarded because of: %s", why);
        return;
    }
    session->queue_broken |= session->in_multi;
    kv_reply_error(call->reply, why);
}

/* How much of a text can be shown: up to a NUL, and to a limit. */
static int shown_len(struct kv_slice text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    const uint8_t *nul = len == 0 ? NULL : memchr(text.bytes, '\0', len);

    return (int)(nul == NULL ? len : (size_t)(nul - text.bytes));
}

static void refuse_unknown(struct kv_call *call)
{
    char arguments[SHOWN_MAX * 2], why[SHOWN_MAX * 4];
    size_t len = 0;

    arguments[0] = '\0';
    for (uint32_t i = 1; i < call->argc && len < SHOWN_MAX; i++)
        len += (size_t)snprintf(arguments + len, sizeof arguments - len, "'%.*s' ",
                                shown_len(call->argv[i], SHOWN_MAX - len),
                                (const char *)call->argv[i].bytes);
    (void)snprintf(
        why, sizeof why, "ERR unknown command '%.*s', with args beginning with: %s",
        shown_len(call->argv[0], SHOWN_MAX), (const char *)call->argv[0].bytes, arguments);
    refuse(call, why);
}

static void refuse_unknown_sub(struct kv_call *call, const struct kv_command *command)
{
    char why[SHOWN_MAX * 2], name[32] = {0};

    tp_assert(strlen(command->name) < sizeof name);
    for (size_t i = 0; command->name[i] != '\0'; i++)
        name[i] = (char)(command->name[i] - ('a' - 'A'));
    (void)snprintf(why, sizeof why, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                   shown_len(call->argv[1], SHOWN_MAX), (const char *)call->argv[1].bytes,
                   name);
    refuse(call, why);
}

static void refuse_arity(struct kv_call *call)
{
    bool exec = call->command->run == kv_cmd_exec;
    char why[SHOWN_MAX];

    (void)snprintf(why, sizeof why, "%swrong number of arguments for '%s' command",
                   exec ? "" : "ERR ", call->command->name);
    refuse(call, why);
}

/* ------------------------------------------------------------------ allowing */

/* Finds the command; false when it cannot be executed, which has been replied. */
static bool look_up(struct kv_call *call)
{
    const struct kv_command *command = call->session->last;

    /* Most ask for the same again. What is called "a|b" is not asked for by that name. */
    if (command == NULL || command->usage != NULL ||
        !kv_slice_is(call->argv[0], command->name))
        command = kv_command_find(call->argv[0]);
    if (command != NULL && command->subcommands != NULL && call->argc > 1) {
        const struct kv_command *sub = kv_command_find_sub(command, call->argv[1]);

        if (sub == NULL) {
            refuse_unknown_sub(call, command);
            return false;
        }
        command = sub;
    }
    call->command = command;
    if (command == NULL) {
        refuse_unknown(call);
        return false;
    }
    if (!kv_command_takes(command, call->argc)) {
        refuse_arity(call);
        return false;
    }
    call->session->last = command;
    return true;
}

static bool allow(struct kv_call *call)
{
    const struct kv_session *session = call->session;
    uint32_t flags = call->command->flags;

    if (call->command->run == kv_cmd_exec)
        flags |= session->queue.flags & KV_DENYOOM;
    if (!session->known && !(flags & KV_NO_AUTH))
        refuse(call, "NOAUTH Authentication required.");
    else if ((flags & KV_DENYOOM) && kv_engine_is_full(call->engine))
        refuse(call, "OOM command not allowed when used memory > 'maxmemory'.");
    else if (session->in_multi && (flags & KV_NO_MULTI))
        refuse(call, "ERR Command not allowed inside a transaction");
    else
        return true;
    return false;
}

static void enqueue(struct kv_call *call)
{
    if (kv_queue_add(&call->session->queue, call->command, call->argv, call->argc)) {
        kv_reply_status(call->reply, "QUEUED");
        return;
    }
    refuse(call, "ERR the transaction is too long: its commands may have 64 MiB together");
}

/* ------------------------------------------------------------------ running */

/* Before a command that tells of all keys, those go that are past their expiry. False: it
 * has to come again. When the log takes nothing they are only not shown. */
static bool expire_all(struct kv_call *call)
{
    int32_t count = kv_engine_expire(call->engine, EXPIRED_AT_ONCE);

    if (count == EXPIRED_AT_ONCE)
        call->result->outcome = KV_SOON;
    else if (count == -EAGAIN)
        call->result->outcome = KV_AGAIN;
    return call->result->outcome == KV_DONE;
}

/* A transaction that changes nothing has no room for deletes: they come before it, so that
 * it never has to come again when half of it was executed. */
static bool expire_queued(struct kv_call *call)
{
    const struct kv_queue *queue = &call->session->queue;
    uint32_t db = call->session->db;

    for (uint32_t i = 0; i < queue->count && call->result->outcome == KV_DONE; i++) {
        const struct kv_queued *queued = &queue->commands[i];
        uint32_t keys = kv_command_key_count(queued->command, queued->argc);
        struct kv_view view;

        for (uint32_t j = 0; j < keys; j++)
            (void)kv_call_get(call, queued->argv[kv_command_key(queued->command, j)],
                              &view);
        call->session->db = kv_room_db_after(call->session->db, queued);
    }
    call->session->db = db;
    return call->result->outcome == KV_DONE;
}

/* Room in the log for all that is going to change. False: refused, or to come again. */
static bool open_change(struct kv_call *call, bool exec)
{
    const struct kv_queue *queue = &call->session->queue;
    struct kv_queued single = {call->command, call->argv, call->argc, NULL};
    char memory[KV_CHANGE_WHY_BYTES];
    int32_t error;
    uint64_t bound;

    bound = kv_room(call->engine->store, call->session->db,
                    exec ? queue->commands : &single, exec ? queue->count : 1);
    error = kv_change_open(call->engine, bound);
    if (error == -EAGAIN)
        call->result->outcome = KV_AGAIN;
    else if (error < 0)
        refuse(call, kv_change_why(call->engine, error, memory));
    return error == 0;
}

static void close_change(struct kv_call *call)
{
    struct kv_engine *engine = call->engine;
    uint64_t lsn = kv_change_close(engine);
    uint64_t memory = kv_engine_memory(engine);

    if (lsn > call->result->lsn)
        call->result->lsn = lsn;
    if (memory > engine->stats.memory_peak)
        engine->stats.memory_peak = memory;
}

static void run(struct kv_call *call)
{
    bool exec = call->command->run == kv_cmd_exec && kv_transaction_is_due(call);
    uint32_t flags = exec ? call->session->queue.flags : call->command->flags;

    if ((flags & KV_WHOLE_DB) && !expire_all(call))
        return;
    if (exec && !(flags & KV_WRITE) && !expire_queued(call))
        return;
    if ((flags & KV_WRITE) && !open_change(call, exec))
        return;
    call->command->run(call);
    if (flags & KV_WRITE)
        close_change(call);
    else if (call->engine->config.dirty_reads)
        call->result->lsn = 0;
}

/* ------------------------------------------------------------------ the whole */

static void count(struct kv_engine *engine, const struct kv_reply *reply, uint32_t begin)
{
    if (kv_reply_is_error(reply, begin))
        kv_stats_count_error(&engine->stats,
                             kv_slice_of(reply->bytes + begin, reply->len - begin));
}

/* Two first words of another protocol, as a browser can be made to send them. */
static bool is_of_http(struct kv_slice word)
{
    return kv_slice_is(word, "post") || kv_slice_is(word, "host:");
}

static void execute(struct kv_call *call)
{
    const struct kv_session *session = call->session;

    if (is_of_http(call->argv[0])) {
        call->result->close = true;
        return;
    }
    if (!look_up(call) || !allow(call))
        return;
    if (session->in_multi && !(call->command->flags & KV_AT_ONCE))
        enqueue(call);
    else
        run(call);
}

/* A reply that was too long is taken back, and who asked for it is not served further: what
 * he changed is changed. */
static void cut_reply(struct kv_call *call, uint32_t begin)
{
    struct kv_reply *reply = call->reply;

    reply->len = begin;
    reply->overflown = false;
    kv_reply_errorf(reply, "ERR the reply would have more than %u bytes",
                    call->engine->config.reply_max);
    call->result->close = true;
}

void kv_execute(struct kv_engine *engine, struct kv_session *session,
                const struct kv_slice *argv, uint32_t argc, struct kv_reply *reply,
                struct kv_result *ret_result)
{
    struct kv_call call = {
        .engine = engine,
        .session = session,
        .argv = argv,
        .argc = argc,
        .reply = reply,
        .result = ret_result,
    };
    uint32_t begin = reply->len;

    *ret_result = (struct kv_result){.outcome = KV_DONE};
    if (argc == 0)
        return;
    tp_assert(begin <= UINT32_MAX - engine->config.reply_max);
    reply->version = session->version;
    reply->limit = begin + engine->config.reply_max;
    execute(&call);
    if (ret_result->outcome != KV_DONE) {
        reply->len = begin;
        reply->overflown = false;
        ret_result->lsn = 0;
        return;
    }
    session->active_ms = engine->clock_ms;
    engine->stats.commands++;
    if (reply->overflown)
        cut_reply(&call, begin);
    count(engine, reply, begin);
}

static void reply_error(struct kv_engine *engine, struct kv_session *session,
                        const char *error, struct kv_reply *reply)
{
    uint32_t begin = reply->len;

    reply->version = session->version;
    reply->limit = UINT32_MAX;
    kv_reply_error(reply, error);
    count(engine, reply, begin);
}

void kv_reply_unreadable(struct kv_engine *engine, struct kv_session *session,
                         const char *error, struct kv_reply *reply)
{
    char text[128];

    (void)snprintf(text, sizeof text, "ERR %s", error);
    reply_error(engine, session, text, reply);
}

void kv_reply_unknown(struct kv_engine *engine, struct kv_session *session,
                      struct kv_reply *reply)
{
    int32_t failure = engine->log.failure(engine->log.context);
    char text[192];

    (void)snprintf(
        text, sizeof text,
        "MISCONF Errors writing to the log: %s. Whether what this reply tells of "
        "is durable is unknown until the server is restarted",
        tp_errno_name(failure));
    reply_error(engine, session, text, reply);
}

void kv_reply_snapshot_failed(struct kv_engine *engine, struct kv_session *session,
                              struct kv_reply *reply)
{
    reply_error(engine, session, "ERR the snapshot could not be written", reply);
}
