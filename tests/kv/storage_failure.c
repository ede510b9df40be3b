/* Any operation fails, at any point it is cancelled: what was acknowledged is there at the
 * next start, and what went wrong is said. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/common/allocator.h"
#include "tests/kv/world.h"

static struct world world;

static void expect_sound(uint64_t seed, uint64_t nth)
{
    cr_assert(eq(str, world.oracle.violation, ""), "seed %llu, operation %llu",
              (unsigned long long)seed, (unsigned long long)nth);
}

static void boot_whole(uint64_t seed, uint64_t nth)
{
    struct work work = world_work(seed + 500);

    work.records = 3;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    expect_sound(seed, nth);
    cr_assert(eq(i32, world.service.result, 0), "seed %llu, operation %llu: %s",
              (unsigned long long)seed, (unsigned long long)nth,
              world.service.storage.problem);
}

/* What came of the failures of a sweep. */
struct tally {
    uint32_t starts, saves, appends, nothing;
};

static void count_failure(struct tally *tally)
{
    const struct service *s = &world.service;

    if (!s->opened)
        tally->starts++;
    else if (s->append_error < 0)
        tally->appends++;
    else if (s->save_error < 0)
        tally->saves++;
    else
        tally->nothing++;
}

/* Move the failure one operation later each round, until it falls past the end. */
static void sweep(uint64_t seed, int32_t error)
{
    struct tally tally = {0};
    bool fell_past = false;

    for (uint64_t nth = 1; !fell_past; nth++) {
        struct work work = world_work(seed);

        work.save_every = 5;
        work.save_last = true;
        world_init(&world, NULL, seed);
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        world.faults.fail_nth = nth;
        world.faults.fail_errno = error;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        expect_sound(seed, nth);
        fell_past = world.operations < nth;
        count_failure(&tally);
        if (nth % 2 == 0) /* and sometimes the power goes before anybody looks */
            world_power_cut(&world);
        boot_whole(seed, nth);
        boot_whole(seed, nth);
        world_deinit(&world);
    }
    cr_assert(lt(u32, 10, tally.starts), "starts that failed");
    cr_assert(lt(u32, 10, tally.saves), "snapshots that failed");
    cr_assert(lt(u32, 0, tally.appends), "appends that failed");
    cr_assert(lt(u32, 0, tally.nothing), "failures that did no harm");
}

Test(kv_storage_failure, no_failure_loses_anything, .timeout = 600)
{
    static const int32_t errors[] = {EIO, ENOSPC, EINTR, EAGAIN, EMFILE};

    for (uint64_t seed = 1; seed <= 5; seed++)
        sweep(seed, errors[seed - 1]);
}

/* Cancelled after any iteration of the loop: it ends, and nothing is lost. */
Test(kv_storage_failure, no_cancel_loses_anything, .timeout = 600)
{
    for (uint64_t seed = 11; seed <= 12; seed++) {
        bool finished = false;

        for (uint32_t after = 1; !finished; after += 2) {
            struct work work = world_work(seed);
            int32_t result;

            work.save_every = 4;
            work.cancel_after = after;
            world_init(&world, NULL, seed);
            if (seed % 2 == 0) {
                struct work before = world_work(seed + 100);

                cr_assert(eq(i32, world_boot(&world, &before), 0));
            }
            result = world_boot(&world, &work);
            expect_sound(seed, after);
            cr_assert(eq(i32, result, 0));
            finished = world.service.result == 0;
            cr_assert(finished || world.service.result == -ECANCELED);
            world_power_cut(&world);
            boot_whole(seed, after);
            world_deinit(&world);
        }
    }
}

/* Faults at a rate, boot after boot. */
Test(kv_storage_failure, many_failures_lose_nothing, .timeout = 600)
{
    uint32_t opened = 0, done = 0;

    for (uint64_t seed = 1; seed <= 150; seed++) {
        world_init(&world, NULL, seed);
        for (uint32_t round = 0; round < 4; round++) {
            struct work work = world_work(seed * 10 + round);

            world.faults.error_ppm = 2000;
            world.faults.eintr_ppm = 5000;
            world.faults.eagain_ppm = 5000;
            world.faults.short_ppm = 100000;
            cr_assert(eq(i32, world_boot(&world, &work), 0));
            expect_sound(seed, round);
            opened += world.service.opened;
            done += world.service.storage.saves.done > 0;
            if (seed % 2 == 0)
                world_power_cut(&world);
        }
        boot_whole(seed, 0);
        world_deinit(&world);
    }
    cr_assert(lt(u32, 200, opened));
    cr_assert(lt(u32, 50, done));
}

/* Any allocation fails: of the log, of blocks that are read or written. */
Test(kv_storage_failure, no_lack_of_memory_loses_anything)
{
    struct tally tally = {0};
    bool failed = true;

    for (uint64_t nth = 1; failed; nth++) {
        struct work work = world_work(nth);
        struct allocator heap;

        world_init(&world, NULL, nth);
        work.save_last = true;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        allocator_init(&heap);
        heap.fail_in = nth;
        work.allocator = &heap.hooks;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        failed = heap.fail_in == 0;
        expect_sound(nth, nth);
        count_failure(&tally);
        if (!world.service.opened)
            cr_assert(eq(i32, world.service.result, -ENOMEM));
        else if (failed)
            cr_assert(eq(i32, world.service.save_error, -ENOMEM));
        cr_assert(eq(u64, heap.live_bytes, 0));
        boot_whole(nth, nth);
        world_deinit(&world);
    }
    cr_assert(lt(u32, 2, tally.starts));
    cr_assert(lt(u32, 2, tally.saves));
}

/* ------------------------------------------------------------------ a full disk */

enum { CAPACITY = 400 << 10 };

/* So much of the disk is taken by something else. */
static void fill(uint32_t bytes)
{
    static uint8_t zeros[CAPACITY];

    cr_assert(eq(i32, tp_disk_write_file(world.disk, "/filler", zeros, bytes), 0));
}

static uint32_t left_on_disk(void)
{
    struct tp_disk_usage usage = tp_disk_usage(world.disk);

    return (uint32_t)(usage.capacity_bytes - usage.used_bytes);
}

/* With room for the log and none for a snapshot, or for neither: the old snapshot stays,
 * and so does the log; with room again all goes on. */
Test(kv_storage_failure, a_full_disk_keeps_the_old_snapshot_and_the_log)
{
    const struct tp_disk_config config = {.size = sizeof config,
                                          .capacity_bytes = CAPACITY};
    uint32_t saves_failed = 0, full = 0, kept = 0;

    for (uint32_t left = 0; left < 120000; left += 4096) {
        struct work work = world_work(left + 1), more = world_work(left + 2);

        world_init(&world, &config, left + 1);
        work.save_last = true;
        work.len_max = 1000;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        cr_assert(eq(i32, world.service.result, 0));
        fill(left_on_disk() - left);
        more.len_max = 1000;
        more.records = 100;
        more.save_every = 10;
        cr_assert(eq(i32, world_boot(&world, &more), 0));
        expect_sound(left, 0);
        if (world.service.opened) {
            saves_failed += world.service.save_error == -ENOSPC;
            full += world.service.append_error == -ENOSPC;
            cr_assert(world.service.append_error == 0 ||
                      world.service.append_error == -ENOSPC);
        } else {
            cr_assert(eq(i32, world.service.result, -ENOSPC), "%s",
                      world.service.storage.problem);
        }
        cr_assert(eq(i32, tp_disk_remove(world.disk, "/filler"), 0));
        world_power_cut(&world);
        boot_whole(left, 0);
        kept += world.service.storage.loaded.snapshot_entries > 0;
        world_deinit(&world);
    }
    cr_assert(lt(u32, 25, kept)); /* one is of an empty store */
    cr_assert(lt(u32, 3, saves_failed));
    cr_assert(lt(u32, 3, full));
}

/* A sync of the directory fails after the rename: whether the name will last is not known,
 * so nothing may be built on it. The log stays, and no further snapshot is believed. */
Test(kv_storage_failure, a_directory_that_cannot_be_synced_ends_the_snapshots)
{
    uint32_t hit = 0;

    for (uint64_t nth = 1; nth < 40; nth++) {
        struct work work = world_work(nth);

        work.save_every = 6;
        world_init(&world, NULL, nth);
        world.faults.fail_kind = TP_FSYNC;
        world.faults.fail_nth = nth;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        expect_sound(nth, nth);
        if (world.service.storage.save_final) {
            hit++;
            cr_assert(eq(i32, world.service.save_error, -EIO));
            cr_assert(eq(u32, world.service.storage.saves.failed_kind, TP_SYNC_DIR));
            cr_assert(lt(u64, world.service.storage.saves.begun, 6));
        }
        world_power_cut(&world);
        boot_whole(nth, nth);
        world_deinit(&world);
    }
    cr_assert(lt(u32, 0, hit));
}
