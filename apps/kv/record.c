#include "apps/kv/record.h"

#include <errno.h>

enum {
    CAPACITY_FIRST = 256,
    CAPACITY_KEPT = 64 << 10, /* of an empty record */
    HEAD_BYTES_MAX = 2 + 4 * KV_NUMBER_SIZE,
};

/* What an effect of a kind has. */
enum field { HAS_DB = 1, HAS_KEY = 2, HAS_VALUE = 4, HAS_EXPIRY = 8, HAS_OFFSET = 16 };

static const uint8_t fields_of[] = {
    [KV_EFFECT_SET] = HAS_DB | HAS_KEY | HAS_VALUE | HAS_EXPIRY,
    [KV_EFFECT_APPEND] = HAS_DB | HAS_KEY | HAS_VALUE,
    [KV_EFFECT_SETRANGE] = HAS_DB | HAS_KEY | HAS_VALUE | HAS_OFFSET,
    [KV_EFFECT_DEL] = HAS_DB | HAS_KEY,
    [KV_EFFECT_EXPIRE] = HAS_DB | HAS_KEY | HAS_EXPIRY,
    [KV_EFFECT_FLUSH] = HAS_DB,
    [KV_EFFECT_FLUSHALL] = 0,
};

enum { KINDS = sizeof fields_of };

void kv_record_init(struct kv_record *record, const struct tp_allocator *allocator,
                    uint32_t len_max)
{
    struct kv_record fresh = {.allocator = allocator, .len_max = len_max};

    tp_assert(len_max <= INT32_MAX);
    *record = fresh;
}

static void release(struct kv_record *record)
{
    tp_free(record->allocator, record->bytes, record->capacity, 1);
    record->bytes = NULL;
    record->capacity = 0;
}

void kv_record_deinit(struct kv_record *record)
{
    release(record);
    record->len = 0;
}

void kv_record_clear(struct kv_record *record)
{
    record->len = 0;
    if (record->capacity > CAPACITY_KEPT)
        release(record);
}

void kv_record_truncate(struct kv_record *record, uint32_t len)
{
    tp_assert(len <= record->len);
    record->len = len;
}

/* ------------------------------------------------------------------ writing */

/* Room for `len` bytes in all. */
static int grow(struct kv_record *record, uint64_t len)
{
    uint64_t capacity = record->capacity == 0 ? CAPACITY_FIRST : record->capacity;
    uint8_t *bytes;

    if (len > record->len_max)
        return -EMSGSIZE;
    if (len <= record->capacity)
        return 0;
    while (capacity < len)
        capacity *= 2;
    bytes = tp_alloc(record->allocator, (size_t)capacity, 1);
    if (bytes == NULL)
        return -ENOMEM;
    if (record->len > 0)
        memcpy(bytes, record->bytes, record->len);
    release(record);
    record->bytes = bytes;
    record->capacity = (uint32_t)capacity;
    return 0;
}

int kv_record_reserve(struct kv_record *record, uint32_t len)
{
    return grow(record, len);
}

/* All of an effect but its key and value. */
static uint32_t encode_head(const struct kv_effect *effect, uint32_t fields,
                            uint8_t ret_head[HEAD_BYTES_MAX])
{
    uint8_t *at = ret_head;

    *at++ = (uint8_t)effect->kind;
    if (fields & HAS_DB)
        *at++ = (uint8_t)effect->db;
    if (fields & HAS_EXPIRY)
        at = kv_put_number(at, (uint64_t)effect->expire_ms);
    if (fields & HAS_OFFSET)
        at = kv_put_number(at, effect->offset);
    if (fields & HAS_KEY)
        at = kv_put_number(at, effect->key.len);
    if (fields & HAS_VALUE)
        at = kv_put_number(at, effect->value.len);
    return (uint32_t)(at - ret_head);
}

/* Its key and value. */
static uint64_t body_bytes(const struct kv_effect *effect, uint32_t fields)
{
    return (uint64_t)(fields & HAS_KEY ? effect->key.len : 0) +
           (fields & HAS_VALUE ? effect->value.len : 0);
}

uint64_t kv_record_bytes(const struct kv_effect *effect)
{
    uint8_t head[HEAD_BYTES_MAX];
    uint32_t fields;

    tp_assert(effect->kind > 0 && effect->kind < KINDS);
    fields = fields_of[effect->kind];
    return encode_head(effect, fields, head) + body_bytes(effect, fields);
}

int kv_record_add(struct kv_record *record, const struct kv_effect *effect)
{
    uint8_t head[HEAD_BYTES_MAX];
    uint32_t fields, head_len;
    uint64_t len;
    uint8_t *at;
    int error;

    tp_assert(effect->kind > 0 && effect->kind < KINDS && effect->db < KV_DBS);
    tp_assert(effect->key.len <= KV_STRING_MAX && effect->value.len <= KV_STRING_MAX);
    tp_assert(effect->expire_ms >= 0 &&
              effect->offset <= KV_STRING_MAX - effect->value.len);
    fields = fields_of[effect->kind];
    head_len = encode_head(effect, fields, head);
    len = record->len == 0 ? KV_RECORD_HEADER : record->len;
    len += head_len + body_bytes(effect, fields);
    error = grow(record, len);
    if (error < 0)
        return error;
    if (record->len == 0)
        record->bytes[record->len++] = KV_RECORD_VERSION;
    at = record->bytes + record->len;
    memcpy(at, head, head_len);
    at += head_len;
    if (fields & HAS_KEY)
        at = kv_put_slice(at, effect->key);
    if (fields & HAS_VALUE)
        at = kv_put_slice(at, effect->value);
    record->len = (uint32_t)(at - record->bytes);
    tp_assert(record->len == len);
    return 0;
}

/* ------------------------------------------------------------------ reading */

struct kv_record_cursor kv_record_read(const uint8_t *bytes, uint32_t len)
{
    struct kv_record_cursor cursor = {kv_reader_of(bytes, len), false};

    return cursor;
}

static bool get_length(struct kv_reader *reader, uint32_t *ret_len)
{
    uint64_t len;

    if (!kv_read_number(reader, KV_STRING_MAX, &len))
        return false;
    *ret_len = (uint32_t)len;
    return true;
}

static bool get_effect(struct kv_reader *reader, struct kv_effect *effect)
{
    uint32_t fields;
    uint64_t expire_ms = 0;

    if (!kv_read_byte(reader, KINDS, &effect->kind) || effect->kind == 0)
        return false;
    fields = fields_of[effect->kind];
    if ((fields & HAS_DB) && !kv_read_byte(reader, KV_DBS, &effect->db))
        return false;
    if ((fields & HAS_EXPIRY) && !kv_read_number(reader, INT64_MAX, &expire_ms))
        return false;
    if ((fields & HAS_OFFSET) && !get_length(reader, &effect->offset))
        return false;
    if ((fields & HAS_KEY) && !get_length(reader, &effect->key.len))
        return false;
    if ((fields & HAS_VALUE) && !get_length(reader, &effect->value.len))
        return false;
    effect->expire_ms = (int64_t)expire_ms;
    return kv_read_slice(reader, &effect->key) && kv_read_slice(reader, &effect->value) &&
           effect->offset <= KV_STRING_MAX - effect->value.len;
}

int kv_record_next(struct kv_record_cursor *cursor, struct kv_effect *ret_effect)
{
    struct kv_reader *reader = &cursor->reader;
    struct kv_effect effect = {0};

    if (!cursor->begun) {
        if (reader->at == reader->end)
            return -EBADMSG;
        if (*reader->at != KV_RECORD_VERSION)
            return -EPROTONOSUPPORT;
        reader->at++;
        cursor->begun = true;
        if (reader->at == reader->end)
            return -EBADMSG;
    }
    if (reader->at == reader->end)
        return 0;
    if (!get_effect(reader, &effect))
        return -EBADMSG;
    *ret_effect = effect;
    return 1;
}

int kv_record_check(const uint8_t *bytes, uint32_t len)
{
    struct kv_record_cursor cursor = kv_record_read(bytes, len);
    struct kv_effect effect;
    int rc;

    while ((rc = kv_record_next(&cursor, &effect)) == 1) {
    }
    return rc;
}
