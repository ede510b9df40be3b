/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include "apps/kv/commands.h"
#include "apps/kv/transaction.h"

static bool lost(const struct kv_call *call)
{
    const struct kv_watcher *watcher = &call->session->watcher;
    struct kv_view view;

    if (watcher->broken)
        return true;
    for (const struct kv_watch *watch = watcher->first; watch != NULL;
         watch = watch->sister) {
        struct kv_slice key = kv_slice_of(watch->key, watch->len);

        if (kv_store_get(call->engine->store, watch->db, key, &view) &&
            kv_view_expired(&view, call->engine->now_ms))
            return true;
    }
    return false;
}

bool kv_transaction_is_due(const struct kv_call *call)
{
    return call->session->in_multi && !call->session->queue_broken && !lost(call);
}

void kv_transaction_drop(struct kv_engine *engine, struct kv_session *session)
{
    kv_queue_clear(&session->queue);
    kv_watches_forget(&engine->watches, &session->watcher);
    session->in_multi = session->queue_broken = false;
}

void kv_cmd_multi(struct kv_call *call)
{
    if (call->session->in_multi) {
        kv_reply_error(call->reply, "ERR MULTI calls can not be nested");
        return;
    }
    call->session->in_multi = true;
    kv_reply_ok(call->reply);
}

void kv_cmd_discard(struct kv_call *call)
{
    if (!call->session->in_multi) {
        kv_reply_error(call->reply, "ERR DISCARD without MULTI");
        return;
    }
    kv_transaction_drop(call->engine, call->session);
    kv_reply_ok(call->reply);
}

void kv_cmd_watch(struct kv_call *call)
{
    struct kv_session *session = call->session;
    struct kv_view view;

    if (session->in_multi) {
        kv_reply_error(call->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (uint32_t i = 1; i < call->argc && !session->watcher.broken; i++) {
        /* A key that is past its expiry goes now, which is no change later. */
        (void)kv_call_get(call, call->argv[i], &view);
        if (kv_watches_add(&call->engine->watches, &session->watcher, session->db,
                           call->argv[i]))
            continue;
        kv_reply_errorf(call->reply, "ERR no more than %d keys can be watched",
                        KV_WATCHED_MAX);
        return;
    }
    kv_reply_ok(call->reply);
}

void kv_cmd_unwatch(struct kv_call *call)
{
    kv_watches_forget(&call->engine->watches, &call->session->watcher);
    kv_reply_ok(call->reply);
}

/* ------------------------------------------------------------------ EXEC */

/* That a watched key was changed is told of the key, too. */
static void reply_lost(struct kv_call *call)
{
    const struct kv_watch *watch = call->session->watcher.first;

    for (; watch != NULL; watch = watch->sister) {
        uint64_t lsn = kv_store_key_lsn(call->engine->store, watch->db,
                                        kv_slice_of(watch->key, watch->len));

        if (lsn > call->result->lsn)
            call->result->lsn = lsn;
    }
    kv_reply_null_array(call->reply);
}

static void execute_queue(struct kv_call *call)
{
    /* The commands may look at what is queued and watched, but find nothing. */
    struct kv_queue queue = call->session->queue;

    call->session->queue = (struct kv_queue){0};
    kv_transaction_drop(call->engine, call->session);
    kv_reply_array(call->reply, queue.count);
    for (uint32_t i = 0; i < queue.count; i++) {
        struct kv_call one = *call;
        uint32_t begin = call->reply->len;

        one.command = queue.commands[i].command;
        one.argv = queue.commands[i].argv;
        one.argc = queue.commands[i].argc;
        one.in_exec = true;
        one.command->run(&one);
        call->engine->stats.commands++;
        tp_assert(call->reply->len > begin || call->reply->overflown);
    }
    tp_assert(call->result->outcome == KV_DONE);
    kv_queue_clear(&queue);
}

void kv_cmd_exec(struct kv_call *call)
{
    struct kv_session *session = call->session;

    if (!session->in_multi) {
        kv_reply_error(call->reply, "ERR EXEC without MULTI");
        return;
    }
    if (kv_transaction_is_due(call)) {
        execute_queue(call);
        return;
    }
    if (session->queue_broken)
        kv_reply_error(call->reply,
                       "EXECABORT Transaction discarded because of previous errors.");
    else
        reply_lost(call);
    kv_transaction_drop(call->engine, session);
}
