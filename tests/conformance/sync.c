/* Syncing files and directories: that it is possible, and reports as it should. What it is
 * worth in a power cut is for the simulator to say. */
#include "conformance.h"

/* Many syncs of one file together, with writes before them: each completes once. */
static void fsync_many_together(struct conformance *c)
{
    enum { COUNT = 64 };
    uint64_t handles[COUNT];
    struct tp_fd fd;

    make_file(c, at(c, "a"), 100000);
    fd = open_file(c, at(c, "a"), "rw");
    for (uint32_t i = 0; i < COUNT; i++)
        handles[i] = submit(c, tp_request_fsync(fd, i % 2 == 0 ? 0 : TP_DATA_ONLY));
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, await(c, handles[COUNT - 1 - i]), 0);
    close_file(c, fd);
}

const struct conformance_program conformance_sync[] = {
    SCRIPT("fsync_new_file", "open A a wc; fsync A = 0"),
    SCRIPT("fsync_after_write",
           "open A a rwc; write A 0 x*100k; fsync A = 0; read A 0 100k = 100k x*100k"),
    SCRIPT("fsync_twice", "open A a wc; write A 0 x; fsync A = 0; fsync A = 0"),
    SCRIPT("fsync_nothing_to_do", "file a x; open A a w; fsync A = 0"),
    SCRIPT("fsync_read_only", "file a x; open A a r; fsync A = 0; fdatasync A = 0"),
    SCRIPT("fsync_directory", "mkdir d; file d/a x; open D d r; fsync D = 0"),
    SCRIPT("fsync_empty_directory", "mkdir d; open D d r; fsync D = 0"),
    SCRIPT("fsync_removed_file",
           "open A a rwc; write A 0 x; remove a; fsync A = 0; read A 0 9 = 1 x"),
    SCRIPT("fsync_removed_directory", "mkdir d; open D d r; rmdir d; fsync D = OK|ENOENT"),
    SCRIPT("fsync_renamed_file",
           "open A a wc; write A 0 x; rename a b; fsync A = 0; content b = 1 x"),
    SCRIPT("fsync_after_truncate",
           "file a x*9000; open A a w; truncate A 100; fsync A = 0; stat a = 0 size:100"),
    SCRIPT("fsync_through_another_fd", "open A a wc; open B a r; write A 0 x; fsync B = 0"),
    SCRIPT("fsync_closed", "open A a wc; close A; fsync A = EBADF"),
    SCRIPT("fsync_no_fd", "fsync Z = EBADF; fdatasync Z = EBADF"),
    SCRIPT("fdatasync", "open A a wc; write A 0 x*10000; fdatasync A = 0; write A 10000 y; "
                        "fdatasync A = 0; fstat A = 0 size:10001"),
    SCRIPT("fdatasync_nothing_to_do", "open A a wc; fdatasync A = 0; fdatasync A = 0"),
    SCRIPT("fdatasync_directory", "mkdir d; file d/a x; open D d r; fdatasync D = 0"),
    SCRIPT("fdatasync_closed", "open A a wc; close A; fdatasync A = EBADF"),
    SCRIPT("dsync_writes", "open A a wcs; write A 0 x*10000; write A 10000 y; write A 100k "
                           "z; fstat A = 0 size:102401"),
    SCRIPT("dsync_truncate",
           "file a hello; open A a wts; write A 0 bye; content a = 3 bye"),
    SCRIPT("sync_dir", "mkdir d; file d/a x; sync_dir d = 0"),
    SCRIPT("sync_dir_empty", "mkdir d; sync_dir d = 0; sync_dir d = 0"),
    SCRIPT("sync_dir_after_rename",
           "mkdir d; file d/a x; rename d/a d/b; sync_dir d = 0; names d = 1 b"),
    SCRIPT("sync_dir_of_a_file", "file a x; sync_dir a = ENOTDIR"),
    SCRIPT("sync_dir_missing", "sync_dir d = ENOENT"),
    SCRIPT("sync_dir_under_a_file", "file a x; sync_dir a/d = ENOTDIR"),
    SCRIPT("sync_dir_through_link", "mkdir d; symlink l d; sync_dir l = 0"),
    SCRIPT("sync_dir_link_to_file", "file a x; symlink l a; sync_dir l = ENOTDIR"),
    SCRIPT("sync_dir_dangling_link", "symlink l nowhere; sync_dir l = ENOENT"),
    SCRIPT("sync_dir_with_slash", "mkdir d; sync_dir d/ = 0; sync_dir d/. = 0"),
    SCRIPT("sync_dir_empty_path", "sync_dir @ = ENOENT"),
    SCRIPT("sync_dir_name_of_256", "sync_dir x*256 = ENAMETOOLONG"),
    SCRIPT("sync_dir_leaves_no_fd",
           "mkdir d; sync_dir d; sync_dir d; rmdir d = 0; sync_dir d = ENOENT"),
    PROGRAM(fsync_many_together),
    {0},
};
