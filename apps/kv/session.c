#include "apps/kv/session.h"

#include <stdlib.h>

#include "apps/kv/engine.h"
#include "apps/kv/reply.h"

void kv_session_open(struct kv_engine *engine, struct kv_session *session)
{
    *session = (struct kv_session){
        .previous = engine->last,
        .id = ++engine->session_id,
        .version = KV_RESP2,
        .known = engine->password_len == 0,
        .opened_ms = engine->clock_ms,
        .active_ms = engine->clock_ms,
    };
    if (engine->last == NULL)
        engine->first = session;
    else
        engine->last->next = session;
    engine->last = session;
    engine->session_count++;
    engine->stats.connections++;
}

void kv_session_close(struct kv_engine *engine, struct kv_session *session)
{
    tp_assert(engine->session_count > 0);
    if (session->previous == NULL)
        engine->first = session->next;
    else
        session->previous->next = session->next;
    if (session->next == NULL)
        engine->last = session->previous;
    else
        session->next->previous = session->previous;
    engine->session_count--;
    kv_watches_forget(&engine->watches, &session->watcher);
    kv_queue_clear(&session->queue);
    free(session->name.bytes);
    free(session->library_name.bytes);
    free(session->library_version.bytes);
    *session = (struct kv_session){.id = 0};
}

bool kv_name_is_fine(struct kv_slice value)
{
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.bytes[i] < '!' || value.bytes[i] > '~')
            return false;
    }
    return true;
}

void kv_name_set(struct kv_name *name, struct kv_slice value)
{
    uint8_t *copy = NULL;

    tp_assert(value.len <= KV_NAME_MAX && kv_name_is_fine(value));
    if (value.len > 0) {
        copy = malloc(value.len);
        if (copy == NULL)
            tp_stop(__FILE__, __LINE__, "no memory");
        memcpy(copy, value.bytes, value.len);
    }
    free(name->bytes);
    *name = (struct kv_name){copy, value.len};
}
