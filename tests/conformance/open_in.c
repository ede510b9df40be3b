/* Opening one name in an open directory: it cannot lead out, and follows no symbolic link.
 */
#include "conformance.h"

const struct conformance_program conformance_open_in[] = {
    SCRIPT("open_in_file",
           "mkdir d; file d/a hello; open D d r; open_in A D a r; read A 0 9 = 5 hello"),
    SCRIPT("open_in_missing", "mkdir d; open D d r; open_in A D a r = ENOENT"),
    SCRIPT("open_in_create", "mkdir d; open D d r; open_in A D a wc; write A 0 hi; content "
                             "d/a = 2 hi; fstat A = 0 mode:644"),
    SCRIPT("open_in_create_new_existing",
           "mkdir d; file d/a x; open D d r; open_in A D a wn = EEXIST"),
    SCRIPT("open_in_truncate",
           "mkdir d; file d/a x; open D d r; open_in A D a wt; stat d/a = 0 size:0"),
    SCRIPT("open_in_directory", "mkdir d; mkdir d/e; file d/e/a x; open D d r; open_in E D "
                                "e r; open_in A E a r; read A 0 9 = 1 x"),
    SCRIPT("open_in_directory_to_write",
           "mkdir d; mkdir d/e; open D d r; open_in E D e w = EISDIR"),
    SCRIPT("open_in_conflict",
           "mkdir d; open D d r; open_in A D a rc = EINVAL; names d = 0"),
    SCRIPT("open_in_with_slash",
           "mkdir d; mkdir d/e; file d/e/a x; open D d r; open_in A D e/a r = EINVAL; "
           "open_in A D e/ r = EINVAL; open_in A D /e r = EINVAL"),
    SCRIPT("open_in_dots",
           "mkdir d; open D d r; open_in A D .. r = EINVAL; open_in A D . r = EINVAL; "
           "open_in A D ... wc; stat d/... = 0 file"),
    SCRIPT("open_in_empty_name", "mkdir d; open D d r; open_in A D @ r = ENOENT"),
    SCRIPT("open_in_name_of_255",
           "mkdir d; open D d r; open_in A D x*255 wc; names d = 1 x*255"),
    SCRIPT("open_in_name_of_256",
           "mkdir d; open D d r; open_in A D x*256 wc = ENAMETOOLONG"),
    SCRIPT("open_in_link",
           "mkdir d; file d/a x; symlink d/l a; open D d r; open_in A D l r = ELOOP; "
           "open_in A D l w = ELOOP; open_in A D l wt = ELOOP; content d/a = 1 x"),
    SCRIPT("open_in_link_to_directory",
           "mkdir d; mkdir d/e; symlink d/l e; open D d r; open_in A D l r = ELOOP"),
    SCRIPT("open_in_dangling_link", "mkdir d; symlink d/l a; open D d r; open_in A D l r = "
                                    "ELOOP; open_in A D l wc = ELOOP; names d = 1 l"),
    SCRIPT("open_in_create_new_link",
           "mkdir d; symlink d/l a; open D d r; open_in A D l wn = EEXIST; names d = 1 l"),
    SCRIPT("open_in_a_file",
           "file a x; open D a r; open_in A D b r = ENOTDIR; open_in A D b wc = ENOTDIR"),
    SCRIPT("open_in_closed",
           "mkdir d; file d/a x; open D d r; close D; open_in A D a r = EBADF"),
    SCRIPT("open_in_no_fd", "open_in A Z a r = EBADF"),
    SCRIPT("open_in_renamed_directory",
           "mkdir d; file d/a x; open D d r; rename d e; open_in A D a r; open_in B D b "
           "wc; names e = 2 a b"),
    SCRIPT(
        "open_in_directory_opened_through_link",
        "mkdir d; file d/a x; symlink l d; open D l r; open_in A D a r; read A 0 9 = 1 x"),
    SCRIPT("open_in_direct",
           "mkdir d; file d/a x; open D d r; open_in A D a rd = OK|EINVAL"),
    {0},
};
