/** apps/copy/load.h - puts a tree of this machine onto the disk of an Io, as it is.
 *
 * For a copy in a world of its own: the tree is read with plain system calls and written
 * through the Io's blocking helpers, names in order, so that the disk that results depends
 * on the tree alone. Holes stay holes; devices, pipes and sockets are left out and said.
 *
 * The list of what was loaded lets the copy be looked at afterwards (check.h).
 */
#ifndef TEMPEST_APPS_COPY_LOAD_H
#define TEMPEST_APPS_COPY_LOAD_H

#include "io/io.h"

/** One thing that was loaded. */
struct copy_loaded {
    char *path; /* below the root of its tree: "" the root itself, else "/a/b" */
    uint64_t size;
    uint32_t kind; /* enum tp_file_kind */
    uint32_t reserved;
};

struct copy_list {
    struct copy_loaded *items; /* parents before what is in them */
    uint32_t count, capacity;
    uint64_t bytes;
    uint32_t files;
    uint32_t left_out; /* not loaded, which was said */
};

/** Loads what is at `host_path` (followed only if `follow`) to `path`, whose parent is made
 * if need be. Adds to `list`. 0, or -errno, which has been said with the path it is about.
 */
int32_t copy_load(struct tp_io *io, const char *host_path, bool follow, const char *path,
                  struct copy_list *list);

void copy_list_deinit(struct copy_list *list);

#endif
