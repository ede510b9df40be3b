/** tests/virtual/power.c - rules R2 to R6: over many seeds, everything that a power cut may
 * leave is seen, and nothing else. */
#include "fixture.h"

enum { SEEDS = 400, PAGE = 4096, SECTOR = 512 };

static struct fixture f;

static void set_up(void)
{
    static const struct fixture empty;

    f = empty;
    f.disk_config.writeback_off = true; /* each test says itself what is where */
    f_boot(&f, 1);
}

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(power, .init = set_up, .fini = tear_down);

/* Starts over with another profile. */
static void use_profile(uint32_t profile)
{
    f_free(&f);
    f.disk_config.profile = profile;
    f_boot(&f, 1);
}

/* ------------------------------------------------------------------ R2, R3: sectors */

Test(power, each_dirty_sector_is_old_or_new)
{
    uint32_t old_seen = 0, new_seen = 0, mixed = 0;

    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', PAGE);
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint32_t kept = 0;

        for (uint32_t sector = 0; sector < 8; sector++) {
            char letter = f_letter(disk, "/f", (uint64_t)sector * SECTOR, SECTOR);

            cr_assert(letter == 'A' || letter == 'B', "sector %u is torn: %d", sector,
                      letter);
            kept |= (letter == 'B' ? 1U : 0U) << sector;
        }
        new_seen |= kept;
        old_seen |= ~kept & 255;
        mixed += kept != 0 && kept != 255;
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, old_seen, 255));
    cr_assert(eq(u32, new_seen, 255));
    cr_assert(mixed > SEEDS / 10, "only %u mixtures", mixed);
}

Test(power, a_sector_of_4096_bytes_is_never_torn)
{
    bool old_seen = false, new_seen = false;

    f_free(&f);
    f.disk_config.sector_bytes = PAGE;
    f_boot(&f, 1);
    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', PAGE);
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        char letter = f_letter(disk, "/f", 0, PAGE);

        cr_assert(letter == 'A' || letter == 'B');
        old_seen = old_seen || letter == 'A';
        new_seen = new_seen || letter == 'B';
        tp_disk_destroy(disk);
    }
    cr_assert(old_seen && new_seen);
}

/* Every way of making data durable, one after the other. */
Test(power, what_was_synced_is_never_lost)
{
    for (uint32_t way = 0; way < 4; way++) {
        struct tp_open_options options = F_RW;
        struct tp_fd fd;

        set_up();
        f_put_durable(&f, "/f", 'A', PAGE);
        options.dsync = way >= 2;
        options.direct = way == 3;
        fd = f_open(&f, "/f", options);
        cr_assert(eq(i32, f_write(&f, fd, 'B', 5 * PAGE, 0), 5 * PAGE));
        if (way < 2)
            cr_assert(
                eq(i32, f_do(&f, tp_request_fsync(fd, way == 0 ? 0 : TP_DATA_ONLY)), 0));
        f_halt(&f);
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct tp_disk *disk = f_cut(&f, seed);

            cr_assert(eq(chr, f_letter(disk, "/f", 0, 5 * PAGE), 'B'), "way %u seed %llu",
                      way, (unsigned long long)seed);
            tp_disk_destroy(disk);
        }
        tear_down();
    }
    set_up();
}

/* R3: what is durable and not being rewritten stays, whatever happens around it. */
Test(power, neighbours_of_a_write_are_not_hurt)
{
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 3 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'B', 100, PAGE + 1000), 100));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        char middle = f_letter(disk, "/f", PAGE + 1000, 24); /* up to the end of sector 1 */

        cr_assert(eq(chr, f_letter(disk, "/f", 0, PAGE + 1000), 'A'));
        cr_assert(eq(chr, f_letter(disk, "/f", PAGE + 1100, PAGE), 'A'));
        cr_assert(middle == 'A' || middle == 'B');
        tp_disk_destroy(disk);
    }
}

/* Sixteen pages of two files, written in an order of their own: none, all, a prefix of that
 * order, one run of it and other subsets are all seen, none of them rarely. */
Test(power, correlated_outcomes_are_seen)
{
    enum { PAGES = 16 };
    static const char *const files[2] = {"/f", "/g"};
    uint32_t all = 0, none = 0, prefix = 0, run = 0, other = 0;
    struct tp_fd fds[2];

    for (uint32_t i = 0; i < 2; i++) {
        f_put_durable(&f, files[i], 'A', PAGES * PAGE);
        fds[i] = f_open(&f, files[i], F_RW);
    }
    for (uint32_t i = 0; i < PAGES; i++)
        cr_assert(eq(i32,
                     f_write(&f, fds[i % 2], 'B', PAGE, (uint64_t)(i * 7 % PAGES) * PAGE),
                     PAGE));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint32_t edges = 0;
        bool was = false, first = false;

        for (uint32_t i = 0; i < PAGES; i++) {
            char letter =
                f_letter(disk, files[i % 2], (uint64_t)(i * 7 % PAGES) * PAGE, PAGE);
            bool kept = letter == 'B' || (letter == '?' && !was);

            first = i == 0 ? kept : first;
            edges += i > 0 && kept != was;
            was = kept;
        }
        all += edges == 0 && first;
        none += edges == 0 && !first;
        prefix += edges == 1 && first;
        run += edges == 2 && !first;
        other += edges > 2;
        tp_disk_destroy(disk);
    }
    cr_assert(all > SEEDS / 10 && none > SEEDS / 10 && prefix > SEEDS / 10 &&
                  run > SEEDS / 20 && other > SEEDS / 10,
              "%u %u %u %u %u", all, none, prefix, run, other);
}

/* A sector that is dirty in both caches may be what the device had: the version between. */
Test(power, a_version_that_only_the_device_had_may_survive)
{
    struct tp_open_options options = F_RW;
    uint32_t old = 0, between = 0, newest = 0;

    f_put_durable(&f, "/f", 'A', SECTOR);
    options.direct = true;
    cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", options), 'B', SECTOR, 0), SECTOR));
    cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", F_RW), 'C', SECTOR, 0), SECTOR));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        char letter = f_letter(disk, "/f", 0, SECTOR);

        old += letter == 'A';
        between += letter == 'B';
        newest += letter == 'C';
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, old + between + newest, SEEDS));
    cr_assert(old > 0 && between > 0 && newest > 0, "%u %u %u", old, between, newest);
}

/* Direct I/O without O_DSYNC ends in the device's cache: no more durable than buffered. */
Test(power, direct_alone_is_not_durable_unless_the_device_keeps_its_cache)
{
    static const uint32_t profiles[] = {TP_DISK_PARANOID, TP_DISK_NVME_PLP};

    for (uint32_t i = 0; i < 2; i++) {
        struct tp_open_options options = F_RW;
        uint32_t lost = 0;
        struct tp_fd fd;

        use_profile(profiles[i]);
        f_put_durable(&f, "/f", 'A', PAGE);
        options.direct = true;
        fd = f_open(&f, "/f", options);
        cr_assert(eq(i32, f_write(&f, fd, 'B', PAGE, 0), PAGE));
        f_halt(&f);
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct tp_disk *disk = f_cut(&f, seed);

            lost += f_letter(disk, "/f", 0, PAGE) != 'B';
            tp_disk_destroy(disk);
        }
        cr_assert(eq(int, lost > 0, profiles[i] == TP_DISK_PARANOID));
    }
}

enum torn { OLD = 1, NEW = 2, SHORN_START = 4, SHORN_END = 8, GARBAGE = 16, ZEROS = 32 };

/* What became of a sector of A that B was written over. */
static enum torn torn_as(const char *sector)
{
    uint32_t news = 0, others = 0, zeros = 0, turns = 0;

    for (uint32_t at = 0; at < SECTOR; at++) {
        news += sector[at] == 'B';
        zeros += sector[at] == 0;
        others += sector[at] != 'A' && sector[at] != 'B';
        turns += at > 0 && sector[at] != sector[at - 1];
    }
    if (others > 0)
        return zeros == SECTOR ? ZEROS : GARBAGE;
    if (turns == 0)
        return news > 0 ? NEW : OLD;
    cr_assert(eq(u32, turns, 1)); /* it is shorn at one place */
    return sector[0] == 'B' ? SHORN_START : SHORN_END;
}

Test(power, a_consumer_drive_tears_inside_a_sector)
{
    uint32_t seen = 0;

    use_profile(TP_DISK_CONSUMER_SSD);
    f_put_durable(&f, "/f", 'A', PAGE);
    f_put(&f, "/f", 'B', PAGE);
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        char bytes[PAGE];

        cr_assert(eq(i64, tp_disk_read_at(disk, "/f", 0, bytes, PAGE), PAGE));
        for (uint32_t sector = 0; sector < PAGE / SECTOR; sector++)
            seen |= torn_as(bytes + (size_t)sector * SECTOR);
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, seen, OLD | NEW | SHORN_START | SHORN_END | GARBAGE | ZEROS));
}

/* Write-back puts older versions on the media: a cut may show any of three. */
Test(power, write_back_shows_versions_in_between)
{
    bool seen[256] = {false};

    f_free(&f);
    f.disk_config.writeback_off = false;
    f.disk_config.writeback_one_in = 1;
    f.disk_config.sector_bytes = PAGE;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk;

        f_boot(&f, seed);
        f_put_durable(&f, "/f", 'A', PAGE);
        f_put(&f, "/f", 'B', PAGE);
        f_put(&f, "/f", 'C', PAGE);
        f_halt(&f);
        disk = f_cut(&f, seed);
        seen[(uint8_t)f_letter(disk, "/f", 0, PAGE)] = true;
        tp_disk_destroy(disk);
        f_free(&f);
    }
    cr_assert(seen['B'] && seen['C']);
    cr_assert(eq(int, seen['-'] || seen['?'] || seen[0], 0));
}

/* ------------------------------------------------------------------ R4: size and data */

Test(power, an_append_may_keep_its_size_without_its_data)
{
    bool no_size = false, data = false, zeros = false, mixture = false;

    f_put_durable(&f, "/f", 'A', PAGE);
    cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", F_RW), 'B', PAGE, PAGE), PAGE));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size == PAGE || size == 2 * PAGE, "size %llu", (unsigned long long)size);
        cr_assert(eq(chr, f_letter(disk, "/f", 0, PAGE), 'A'));
        no_size = no_size || size == PAGE;
        for (uint32_t at = 0; size > PAGE && at < PAGE; at += SECTOR) {
            char letter = f_letter(disk, "/f", PAGE + at, SECTOR);

            cr_assert(letter == 'B' || letter == 0);
        }
        if (size > PAGE) {
            char letter = f_letter(disk, "/f", PAGE, PAGE);

            data = data || letter == 'B';
            zeros = zeros || letter == 0;
            mixture = mixture || letter == '?';
        }
        tp_disk_destroy(disk);
    }
    cr_assert(no_size && data && zeros && mixture);
}

Test(power, an_append_over_a_truncation_may_show_old_bytes)
{
    bool old_bytes = false, new_bytes = false, short_file = false;
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 2 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, PAGE)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 100)), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'B', 1000, 100), 1000));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");
        char letter = f_letter(disk, "/f", 600, 400);

        cr_assert(size == PAGE || size == 1100 || size == 100);
        cr_assert(eq(chr, f_letter(disk, "/f", 0, 100), 'A'));
        short_file = short_file || size == 1100;
        old_bytes = old_bytes || (size == 1100 && letter == 'A');
        new_bytes = new_bytes || (size == 1100 && letter == 'B');
        tp_disk_destroy(disk);
    }
    cr_assert(old_bytes && new_bytes && short_file);
}

/* The file that was emptied and written again, and is empty after the power cut. */
Test(power, a_file_written_anew_in_place_may_be_empty)
{
    bool empty = false, old = false, anew = false;
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 2 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 0)), 0));
    cr_assert(eq(i32, f_write(&f, fd, 'B', 2 * PAGE, 0), 2 * PAGE));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size == 0 || size == 2 * PAGE);
        empty = empty || size == 0;
        old = old || (size > 0 && f_letter(disk, "/f", 0, 2 * PAGE) == 'A');
        anew = anew || (size > 0 && f_letter(disk, "/f", 0, 2 * PAGE) == 'B');
        tp_disk_destroy(disk);
    }
    cr_assert(empty && old && anew);
}

/* Write-back at the right time takes a size along that the file had only for a while. */
Test(power, a_size_between_two_appends_may_survive)
{
    bool none = false, first = false, both = false;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk;
        struct tp_fd fd;
        uint64_t size;

        f_free(&f);
        f.disk_config.writeback_off = false;
        f.disk_config.writeback_one_in = 1;
        f_boot(&f, seed);
        f_put_durable(&f, "/f", 'A', 0);
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_write(&f, fd, 'B', 100, 0), 100));
        cr_assert(eq(i32, f_write(&f, fd, 'C', 200, 100), 200));
        f_halt(&f);
        disk = f_cut(&f, seed);
        size = f_size(disk, "/f");
        cr_assert(size == 0 || size == 100 || size == 300);
        none = none || size == 0;
        first = first || size == 100;
        both = both || size == 300;
        tp_disk_destroy(disk);
    }
    cr_assert(none && first && both);
}

Test(power, a_size_may_stop_in_between)
{
    uint32_t seen = 0;

    f_put_durable(&f, "/f", 'A', PAGE);
    cr_assert(eq(i32, f_write(&f, f_open(&f, "/f", F_RW), 'B', 3 * PAGE + 5, PAGE),
                 3 * PAGE + 5));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size == 4 * PAGE + 5 || size % PAGE == 0);
        cr_assert(size >= PAGE && size <= 4 * PAGE + 5);
        seen |= 1U << (size % PAGE == 0 ? size / PAGE : 5);
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, seen, 0x3e)); /* 1, 2, 3, 4 pages, and all */
}

Test(power, a_truncation_is_kept_or_lost_with_all_its_bytes)
{
    bool kept = false, lost = false;
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 4 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 0)), 0));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size == 0 || size == 4 * PAGE);
        if (size > 0)
            cr_assert(eq(chr, f_letter(disk, "/f", 0, 4 * PAGE), 'A'));
        kept = kept || size == 0;
        lost = lost || size > 0;
        tp_disk_destroy(disk);
    }
    cr_assert(kept && lost);
}

Test(power, a_synced_truncation_shows_zeros_when_the_file_grows_again)
{
    struct tp_fd fd;

    f_put_durable(&f, "/f", 'A', 3 * PAGE);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 700)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, 0)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_truncate(fd, 3 * PAGE)), 0));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size >= 700 && size <= 3 * PAGE);
        cr_assert(eq(chr, f_letter(disk, "/f", 0, 700), 'A'));
        if (size > 700)
            cr_assert(eq(chr, f_letter(disk, "/f", 700, (uint32_t)size - 700), 0));
        tp_disk_destroy(disk);
    }
}

/* ------------------------------------------------------------------ R6: no order between
 * files */

Test(power, two_files_without_a_barrier_survive_in_any_combination)
{
    uint32_t seen = 0;

    f_free(&f);
    f.disk_config.sector_bytes = PAGE;
    f_boot(&f, 1);
    f_put_durable(&f, "/a", 'A', PAGE);
    f_put_durable(&f, "/b", 'A', PAGE);
    f_put(&f, "/a", 'B', PAGE);
    f_put(&f, "/b", 'B', PAGE);
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint32_t a = f_letter(disk, "/a", 0, PAGE) == 'B';
        uint32_t b = f_letter(disk, "/b", 0, PAGE) == 'B';

        seen |= 1U << (a + 2 * b);
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, seen, 15));
}

/* By an fsync: fdatasync is about data. */
Test(power, a_mode_may_be_lost_until_it_is_synced)
{
    static const uint32_t flags[] = {TP_DATA_ONLY, 0};

    for (uint32_t i = 0; i < 2; i++) {
        bool kept = false, lost = false;
        struct tp_statx statx;
        struct tp_fd fd;

        use_profile(TP_DISK_PARANOID);
        f_put_durable(&f, "/f", 'A', 10);
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_do(&f, tp_request_set_mode(fd, 0600)), 0));
        cr_assert(eq(i32, f_do(&f, tp_request_fsync(fd, flags[i])), 0));
        f_halt(&f);
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct tp_disk *disk = f_cut(&f, seed);

            cr_assert(eq(i32, tp_disk_stat(disk, "/f", true, &statx), 0));
            cr_assert(statx.mode == 0600 || statx.mode == 0644);
            kept = kept || statx.mode == 0600;
            lost = lost || statx.mode == 0644;
            tp_disk_destroy(disk);
        }
        cr_assert(kept);
        cr_assert(eq(int, lost, flags[i] == TP_DATA_ONLY));
    }
}

/* All zeros is the mildest tape: nothing at all is lost. */
Test(power, a_tape_of_zeros_loses_nothing)
{
    struct tp_tape *zeros;
    uint64_t before;

    f_put(&f, "/f", 'A', 10 * PAGE);
    cr_assert(eq(i32, f_do(&f, tp_request_create_dir("/d", 0700)), 0));
    cr_assert(eq(i32, f_do(&f, tp_request_rename("/f", "/d/g")), 0));
    f_halt(&f);
    before = tp_disk_hash(f.disk);
    cr_assert(eq(int, tp_tape_from_bytes(NULL, 0, NULL, &zeros), 0));
    tp_disk_power_cut(f.disk, zeros, 0);
    tp_disk_check(f.disk);
    cr_assert(eq(u64, tp_disk_hash(f.disk), before));
    tp_tape_destroy(zeros);
}

Test(power, a_disk_after_sync_survives_as_it_is)
{
    uint64_t before;

    f_put(&f, "/f", 'A', 10 * PAGE);
    cr_assert(eq(i32, f_do(&f, tp_request_symlink("/l", "/f")), 0));
    f_halt(&f);
    tp_disk_sync(f.disk);
    before = tp_disk_hash(f.disk);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        cr_assert(eq(u64, tp_disk_hash(disk), before));
        tp_disk_destroy(disk);
    }
}
