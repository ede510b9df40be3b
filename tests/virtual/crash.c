/** tests/virtual/crash.c - kill (R1) and power cut (R2) with operations in flight, and the
 * world stopped at every event. */
#include "fixture.h"

#include <stdlib.h>

enum { SEEDS = 300, LOCK_SEEDS = 60, PAGE = 4096, SECTOR = 512 };

static struct fixture f;
static uint8_t memory[4 * PAGE];
static struct tp_buf buf;

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(crash, .fini = tear_down);

/* A file of A, and a write of B over it that is in flight. */
static void write_in_flight(uint64_t seed, bool direct, bool dsync)
{
    struct tp_open_options options = F_RW;
    struct tp_fd fd;

    options.direct = direct;
    options.dsync = dsync;
    f_free(&f);
    f.disk_config.writeback_off = true;
    f_boot(&f, seed);
    f_put_durable(&f, "/f", 'A', 4 * PAGE);
    fd = f_open(&f, "/f", options);
    memset(memory, 'B', sizeof memory);
    buf = tp_buf_full(memory, 3000);
    if (direct)
        buf = tp_buf_full((void *)(((uintptr_t)memory + 511) & ~(uintptr_t)511), 2 * PAGE);
    tp_io_write_at(f.io, 1, fd, &buf, direct ? 0 : 100);
    tp_io_poll(f.io);
}

/* How many of the bytes from 100 on are B; they must come first. */
static uint32_t prefix_of_b(uint32_t start, uint32_t len)
{
    char bytes[4 * PAGE];
    uint32_t count = 0;

    cr_assert(eq(i64, tp_disk_read_at(f.disk, "/f", start, bytes, len), len));
    while (count < len && bytes[count] == 'B')
        count++;
    for (uint32_t i = count; i < len; i++)
        cr_assert(eq(chr, bytes[i], 'A'), "byte %u after %u", i, count);
    return count;
}

Test(crash, a_killed_write_happened_wholly_up_to_any_byte_or_not_at_all)
{
    uint32_t all = 0, none = 0, odd = 0, part = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint32_t count;

        write_in_flight(seed, false, false);
        tp_virtual_io_kill(f.io);
        count = prefix_of_b(100, 3000);
        all += count == 3000;
        none += count == 0;
        part += count > 0 && count < 3000;
        odd += count % 512 != 412 && count > 0 && count < 3000;
    }
    cr_assert(all > 0 && none > 0 && part > 0 && odd > 0);
}

Test(crash, a_killed_direct_write_stops_at_a_sector)
{
    uint32_t part = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint32_t count;

        write_in_flight(seed, true, false);
        tp_virtual_io_kill(f.io);
        count = prefix_of_b(0, 2 * PAGE);
        cr_assert(eq(u32, count % 512, 0));
        part += count > 0 && count < 2 * PAGE;
    }
    cr_assert(part > 0);
}

/* What was with the kernel may land when the successor is already at work. */
Test(crash, a_killed_write_may_land_late)
{
    uint32_t late = 0, earliest = UINT32_MAX, latest = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint32_t before, after, landed = 0;

        write_in_flight(seed, true, false);
        tp_virtual_io_kill(f.io);
        before = prefix_of_b(0, 2 * PAGE);
        tp_virtual_io_destroy(f.io);
        f_boot(&f, seed);
        for (uint32_t i = 0; i < 40; i++) {
            cr_assert(eq(i32, f_do(&f, tp_request_nop()), 0));
            if (landed == 0 && prefix_of_b(0, 2 * PAGE) != before)
                landed = i + 1;
        }
        after = prefix_of_b(0, 2 * PAGE);
        cr_assert(after == before || (before == 0 && after == 2 * PAGE));
        late += after != before;
        earliest = landed != 0 && landed < earliest ? landed : earliest;
        latest = landed > latest ? landed : latest;
    }
    cr_assert(late > 0);
    cr_assert(earliest <= 3 && latest >= 10 && latest <= 16, "%u to %u", earliest, latest);
}

/* The power goes before it has landed: then it happened, up to a sector, or not. The device
 * of this profile loses nothing of what it got. */
Test(crash, a_write_that_would_land_late_is_cut_as_well)
{
    uint32_t none = 0, part = 0, whole = 0;

    f.disk_config.profile = TP_DISK_NVME_PLP;
    for (uint64_t seed = 0; seed < 3 * SEEDS; seed++) {
        struct tp_disk *disk;
        uint32_t len = 0;

        write_in_flight(seed, true, false);
        tp_virtual_io_kill(f.io);
        if (prefix_of_b(0, 2 * PAGE) != 0)
            continue; /* it did not wait */
        f_halt(&f);
        disk = f_cut(&f, seed + 1000); /* a tape unlike that of the kill */
        while (len < 2 * PAGE && f_letter(disk, "/f", len, SECTOR) == 'B')
            len += SECTOR;
        cr_assert(len == 2 * PAGE || f_letter(disk, "/f", len, 4 * PAGE - len) == 'A');
        tp_disk_destroy(disk);
        none += len == 0;
        part += len > 0 && len < 2 * PAGE;
        whole += len == 2 * PAGE;
    }
    f.disk_config.profile = TP_DISK_PARANOID;
    cr_assert(none > 0 && part > 0 && whole > 0, "%u %u %u", none, part, whole);
}

Test(crash, a_kill_leaves_everything_that_completed)
{
    uint64_t hash;

    f_boot(&f, 1);
    f_put(&f, "/f", 'A', 3 * PAGE);
    cr_assert(eq(i32, f_do(&f, tp_request_rename("/f", "/g")), 0));
    hash = tp_disk_hash(f.disk);
    tp_virtual_io_kill(f.io);
    cr_assert(tp_virtual_io_is_dead(f.io));
    cr_assert(eq(u64, tp_disk_hash(f.disk), hash));
    cr_assert(eq(chr, f_letter(f.disk, "/g", 0, 3 * PAGE), 'A'));
}

Test(crash, a_kill_closes_the_files_of_the_dead)
{
    struct tp_fd fd;

    f_boot(&f, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_remove("/f")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/")), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
    tp_virtual_io_kill(f.io);
    cr_assert(eq(u64, tp_disk_usage(f.disk).used_bytes, 0));
    tp_disk_check(f.disk);
}

Test(crash, a_power_cut_tears_a_write_in_flight_at_sectors_only)
{
    uint32_t old = 0, new = 0, part = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char first, last;

        write_in_flight(seed, false, seed % 2 == 0);
        tp_virtual_io_power_cut(f.io);
        tp_disk_check(f.disk);
        first = f_letter(f.disk, "/f", 100, 412);
        last = f_letter(f.disk, "/f", 3072, 28);
        cr_assert(first == 'A' || first == 'B');
        cr_assert(last == 'A' || last == 'B');
        cr_assert(eq(chr, f_letter(f.disk, "/f", 0, 100), 'A'));
        cr_assert(eq(chr, f_letter(f.disk, "/f", 3100, PAGE), 'A'));
        old += first == 'A' && last == 'A';
        new += first == 'B' && last == 'B';
        part += first != last;
    }
    cr_assert(old > 0 && new > 0 && part > 0);
}

Test(crash, what_no_poll_has_taken_never_happened)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        f_free(&f);
        f_boot(&f, seed);
        tp_io_create_dir(f.io, 1, "/d", 0755);
        cr_assert(eq(u32, tp_io_unsubmitted(f.io), 1));
        if (seed % 2 == 0)
            tp_virtual_io_kill(f.io);
        else
            tp_virtual_io_power_cut(f.io);
        cr_assert(eq(int, f_exists(f.disk, "/d"), 0));
    }
}

Test(crash, operations_on_names_in_flight_happened_or_not)
{
    uint32_t made = 0, not_made = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        f_free(&f);
        f_boot(&f, seed);
        tp_io_create_dir(f.io, 1, "/d", 0755);
        tp_io_poll(f.io);
        tp_virtual_io_kill(f.io);
        made += f_exists(f.disk, "/d");
        not_made += !f_exists(f.disk, "/d");
    }
    cr_assert(made > 0 && not_made > 0);
}

/* ------------------------------------------------------------------ every event */

/* Replaces /f atomically, step by step, until it is done or the world has stopped. Result:
 * whether it was done. */
static bool replace(char letter)
{
    struct tp_open_options options = {.write = true, .create_new = true};
    struct tp_request steps[6];
    struct tp_fd fd = {0, 0};

    memset(memory, letter, sizeof memory);
    buf = tp_buf_full(memory, sizeof memory);
    for (uint32_t step = 0; step < 6; step++) {
        struct tp_completion completion;

        switch (step) {
        case 0:
            steps[step] = tp_request_open("/t", options);
            break;
        case 1:
            steps[step] = tp_request_write_at(fd, &buf, 0);
            break;
        case 2:
            steps[step] = tp_request_fsync(fd, 0);
            break;
        case 3:
            steps[step] = tp_request_close(fd);
            break;
        case 4:
            steps[step] = tp_request_rename("/t", "/f");
            break;
        default:
            steps[step] = tp_request_sync_dir("/");
            break;
        }
        steps[step].handle = step + 1;
        tp_io_submit(f.io, &steps[step]);
        while (!tp_io_get_cqe(f.io, step + 1, &completion)) {
            if (tp_virtual_io_is_dead(f.io))
                return false;
            tp_io_park(f.io, TP_NEVER);
        }
        cr_assert(completion.value >= 0);
        if (step == 0)
            fd = tp_io_into_fd(f.io, completion.value);
    }
    return true;
}

/* Cuts the power at every event, several times: the file is old or new, and new once that
 * was acknowledged. */
Test(crash, atomic_replacement_survives_a_cut_at_every_event)
{
    uint32_t old = 0, new = 0;
    bool done = false;

    for (uint64_t event = 1; !done; event++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            char letter;

            f_free(&f);
            f_boot(&f, event * 100 + seed);
            cr_assert(eq(i32, tp_disk_write_file(f.disk, "/f", "AAAA", 4), 0));
            tp_virtual_io_cut_at(f.io, event);
            done = replace('B');
            tp_virtual_io_power_cut(f.io);
            tp_disk_check(f.disk);
            letter = f_letter(f.disk, "/f", 0, 4);
            cr_assert(letter == 'A' || letter == 'B', "event %llu seed %llu: %d",
                      (unsigned long long)event, (unsigned long long)seed, letter);
            if (letter == 'B')
                cr_assert(eq(chr, f_letter(f.disk, "/f", 0, sizeof memory), 'B'));
            if (done)
                cr_assert(eq(chr, letter, 'B'));
            old += letter == 'A';
            new += letter == 'B';
        }
    }
    cr_assert(old > 0 && new > 0);
}

/* ------------------------------------------------------------------ locks */

/* A killed process's lock is free at once or a few operations later; after a power cut, at
 * once. */
static uint32_t operations_until_locked(uint64_t seed, bool power)
{
    uint32_t operations = 0;
    int32_t value;

    f_free(&f);
    f_boot(&f, seed);
    f_put_durable(&f, "/lock", 'A', 1);
    cr_assert(eq(i32, f_do(&f, tp_request_lock(f_open(&f, "/lock", F_RW))), 0));
    if (power)
        tp_virtual_io_power_cut(f.io);
    else
        tp_virtual_io_kill(f.io);
    tp_virtual_io_destroy(f.io);
    cr_assert(eq(int, tp_virtual_io_create(&f.config, &f.io), 0));
    while ((value = f_do(&f, tp_request_lock(f_open(&f, "/lock", F_RW)))) == -EAGAIN)
        operations += 2;
    cr_assert(eq(i32, value, 0));
    value = f_do(&f, tp_request_lock(f_open(&f, "/lock", F_RW)));
    cr_assert(eq(i32, value, -EAGAIN), "the successor has it");
    tp_disk_check(f.disk);
    return operations;
}

Test(crash, a_lock_may_outlive_its_killed_holder_for_a_while)
{
    uint32_t at_once = 0, most = 0;

    for (uint64_t seed = 0; seed < LOCK_SEEDS; seed++) {
        uint32_t operations = operations_until_locked(seed, false);

        at_once += operations == 0;
        most = operations > most ? operations : most;
        cr_assert(eq(u32, operations_until_locked(seed, true), 0));
    }
    cr_assert(at_once > 0 && at_once < LOCK_SEEDS);
    cr_assert(most >= 10 && most <= 16, "%u operations", most);
}

/* One that nobody holds at the kill, and one of a file that is gone, leave nothing. */
Test(crash, a_lock_given_back_before_the_kill_is_free)
{
    for (uint64_t seed = 0; seed < LOCK_SEEDS; seed++) {
        struct tp_fd fd;

        f_free(&f);
        f_boot(&f, seed);
        fd = f_open(&f, "/lock", F_RW);
        cr_assert(eq(i32, f_do(&f, tp_request_lock(fd)), 0));
        f_close(&f, fd);
        cr_assert(eq(i32, f_do(&f, tp_request_lock(f_open(&f, "/gone", F_RW))), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_remove("/gone")), 0));
        tp_virtual_io_kill(f.io);
        tp_virtual_io_destroy(f.io);
        cr_assert(eq(int, tp_virtual_io_create(&f.config, &f.io), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_lock(f_open(&f, "/lock", F_RW))), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_lock(f_open(&f, "/gone", F_RW))), 0));
        tp_disk_check(f.disk);
    }
}

/* The same without the fsync of the file is a bug, and must be found. */
Test(crash, a_replacement_without_fsync_is_caught)
{
    uint32_t torn = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        f_free(&f);
        f_boot(&f, seed);
        cr_assert(eq(i32, tp_disk_write_file(f.disk, "/f", "AAAA", 4), 0));
        f_put(&f, "/t", 'B', PAGE);
        cr_assert(eq(i32, f_do(&f, tp_request_rename("/t", "/f")), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/")), 0));
        tp_virtual_io_power_cut(f.io);
        torn += f_letter(f.disk, "/f", 0, PAGE) != 'B';
    }
    cr_assert(torn > SEEDS / 4);
}

Test(crash, a_stopped_world_delivers_nothing_and_stands_still)
{
    struct tp_completion completion;
    uint64_t events, now;

    f_boot(&f, 1);
    tp_io_nop(f.io, 1);
    tp_virtual_io_cut_at(f.io, 2);
    tp_io_park(f.io, TP_NEVER);
    cr_assert(tp_virtual_io_is_dead(f.io));
    events = tp_virtual_io_events(f.io);
    cr_assert(eq(u64, events, 2));
    now = tp_io_now_ns(f.io);
    tp_io_poll(f.io);
    cr_assert(eq(int, tp_io_get_cqe(f.io, 1, &completion), 0));
    cr_assert(eq(u64, tp_io_now_ns(f.io), now));
    cr_assert(eq(u64, tp_virtual_io_events(f.io), events));
}

/* The tape of a run with a power cut in it gives the same run again. */
Test(crash, a_recorded_cut_replays)
{
    struct tp_disk *first;
    struct tp_tape *replay;
    uint64_t trace;

    write_in_flight(5, false, false);
    f_free(&f);
    f_boot(&f, 5);
    f_put(&f, "/a", 'A', 5 * PAGE);
    f_put(&f, "/b", 'B', 5 * PAGE);
    tp_virtual_io_power_cut(f.io);
    trace = tp_virtual_io_trace_hash(f.io);
    tp_virtual_io_destroy(f.io);
    first = f.disk;
    cr_assert(eq(int, tp_tape_replay(f.tape, &replay), 0));
    f.disk = NULL;
    f.io = NULL;
    f_boot(&f, 6);
    tp_virtual_io_destroy(f.io);
    f.config.tape = replay;
    cr_assert(eq(int, tp_virtual_io_create(&f.config, &f.io), 0));
    f_put(&f, "/a", 'A', 5 * PAGE);
    f_put(&f, "/b", 'B', 5 * PAGE);
    tp_virtual_io_power_cut(f.io);
    cr_assert(eq(u64, tp_virtual_io_trace_hash(f.io), trace));
    cr_assert(eq(u64, tp_disk_hash(f.disk), tp_disk_hash(first)));
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    tp_disk_destroy(first);
    f_free(&f);
    tp_tape_destroy(replay);
}
