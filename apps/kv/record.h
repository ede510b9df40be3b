/** apps/kv/record.h - what one command, or one whole transaction, did: a record of effects.
 *
 *     kv_record_clear(&record);
 *     kv_record_add(&record, &effect);             what is to happen, in order
 *     ...                                          room in the log is taken, or it is
 * refused cursor = kv_record_read(record.bytes, record.len); while (kv_record_next(&cursor,
 * &effect) == 1) kv_store_apply(store, &effect, lsn);
 *
 * An effect is a change of the store that needs no clock, no chance and no other key to
 * repeat: INCR is the SET of its outcome, RENAME a SET and a DEL, an expiry that somebody
 * was shown a DEL, a time to live an absolute time. APPEND and SETRANGE are deltas, so that
 * a long value is not logged again for a few bytes.
 *
 * A record is what the log keeps together: after a crash all of its effects are there, or
 * none. An empty one has no bytes and is not logged.
 *
 * Bytes: 1 for the version, then the effects, each a byte for its kind and then, as far as
 * the kind has them: database (1 byte), expiry, offset, length of the key and of the value
 * (numbers in LEB128, in their shortest form), key, value. docs/tempest-kv-storage.md has
 * it in full. Decoding trusts nothing: not a length, not a database number, not a spare
 * byte.
 */
#ifndef TEMPEST_APPS_KV_RECORD_H
#define TEMPEST_APPS_KV_RECORD_H

#include "apps/kv/coding.h"

#define KV_RECORD_VERSION UINT8_C(1)
#define KV_DBS            UINT32_C(16)          /* databases, numbered from 0 */
#define KV_STRING_MAX     (UINT32_C(512) << 20) /* bytes of the longest key or value */

/** The numbers are those on disk. */
enum kv_effect_kind {
    KV_EFFECT_SET = 1,  /* key gets value and expiry, whatever it had */
    KV_EFFECT_APPEND,   /* value goes behind the key's; a missing key is made */
    KV_EFFECT_SETRANGE, /* value goes to `offset` of the key's, zeros in a gap; likewise */
    KV_EFFECT_DEL,      /* key is gone */
    KV_EFFECT_EXPIRE,   /* key, if it is there, gets the expiry; its value stays */
    KV_EFFECT_FLUSH,    /* every key of the database is gone */
    KV_EFFECT_FLUSHALL, /* every key is gone */
};

/** One change. What its kind does not use is zero. */
struct kv_effect {
    uint32_t kind;   /* enum kv_effect_kind */
    uint32_t db;     /* below KV_DBS */
    uint32_t offset; /* SETRANGE: bytes; offset and length together at most KV_STRING_MAX */
    struct kv_slice key, value;
    int64_t expire_ms; /* SET, EXPIRE: wall clock, ms since 1970; 0: never. Not negative. */
};

/** A record in the making: a buffer that grows and is used again. Read `bytes` and `len`.
 */
struct kv_record {
    const struct tp_allocator *allocator;
    uint8_t *bytes;
    uint32_t len;
    uint32_t capacity;
    uint32_t len_max; /* bytes of the longest record that the log takes */
};

/** A walk over the effects of a record. */
struct kv_record_cursor {
    struct kv_reader reader;
    bool begun;
};

/** An empty record. It takes no memory before the first effect. */
void kv_record_init(struct kv_record *record, const struct tp_allocator *allocator,
                    uint32_t len_max);

/** Frees it. */
void kv_record_deinit(struct kv_record *record);

/** Empties it for the next one; memory that a very long one took is given back. */
void kv_record_clear(struct kv_record *record);

/** Makes room for a record of `len` bytes, so that adding up to it cannot fail. 0,
 * -EMSGSIZE or -ENOMEM, as below. */
int kv_record_reserve(struct kv_record *record, uint32_t len);

/** Adds an effect at the end; its bytes are copied. 0; -EMSGSIZE: the record would get
 * longer than `len_max`; -ENOMEM. After an error the record is as it was. */
int kv_record_add(struct kv_record *record, const struct kv_effect *effect);

/** Takes the effects away that were added since the record had `len` bytes: what part of a
 * transaction added that came to nothing. */
void kv_record_truncate(struct kv_record *record, uint32_t len);

/** Bytes that a record gets longer by for an effect, of whose key and value only the
 * lengths matter: to reserve by. Larger numbers and lengths take more, never less. The
 * first effect of a record takes KV_RECORD_HEADER more. */
#define KV_RECORD_HEADER UINT32_C(1)
uint64_t kv_record_bytes(const struct kv_effect *effect);

/** Begins a walk over the `len` bytes of a record, which must stay during it. */
struct kv_record_cursor kv_record_read(const uint8_t *bytes, uint32_t len);

/** 1 and the next effect, whose slices are in the record's bytes. 0: that was all.
 * -EBADMSG: these are not the bytes of a record; -EPROTONOSUPPORT: of a version that is
 * not known. */
int kv_record_next(struct kv_record_cursor *cursor, struct kv_effect *ret_effect);

/** Whether the whole record can be read: 0, or the error that kv_record_next() would come
 * to. For records from a disk, before the first effect is applied. */
int kv_record_check(const uint8_t *bytes, uint32_t len);

/** The effects, spelled so that no field is forgotten. */
static inline struct kv_effect kv_effect_set(uint32_t db, struct kv_slice key,
                                             struct kv_slice value, int64_t expire_ms)
{
    struct kv_effect effect = {KV_EFFECT_SET, db, 0, key, value, expire_ms};
    return effect;
}

/** `value` goes behind what the key holds. */
static inline struct kv_effect kv_effect_append(uint32_t db, struct kv_slice key,
                                                struct kv_slice value)
{
    struct kv_effect effect = {KV_EFFECT_APPEND, db, 0, key, value, 0};
    return effect;
}

/** `value` goes to `offset` of what the key holds. */
static inline struct kv_effect kv_effect_setrange(uint32_t db, struct kv_slice key,
                                                  uint32_t offset, struct kv_slice value)
{
    struct kv_effect effect = {KV_EFFECT_SETRANGE, db, offset, key, value, 0};
    return effect;
}

/** The key is gone. */
static inline struct kv_effect kv_effect_del(uint32_t db, struct kv_slice key)
{
    struct kv_effect effect = {KV_EFFECT_DEL, db, 0, key, {NULL, 0}, 0};
    return effect;
}

/** The key expires at that time; 0: never. */
static inline struct kv_effect kv_effect_expire(uint32_t db, struct kv_slice key,
                                                int64_t expire_ms)
{
    struct kv_effect effect = {KV_EFFECT_EXPIRE, db, 0, key, {NULL, 0}, expire_ms};
    return effect;
}

/** Every key of the database is gone. */
static inline struct kv_effect kv_effect_flush(uint32_t db)
{
    struct kv_effect effect = {KV_EFFECT_FLUSH, db, 0, {NULL, 0}, {NULL, 0}, 0};
    return effect;
}

/** Every key of every database is gone. */
static inline struct kv_effect kv_effect_flushall(void)
{
    struct kv_effect effect = {KV_EFFECT_FLUSHALL, 0, 0, {NULL, 0}, {NULL, 0}, 0};
    return effect;
}

#endif
