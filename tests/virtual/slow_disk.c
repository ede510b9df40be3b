/** tests/virtual/slow_disk.c - R11 and R12: a disk that stalls, is slow or never answers,
 * and writes that overlap in flight. */
#include "fixture.h"

#include "tests/common/expect_stop.h"

enum { PAGE = 4096, ALWAYS = 1000000, SEEDS = 60 };

#define MILLISECOND UINT64_C(1000000)

static struct fixture f;
static uint8_t first[4 * PAGE], second[4 * PAGE];

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(slow_disk, .fini = tear_down);

static void set_faults(struct tp_virtual_faults faults)
{
    tp_virtual_io_set_faults(f.io, &faults);
}

static const struct tp_virtual_faults none;

static uint64_t time_of_a_write(struct tp_fd fd)
{
    uint64_t start = tp_io_now_ns(f.io);

    cr_assert(eq(i32, f_write(&f, fd, 'A', PAGE, 0), PAGE));
    return tp_io_now_ns(f.io) - start;
}

/* ------------------------------------------------------------------ R11 */

/* All operations wait for the end of a stall, also those that begin in it. */
Test(slow_disk, a_stall_holds_everything_up)
{
    uint64_t longest = 0, shortest = UINT64_MAX;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_completion completion;
        struct tp_buf buf;
        struct tp_fd fd;
        uint64_t start, one, other;

        f_free(&f);
        f_boot(&f, seed);
        fd = f_open(&f, "/f", F_RW);
        start = tp_io_now_ns(f.io);
        set_faults((struct tp_virtual_faults){.stall_ppm = ALWAYS});
        buf = tp_buf_full(first, PAGE);
        tp_io_write_at(f.io, 1, fd, &buf, 0);
        tp_io_poll(f.io);
        set_faults((struct tp_virtual_faults){.stall_ppm = 1}); /* no more, as good as */
        one = time_of_a_write(fd);
        while (!tp_io_get_cqe(f.io, 1, &completion))
            tp_io_park(f.io, TP_NEVER);
        other = tp_io_now_ns(f.io) - start;
        cr_assert(one >= MILLISECOND / 2 && other >= MILLISECOND);
        longest = one > longest ? one : longest;
        shortest = one < shortest ? one : shortest;
        cr_assert(time_of_a_write(fd) < 10 * MILLISECOND); /* it is over */
        set_faults((struct tp_virtual_faults){.stall_ppm = ALWAYS});
        tp_io_write_at(f.io, 2, fd, &buf, 0);
        tp_io_poll(f.io);
        set_faults(none); /* with the faults their stalls end */
        cr_assert(time_of_a_write(fd) < 10 * MILLISECOND);
        cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_STALL), 2));
    }
    cr_assert(shortest < 20 * MILLISECOND, "%llu", (unsigned long long)shortest);
    cr_assert(longest > 1000 * MILLISECOND, "%llu", (unsigned long long)longest);
}

Test(slow_disk, a_throttled_disk_is_slower_for_a_while)
{
    struct tp_fd fd;
    uint64_t usual = 0, slow = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        f_free(&f);
        f_boot(&f, seed);
        fd = f_open(&f, "/f", F_RW);
        usual += time_of_a_write(fd);
        set_faults((struct tp_virtual_faults){.throttle_ppm = ALWAYS});
        slow += time_of_a_write(fd);
        set_faults(none);
        tp_io_park(f.io, tp_io_now_ns(f.io) + 40000 * MILLISECOND);
        usual += time_of_a_write(fd);
    }
    cr_assert(slow > 3 * usual, "%llu and %llu", (unsigned long long)slow,
              (unsigned long long)usual);
}

/* It never completes, cannot be cancelled, and ends with the Io: by a kill it happened or
 * not. */
Test(slow_disk, a_hung_operation_never_completes)
{
    uint32_t happened = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_completion completion;
        struct tp_buf buf = tp_buf_full(first, PAGE);
        struct tp_fd fd;

        f_free(&f);
        f_boot(&f, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        fd = f_open(&f, "/f", F_RW);
        memset(first, 'B', PAGE);
        set_faults((struct tp_virtual_faults){.hang_ppm = ALWAYS});
        tp_io_write_at(f.io, 1, fd, &buf, 0);
        tp_io_poll(f.io);
        set_faults(none);
        cr_assert(time_of_a_write(f_open(&f, "/other", F_RW)) < 100 * MILLISECOND);
        cr_assert(eq(i32, f_do(&f, tp_request_cancel(1)), -EALREADY));
        tp_io_park(f.io, tp_io_now_ns(f.io) + 3600000 * MILLISECOND);
        cr_assert(eq(int, tp_io_get_cqe(f.io, 1, &completion), 0));
        cr_assert(eq(chr, f_letter(f.disk, "/f", 0, PAGE), 'A'));
        if (seed % 2 == 0) {
            tp_virtual_io_kill(f.io);
            happened += f_letter(f.disk, "/f", 0, PAGE) == 'B';
        }
        f_halt(&f); /* or in order: it is given up */
    }
    cr_assert(happened > 0 && happened < SEEDS / 2, "%u", happened);
}

/* A sync of a small file is as slow as the data of the large one are many. */
Test(slow_disk, a_sync_waits_behind_the_data_of_other_files)
{
    static uint8_t large[64 * PAGE];
    struct tp_buf buf = tp_buf_full(large, sizeof large);
    struct tp_fd fd, other;
    uint64_t start;

    f.disk_config.writeback_off = true;
    f_boot(&f, 1);
    fd = f_open(&f, "/small", F_RW);
    other = f_open(&f, "/large", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_write_at(other, &buf, 0)), sizeof large));
    cr_assert(eq(i32, f_write(&f, fd, 'A', 1, 0), 1));
    set_faults((struct tp_virtual_faults){.sync_queue_ppm = ALWAYS});
    start = tp_io_now_ns(f.io);
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    cr_assert(tp_io_now_ns(f.io) - start >= 65 * 20000);
    cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_SYNC_QUEUE), 1));
}

/* ------------------------------------------------------------------ R12 */

/* Two writes of the same four pages in flight together. */
static void overlap(uint64_t seed, struct tp_virtual_faults faults)
{
    struct tp_buf one = tp_buf_full(first, sizeof first);
    struct tp_buf two = tp_buf_full(second, sizeof second);
    struct tp_completion completion;
    struct tp_fd fd;

    f_free(&f);
    f_boot(&f, seed);
    f_put_durable(&f, "/f", 'A', 4 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    memset(first, '1', sizeof first);
    memset(second, '2', sizeof second);
    set_faults(faults);
    tp_io_write_at(f.io, 1, fd, &one, 0);
    tp_io_write_at(f.io, 2, fd, &two, 0);
    for (uint64_t handle = 1; handle <= 2; handle++) {
        while (!tp_io_get_cqe(f.io, handle, &completion))
            tp_io_park(f.io, TP_NEVER);
        cr_assert(eq(i32, completion.value, 4 * PAGE));
    }
}

/* Every page is of the one or of the other; with the fault on, mixtures of all kinds. */
Test(slow_disk, pages_of_overlapping_writes_interleave)
{
    uint32_t seen = 0;

    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
        uint32_t mask = 0;

        overlap(seed, (struct tp_virtual_faults){.interleave_ppm = ALWAYS});
        for (uint32_t page = 0; page < 4; page++) {
            char letter = f_letter(f.disk, "/f", (uint64_t)page * PAGE, PAGE);

            cr_assert(letter == '1' || letter == '2');
            mask |= (letter == '2') << page;
        }
        seen |= 1U << mask;
    }
    cr_assert(eq(u32, seen, 0xffff));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        overlap(seed, none);
        cr_assert(ne(chr, f_letter(f.disk, "/f", 0, 4 * PAGE), '?'));
    }
}

static void overlap_with_the_check_on(void *argument)
{
    (void)argument;
    f.config.overlaps = TP_VIRTUAL_ON;
    overlap(1, none);
}

Test(slow_disk, overlapping_writes_stop_the_program_when_asked)
{
    expect_stop(overlap_with_the_check_on, NULL, "writes that overlap", "(handle 1)",
                "(handle 2)");
}

/* Neighbours do not overlap, nor do writes one after the other. */
Test(slow_disk, the_check_leaves_other_writes_alone)
{
    struct tp_buf one = tp_buf_full(first, PAGE);
    struct tp_buf two = tp_buf_full(second, PAGE);
    struct tp_completion completion;
    struct tp_fd fd;

    f.config.overlaps = TP_VIRTUAL_ON;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'A', 2 * PAGE, 0), 2 * PAGE));
    tp_io_write_at(f.io, 1, fd, &one, 0);
    tp_io_write_at(f.io, 2, fd, &two, PAGE);
    for (uint64_t handle = 1; handle <= 2; handle++) {
        while (!tp_io_get_cqe(f.io, handle, &completion))
            tp_io_park(f.io, TP_NEVER);
    }
}
