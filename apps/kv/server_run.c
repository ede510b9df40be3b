/* The server's machine: it starts the others, waits for a reason to end, and ends them in
 * order. */
#include <errno.h>
#include <inttypes.h>

#include "apps/kv/server_internal.h"
#include "io/mark.h"
#include "runtime/await.h"
#include "runtime/operations.h"
#include "sm/become_internal.h"

static enum tp_step listen_tick(struct tp_machine *machine, struct tp_ctx *cx);
static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx);

static struct kv_server *server_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct kv_server, machine);
}

/* The first thing that goes wrong is what it ends with. */
static void note(struct kv_server *server, int32_t error)
{
    if (server->result == 0)
        server->result = error;
}

/* ------------------------------------------------------------------ reasons to end */

static void take_signal(struct kv_server *server, struct tp_ctx *cx)
{
    struct tp_result result;

    if (!tp_take(cx, &server->signal_op, &result) || tp_cancelled(cx))
        return;
    if (result.value > 0)
        kv_server_say_signal(server, (uint32_t)result.value);
    else
        note(server, result.value);
    server->stop_asked = true;
}

/* The log may fail while it serves: then reads go on. */
static void look_at_storage(struct kv_server *server)
{
    int32_t failure = tp_journal_failure(&server->storage.journal);

    if (tp_machine_alive(&server->keeper.machine))
        tp_wake(&server->keeper.machine);
    /* Before it serves, this is why it does not start, and is said as such. */
    if (failure == 0 || failure == -ESHUTDOWN || server->log_failed || !server->begun)
        return;
    tp_reached("the log fails while it is served from");
    server->log_failed = true;
    note(server, failure);
    kv_server_say_log_failed(server, failure);
}

/* Whether it is to stop serving. */
static bool must_end(struct kv_server *server, struct tp_ctx *cx)
{
    struct tp_result result;

    if (tp_cancelled(cx))
        return true;
    take_signal(server, cx);
    look_at_storage(server);
    for (uint32_t i = 0; i < server->config.listen_count; i++) {
        if (!tp_take(cx, &server->listening[i].end_op, &result))
            continue;
        kv_server_say_trouble(server, "listening has ended", result.value);
        note(server, result.value);
        server->stop_asked = true;
    }
    return server->stop_asked;
}

/* ------------------------------------------------------------------ beginning */

/* Whether the data are there, or never will be, or nobody wants them any more. */
static bool has_loaded(struct kv_server *server, struct tp_ctx *cx)
{
    take_signal(server, cx);
    return kv_storage_phase(&server->storage) != KV_STORAGE_LOADING || server->stop_asked ||
           tp_cancelled(cx);
}

enum tp_step kv_server_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_server *server = server_of(machine);

    TP_BEGIN(cx);
    server->started_ns = tp_now_ns(cx);
    if (server->config.signals != 0)
        server->signal_op = tp_signal(cx, server->config.signals);
    server->storage_op = kv_storage_start(cx, &server->storage);
    TP_AWAIT_UNTIL(cx, has_loaded(server, cx));
    if (kv_storage_phase(&server->storage) != KV_STORAGE_OPEN) {
        tp_reached("a server does not start");
        kv_server_say_refused(server);
        return tp_become(machine, cx, end_tick);
    }
    kv_server_begin(server, cx);
    kv_server_say_loaded(server, tp_now_ns(cx));
    server->keeper_op = tp_start(cx, &server->keeper.machine, kv_keeper_tick, "keeper");
    return tp_become(machine, cx, listen_tick);
    TP_END(cx);
}

static void start_listener(struct kv_server *server, struct tp_ctx *cx)
{
    struct tp_listener_config config = kv_server_listener(server, server->at);
    struct kv_listening *listening = &server->listening[server->at];

    listening->end_op = tp_listener_start(cx, &listening->listener, &config);
}

static enum tp_step listen_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_server *server = server_of(machine);

    TP_BEGIN(cx);
    for (server->at = 0; server->at < server->config.listen_count; server->at++) {
        start_listener(server, cx);
        TP_AWAIT_UNTIL(cx, (server->rc = tp_listener_ready(
                                &server->listening[server->at].listener)) != -EAGAIN);
        if (server->rc < 0) {
            kv_server_say_not_listening(server, server->at, server->rc);
            note(server, server->rc);
            return tp_become(machine, cx, end_tick);
        }
    }
    if (server->config.listen_count > 0)
        server->engine.config.port = server->listening[0].listener.address.port;
    kv_server_say_listening(server);
    TP_AWAIT_UNTIL(cx, must_end(server, cx));
    return tp_become(machine, cx, end_tick);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the end */

static void stop_listening(struct kv_server *server)
{
    server->stopping = true;
    for (uint32_t i = 0; i < server->config.listen_count; i++) {
        if (tp_op_is_some(server->listening[i].end_op))
            tp_listener_stop(&server->listening[i].listener, server->config.grace_ns);
    }
}

/* Claims the end of every listener, and so of every client; false until all have ended. */
static bool has_stopped_listening(struct kv_server *server, struct tp_ctx *cx)
{
    bool all = true;

    for (uint32_t i = 0; i < server->config.listen_count; i++) {
        struct tp_result result;

        (void)tp_take(cx, &server->listening[i].end_op, &result);
        all &= !tp_op_is_some(server->listening[i].end_op);
    }
    return all;
}

/* Claims the end of a child, if it has begun. Who is asked to end while it loads gives up
 * loading, and that is no failure. */
static bool has_ended(struct kv_server *server, struct tp_ctx *cx, struct tp_op *op)
{
    struct tp_result result;

    look_at_storage(server);
    if (tp_take(cx, op, &result) &&
        !(result.value == -ECANCELED && server->stop_asked && !server->begun))
        note(server, result.value);
    return !tp_op_is_some(*op);
}

static enum tp_step end_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_server *server = server_of(machine);
    struct tp_result result;

    TP_BEGIN(cx);
    stop_listening(server);
    TP_AWAIT_UNTIL(cx, has_stopped_listening(server, cx));
    kv_keeper_end(&server->keeper, server->save_asked);
    TP_AWAIT_UNTIL(cx, has_ended(server, cx, &server->keeper_op));
    kv_storage_close(&server->storage);
    TP_AWAIT_UNTIL(cx, has_ended(server, cx, &server->storage_op));
    tp_cancel(cx, server->signal_op);
    TP_AWAIT_UNTIL(cx, tp_take(cx, &server->signal_op, &result) ||
                           !tp_op_is_some(server->signal_op));
    kv_server_finish(server);
    return tp_end(machine, server->result);
    TP_END(cx);
}
