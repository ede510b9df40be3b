#include "apps/kv/entry.h"

/* Small blocks come in steps of so many bytes anyway. */
enum { STEP = 16, SPARE_ALWAYS = 64 };

struct kv_entry *kv_entry_make(struct kv_memory *memory, uint32_t hash, struct kv_slice key,
                               uint64_t value_room)
{
    uint64_t size = sizeof(struct kv_entry) + key.len + value_room;
    struct kv_entry *entry;

    size = (size + STEP - 1) / STEP * STEP;
    tp_assert(size <= UINT32_MAX);
    entry = kv_memory_take(memory, size);
    entry->hash = hash;
    entry->key_len = key.len;
    entry->room = (uint32_t)(size - sizeof *entry);
    if (key.len > 0)
        memcpy(kv_entry_bytes(entry), key.bytes, key.len);
    return entry;
}

void kv_entry_free(struct kv_memory *memory, struct kv_entry *entry)
{
    kv_memory_give(memory, entry, kv_entry_size(entry));
}

bool kv_entry_fits(const struct kv_entry *entry, uint32_t value_len)
{
    return value_len <= entry->room - entry->key_len;
}

bool kv_entry_suits(const struct kv_entry *entry, uint32_t value_len)
{
    uint64_t used = (uint64_t)entry->key_len + value_len;

    return kv_entry_fits(entry, value_len) && entry->room <= 2 * used + SPARE_ALWAYS;
}

void kv_entry_put(struct kv_entry *entry, uint32_t offset, struct kv_slice bytes)
{
    uint8_t *value = kv_entry_bytes(entry) + entry->key_len;
    uint64_t end = (uint64_t)offset + bytes.len;

    tp_assert(end <= entry->room - entry->key_len);
    if (bytes.len > 0)
        memmove(value + offset, bytes.bytes, bytes.len);
    if (offset > entry->value_len)
        memset(value + entry->value_len, 0, offset - entry->value_len);
    if (end > entry->value_len)
        entry->value_len = (uint32_t)end;
}
