/* What a journal does for those who append, on a disk that does as it is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/log/world.h"

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
static void boot(const struct workload *work)
{
    cr_assert(eq(i32, world_boot(&world, work), 0));
    cr_assert(eq(str, world.oracle.violation, ""));
    cr_assert(eq(i32, world.run.end_result, 0));
    cr_assert(eq(i32, world.run.append_error, 0));
    cr_assert(eq(u64, world.oracle.durable, world.oracle.appended));
}

static void boot_nothing(void)
{
    struct workload work = world_work(99);

    work.appenders = 0;
    boot(&work);
}

Test(log, gives_back_what_was_appended, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct workload work = world_work(seed);

        boot(&work);
        cr_assert(eq(u64, world.oracle.appended, seed * 18));
    }
}

Test(log, opens_an_empty_directory_again_and_again, .init = set_up, .fini = tear_down)
{
    struct tp_statx statx;

    for (uint32_t i = 0; i < 5; i++)
        boot_nothing();
    cr_assert(eq(i32, tp_disk_stat(world.disk, world_segment(1), false, &statx), 0));
    cr_assert(eq(i32, tp_disk_stat(world.disk, world_segment(2), false, &statx), -ENOENT),
              "a segment without any group is replaced");
}

Test(log, goes_on_in_the_next_segment, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.records = 200;
    boot(&work);
    cr_assert(lt(u64, 20, world.run.journal.stats.segments));
    boot_nothing();
}

Test(log, serves_64_machines_in_few_groups, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.appenders = 64;
    work.records = 20;
    work.len_max = 60;
    boot(&work);
    cr_assert(lt(u64, world.run.journal.stats.groups, 45), "%u groups",
              (unsigned)world.run.journal.stats.groups);
    boot_nothing();
}

Test(log, makes_64_machines_wait_for_room, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.appenders = 64;
    work.records = 10;
    work.config.group_bytes = 4096;
    boot(&work);
    cr_assert(lt(u64, 0, world.run.journal.stats.waits_for_room));
    boot_nothing();
}

Test(log, takes_records_of_any_length_up_to_the_maximum, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.len_max = tp_journal_record_max(&(struct tp_journal){.config = work.config});
    cr_assert(eq(u32, work.len_max, 8192 - 84));
    work.records = 60;
    boot(&work);
    boot_nothing();
    work.len_max++;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(i32, world.run.append_error, -EMSGSIZE));
    cr_assert(eq(str, world.oracle.violation, ""));
}

Test(log, appends_in_two_steps, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct workload work = world_work(seed);

        work.reserve = true;
        work.appenders = 1 + (uint32_t)seed % 16;
        work.records = 20;
        boot(&work);
        cr_assert(eq(u32, world.run.journal.reserved_bytes, 0));
        cr_assert(eq(u32, world.run.journal.reserved_blocks, 0));
    }
}

Test(log, trims_what_is_not_needed, .init = set_up, .fini = tear_down)
{
    struct tp_statx statx;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct workload work = world_work(seed);

        work.records = 100;
        work.trim_every = 10;
        boot(&work);
        cr_assert(lt(u64, 5, world.run.journal.stats.segments_trimmed));
    }
    cr_assert(eq(i32, tp_disk_stat(world.disk, world_segment(1), false, &statx), -ENOENT));
    cr_assert(lt(u32, tp_disk_usage(world.disk).inodes, 12));
    boot_nothing();
}

Test(log, refuses_when_trimmed_records_are_asked_for, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.records = 100;
    work.trim_every = 10;
    boot(&work);
    world.oracle.first = 1;
    work.appenders = 0;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(i32, world.run.end_result, -ENODATA));
}

Test(log, gives_what_is_left_when_the_oldest_is_asked_for, .init = set_up,
     .fini = tear_down)
{
    struct workload work = world_work(1);

    work.records = 100;
    work.trim_every = 10;
    boot(&work);
    work.appenders = 0;
    work.from_oldest = true;
    boot(&work);
    cr_assert(lt(u64, 1, world.run.first_replayed));
    cr_assert(le(u64, world.run.first_replayed, world.oracle.first));
    cr_assert(eq(u64, world.run.replayed, world.oracle.appended));
}

Test(log, refuses_when_later_records_are_asked_for, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    boot(&work);
    world.oracle.first = world.oracle.appended + 2;
    work.appenders = 0;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(i32, world.run.end_result, -ENODATA));
}

Test(log, marks_once_when_idle, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.appenders = 1;
    work.records = 5;
    work.idle_ns = 20000000;
    boot(&work);
    cr_assert(eq(u64, world.run.journal.stats.marks, 5));
    work.config.idle_mark_ns = TP_NEVER;
    boot(&work);
    cr_assert(eq(u64, world.run.journal.stats.marks, 1), "by the close alone");
    boot_nothing();
}

Test(log, works_without_direct_io, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct workload work = world_work(seed);

        work.config.buffered = 1;
        work.records = 50;
        boot(&work);
    }
    boot_nothing();
}

/* Who waits makes a group due at once; nobody waiting, its age does, or its size. */
Test(log, writes_few_groups_at_a_pace, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.appenders = 4;
    work.records = 50;
    work.len_max = 20;
    work.config.pace_ns = UINT64_C(3600000000000);
    work.config.idle_mark_ns = TP_NEVER;
    boot(&work);
    cr_assert(lt(u64, world.run.journal.active_ns, work.config.pace_ns / 1000));
    work.appenders = 1;
    work.no_wait = true;
    work.idle_ns = 1000000;
    work.config.pace_ns = 10000000;
    boot(&work);
    cr_assert(lt(u64, world.run.journal.stats.groups, 10));
    cr_assert(lt(u64, 3, world.run.journal.stats.groups));
    work.records = 200;
    work.len_max = 500;
    work.config.pace_ns = UINT64_C(3600000000000);
    boot(&work);
    cr_assert(lt(u64, 10, world.run.journal.stats.groups));
    cr_assert(lt(u64, world.run.journal.stats.groups, 60));
    boot_nothing();
}

/* Writers who come again a little later share groups, instead of two halves that wait for
 * each other; one alone never waits for anybody. */
Test(log, gathers_writers_who_come_again, .init = set_up, .fini = tear_down)
{
    uint64_t groups[2], alone_ns[2];

    for (uint32_t i = 0; i < 4; i++) {
        struct workload work = world_work(1);
        uint32_t gather = i % 2;

        tear_down();
        set_up();
        work.config.gather = gather;
        work.config.idle_mark_ns = TP_NEVER;
        work.config.segment_bytes = 1 << 20;
        work.appenders = i < 2 ? 1 : 16;
        work.records = 100;
        work.len_max = 20;
        work.idle_ns = 50000;
        work.idle_any = true;
        boot(&work);
        if (i < 2)
            alone_ns[gather] = world.run.journal.active_ns;
        else
            groups[gather] = world.run.journal.stats.groups;
    }
    cr_assert(lt(u64, groups[1], groups[0] * 7 / 10), "%u groups, not %u",
              (unsigned)groups[1], (unsigned)groups[0]);
    cr_assert(eq(u64, alone_ns[1], alone_ns[0]));
}

/* On a disk whose writes take now one time, now another, each group has its own time. */
Test(log, gathers_for_a_quarter_of_what_a_group_took, .init = set_up, .fini = tear_down)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct workload work = world_work(seed);

        world.faults = (struct tp_virtual_faults){.stall_ppm = 200000};
        work.config.gather = 1;
        work.config.idle_mark_ns = TP_NEVER;
        work.config.segment_bytes = 1 << 20;
        work.appenders = 16;
        work.records = 20;
        work.len_max = 20;
        work.idle_ns = 50000;
        work.idle_any = true;
        boot(&work);
        cr_assert(lt(u64, 0, world.run.group_end_ns));
        cr_assert(le(u64, world.run.late_ns_max, work.idle_ns), "seed %u", (unsigned)seed);
    }
}

/* Room comes although the group is neither old nor large, for somebody needs it. */
Test(log, makes_room_at_a_pace, .init = set_up, .fini = tear_down)
{
    struct workload work = world_work(1);

    work.appenders = 2;
    work.records = 200;
    work.no_wait = true;
    work.config.pace_ns = UINT64_C(3600000000000);
    for (uint32_t i = 0; i < 2; i++) {
        work.reserve = i == 1;
        work.len_max = 8192 - 84;
        boot(&work);
        cr_assert(lt(u64, 0, world.run.journal.stats.waits_for_room));
        cr_assert(lt(u64, world.run.journal.active_ns, work.config.pace_ns));
    }
    boot_nothing();
}

/* A full disk refuses records before anything has happened; what it took is kept. */
Test(log, refuses_records_when_the_disk_is_full, .init = set_up, .fini = tear_down)
{
    struct tp_disk_config config = {.size = sizeof config,
                                    .capacity_bytes = UINT64_C(5) * 32768};

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct workload work = world_work(seed);

        world_deinit(&world);
        world_init(&world, &config, seed);
        work.records = 1000;
        work.reserve = seed % 2 == 0;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        cr_assert(eq(str, world.oracle.violation, ""));
        cr_assert(eq(i32, world.run.end_result, 0), "a full disk is no failure");
        cr_assert(eq(i32, world.run.append_error, -ENOSPC));
        cr_assert(lt(u64, 10, world.oracle.durable));
        cr_assert(eq(u64, world.oracle.durable, world.oracle.appended));
        /* No room for the segment that every boot begins: it cannot be opened. */
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        cr_assert(eq(i32, world.run.end_result, -ENOSPC));
        cr_assert(eq(str, world.oracle.violation, ""));
    }
}

Test(log, goes_on_when_a_full_disk_has_room_again, .init = set_up, .fini = tear_down)
{
    struct tp_disk_config config = {.size = sizeof config,
                                    .capacity_bytes = UINT64_C(6) * 32768};
    struct workload work = world_work(1);

    world_deinit(&world);
    world_init(&world, &config, 1);
    work.records = 200;
    work.trim_every = 10;
    work.retry_full = true;
    work.config.retry_ns = 5000000;
    boot(&work);
    cr_assert(eq(u64, world.oracle.appended, 600));
    boot_nothing();
}
