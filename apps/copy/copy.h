/** apps/copy/copy.h - what the machines of one copy share: settings, totals, free tasks.
 *
 *   job        the whole: finds out what DST is, runs the arguments, syncs, verifies
 *   argument   one SRC: where it goes, and that it does not go into itself
 *   dir        one directory: makes its twin, lists it, starts what is in it
 *   task       one file or symbolic link
 *   compare    two files, byte for byte, when verifying
 *   total      a second job, which runs ahead and adds up, for the progress bar
 *   watch      shows progress, and looks whether a signal came
 *
 * None of them knows a backend. Directories are reached by one name at a time from an open
 * directory (the *_in operations), so nothing is ever followed out of a tree, and paths may
 * be of any length.
 */
#ifndef TEMPEST_APPS_COPY_COPY_H
#define TEMPEST_APPS_COPY_COPY_H

#include "sm/semaphore.h"

/** The two trees; indexes. */
enum copy_side { COPY_SOURCE, COPY_TARGET, COPY_SIDES };

enum copy_phase {
    COPY_COPYING,
    COPY_LISTING,   /* says (--dry-run) or only counts (total) what would be copied */
    COPY_VERIFYING, /* reads both sides and compares */
};

/** What was asked for; none of it 0 but the flags. */
struct copy_settings {
    const char *const *sources;
    uint32_t source_count;
    uint32_t jobs;        /* files in flight */
    uint32_t depth;       /* blocks in flight of each */
    uint32_t block_bytes; /* of a large file; a multiple of 4096 */
    /* The mode that a new file has before it is set, or UINT32_MAX: not known. Known only
     * where the directory that it is in is closed to others as long as it has that mode. */
    uint32_t mode_created;
    const char *target;
    bool sync, verify, dry_run;
};

struct copy_totals {
    uint64_t files, directories, links;
    uint64_t bytes;       /* sizes of files that are done */
    uint64_t differences; /* found by verifying */
    uint64_t verified;    /* files found equal */
    uint64_t verified_bytes;
    uint64_t errors;  /* said; differences included */
    uint64_t stopped; /* files that were begun and not finished: cancelled */
};

struct copy_dir;
struct copy_task;

struct copy {
    const struct copy_settings *settings;
    struct copy_totals totals;
    enum copy_phase phase;
    bool silent;               /* says nothing: another run of the same says it */
    struct tp_semaphore slots; /* one unit for each task that is free */
    struct copy_task *tasks;   /* settings->jobs of them */
    struct copy_task *free_tasks;
    struct copy_dir *dirs; /* all there are, so that a crash leaves none behind */
    uint32_t branches; /* directories that may be begun beside the one that always may */
    struct tp_statx target_dir; /* that every SRC is copied into */
    char *stopped_at;           /* the first path that was not finished; NULL: none */
};

/** 0 or -ENOMEM. The settings stay the caller's. */
int copy_init(struct copy *copy, const struct copy_settings *settings);

/** Frees; after a run that ended, or a simulated crash. */
void copy_deinit(struct copy *copy);

/** Writes the path of `name` in `dir` on that side; cut in front when it is too long.
 * `name` NULL: of the directory itself. Returns where it begins in `ret_text`. */
const char *copy_path(const struct copy_dir *dir, const char *name, enum copy_side side,
                      char *ret_text, size_t size_bytes);

/** What a message is about: `name` in `dir`, on that side; both may be NULL. */
struct copy_where {
    const struct copy_dir *dir;
    const char *name;
    enum copy_side side;
};

static inline struct copy_where copy_where(const struct copy_dir *dir, const char *name,
                                           enum copy_side side)
{
    struct copy_where where = {dir, name, side};
    return where;
}

/** Says that an operation failed and counts it. -ECANCELED in a machine that was cancelled
 * is no error: it is noted as where the copy stopped. */
void copy_failed(struct tp_ctx *cx, struct copy *copy, struct copy_where where,
                 const char *operation, int32_t error);

/** Says what is wrong with a file of the source, in words, and counts it. */
void copy_refuse(struct copy *copy, const struct copy_dir *dir, const char *name,
                 const char *why);

/** A task, for which a unit of `slots` was acquired. */
struct copy_task *copy_task_take(struct copy *copy);

/** Gives back a task that has ended, with its unit. */
void copy_task_give(struct copy *copy, struct copy_task *task);

/** `return copy_become(machine, cx, tick);` - the machine goes on as `tick`, from its
 * beginning, at once. */
static inline enum tp_step copy_become(struct tp_machine *machine, struct tp_ctx *cx,
                                       tp_tick_fn *tick)
{
    machine->tick = tick;
    machine->resume = 0;
    return tick(machine, cx);
}

/** Whether two files are one. */
static inline bool copy_same_file(const struct tp_statx *a, const struct tp_statx *b)
{
    return a->inode == b->inode && a->device == b->device;
}

#endif
