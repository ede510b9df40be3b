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
    tp_put_le(ret_block + AT_MAGIC, SEGMENT_MAGIC, 8);
    tp_put_le(ret_block + AT_VERSION, TP_JOURNAL_VERSION, 4);
    tp_put_le(ret_block + SEGMENT_BLOCK, TP_JOURNAL_BLOCK, 4);
    tp_put_le(ret_block + AT_LOG_ID, segment->log_id, 8);
    tp_put_le(ret_block + SEGMENT_NUMBER, segment->number, 8);
    tp_put_le(ret_block + SEGMENT_SIZE, segment->size_bytes, 8);
    tp_put_le(ret_block + SEGMENT_GROUP_BYTES, segment->group_bytes, 4);
    tp_put_le(ret_block + SEGMENT_STARTS_LOG, segment->starts_log, 4);
    tp_put_le(ret_block + SEGMENT_BEFORE_LOG_ID, segment->before.log_id, 8);
    tp_put_le(ret_block + SEGMENT_BEFORE_SEGMENT, segment->before.segment, 8);
    tp_put_le(ret_block + SEGMENT_BEFORE_OFFSET, segment->before.offset, 8);
    tp_put_le(ret_block + SEGMENT_BEFORE_GROUP, segment->before.group, 8);
    tp_put_le(ret_block + SEGMENT_BEFORE_LSN, segment->before.lsn, 8);
    tp_put_le(ret_block + SEGMENT_WALL, (uint64_t)segment->wall_ns, 8);
    tp_put_le(ret_block + AT_SUM, sum_of(ret_block, TP_JOURNAL_BLOCK), 8);
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

    if (tp_get_le(block + AT_MAGIC, 8) != SEGMENT_MAGIC)
        return -EBADMSG;
    if (tp_get_le(block + AT_VERSION, 4) != TP_JOURNAL_VERSION)
        return -EPROTONOSUPPORT;
    if (tp_get_le(block + AT_SUM, 8) != sum_of(block, TP_JOURNAL_BLOCK) ||
        tp_get_le(block + SEGMENT_BLOCK, 4) != TP_JOURNAL_BLOCK)
        return -EBADMSG;
    s.log_id = tp_get_le(block + AT_LOG_ID, 8);
    s.number = tp_get_le(block + SEGMENT_NUMBER, 8);
    s.size_bytes = tp_get_le(block + SEGMENT_SIZE, 8);
    s.group_bytes = (uint32_t)tp_get_le(block + SEGMENT_GROUP_BYTES, 4);
    s.starts_log = (uint32_t)tp_get_le(block + SEGMENT_STARTS_LOG, 4);
    s.before.log_id = tp_get_le(block + SEGMENT_BEFORE_LOG_ID, 8);
    s.before.segment = tp_get_le(block + SEGMENT_BEFORE_SEGMENT, 8);
    s.before.offset = tp_get_le(block + SEGMENT_BEFORE_OFFSET, 8);
    s.before.group = tp_get_le(block + SEGMENT_BEFORE_GROUP, 8);
    s.before.lsn = tp_get_le(block + SEGMENT_BEFORE_LSN, 8);
    s.wall_ns = (int64_t)tp_get_le(block + SEGMENT_WALL, 8);
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
    tp_put_le(bytes + AT_MAGIC, GROUP_MAGIC, 8);
    tp_put_le(bytes + AT_VERSION, TP_JOURNAL_VERSION, 4);
    tp_put_le(bytes + GROUP_LEN, group->len, 4);
    tp_put_le(bytes + AT_LOG_ID, group->log_id, 8);
    tp_put_le(bytes + GROUP_SEGMENT, group->segment, 8);
    tp_put_le(bytes + GROUP_NUMBER, group->group, 8);
    tp_put_le(bytes + GROUP_FIRST_LSN, group->first_lsn, 8);
    tp_put_le(bytes + GROUP_DURABLE_LSN, group->durable_lsn, 8);
    tp_put_le(bytes + GROUP_WALL, (uint64_t)group->wall_ns, 8);
    tp_put_le(bytes + GROUP_COUNT, group->count, 4);
    tp_put_le(bytes + GROUP_BLOCK, (uint32_t)(group->offset / TP_JOURNAL_BLOCK), 4);
    memset(bytes + group->len, 0, padded - group->len);
    tp_put_le(bytes + AT_SUM, sum_of(bytes, padded), 8);
}

bool tp_journal_group_peek(const uint8_t block[TP_JOURNAL_BLOCK],
                           const struct tp_journal_place *place,
                           struct tp_journal_group *ret_group)
{
    struct tp_journal_group g;

    /* Who writes records does not know the log id, so nothing in a record passes for a
     * group. */
    if (tp_get_le(block + AT_MAGIC, 8) != GROUP_MAGIC ||
        tp_get_le(block + AT_VERSION, 4) != TP_JOURNAL_VERSION ||
        tp_get_le(block + AT_LOG_ID, 8) != place->log_id ||
        tp_get_le(block + GROUP_SEGMENT, 8) != place->segment ||
        tp_get_le(block + GROUP_BLOCK, 4) != place->offset / TP_JOURNAL_BLOCK)
        return false;
    g.log_id = place->log_id;
    g.segment = place->segment;
    g.offset = place->offset;
    g.group = tp_get_le(block + GROUP_NUMBER, 8);
    g.first_lsn = tp_get_le(block + GROUP_FIRST_LSN, 8);
    g.durable_lsn = tp_get_le(block + GROUP_DURABLE_LSN, 8);
    g.wall_ns = (int64_t)tp_get_le(block + GROUP_WALL, 8);
    g.count = (uint32_t)tp_get_le(block + GROUP_COUNT, 4);
    g.len = (uint32_t)tp_get_le(block + GROUP_LEN, 4);
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
        len = (uint32_t)tp_get_le(bytes + at, 4);
        at += TP_JOURNAL_RECORD_HEADER;
        if (group->len - at < len)
            return false;
        at += len;
    }
    return at == group->len;
}

bool tp_journal_group_check(const uint8_t *bytes, const struct tp_journal_group *group)
{
    return tp_get_le(bytes + AT_SUM, 8) == sum_of(bytes, tp_journal_padded(group->len)) &&
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
    ret_record->len = (uint32_t)tp_get_le(cursor->at, 4);
    ret_record->bytes = cursor->at + TP_JOURNAL_RECORD_HEADER;
    ret_record->reserved = 0;
    cursor->at += TP_JOURNAL_RECORD_HEADER + ret_record->len;
    cursor->left--;
    return true;
}

void tp_journal_record_encode(uint8_t *at, const void *bytes, uint32_t len_bytes)
{
    tp_put_le(at, len_bytes, 4);
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

    tp_put_le(bytes, before->log_id, 8);
    tp_put_le(bytes + 8, before->segment, 8);
    tp_put_le(bytes + 16, before->offset, 8);
    tp_put_le(bytes + 24, before->group, 8);
    tp_put_le(bytes + 32, before->lsn, 8);
    tp_put_le(bytes + 40, random, 8);
    id = tp_hash(bytes, sizeof bytes, 0);
    if (id == 0 || id == before->log_id)
        id = before->log_id == 1 ? 2 : 1;
    return id;
}
