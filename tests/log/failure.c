/* Whatever fails, whenever it is cancelled: what was acknowledged is there afterwards. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "sm/journal_format.h"
#include "tests/log/world.h"

static struct world world, after;

static void check(const char *what, uint64_t n, uint64_t seed)
{
    cr_assert(eq(str, world.oracle.violation, ""), "%s %llu of seed %llu", what,
              (unsigned long long)n, (unsigned long long)seed);
}

/* A boot in which nothing fails, and all of it comes back. */
static void check_by_boots(const char *what, uint64_t n, uint64_t seed)
{
    struct workload work = world_work(seed + 1000);

    check(what, n, seed);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        check(what, n, seed);
        cr_assert(eq(i32, world.run.end_result, 0), "%s %llu of seed %llu", what,
                  (unsigned long long)n, (unsigned long long)seed);
        cr_assert(eq(i32, world.run.append_error, 0));
    }
}

static const int32_t errnos[] = {EIO, ENOSPC, EINTR, EAGAIN, EINVAL, ENOENT};

enum { ERRNOS = sizeof errnos / sizeof errnos[0] };

/* Move the failure one operation later each round, until it falls past the end. */
static void fail_every_operation(uint64_t seed)
{
    struct workload work = world_work(seed);

    work.reserve = seed % 2 == 0;
    work.trim_every = 5;
    for (uint64_t nth = 1;; nth++) {
        uint64_t operations;

        world_init(&world, NULL, seed);
        world.faults.fail_nth = nth;
        world.faults.fail_errno = errnos[(nth + seed) % ERRNOS];
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        operations = world.operations;
        check_by_boots("failure of operation", nth, seed);
        world_deinit(&world);
        if (nth > operations)
            break;
    }
}

Test(log_failure, of_any_operation_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        fail_every_operation(seed);
}

Test(log_failure, of_any_operation_of_a_recovery_loses_nothing)
{
    struct workload work = world_work(1), next = world_work(2);

    work.records = 30;
    world_init(&after, NULL, 1);
    world.disk = NULL;
    cr_assert(eq(i32, world_boot(&after, &work), 0));
    for (uint64_t nth = 1;; nth++) {
        uint64_t operations;

        world_clone(&after, &world);
        world.faults.fail_nth = nth;
        world.faults.fail_errno = errnos[nth % ERRNOS];
        next.records = 1;
        cr_assert(eq(i32, world_boot(&world, &next), 0));
        operations = world.operations;
        check_by_boots("failure of recovery operation", nth, 1);
        world_deinit(&world);
        if (nth > operations)
            break;
    }
    world_deinit(&after);
}

/* A read error is not the end of the log. */
Test(log_failure, of_a_read_refuses_the_log)
{
    struct workload work = world_work(1);

    work.records = 30;
    world_init(&after, NULL, 1);
    cr_assert(eq(i32, world_boot(&after, &work), 0));
    work.appenders = 0;
    for (uint64_t nth = 1;; nth++) {
        world_clone(&after, &world);
        world.faults.fail_nth = nth;
        world.faults.fail_kind = TP_READ;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        check("failure of read", nth, 1);
        world_deinit(&world);
        if (world.run.end_result == 0)
            break;
        cr_assert(eq(i32, world.run.end_result, -EIO));
        cr_assert(lt(u64, 0, world.run.journal.problem.segment));
    }
    world_deinit(&after);
}

/* After an error of the disk nothing more is taken, and nobody is left waiting. */
Test(log_failure, of_a_write_refuses_records_from_then_on)
{
    struct workload work = world_work(1);
    uint32_t failed = 0;

    for (uint64_t nth = 1; nth < 60; nth++) {
        world_init(&world, NULL, nth);
        world.faults.fail_nth = nth;
        world.faults.fail_kind = TP_WRITE;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        check("failure of write", nth, nth);
        if (world.run.opened && world.run.end_result < 0) {
            cr_assert(eq(i32, world.run.end_result, -EIO));
            cr_assert(world.run.append_error == -EIO || /* the mark at the close */
                      world.oracle.durable == world.oracle.appended);
            failed++;
        }
        world_deinit(&world);
    }
    cr_assert(lt(u32, 5, failed));
}

/* A boot that trims often, and an operation of this kind that fails. */
static void boot_trimming(enum tp_kind kind, uint64_t nth)
{
    struct workload work = world_work(nth);

    work.records = 100;
    work.trim_every = 10;
    world_init(&world, NULL, nth);
    world.faults.fail_nth = nth;
    world.faults.fail_kind = kind;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
}

/* What could not be removed is removed when there is more to be. */
Test(log_failure, of_a_removal_is_made_up_for)
{
    for (uint64_t nth = 1; nth <= 12; nth++) {
        boot_trimming(TP_REMOVE, nth);
        cr_assert(eq(i32, world.run.end_result, 0));
        cr_assert(lt(u64, 5, world.run.journal.stats.segments_trimmed), "removal %u",
                  (unsigned)nth);
        cr_assert(lt(u32, tp_disk_usage(world.disk).inodes, 12));
        check_by_boots("failure of removal", nth, nth);
        world_deinit(&world);
    }
}

/* What a process has left that died while it made a segment must go first: no new one can
 * be made beside it. A boot that finds it, and whose first removal fails. */
static void boot_beside_a_spare(int32_t error)
{
    struct workload work = world_work(1);

    world_init(&world, NULL, 1);
    cr_assert(
        eq(i32,
           tp_disk_write_file(world.disk, WORLD_PATH "/" TP_JOURNAL_SPARE_NAME, "left", 4),
           0));
    world.faults.fail_nth = 1;
    world.faults.fail_kind = TP_REMOVE;
    world.faults.fail_errno = error;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
}

Test(log_failure, of_a_removal_that_is_interrupted_is_none)
{
    boot_beside_a_spare(EINTR);
    cr_assert(eq(i32, world.run.end_result, 0));
    check_by_boots("interrupted removal", 1, 1);
    world_deinit(&world);
}

/* It is the removal that failed, and not what it left that is wrong; and only until then.
 */
Test(log_failure, of_a_removal_is_what_the_log_ends_with)
{
    boot_beside_a_spare(EIO);
    cr_assert(eq(i32, world.run.end_result, -EIO));
    check_by_boots("failed removal", 1, 1);
    world_deinit(&world);
}

static bool is_there(uint64_t segment)
{
    uint8_t byte;

    return tp_disk_read_at(world.disk, world_segment(segment), 0, &byte, 1) == 1;
}

/* A removal that may not be durable is not tried again as if it were: nothing behind it
 * goes until the next boot. */
Test(log_failure, of_a_removals_sync_ends_trimming)
{
    uint32_t failed = 0;

    for (uint64_t nth = 3; nth <= 60; nth++) {
        const struct tp_journal *journal = &world.run.journal;

        boot_trimming(TP_FSYNC, nth);
        if (world.run.end_result == 0 && journal->stats.spares_failed == 0) {
            cr_assert(lt(u64, journal->trimmer.oldest + 5, journal->trimmer.keep_segment));
            cr_assert(not(is_there(journal->trimmer.oldest)));
            cr_assert(is_there(journal->trimmer.oldest + 1), "sync %u", (unsigned)nth);
            failed++;
            world_power_cut(&world);
        }
        check_by_boots("failure of sync", nth, nth);
        world_deinit(&world);
    }
    cr_assert(lt(u32, 5, failed));
}

Test(log_failure, short_and_interrupted_operations_are_none)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct workload work = world_work(seed);

        world_init(&world, NULL, seed);
        for (uint32_t boot = 0; boot < 3; boot++) {
            world.faults.short_ppm = 200000;
            world.faults.eagain_ppm = 20000;
            world.faults.eintr_ppm = 20000;
            cr_assert(eq(i32, world_boot(&world, &work), 0));
            check("short counts, boot", boot, seed);
            cr_assert(eq(i32, world.run.end_result, 0), "seed %u", (unsigned)seed);
            cr_assert(eq(i32, world.run.append_error, 0));
        }
        world_deinit(&world);
    }
}

Test(log_failure, many_at_random_lose_nothing)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct workload work = world_work(seed);

        world_init(&world, NULL, seed);
        work.trim_every = 8;
        for (uint32_t boot = 0; boot < 6; boot++) {
            world.faults.error_ppm = 20000;
            world.faults.short_ppm = 50000;
            world.faults.eintr_ppm = 10000;
            cr_assert(eq(i32, world_boot(&world, &work), 0));
            check("errors at random, boot", boot, seed);
        }
        check_by_boots("errors at random", 0, seed);
        world_deinit(&world);
    }
}

/* Cancelled after any number of iterations, in the recovery or later, it ends, and so does
 * everybody who waits for it. */
Test(log_failure, cancel_at_any_point_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bool finished = false;

        for (uint32_t iterations = 0; !finished; iterations++) {
            struct workload work = world_work(seed);

            world_init(&world, NULL, seed);
            work.trim_every = 5;
            cr_assert(
                eq(i32, world_boot_cancelled(&world, &work, iterations, &finished), 0));
            cr_assert(world.run.ended);
            cr_assert(lt(u64, world.run.iterations, 200), "it spins while it waits");
            check_by_boots("cancel after iteration", iterations, seed);
            cr_assert(
                eq(i32, world_boot_cancelled(&world, &work, iterations, &finished), 0));
            check_by_boots("second cancel after iteration", iterations, seed);
            world_deinit(&world);
        }
    }
}
