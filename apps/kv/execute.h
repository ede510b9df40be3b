/** apps/kv/execute.h - one request: looked up, allowed, queued or run.
 */
#ifndef TEMPEST_APPS_KV_EXECUTE_H
#define TEMPEST_APPS_KV_EXECUTE_H

#include "apps/kv/engine.h"
#include "apps/kv/reply.h"

enum kv_outcome {
    KV_DONE,  /* the reply, if it has one, was added */
    KV_AGAIN, /* there is no room in the log: call again with the same request when some of
                 it is durable; nothing was replied */
    KV_SOON,  /* there is much to be done first: call again in the next tick; likewise */
};

/** The longest sleep of a client: an hour. */
#define KV_SLEEP_US_MAX (UINT64_C(3600) * 1000000)

/** What the server has to do for a client's SHUTDOWN. */
enum kv_shutdown { KV_STAY, KV_SHUTDOWN, KV_SHUTDOWN_SAVE };

struct kv_result {
    enum kv_outcome outcome;
    uint64_t lsn;        /* of the last record that must be durable before the reply is
                            sent; 0: none */
    uint64_t sleep_us;   /* the reply waits so long, and what this client asks next, too */
    bool close;          /* after the reply, and what was asked behind it is dropped */
    bool holds_snapshot; /* the reply waits for the end of the snapshot that has begun; if
                            it fails, kv_reply_snapshot_failed() is the reply */
    enum kv_shutdown shutdown;
};

/** Executes a request. `argv` stays the caller's; the reply is added to `reply`, whose
 * version and limit are set here. */
void kv_execute(struct kv_engine *engine, struct kv_session *session,
                const struct kv_slice *argv, uint32_t argc, struct kv_reply *reply,
                struct kv_result *ret_result);

/** The reply to a request that could not be read (resp.h); close after it. */
void kv_reply_unreadable(struct kv_engine *engine, struct kv_session *session,
                         const char *error, struct kv_reply *reply);

/** The reply in place of one that can never be sent as it was: whether the record `lsn` is
 * durable will be known after a restart only. */
void kv_reply_unknown(struct kv_engine *engine, struct kv_session *session,
                      struct kv_reply *reply);

/** The reply to SAVE when the snapshot failed. */
void kv_reply_snapshot_failed(struct kv_engine *engine, struct kv_session *session,
                              struct kv_reply *reply);

#endif
