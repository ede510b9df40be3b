/** apps/kv/session.h - what the server knows of one client.
 *
 * Whoever serves the connection owns it: kv_session_open() when the client has come,
 * kv_session_close() when it has gone. In between only the engine changes it, but for the
 * members that say so.
 */
#ifndef TEMPEST_APPS_KV_SESSION_H
#define TEMPEST_APPS_KV_SESSION_H

#include "apps/kv/queue.h"
#include "apps/kv/watch.h"

struct kv_engine;
struct kv_command;

enum { KV_ADDRESS_BYTES = 128, KV_NAME_MAX = 1024 };

/** A name that a client gave itself or its library: at most KV_NAME_MAX bytes, mostly none.
 */
struct kv_name {
    uint8_t *bytes;
    uint32_t len;
};

struct kv_session {
    struct kv_session *next, *previous; /* in order of arrival */
    uint64_t id;
    uint32_t db;
    uint8_t version;   /* of the protocol: KV_RESP2 or KV_RESP3 */
    bool known;        /* has said the password, or needs none */
    bool in_multi;     /* commands are queued */
    bool queue_broken; /* one of them could not be: EXEC will refuse */
    struct kv_queue queue;
    struct kv_watcher watcher;
    struct kv_name name, library_name, library_version;
    const struct kv_command *last; /* command that was looked up; NULL: none */
    int64_t opened_ms, active_ms;  /* of the engine's clock */

    /* To be shown by CLIENT LIST; the owner sets them. */
    char address[KV_ADDRESS_BYTES],
        local_address[KV_ADDRESS_BYTES]; /* "ip:port", "path:0" */
    int64_t number;                      /* of the connection, as `fd` */
    uint64_t input_bytes;                /* received and not executed yet */
    uint64_t output_bytes;               /* replied and not sent yet */
    bool on_unix;                        /* a Unix socket */
};

/** A client has come. The addresses are empty. */
void kv_session_open(struct kv_engine *engine, struct kv_session *session);

/** It has gone. */
void kv_session_close(struct kv_engine *engine, struct kv_session *session);

/** Whether it has only what may be in a name: printable ASCII without spaces. */
bool kv_name_is_fine(struct kv_slice value);

/** Sets a name to a copy of one that is fine and not too long. */
void kv_name_set(struct kv_name *name, struct kv_slice value);

static inline struct kv_slice kv_name_slice(const struct kv_name *name)
{
    return kv_slice_of(name->bytes, name->len);
}

#endif
