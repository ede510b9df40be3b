/* The bytes on disk, as docs/log.md has them. A journal of today must be readable tomorrow,
 * so these are spelled out. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "sm/journal_format.h"

static const struct tp_journal_group example = {.log_id = UINT64_C(0x1122334455667788),
                                                .segment = 3,
                                                .offset = 8192,
                                                .group = 7,
                                                .first_lsn = 100,
                                                .durable_lsn = 99,
                                                .wall_ns = 5,
                                                .count = 2,
                                                .len = 80 + 4 + 3 + 4};
static const struct tp_journal_place place = {UINT64_C(0x1122334455667788), 3, 8192, 8192};
static uint8_t bytes[2 * TP_JOURNAL_BLOCK];

static void encode_example(void)
{
    memset(bytes, 0xaa, sizeof bytes);
    tp_journal_record_encode(bytes + 80, "abc", 3);
    tp_journal_record_encode(bytes + 87, NULL, 0);
    tp_journal_group_encode(&example, bytes);
}

Test(log_format, of_a_group)
{
    static const uint8_t expected[] = {'T',  'P',  'L',  'O',  'G',  'G',  'R',  'P',
                                       1,    0,    0,    0,    91,   0,    0,    0, /* 8 */
                                       0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                                       3,    0,    0,    0,    0,    0,    0,    0, /* 24 */
                                       7,    0,    0,    0,    0,    0,    0,    0,
                                       100,  0,    0,    0,    0,    0,    0,    0, /* 40 */
                                       99,   0,    0,    0,    0,    0,    0,    0,
                                       5,    0,    0,    0,    0,    0,    0,    0, /* 56 */
                                       2,    0,    0,    0,    2,    0,    0,    0,
                                       3,    0,    0,    0,    'a',  'b',  'c',  0,
                                       0,    0,    0,    0}; /* 72 */

    encode_example();
    cr_assert(eq(int, memcmp(bytes + 8, expected, sizeof expected), 0));
    for (uint32_t i = 91; i < TP_JOURNAL_BLOCK; i++)
        cr_assert(eq(u8, bytes[i], 0), "the padding is zeros");
    cr_assert(eq(u8, bytes[TP_JOURNAL_BLOCK], 0xaa));
}

Test(log_format, of_a_group_is_read_back)
{
    struct tp_journal_group group;
    struct tp_journal_cursor cursor;
    struct tp_journal_record record;

    encode_example();
    cr_assert(tp_journal_group_peek(bytes, &place, &group));
    cr_assert(tp_journal_group_check(bytes, &group));
    cr_assert(eq(int, memcmp(&group, &example, sizeof group), 0));
    cursor = tp_journal_cursor_of(bytes, &group);
    cr_assert(tp_journal_cursor_next(&cursor, &record));
    cr_assert(eq(u64, record.lsn, 100));
    cr_assert(eq(u32, record.len, 3));
    cr_assert(eq(int, memcmp(record.bytes, "abc", 3), 0));
    cr_assert(tp_journal_cursor_next(&cursor, &record));
    cr_assert(eq(u64, record.lsn, 101));
    cr_assert(eq(u32, record.len, 0));
    cr_assert(not(tp_journal_cursor_next(&cursor, &record)));
}

Test(log_format, of_a_group_is_refused_when_one_bit_differs)
{
    struct tp_journal_group group;

    for (uint32_t bit = 0; bit < 8 * TP_JOURNAL_BLOCK; bit++) {
        encode_example();
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(not(tp_journal_group_peek(bytes, &place, &group) &&
                      tp_journal_group_check(bytes, &group)),
                  "bit %u", bit);
    }
}

Test(log_format, of_a_group_belongs_to_one_place)
{
    struct tp_journal_place elsewhere[4] = {place, place, place, place};
    struct tp_journal_group group;

    encode_example();
    elsewhere[0].log_id++;
    elsewhere[1].segment++;
    elsewhere[2].offset += TP_JOURNAL_BLOCK;
    elsewhere[3].len_max = 90;
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(not(tp_journal_group_peek(bytes, &elsewhere[i], &group)));
}

static const struct tp_journal_segment segment = {
    .log_id = 9,
    .number = 5,
    .size_bytes = 1 << 20,
    .group_bytes = 65536,
    .starts_log = 1,
    .before = {.log_id = 8, .segment = 4, .offset = 12288, .group = 2, .lsn = 77},
    .wall_ns = 6};

Test(log_format, of_a_segment)
{
    static const uint8_t expected[] = {
        'T', 'P', 'L', 'O', 'G', 'S', 'E', 'G', 1, 0, 0, 0, 0, 16, 0, 0,  /* 8 */
        9,   0,   0,   0,   0,   0,   0,   0,   5, 0, 0, 0, 0, 0,  0, 0,  /* 24 */
        0,   0,   16,  0,   0,   0,   0,   0,   0, 0, 1, 0, 1, 0,  0, 0,  /* 40 */
        8,   0,   0,   0,   0,   0,   0,   0,   4, 0, 0, 0, 0, 0,  0, 0,  /* 56 */
        0,   48,  0,   0,   0,   0,   0,   0,   2, 0, 0, 0, 0, 0,  0, 0,  /* 72 */
        77,  0,   0,   0,   0,   0,   0,   0,   6, 0, 0, 0, 0, 0,  0, 0}; /* 88 */
    struct tp_journal_segment read;

    tp_journal_segment_encode(&segment, bytes);
    cr_assert(eq(int, memcmp(bytes + 8, expected, sizeof expected), 0));
    cr_assert(eq(i32, tp_journal_segment_decode(bytes, &read), 0));
    cr_assert(eq(int, memcmp(&read, &segment, sizeof read), 0));
}

Test(log_format, of_a_segment_is_refused_when_one_bit_differs)
{
    struct tp_journal_segment read;

    for (uint32_t bit = 0; bit < 8 * TP_JOURNAL_BLOCK; bit++) {
        int expected = bit >= 16 * 8 && bit < 20 * 8 ? -EPROTONOSUPPORT : -EBADMSG;

        tp_journal_segment_encode(&segment, bytes);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(eq(i32, tp_journal_segment_decode(bytes, &read), expected), "bit %u",
                  bit);
    }
}

Test(log_format, of_names)
{
    static const char *const wrong[] = {"",
                                        "1.log",
                                        "0000000000000000.log",
                                        "000000000000000g.log",
                                        "spare.tmp",
                                        "lost+found",
                                        "000000000000000A.log",
                                        "0000000000000001.lo",
                                        "0000000000000001.log2",
                                        "00000000000000001.log"};
    char name[TP_JOURNAL_NAME_SIZE];

    tp_journal_name(UINT64_C(0x123456789abcdef), name);
    cr_assert(eq(str, name, "0123456789abcdef.log"));
    cr_assert(eq(u64, tp_journal_name_number(name), UINT64_C(0x123456789abcdef)));
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert(eq(u64, tp_journal_name_number(wrong[i]), 0), "%s", wrong[i]);
}

/* Even a program whose randomness repeats does not begin the same log twice. */
Test(log_format, of_ids_which_never_repeat_along_a_chain)
{
    struct tp_journal_end end = {0};

    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t id = tp_journal_next_id(&end, 42);

        cr_assert(ne(u64, id, 0));
        cr_assert(ne(u64, id, end.log_id));
        end.log_id = id;
        end.segment++;
    }
}
