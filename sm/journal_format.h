/** sm/journal_format.h - the bytes of a journal on disk: headers, groups, records.
 *
 * docs/log.md is the specification. Pure functions over bytes: nothing here does I/O, and
 * nothing trusts what it reads. Decoding first compares what must be equal (magic, version,
 * place) and bounds the length, then checks the sum, and only then believes the rest.
 */
#ifndef TEMPEST_SM_JOURNAL_FORMAT_H
#define TEMPEST_SM_JOURNAL_FORMAT_H

#include "../io/base.h"

#define TP_JOURNAL_VERSION UINT32_C(1)
/** Groups start and end on such blocks; no file system or disk tears across two of them. */
#define TP_JOURNAL_BLOCK UINT32_C(4096)
#define TP_JOURNAL_GROUP_HEADER                                                          \
    UINT32_C(80)                             /* bytes before the first record of a group \
                                              */
#define TP_JOURNAL_RECORD_HEADER UINT32_C(4) /* bytes before each record: its length */
#define TP_JOURNAL_GROUP_MAX     (UINT32_C(64) << 20) /* bytes of the largest group allowed */
#define TP_JOURNAL_SEGMENT_MAX   (UINT64_C(1) << 40) /* bytes of the largest segment */
#define TP_JOURNAL_NAME_SIZE \
    21 /* of a segment's name: 16 hexadecimal digits, ".log", NUL */
#define TP_JOURNAL_SPARE_NAME "spare.tmp" /* of a segment that is being made */

/** A place right after a group: where a log ends. All zero: before the first record ever.
 */
struct tp_journal_end {
    uint64_t log_id;
    uint64_t segment;
    uint64_t offset; /* bytes into the segment */
    uint64_t group;  /* number of the group that ends here */
    uint64_t lsn;    /* of the last record before it */
};

/** The first block of a segment; durable before the segment gets its name. */
struct tp_journal_segment {
    uint64_t log_id;
    uint64_t number;      /* from 1, without gaps */
    uint64_t size_bytes;  /* of the file */
    uint32_t group_bytes; /* no group in it is longer */
    uint32_t starts_log;  /* 1: a new log begins here, after `before`; 0: the log of the
                             segment before goes on */
    struct tp_journal_end before;
    int64_t wall_ns; /* when it was made; for people */
};

/** The head of a group. */
struct tp_journal_group {
    uint64_t log_id;
    uint64_t segment;
    uint64_t offset;      /* bytes into the segment, a multiple of the block */
    uint64_t group;       /* number within the log id, from 1 */
    uint64_t first_lsn;   /* of its first record; of the next one ever, when it has none */
    uint64_t durable_lsn; /* records up to this one were durable when it was written */
    int64_t wall_ns;
    uint32_t count; /* records */
    uint32_t len;   /* bytes of header and records, without the padding */
};

/** Where a group is looked for, and how long it may be there. */
struct tp_journal_place {
    uint64_t log_id;
    uint64_t segment;
    uint64_t offset;
    uint64_t len_max; /* bytes, a multiple of the block */
};

/** A walk over the records of a group that was checked. */
struct tp_journal_cursor {
    const uint8_t *at;
    uint32_t left; /* records */
    uint32_t reserved;
    uint64_t lsn; /* of the next one */
};

/** One record. */
struct tp_journal_record {
    uint64_t lsn;
    const uint8_t *bytes; /* not aligned */
    uint32_t len;
    uint32_t reserved;
};

/** The bytes of the blocks that so many bytes take. */
static inline uint32_t tp_journal_padded(uint32_t len_bytes)
{
    return (len_bytes + TP_JOURNAL_BLOCK - 1) & ~(TP_JOURNAL_BLOCK - 1);
}

/** Fills a block with the header of a segment. */
void tp_journal_segment_encode(const struct tp_journal_segment *segment,
                               uint8_t ret_block[TP_JOURNAL_BLOCK]);

/** 0; -EPROTONOSUPPORT: a version that is not known; -EBADMSG: not a header at all. */
int tp_journal_segment_decode(const uint8_t block[TP_JOURNAL_BLOCK],
                              struct tp_journal_segment *ret_segment);

/** Writes the header before group->len bytes, pads with zeros to the block, and seals both
 * with the sum. */
void tp_journal_group_encode(const struct tp_journal_group *group, uint8_t *bytes);

/** Whether a block may begin a group of that place. The sum is not checked: use no more
 * than the length, until tp_journal_group_check() has been passed. */
bool tp_journal_group_peek(const uint8_t block[TP_JOURNAL_BLOCK],
                           const struct tp_journal_place *place,
                           struct tp_journal_group *ret_group);

/** Whether the padded bytes of a group that was peeked at are sound, records included. */
bool tp_journal_group_check(const uint8_t *bytes, const struct tp_journal_group *group);

/** Over the records of a sound group. */
struct tp_journal_cursor tp_journal_cursor_of(const uint8_t *bytes,
                                              const struct tp_journal_group *group);

/** False when there are no more. */
bool tp_journal_cursor_next(struct tp_journal_cursor *cursor,
                            struct tp_journal_record *ret_record);

/** Writes a record at `at`. */
void tp_journal_record_encode(uint8_t *at, const void *bytes, uint32_t len_bytes);

/** The name of a segment's file. */
void tp_journal_name(uint64_t number, char ret_name[TP_JOURNAL_NAME_SIZE]);

/** The number in a name; 0 when it is not the name of a segment. */
uint64_t tp_journal_name_number(const char *name);

/** The id of the log that follows `before`: never that of a predecessor, even when `random`
 * repeats. Never 0. */
uint64_t tp_journal_next_id(const struct tp_journal_end *before, uint64_t random);

#endif
