/** apps/kv/entry.h - a key with its value, in one block of memory.
 *
 * The value stands behind the key; behind the value there may be room for it to grow. An
 * entry is in one bucket of one table (`next`), and in the heap of expiries if it has one
 * (`expiry_at`): who moves it to other memory tells both.
 */
#ifndef TEMPEST_APPS_KV_ENTRY_H
#define TEMPEST_APPS_KV_ENTRY_H

#include "apps/kv/memory.h"
#include "apps/kv/slice.h"

struct kv_entry {
    struct kv_entry *next; /* in its bucket */
    uint64_t lsn;          /* of the record that changed it last */
    uint32_t hash;
    uint32_t key_len, value_len;
    uint32_t room;      /* bytes behind this struct */
    uint32_t expiry_at; /* place in the heap of expiries, from 1; 0: it has none */
    uint32_t loaded;    /* 1: from a snapshot, and not changed since */
};

static inline uint8_t *kv_entry_bytes(const struct kv_entry *entry)
{
    return (uint8_t *)(uintptr_t)(entry + 1);
}

static inline struct kv_slice kv_entry_key(const struct kv_entry *entry)
{
    return kv_slice_of(kv_entry_bytes(entry), entry->key_len);
}

static inline struct kv_slice kv_entry_value(const struct kv_entry *entry)
{
    return kv_slice_of(kv_entry_bytes(entry) + entry->key_len, entry->value_len);
}

/** Bytes of its memory. */
static inline uint64_t kv_entry_size(const struct kv_entry *entry)
{
    return sizeof *entry + (uint64_t)entry->room;
}

/** A new entry with the key, an empty value, and room for one of `value_room` bytes. */
struct kv_entry *kv_entry_make(struct kv_memory *memory, uint32_t hash, struct kv_slice key,
                               uint64_t value_room);

/** Frees it; it is in no bucket and no heap. */
void kv_entry_free(struct kv_memory *memory, struct kv_entry *entry);

/** Whether a value of `value_len` bytes fits, and without too much room left over. */
bool kv_entry_suits(const struct kv_entry *entry, uint32_t value_len);

/** Whether a value of `value_len` bytes fits. */
bool kv_entry_fits(const struct kv_entry *entry, uint32_t value_len);

/** Puts bytes to `offset` of the value, which gets longer if it has to, with zeros in a
 * gap. They fit; they may be bytes of this entry. */
void kv_entry_put(struct kv_entry *entry, uint32_t offset, struct kv_slice bytes);

#endif
