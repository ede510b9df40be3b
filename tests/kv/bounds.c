/* No pause and no failure: what one change costs at most, and what happens without memory.
 * Counted in steps and bytes, never in time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "apps/kv/store_internal.h"
#include "tests/common/allocator.h"
#include "tests/common/expect_stop.h"
#include "tests/kv/model.h"

enum { BALLAST = 3 << 20 };

static struct allocator heap;

static int create(struct kv_store **ret_store)
{
    struct kv_store_config config = {.allocator = &heap.hooks, .ballast_bytes = BALLAST};

    return kv_store_create(&config, ret_store);
}

static struct kv_effect set_number(const uint32_t *number, int64_t expire_ms)
{
    return kv_effect_set(0, kv_slice_of(number, sizeof *number), kv_slice_text("value"),
                         expire_ms);
}

/* The most that any one call did. */
struct worst {
    uint64_t taken_bytes, taken_blocks, largest_bytes, given_blocks, buckets;
};

static void note_more(uint64_t *most, uint64_t now)
{
    *most = now > *most ? now : *most;
}

static void apply_measured(struct kv_store *store, struct kv_effect effect, uint64_t lsn,
                           struct worst *worst)
{
    const struct kv_table *table = &store->dbs[0].table;
    uint64_t before = table->moved;

    allocator_restart(&heap);
    kv_store_apply(store, &effect, lsn);
    note_more(&worst->taken_bytes, heap.taken_bytes);
    note_more(&worst->taken_blocks, heap.taken_blocks);
    note_more(&worst->largest_bytes, heap.largest_bytes);
    note_more(&worst->given_blocks, heap.given_blocks);
    if (table->moved > before)
        note_more(&worst->buckets, table->moved - before);
}

static void expect_small(const struct worst *worst, const char *what)
{
    cr_expect(le(u64, worst->largest_bytes, KV_PAGE_BYTES), "%s: the largest block", what);
    cr_expect(le(u64, worst->taken_bytes, UINT64_C(8) * KV_PAGE_BYTES),
              "%s: bytes of a change", what);
    cr_expect(le(u64, worst->taken_blocks, 10), "%s: blocks taken by a change", what);
    cr_expect(le(u64, worst->given_blocks, 10), "%s: blocks given by a change", what);
    cr_expect(le(u64, worst->buckets, UINT64_C(4) * 64), "%s: buckets moved by a change",
              what);
}

Test(kv_bounds, no_change_is_dear_while_a_million_keys_come_and_go, .timeout = 240)
{
    struct kv_store *store;
    struct worst worst = {0};
    struct kv_store_memory memory;
    uint64_t lsn = 1;

    allocator_init(&heap);
    cr_assert(eq(int, create(&store), 0));
    for (uint32_t i = 0; i < 1000000; i++)
        apply_measured(store, set_number(&i, i % 2 == 0 ? 0 : 1 + i), lsn++, &worst);
    expect_small(&worst, "coming");
    cr_assert(eq(u64, kv_store_count(store, 0), 1000000));
    cr_assert(eq(u64, kv_store_count_expiring(store, 0), 500000));
    cr_expect(ge(u64, store->dbs[0].table.from.count, 524288), "the table keeps up");

    memset(&worst, 0, sizeof worst);
    for (uint32_t i = 0; i < 1000000; i++)
        apply_measured(store, kv_effect_del(0, kv_slice_of(&i, sizeof i)), lsn++, &worst);
    expect_small(&worst, "going");
    while (kv_store_work(store, 1000) == 1000) {
    }
    kv_store_memory(store, &memory);
    cr_assert(eq(u64, memory.total, 0), "and nothing is left");
    kv_store_destroy(store);
}

Test(kv_bounds, flushing_everything_is_one_small_step)
{
    struct kv_store *store;
    struct worst worst = {0};
    struct kv_store_memory memory;
    uint64_t lsn = 1;

    allocator_init(&heap);
    cr_assert(eq(int, create(&store), 0));
    for (uint32_t i = 0; i < 100000; i++)
        kv_store_apply(store,
                       &(struct kv_effect){.kind = KV_EFFECT_SET,
                                           .key = kv_slice_of(&i, sizeof i),
                                           .expire_ms = 5},
                       lsn++);
    apply_measured(store, kv_effect_flushall(), lsn++, &worst);
    expect_small(&worst, "flushing");
    kv_store_memory(store, &memory);
    cr_assert(lt(u64, UINT64_C(4000000), memory.dead));
    for (uint32_t i = 0; i < 30000; i++) /* what comes next frees it on the side */
        apply_measured(store, set_number(&i, 0), lsn++, &worst);
    expect_small(&worst, "afterwards");
    kv_store_memory(store, &memory);
    cr_assert(eq(u64, memory.dead, 0));
    kv_store_destroy(store);
    cr_assert(eq(u64, heap.live_bytes, 0));
}

/* Large values that are deleted wait for a moment without requests, up to a limit. */
Test(kv_bounds, large_values_are_freed_later)
{
    static uint8_t value[1 << 20];
    struct kv_store *store;
    struct kv_store_memory memory;

    allocator_init(&heap);
    cr_assert(eq(int, create(&store), 0));
    for (uint32_t i = 0; i < 100; i++) {
        struct kv_effect effect = kv_effect_set(
            0, kv_slice_text("k"), kv_slice_of(value, sizeof value - i % 2), 0);

        kv_store_apply(store, &effect, 3 * i + 1);
        effect = kv_effect_del(0, kv_slice_text("k"));
        kv_store_apply(store, &effect, 3 * i + 2);
        kv_store_memory(store, &memory);
        cr_assert(le(u64, memory.dead, 20 << 20));
    }
    cr_assert(ge(u64, memory.dead, 10 << 20));
    cr_assert(lt(u32, 10, kv_store_work(store, 1000)));
    kv_store_memory(store, &memory);
    cr_assert(eq(u64, memory.total, 0));
    kv_store_destroy(store);
}

/* ------------------------------------------------------------------ without memory */

Test(kv_bounds, cannot_be_made_without_memory)
{
    struct kv_store *store;
    int rc = -ENOMEM;

    for (uint64_t nth = 1; rc < 0; nth++) {
        allocator_init(&heap);
        heap.fail_in = nth;
        rc = create(&store);
        cr_assert(rc == 0 || rc == -ENOMEM);
        cr_assert(nth < 10 && (rc == 0 || heap.live_bytes == 0));
    }
    kv_store_destroy(store);
    cr_assert(eq(u64, heap.live_bytes, 0));
}

/* Any one allocation fails: the change is made all the same, and the store says so. */
Test(kv_bounds, makes_every_change_though_an_allocation_fails, .timeout = 240)
{
    bool failed = true;
    uint32_t failures = 0;

    for (uint64_t nth = 1; failed; nth += nth < 100 ? 1 : 17) {
        struct kv_store *store;
        struct model model = {0};
        uint64_t state = 11;
        const char *difference;
        bool was_short = false;

        allocator_init(&heap);
        cr_assert(eq(int, create(&store), 0));
        heap.fail_in = nth;
        for (uint64_t lsn = 1; lsn <= 1200; lsn++) {
            struct kv_effect effect = model_effect(&state, 300, 3, 90000, 300);

            model_apply(&model, &effect, lsn);
            kv_store_apply(store, &effect, lsn);
            if (kv_memory_is_short(&store->memory)) {
                was_short = true;
                cr_assert(not(kv_store_is_short(store)), "there is memory again");
            }
        }
        failed = heap.fail_in == 0;
        failures += failed;
        cr_assert(eq(int, was_short, failed));
        difference = model_differs(&model, store, false);
        cr_assert(difference == NULL, "allocation %llu: %s", (unsigned long long)nth,
                  difference);
        model_deinit(&model);
        kv_store_destroy(store);
        cr_assert(eq(u64, heap.live_bytes, 0));
    }
    cr_assert(lt(u32, 100, failures));
}

/* A heap of a fixed size: writes go on until it is full, then deletes bring it back. */
Test(kv_bounds, is_short_of_memory_until_something_is_deleted)
{
    struct kv_store *store;
    uint64_t lsn = 1;
    uint32_t number = 0;

    allocator_init(&heap);
    heap.limit_bytes = 16 << 20;
    cr_assert(eq(int, create(&store), 0));
    for (; !kv_store_is_short(store); number++) {
        struct kv_effect effect = set_number(&number, 0);

        cr_assert(lt(u32, number, 1000000));
        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(lt(u32, 100000, number));
    for (uint32_t more = number; more < number + 1000; more++) { /* what was under way */
        struct kv_effect effect = set_number(&more, 0);

        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(kv_store_is_short(store));
    for (uint32_t i = 0; kv_store_is_short(store); i++) {
        struct kv_effect effect = kv_effect_del(0, kv_slice_of(&i, sizeof i));

        cr_assert(lt(u32, i, number));
        kv_store_apply(store, &effect, lsn++);
    }
    cr_assert(lt(u64, number / 4, kv_store_count(store, 0)), "not everything had to go");
    kv_store_destroy(store);
    cr_assert(eq(u64, heap.live_bytes, 0));
}

static void take_everything(void *argument)
{
    struct kv_store *store = argument;

    heap.limit_bytes = 16 << 20;
    for (uint32_t i = 0;; i++) {
        struct kv_effect effect = set_number(&i, 0);

        kv_store_apply(store, &effect, i + 1);
    }
}

Test(kv_bounds, stops_rather_than_forget_a_change)
{
    struct kv_store *store;

    allocator_init(&heap);
    cr_assert(eq(int, create(&store), 0));
    expect_stop(take_everything, store, "out of memory", "cannot be refused any more");
    kv_store_destroy(store);
}
