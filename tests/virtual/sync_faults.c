/** tests/virtual/sync_faults.c - R7, R7b and R8: what is lost on its way to the disk, who
 * is told and how often, and what a file system does whose journal has failed. */
#include "fixture.h"

enum { PAGE = 4096, SECTOR = 512, ALWAYS = 1000000 };

static struct fixture f;
static _Alignas(PAGE) uint8_t memory[4 * PAGE];

static void set_up(void)
{
    f.disk_config.writeback_off = true; /* what moves down is what a test moves */
}

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(sync_faults, .init = set_up, .fini = tear_down);

static void set_faults(struct tp_virtual_faults faults)
{
    tp_virtual_io_set_faults(f.io, &faults);
}

static void start(uint32_t profile, uint64_t seed)
{
    f_free(&f);
    f.disk_config.profile = profile;
    f_boot(&f, seed);
}

static int32_t sync_of(struct tp_fd fd)
{
    return f_do(&f, tp_request_fsync(fd, 0));
}

/* What a program reads there. */
static char letter_of(struct tp_fd fd, uint64_t offset, uint32_t len)
{
    struct tp_buf buf = tp_buf_empty(memory, len);

    cr_assert(eq(i32, f_do(&f, tp_request_read_at(fd, &buf, offset)), (int32_t)len));
    for (uint32_t i = 1; i < len; i++) {
        if (memory[i] != memory[0])
            return '?';
    }
    return (char)memory[0];
}

/* Four pages of A that are durable, with B over them that is not. */
static struct tp_fd four_dirty_pages(void)
{
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 4 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'B', 4 * PAGE, 0), 4 * PAGE));
    return fd;
}

/* Which pages are B after a power cut that keeps all it can: bit i for page i. */
static uint32_t durable_pages(void)
{
    struct tp_tape *zeros;
    struct tp_disk *disk;
    uint32_t kept = 0;

    f_halt(&f);
    cr_assert(eq(int, tp_disk_clone(f.disk, &disk), 0));
    cr_assert(eq(int, tp_tape_from_bytes(NULL, 0, NULL, &zeros), 0));
    tp_disk_power_cut(disk, zeros, 0);
    for (uint32_t page = 0; page < 4; page++)
        kept |= (f_letter(disk, "/f", (uint64_t)page * PAGE, PAGE) == 'B') << page;
    tp_disk_destroy(disk);
    tp_tape_destroy(zeros);
    return kept;
}

/* ------------------------------------------------------------------ R7 */

/* Every errno is seen; one page, all pages and mixtures are lost; and the next fsync is 0.
 */
Test(sync_faults, a_failed_sync_loses_pages_and_the_next_says_nothing)
{
    uint32_t errnos = 0, all = 0, oldest = 0, mixture = 0;

    for (uint64_t seed = 0; seed < 150; seed++) {
        struct tp_fd fd;
        int32_t error;
        uint32_t kept;

        start(TP_DISK_EXT4, seed);
        fd = four_dirty_pages();
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        error = sync_of(fd);
        cr_assert(error == -EIO || error == -ENOSPC || error == -EDQUOT);
        errnos |= error == -EIO ? 1 : error == -ENOSPC ? 2 : 4;
        set_faults((struct tp_virtual_faults){.fail_nth = 0});
        cr_assert(eq(chr, letter_of(fd, 0, 4 * PAGE), 'B')); /* memory has it all */
        cr_assert(eq(i32, sync_of(fd), 0));
        cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_SYNC_ERROR), 1));
        kept = durable_pages();
        all += kept == 0;
        oldest += kept == 14;
        mixture += kept != 0 && kept != 14 && kept != 15;
    }
    cr_assert(eq(u32, errnos, 7));
    cr_assert(all > 10 && oldest > 10 && mixture > 10, "%u %u %u", all, oldest, mixture);
}

Test(sync_faults, memory_has_the_old_after_an_eviction)
{
    uint32_t old = 0;

    for (uint64_t seed = 0; seed < 30; seed++) {
        struct tp_fd fd;

        start(TP_DISK_XFS, seed);
        fd = four_dirty_pages();
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(sync_of(fd) < 0);
        set_faults((struct tp_virtual_faults){.evict_ppm = ALWAYS});
        old += letter_of(fd, 0, PAGE) == 'A';
        cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_EVICT),
                     letter_of(fd, 0, PAGE) == 'A'));
        set_faults((struct tp_virtual_faults){.fail_nth = 0});
        cr_assert(
            eq(i32, f_write(&f, fd, 'C', PAGE, 0), PAGE)); /* a new write is as ever */
        cr_assert(eq(i32, sync_of(fd), 0));
        f_halt(&f);
        cr_assert(eq(chr, f_letter(f.disk, "/f", 0, PAGE), 'C'));
    }
    cr_assert(old > 15, "%u", old);
}

/* Past the page cache one reads what the device has, page by page. */
Test(sync_faults, a_direct_read_shows_what_was_lost)
{
    uint32_t lost = 0;

    for (uint64_t seed = 0; seed < 30; seed++) {
        struct tp_open_options options = F_RW;
        uint32_t kept = 0;
        struct tp_fd fd;

        start(TP_DISK_XFS, seed);
        fd = four_dirty_pages();
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(sync_of(fd) < 0);
        set_faults((struct tp_virtual_faults){.fail_nth = 0});
        options.direct = true;
        fd = f_open(&f, "/f", options);
        for (uint32_t page = 0; page < 4; page++)
            kept |= (letter_of(fd, (uint64_t)page * PAGE, PAGE) == 'B') << page;
        lost += kept != 15;
        cr_assert(eq(u32, durable_pages(), kept));
    }
    cr_assert(lost > 15, "%u", lost);
}

/* Bytes past the end stay zeros, whatever the media have there: a file that grows shows
 * none of it. */
Test(sync_faults, an_eviction_shows_nothing_past_the_end)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tp_fd fd;

        start(TP_DISK_EXT4, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 100)), 0));
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(sync_of(fd) < 0);
        set_faults((struct tp_virtual_faults){.evict_ppm = ALWAYS});
        cr_assert(eq(chr, letter_of(fd, 0, 100), 'A'));
        tp_disk_check(f.disk);
        cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, PAGE)), 0));
        cr_assert(eq(chr, letter_of(fd, 100, PAGE - 100), 0));
        tp_disk_check(f.disk);
    }
}

/* Only paranoid forgets the new content at once. */
Test(sync_faults, memory_may_revert_at_once_under_paranoid_alone)
{
    for (uint32_t profile = 0; profile < TP_DISK_DIRECT; profile++) {
        uint32_t reverted = 0;

        for (uint64_t seed = 0; seed < 20; seed++) {
            struct tp_fd fd;

            start(profile, seed);
            fd = four_dirty_pages();
            set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
            cr_assert(sync_of(fd) < 0);
            reverted += letter_of(fd, 0, 4 * PAGE) != 'B';
        }
        cr_assert(eq(int, reverted > 0, profile == TP_DISK_PARANOID), "%s: %u",
                  tp_disk_profile_name(profile), reverted);
    }
}

/* Open at the time: told once. Opened later: told if nobody was yet. */
Test(sync_faults, each_description_is_told_once)
{
    struct tp_fd first, second, later, last;

    start(TP_DISK_EXT4, 1);
    first = four_dirty_pages();
    second = f_open(&f, "/f", F_RW);
    set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
    cr_assert(sync_of(first) < 0);
    set_faults((struct tp_virtual_faults){.fail_nth = 0});
    later = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, sync_of(later), 0)); /* first has been told already */
    cr_assert(eq(i32, sync_of(first), 0));
    cr_assert(sync_of(second) < 0);
    cr_assert(eq(i32, sync_of(second), 0));
    last = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, sync_of(last), 0));
}

/* Nobody was told of a failure in the background: the next to sync is, also if he came
 * later, and after him those who were there. */
Test(sync_faults, a_page_lost_in_the_background_is_told_by_the_next_sync)
{
    struct tp_fd first, later;
    int32_t error;

    start(TP_DISK_EXT4, 1);
    first = four_dirty_pages();
    set_faults((struct tp_virtual_faults){.writeback_error_ppm = ALWAYS});
    cr_assert(eq(i32, f_write(&f, first, 'B', 10, 0), 10));
    cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_WRITEBACK_ERROR), 1));
    set_faults((struct tp_virtual_faults){.fail_nth = 0});
    later = f_open(&f, "/f", F_RW);
    error = sync_of(later);
    cr_assert(error == -EIO || error == -ENOSPC || error == -EDQUOT);
    cr_assert(eq(i32, sync_of(first), error));
    cr_assert(eq(i32, sync_of(first), 0));
    cr_assert(ne(u32, durable_pages(), 15));
}

Test(sync_faults, the_injected_nth_failure_is_told_to_all_as_well)
{
    struct tp_fd first, second;

    start(TP_DISK_EXT4, 1);
    first = four_dirty_pages();
    second = f_open(&f, "/f", F_RW);
    set_faults((struct tp_virtual_faults){.fail_nth = 1, .fail_errno = EDQUOT});
    cr_assert(eq(i32, sync_of(first), -EDQUOT));
    cr_assert(eq(i32, sync_of(first), 0));
    cr_assert(eq(i32, sync_of(second), -EDQUOT));
    cr_assert(eq(u32, durable_pages(), 0));
}

/* A direct write that fails leaves old, new, or a mixture of whole sectors. */
Test(sync_faults, a_failed_direct_write_leaves_old_new_or_a_mixture)
{
    uint32_t old = 0, new = 0, mixture = 0;

    for (uint64_t seed = 0; seed < 60; seed++) {
        struct tp_open_options options = F_RW;
        struct tp_fd fd;
        char letter;

        start(TP_DISK_EXT4, seed);
        f_put_durable(&f, "/f", 'A', 4 * PAGE);
        options.direct = true;
        fd = f_open(&f, "/f", options);
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(f_write(&f, fd, 'B', 2 * PAGE, PAGE) < 0);
        letter = f_letter(f.disk, "/f", PAGE, 2 * PAGE);
        for (uint32_t at = 0; at < 2 * PAGE; at += SECTOR)
            cr_assert(ne(chr, f_letter(f.disk, "/f", PAGE + at, SECTOR), '?'));
        old += letter == 'A';
        new += letter == 'B';
        mixture += letter == '?';
        cr_assert(eq(chr, f_letter(f.disk, "/f", 0, PAGE), 'A'));
        cr_assert(eq(chr, f_letter(f.disk, "/f", 3 * PAGE, PAGE), 'A'));
    }
    cr_assert(old > 5 && new > 5 && mixture > 5, "%u %u %u", old, new, mixture);
}

Test(sync_faults, a_failed_dsync_write_is_in_memory_and_perhaps_not_durable)
{
    uint32_t lost = 0;

    for (uint64_t seed = 0; seed < 30; seed++) {
        struct tp_open_options options = F_RW;
        struct tp_fd fd;

        start(TP_DISK_EXT4, seed);
        f_put_durable(&f, "/f", 'A', 4 * PAGE);
        options.dsync = true;
        fd = f_open(&f, "/f", options);
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(f_write(&f, fd, 'B', 4 * PAGE, 0) < 0);
        set_faults((struct tp_virtual_faults){.fail_nth = 0});
        cr_assert(eq(chr, letter_of(fd, 0, 4 * PAGE), 'B'));
        cr_assert(eq(i32, sync_of(fd), 0)); /* it was told by the write */
        lost += durable_pages() != 15;
    }
    cr_assert(lost > 15, "%u", lost);
}

/* What else of the file is dirty is nothing to a failed O_DSYNC write: it can be synced. */
Test(sync_faults, a_failed_dsync_write_loses_nothing_beside_it)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct tp_open_options options = F_RW;
        struct tp_fd fd;

        start(TP_DISK_EXT4, seed);
        fd = four_dirty_pages();
        options.dsync = true;
        set_faults((struct tp_virtual_faults){.sync_error_ppm = ALWAYS});
        cr_assert(f_write(&f, f_open(&f, "/f", options), 'B', PAGE, PAGE) < 0);
        set_faults((struct tp_virtual_faults){.fail_nth = 0});
        (void)sync_of(fd); /* it is told of the failure as well */
        cr_assert(eq(u32, durable_pages() | 2, 15));
    }
}

/* ------------------------------------------------------------------ R7b */

static const struct {
    uint32_t profile;
    int32_t write, sync, read;
} after_failure[] = {
    {TP_DISK_EXT4, -EROFS, -EROFS, PAGE},
    {TP_DISK_BTRFS, -EROFS, 0, PAGE},
    {TP_DISK_XFS, -EIO, -EIO, -EIO},
};

Test(sync_faults, a_journal_that_has_failed_takes_no_change_until_the_power_is_cut)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct tp_buf buf = tp_buf_empty(memory, PAGE);
        struct tp_fd fd;

        start(after_failure[i].profile, i);
        fd = four_dirty_pages();
        set_faults((struct tp_virtual_faults){.journal_ppm = ALWAYS});
        cr_assert(eq(i32, sync_of(fd), -EIO)); /* once, whatever the file system */
        cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 0), after_failure[i].write));
        cr_assert(
            eq(i32, f_do(&f, tp_request_create_dir("/d", 0755)), after_failure[i].write));
        cr_assert(eq(i32, f_do(&f, tp_request_open("/f", F_RW)), after_failure[i].write));
        cr_assert(eq(i32, sync_of(fd), after_failure[i].sync));
        cr_assert(eq(i32, f_do(&f, tp_request_sync_dir("/")), after_failure[i].sync));
        cr_assert(
            eq(i32, f_do(&f, tp_request_read_at(fd, &buf, 0)), after_failure[i].read));
        cr_assert(eq(i32, f_do(&f, tp_request_close(fd)), 0));
        tp_virtual_io_kill(f.io); /* a successor finds it as it was */
        tp_virtual_io_destroy(f.io);
        cr_assert(eq(int, tp_virtual_io_create(&f.config, &f.io), 0));
        cr_assert(
            eq(i32, f_do(&f, tp_request_create_dir("/d", 0755)), after_failure[i].write));
        tp_virtual_io_power_cut(f.io);
        tp_virtual_io_destroy(f.io);
        cr_assert(eq(int, tp_virtual_io_create(&f.config, &f.io), 0));
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 0), PAGE));
        cr_assert(eq(i32, sync_of(fd), 0));
    }
}

/* What was under way with the journal is lost, names and sizes too; paranoid has met each
 * of the three behaviours. */
Test(sync_faults, under_paranoid_a_failed_journal_is_any_of_them)
{
    uint32_t results = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct tp_disk *disk;
        struct tp_fd fd;
        int32_t again;

        start(TP_DISK_PARANOID, seed);
        fd = four_dirty_pages();
        f_put(&f, "/new", 'B', PAGE);
        cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 4 * PAGE), PAGE));
        set_faults((struct tp_virtual_faults){.journal_ppm = ALWAYS});
        cr_assert(eq(i32, sync_of(fd), -EIO));
        again = sync_of(fd);
        results |= again == 0 ? 1 : again == -EROFS ? 2 : 4;
        f_halt(&f);
        disk = f_cut(&f, seed);
        cr_assert(eq(int, f_exists(disk, "/new"), 0));
        cr_assert(eq(u64, f_size(disk, "/f"), 4 * PAGE));
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, results, 7));
}

/* ------------------------------------------------------------------ R8 and R10 */

Test(sync_faults, close_reports_errors_and_the_number_is_free)
{
    for (uint32_t profile = 0; profile < TP_DISK_PROFILES; profile++) {
        uint32_t seen = 0;

        for (uint64_t seed = 0; seed < 30; seed++) {
            struct tp_fd fd, other;
            int32_t error;

            start(profile, seed);
            fd = f_open(&f, "/f", F_RW);
            set_faults((struct tp_virtual_faults){.close_error_ppm = ALWAYS});
            error = f_do(&f, tp_request_close(fd));
            cr_assert(error == -EIO || error == -EINTR || error == -ENOSPC);
            seen |= error == -EIO ? 1 : error == -EINTR ? 2 : 4;
            set_faults((struct tp_virtual_faults){.fail_nth = 0});
            other = f_open(&f, "/other", F_RW);
            cr_assert(eq(u32, other.number, fd.number));
            /* The stale one names the same number, and not the other file. */
            cr_assert(eq(i32, f_write(&f, fd, 'A', 1, 0), -EBADF));
            cr_assert(eq(i32, f_do(&f, tp_request_close(fd)), -EBADF));
            cr_assert(eq(i32, f_write(&f, other, 'A', 1, 0), 1));
        }
        cr_assert(eq(u32, seen, profile == TP_DISK_PARANOID ? 7 : 3), "%s",
                  tp_disk_profile_name(profile));
    }
}

/* Delayed allocation: the write is taken, the sync says ENOSPC, and the data are gone. */
Test(sync_faults, a_full_disk_may_say_so_at_the_sync)
{
    struct tp_fd fd;

    f.disk_config.capacity_bytes = 4 * PAGE;
    start(TP_DISK_EXT4, 1);
    f_put_durable(&f, "/f", 'B', 4 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    set_faults((struct tp_virtual_faults){.late_enospc_ppm = ALWAYS});
    cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE)); /* there is room for that */
    cr_assert(eq(i32, sync_of(fd), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 4 * PAGE), PAGE));
    cr_assert(eq(u64, tp_virtual_io_faults_fired(f.io, TP_FAULT_LATE_ENOSPC), 1));
    set_faults((struct tp_virtual_faults){.fail_nth = 0});
    cr_assert(eq(i32, f_write(&f, fd, 'C', PAGE, 5 * PAGE), -ENOSPC));
    cr_assert(eq(i32, sync_of(fd), -ENOSPC));
    cr_assert(eq(i32, sync_of(fd), 0));
    cr_assert(eq(chr, letter_of(fd, 4 * PAGE, PAGE), 'C'));
    f_halt(&f);
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        cr_assert(eq(chr, f_letter(disk, "/f", 4 * PAGE, PAGE), 0));
        tp_disk_destroy(disk);
    }
}
