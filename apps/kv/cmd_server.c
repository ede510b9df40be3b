/** TIME, INFO, DEBUG, FUNCTION, SHUTDOWN, SAVE, BGSAVE, LASTSAVE: the server itself. */
#include <errno.h>

#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/decimal.h"
#include "apps/kv/info.h"

void kv_cmd_time(struct kv_call *call)
{
    kv_reply_array(call->reply, 2);
    kv_reply_bulk_integer(call->reply, call->engine->wall_us / 1000000);
    kv_reply_bulk_integer(call->reply, call->engine->wall_us % 1000000);
}

void kv_cmd_info(struct kv_call *call)
{
    struct kv_text text = {.bytes = NULL};

    kv_info(call->engine, call->argv + 1, call->argc - 1, &text);
    kv_reply_verbatim(call->reply, kv_text_slice(&text));
    kv_text_deinit(&text);
}

/* ------------------------------------------------------------------ DEBUG */

static void reply_debug_help(struct kv_call *call)
{
    static const char *const lines[] = {
        "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", "SLEEP <seconds>",
        "    Make this client wait for <seconds>; others are served.", "HELP",
        "    Prints this help."};
    uint32_t count = sizeof lines / sizeof lines[0];

    kv_reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++)
        kv_reply_status(call->reply, lines[i]);
}

/* What is no number is no time at all, as in Redis. The sleeps of a transaction are one. */
static void sleep_for(struct kv_call *call, struct kv_slice seconds)
{
    struct kv_decimal decimal;
    uint64_t *sum_us = &call->result->sleep_us;

    if (kv_decimal_parse(seconds, &decimal))
        *sum_us += kv_decimal_scaled(&decimal, 6, KV_SLEEP_US_MAX);
    if (*sum_us > KV_SLEEP_US_MAX)
        *sum_us = KV_SLEEP_US_MAX;
    kv_reply_ok(call->reply);
}

void kv_cmd_debug(struct kv_call *call)
{
    if (call->argc == 2 && kv_call_is(call, 1, "help"))
        reply_debug_help(call);
    else if (call->argc == 3 && kv_call_is(call, 1, "sleep"))
        sleep_for(call, call->argv[2]);
    else
        kv_reply_error_about(call->reply,
                             "ERR unknown subcommand or wrong number of arguments for '",
                             call->argv[1], "'. Try DEBUG HELP.");
}

/* ------------------------------------------------------------------ FUNCTION */

void kv_cmd_function_help(struct kv_call *call)
{
    kv_call_help(call, kv_command_find(call->argv[0]));
}

void kv_cmd_function_flush(struct kv_call *call)
{
    if (call->argc > 3)
        kv_reply_error_about(call->reply,
                             "ERR unknown subcommand or wrong number of arguments for '",
                             call->argv[1], "'. Try FUNCTION HELP.");
    else if (call->argc == 3 && !kv_call_is(call, 2, "sync") &&
             !kv_call_is(call, 2, "async"))
        kv_reply_error(call->reply, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
    else
        kv_reply_ok(call->reply);
}

/* ------------------------------------------------------------------ snapshots */

static int32_t begin_snapshot(struct kv_call *call)
{
    return call->engine->host.begin_snapshot(call->engine->host.context);
}

static void reply_not_begun(struct kv_call *call, int32_t error)
{
    if (error == -EBUSY)
        kv_reply_error(call->reply, "ERR Background save already in progress");
    else
        kv_reply_errorf(call->reply, "ERR the snapshot could not be begun: %s",
                        tp_errno_name(error));
}

void kv_cmd_save(struct kv_call *call)
{
    int32_t error = begin_snapshot(call);

    if (error < 0) {
        reply_not_begun(call, error);
        return;
    }
    call->result->holds_snapshot = true;
    kv_reply_ok(call->reply);
}

/* In a transaction it begins behind it. */
void kv_cmd_bgsave(struct kv_call *call)
{
    bool schedule = call->argc == 2 && kv_call_is(call, 1, "schedule");
    int32_t error;

    if (call->argc > 1 && !schedule) {
        kv_call_syntax_error(call);
        return;
    }
    error = call->in_exec ? -EBUSY : begin_snapshot(call);
    if (error == 0) {
        kv_reply_status(call->reply, "Background saving started");
    } else if (call->in_exec || (schedule && error == -EBUSY)) {
        call->engine->host.schedule_snapshot(call->engine->host.context);
        kv_reply_status(call->reply, "Background saving scheduled");
    } else {
        reply_not_begun(call, error);
    }
}

void kv_cmd_lastsave(struct kv_call *call)
{
    struct kv_figures figures = {.process_id = 0};

    call->engine->host.figures(call->engine->host.context, &figures);
    kv_reply_integer(call->reply, figures.last_save_s);
}

/* ------------------------------------------------------------------ SHUTDOWN */

/* All that was replied is durable, so that nothing has to be forced, and a stop that has
 * begun is not taken back. */
void kv_cmd_shutdown(struct kv_call *call)
{
    bool save = false, no_save = false, abort = false;

    for (uint32_t i = 1; i < call->argc; i++) {
        if (kv_call_is(call, i, "save")) {
            save = true;
        } else if (kv_call_is(call, i, "nosave")) {
            no_save = true;
        } else if (kv_call_is(call, i, "abort")) {
            abort = true;
        } else if (!kv_call_is(call, i, "now") && !kv_call_is(call, i, "force")) {
            kv_call_syntax_error(call);
            return;
        }
    }
    if ((save && no_save) || (abort && call->argc > 2)) {
        kv_call_syntax_error(call);
    } else if (abort) {
        kv_reply_error(call->reply, "ERR No shutdown in progress.");
    } else {
        call->result->shutdown = save ? KV_SHUTDOWN_SAVE : KV_SHUTDOWN;
    }
}
