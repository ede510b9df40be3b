/* Symbolic links: made, read, followed, and not followed. */
#include "conformance.h"

/* A target longer than the buffer is cut; nothing is written beyond, not even a NUL. */
static void read_link_is_cut(struct conformance *c)
{
    char memory[16];
    struct tp_buf buf = tp_buf_empty(memory, 0);

    EXPECT(c, run(c, tp_request_symlink(at(c, "l"), "target")), 0);
    for (buf.capacity = 1; buf.capacity <= 12; buf.capacity++) {
        uint32_t len = buf.capacity < 6 ? buf.capacity : 6;

        memset(memory, '#', sizeof memory);
        EXPECT(c, run(c, tp_request_read_link(at(c, "l"), &buf)), (int32_t)len);
        EXPECT_THAT(c, memcmp(memory, "target", len) == 0);
        EXPECT_THAT(c, memcmp(memory + buf.capacity, "####", 4) == 0);
    }
}

const struct conformance_program conformance_links[] = {
    SCRIPT(
        "symlink",
        "symlink l a = 0; lstat l = 0 symlink size:1 mode:777 links:1; read_link l = 1 a"),
    SCRIPT("symlink_to_nothing",
           "symlink l no/where; read_link l = 8 no/where; stat l = ENOENT"),
    SCRIPT("symlink_absolute", "symlink l /no/where; read_link l = 9 /no/where"),
    SCRIPT("symlink_existing", "symlink l a; symlink l b = EEXIST; read_link l = 1 a"),
    SCRIPT("symlink_over_file", "file a x; symlink a b = EEXIST; content a = 1 x"),
    SCRIPT("symlink_over_directory", "mkdir d; symlink d b = EEXIST"),
    SCRIPT("symlink_empty_target", "symlink l @ = ENOENT; lstat l = ENOENT"),
    SCRIPT("symlink_empty_path", "symlink @ a = ENOENT"),
    SCRIPT("symlink_target_of_1000",
           "symlink l x*1000; read_link l = 1000 x*1000; lstat l = 0 size:1000"),
    SCRIPT("symlink_target_of_4095", "symlink l x*4095 = OK|ENAMETOOLONG"),
    SCRIPT("symlink_target_of_4096", "symlink l x*4096 = ENAMETOOLONG; lstat l = ENOENT"),
    SCRIPT("symlink_name_of_256", "symlink x*256 a = ENAMETOOLONG"),
    SCRIPT("symlink_under_nothing", "symlink d/l a = ENOENT"),
    SCRIPT("symlink_under_a_file", "file a x; symlink a/l b = ENOTDIR"),
    SCRIPT("symlink_to_itself",
           "symlink l l; read_link l = 1 l; stat l = ELOOP; lstat l = 0 symlink"),
    SCRIPT("symlink_target_keeps_its_spelling",
           "symlink l .//a/../b/; read_link l = 10 .//a/../b/"),
    SCRIPT("symlink_in", "mkdir d; open D d r; symlink_in D l a; read_link d/l = 1 a"),
    SCRIPT("symlink_in_existing",
           "mkdir d; file d/a x; open D d r; symlink_in D a b = EEXIST"),
    SCRIPT("symlink_in_with_slash",
           "mkdir d; open D d r; symlink_in D e/l a = EINVAL; symlink_in D .. a = EINVAL; "
           "symlink_in D . a = EINVAL"),
    SCRIPT("symlink_in_target_with_slash",
           "mkdir d; file a x; open D d r; symlink_in D l ../a; content d/l = 1 x"),
    SCRIPT("symlink_in_empty",
           "mkdir d; open D d r; symlink_in D @ a = ENOENT; symlink_in D l @ = ENOENT"),
    SCRIPT("symlink_in_closed", "mkdir d; open D d r; close D; symlink_in D l a = EBADF"),
    SCRIPT("symlink_in_a_file", "file a x; open A a r; symlink_in A l b = ENOTDIR"),
    SCRIPT("read_link_missing", "read_link l = ENOENT"),
    SCRIPT("read_link_of_a_file", "file a x; read_link a = EINVAL"),
    SCRIPT("read_link_of_a_directory", "mkdir d; read_link d = EINVAL"),
    SCRIPT("read_link_under_a_file", "file a x; read_link a/l = ENOTDIR"),
    SCRIPT("read_link_empty_path", "read_link @ = ENOENT"),
    SCRIPT("read_link_through_linked_directory",
           "mkdir d; symlink d/l a; symlink m d; read_link m/l = 1 a"),
    SCRIPT("read_link_of_the_first_of_two", "symlink a b; symlink b c; read_link a = 1 b"),
    SCRIPT("read_link_into_nothing", "symlink l a; read_link l 0 = EINVAL"),
    SCRIPT("read_link_exactly", "symlink l hello; read_link l 5 = 5 hello; read_link l 4 = "
                                "4 hell; read_link l 1 = 1 h"),
    PROGRAM(read_link_is_cut),
    SCRIPT("read_link_in", "mkdir d; symlink d/l hello; open D d r; read_link_in D l = 5 "
                           "hello; read_link_in D l 3 = 3 hel"),
    SCRIPT("read_link_in_missing", "mkdir d; open D d r; read_link_in D l = ENOENT"),
    SCRIPT("read_link_in_of_a_file",
           "mkdir d; file d/a x; open D d r; read_link_in D a = EINVAL"),
    SCRIPT("read_link_in_with_slash",
           "mkdir d; symlink d/l a; open D d r; read_link_in D ../d/l = EINVAL; "
           "read_link_in D .. = EINVAL; read_link_in D @ = ENOENT"),
    SCRIPT("read_link_in_closed",
           "mkdir d; symlink d/l a; open D d r; close D; read_link_in D l = EBADF"),
    SCRIPT("links_follow_to_the_end",
           "file a hello; symlink l1 a; symlink l2 l1; symlink l3 l2; content l3 = 5 "
           "hello; stat l3 = 0 file size:5"),
    SCRIPT("links_relative_to_where_they_are",
           "mkdir d; mkdir d/e; file d/a inner; file a outer; symlink d/e/l ../a; content "
           "d/e/l = 5 inner"),
    SCRIPT("links_of_directories_in_a_row", "mkdir d; mkdir d/e; file d/e/a x; symlink l "
                                            "d; symlink d/m e; content l/m/a = 1 x"),
    SCRIPT("links_dots_after_a_link", "mkdir d; mkdir d/e; file d/a inner; file a outer; "
                                      "symlink l d/e; content l/../a = 5 inner"),
    SCRIPT("links_follow_the_new_target",
           "file a 1; file b 2; symlink l a; symlink m b; rename m l; content l = 1 2"),
    SCRIPT("links_to_the_root", "symlink l /; stat l = 0 directory"),
    SCRIPT("links_to_a_file_with_slash",
           "file a x; symlink l a/; open A l r = ENOTDIR; stat l = ENOTDIR"),
    {0},
};
