/** tests/virtual/limits.c - R10 and R13: resources that run out, short counts, injected
 * errors, orders of completion, cancel, time. */
#include "fixture.h"

#include "io/virtual/random.h"
#include "tests/common/allocator.h"

enum { PAGE = 4096 };

static struct fixture f;
static uint8_t memory[64 * PAGE];

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(limits, .fini = tear_down);

static int32_t claim(uint64_t handle)
{
    struct tp_completion completion;

    tp_io_poll(f.io);
    while (!tp_io_get_cqe(f.io, handle, &completion))
        tp_io_park(f.io, TP_NEVER);
    return completion.value;
}

/* ------------------------------------------------------------------ memory of the host */

Test(limits, memory_that_is_missing_at_creation_leaves_nothing_behind)
{
    struct allocator allocator;
    struct tp_virtual_io_config config = {.allocator = &allocator.hooks, .ops_max = 16};
    struct tp_io *io = NULL;
    uint32_t nth = 0;

    for (int error = -ENOMEM; error != 0;) {
        allocator_init(&allocator);
        allocator.fail_in = ++nth;
        allocator.fails_on = true;
        error = tp_virtual_io_create(&config, &io);
        cr_assert(error == 0 || error == -ENOMEM);
        cr_assert(error == 0 || allocator.live_blocks == 0, "allocation %u", nth);
    }
    cr_assert(lt(u32, 5, nth));
    tp_virtual_io_destroy(io);
    cr_assert(eq(u64, allocator.live_blocks, 0));
}

/* ------------------------------------------------------------------ R10 */

Test(limits, a_full_disk_writes_short_and_then_nothing)
{
    struct tp_fd fd;

    f.disk_config.capacity_bytes = 4 * PAGE;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'A', 3 * PAGE, 0), 3 * PAGE));
    cr_assert(eq(i32, f_write(&f, fd, 'B', 3 * PAGE, 3 * PAGE), PAGE));
    cr_assert(eq(i32, f_write(&f, fd, 'C', 1, 4 * PAGE), -ENOSPC));
    cr_assert(
        eq(i32, f_write(&f, fd, 'C', PAGE, 0), PAGE)); /* what is there can be rewritten */
    cr_assert(eq(i32, f_do(&f, tp_request_fallocate(fd, 4 * PAGE, 1, 0)), -ENOSPC));
    cr_assert(
        eq(i32, f_do(&f, tp_request_truncate(fd, 100 * PAGE)), 0)); /* holes are free */
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, PAGE)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_fallocate(fd, 0, 4 * PAGE, TP_KEEP_SIZE)), 0));
    cr_assert(eq(u64, tp_disk_usage(f.disk).used_bytes, 4 * PAGE));
    tp_disk_set_capacity(f.disk, 2 * PAGE); /* less than there is on it */
    cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 0), PAGE));
    cr_assert(eq(i32, f_write(&f, fd, 'C', 1, 4 * PAGE), -ENOSPC));
    tp_disk_set_capacity(f.disk, 5 * PAGE);
    cr_assert(eq(i32, f_write(&f, fd, 'C', 2 * PAGE, 4 * PAGE), PAGE));
    f_close(&f, fd);
    cr_assert(eq(i32, f_do(&f, tp_request_remove("/f")), 0));
    cr_assert(eq(u64, tp_disk_usage(f.disk).used_bytes, 0));
}

Test(limits, inodes_run_out)
{
    f.disk_config.inodes_max = 3; /* the root is one */
    f_boot(&f, 1);
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/a", 0755)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_symlink("/b", "x")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_open("/c", F_RW)), -ENOSPC));
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/c", 0755)), -ENOSPC));
    cr_assert(eq(i32, f_do(&f, tp_request_remove("/b")), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/c", 0755)), 0));
}

Test(limits, open_files_run_out_and_nothing_is_made)
{
    struct tp_fd fds[3];

    f.config.fds_max = 3;
    f_boot(&f, 1);
    for (uint32_t i = 0; i < 3; i++)
        fds[i] = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_open("/new", F_RW)), -EMFILE));
    cr_assert(eq(int, f_exists(f.disk, "/new"), 0));
    f_close(&f, fds[1]);
    cr_assert(eq(i32, f_do(&f, tp_request_open("/new", F_RW)), 1)); /* lowest first */
}

Test(limits, transfers_fall_short_and_lose_nothing)
{
    uint32_t short_reads = 0, short_writes = 0;
    struct tp_fd fd;

    f.config.faults.short_ppm = 500000;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    for (uint32_t i = 0; i < 200; i++) {
        struct tp_buf buf = tp_buf_full(memory, 1000);
        int32_t written, read;

        memset(memory, (int)i + 1, 1000);
        written = f_do(&f, tp_request_write_at(fd, &buf, 0));
        cr_assert(written > 0 && written <= 1000);
        buf = tp_buf_empty(memory, 1000);
        read = f_do(&f, tp_request_read_at(fd, &buf, 0));
        cr_assert(read > 0 && read <= 1000);
        for (int32_t at = 0; at < read && at < written; at++)
            cr_assert(eq(u8, memory[at], (uint8_t)(i + 1)));
        short_writes += written < 1000;
        short_reads += read < 1000;
    }
    cr_assert(short_reads > 50 && short_reads < 150);
    cr_assert(short_writes > 50 && short_writes < 150);
}

Test(limits, direct_transfers_fall_short_by_sectors)
{
    struct tp_open_options options = F_RW;
    uint8_t *aligned = (uint8_t *)(((uintptr_t)memory + 511) & ~(uintptr_t)511);
    struct tp_fd fd;

    options.direct = true;
    f.config.faults.short_ppm = 500000;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", options);
    for (uint32_t i = 0; i < 100; i++) {
        struct tp_buf buf = tp_buf_full(aligned, 2 * PAGE);
        int32_t written = f_do(&f, tp_request_write_at(fd, &buf, 0));

        cr_assert(written > 0 && written % 512 == 0);
    }
}

/* Move the failure one operation later each round, until it falls past the end. */
Test(limits, the_nth_operation_fails_with_the_chosen_error)
{
    uint64_t operations = UINT64_MAX;

    for (uint64_t nth = 1; nth <= operations; nth++) {
        struct tp_virtual_faults faults = {.fail_nth = nth, .fail_errno = EDQUOT};
        int32_t results[4];
        uint32_t failed = 0;

        f_free(&f);
        f_boot(&f, 1);
        tp_virtual_io_set_faults(f.io, &faults);
        results[0] = f_do(&f, tp_request_create_dir("/a", 0755));
        results[1] = f_do(&f, tp_request_create_dir("/b", 0755));
        results[2] = f_do(&f, tp_request_nop());
        results[3] = f_do(&f, tp_request_sync_dir("/"));
        operations = tp_virtual_io_operations(f.io);
        cr_assert(eq(u64, operations, 4));
        for (uint32_t i = 0; i < 4; i++) {
            cr_assert(results[i] == 0 || results[i] == -EDQUOT);
            failed += results[i] != 0;
        }
        cr_assert(eq(u32, failed, nth == 3 ? 0 : 1)); /* a nop never fails */
        cr_assert(eq(int, f_exists(f.disk, "/a"), nth != 1));
        cr_assert(eq(int, f_exists(f.disk, "/b"), nth != 2));
    }
}

Test(limits, only_operations_of_the_chosen_kind_count)
{
    struct tp_virtual_faults faults = {
        .fail_nth = 2, .fail_kind = TP_FSYNC, .fail_errno = EIO};
    struct tp_fd fd;

    f_boot(&f, 1);
    tp_virtual_io_set_faults(f.io, &faults);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'A', 10, 0), 10));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), -EIO));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
}

/* The retry says 0, and the data are lost all the same: fsync is not to be retried. */
Test(limits, a_failed_fsync_leaves_clean_pages_that_are_not_durable)
{
    struct tp_virtual_faults faults = {.fail_nth = 1, .fail_kind = TP_FSYNC};
    struct tp_disk *disk;
    struct tp_fd fd;

    f_boot(&f, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
    tp_virtual_io_set_faults(f.io, &faults);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), -EIO));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    f_halt(&f);
    cr_assert(eq(chr, f_letter(f.disk, "/f", 0, PAGE), 'B')); /* memory still has it */
    for (uint64_t seed = 0; seed < 20; seed++) {
        disk = f_cut(&f, seed);
        cr_assert(eq(chr, f_letter(disk, "/f", 0, PAGE), 'A'));
        tp_disk_destroy(disk);
    }
}

Test(limits, a_close_that_fails_has_closed)
{
    struct tp_virtual_faults faults = {.fail_nth = 1, .fail_kind = TP_CLOSE};
    struct tp_fd fd;

    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    tp_virtual_io_set_faults(f.io, &faults);
    cr_assert(eq(i32, f_do(&f, tp_request_close(fd)), -EIO));
    cr_assert(eq(i32, f_do(&f, tp_request_close(fd)), -EBADF));
    cr_assert(
        eq(i32, f_do(&f, tp_request_open("/f", F_RW)), 0)); /* the number is free again */
}

Test(limits, errors_come_at_their_rates)
{
    uint32_t eintr = 0, eagain = 0, eio = 0;
    struct tp_fd fd;

    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    tp_virtual_io_set_faults(f.io, &(struct tp_virtual_faults){.error_ppm = 100000,
                                                               .eintr_ppm = 100000,
                                                               .eagain_ppm = 100000});
    for (uint32_t i = 0; i < 1000; i++) {
        int32_t value = f_write(&f, fd, 'A', 10, 0);

        eio += value == -EIO;
        eintr += value == -EINTR;
        eagain += value == -EAGAIN;
    }
    cr_assert(eio > 60 && eio < 140);
    cr_assert(eintr > 60 && eintr < 140);
    cr_assert(eagain > 60 && eagain < 140);
}

Test(limits, a_queue_of_one_takes_one_operation_at_a_time)
{
    uint64_t order = 0;

    f.config.queue_max = 1;
    f_boot(&f, 1);
    for (uint64_t handle = 1; handle <= 50; handle++)
        tp_io_nop(f.io, handle);
    while (tp_io_in_flight(f.io) > 0) {
        struct tp_completions *list = tp_io_completions(f.io);

        tp_io_park(f.io, TP_NEVER);
        cr_assert(list->count <= 1);
        for (uint32_t i = 0; i < list->count; i++)
            cr_assert(eq(u64, list->items[i].handle, ++order)); /* and keeps the order */
        tp_completions_clear(list);
    }
    cr_assert(eq(u64, tp_io_stats(f.io)->held_back, 49));
}

/* ------------------------------------------------------------------ R13 */

/* Which of three nops completed in which order, as a number of base 4. */
static uint32_t order_of_three(uint64_t seed, bool instant)
{
    uint32_t order = 0;

    f_free(&f);
    f.config.instant = instant;
    f_boot(&f, seed);
    for (uint64_t handle = 1; handle <= 3; handle++)
        tp_io_nop(f.io, handle);
    while (tp_io_in_flight(f.io) > 0) {
        struct tp_completions *list = tp_io_completions(f.io);

        tp_io_park(f.io, TP_NEVER);
        for (uint32_t i = 0; i < list->count; i++)
            order = order * 4 + (uint32_t)list->items[i].handle;
        tp_completions_clear(list);
    }
    return order;
}

Test(limits, completions_come_in_every_order)
{
    for (uint32_t instant = 0; instant < 2; instant++) {
        bool seen[64] = {false};
        uint32_t orders = 0;

        for (uint64_t seed = 0; seed < 200; seed++) {
            uint32_t order = order_of_three(seed, instant != 0);

            orders += !seen[order];
            seen[order] = true;
        }
        cr_assert(eq(u32, orders, 6));
    }
}

/* Two writes to the same place in flight: either may be the last. */
Test(limits, writes_in_flight_race)
{
    static uint8_t other[PAGE];
    uint32_t first = 0, second = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct tp_buf a = tp_buf_full(memory, PAGE);
        struct tp_buf b = tp_buf_full(other, PAGE);
        struct tp_fd fd;

        f_free(&f);
        f_boot(&f, seed);
        fd = f_open(&f, "/f", F_RW);
        memset(memory, 'A', PAGE);
        memset(other, 'B', PAGE);
        tp_io_write_at(f.io, 1, fd, &a, 0);
        tp_io_write_at(f.io, 2, fd, &b, 0);
        cr_assert(eq(i32, claim(1), PAGE));
        cr_assert(eq(i32, claim(2), PAGE));
        first += f_letter(f.disk, "/f", 0, PAGE) == 'A';
        second += f_letter(f.disk, "/f", 0, PAGE) == 'B';
    }
    cr_assert(first > 10 && second > 10);
    cr_assert(eq(u32, first + second, 100));
}

Test(limits, a_cancel_wins_loses_or_comes_half_way)
{
    uint32_t stopped = 0, lost = 0, in_vain = 0, part = 0, gone = 0;

    for (uint64_t seed = 0; seed < 400; seed++) {
        struct tp_buf buf = tp_buf_full(memory, 2 * PAGE);
        int32_t value, answer;
        struct tp_fd fd;

        f_free(&f);
        f_boot(&f, seed);
        fd = f_open(&f, "/f", F_RW);
        memset(memory, 'A', 2 * PAGE);
        tp_io_write_at(f.io, 1, fd, &buf, 0);
        tp_io_poll(f.io);
        tp_io_cancel(f.io, 2, 1);
        answer = claim(2);
        value = claim(1);
        cr_assert(answer == 0 || answer == -ENOENT || answer == -EALREADY);
        cr_assert(value == -ECANCELED || (value > 0 && value <= 2 * PAGE));
        cr_assert(value != -ECANCELED || answer == 0);
        cr_assert(eq(u64, f_size(f.disk, "/f"), value < 0 ? 0 : (uint64_t)value));
        stopped += value == -ECANCELED;
        lost += answer == -EALREADY && value == 2 * PAGE;
        in_vain += answer == 0 && value == 2 * PAGE;
        part += value > 0 && value < 2 * PAGE;
        gone += answer == -ENOENT;
    }
    cr_assert(stopped > 0 && lost > 0 && in_vain > 0 && part > 0 && gone > 0);
}

Test(limits, a_cancel_that_nobody_waits_for_leaves_no_completion)
{
    f_boot(&f, 1);
    tp_io_nop(f.io, 1);
    tp_io_cancel(f.io, 0, 1);
    tp_io_cancel(f.io, 0, 99);
    (void)claim(1);
    cr_assert(eq(u32, tp_io_in_flight(f.io), 0));
    for (uint32_t i = 0; i < 10; i++)
        tp_io_park(f.io, tp_io_now_ns(f.io) + 1000000);
    cr_assert(eq(u32, tp_io_completions(f.io)->live, 0));
}

/* ------------------------------------------------------------------ time */

Test(limits, a_park_jumps_to_its_deadline)
{
    uint64_t wall;

    f_boot(&f, 1);
    wall = tp_io_wall_ns(f.io);
    tp_io_park(f.io, UINT64_C(3600000000000));
    cr_assert(eq(u64, tp_io_now_ns(f.io), UINT64_C(3600000000000)));
    cr_assert(eq(u64, tp_io_wall_ns(f.io), wall + UINT64_C(3600000000000)));
}

/* A loop that only polls must see its operations complete. */
Test(limits, time_passes_in_a_busy_loop)
{
    struct tp_completion completion;
    uint32_t polls = 0;

    f_boot(&f, 1);
    tp_io_nop(f.io, 1);
    while (!tp_io_get_cqe(f.io, 1, &completion)) {
        tp_io_poll(f.io);
        polls++;
        cr_assert(polls < 100000);
    }
}

Test(limits, a_wake_ends_a_park)
{
    uint64_t before;

    f_boot(&f, 1);
    tp_io_nop(f.io, 1);
    tp_io_poll(f.io);
    before = tp_io_now_ns(f.io);
    tp_io_wake(f.io);
    tp_io_park(f.io, TP_NEVER);
    cr_assert(tp_io_now_ns(f.io) < before + 10000);
    (void)claim(1);
}

Test(limits, latencies_are_as_configured)
{
    struct tp_virtual_latency latency = {.base_ns = 50000, .spread_ns = 100000};
    uint64_t sum = 0;

    f.config.latency = latency;
    f.config.poll_cost_ns = 1;
    f_boot(&f, 1);
    for (uint32_t i = 0; i < 4000; i++) {
        uint64_t start = tp_io_now_ns(f.io);

        cr_assert(eq(i32, f_do(&f, tp_request_nop()), 0));
        cr_assert(tp_io_now_ns(f.io) - start >= 50000);
        sum += tp_io_now_ns(f.io) - start;
    }
    cr_assert(sum / 4000 > 140000 && sum / 4000 < 160000, "mean %llu",
              (unsigned long long)(sum / 4000));
}

/* The tail is rare and long, some take no time at all, and nothing lies between. */
Test(limits, some_operations_take_long_and_some_no_time)
{
    struct tp_virtual_latency latency = {.base_ns = 50000,
                                         .spread_ns = 1000,
                                         .tail_ppm = 50000,
                                         .tail_factor = 1000,
                                         .zero_ppm = 100000};
    uint32_t none = 0, usual = 0, tail = 0;

    f.config.latency = latency;
    f.config.poll_cost_ns = 1;
    f_boot(&f, 1);
    for (uint32_t i = 0; i < 4000; i++) {
        uint64_t start = tp_io_now_ns(f.io);
        uint64_t took;

        cr_assert(eq(i32, f_do(&f, tp_request_nop()), 0));
        took = tp_io_now_ns(f.io) - start;
        none += took < 100; /* but for the polls */
        usual += took >= 50000 && took < 100000;
        tail += took >= 1050000;
    }
    cr_assert(none > 300 && none < 500, "%u", none);
    cr_assert(tail > 140 && tail < 260, "%u", tail);
    cr_assert(eq(u32, none + usual + tail, 4000));
}

Test(limits, what_makes_no_sense_is_refused)
{
    struct tp_virtual_io_config config = {.size = sizeof config + 8};
    struct tp_disk_config disk_config = {.sector_bytes = 1000};
    struct tp_disk *disk;
    struct tp_io *io;

    cr_assert(eq(int, tp_virtual_io_create(&config, &io), -EINVAL));
    config.size = 0;
    config.faults.short_ppm = 1000001;
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), -EINVAL));
    cr_assert(eq(int, tp_disk_create(&disk_config, &disk), -EINVAL));
    cr_assert(eq(int, tp_virtual_io_create(NULL, &io), 0));
    tp_virtual_io_destroy(io);
    tp_virtual_io_destroy(NULL);
}
