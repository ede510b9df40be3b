#include "byteset.h"

#include <string.h>

#include "../../io/hash.h"

enum { BLOCK_BYTES = 65536, FIRST_SLOTS = 64 };

struct tp_byteset_block {
    struct tp_byteset_block *older;
    uint64_t size_bytes; /* with this head */
    uint64_t used_bytes;
};

/* Where `hash` and these bytes are, or the free slot where they belong. */
static uint32_t slot_of(const struct tp_byteset *set, uint32_t hash, const void *bytes,
                        uint32_t len_bytes)
{
    uint32_t slot = hash & (set->slot_count - 1);

    for (;;) {
        const struct tp_byteset_entry *entry;

        if (set->slots[slot] == 0)
            return slot;
        entry = &set->entries[set->slots[slot] - 1];
        if (entry->hash == hash && entry->len_bytes == len_bytes &&
            (len_bytes == 0 || memcmp(entry->bytes, bytes, len_bytes) == 0))
            return slot;
        slot = (slot + 1) & (set->slot_count - 1);
    }
}

/* At most half of the slots are in use, so a search ends soon. */
static int grow_slots(struct tp_byteset *set)
{
    uint64_t count = set->slot_count > 0 ? (uint64_t)set->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots;

    if (set->count < set->slot_count / 2)
        return 0;
    if (count > UINT32_MAX)
        return -ENOMEM;
    slots = tp_budget_alloc(set->budget, count * sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    tp_budget_free(set->budget, set->slots, (uint64_t)set->slot_count * sizeof *slots);
    set->slots = slots;
    set->slot_count = (uint32_t)count;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t slot = set->entries[i].hash & (set->slot_count - 1);

        while (slots[slot] != 0)
            slot = (slot + 1) & (set->slot_count - 1);
        slots[slot] = i + 1;
    }
    return 0;
}

/* Room for `len_bytes` that stays where it is. */
static uint8_t *take_bytes(struct tp_byteset *set, uint32_t len_bytes)
{
    struct tp_byteset_block *block = set->blocks;
    uint8_t *bytes;

    if (block == NULL || block->size_bytes - block->used_bytes < len_bytes) {
        uint64_t size = sizeof *block + (uint64_t)len_bytes;

        if (size < BLOCK_BYTES)
            size = BLOCK_BYTES;
        block = tp_budget_alloc(set->budget, size);
        if (block == NULL)
            return NULL;
        block->older = set->blocks;
        block->size_bytes = size;
        block->used_bytes = sizeof *block;
        set->blocks = block;
    }
    bytes = (uint8_t *)block + block->used_bytes;
    block->used_bytes += len_bytes;
    return bytes;
}

int tp_byteset_add(struct tp_byteset *set, const void *bytes, uint32_t len_bytes,
                   uint32_t *ret_number)
{
    uint32_t hash = (uint32_t)tp_hash(bytes, len_bytes, 0);
    struct tp_byteset_entry *entries;
    uint8_t *copy;
    uint32_t slot;

    if (grow_slots(set) < 0)
        return -ENOMEM;
    slot = slot_of(set, hash, bytes, len_bytes);
    if (set->slots[slot] != 0) {
        *ret_number = set->slots[slot] - 1;
        return 0;
    }
    if (set->count == UINT32_MAX - 1)
        return -ENOMEM;
    entries = tp_budget_grow(set->budget, set->entries, sizeof *entries, &set->capacity,
                             set->count + 1);
    if (entries == NULL)
        return -ENOMEM;
    set->entries = entries;
    copy = take_bytes(set, len_bytes);
    if (copy == NULL)
        return -ENOMEM;
    if (len_bytes > 0)
        memcpy(copy, bytes, len_bytes);
    set->entries[set->count] = (struct tp_byteset_entry){copy, len_bytes, hash};
    *ret_number = set->count++;
    set->slots[slot] = set->count;
    return 1;
}

const struct tp_byteset_entry *tp_byteset_at(const struct tp_byteset *set, uint32_t number)
{
    tp_assert(number < set->count);
    return &set->entries[number];
}

void tp_byteset_clear(struct tp_byteset *set)
{
    struct tp_byteset_block *block = set->blocks;

    while (block != NULL) {
        struct tp_byteset_block *older = block->older;

        tp_budget_free(set->budget, block, block->size_bytes);
        block = older;
    }
    tp_budget_free(set->budget, set->entries,
                   (uint64_t)set->capacity * sizeof *set->entries);
    tp_budget_free(set->budget, set->slots, (uint64_t)set->slot_count * sizeof *set->slots);
    *set = (struct tp_byteset){.budget = set->budget};
}
