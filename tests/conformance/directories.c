/* Making, removing and syncing directories. */
#include "conformance.h"

#include <stdio.h>

static void create_dir_all_deep(struct conformance *c)
{
    char name[256] = "d0";
    struct tp_statx statx;
    size_t used = 2;

    for (uint32_t i = 1; i < 40; i++)
        used += (size_t)snprintf(name + used, sizeof name - used, "/d%u", i);
    EXPECT(c, run(c, tp_request_create_dir_all(at(c, name))), 0);
    EXPECT(c, run(c, tp_request_stat(at(c, name), &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_DIRECTORY);
    EXPECT(c, run(c, tp_request_create_dir_all(at(c, name))), 0);
}

/* The longest path that there may be, made of the longest names. */
static void longest_path(struct conformance *c)
{
    char path[TP_PATH_MAX + 1];
    size_t len = strlen(c->dir);
    struct tp_statx statx;

    memcpy(path, c->dir, len + 1);
    while (len + 1 + 200 < TP_PATH_MAX - 2) {
        path[len++] = '/';
        memset(path + len, 'x', 200);
        len += 200;
        path[len] = '\0';
        EXPECT(c, run(c, tp_request_create_dir(path, 0777)), 0);
    }
    path[len++] = '/';
    memset(path + len, 'y', TP_PATH_MAX - len);
    path[TP_PATH_MAX] = '\0'; /* one byte more than fits */
    EXPECT(c, run(c, tp_request_open(path, open_options("wc"))), -ENAMETOOLONG);
    EXPECT(c, run(c, tp_request_stat(path, &statx)), -ENAMETOOLONG);
    EXPECT(c, run(c, tp_request_create_dir(path, 0777)), -ENAMETOOLONG);
    path[TP_PATH_MAX - 1] = '\0';
    EXPECT(c, run(c, tp_request_create_dir(path, 0777)), 0);
    EXPECT(c, run(c, tp_request_stat(path, &statx)), 0);
    EXPECT(c, run(c, tp_request_remove_dir(path)), 0);
    make_file(c, path, 10);
    EXPECT(c, run(c, tp_request_remove(path)), 0);
}

const struct conformance_program conformance_directories[] = {
    SCRIPT("create_dir", "mkdir d = 0; stat d = 0 directory mode:755; names d = 0"),
    SCRIPT("create_dir_nested",
           "mkdir d; mkdir d/e; mkdir d/e/f; names d = 1 e; names d/e = 1 f"),
    SCRIPT("create_dir_existing", "mkdir d; file d/a x; mkdir d = EEXIST; names d = 1 a"),
    SCRIPT("create_dir_over_file", "file a x; mkdir a = EEXIST; content a = 1 x"),
    SCRIPT("create_dir_over_link",
           "file a x; symlink l a; mkdir l = EEXIST; lstat l = 0 symlink"),
    SCRIPT("create_dir_over_dangling_link",
           "symlink l nowhere; mkdir l = EEXIST; names . = 1 l"),
    SCRIPT("create_dir_under_nothing", "mkdir d/e = ENOENT; names . = 0"),
    SCRIPT("create_dir_under_a_file", "file a x; mkdir a/d = ENOTDIR"),
    SCRIPT("create_dir_through_link", "mkdir d; symlink l d; mkdir l/e; names d = 1 e"),
    SCRIPT("create_dir_with_slash", "mkdir d/; stat d = 0 directory"),
    SCRIPT("create_dir_mode", "mkdir d 0700; stat d = 0 mode:700; mkdir e 0777; stat e = 0 "
                              "mode:755; mkdir f 0; lstat f = 0 mode:0"),
    SCRIPT("create_dir_dot",
           "mkdir d; mkdir d/. = EEXIST; mkdir d/.. = EEXIST; mkdir . = EEXIST"),
    SCRIPT("create_dir_empty_path", "mkdir @ = ENOENT"),
    SCRIPT("create_dir_name_of_255", "mkdir x*255; file x*255+/a y; names x*255 = 1 a"),
    SCRIPT("create_dir_name_of_256", "mkdir x*256 = ENAMETOOLONG"),
    SCRIPT("create_dir_root", "mkdir @/ = EEXIST"),
    SCRIPT("create_dir_in",
           "mkdir d; open D d r; mkdir_in D e; stat d/e = 0 directory mode:755"),
    SCRIPT("create_dir_in_mode",
           "mkdir d; open D d r; mkdir_in D e 0700; stat d/e = 0 mode:700"),
    SCRIPT("create_dir_in_existing",
           "mkdir d; file d/a x; open D d r; mkdir_in D a = EEXIST"),
    SCRIPT("create_dir_in_with_slash",
           "mkdir d; open D d r; mkdir_in D e/ = EINVAL; mkdir_in D e/f = EINVAL; mkdir_in "
           "D /e = EINVAL; names d = 0"),
    SCRIPT("create_dir_in_dots",
           "mkdir d; open D d r; mkdir_in D . = EINVAL; mkdir_in D .. = EINVAL"),
    SCRIPT("create_dir_in_closed", "mkdir d; open D d r; close D; mkdir_in D e = EBADF"),
    SCRIPT("create_dir_in_a_file", "file a x; open A a r; mkdir_in A e = ENOTDIR"),
    SCRIPT("create_dir_in_removed_directory",
           "mkdir d; open D d r; rmdir d; mkdir_in D e = ENOENT"),
    SCRIPT("create_dir_in_over_dangling_link",
           "mkdir d; symlink d/l nowhere; open D d r; mkdir_in D l = EEXIST"),
    SCRIPT("create_dir_all", "mkdir_all a/b/c = 0; stat a/b/c = 0 directory mode:755"),
    SCRIPT("create_dir_all_one", "mkdir_all a = 0; names . = 1 a"),
    SCRIPT("create_dir_all_existing",
           "mkdir a; file a/x y; mkdir_all a = 0; names a = 1 x"),
    SCRIPT("create_dir_all_partly_existing",
           "mkdir a; mkdir_all a/b/c = 0; mkdir_all a/b/d = 0; names a/b = 2 c d"),
    SCRIPT("create_dir_all_over_file",
           "file a x; mkdir_all a = EEXIST|ENOTDIR; content a = 1 x"),
    SCRIPT("create_dir_all_under_a_file",
           "file a x; mkdir_all a/b = ENOTDIR|EEXIST; mkdir_all a/b/c = ENOTDIR|EEXIST; "
           "content a = 1 x"),
    SCRIPT("create_dir_all_through_link",
           "mkdir d; symlink l d; mkdir_all l/a/b = 0; names d/a = 1 b; mkdir_all l = 0"),
    SCRIPT("create_dir_all_dangling_link",
           "symlink l nowhere; symlink m no/where; mkdir_all l = EEXIST|ENOTDIR; mkdir_all "
           "m = EEXIST|ENOTDIR; "
           "mkdir_all l/a = EEXIST|ENOTDIR|ENOENT; names . = 2 l m"),
    SCRIPT("create_dir_all_with_slash", "mkdir_all a/b/ = 0; names a = 1 b"),
    SCRIPT("create_dir_all_double_slash", "mkdir_all a//b///c = 0; names a/b = 1 c"),
    SCRIPT("create_dir_all_empty_path", "mkdir_all @ = ENOENT"),
    SCRIPT("create_dir_all_root", "mkdir_all @/ = 0"),
    SCRIPT("create_dir_all_name_of_256", "mkdir_all a/x*256 = ENAMETOOLONG"),
    SCRIPT("create_dir_all_long_path", "mkdir_all @/*4096 = ENAMETOOLONG"),
    PROGRAM(create_dir_all_deep),
    PROGRAM(longest_path),
    SCRIPT("remove_dir", "mkdir d; rmdir d = 0; lstat d = ENOENT; names . = 0"),
    SCRIPT("remove_dir_missing", "rmdir d = ENOENT"),
    SCRIPT("remove_dir_twice", "mkdir d; rmdir d; rmdir d = ENOENT"),
    SCRIPT("remove_dir_full", "mkdir d; file d/a x; rmdir d = ENOTEMPTY; content d/a = 1 "
                              "x; remove d/a; rmdir d = 0"),
    SCRIPT("remove_dir_with_directory",
           "mkdir d; mkdir d/e; rmdir d = ENOTEMPTY; rmdir d/e; rmdir d = 0"),
    SCRIPT("remove_dir_with_link", "mkdir d; symlink d/l nowhere; rmdir d = ENOTEMPTY"),
    SCRIPT("remove_dir_file", "file a x; rmdir a = ENOTDIR; content a = 1 x"),
    SCRIPT("remove_dir_link", "mkdir d; symlink l d; rmdir l = ENOTDIR; names . = 2 d l"),
    SCRIPT("remove_dir_under_a_file", "file a x; rmdir a/b = ENOTDIR"),
    SCRIPT("remove_dir_with_slash", "mkdir d; rmdir d/; names . = 0"),
    SCRIPT(
        "remove_dir_dot",
        "mkdir d; rmdir d/. = EINVAL; rmdir d/.. = ENOTEMPTY|EINVAL; stat d = 0 directory"),
    SCRIPT("remove_dir_empty_path", "rmdir @ = ENOENT"),
    SCRIPT("remove_dir_name_of_256", "rmdir x*256 = ENAMETOOLONG"),
    SCRIPT("remove_dir_open", "mkdir d; open D d r; rmdir d; fstat D = 0 directory; "
                              "stat_in D a = ENOENT; mkdir d; names d = 0"),
    SCRIPT("remove_dir_with_removed_open_file",
           "mkdir d; open A d/a rwc; remove d/a; rmdir d = 0; write A 0 hi; read A 0 9 = 2 "
           "hi"),
    SCRIPT("remove_dir_in", "mkdir d; mkdir d/e; open D d r; rmdir_in D e; names d = 0"),
    SCRIPT("remove_dir_in_full",
           "mkdir d; mkdir d/e; file d/e/a x; open D d r; rmdir_in D e = ENOTEMPTY"),
    SCRIPT("remove_dir_in_file", "mkdir d; file d/a x; open D d r; rmdir_in D a = ENOTDIR"),
    SCRIPT("remove_dir_in_link",
           "mkdir d; mkdir d/e; symlink d/l e; open D d r; rmdir_in D l = ENOTDIR"),
    SCRIPT("remove_dir_in_with_slash", "mkdir d; mkdir d/e; open D d r; rmdir_in D e/ = "
                                       "EINVAL; rmdir_in D ../d/e = EINVAL; names d = 1 e"),
    SCRIPT(
        "remove_dir_in_dots",
        "mkdir d; mkdir d/e; open E d/e r; rmdir_in E .. = EINVAL; rmdir_in E . = EINVAL"),
    SCRIPT("remove_dir_in_closed",
           "mkdir d; mkdir d/e; open D d r; close D; rmdir_in D e = EBADF; names d = 1 e"),
    {0},
};
