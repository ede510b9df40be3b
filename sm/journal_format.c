#include "journal_format.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"

#define SEGMENT_MAGIC UINT64_C(0x474553474f4c5054) /* "TPLOGSEG" */
#define GROUP_MAGIC   UINT64_C(0x505247474f4c5054) /* "TPLOGGRP" */

/* Numbers beyond these are never reached; checked, so that sums of them cannot overflow. */
#define NUMBER_MAX (UINT64_C(1) << 62)

/* Byte offsets. The sum covers everything after itself. */
enum { AT_SUM = 0, AT_MAGIC = 8, AT_VERSION = 16, AT_LOG_ID = 24 };

enum {
    SEGMENT_BLOCK = 20,
    SEGMENT_NUMBER = 32,
    SEGMENT_SIZE = 40,
    SEGMENT_GROUP_BYTES = 48,
    SEGMENT_STARTS_LOG = 52,
    SEGMENT_BEFORE_LOG_ID = 56,
    SEGMENT_BEFORE_SEGMENT = 64,
    SEGMENT_BEFORE_OFFSET = 72,
    SEGMENT_BEFORE_GROUP = 80,
    SEGMENT_BEFORE_LSN = 88,
    SEGMENT_WALL = 96
};

enum {
    GROUP_LEN = 20,
    GROUP_SEGMENT = 32,
    GROUP_NUMBER = 40,
    GROUP_FIRST_LSN = 48,
    GROUP_DURABLE_LSN = 56,
    GROUP_WALL = 64,
    GROUP_COUNT = 72,
    GROUP_BLOCK = 76
};

static void put32(uint8_t *bytes, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static void put64(uint8_t *bytes, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *bytes)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < 4; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

static uint64_t get64(const uint8_t *bytes)
{
    return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static uint64_t sum_of(const uint8_t *bytes, uint32_t len_bytes)
{
    return tp_hash(bytes + AT_MAGIC, len_bytes - AT_MAGIC, 0);
}

/* ------------------------------------------------------------------ segments */

void tp_journal_segment_encode(const struct tp_journal_segment *segment,
                               uint8_t ret_block[TP_JOURNAL_BLOCK])
{
    tp_assert(segment->number > 0 && segment->log_id != 0);
    tp_assert(segment->size_bytes % TP_JOURNAL_BLOCK == 0);
    memset(ret_block, 0, TP_JOURNAL_BLOCK);
    put64(ret_block + AT_MAGIC, SEGMENT_MAGIC);
    put32(ret_block + AT_VERSION, TP_JOURNAL_VERSION);
    put32(ret_block + SEGMENT_BLOCK, TP_JOURNAL_BLOCK);
    put64(ret_block + AT_LOG_ID, segment->log_id);
    put64(ret_block + SEGMENT_NUMBER, segment->number);
    put64(ret_block + SEGMENT_SIZE, segment->size_bytes);
    put32(ret_block + SEGMENT_GROUP_BYTES, segment->group_bytes);
    put32(ret_block + SEGMENT_STARTS_LOG, segment->starts_log);
    put64(ret_block + SEGMENT_BEFORE_LOG_ID, segment->before.log_id);
    put64(ret_block + SEGMENT_BEFORE_SEGMENT, segment->before.segment);
    put64(ret_block + SEGMENT_BEFORE_OFFSET, segment->before.offset);
    put64(ret_block + SEGMENT_BEFORE_GROUP, segment->before.group);
    put64(ret_block + SEGMENT_BEFORE_LSN, segment->before.lsn);
    put64(ret_block + SEGMENT_WALL, (uint64_t)segment->wall_ns);
    put64(ret_block + AT_SUM, sum_of(ret_block, TP_JOURNAL_BLOCK));
}

/* The sum being right, what remains to exclude is a writer that was wrong. */
static bool segment_is_sane(const struct tp_journal_segment *s)
{
    return s->log_id != 0 && s->number > 0 && s->number < NUMBER_MAX &&
           s->group_bytes >= TP_JOURNAL_BLOCK && s->group_bytes <= TP_JOURNAL_GROUP_MAX &&
           s->group_bytes % TP_JOURNAL_BLOCK == 0 &&
           s->size_bytes % TP_JOURNAL_BLOCK == 0 &&
           s->size_bytes <= TP_JOURNAL_SEGMENT_MAX &&
           s->size_bytes >= (uint64_t)TP_JOURNAL_BLOCK + s->group_bytes &&
           s->starts_log <= 1 && s->before.lsn < NUMBER_MAX &&
           s->before.group < NUMBER_MAX && s->before.offset % TP_JOURNAL_BLOCK == 0 &&
           (s->starts_log == 0 || s->before.segment == s->number - 1);
}

int tp_journal_segment_decode(const uint8_t block[TP_JOURNAL_BLOCK],
                              struct tp_journal_segment *ret_segment)
{
    struct tp_journal_segment s;

    if (get64(block + AT_MAGIC) != SEGMENT_MAGIC)
        return -EBADMSG;
    if (get32(block + AT_VERSION) != TP_JOURNAL_VERSION)
        return -EPROTONOSUPPORT;
    if (get64(block + AT_SUM) != sum_of(block, TP_JOURNAL_BLOCK) ||
        get32(block + SEGMENT_BLOCK) != TP_JOURNAL_BLOCK)
        return -EBADMSG;
    s.log_id = get64(block + AT_LOG_ID);
    s.number = get64(block + SEGMENT_NUMBER);
    s.size_bytes = get64(block + SEGMENT_SIZE);
    s.group_bytes = get32(block + SEGMENT_GROUP_BYTES);
    s.starts_log = get32(block + SEGMENT_STARTS_LOG);
    s.before.log_id = get64(block + SEGMENT_BEFORE_LOG_ID);
    s.before.segment = get64(block + SEGMENT_BEFORE_SEGMENT);
    s.before.offset = get64(block + SEGMENT_BEFORE_OFFSET);
    s.before.group = get64(block + SEGMENT_BEFORE_GROUP);
    s.before.lsn = get64(block + SEGMENT_BEFORE_LSN);
    s.wall_ns = (int64_t)get64(block + SEGMENT_WALL);
    if (!segment_is_sane(&s))
        return -EBADMSG;
    *ret_segment = s;
    return 0;
}

/* ------------------------------------------------------------------ groups */

void tp_journal_group_encode(const struct tp_journal_group *group, uint8_t *bytes)
{
    uint32_t padded = tp_journal_padded(group->len);

    tp_assert(group->len >= TP_JOURNAL_GROUP_HEADER && group->len <= TP_JOURNAL_GROUP_MAX);
    tp_assert(group->offset % TP_JOURNAL_BLOCK == 0 &&
              group->durable_lsn < group->first_lsn);
    put64(bytes + AT_MAGIC, GROUP_MAGIC);
    put32(bytes + AT_VERSION, TP_JOURNAL_VERSION);
    put32(bytes + GROUP_LEN, group->len);
    put64(bytes + AT_LOG_ID, group->log_id);
    put64(bytes + GROUP_SEGMENT, group->segment);
    put64(bytes + GROUP_NUMBER, group->group);
    put64(bytes + GROUP_FIRST_LSN, group->first_lsn);
    put64(bytes + GROUP_DURABLE_LSN, group->durable_lsn);
    put64(bytes + GROUP_WALL, (uint64_t)group->wall_ns);
    put32(bytes + GROUP_COUNT, group->count);
    put32(bytes + GROUP_BLOCK, (uint32_t)(group->offset / TP_JOURNAL_BLOCK));
    memset(bytes + group->len, 0, padded - group->len);
    put64(bytes + AT_SUM, sum_of(bytes, padded));
}

bool tp_journal_group_peek(const uint8_t block[TP_JOURNAL_BLOCK],
                           const struct tp_journal_place *place,
                           struct tp_journal_group *ret_group)
{
    struct tp_journal_group g;

    /* Who writes records does not know the log id, so nothing in a record passes for a
     * group. */
    if (get64(block + AT_MAGIC) != GROUP_MAGIC ||
        get32(block + AT_VERSION) != TP_JOURNAL_VERSION ||
        get64(block + AT_LOG_ID) != place->log_id ||
        get64(block + GROUP_SEGMENT) != place->segment ||
        get32(block + GROUP_BLOCK) != place->offset / TP_JOURNAL_BLOCK)
        return false;
    g.log_id = place->log_id;
    g.segment = place->segment;
    g.offset = place->offset;
    g.group = get64(block + GROUP_NUMBER);
    g.first_lsn = get64(block + GROUP_FIRST_LSN);
    g.durable_lsn = get64(block + GROUP_DURABLE_LSN);
    g.wall_ns = (int64_t)get64(block + GROUP_WALL);
    g.count = get32(block + GROUP_COUNT);
    g.len = get32(block + GROUP_LEN);
    if (g.len < TP_JOURNAL_GROUP_HEADER || g.len > place->len_max ||
        g.count > (g.len - TP_JOURNAL_GROUP_HEADER) / TP_JOURNAL_RECORD_HEADER ||
        g.group == 0 || g.group >= NUMBER_MAX || g.first_lsn >= NUMBER_MAX ||
        g.durable_lsn >= g.first_lsn)
        return false;
    *ret_group = g;
    return true;
}

/* The records fill the group exactly. */
static bool records_fit(const uint8_t *bytes, const struct tp_journal_group *group)
{
    uint32_t at = TP_JOURNAL_GROUP_HEADER;

    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t len;

        if (group->len - at < TP_JOURNAL_RECORD_HEADER)
            return false;
        len = get32(bytes + at);
        at += TP_JOURNAL_RECORD_HEADER;
        if (group->len - at < len)
            return false;
        at += len;
    }
    return at == group->len;
}

bool tp_journal_group_check(const uint8_t *bytes, const struct tp_journal_group *group)
{
    return get64(bytes + AT_SUM) == sum_of(bytes, tp_journal_padded(group->len)) &&
           records_fit(bytes, group);
}

/* ------------------------------------------------------------------ records */

struct tp_journal_cursor tp_journal_cursor_of(const uint8_t *bytes,
                                              const struct tp_journal_group *group)
{
    struct tp_journal_cursor cursor = {bytes + TP_JOURNAL_GROUP_HEADER, group->count, 0,
                                       group->first_lsn};

    return cursor;
}

bool tp_journal_cursor_next(struct tp_journal_cursor *cursor,
                            struct tp_journal_record *ret_record)
{
    if (cursor->left == 0)
        return false;
    ret_record->lsn = cursor->lsn++;
    ret_record->len = get32(cursor->at);
    ret_record->bytes = cursor->at + TP_JOURNAL_RECORD_HEADER;
    ret_record->reserved = 0;
    cursor->at += TP_JOURNAL_RECORD_HEADER + ret_record->len;
    cursor->left--;
    return true;
}

void tp_journal_record_encode(uint8_t *at, const void *bytes, uint32_t len_bytes)
{
    put32(at, len_bytes);
    if (len_bytes > 0)
        memcpy(at + TP_JOURNAL_RECORD_HEADER, bytes, len_bytes);
}

/* ------------------------------------------------------------------ names and ids */

static const char digits[] = "0123456789abcdef";

void tp_journal_name(uint64_t number, char ret_name[TP_JOURNAL_NAME_SIZE])
{
    for (uint32_t i = 0; i < 16; i++)
        ret_name[i] = digits[number >> (60 - 4 * i) & 15];
    memcpy(ret_name + 16, ".log", 5);
}

uint64_t tp_journal_name_number(const char *name)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < 16; i++) {
        const char *digit = name[i] == '\0' ? NULL : strchr(digits, name[i]);

        if (digit == NULL)
            return 0;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    return strcmp(name + 16, ".log") == 0 ? number : 0;
}

uint64_t tp_journal_next_id(const struct tp_journal_end *before, uint64_t random)
{
    uint8_t bytes[48];
    uint64_t id;

    put64(bytes, before->log_id);
    put64(bytes + 8, before->segment);
    put64(bytes + 16, before->offset);
    put64(bytes + 24, before->group);
    put64(bytes + 32, before->lsn);
    put64(bytes + 40, random);
    id = tp_hash(bytes, sizeof bytes, 0);
    if (id == 0 || id == before->log_id)
        id = before->log_id == 1 ? 2 : 1;
    return id;
}
