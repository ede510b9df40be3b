/* What a walk has collected while the store changed, and the records since it began, come
 * to what the store was: the rule that snapshots and recovery stand on, without any disk.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/kv/store.h"
#include "tests/kv/model.h"

enum { ENTRIES_MAX = 20000, RECORDS_MAX = 4000, EFFECTS_MAX = 5 };

/* An entry as the walk met it. */
struct met {
    uint32_t db;
    struct kv_view view;
    uint8_t *bytes;
};

static struct kv_store *store;
static struct model model;
static struct kv_record records[RECORDS_MAX]; /* LSN 1 is at 0 */
static uint64_t lsn;
static struct met met[ENTRIES_MAX];
static uint32_t met_count, walk_db;

static struct kv_store *create(uint64_t seed)
{
    struct kv_store_config config = {.ballast_bytes = 1};
    struct kv_store *made;

    memcpy(config.hash_key, &seed, sizeof seed);
    cr_assert(eq(int, kv_store_create(&config, &made), 0));
    return made;
}

struct mix {
    uint32_t keys, dbs, flush_every;
};

/* A record of a few effects, often on one key. */
static void change(uint64_t *state, const struct mix *mix)
{
    struct kv_record *record = &records[lsn++];
    struct kv_record_cursor cursor;
    struct kv_effect effect;

    cr_assert(lt(u64, lsn, RECORDS_MAX));
    kv_record_init(record, NULL, 1 << 20);
    for (uint64_t i = model_draw(state, EFFECTS_MAX) + 1; i > 0; i--) {
        effect = model_effect(state, mix->keys, mix->dbs, 30, mix->flush_every);
        cr_assert(eq(int, kv_record_add(record, &effect), 0));
    }
    cursor = kv_record_read(record->bytes, record->len);
    while (kv_record_next(&cursor, &effect) == 1) {
        model_apply(&model, &effect, lsn);
        kv_store_apply(store, &effect, lsn);
    }
}

static void meet(void *context, const struct kv_view *view)
{
    struct met *m = &met[met_count++];

    (void)context;
    cr_assert(lt(u32, met_count, ENTRIES_MAX));
    m->db = walk_db;
    m->view = *view;
    m->bytes = malloc((size_t)view->key.len + view->value.len + 1);
    cr_assert(m->bytes != NULL);
    memcpy(m->bytes, view->key.bytes, view->key.len);
    memcpy(m->bytes + view->key.len, view->value.bytes, view->value.len);
    m->view.key.bytes = m->bytes;
    m->view.value.bytes = m->bytes + view->key.len;
}

static void walk_while_it_changes(uint64_t *state, const struct mix *mix)
{
    uint64_t most = UINT64_C(1) << model_draw(state, 5);

    for (walk_db = 0; walk_db < KV_DBS; walk_db++) {
        uint64_t cursor = 0;

        do {
            cursor = kv_store_scan(store, walk_db, cursor, meet, NULL);
            for (uint64_t i = model_draw(state, most); i > 0 && lsn < RECORDS_MAX - 500;
                 i--)
                change(state, mix);
        } while (cursor != 0);
    }
}

static void forget_everything(void)
{
    for (uint64_t i = 0; i < lsn; i++)
        kv_record_deinit(&records[i]);
    for (uint32_t i = 0; i < met_count; i++)
        free(met[i].bytes);
    kv_store_destroy(store);
    model_deinit(&model);
    lsn = 0;
    met_count = 0;
}

static void expect_the_same_again(uint64_t start_lsn, uint64_t seed)
{
    struct kv_store *again = create(seed + 1);
    const char *difference;

    for (uint32_t i = 0; i < met_count; i++)
        kv_store_load(again, met[i].db, &met[i].view);
    for (uint64_t i = start_lsn; i < lsn; i++) {
        struct kv_record_cursor cursor = kv_record_read(records[i].bytes, records[i].len);
        struct kv_effect effect;

        while (kv_record_next(&cursor, &effect) == 1)
            cr_assert(eq(int, kv_store_replay(again, &effect, i + 1), 0));
    }
    difference = model_differs(&model, again, true);
    cr_assert(difference == NULL, "seed %llu: %s", (unsigned long long)seed, difference);
    kv_store_destroy(again);
}

Test(kv_replay, makes_a_walk_of_no_one_moment_whole, .timeout = 240)
{
    static const struct mix mixes[] = {{5, 2, 12}, {40, 3, 30}, {400, 2, 200}, {300, 1, 0}};
    uint64_t overlapped = 0;

    for (uint64_t seed = 1; seed <= 400; seed++) {
        const struct mix *mix = &mixes[seed % 4];
        uint64_t state = seed, start_lsn;

        store = create(seed);
        for (uint64_t i = model_draw(&state, 600); i > 0; i--)
            change(&state, mix);
        start_lsn = lsn;
        walk_while_it_changes(&state, mix);
        overlapped += lsn - start_lsn;
        expect_the_same_again(start_lsn, seed);
        forget_everything();
    }
    cr_assert(lt(u64, 20000, overlapped));
}

#define S kv_slice_text

/* The cases that the rule is made for, one by one. */
static void expect_replayed(const struct kv_effect *effects, uint32_t count,
                            const char *loaded, uint64_t loaded_lsn, const char *value)
{
    struct kv_view view = {S("k"), S(loaded), 0, loaded_lsn};
    bool there;

    store = create(1);
    kv_store_load(store, 0, &view);
    for (uint32_t i = 0; i < count; i++)
        cr_assert(eq(int, kv_store_replay(store, &effects[i], 10), 0));
    there = kv_store_get(store, 0, S("k"), &view);
    cr_expect(eq(int, there, value != NULL));
    if (there && value != NULL)
        cr_expect(kv_slice_equal(view.value, S(value)), "%.*s is not %s",
                  (int)view.value.len, (const char *)view.value.bytes, value);
    kv_store_destroy(store);
}

Test(kv_replay, leaves_alone_what_is_newer)
{
    const struct kv_effect append[] = {kv_effect_append(0, S("k"), S("+"))};
    const struct kv_effect twice[] = {append[0], append[0]};
    const struct kv_effect del[] = {kv_effect_del(0, S("k"))};
    const struct kv_effect again[] = {del[0], kv_effect_set(0, S("k"), S("new"), 0),
                                      append[0]};
    const struct kv_effect flush[] = {kv_effect_flush(0)};
    const struct kv_effect flush_set[] = {kv_effect_flushall(),
                                          kv_effect_set(0, S("k"), S("new"), 0)};

    expect_replayed(append, 1, "v", 9, "v+");
    expect_replayed(append, 1, "v", 10, "v"); /* it is in it already */
    expect_replayed(append, 1, "v", 11, "v");
    expect_replayed(twice, 2, "v", 9,
                    "v++"); /* the first one made it as new as the second */
    expect_replayed(twice, 2, "v", 10, "v");
    expect_replayed(del, 1, "v", 9, NULL);
    expect_replayed(del, 1, "v", 10, "v");
    expect_replayed(again, 3, "v", 9, "new+");
    expect_replayed(again, 3, "v", 11, "v");
    expect_replayed(flush, 1, "v", 9, NULL);
    expect_replayed(flush_set, 2, "new", 10, "new"); /* that record had made it */
    expect_replayed(flush_set, 2, "v", 9, "new");
}

/* The walk may meet a key twice, older or newer: the newer stays. */
Test(kv_replay, loads_the_newer_of_two)
{
    struct kv_view older = {S("k"), S("older"), 5, 3}, newer = {S("k"), S("newer"), 0, 4};
    struct kv_view view;

    for (uint32_t turn = 0; turn < 2; turn++) {
        store = create(1);
        kv_store_load(store, 0, turn == 0 ? &older : &newer);
        kv_store_load(store, 0, turn == 0 ? &newer : &older);
        cr_assert(kv_store_get(store, 0, S("k"), &view));
        cr_assert(kv_slice_equal(view.value, S("newer")));
        cr_assert(eq(i64, view.expire_ms, 0));
        cr_assert(eq(u64, kv_store_count(store, 0), 1));
        kv_store_destroy(store);
    }
}
