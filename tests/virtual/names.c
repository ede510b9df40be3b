/** tests/virtual/names.c - rule R5: names under power cuts, by profile. */
#include "fixture.h"

enum { SEEDS = 400, PAGE = 4096 };

static struct fixture f;

static void start(uint32_t profile)
{
    f_free(&f);
    f.disk_config.profile = profile;
    f.disk_config.writeback_off = true;
    f_boot(&f, 1);
}

static void set_up(void)
{
    start(TP_DISK_PARANOID);
}

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(names, .init = set_up, .fini = tear_down);

static int32_t run(struct tp_request request)
{
    return f_do(&f, request);
}

/* Which of two names were there after a cut, over all seeds: bit (first + 2 * second). */
static uint32_t combinations(const char *first, const char *second)
{
    uint32_t seen = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        seen |= 1U << ((f_exists(disk, first) ? 1 : 0) + (f_exists(disk, second) ? 2 : 0));
        tp_disk_destroy(disk);
    }
    return seen;
}

enum { NONE = 1, FIRST = 2, SECOND = 4, BOTH = 8 };

Test(names, a_new_name_may_vanish_until_its_directory_is_synced)
{
    f_put(&f, "/a", 'A', 10);
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    f_put(&f, "/b", 'B', 10);
    f_halt(&f);
    cr_assert(eq(u32, combinations("/a", "/b"), FIRST | BOTH));
}

Test(names, syncing_a_file_does_not_keep_its_name)
{
    struct tp_fd fd = f_open(&f, "/a", F_RW);

    cr_assert(eq(i32, run(tp_request_fsync(fd, 0)), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/a", "/a"), NONE | BOTH));
}

Test(names, a_rename_is_atomic)
{
    f_put_durable(&f, "/a", 'A', 10);
    cr_assert(eq(i32, run(tp_request_rename("/a", "/b")), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/a", "/b"), FIRST | SECOND));
}

Test(names, a_rename_over_a_file_leaves_the_one_or_the_other)
{
    bool old_seen = false, new_seen = false;

    f_put_durable(&f, "/t", 'N', PAGE);
    f_put_durable(&f, "/f", 'O', PAGE);
    cr_assert(eq(i32, run(tp_request_rename("/t", "/f")), 0));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        char letter = f_letter(disk, "/f", 0, PAGE);

        cr_assert(letter == 'O' || letter == 'N');
        cr_assert(eq(int, f_exists(disk, "/t"), letter == 'O'));
        old_seen = old_seen || letter == 'O';
        new_seen = new_seen || letter == 'N';
        tp_disk_destroy(disk);
    }
    cr_assert(old_seen && new_seen);
}

/* The classic: the name is there, and what it names is not. */
Test(names, a_rename_may_reach_the_disk_before_the_data)
{
    bool empty = false, zeros = false, data = false;

    f_put_durable(&f, "/f", 'O', PAGE);
    f_put(&f, "/t", 'N', PAGE);
    cr_assert(eq(i32, run(tp_request_rename("/t", "/f")), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint64_t size = f_size(disk, "/f");

        cr_assert(size == 0 || size == PAGE);
        cr_assert(f_letter(disk, "/f", 0, 1) != 'O' || size == 0);
        empty = empty || size == 0;
        zeros = zeros || (size > 0 && f_letter(disk, "/f", 0, PAGE) == 0);
        data = data || (size > 0 && f_letter(disk, "/f", 0, PAGE) == 'N');
        tp_disk_destroy(disk);
    }
    cr_assert(empty && zeros && data);
}

Test(names, without_a_journal_operations_survive_in_any_combination)
{
    cr_assert(eq(i32, run(tp_request_create_dir("/x", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_create_dir("/y", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    f_put(&f, "/x/a", 'A', 10);
    f_put(&f, "/y/b", 'B', 10);
    f_put(&f, "/x/c", 'C', 10);
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/a", "/y/b"), NONE | FIRST | SECOND | BOTH));
    cr_assert(eq(u32, combinations("/x/a", "/x/c"), NONE | FIRST | SECOND | BOTH));
}

Test(names, with_a_journal_they_survive_as_a_prefix)
{
    static const uint32_t profiles[] = {TP_DISK_EXT4, TP_DISK_XFS};

    for (uint32_t i = 0; i < 2; i++) {
        start(profiles[i]);
        f_put(&f, "/a", 'A', 10);
        f_put(&f, "/b", 'B', 10);
        f_halt(&f);
        cr_assert(eq(u32, combinations("/a", "/b"), NONE | FIRST | BOTH));
    }
}

Test(names, fsync_of_a_file_commits_names_by_profile)
{
    static const struct {
        uint32_t profile, own, others;
        uint16_t flags;
    } rows[] = {
        {TP_DISK_PARANOID, NONE | BOTH, NONE | BOTH, 0},
        {TP_DISK_EXT4, BOTH, BOTH, 0},
        {TP_DISK_XFS, BOTH, BOTH, 0},
        {TP_DISK_BTRFS, BOTH, NONE | BOTH, 0},
        {TP_DISK_EXT4, NONE | BOTH, NONE | BOTH, TP_DATA_ONLY},
    };

    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tp_fd fd;

        start(rows[i].profile);
        f_put(&f, "/other", 'A', 10);
        fd = f_open(&f, "/own", F_RW);
        cr_assert(eq(i32, run(tp_request_fsync(fd, rows[i].flags)), 0));
        f_halt(&f);
        cr_assert(eq(u32, combinations("/own", "/own"), rows[i].own), "row %u", i);
        cr_assert(eq(u32, combinations("/other", "/other"), rows[i].others), "row %u", i);
    }
}

/* Of two writes in one tick of the clock of files' times the second is a change all the
 * same if it makes the file longer, or fills a hole of it. */
Test(names, a_write_that_grows_or_allocates_is_a_change_at_once)
{
    static const uint64_t offsets[] = {1, PAGE, 2 * PAGE - 1, 0};

    for (uint32_t i = 0; i < 4; i++) {
        struct tp_fd fd;
        uint32_t lost = 0;

        start(TP_DISK_EXT4);
        fd = f_open(&f, "/f", F_RW);
        cr_assert(eq(i32, f_write(&f, fd, 'A', 1, 0), 1));
        if (i == 1)
            cr_assert(eq(i32, run(tp_request_truncate(fd, 2 * PAGE)), 0));
        cr_assert(eq(i32, run(tp_request_fsync(fd, 0)), 0));
        f_put(&f, "/other", 'A', 1);
        cr_assert(eq(i32, f_write(&f, fd, 'B', 1, offsets[i]), 1));
        cr_assert(eq(i32, run(tp_request_fsync(fd, 0)), 0));
        f_halt(&f);
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct tp_disk *disk = f_cut(&f, seed);

            lost += !f_exists(disk, "/other");
            tp_disk_destroy(disk);
        }
        cr_assert(eq(int, lost > 0, offsets[i] == 0)); /* the last one is in place */
    }
}

Test(names, a_removal_may_be_lost_and_brings_all_data_back)
{
    bool back = false, gone = false;

    f_put_durable(&f, "/a", 'A', 3 * PAGE);
    cr_assert(eq(i32, run(tp_request_remove("/a")), 0));
    f_put(&f, "/b", 'B', 3 * PAGE); /* does not get the storage of /a */
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        if (f_exists(disk, "/a"))
            cr_assert(eq(chr, f_letter(disk, "/a", 0, 3 * PAGE), 'A'));
        back = back || f_exists(disk, "/a");
        gone = gone || !f_exists(disk, "/a");
        tp_disk_destroy(disk);
    }
    cr_assert(back && gone);
}

Test(names, what_lies_in_a_lost_directory_is_lost)
{
    uint32_t inodes;

    cr_assert(eq(i32, run(tp_request_create_dir("/d", 0755)), 0));
    f_put(&f, "/d/f", 'A', 10);
    cr_assert(eq(i32, run(tp_request_sync_dir("/d")), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/d", "/d/f"), NONE | BOTH));
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        inodes = f_exists(disk, "/d") ? 3 : 1; /* what nothing leads to is freed */
        cr_assert(eq(u32, tp_disk_usage(disk).inodes, inodes));
        tp_disk_destroy(disk);
    }
}

/* Moves that would form a loop if they were kept in the wrong order. */
Test(names, directories_never_come_to_lie_within_themselves)
{
    cr_assert(eq(i32, run(tp_request_create_dir("/a", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_create_dir("/b", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/a", "/b/a")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/b/a", "/a")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/b", "/a/b")), 0));
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);

        cr_assert(f_exists(disk, "/a") || f_exists(disk, "/b"));
        cr_assert(eq(u32, tp_disk_usage(disk).inodes, 3));
        tp_disk_destroy(disk);
    }
}

Test(names, an_unlinked_open_file_lives_until_it_is_closed)
{
    struct tp_fd fd;
    struct tp_statx statx;
    char bytes[10];
    struct tp_buf buf = tp_buf_empty(bytes, sizeof bytes);

    f_put_durable(&f, "/a", 'A', 3 * PAGE);
    fd = f_open(&f, "/a", F_RW);
    cr_assert(eq(i32, run(tp_request_remove("/a")), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    cr_assert(eq(i32, run(tp_request_read_at(fd, &buf, PAGE)), 10));
    cr_assert(eq(chr, bytes[0], 'A'));
    cr_assert(eq(i32, run(tp_request_fstat(fd, &statx)), 0));
    cr_assert(eq(u32, statx.links, 0));
    cr_assert(eq(u64, tp_disk_usage(f.disk).used_bytes, 3 * PAGE));
    f_close(&f, fd);
    cr_assert(eq(u64, tp_disk_usage(f.disk).used_bytes, 0));
    cr_assert(eq(u32, tp_disk_usage(f.disk).inodes, 1));
}

/* The log of operations is bounded: the oldest goes to the media by itself. */
Test(names, the_log_is_bounded)
{
    f_free(&f);
    f.disk_config.names_pending_max = 8;
    f_boot(&f, 1);
    for (uint32_t i = 0; i < 30; i++) {
        char path[3] = {'/', (char)('a' + i % 26), '\0'};

        f_put(&f, path, 'A', 1);
    }
    cr_assert(eq(u32, tp_disk_usage(f.disk).pending_names, 8));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/a", "/b"), BOTH));
}

/* btrfs: a sync of the new directory says nothing of the old name. */
static void rename_and_sync_the_new(void)
{
    start(TP_DISK_BTRFS);
    cr_assert(eq(i32, run(tp_request_create_dir("/x", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_create_dir("/y", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/")), 0));
    f_put_durable(&f, "/x/f", 'A', 10);
    cr_assert(eq(i32, run(tp_request_sync_dir("/x")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/x/f", "/y/f")), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    cr_assert(eq(u32, tp_disk_usage(f.disk).pending_names, 1));
}

/* Which of eight new names are there after a cut that leaves no more than it must. */
static uint32_t names_committed(uint32_t profile, uint64_t seed)
{
    uint32_t kept = 0;
    char path[4] = "/a";

    f_free(&f);
    f.disk_config.profile = profile;
    f.disk_config.writeback_off = false;
    f.disk_config.writeback_one_in = 4;
    f_boot(&f, seed);
    for (uint32_t i = 0; i < 8; i++, path[1]++)
        f_put(&f, path, 'A', 1);
    f_halt(&f);
    tp_tape_set_harsh(f.tape, true);
    tp_disk_power_cut(f.disk, f.tape, 0);
    path[1] = 'a';
    for (uint32_t i = 0; i < 8; i++, path[1]++)
        kept |= (f_exists(f.disk, path) ? 1U : 0U) << i;
    return kept;
}

/* Nobody asks for it: one after the other from the first with a journal, else any. */
Test(names, some_become_durable_by_themselves)
{
    static const uint32_t profiles[] = {TP_DISK_PARANOID, TP_DISK_EXT4};

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t some = 0, out_of_order = 0;

        for (uint64_t seed = 0; seed < 60; seed++) {
            uint32_t kept = names_committed(profiles[i], seed);

            some += kept != 0 && kept != 255;
            out_of_order += (kept & (kept + 1)) != 0;
        }
        cr_assert(some > 30, "%u", some);
        cr_assert(eq(int, out_of_order > 10, profiles[i] == TP_DISK_PARANOID));
        cr_assert(profiles[i] == TP_DISK_PARANOID || out_of_order == 0);
    }
}

Test(names, an_old_name_may_stay_beside_a_durable_one)
{
    struct tp_statx statx;

    rename_and_sync_the_new();
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/f", "/y/f"), SECOND | BOTH));
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        uint32_t names = f_exists(disk, "/x/f") ? 2 : 1;

        tp_disk_check(disk);
        cr_assert(eq(i32, tp_disk_stat(disk, "/y/f", false, &statx), 0));
        cr_assert(eq(u32, statx.links, names));
        cr_assert(eq(u32, tp_disk_usage(disk).inodes, 4)); /* one file, whatever names it */
        cr_assert(eq(chr, f_letter(disk, "/y/f", 0, 10), 'A'));
        tp_disk_destroy(disk);
    }
}

/* What makes the removal of the old name durable: its directory, or the file. */
Test(names, an_old_name_goes_by_a_sync_of_its_directory_or_of_the_file)
{
    rename_and_sync_the_new();
    cr_assert(eq(i32, run(tp_request_sync_dir("/x")), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/f", "/y/f"), SECOND));

    rename_and_sync_the_new();
    cr_assert(eq(i32, run(tp_request_fsync(f_open(&f, "/y/f", F_RW), 0)), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/f", "/y/f"), SECOND));
}

/* An operation that the same sync keeps needs the old name gone, sooner or later. */
Test(names, an_old_name_goes_when_its_place_is_taken_by_what_is_synced)
{
    rename_and_sync_the_new();
    f_put(&f, "/y/g", 'B', 10);
    cr_assert(eq(i32, run(tp_request_rename("/y/g", "/x/f")), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    cr_assert(eq(u32, tp_disk_usage(f.disk).pending_names, 0));

    f_put_durable(&f, "/y/h", 'C', 10);
    cr_assert(eq(i32, run(tp_request_rename("/x/f", "/y/g")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/y/h", "/x/f")), 0));
    cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    cr_assert(eq(u32, tp_disk_usage(f.disk).pending_names, 0));
    f_halt(&f);
    cr_assert(eq(chr, f_letter(f.disk, "/x/f", 0, 10), 'C'));
    cr_assert(eq(u32, combinations("/x/f", "/y/g"), BOTH));
}

/* One that is not synced: nothing is there, or the old file, or the new one. */
Test(names, an_old_name_may_come_back_in_the_place_of_a_new_file)
{
    uint32_t seen = 0;

    rename_and_sync_the_new();
    f_put(&f, "/x/f", 'B', 10);
    f_halt(&f);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tp_disk *disk = f_cut(&f, seed);
        struct tp_statx old, statx;

        cr_assert(eq(i32, tp_disk_stat(disk, "/y/f", false, &old), 0));
        if (tp_disk_stat(disk, "/x/f", false, &statx) < 0)
            seen |= NONE;
        else
            seen |= statx.inode == old.inode ? FIRST : SECOND;
        tp_disk_check(disk);
        tp_disk_destroy(disk);
    }
    cr_assert(eq(u32, seen, NONE | FIRST | SECOND));
}

Test(names, a_rename_between_directories_is_atomic)
{
    cr_assert(eq(i32, run(tp_request_create_dir("/x", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_create_dir("/y", 0755)), 0));
    f_put_durable(&f, "/x/f", 'A', 10);
    cr_assert(eq(i32, run(tp_request_sync_dir("/x")), 0));
    cr_assert(eq(i32, run(tp_request_rename("/x/f", "/y/f")), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/f", "/y/f"), FIRST | SECOND));
    f_boot(&f, 2);
    cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    f_halt(&f);
    cr_assert(eq(u32, combinations("/x/f", "/y/f"), SECOND));
}

/* Over a file that is durable comes one from another directory. Which of the two names are
 * there then: the place of both; the old place of the second. */
enum replacing {
    UNSYNCED,
    SYNCED_BEFORE,
    DIR_SYNCED_BEFORE,
    FSYNC,
    FDATASYNC,
    SYNC_DIR,
    ALL
};

static uint32_t replace(uint32_t profile, enum replacing how)
{
    struct tp_fd fd;

    start(profile);
    cr_assert(eq(i32, run(tp_request_create_dir("/x", 0755)), 0));
    cr_assert(eq(i32, run(tp_request_create_dir("/y", 0755)), 0));
    fd = f_open(&f, "/y/new", F_RW);
    if (how == SYNCED_BEFORE)
        cr_assert(eq(i32, run(tp_request_fsync(fd, 0)), 0));
    f_put_durable(&f, "/x/f", 'A', 10);
    cr_assert(eq(i32, run(tp_request_sync_dir("/x")), 0));
    if (how == SYNCED_BEFORE) /* there is nothing left for it to do */
        cr_assert(eq(i32, run(tp_request_fsync(fd, 0)), 0));
    if (how == DIR_SYNCED_BEFORE)
        cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    if (how == SYNC_DIR) {
        f_put(&f, "/y/other", 'C', 10);
        cr_assert(eq(i32, run(tp_request_sync_dir("/y")), 0));
    }
    if (how == FSYNC || how == FDATASYNC) {
        cr_assert(eq(i32, f_write(&f, fd, 'B', 10, 0), 10));
        cr_assert(eq(i32, run(tp_request_fsync(fd, how == FSYNC ? 0 : TP_DATA_ONLY)), 0));
    }
    if (how == ALL)
        tp_disk_sync(f.disk);
    cr_assert(eq(i32, run(tp_request_rename("/y/new", "/x/f")), 0));
    f_halt(&f);
    return combinations("/x/f", "/y/new");
}

Test(names, what_is_replaced_may_be_gone_without_what_replaces_it)
{
    cr_assert(eq(u32, replace(TP_DISK_PARANOID, UNSYNCED), FIRST | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, UNSYNCED), NONE | FIRST | SECOND | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, SYNCED_BEFORE), FIRST | SECOND | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, DIR_SYNCED_BEFORE), FIRST | SECOND | BOTH));
}

/* Since the replaced one has its name. */
Test(names, what_was_changed_and_synced_replaces_in_one)
{
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, FSYNC), FIRST | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, FDATASYNC), FIRST | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, SYNC_DIR), FIRST | BOTH));
    cr_assert(eq(u32, replace(TP_DISK_BTRFS, ALL), FIRST | BOTH));
}
