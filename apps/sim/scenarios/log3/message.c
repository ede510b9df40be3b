#include "apps/sim/scenarios/log3/message.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ writing */

static uint8_t *put_body(uint8_t *at, const struct log3_message *message)
{
    switch (message->kind) {
    case LOG3_ENTRIES:
        for (uint32_t i = 1; i <= message->count; i++)
            at = log3_entry_put(at, log3_entries_at(message->entries, message->index + i));
        return at;
    case LOG3_SNAPSHOT:
        return log3_state_put(at, message->state);
    case LOG3_APPEND:
        memcpy(at, message->body, message->count);
        return at + message->count;
    case LOG3_ASK_VOTE:
    case LOG3_VOTE:
    case LOG3_MATCHED:
    case LOG3_ASK_COUNT:
    case LOG3_DONE:
    case LOG3_KINDS:
        break;
    }
    return at;
}

uint32_t log3_message_put(uint8_t *ret_bytes, const struct log3_message *message)
{
    uint8_t *at = ret_bytes + 4;
    uint32_t len;

    at = log3_put(at, (uint64_t)message->kind, 1);
    at = log3_put(at, message->from, 1);
    at = log3_put(at, message->yes, 1);
    at = log3_put(at, message->pre, 1);
    at = log3_put(at, message->term, 8);
    at = log3_put(at, message->index, 8);
    at = log3_put(at, message->index_term, 8);
    at = log3_put(at, message->commit, 8);
    at = log3_put(at, message->round, 8);
    at = log3_put(at, message->count, 4);
    tp_assert(at == ret_bytes + 4 + LOG3_HEAD_BYTES);
    at = put_body(at, message);
    len = (uint32_t)(at - ret_bytes);
    tp_assert(len <= LOG3_MESSAGE_BYTES_MAX);
    (void)log3_put(ret_bytes, len - 4, 4);
    return len;
}

static uint32_t len_of(const struct log3_message *message)
{
    uint32_t len = 4 + LOG3_HEAD_BYTES;

    if (message->kind == LOG3_SNAPSHOT)
        len += LOG3_STATE_BYTES;
    if (message->kind == LOG3_APPEND)
        len += message->count;
    for (uint32_t i = 1; message->kind == LOG3_ENTRIES && i <= message->count; i++)
        len +=
            LOG3_ENTRY_HEADER + log3_entries_at(message->entries, message->index + i)->len;
    return len;
}

void log3_message_say(struct tp_connection *connection, const struct log3_message *message,
                      uint64_t lsn)
{
    uint8_t *place = tp_connection_reserve(connection, len_of(message));

    if (place == NULL)
        return; /* it is broken, which its owner will see */
    tp_connection_commit(connection, log3_message_put(place, message));
    tp_connection_hold(connection, lsn);
}

/* ------------------------------------------------------------------ reading */

static bool is_body_sound(const struct log3_message *message)
{
    struct log3_reader reader = log3_reader_of(message->body, message->body_len);
    struct log3_entry entry;
    struct log3_state state;

    switch (message->kind) {
    case LOG3_ENTRIES:
        if (message->count > LOG3_BATCH_MAX)
            return false;
        for (uint32_t i = 0; i < message->count; i++)
            log3_entry_read(&reader, &entry);
        break;
    case LOG3_SNAPSHOT:
        log3_state_read(&reader, &state);
        break;
    case LOG3_APPEND:
        return message->count <= LOG3_TEXT_BYTES && message->count == message->body_len;
    case LOG3_ASK_VOTE:
    case LOG3_VOTE:
    case LOG3_MATCHED:
    case LOG3_ASK_COUNT:
    case LOG3_DONE:
        break;
    case LOG3_KINDS:
        return false;
    }
    return !reader.failed && reader.at == reader.end;
}

bool log3_message_read(const uint8_t *bytes, uint32_t len, struct log3_message *ret_message)
{
    struct log3_reader reader = log3_reader_of(bytes, len);
    struct log3_message *m = ret_message;
    uint64_t rest = log3_read(&reader, 4);
    uint64_t kind = log3_read(&reader, 1);

    *m = (struct log3_message){.from = (uint32_t)log3_read(&reader, 1)};
    m->yes = log3_read(&reader, 1) != 0;
    m->pre = log3_read(&reader, 1) != 0;
    m->term = log3_read(&reader, 8);
    m->index = log3_read(&reader, 8);
    m->index_term = log3_read(&reader, 8);
    m->commit = log3_read(&reader, 8);
    m->round = log3_read(&reader, 8);
    m->count = (uint32_t)log3_read(&reader, 4);
    m->body = reader.at;
    m->body_len = (uint32_t)(reader.end - reader.at);
    if (reader.failed || rest + 4 != len || kind >= LOG3_KINDS)
        return false;
    m->kind = (enum log3_kind)kind;
    return log3_is_possible(m->term) && log3_is_possible(m->index) &&
           log3_is_possible(m->index_term) && log3_is_possible(m->commit) &&
           log3_is_possible(m->round) && is_body_sound(m);
}

int32_t log3_message_hear(struct tp_ctx *cx, struct tp_connection *connection,
                          struct log3_message *ret_message)
{
    const uint8_t *bytes;
    struct log3_reader reader;
    uint64_t len;
    int32_t rc;

    rc = tp_connection_peek(cx, connection, 4, &bytes);
    if (rc < 4) /* the end, perhaps in the middle of a message; or an error */
        return rc < 0 ? rc : 0;
    reader = log3_reader_of(bytes, 4);
    len = 4 + log3_read(&reader, 4);
    if (len < 4 + LOG3_HEAD_BYTES || len > LOG3_MESSAGE_BYTES_MAX)
        return -EPROTO;
    rc = tp_connection_peek(cx, connection, (uint32_t)len, &bytes);
    if (rc <= 0 || (uint64_t)rc < len)
        return rc < 0 ? rc : 0;
    return log3_message_read(bytes, (uint32_t)len, ret_message) ? (int32_t)len : -EPROTO;
}
