#include "apps/sim/scenarios/log3/entry.h"

#include <string.h>

#include "io/hash.h"

/* Whether so many bytes are left. */
static bool has(struct log3_reader *reader, uint32_t count)
{
    if ((size_t)(reader->end - reader->at) < count)
        reader->failed = true;
    return !reader->failed;
}

uint64_t log3_read(struct log3_reader *reader, uint32_t size)
{
    uint64_t number;

    tp_assert(size >= 1 && size <= 8);
    if (!has(reader, size))
        return 0;
    number = tp_get_le(reader->at, size);
    reader->at += size;
    return number;
}

uint8_t *log3_put(uint8_t *at, uint64_t number, uint32_t size)
{
    tp_assert(size == 8 || number < UINT64_C(1) << (8 * size));
    tp_put_le(at, number, size);
    return at + size;
}

void log3_entry_read(struct log3_reader *reader, struct log3_entry *ret_entry)
{
    struct log3_entry *entry = ret_entry;

    entry->term = log3_read(reader, 8);
    entry->seq = log3_read(reader, 8);
    entry->client = (uint32_t)log3_read(reader, 4);
    entry->len = (uint32_t)log3_read(reader, 4);
    entry->lsn = 0;
    if (entry->len > LOG3_TEXT_BYTES || entry->term == 0 ||
        !log3_is_possible(entry->term) ||
        (entry->client >= LOG3_CLIENTS && entry->client != LOG3_NOBODY))
        reader->failed = true;
    if (reader->failed || !has(reader, entry->len))
        return;
    memcpy(entry->text, reader->at, entry->len);
    reader->at += entry->len;
}

uint8_t *log3_entry_put(uint8_t *at, const struct log3_entry *entry)
{
    tp_assert(entry->len <= LOG3_TEXT_BYTES);
    at = log3_put(at, entry->term, 8);
    at = log3_put(at, entry->seq, 8);
    at = log3_put(at, entry->client, 4);
    at = log3_put(at, entry->len, 4);
    memcpy(at, entry->text, entry->len);
    return at + entry->len;
}
