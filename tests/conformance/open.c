/* Opening by path: what is there, what is asked for, and every way in which they disagree.
 */
#include "conformance.h"

#include <stdio.h>

/* Every combination of the seven options that conflicts is refused, and says why; every
 * other one opens a file that is there (create_new: one that is not). Direct I/O may be
 * refused. */
static void open_every_combination(struct conformance *c)
{
    static const char letters[] = "rwcntds";

    make_file(c, at(c, "here"), 10);
    for (uint32_t bits = 0; bits < 128; bits++) {
        struct tp_open_options options;
        char chosen[8];
        uint32_t count = 0;
        int32_t value;

        for (uint32_t i = 0; i < 7; i++) {
            if ((bits & (1u << i)) != 0)
                chosen[count++] = letters[i];
        }
        chosen[count] = '\0';
        options = open_options(chosen);
        value =
            run(c, tp_request_open(at(c, options.create_new ? "new" : "here"), options));
        if (tp_open_options_conflict(options) != NULL)
            EXPECT(c, value, -EINVAL);
        else if (value < 0)
            EXPECT_THAT(c, options.direct && value == -EINVAL);
        if (value >= 0) {
            close_file(c, tp_io_into_fd(c->io, value));
            if (options.create_new)
                EXPECT(c, run(c, tp_request_remove(at(c, "new"))), 0);
        }
    }
}

static void open_conflicts_say_why(struct conformance *c)
{
    EXPECT_THAT(c, strstr(tp_open_options_conflict(open_options("")), "read") != NULL);
    EXPECT_THAT(c,
                strstr(tp_open_options_conflict(open_options("rc")), "creating") != NULL);
    EXPECT_THAT(c,
                strstr(tp_open_options_conflict(open_options("rn")), "creating") != NULL);
    EXPECT_THAT(c, strstr(tp_open_options_conflict(open_options("rt")), "truncat") != NULL);
    EXPECT_THAT(c, strstr(tp_open_options_conflict(open_options("rs")), "dsync") != NULL);
    EXPECT_THAT(c, tp_open_options_conflict(open_options("rd")) == NULL);
    EXPECT_THAT(c, tp_open_options_conflict(open_options("rwcntds")) == NULL);
}

/* The path contract: a file is always named by the same path. "./a" and "a" may be one file
 * or two, and whatever a backend answers, it answers always. */
static void open_other_spelling(struct conformance *c)
{
    int32_t first, again;

    make_file(c, at(c, "a"), 10);
    first = run(c, tp_request_open(at(c, "./a"), open_options("r")));
    if (first < 0)
        EXPECT(c, first, -ENOENT);
    else
        close_file(c, tp_io_into_fd(c->io, first));
    again = run(c, tp_request_open(at(c, "./a"), open_options("r")));
    EXPECT_THAT(c, (first < 0) == (again < 0));
    if (again >= 0)
        close_file(c, tp_io_into_fd(c->io, again));
}

/* A chain of `links` symbolic links ends at a file. */
static void open_chain(struct conformance *c, uint32_t links, int32_t expected)
{
    char name[16], target[16];

    make_file(c, at(c, "l0"), 1);
    for (uint32_t i = 1; i <= links; i++) {
        (void)snprintf(name, sizeof name, "l%u", i);
        (void)snprintf(target, sizeof target, "l%u", i - 1);
        EXPECT(c, run(c, tp_request_symlink(at(c, name), target)), 0);
    }
    if (expected == 0)
        close_file(c, open_file(c, at(c, name), "r"));
    else
        EXPECT(c, run(c, tp_request_open(at(c, name), open_options("r"))), expected);
}

static void open_chain_of_40_links(struct conformance *c)
{
    open_chain(c, 40, 0);
}

static void open_chain_of_41_links(struct conformance *c)
{
    open_chain(c, 41, -ELOOP);
}

const struct conformance_program conformance_open[] = {
    SCRIPT("open_missing",
           "open A a r = ENOENT; open A a w = ENOENT; open A a rw = ENOENT"),
    SCRIPT("open_to_read", "file a hello; open A a r; read A 0 10 = 5 hello"),
    SCRIPT("open_to_write", "file a hello; open A a w; write A 0 J; content a = 5 Jello"),
    SCRIPT("open_create_missing", "open A a wc; stat a = 0 file size:0 links:1"),
    SCRIPT("open_create_keeps_what_is_there",
           "file a hello; open A a wc; content a = 5 hello"),
    SCRIPT("open_create_mode", "open A a wc; fstat A = 0 mode:644"),
    SCRIPT("open_create_keeps_mode",
           "open A a wc; set_mode A 0600; open B a rwc; fstat B = 0 mode:600"),
    SCRIPT("open_create_new", "open A a rwn; write A 0 x; content a = 1 x"),
    SCRIPT("open_create_new_existing", "file a x; open A a wn = EEXIST; content a = 1 x"),
    SCRIPT("open_create_new_and_create", "open A a wnc; open B a wnc = EEXIST"),
    SCRIPT("open_create_new_directory", "mkdir a; open A a wn = EEXIST"),
    SCRIPT("open_create_new_dangling_link",
           "symlink l nowhere; open A l wn = EEXIST; lstat nowhere = ENOENT"),
    SCRIPT("open_create_new_link_to_file",
           "file a x; symlink l a; open A l wn = EEXIST; content a = 1 x"),
    SCRIPT("open_create_new_link_to_itself", "symlink l l; open A l wn = EEXIST"),
    SCRIPT("open_create_new_truncate", "open A a wnt; open B a wnt = EEXIST"),
    SCRIPT("open_truncate",
           "file a hello; open A a wt; fstat A = 0 size:0; content a = 0 ~*0"),
    SCRIPT("open_truncate_missing", "open A a wt = ENOENT; lstat a = ENOENT"),
    SCRIPT("open_truncate_create_missing", "open A a wct; stat a = 0 size:0"),
    SCRIPT("open_truncate_while_open", "file a hello; open A a r; open B a wt; read A 0 5 "
                                       "= 0; write B 0 new; read A 0 5 = 3 new"),
    SCRIPT("open_truncate_keeps_inode",
           "file a x; symlink b a; open A a r; open B a wt; fstat A = 0 size:0 links:1"),
    SCRIPT("open_truncate_through_link",
           "file a hello; symlink l a; open A l wt; stat a = 0 size:0"),
    SCRIPT("open_directory_to_read", "mkdir d; open A d r; fstat A = 0 directory"),
    SCRIPT("open_directory_to_write", "mkdir d; open A d w = EISDIR; open A d rw = EISDIR"),
    SCRIPT("open_directory_create", "mkdir d; open A d wc = EISDIR; open A d rwc = EISDIR"),
    SCRIPT("open_directory_truncate", "mkdir d; open A d wt = EISDIR"),
    SCRIPT("open_under_a_file",
           "file a x; open A a/b r = ENOTDIR; open A a/b wc = ENOTDIR"),
    SCRIPT("open_under_nothing", "open A d/a r = ENOENT; open A d/a wc = ENOENT"),
    SCRIPT("open_file_with_slash",
           "file a x; open A a/ r = ENOTDIR; open A a/ w = ENOTDIR|EISDIR"),
    SCRIPT("open_create_with_slash", "open A a/ wc = EISDIR|ENOENT; lstat a = ENOENT"),
    SCRIPT("open_directory_with_slash", "mkdir d; open A d/ r; fstat A = 0 directory"),
    SCRIPT("open_double_slash", "mkdir d; file d/a x; open A d//a r; read A 0 9 = 1 x"),
    SCRIPT("open_empty_path", "open A @ r = ENOENT; open A @ wc = ENOENT"),
    SCRIPT("open_name_of_255",
           "file x*255 hello; content x*255 = 5 hello; names . = 1 x*255"),
    SCRIPT("open_name_of_256",
           "open A x*256 r = ENAMETOOLONG; open A x*256 wc = ENAMETOOLONG"),
    SCRIPT("open_directory_name_of_256", "open A x*256+/a r = ENAMETOOLONG"),
    SCRIPT("open_path_of_4096",
           "open A @/*4096 r = ENAMETOOLONG; open A @x*5000 r = ENAMETOOLONG"),
    SCRIPT("open_path_of_4095", "open A @/*4095 r; fstat A = 0 directory"),
    SCRIPT("open_strange_names", "file ... x; file -rf y; file ?!#$& z; content ... = 1 x; "
                                 "content -rf = 1 y; content ?!#$& = 1 z"),
    SCRIPT("open_names_differ_in_case",
           "file a x; file A y; content a = 1 x; content A = 1 y"),
    SCRIPT("open_through_link",
           "file a hello; symlink l a; open A l r; read A 0 9 = 5 hello"),
    SCRIPT("open_through_absolute_link", "file a hello; symlink l %a; content l = 5 hello"),
    SCRIPT("open_through_link_in_directory",
           "mkdir d; file d/a hello; symlink d/l a; content d/l = 5 hello"),
    SCRIPT("open_through_link_upwards",
           "mkdir d; file a hello; symlink d/l ../a; content d/l = 5 hello"),
    SCRIPT("open_through_linked_directory",
           "mkdir d; file d/a hello; symlink l d; content l/a = 5 hello"),
    SCRIPT("open_through_linked_directory_with_slash",
           "mkdir d; symlink l d/; open A l/ r"),
    SCRIPT("open_link_to_directory_to_write", "mkdir d; symlink l d; open A l w = EISDIR"),
    SCRIPT("open_dangling_link",
           "symlink l nowhere; open A l r = ENOENT; open A l w = ENOENT"),
    SCRIPT("open_create_through_dangling_link",
           "symlink l a; open A l wc; write A 0 hi; content a = 2 hi; lstat l = 0 symlink"),
    SCRIPT("open_create_through_link_to_nowhere",
           "symlink l no/where; open A l wc = ENOENT; names . = 1 l"),
    SCRIPT("open_link_to_itself", "symlink l l; open A l r = ELOOP; open A l wc = ELOOP"),
    SCRIPT(
        "open_links_in_a_circle",
        "symlink a b; symlink b c; symlink c a; open A a r = ELOOP; open A b/x r = ELOOP"),
    PROGRAM(open_chain_of_40_links),
    PROGRAM(open_chain_of_41_links),
    SCRIPT(
        "open_in_removed_directory",
        "mkdir d; open D d r; rmdir d; open A d/a wc = ENOENT; open_in A D a wc = ENOENT"),
    SCRIPT("open_twice", "file a hello; open A a rw; open B a rw; write A 0 J; read B 0 5 "
                         "= 5 Jello; close A; "
                         "write B 4 y; read B 0 5 = 5 Jelly"),
    SCRIPT("open_direct", "file a x*8192; open A a rd = OK|EINVAL"),
    SCRIPT("open_dsync", "open A a wcs; write A 0 hello; content a = 5 hello"),
    PROGRAM(open_every_combination),
    PROGRAM(open_conflicts_say_why),
    PROGRAM(open_other_spelling),
    {0},
};
