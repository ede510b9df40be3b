/* Removing files: the name goes at once, the file when nobody has it open any more. */
#include "conformance.h"

/* A file without a name keeps its content, takes writes, and shows zero links. */
static void remove_while_open(struct conformance *c)
{
    uint8_t *memory = take(c, 10000);
    struct tp_buf buf = tp_buf_full(memory, 10000);
    struct tp_statx statx;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10000);
    fd = open_file(c, at(c, "a"), "rw");
    EXPECT(c, run(c, tp_request_remove(at(c, "a"))), 0);
    EXPECT(c, run(c, tp_request_fstat(fd, &statx)), 0);
    EXPECT_THAT(c, statx.links == 0 && statx.size == 10000);
    EXPECT(c, run(c, tp_request_read_at(fd, &buf, 0)), 10000);
    EXPECT_THAT(c, pattern_is(memory, 10000, 0));
    EXPECT(c, run(c, tp_request_write_at(fd, &buf, 10000)), 10000);
    EXPECT(c, run(c, tp_request_fsync(fd, 0)), 0);
    EXPECT(c, run(c, tp_request_read_at(fd, &buf, 5000)), 10000);
    EXPECT_THAT(c, pattern_is(memory, 5000, 5000) && pattern_is(memory + 5000, 5000, 0));
    close_file(c, fd);
    drop(c, memory, 10000);
}

const struct conformance_program conformance_remove[] = {
    SCRIPT("remove_file", "file a x; remove a = 0; lstat a = ENOENT; names . = 0"),
    SCRIPT("remove_missing", "remove a = ENOENT"),
    SCRIPT("remove_twice", "file a x; remove a; remove a = ENOENT"),
    SCRIPT("remove_directory", "mkdir d; remove d = EISDIR; stat d = 0 directory"),
    SCRIPT("remove_under_a_file", "file a x; remove a/b = ENOTDIR"),
    SCRIPT("remove_under_nothing", "remove d/a = ENOENT"),
    SCRIPT("remove_with_slash", "file a x; remove a/ = ENOTDIR; content a = 1 x"),
    SCRIPT("remove_directory_with_slash", "mkdir d; remove d/ = EISDIR; names . = 1 d"),
    SCRIPT("remove_dot", "mkdir d; remove d/. = EISDIR|EINVAL|EBUSY; remove d/.. = "
                         "EISDIR|EINVAL|EBUSY; names . = 1 d"),
    SCRIPT("remove_link",
           "file a x; symlink l a; remove l; names . = 1 a; content a = 1 x"),
    SCRIPT("remove_link_to_directory", "mkdir d; symlink l d; remove l; names . = 1 d"),
    SCRIPT("remove_link_to_directory_with_slash",
           "mkdir d; symlink l d; remove l/ = EISDIR|ENOTDIR; names . = 2 d l"),
    SCRIPT("remove_dangling_link", "symlink l nowhere; remove l; names . = 0"),
    SCRIPT("remove_link_to_itself", "symlink l l; remove l; names . = 0"),
    SCRIPT("remove_target_of_link",
           "file a x; symlink l a; remove a; stat l = ENOENT; lstat l = 0 symlink"),
    SCRIPT("remove_through_linked_directory",
           "mkdir d; file d/a x; symlink l d; remove l/a; names d = 0"),
    SCRIPT("remove_empty_path", "remove @ = ENOENT"),
    SCRIPT("remove_name_of_256", "remove x*256 = ENAMETOOLONG"),
    SCRIPT("remove_long_path", "remove @/*4096 = ENAMETOOLONG"),
    SCRIPT("remove_then_create", "file a old; open A a r; remove a; file a new!; read A 0 "
                                 "9 = 3 old; content a = 4 new!"),
    SCRIPT("remove_then_rename_in_place", "file a x; open A a r; remove a; file b y; "
                                          "rename b a; read A 0 9 = 1 x; content a = 1 y"),
    SCRIPT("remove_one_of_many",
           "file a 1; file b 2; file c 3; remove b; names . = 2 a c; content c = 1 3"),
    SCRIPT("remove_read_only_file", "open A a wc; set_mode A 0400; remove a; names . = 0"),
    PROGRAM(remove_while_open),
    SCRIPT("remove_in_file", "mkdir d; file d/a x; open D d r; remove_in D a; names d = 0"),
    SCRIPT("remove_in_missing", "mkdir d; open D d r; remove_in D a = ENOENT"),
    SCRIPT("remove_in_directory",
           "mkdir d; mkdir d/e; open D d r; remove_in D e = EISDIR; names d = 1 e"),
    SCRIPT("remove_in_link",
           "mkdir d; file d/a x; symlink d/l a; open D d r; remove_in D l; names d = 1 a"),
    SCRIPT("remove_in_with_slash",
           "mkdir d; mkdir d/e; file d/e/a x; open D d r; remove_in D e/a = EINVAL; "
           "remove_in D ../d/e/a = EINVAL; content d/e/a = 1 x"),
    SCRIPT(
        "remove_in_dots",
        "mkdir d; open D d r; remove_in D . = EINVAL; remove_in D .. = EINVAL; stat d = 0"),
    SCRIPT("remove_in_empty_name", "mkdir d; open D d r; remove_in D @ = ENOENT"),
    SCRIPT("remove_in_closed", "mkdir d; file d/a x; open D d r; close D; remove_in D a = "
                               "EBADF; content d/a = 1 x"),
    SCRIPT("remove_in_a_file", "file a x; open A a r; remove_in A b = ENOTDIR"),
    SCRIPT("remove_in_name_of_256",
           "mkdir d; open D d r; remove_in D x*256 = ENAMETOOLONG"),
    {0},
};
