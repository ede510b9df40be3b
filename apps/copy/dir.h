/** apps/copy/dir.h - one directory: its twin is made, it is listed, what is in it is begun.
 *
 * Its files go to tasks as they are listed; its directories wait, by name, until the
 * listing is done, and are then begun one after the other as children. One child may always
 * run; more where copy->branches allows it, so the number of open directories grows with
 * the depth and not with the size of the tree. Both fds are closed as soon as nothing needs
 * them, which is before the directories below have ended.
 *
 * A directory that this copy makes is closed to others until it is complete, and then gets
 * its mode. With --sync it is synced then: the names of all that is in it are durable.
 *
 * Memory: allocated by the parent, freed when its end is claimed, or by copy_deinit().
 */
#ifndef TEMPEST_APPS_COPY_DIR_H
#define TEMPEST_APPS_COPY_DIR_H

#include "apps/copy/copy.h"
#include "sm/place.h"

/** Bytes of entries that one list_dir brings. */
enum { COPY_LISTING_BYTES = 32768 };

struct copy_dir {
    struct tp_machine machine;
    struct copy *copy;
    struct copy_dir *parent;          /* NULL: what is above an argument */
    struct copy_dir *next_sibling;    /* of those that its parent has running */
    struct copy_dir *next, *previous; /* in copy->dirs */
    struct tp_op op;                  /* its end, as its parent waits for it */
    struct tp_place place[COPY_SIDES];
    const char *name[COPY_SIDES]; /* what its path ends with; the two may differ */
    struct tp_fd fd[COPY_SIDES];
    struct tp_statx statx[COPY_SIDES];
    struct tp_buf listing;
    uint64_t *listing_memory;
    const struct tp_dir_entry *entry;
    char *names; /* of directories not yet begun: each with its length behind it */
    size_t names_len, names_capacity;
    struct copy_dir *running; /* children that are directories */
    uint32_t files;           /* children that are tasks */
    uint32_t opening;         /* children that still need the fds */
    uint32_t depth;
    struct tp_turn turn;
    int32_t error;   /* that it ends with */
    int32_t refused; /* why no task was had */
    bool made;       /* the target was made by this copy: nothing was in it */
    bool is_there;   /* the target is a directory that is there: do not make it */
    bool branched;   /* it holds a unit of copy->branches */
    bool opened;     /* its parent's fds are no longer needed */
    char *own_name;  /* behind the struct; name[] points there, but for arguments */
};

/** A directory that is not started: a child of `parent` named `name`, which is copied; the
 * places are those in the parent's fds. NULL when there is no memory. */
struct copy_dir *copy_dir_create(struct copy *copy, struct copy_dir *parent,
                                 const char *name);

/** Frees one that is not running. */
void copy_dir_destroy(struct copy_dir *dir);

/** Starts it as a child. Its operation completes with 0, or with the error that kept it
 * from being listed at all; all errors have been said. */
struct tp_op copy_dir_start(struct tp_ctx *cx, struct copy_dir *dir);

#endif
