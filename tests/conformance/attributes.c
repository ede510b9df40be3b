/* What is known of a file, and its mode. */
#include "conformance.h"

static struct tp_statx statx_of(struct conformance *c, const char *name)
{
    struct tp_statx statx;

    memset(&statx, 0xee, sizeof statx);
    EXPECT(c, run(c, tp_request_lstat(at(c, name), &statx)), 0);
    return statx;
}

static void stat_fields_of_a_file(struct conformance *c)
{
    struct tp_statx statx, by_fd;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10000);
    fd = open_file(c, at(c, "a"), "r");
    statx = statx_of(c, "a");
    EXPECT(c, run(c, tp_request_fstat(fd, &by_fd)), 0);
    EXPECT_THAT(c, statx.size == 10000 && statx.kind == TP_FILE_REGULAR);
    EXPECT_THAT(c, statx.links == 1 && statx.mode == 0644 && statx.inode != 0);
    EXPECT_THAT(c, statx.modified_ns > 0);
    EXPECT_THAT(c, by_fd.size == statx.size && by_fd.inode == statx.inode);
    EXPECT_THAT(c, by_fd.device == statx.device && by_fd.modified_ns == statx.modified_ns);
    EXPECT_THAT(c, by_fd.mode == statx.mode && by_fd.kind == statx.kind);
    for (uint32_t i = 0; i < sizeof statx.reserved / sizeof statx.reserved[0]; i++)
        EXPECT_THAT(c, statx.reserved[i] == 0);
    close_file(c, fd);
}

static void stat_inodes_differ(struct conformance *c)
{
    make_file(c, at(c, "a"), 1);
    make_file(c, at(c, "b"), 1);
    EXPECT(c, run(c, tp_request_create_dir(at(c, "d"), 0777)), 0);
    EXPECT(c, run(c, tp_request_symlink(at(c, "l"), "a")), 0);
    EXPECT_THAT(c, statx_of(c, "a").inode != statx_of(c, "b").inode);
    EXPECT_THAT(c, statx_of(c, "a").inode != statx_of(c, "d").inode);
    EXPECT_THAT(c, statx_of(c, "a").inode != statx_of(c, "l").inode);
    EXPECT_THAT(c, statx_of(c, "a").device == statx_of(c, "b").device);
}

/* Time goes on between two polls, by however little; a file's time never goes back. */
static void stat_modified_moves_forward(struct conformance *c)
{
    struct tp_buf buf = tp_buf_full("y", 1);
    struct tp_fd fd;
    struct tp_statx before, after;

    make_file(c, at(c, "a"), 10);
    before = statx_of(c, "a");
    tp_io_poll(c->io);
    for (uint64_t until_ns = tp_io_now_ns(c->io) + 50000000;
         tp_io_now_ns(c->io) < until_ns;)
        tp_io_park(c->io, until_ns);
    fd = open_file(c, at(c, "a"), "rw");
    EXPECT(c, run(c, tp_request_write_at(fd, &buf, 0)), 1);
    close_file(c, fd);
    after = statx_of(c, "a");
    EXPECT_THAT(c, after.modified_ns > before.modified_ns);
    fd = open_file(c, at(c, "a"), "r");
    EXPECT(c,
           run(c, tp_request_read_at(fd, &(struct tp_buf){(uint8_t[1]){0}, 0, 1, 0, 0}, 0)),
           1);
    close_file(c, fd);
    EXPECT_THAT(c, statx_of(c, "a").modified_ns == after.modified_ns);
}

/* A file's time is the wall clock's, give or take the kernel's coarse one. */
static void stat_modified_is_the_wall_clock(struct conformance *c)
{
    int64_t slack_ns = 2000000000, wall_ns;

    make_file(c, at(c, "a"), 10);
    wall_ns = (int64_t)tp_io_wall_ns(c->io);
    EXPECT_THAT(c, statx_of(c, "a").modified_ns < wall_ns + slack_ns);
    EXPECT_THAT(c, statx_of(c, "a").modified_ns > wall_ns - slack_ns);
}

const struct conformance_program conformance_attributes[] = {
    SCRIPT("stat_file", "file a hello; stat a = 0 file size:5 mode:644 links:1"),
    SCRIPT("stat_directory", "mkdir d; stat d = 0 directory mode:755"),
    SCRIPT("stat_missing", "stat a = ENOENT; lstat a = ENOENT"),
    SCRIPT("stat_under_a_file",
           "file a x; stat a/b = ENOTDIR; lstat a/b = ENOTDIR; stat a/ = ENOTDIR"),
    SCRIPT("stat_follows",
           "file a hello; symlink l a; stat l = 0 file size:5; lstat l = 0 symlink size:1"),
    SCRIPT("stat_directory_through_link", "mkdir d; symlink l d; stat l = 0 directory; "
                                          "lstat l = 0 symlink; lstat l/ = 0 directory"),
    SCRIPT("stat_dangling",
           "symlink l nowhere; stat l = ENOENT; lstat l = 0 symlink size:7"),
    SCRIPT("stat_loop", "symlink a b; symlink b a; stat a = ELOOP; lstat a = 0 symlink"),
    SCRIPT("stat_links_in_a_row_with_slash",
           "mkdir d; symlink l %m; symlink m d; symlink n %o; symlink o nowhere; lstat l/ "
           "= 0 directory; "
           "lstat n/ = ENOENT; lstat l = 0 symlink"),
    SCRIPT("stat_empty_path", "stat @ = ENOENT; lstat @ = ENOENT"),
    SCRIPT("stat_name_of_256", "stat x*256 = ENAMETOOLONG; lstat x*256 = ENAMETOOLONG"),
    SCRIPT("stat_long_path", "stat @/*4096 = ENAMETOOLONG; stat @/*4095 = 0 directory"),
    SCRIPT("stat_root", "stat @/ = 0 directory"),
    SCRIPT("stat_in", "mkdir d; file d/a hello; open D d r; stat_in D a = 0 file size:5"),
    SCRIPT("stat_in_does_not_follow", "mkdir d; file d/a hello; symlink d/l a; open D d r; "
                                      "stat_in D l = 0 symlink size:1"),
    SCRIPT("stat_in_missing", "mkdir d; open D d r; stat_in D a = ENOENT"),
    SCRIPT("stat_in_with_slash", "mkdir d; mkdir d/e; open D d r; stat_in D e/ = EINVAL; "
                                 "stat_in D ../d = EINVAL; stat_in D /e = EINVAL"),
    SCRIPT("stat_in_dots", "mkdir d; open D d r; stat_in D . = EINVAL; stat_in D .. = "
                           "EINVAL; stat_in D @ = ENOENT"),
    SCRIPT("stat_in_name_of_256", "mkdir d; open D d r; stat_in D x*256 = ENAMETOOLONG"),
    SCRIPT("stat_in_closed",
           "mkdir d; file d/a x; open D d r; close D; stat_in D a = EBADF"),
    SCRIPT("stat_in_a_file", "file a x; open A a r; stat_in A b = ENOTDIR"),
    SCRIPT("fstat_sees_writes", "open A a wc; fstat A = 0 size:0; write A 0 hello; fstat A "
                                "= 0 size:5; write A 99 x; fstat A = 0 size:100"),
    SCRIPT("fstat_write_only", "file a hello; open A a w; fstat A = 0 file size:5"),
    SCRIPT("fstat_of_what_the_link_names",
           "file a hello; symlink l a; open A l r; fstat A = 0 file size:5"),
    SCRIPT("fstat_removed",
           "file a hello; open A a r; remove a; fstat A = 0 size:5 links:0"),
    SCRIPT("fstat_renamed",
           "file a hello; open A a r; rename a b; fstat A = 0 size:5 links:1"),
    SCRIPT("fstat_closed", "file a x; open A a r; close A; fstat A = EBADF"),
    SCRIPT("fstat_no_fd", "fstat Z = EBADF"),
    SCRIPT("set_mode",
           "open A a wc; set_mode A 0600 = 0; fstat A = 0 mode:600; stat a = 0 mode:600"),
    SCRIPT("set_mode_without_umask", "open A a wc; set_mode A 0777; fstat A = 0 mode:777; "
                                     "set_mode A 0666; fstat A = 0 mode:666"),
    SCRIPT("set_mode_to_nothing",
           "open A a rwc; set_mode A 0; fstat A = 0 mode:0; write A 0 x; read A 0 9 = 1 x"),
    SCRIPT("set_mode_of_a_directory",
           "mkdir d; open D d r; set_mode D 0700; stat d = 0 mode:700"),
    SCRIPT("set_mode_sticky",
           "mkdir d; open D d r; set_mode D 01777; stat d = 0 mode:1777"),
    SCRIPT("set_mode_through_read_only_fd",
           "file a x; open A a r; set_mode A 0640; stat a = 0 mode:640"),
    SCRIPT("set_mode_through_link", "file a x; symlink l a; open A l r; set_mode A 0600; "
                                    "stat a = 0 mode:600; lstat l = 0 mode:777"),
    SCRIPT("set_mode_survives_rename",
           "open A a wc; set_mode A 0600; rename a b; stat b = 0 mode:600"),
    SCRIPT("set_mode_of_removed",
           "open A a wc; remove a; set_mode A 0600; fstat A = 0 mode:600"),
    SCRIPT("set_mode_closed",
           "open A a wc; close A; set_mode A 0600 = EBADF; stat a = 0 mode:644"),
    PROGRAM(stat_fields_of_a_file),
    PROGRAM(stat_inodes_differ),
    PROGRAM(stat_modified_moves_forward),
    PROGRAM(stat_modified_is_the_wall_clock),
    SCRIPT("stat_same_through_paths",
           "mkdir d; file d/a x; symlink l d; same d/a l/a = 1; same d l = 0"),
    {0},
};
