/* What a walk with a cursor promises while the store changes under it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "apps/kv/store_internal.h"
#include "tests/kv/model.h"

enum { STABLE = 300, PASSING = 6000 };

/* Keys that stay all the time, and keys that come and go. */
struct world {
    struct kv_store *store;
    uint64_t lsn, state;
    uint32_t seen[STABLE];
    bool was_there[PASSING]; /* at any time of this walk */
    bool there[PASSING];
    uint32_t strangers;
};

static struct world world;

static void apply(struct kv_effect effect)
{
    kv_store_apply(world.store, &effect, ++world.lsn);
}

static struct kv_slice named(char kind, uint32_t number)
{
    static char name[16];

    (void)snprintf(name, sizeof name, "%c%u", kind, number);
    return kv_slice_text(name);
}

static void visit(void *context, const struct kv_view *view)
{
    uint32_t number = 0;

    (void)context;
    for (uint32_t i = 1; i < view->key.len; i++)
        number = number * 10 + (view->key.bytes[i] - '0');
    if (view->key.bytes[0] == 's')
        world.seen[number]++;
    else if (!world.was_there[number])
        world.strangers++;
}

static void open_world(uint64_t seed)
{
    struct kv_store_config config = {.ballast_bytes = 1};

    memset(&world, 0, sizeof world);
    world.state = seed;
    memcpy(config.hash_key, &seed, sizeof seed);
    cr_assert(eq(int, kv_store_create(&config, &world.store), 0));
    for (uint32_t i = 0; i < STABLE; i++)
        apply(kv_effect_set(0, named('s', i), kv_slice_text("x"), 0));
}

static void begin_walk(void)
{
    memset(world.seen, 0, sizeof world.seen);
    memcpy(world.was_there, world.there, sizeof world.there);
    world.strangers = 0;
}

static void expect_complete(uint64_t seed)
{
    cr_assert(eq(u32, world.strangers, 0), "a key that was never there; seed %llu",
              (unsigned long long)seed);
    for (uint32_t i = 0; i < STABLE; i++)
        cr_assert(lt(u32, 0, world.seen[i]), "key s%u was missed; seed %llu", i,
                  (unsigned long long)seed);
}

/* Makes or removes passing keys: up to `count` of them, so that the table changes its size.
 */
static void churn(bool grow, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)model_draw(&world.state, PASSING);

        if (grow) {
            world.there[number] = world.was_there[number] = true;
            apply(kv_effect_set(0, named('p', number), kv_slice_text("x"), 0));
        } else {
            world.there[number] = false;
            apply(kv_effect_del(0, named('p', number)));
        }
    }
}

Test(kv_scan, misses_nothing_that_stays, .timeout = 840)
{
    uint32_t sizes = 0, calls = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        bool grow = true;

        open_world(seed);
        for (uint32_t walk = 0; walk < 5; walk++) {
            uint64_t most = UINT64_C(1) << model_draw(&world.state, 8);
            uint64_t cursor = 0, count = world.store->dbs[0].table.from.count;

            begin_walk();
            do {
                if (model_draw(&world.state, 40) == 0)
                    grow = !grow;
                churn(grow, model_draw(&world.state, most));
                if (model_draw(&world.state, 10) == 0)
                    (void)kv_store_work(world.store, 50);
                cursor = kv_store_scan(world.store, 0, cursor, visit, NULL);
                sizes += world.store->dbs[0].table.from.count != count;
                count = world.store->dbs[0].table.from.count;
                calls++;
            } while (cursor != 0);
            expect_complete(seed);
        }
        kv_store_destroy(world.store);
    }
    cr_assert(lt(u32, 200, sizes), "the size changed during the walks, in %u calls", calls);
}

/* With nothing changed in between, once each: at rest, and at every stage of a move. */
Test(kv_scan, visits_each_key_once_while_nothing_changes)
{
    uint32_t moving = 0;

    open_world(7);
    for (uint32_t i = 0; i < PASSING; i++) {
        uint64_t cursor = 0;

        world.there[i] = true;
        apply(kv_effect_set(0, named('p', i), kv_slice_text("x"), 0));
        if (i % 7 != 0)
            continue;
        moving += world.store->dbs[0].table.to.count > 0;
        begin_walk();
        do {
            cursor = kv_store_scan(world.store, 0, cursor, visit, NULL);
        } while (cursor != 0);
        expect_complete(7);
        for (uint32_t k = 0; k < STABLE; k++)
            cr_assert(eq(u32, world.seen[k], 1));
    }
    cr_assert(lt(u32, 50, moving));
    kv_store_destroy(world.store);
}

/* A client may send any number. */
Test(kv_scan, takes_any_cursor)
{
    open_world(3);
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t cursor = model_draw(&world.state, UINT64_MAX);
        uint32_t calls = 0;

        begin_walk();
        do {
            cursor = kv_store_scan(world.store, 0, cursor, visit, NULL);
            cr_assert(lt(u32, ++calls, 3000), "it ends");
        } while (cursor != 0);
    }
    cr_assert(eq(u64, kv_store_scan(world.store, 9, 12345, visit, NULL), 0),
              "an empty database");
    kv_store_destroy(world.store);
}

/* How many buckets a single call may look at, whatever the table goes through. */
static void count_visits(void *context, const struct kv_view *view)
{
    (void)view;
    ++*(uint32_t *)context;
}

Test(kv_scan, does_little_in_one_call)
{
    uint32_t most = 0;

    open_world(5);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < PASSING; i++) {
            uint32_t visits = 0;

            apply(round == 0 ? kv_effect_set(0, named('p', i), kv_slice_text("x"), 0)
                             : kv_effect_del(0, named('p', i)));
            (void)kv_store_scan(world.store, 0, model_draw(&world.state, UINT64_MAX),
                                count_visits, &visits);
            most = visits > most ? visits : most;
        }
    }
    cr_assert(lt(u32, most, 40), "%u entries in one call", most);
    kv_store_destroy(world.store);
}
