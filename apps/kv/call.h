/** apps/kv/call.h - one command being executed: its arguments, its reply, its doors to the
 * store.
 *
 * Commands look at keys through kv_call_get() and change them through kv_call_apply(), and
 * through nothing else: so no reply is sent before what it tells of is durable, and nothing
 * changes that is not logged. Room in the log for all that a command with KV_WRITE may do
 * was reserved before it runs.
 *
 * A view of a key stays until the next kv_call_get() or kv_call_apply().
 */
#ifndef TEMPEST_APPS_KV_CALL_H
#define TEMPEST_APPS_KV_CALL_H

#include "apps/kv/command.h"
#include "apps/kv/engine.h"
#include "apps/kv/execute.h"
#include "apps/kv/reply.h"

struct kv_call {
    struct kv_engine *engine;
    struct kv_session *session;
    const struct kv_command *command; /* a subcommand, if it has one */
    const struct kv_slice *argv;
    uint32_t argc;
    struct kv_reply *reply;
    struct kv_result *result;
    bool in_exec; /* it is one of a transaction */
};

/** True and the key as it is; false: it is not there. One past its expiry is removed, with
 * a logged delete. The reply will wait for whatever is told. */
bool kv_call_get(struct kv_call *call, struct kv_slice key, struct kv_view *ret_view);

/** The same for a command that reads, which counts whether it was there. */
bool kv_call_read(struct kv_call *call, struct kv_slice key, struct kv_view *ret_view);

/** Makes a change in the session's database, or in all. */
void kv_call_apply(struct kv_call *call, const struct kv_effect *effect);
void kv_call_set(struct kv_call *call, struct kv_slice key, struct kv_slice value,
                 int64_t expire_ms);
void kv_call_delete(struct kv_call *call, struct kv_slice key);

/** Whether argument `index` is the word, in letters of either case. */
static inline bool kv_call_is(const struct kv_call *call, uint32_t index, const char *word)
{
    return kv_slice_is(call->argv[index], word);
}

/** Argument `index` as a number; false when it is none, which has been replied. */
bool kv_call_integer(struct kv_call *call, uint32_t index, int64_t *ret_number);

/** Whether argument `index` may be the name of a client; false has been replied. */
bool kv_call_names(struct kv_call *call, uint32_t index);

/** Whether a value may have so many bytes; false has been replied. */
bool kv_call_fits(struct kv_call *call, uint64_t len);

/** "ERR syntax error" and other errors that many commands have. */
void kv_call_syntax_error(struct kv_call *call);
void kv_call_not_an_integer(struct kv_call *call);
void kv_call_expiry_error(struct kv_call *call);
void kv_call_arity_error(struct kv_call *call);

/** HELP of a command with subcommands. */
void kv_call_help(struct kv_call *call, const struct kv_command *command);

#endif
