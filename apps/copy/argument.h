/** apps/copy/argument.h - one SRC: what it is, where it goes, and whether it may.
 *
 * SRC itself is not followed if it is a symbolic link, unless it ends in '/'. A directory
 * is never copied into itself: its inode is looked for among those of the directory that is
 * copied to and all above it.
 */
#ifndef TEMPEST_APPS_COPY_ARGUMENT_H
#define TEMPEST_APPS_COPY_ARGUMENT_H

#include "apps/copy/dir.h"
#include "apps/copy/split.h"
#include "apps/copy/task.h"

/** Where all of them go; found out by the job. */
struct copy_target {
    struct tp_fd dir; /* the directory that names are made in; none in a dry run where it
                         is missing */
    const char *dir_path; /* its path, to open */
    const char *dir_text; /* its path, to say: "" for the working directory */
    const char *name;     /* what SRC is called there; NULL: as before */
    bool needs_directory; /* DST ends in '/' and is not there: SRC must be a directory */
};

struct copy_argument {
    struct tp_machine machine;
    struct copy *copy;
    const struct copy_target *target;
    const char *path; /* SRC */
    bool *refused;    /* whether it was, to be remembered for verifying */
    bool repeated;    /* an earlier SRC has the same name */
    struct copy_split split;
    struct tp_statx statx;
    struct copy_dir above; /* never runs: the fds and paths in which SRC and its copy are */
    struct copy_dir *dir;
    struct copy_task *task;
    struct tp_turn turn;
    int32_t error;
    struct tp_statx
        climbed[2]; /* while looking upwards: this directory, and the one below */
    char climb[TP_PATH_MAX];
};

/** Starts it as a child, after the members up to `repeated` were set, the rest zero. */
struct tp_op copy_argument_start(struct tp_ctx *cx, struct copy_argument *argument);

#endif
