/* The bytes of a record, as docs/tempest-kv-storage.md has them, and what is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/kv/record.h"
#include "tests/common/allocator.h"
#include "tests/kv/model.h"

#define S kv_slice_text

enum { LEN_MAX = 4096 };

static struct kv_record record;

static const struct kv_effect *examples(uint32_t *ret_count)
{
    static struct kv_effect all[8];

    all[0] = kv_effect_set(3, S("key"), S("value"), 0);
    all[1] = kv_effect_set(0, S(""), S(""), INT64_MAX);
    all[2] = kv_effect_append(15, S("k"), S("more"));
    all[3] = kv_effect_setrange(1, S("k"), 300, S("x"));
    all[4] = kv_effect_del(2, S("gone"));
    all[5] = kv_effect_expire(4, S("k"), 1700000000000);
    all[6] = kv_effect_flush(5);
    all[7] = kv_effect_flushall();
    *ret_count = 8;
    return all;
}

static void build(void)
{
    uint32_t count;
    const struct kv_effect *effects = examples(&count);

    kv_record_init(&record, NULL, LEN_MAX);
    for (uint32_t i = 0; i < count; i++)
        cr_assert(eq(int, kv_record_add(&record, &effects[i]), 0));
}

static bool same(const struct kv_effect *a, const struct kv_effect *b)
{
    return a->kind == b->kind && a->db == b->db && a->offset == b->offset &&
           a->expire_ms == b->expire_ms && kv_slice_equal(a->key, b->key) &&
           kv_slice_equal(a->value, b->value);
}

Test(kv_record, is_read_back)
{
    uint32_t count;
    const struct kv_effect *effects = examples(&count);
    struct kv_record_cursor cursor;
    struct kv_effect effect;

    build();
    cr_assert(eq(int, kv_record_check(record.bytes, record.len), 0));
    cursor = kv_record_read(record.bytes, record.len);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(eq(int, kv_record_next(&cursor, &effect), 1));
        cr_assert(same(&effect, &effects[i]), "effect %u", i);
    }
    cr_assert(eq(int, kv_record_next(&cursor, &effect), 0));
    kv_record_deinit(&record);
}

/* A log of today must be readable tomorrow. */
Test(kv_record, has_these_bytes)
{
    static const uint8_t expected[] = {
        1, /* the version */
        1, 3,  0,    3,    5,    'k',  'e',  'y',  'v',  'a',  'l',  'u', 'e', /* SET */
        1, 0,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0,   0,
        2, 15, 1,    4,    'k',  'm',  'o',  'r',  'e',       /* APPEND */
        3, 1,  0xac, 0x02, 1,    1,    'k',  'x',             /* SETRANGE */
        4, 2,  4,    'g',  'o',  'n',  'e',                   /* DEL */
        5, 4,  0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31, 1,    'k', /* EXPIRE */
        6, 5,                                                 /* FLUSH */
        7,                                                    /* FLUSHALL */
    };

    build();
    cr_assert(eq(u32, record.len, (uint32_t)sizeof expected));
    for (uint32_t i = 0; i < record.len; i++)
        cr_assert(eq(u8, record.bytes[i], expected[i]), "byte %u", i);
    kv_record_deinit(&record);
}

/* The bytes in a block of their own, so that a sanitizer sees what is read behind them. */
static int check_copy(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    int rc;

    cr_assert(copy != NULL);
    memcpy(copy, bytes, len);
    rc = kv_record_check(copy, len);
    free(copy);
    return rc;
}

Test(kv_record, is_refused_when_it_is_cut)
{
    uint32_t ends = 0;

    build();
    for (uint32_t len = 0; len < record.len; len++) {
        int rc = check_copy(record.bytes, len);

        cr_assert(rc == -EBADMSG || rc == 0);
        ends += rc == 0;
    }
    cr_assert(eq(u32, ends, 7), "between two effects it cannot be told");
    kv_record_deinit(&record);
}

Test(kv_record, is_refused_for_what_is_out_of_range)
{
    static const struct {
        uint8_t bytes[12];
        uint32_t len;
        int result;
    } bad[] = {
        {{0}, 0, -EBADMSG},            /* nothing */
        {{1}, 1, -EBADMSG},            /* no effect */
        {{2, 7}, 2, -EPROTONOSUPPORT}, /* another version */
        {{0, 7}, 2, -EPROTONOSUPPORT},
        {{1, 0}, 2, -EBADMSG}, /* kinds that are not */
        {{1, 8}, 2, -EBADMSG},
        {{1, 6, 16}, 3, -EBADMSG},        /* a database that is not */
        {{1, 4, 0, 2, 'k'}, 5, -EBADMSG}, /* a key longer than the record */
        {{1, 4, 0, 0x81, 0x80, 0x80, 0x80, 0x02}, 8, -EBADMSG}, /* ... than any may be */
        {{1, 4, 0, 0x81, 0x00, 'k'}, 6, -EBADMSG}, /* a number in a longer form */
        {{1, 4, 0, 0x81}, 4, -EBADMSG},            /* ... without an end */
        {{1, 3, 0, 0x80, 0x80, 0x80, 0x80, 0x02, 0, 1, 'x'},
         11,
         -EBADMSG},                                                  /* ends too far */
        {{1, 3, 0, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 1, 'x'}, 11, 0}, /* just not */
    };
    static const uint8_t negative[] = {1,    5,    0,    0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 1,    0};

    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(eq(int, check_copy(bad[i].bytes, bad[i].len), bad[i].result), "case %u",
                  i);
    cr_expect(eq(int, check_copy(negative, sizeof negative), -EBADMSG));
}

/* Whatever the bytes, it ends; what it gives is in range and within the bytes. */
Test(kv_record, bears_any_bytes)
{
    uint64_t state = 1;
    uint32_t sound = 0;

    for (uint32_t round = 0; round < 50000; round++) {
        uint8_t bytes[96];
        uint32_t len;
        struct kv_record_cursor cursor;
        struct kv_effect effect;

        build();
        len = (uint32_t)model_draw(&state, record.len) + 1;
        memcpy(bytes, record.bytes, len);
        for (uint64_t i = model_draw(&state, 4); i > 0; i--)
            bytes[model_draw(&state, len)] = (uint8_t)model_draw(&state, 256);
        cursor = kv_record_read(bytes, len);
        while (kv_record_next(&cursor, &effect) == 1) {
            sound++;
            cr_assert(effect.kind >= KV_EFFECT_SET && effect.kind <= KV_EFFECT_FLUSHALL);
            cr_assert(effect.db < KV_DBS && effect.expire_ms >= 0);
            cr_assert(effect.offset <= KV_STRING_MAX - effect.value.len);
            cr_assert(effect.key.len + effect.value.len <= len);
            cr_assert(
                effect.key.len == 0 ||
                (effect.key.bytes >= bytes &&
                 effect.key.bytes + effect.key.len + effect.value.len <= bytes + len));
        }
        kv_record_deinit(&record);
    }
    cr_assert(lt(u32, 50000, sound), "most effects are sound");
}

Test(kv_record, is_as_it_was_when_an_effect_does_not_fit)
{
    static uint8_t value[LEN_MAX];
    struct kv_effect effect = kv_effect_append(0, S("k"), kv_slice_of(value, 0));
    uint32_t before;

    build();
    before = record.len;
    effect.value.len = LEN_MAX - record.len - 6; /* the longest that still fits */
    cr_assert(eq(int, kv_record_add(&record, &effect), 0));
    cr_assert(eq(u32, record.len, LEN_MAX));
    kv_record_truncate(&record, before);
    cr_assert(eq(int, kv_record_check(record.bytes, record.len), 0));
    effect.value.len++;
    cr_assert(eq(int, kv_record_add(&record, &effect), -EMSGSIZE));
    cr_assert(eq(u32, record.len, before));
    cr_assert(eq(int, kv_record_check(record.bytes, record.len), 0));
    kv_record_deinit(&record);
}

Test(kv_record, takes_as_many_bytes_as_it_says)
{
    static uint8_t value[3000];
    uint32_t count, before;
    const struct kv_effect *effects = examples(&count);

    kv_record_init(&record, NULL, LEN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t len = 0; len <= sizeof value; len += 50) {
            struct kv_effect effect = effects[i];

            effect.value = kv_slice_of(value, len);
            effect.offset = KV_STRING_MAX - len;
            effect.expire_ms = INT64_MAX;
            kv_record_clear(&record);
            cr_assert(eq(int, kv_record_add(&record, &effects[i]), 0));
            before = record.len;
            cr_assert(eq(u64, before, KV_RECORD_HEADER + kv_record_bytes(&effects[i])));
            cr_assert(eq(int, kv_record_add(&record, &effect), 0));
            cr_assert(eq(u64, record.len, before + kv_record_bytes(&effect)));
        }
    }
    kv_record_deinit(&record);
}

Test(kv_record, without_memory_stays_as_it_was)
{
    static uint8_t value[2000];
    struct allocator heap;
    struct kv_effect small = kv_effect_set(0, S("k"), S("v"), 0);
    struct kv_effect large = kv_effect_append(0, S("k"), kv_slice_of(value, 2000));

    allocator_init(&heap);
    kv_record_init(&record, &heap.hooks, LEN_MAX);
    heap.fail_in = 1;
    cr_assert(eq(int, kv_record_add(&record, &small), -ENOMEM));
    cr_assert(eq(u32, record.len, 0));
    cr_assert(eq(int, kv_record_add(&record, &small), 0));
    heap.fail_in = 1;
    cr_assert(eq(int, kv_record_add(&record, &large), -ENOMEM));
    cr_assert(eq(u32, record.len, 8));
    cr_assert(eq(int, kv_record_add(&record, &large), 0));
    cr_assert(eq(int, kv_record_check(record.bytes, record.len), 0));
    kv_record_deinit(&record);
    cr_assert(eq(u64, heap.live_bytes, 0));
}

Test(kv_record, gives_back_what_a_long_one_took)
{
    struct allocator heap;
    uint8_t *value = calloc(1, 1 << 20);
    struct kv_effect effect = kv_effect_set(0, S("k"), kv_slice_of(value, 1 << 20), 0);

    cr_assert(value != NULL);
    allocator_init(&heap);
    kv_record_init(&record, &heap.hooks, 8 << 20);
    cr_assert(eq(int, kv_record_add(&record, &effect), 0));
    cr_assert(ge(u64, heap.live_bytes, 1 << 20));
    kv_record_clear(&record);
    cr_assert(le(u64, heap.live_bytes, 65536));
    kv_record_deinit(&record);
    free(value);
}
