/* What a store is kept in, on a disk that does as it is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/kv/world.h"

static struct world world;

static void set_up(void)
{
    world_init(&world, NULL, 1);
}

static void tear_down(void)
{
    world_deinit(&world);
}

/* A boot without any failure. */
static void boot(const struct work *work)
{
    int32_t result = world_boot(&world, work);

    cr_assert(eq(str, world.oracle.violation, ""));
    cr_assert(eq(i32, result, 0));
    cr_assert(eq(i32, world.service.result, 0));
    cr_assert(eq(i32, world.service.append_error, 0));
    cr_assert(eq(i32, world.service.save_error, 0));
    cr_assert(eq(u64, world.oracle.acked, world.oracle.count));
}

static struct work idle_work(void)
{
    struct work work = world_work(99);

    work.records = 0;
    return work;
}

Test(kv_storage, gives_back_what_was_kept, .init = set_up, .fini = tear_down)
{
    struct work idle = idle_work();
    uint64_t saves = 0, overlapped = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct work work = world_work(seed);

        work.save_every = seed % 3 * 7;
        work.save_last = seed % 4 == 0;
        boot(&work);
        saves += world.service.storage.saves.done;
        overlapped += world.service.overlapped;
        boot(&idle);
    }
    cr_assert(gt(u64, saves, 40));
    cr_assert(gt(u64, overlapped, 40), "records were appended while snapshots were taken");
    cr_assert(eq(u64, world.oracle.count, 40 * 40));
    cr_assert(world.service.storage.loaded.snapshot);
}
