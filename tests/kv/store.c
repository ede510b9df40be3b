/* The store beside the model: the same effects, the same content, whatever was put off. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "apps/kv/siphash.h"
#include "apps/kv/store.h"
#include "tests/common/allocator.h"
#include "tests/kv/model.h"

static struct allocator heap;
static struct model model;

static struct kv_store *store_open(uint64_t seed)
{
    struct kv_store_config config = {.allocator = &heap.hooks};
    struct kv_store *store;

    allocator_init(&heap);
    memcpy(config.hash_key, &seed, sizeof seed);
    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    return store;
}

static void store_close(struct kv_store *store)
{
    kv_store_destroy(store);
    cr_assert(eq(u64, heap.live_bytes, 0), "all memory comes back");
    model_deinit(&model);
}

static void apply(struct kv_store *store, struct kv_effect effect, uint64_t lsn)
{
    model_apply(&model, &effect, lsn);
    kv_store_apply(store, &effect, lsn);
}

static void expect_same(const struct kv_store *store, const char *when, uint64_t number)
{
    const char *difference = model_differs(&model, store, false);

    cr_assert(difference == NULL, "%s %llu: %s", when, (unsigned long long)number,
              difference);
}

/* ------------------------------------------------------------------ each effect */

static char *text_of(const struct kv_store *store, uint32_t db, const char *key)
{
    static char text[4][64];
    static uint32_t next;
    struct kv_view view;
    char *at = text[next++ % 4];

    if (kv_store_get(store, db, kv_slice_text(key), &view))
        (void)snprintf(at, sizeof text[0], "%.*s/%lld", (int)view.value.len,
                       (const char *)view.value.bytes, (long long)view.expire_ms);
    else
        (void)snprintf(at, sizeof text[0], "(none)");
    return at;
}

#define S kv_slice_text

Test(kv_store, does_what_each_effect_says)
{
    struct kv_store *store = store_open(1);

    apply(store, kv_effect_set(0, S("a"), S("one"), 0), 1);
    cr_expect(eq(str, text_of(store, 0, "a"), "one/0"));
    cr_expect(eq(str, text_of(store, 1, "a"), "(none)"), "another database");
    apply(store, kv_effect_expire(0, S("a"), 50), 2);
    cr_expect(eq(str, text_of(store, 0, "a"), "one/50"));
    apply(store, kv_effect_append(0, S("a"), S(" two")), 3);
    cr_expect(eq(str, text_of(store, 0, "a"), "one two/50"), "the expiry is kept");
    apply(store, kv_effect_setrange(0, S("a"), 4, S("TWO!")), 4);
    cr_expect(eq(str, text_of(store, 0, "a"), "one TWO!/50"));
    apply(store, kv_effect_set(0, S("a"), S("x"), 0), 5);
    cr_expect(eq(str, text_of(store, 0, "a"), "x/0"), "a SET says what is kept");
    apply(store, kv_effect_expire(0, S("missing"), 50), 6);
    cr_expect(eq(str, text_of(store, 0, "missing"), "(none)"));
    apply(store, kv_effect_append(2, S(""), S("")), 7);
    cr_expect(eq(str, text_of(store, 2, ""), "/0"), "the empty key, an empty value");
    apply(store, kv_effect_del(0, S("a")), 8);
    cr_expect(eq(str, text_of(store, 0, "a"), "(none)"));
    expect_same(store, "after LSN", 8);
    apply(store, kv_effect_flush(1), 9);
    cr_expect(eq(u64, kv_store_count(store, 2), 1));
    apply(store, kv_effect_flushall(), 10);
    cr_expect(eq(u64, kv_store_count(store, 2), 0));
    expect_same(store, "after LSN", 10);
    store_close(store);
}

Test(kv_store, fills_a_gap_with_zeros)
{
    struct kv_store *store = store_open(1);
    struct kv_view view;

    apply(store, kv_effect_setrange(0, S("new"), 3, S("x")), 1);
    cr_assert(kv_store_get(store, 0, S("new"), &view));
    cr_expect(kv_slice_equal(view.value, kv_slice_of("\0\0\0x", 4)));
    apply(store, kv_effect_set(0, S("old"), S("abcdefghijklmnop"), 0), 2);
    apply(store, kv_effect_set(0, S("old"), S("ab"), 0), 3);
    apply(store, kv_effect_setrange(0, S("old"), 4, S("x")), 4);
    cr_assert(kv_store_get(store, 0, S("old"), &view));
    cr_expect(kv_slice_equal(view.value, kv_slice_of("ab\0\0x", 5)),
              "not with what was there");
    store_close(store);
}

Test(kv_store, takes_effects_that_point_into_itself)
{
    struct kv_store *store = store_open(1);
    struct kv_view view;
    uint64_t lsn = 1;

    kv_store_apply(
        store,
        &(struct kv_effect){.kind = KV_EFFECT_SET, .key = S("k"), .value = S("0123456789")},
        lsn++);
    for (uint32_t i = 0; i < 10; i++) { /* it doubles, and moves to other memory */
        struct kv_effect effect;

        cr_assert(kv_store_get(store, 0, S("k"), &view));
        effect = kv_effect_append(0, view.key, view.value);
        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(kv_store_get(store, 0, S("k"), &view));
    cr_assert(eq(u32, view.value.len, 10240));
    for (uint32_t i = 0; i < view.value.len; i++)
        cr_assert(eq(u8, view.value.bytes[i], (uint8_t)('0' + i % 10)));
    {
        struct kv_slice end = kv_slice_of(view.value.bytes + 10235, 5);
        struct kv_effect effect = kv_effect_set(0, view.key, end, 7);

        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(eq(str, text_of(store, 0, "k"), "56789/7"));
    cr_assert(kv_store_next_expired(store, 8, &(uint32_t){0}, &view));
    {
        struct kv_effect effect = kv_effect_del(0, view.key);

        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(eq(u64, kv_store_count(store, 0), 0));
    store_close(store);
}

Test(kv_store, refuses_a_value_that_gets_too_long)
{
    struct kv_store *store = store_open(1);
    struct kv_effect effect = kv_effect_setrange(0, S("k"), KV_STRING_MAX - 1, S("x"));

    cr_assert(eq(int, kv_store_check(store, &effect), 0));
    kv_store_apply(store, &effect, 1);
    effect = kv_effect_append(0, S("k"), S("x"));
    cr_assert(eq(int, kv_store_check(store, &effect), -EMSGSIZE));
    cr_assert(eq(int, kv_store_replay(store, &effect, 2), -EMSGSIZE));
    effect = kv_effect_append(0, S("k"), S(""));
    cr_assert(eq(int, kv_store_check(store, &effect), 0));
    effect = kv_effect_append(0, S("other"), S("x"));
    cr_assert(eq(int, kv_store_replay(store, &effect, 2), 0));
    effect = kv_effect_setrange(0, S("k"), KV_STRING_MAX, S("x"));
    cr_assert(eq(int, kv_store_check(store, &effect), -EMSGSIZE));
    store_close(store);
}

/* ------------------------------------------------------------------ many at random */

struct mix {
    uint32_t keys, dbs, len_max, flush_every, work_every, effects;
};

static const struct mix mixes[] = {
    {8, 2, 20, 50, 0, 4000},        /* few keys, changed again and again */
    {400, 16, 100, 1000, 7, 6000},  /* tables of all sizes */
    {1500, 1, 10, 0, 0, 6000},      /* one that grows */
    {40, 2, 200000, 200, 50, 1500}, /* large values, freed later */
};

Test(kv_store, holds_what_the_model_does, .timeout = 240)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct mix *mix = &mixes[seed % 4];
        struct kv_store *store = store_open(seed);
        uint64_t state = seed;

        for (uint64_t lsn = 1; lsn <= mix->effects; lsn++) {
            apply(store,
                  model_effect(&state, mix->keys, mix->dbs, mix->len_max, mix->flush_every),
                  lsn);
            if (mix->work_every > 0 && lsn % mix->work_every == 0)
                (void)kv_store_work(store, (uint32_t)model_draw(&state, 20));
            if (lsn % 250 == 0)
                expect_same(store, "after LSN", lsn);
        }
        while (kv_store_work(store, 100) == 100) {
        }
        expect_same(store, "when all work is done, seed", seed);
        store_close(store);
    }
}

Test(kv_store, holds_nothing_back_when_all_is_gone)
{
    struct kv_store *store = store_open(5);
    struct kv_store_memory memory, dead;
    uint64_t state = 5;

    for (uint64_t lsn = 1; lsn <= 20000; lsn++)
        apply(store, model_effect(&state, 3000, 3, 300, 0), lsn);
    kv_store_memory(store, &memory);
    cr_assert(lt(u64, 1000000, memory.total));
    apply(store, kv_effect_flushall(), 20001);
    kv_store_memory(store, &dead);
    cr_assert(lt(u64, memory.total / 2, dead.dead), "freed later, step by step");
    cr_assert(le(u64, dead.dead, dead.total));
    while (kv_store_work(store, 100) == 100) {
    }
    kv_store_memory(store, &memory);
    cr_assert(eq(u64, memory.total, 0));
    cr_assert(eq(u64, memory.dead, 0));
    store_close(store);

    store = store_open(6);
    for (uint64_t lsn = 1; lsn <= 20000; lsn++) {
        char key[16];

        (void)snprintf(key, sizeof key, "%u", (uint32_t)lsn);
        kv_store_apply(store,
                       &(struct kv_effect){
                           .kind = KV_EFFECT_SET, .key = S(key), .expire_ms = (int64_t)lsn},
                       lsn);
    }
    for (uint64_t lsn = 20001; kv_store_count(store, 0) > 0; lsn++) {
        struct kv_view view;
        uint32_t db = 99;

        cr_assert(kv_store_next_expired(store, INT64_MAX, &db, &view));
        cr_assert(eq(u32, db, 0));
        cr_assert(eq(i64, view.expire_ms, (int64_t)(lsn - 20000)),
                  "first come, first gone");
        kv_store_apply(store, &(struct kv_effect){.kind = KV_EFFECT_DEL, .key = view.key},
                       lsn);
    }
    while (kv_store_work(store, 100) == 100) {
    }
    kv_store_memory(store, &memory);
    cr_assert(eq(u64, memory.total, 0), "one by one, too");
    store_close(store);
}

/* ------------------------------------------------------------------ expiry and chance */

Test(kv_store, finds_what_has_expired_and_nothing_else)
{
    struct kv_store *store = store_open(1);
    struct kv_view view;
    uint32_t db;

    cr_expect(eq(i64, kv_store_next_expiry_ms(store), 0));
    cr_expect(not(kv_store_next_expired(store, INT64_MAX, &db, &view)));
    apply(store, kv_effect_set(3, S("later"), S(""), 200), 1);
    apply(store, kv_effect_set(7, S("soon"), S(""), 100), 2);
    apply(store, kv_effect_set(7, S("never"), S(""), 0), 3);
    cr_expect(eq(i64, kv_store_next_expiry_ms(store), 100));
    cr_expect(not(kv_store_next_expired(store, 100, &db, &view)),
              "it lives in that ms, too");
    cr_assert(kv_store_next_expired(store, 101, &db, &view));
    cr_expect(eq(u32, db, 7));
    cr_expect(kv_slice_equal(view.key, S("soon")));
    apply(store, kv_effect_del(7, S("soon")), 4);
    cr_expect(not(kv_store_next_expired(store, 200, &db, &view)));
    apply(store, kv_effect_expire(3, S("later"), 0), 5);
    cr_expect(not(kv_store_next_expired(store, INT64_MAX, &db, &view)));
    cr_expect(eq(i64, kv_store_next_expiry_ms(store), 0));
    store_close(store);
}

Test(kv_store, chooses_every_key_now_and_then)
{
    struct kv_store *store = store_open(3);
    uint32_t chosen[40] = {0};
    uint64_t state = 1;
    struct kv_view view;

    cr_expect(not(kv_store_random(store, 0, 1, &view)));
    for (uint32_t i = 0; i < 40; i++) {
        uint8_t key = (uint8_t)i;

        kv_store_apply(
            store, &(struct kv_effect){.kind = KV_EFFECT_SET, .key = kv_slice_of(&key, 1)},
            i + 1);
    }
    for (uint32_t i = 0; i < 40000; i++) {
        cr_assert(kv_store_random(store, 0, model_draw(&state, UINT64_MAX), &view));
        chosen[view.key.bytes[0]]++;
    }
    for (uint32_t i = 0; i < 40; i++)
        cr_assert(chosen[i] > 100 && chosen[i] < 5000, "key %u: %u of 40000", i, chosen[i]);
    store_close(store);
}

/* One key of very many that were there: still found in bounded time. */
Test(kv_store, chooses_a_key_of_a_table_that_was_large)
{
    struct kv_store *store = store_open(3);
    struct kv_view view;
    uint64_t lsn = 1;

    for (uint32_t i = 0; i < 50000; i++)
        kv_store_apply(
            store, &(struct kv_effect){.kind = KV_EFFECT_SET, .key = kv_slice_of(&i, 4)},
            lsn++);
    for (uint32_t i = 1; i < 50000; i++) {
        kv_store_apply(
            store, &(struct kv_effect){.kind = KV_EFFECT_DEL, .key = kv_slice_of(&i, 4)},
            lsn++);
        if (i % 1000 == 0)
            cr_assert(kv_store_random(store, 0, i, &view));
    }
    cr_assert(kv_store_random(store, 0, 5, &view));
    cr_assert(eq(int, memcmp(view.key.bytes, "\0\0\0\0", 4), 0));
    store_close(store);
}

/* ------------------------------------------------------------------ LSNs and watching */

Test(kv_store, knows_what_a_reader_must_wait_for)
{
    struct kv_store *store = store_open(1);

    apply(store, kv_effect_set(0, S("a"), S("1"), 0), 5);
    apply(store, kv_effect_set(0, S("b"), S("1"), 0), 6);
    apply(store, kv_effect_set(1, S("a"), S("1"), 0), 7);
    cr_expect(eq(u64, kv_store_key_lsn(store, 0, S("a")), 5));
    cr_expect(eq(u64, kv_store_key_lsn(store, 0, S("never")), 0));
    apply(store, kv_effect_del(0, S("a")), 8);
    cr_expect(eq(u64, kv_store_key_lsn(store, 0, S("a")), 8), "that it is gone is news");
    cr_expect(eq(u64, kv_store_key_lsn(store, 0, S("b")), 6));
    cr_expect(eq(u64, kv_store_key_lsn(store, 1, S("a")), 7));
    cr_expect(eq(u64, kv_store_db_lsn(store, 0), 8));
    cr_expect(eq(u64, kv_store_db_lsn(store, 1), 7));
    cr_expect(eq(u64, kv_store_db_lsn(store, 2), 0));
    apply(store, kv_effect_flush(1), 9);
    cr_expect(eq(u64, kv_store_key_lsn(store, 1, S("never")), 9), "all are gone");
    cr_expect(eq(u64, kv_store_key_lsn(store, 0, S("b")), 6));
    cr_expect(eq(u64, kv_store_lsn(store), 9));
    store_close(store);
}

static char changes[256];

static void note_change(void *context, uint32_t db, struct kv_slice key)
{
    size_t len = strlen(changes);

    (void)context;
    (void)snprintf(changes + len, sizeof changes - len, "%u:%.*s ", db, (int)key.len,
                   key.bytes == NULL ? "" : (const char *)key.bytes);
}

Test(kv_store, says_which_keys_change)
{
    struct kv_store_config config = {.changed = note_change};
    struct kv_store *store;
    const struct kv_effect effects[] = {
        kv_effect_set(0, S("a"), S("1"), 0),
        kv_effect_append(1, S("b"), S("1")),
        kv_effect_del(0, S("missing")),
        kv_effect_expire(0, S("missing"), 5),
        kv_effect_expire(0, S("a"), 5),
        kv_effect_setrange(1, S("b"), 0, S("2")),
        kv_effect_del(0, S("a")),
        kv_effect_flush(3),
    };

    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    for (uint32_t i = 0; i < sizeof effects / sizeof *effects; i++)
        kv_store_apply(store, &effects[i], i + 1);
    cr_expect(eq(str, changes, "0:a 1:b 0:a 1:b 0:a 3: "));
    kv_store_destroy(store);
}

/* ------------------------------------------------------------------ the hash */

Test(kv_store, hashes_as_its_authors_do)
{
    /* From the reference implementation: SipHash-2-4 under the key 00 01 .. 0f of the bytes
     * 00 01 .. of length 0, 1, 7, 8, 15 and 63. */
    static const struct {
        uint32_t len;
        uint64_t hash;
    } known[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
                 {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
                 {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)}};
    uint8_t bytes[64], key[16];

    for (uint32_t i = 0; i < 64; i++)
        bytes[i] = (uint8_t)i;
    memcpy(key, bytes, 16);
    for (uint32_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_expect(eq(u64, kv_siphash(key, kv_slice_of(bytes, known[i].len), 2, 4),
                     known[i].hash));
    cr_expect(eq(u64, kv_hash(key, kv_slice_of(bytes, 8)),
                 kv_siphash(key, kv_slice_of(bytes, 8), 1, 3)));
}
