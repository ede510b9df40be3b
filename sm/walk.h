/** sm/walk.h - walks a tree, one entry at a time, never following anything out of it.
 *
 *     tp_walk_init(&m->walk, tp_place_path("/srv/data"), m->levels, 64, m->path, sizeof
 * m->path); for (;;) { TP_AWAIT(cx, tp_walk_next(cx, &m->walk), &result); if (result.value
 * <= 0) break;
 *         ... look at m->walk.entry ...
 *     }
 *     tp_walk_stop(cx, &m->walk);
 *
 * Order: depth first. A directory comes twice: TP_WALK_ENTER before what is in it,
 * TP_WALK_LEAVE after; everything else once, as TP_WALK_ENTRY. Within a directory the order
 * is that of list_dir: none in particular. What is made or removed during the walk may or
 * may not be seen. The root itself is entered and left like the others; its name is "".
 *
 * Out of the tree: every directory is opened by its name in the one above, without
 * following symbolic links, which are entries like any other. The root alone is resolved as
 * the system does.
 *
 * Errors: an entry that cannot be opened, listed or looked at comes as TP_WALK_ERROR with
 * its path and `error`, and the walk goes on behind it. -EMLINK: deeper than `levels_max`.
 * -ENAMETOOLONG: its path is longer than `path_bytes`. Of a directory that fails half-way
 * the LEAVE follows its error. Cancel ends the operation in progress with -ECANCELED.
 *
 * Memory: a level for each depth and the path, both the caller's until tp_walk_stop(). Fds:
 * one for each level that is open.
 */
#ifndef TEMPEST_SM_WALK_H
#define TEMPEST_SM_WALK_H

#include "place.h"

/** Bytes of entries that one list_dir brings: at least one of the longest name. */
enum { TP_WALK_LEVEL_BYTES = 4096 };

enum tp_walk_event {
    TP_WALK_ENTRY, /* not a directory */
    TP_WALK_ENTER, /* a directory, before its entries */
    TP_WALK_LEAVE, /* the same, after them */
    TP_WALK_ERROR, /* something that could not be looked at: see `error` */
};

/** What the walk stands at; valid until the next tp_walk_next() or tp_walk_stop(). */
struct tp_walk_entry {
    const char *name;     /* in `parent`; "" for the root */
    const char *path;     /* relative to the root, without a leading '/'; "" for the root */
    struct tp_fd parent;  /* the open directory that it is in; none for the root */
    struct tp_fd dir;     /* ENTER and LEAVE: the directory itself, open; else none */
    uint32_t event;       /* enum tp_walk_event */
    uint32_t kind;        /* enum tp_file_kind; TP_FILE_OTHER: device, pipe or socket */
    uint32_t depth;       /* of the entry: 0 for the root */
    int32_t error;        /* ERROR: a negative errno; else 0 */
    uint32_t failed_kind; /* ERROR: enum tp_kind of the operation that failed */
    uint32_t reserved;
};

/** One open directory on the way down; internal but for its size. */
struct tp_walk_level {
    struct tp_fd fd;
    struct tp_buf buf;             /* over `bytes`: what list_dir brought last */
    const struct tp_dir_entry *at; /* the last entry of these that was told; NULL: none */
    uint32_t path_len;             /* of this directory, in the path */
    bool listed;                   /* nothing more to list */
    bool kept;                     /* the fd is not the walk's to close */
    bool reserved[2];
    uint64_t bytes[TP_WALK_LEVEL_BYTES / 8];
};

/** Read `entry`; the rest is internal. */
struct tp_walk {
    struct tp_machine machine;
    struct tp_walk_entry entry;
    struct tp_place root;
    struct tp_walk_level *levels;
    char *path;
    uint32_t levels_max, path_bytes;
    uint32_t depth; /* open levels */
    uint32_t state;
    struct tp_statx statx;
};

TP_BEGIN_DECLS

/** Prepares a walk of the tree under `root` (a fd is not closed by the walk; it must not
 * have been listed before). No operation is submitted. levels_max and path_bytes must be at
 * least 1. */
TP_EXPORT void tp_walk_init(struct tp_walk *walk, struct tp_place root,
                            struct tp_walk_level *levels, uint32_t levels_max, char *path,
                            uint32_t path_bytes);

/** Goes to the next entry. Completes with 1 and `walk->entry`; with 0 at the end, and from
 * then on; or with -ECANCELED. One at a time. */
TP_EXPORT struct tp_op tp_walk_next(struct tp_ctx *cx, struct tp_walk *walk);

/** After TP_WALK_ENTER: do not go into the directory. Its LEAVE comes next. */
TP_EXPORT void tp_walk_skip(struct tp_walk *walk);

/** After TP_WALK_ENTER or TP_WALK_LEAVE: `entry.dir` is the caller's to close from now on,
 * at any time after its LEAVE. */
TP_EXPORT void tp_walk_keep(struct tp_walk *walk);

/** Closes what is still open (detached), at the end or anywhere before; no tp_walk_next()
 * may be in flight. Runs in a cancelled machine too. A second call does nothing. */
TP_EXPORT void tp_walk_stop(struct tp_ctx *cx, struct tp_walk *walk);

TP_END_DECLS

#define tp_walk_next(cx, walk) tp_walk_next(TP_HERE(cx), walk)
#define tp_walk_stop(cx, walk) tp_walk_stop(TP_HERE(cx), walk)

#endif
