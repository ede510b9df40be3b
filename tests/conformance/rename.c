/* Renaming: what moves, what is replaced, and what stands in the way. */
#include "conformance.h"

/* An inode and its content move; the number stays. */
static void rename_keeps_the_inode(struct conformance *c)
{
    struct tp_statx before, after;

    make_file(c, at(c, "a"), 10);
    EXPECT(c, run(c, tp_request_stat(at(c, "a"), &before)), 0);
    EXPECT(c, run(c, tp_request_rename(at(c, "a"), at(c, "b"))), 0);
    EXPECT(c, run(c, tp_request_stat(at(c, "b"), &after)), 0);
    EXPECT_THAT(c, before.inode == after.inode && before.device == after.device);
    EXPECT_THAT(c, before.modified_ns == after.modified_ns);
}

const struct conformance_program conformance_rename[] = {
    SCRIPT("rename_file",
           "file a hello; rename a b = 0; lstat a = ENOENT; content b = 5 hello"),
    SCRIPT("rename_missing",
           "rename a b = ENOENT; file b x; rename a b = ENOENT; content b = 1 x"),
    SCRIPT("rename_over_file",
           "file a new; file b old-old; rename a b; names . = 1 b; content b = 3 new"),
    SCRIPT("rename_over_itself", "file a x; rename a a = 0; content a = 1 x"),
    SCRIPT("rename_missing_over_itself", "rename a a = ENOENT"),
    SCRIPT("rename_file_over_directory",
           "file a x; mkdir d; rename a d = EISDIR; names . = 2 a d"),
    SCRIPT("rename_file_over_full_directory",
           "file a x; mkdir d; file d/b y; rename a d = EISDIR|ENOTEMPTY; content a = 1 x"),
    SCRIPT("rename_directory_over_file",
           "file a x; mkdir d; rename d a = ENOTDIR; names . = 2 a d"),
    SCRIPT("rename_directory",
           "mkdir d; file d/a x; rename d e; lstat d = ENOENT; content e/a = 1 x"),
    SCRIPT("rename_directory_over_empty",
           "mkdir d; file d/a x; mkdir e; rename d e; names . = 1 e; content e/a = 1 x"),
    SCRIPT("rename_directory_over_full",
           "mkdir d; mkdir e; file e/a x; rename d e = ENOTEMPTY|EEXIST; names . = 2 d e"),
    SCRIPT("rename_directory_over_itself",
           "mkdir d; file d/a x; rename d d = 0; content d/a = 1 x"),
    SCRIPT("rename_directory_into_itself", "mkdir d; rename d d/e = EINVAL; names d = 0"),
    SCRIPT("rename_directory_deep_into_itself",
           "mkdir d; mkdir d/e; mkdir d/e/f; rename d d/e/f/g = EINVAL; names d/e/f = 0"),
    SCRIPT("rename_directory_over_its_child",
           "mkdir d; mkdir d/e; rename d d/e = EINVAL; names d = 1 e"),
    SCRIPT("rename_over_the_parent",
           "mkdir d; mkdir d/e; rename d/e d = ENOTEMPTY|EEXIST; names d = 1 e"),
    SCRIPT("rename_file_over_the_parent",
           "mkdir d; file d/a x; rename d/a d = ENOTEMPTY|EISDIR; names d = 1 a"),
    SCRIPT("rename_to_another_directory",
           "mkdir d; mkdir e; file d/a x; rename d/a e/b; names d = 0; content e/b = 1 x"),
    SCRIPT("rename_over_in_another_directory",
           "mkdir d; mkdir e; file d/a new; file e/a old; rename d/a e/a; names d = 0; "
           "content e/a = 3 new"),
    SCRIPT("rename_directory_to_another",
           "mkdir d; mkdir d/x; file d/x/a hi; mkdir e; rename d/x e/y; names d = 0; "
           "content e/y/a = 2 hi"),
    SCRIPT("rename_up_and_down",
           "mkdir d; file d/a x; rename d/a a; rename a d/b; names d = 1 b; names . = 1 d"),
    SCRIPT("rename_directory_out_of_itself_goes",
           "mkdir d; mkdir d/e; file d/e/a x; rename d/e e; rename d e/d; names e = 2 a d"),
    SCRIPT("rename_under_nothing",
           "file a x; rename a d/a = ENOENT; rename d/a b = ENOENT; content a = 1 x"),
    SCRIPT("rename_under_a_file", "file a x; file b y; rename a b/a = ENOTDIR; rename b/a "
                                  "c = ENOTDIR; names . = 2 a b"),
    SCRIPT("rename_moves_the_link", "file a x; symlink l a; rename l m; lstat m = 0 "
                                    "symlink; lstat l = ENOENT; content m = 1 x"),
    SCRIPT("rename_replaces_the_link",
           "file a old; symlink l a; file b new; rename b l; lstat l = 0 file; content a = "
           "3 old; content l = 3 new"),
    SCRIPT("rename_dangling_link",
           "symlink l nowhere; rename l m; read_link m = 7 nowhere"),
    SCRIPT("rename_over_dangling_link",
           "file a x; symlink l nowhere; rename a l; names . = 1 l; content l = 1 x"),
    SCRIPT("rename_link_over_file",
           "file a x; symlink l nowhere; rename l a; lstat a = 0 symlink; names . = 1 a"),
    SCRIPT("rename_link_over_directory",
           "mkdir d; symlink l d; rename l d = EISDIR; names . = 2 d l"),
    SCRIPT("rename_directory_over_link",
           "mkdir d; mkdir e; symlink l e; rename d l = ENOTDIR; names . = 3 d e l"),
    SCRIPT("rename_link_over_its_target",
           "file a x; symlink l a; rename l a; names . = 1 a; stat a = ELOOP"),
    SCRIPT("rename_through_linked_directory",
           "mkdir d; file d/a x; symlink l d; rename l/a l/b; names d = 1 b"),
    SCRIPT("rename_open_file",
           "file a hello; open A a rw; rename a b; write A 0 J; content b = 5 Jello"),
    SCRIPT("rename_over_open_file",
           "file a new; file b old; open B b r; rename a b; read B 0 9 = 3 old; fstat B = "
           "0 links:0; content b = 3 new"),
    SCRIPT(
        "rename_open_directory",
        "mkdir d; file d/a x; open D d r; rename d e; stat_in D a = 0 file; names e = 1 a"),
    SCRIPT("rename_over_open_empty_directory",
           "mkdir d; mkdir e; open E e r; rename d e; open_in A E a wc = ENOENT"),
    SCRIPT("rename_under_open_file",
           "mkdir d; open A d/a rwc; rename d e; write A 0 hi; content e/a = 2 hi"),
    SCRIPT(
        "rename_name_of_255",
        "file a x; rename a y*255; content y*255 = 1 x; rename y*255 b; content b = 1 x"),
    SCRIPT("rename_name_of_256", "file a x; rename a y*256 = ENAMETOOLONG; rename y*256 b "
                                 "= ENAMETOOLONG; content a = 1 x"),
    SCRIPT("rename_empty_path",
           "file a x; rename @ b = ENOENT; rename a @ = ENOENT; content a = 1 x"),
    SCRIPT("rename_long_path", "file a x; rename a @/*4096 = ENAMETOOLONG; rename @x*4096 "
                               "b = ENAMETOOLONG; content a = 1 x"),
    SCRIPT("rename_file_with_slash",
           "file a x; rename a b/ = ENOTDIR; rename a/ b = ENOTDIR; names . = 1 a"),
    SCRIPT("rename_directory_with_slash", "mkdir d; rename d/ e/; names . = 1 e"),
    SCRIPT("rename_dot", "mkdir d; rename d/. e = EBUSY|EINVAL; rename d/.. e = "
                         "EBUSY|EINVAL|ENOTEMPTY; names . = 1 d"),
    SCRIPT("rename_to_dot", "mkdir d; mkdir e; rename d e/. = EBUSY|EINVAL|EEXIST; rename "
                            "d e/.. = EBUSY|EINVAL|ENOTEMPTY|EEXIST; names . = 2 d e"),
    SCRIPT("rename_root_of_names",
           "file a x; rename a @/ = EBUSY|EISDIR|ENOTDIR|EEXIST|EXDEV; content a = 1 x"),
    SCRIPT("rename_many_times", "file a x; rename a b; rename b c; rename c d; rename d a; "
                                "names . = 1 a; content a = 1 x"),
    SCRIPT("rename_swap_by_three", "file a 1; file b 2; rename a t; rename b a; rename t "
                                   "b; content a = 1 2; content b = 1 1"),
    PROGRAM(rename_keeps_the_inode),
    SCRIPT("rename_in_one_directory",
           "mkdir d; file d/a x; open D d r; rename_in D a D b; names d = 1 b"),
    SCRIPT("rename_in_two_directories",
           "mkdir d; mkdir e; file d/a x; open D d r; open E e r; rename_in D a E b; names "
           "d = 0; content e/b = 1 x"),
    SCRIPT("rename_in_over_file", "mkdir d; file d/a new; file d/b old; open D d r; "
                                  "rename_in D a D b; content d/b = 3 new"),
    SCRIPT("rename_in_over_itself",
           "mkdir d; file d/a x; open D d r; rename_in D a D a = 0; names d = 1 a"),
    SCRIPT("rename_in_missing", "mkdir d; open D d r; rename_in D a D b = ENOENT"),
    SCRIPT("rename_in_directory", "mkdir d; mkdir d/e; file d/e/a x; open D d r; rename_in "
                                  "D e D f; content d/f/a = 1 x"),
    SCRIPT("rename_in_into_itself",
           "mkdir d; mkdir d/e; open D d r; open E d/e r; rename_in D e E f = EINVAL"),
    SCRIPT("rename_in_over_full_directory",
           "mkdir d; mkdir d/e; mkdir d/f; file d/f/a x; open D d r; rename_in D e D f = "
           "ENOTEMPTY|EEXIST"),
    SCRIPT("rename_in_with_slash",
           "mkdir d; mkdir d/e; file d/a x; open D d r; rename_in D a D e/b = EINVAL; "
           "rename_in D e/a D b = EINVAL; rename_in D a D b/ = EINVAL; names d = 2 a e"),
    SCRIPT("rename_in_dots",
           "mkdir d; file d/a x; open D d r; rename_in D a D .. = EINVAL; rename_in D .. D "
           "b = EINVAL; "
           "rename_in D . D b = EINVAL; rename_in D a D . = EINVAL; names d = 1 a"),
    SCRIPT("rename_in_empty_name", "mkdir d; file d/a x; open D d r; rename_in D @ D b = "
                                   "ENOENT; rename_in D a D @ = ENOENT"),
    SCRIPT("rename_in_name_of_256",
           "mkdir d; file d/a x; open D d r; rename_in D a D y*256 = ENAMETOOLONG; "
           "rename_in D y*256 D b = ENAMETOOLONG"),
    SCRIPT("rename_in_moves_the_link",
           "mkdir d; file d/a x; symlink d/l a; open D d r; rename_in D l D m; lstat d/m = "
           "0 symlink; content d/a = 1 x"),
    SCRIPT("rename_in_replaces_the_link",
           "mkdir d; file d/a x; file d/b y; symlink d/l a; open D d r; rename_in D b D l; "
           "lstat d/l = 0 file; content d/a = 1 x"),
    SCRIPT("rename_in_closed",
           "mkdir d; file d/a x; open D d r; open E d r; close E; rename_in E a D b = "
           "EBADF; rename_in D a E b = EBADF; names d = 1 a"),
    SCRIPT("rename_in_a_file",
           "mkdir d; file d/a x; open D d r; open A d/a r; rename_in D a A b = ENOTDIR; "
           "rename_in A b D c = ENOTDIR; names d = 1 a"),
    SCRIPT("rename_in_removed_directory",
           "mkdir d; mkdir e; file d/a x; open D d r; open E e r; rmdir e; rename_in D a E "
           "b = ENOENT; content d/a = 1 x"),
    {0},
};
