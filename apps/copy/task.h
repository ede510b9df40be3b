/** apps/copy/task.h - one file or symbolic link: copied, listed or compared.
 *
 * A regular file is written under a temporary name and renamed when it is whole, so under
 * its own name there is never a part of it, whatever happens to the process; with --sync,
 * to the machine. A symbolic link is made as such; one that is in the way is replaced.
 */
#ifndef TEMPEST_APPS_COPY_TASK_H
#define TEMPEST_APPS_COPY_TASK_H

#include "apps/copy/compare.h"
#include "apps/copy/copy.h"
#include "sm/copy_file.h"

enum {
    /** What a task ends with when the entry is a directory, which listing did not tell. */
    COPY_IS_DIRECTORY = 1,
    /** Memory of each task: blocks of small files, and those of a comparison. */
    COPY_TASK_BYTES = 131072,
};

struct copy_task {
    struct tp_machine machine;
    struct copy *copy;
    struct copy_task *next_free;
    const struct copy_dir *dir;   /* whose fds it works in */
    const char *name[COPY_SIDES]; /* in those */
    struct tp_statx statx[COPY_SIDES];
    bool copying; /* copy_file.bytes is progress */
    uint32_t attempts;
    int32_t error;
    struct tp_copy_file copy_file;
    struct copy_compare compare;
    struct tp_buf link;
    uint8_t *memory;
    char own_name[TP_NAME_MAX + 1];
    char temporary[TP_TEMPORARY_NAME_BYTES];
    char link_target[TP_PATH_MAX];
};

/** Starts it as a child of the machine that runs `dir` (or of an argument). The names are
 * the caller's until its end; one in a listing is copied by copy_task_start_entry(). */
struct tp_op copy_task_start(struct tp_ctx *cx, struct copy_task *task,
                             const struct copy_dir *dir, const char *source_name,
                             const char *target_name);

/** The same for an entry of a listing, whose name is copied. */
struct tp_op copy_task_start_entry(struct tp_ctx *cx, struct copy_task *task,
                                   const struct copy_dir *dir, const char *name);

#endif
