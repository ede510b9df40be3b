/** tests/judges/history.h - what programs did to a file system, and what they may rely on.
 *
 * Several programs run interleaved, each in a directory of its own. A history keeps every
 * operation with the device's position before and after it, every version of every file,
 * every operation on names, and every sync. It follows from the results of the operations
 * alone, and knows nothing of how any file system or the simulated disk is made.
 */
#ifndef TEMPEST_TESTS_JUDGES_HISTORY_H
#define TEMPEST_TESTS_JUDGES_HISTORY_H

#include "io/base.h"

enum {
    PROGRAMS = 6,
    SLOTS_EACH = 4,
    PATH_BYTES = 24,
    FILE_BYTES_MAX = 24576,
    BLOCK_BYTES = 4096,
    ACTS_MAX = 512,
    OBJECTS_MAX = 512,
    VERSIONS_MAX = 1024
};

enum act_kind {
    ACT_OPEN,  /* for reading and writing, made if it is not there */
    ACT_EMPTY, /* the same, and cut to nothing */
    ACT_WRITE,
    ACT_TRUNCATE,
    ACT_FSYNC,
    ACT_FDATASYNC,
    ACT_RENAME,
    ACT_REMOVE,
    ACT_MKDIR,
    ACT_RMDIR,
    ACT_SYNC_DIR,
    ACT_WRITE_BACK, /* the kernel writes data of a file back, as if by itself */
    ACT_COMMIT,     /* the kernel writes everything back, as if by itself */
    ACT_KINDS
};

struct act {
    uint32_t kind;
    uint32_t program; /* from 0 */
    uint32_t slot;    /* of all programs */
    char path[PATH_BYTES], to[PATH_BYTES];
    uint32_t offset, len; /* a truncation: the size is `len` */
    char letter;
    uint64_t at_ns; /* by the history's clock */
    /* Once it was done: */
    int32_t value;
    uint32_t begun, ended; /* the device's positions */
};

/** A file or a directory. */
struct object {
    bool is_dir;
    uint64_t inode; /* the real one's number; may be used again */
    uint32_t program;
    uint32_t made;    /* the act */
    uint32_t changed; /* acts until after the last that did so to it or its names, surely */
    uint32_t touched; /* the same, with writes that may have changed nothing but data */
    uint64_t written_ns; /* when its content was changed last */
    uint64_t tick_ns;    /* the same, noted once in a tick at most ... */
    uint32_t tick;       /* ... and acts until after that */
    uint32_t versions;   /* how many */
};

/** A file's content after an act. */
struct version {
    uint32_t object, act;
    uint32_t size;
    uint32_t blocks; /* a mask of those that were written */
    uint8_t *bytes;  /* FILE_BYTES_MAX, zeros past the size */
};

/** A name in a directory; `dir` 0: none. */
struct place {
    uint32_t dir;
    char name[4];
};

/** `from` is cleared, then `to` names the object. */
struct name_op {
    uint32_t act, program;
    uint32_t from, to; /* places; 0: none */
    uint32_t object;
    bool moves_dir;
};

/** Something was made durable. */
struct sync {
    uint32_t act, object;
    bool data_only;
    bool named;       /* it had a name at that time */
    uint32_t changed; /* the object's, at that time */
    uint32_t touched;
    uint32_t version; /* the object's last one; VERSIONS_MAX: a directory */
};

struct history {
    struct act acts[ACTS_MAX];
    struct object
        objects[OBJECTS_MAX]; /* from 1; the first PROGRAMS are their directories */
    struct version versions[VERSIONS_MAX];
    struct place places[OBJECTS_MAX]; /* from 1 */
    uint32_t live[OBJECTS_MAX];       /* what each place names now; 0: nothing */
    struct name_op name_ops[ACTS_MAX];
    struct sync syncs[ACTS_MAX];
    uint32_t act_count, object_count, version_count, place_count, name_op_count, sync_count;
    uint32_t slots[PROGRAMS * SLOTS_EACH]; /* the objects open; 0: none */
    uint8_t *bytes;                        /* of all versions */
    uint64_t clock_ns; /* passes between acts, and in syncs: two changes are never nearer */
    uint64_t now_ns;   /* when it was told the time last */
};

/* The coarsest ticks of the clock that times of files are taken from. */
#define TICK_NS UINT64_C(10000000)

struct history *history_create(void);
void history_destroy(struct history *history);

/** Begins anew: each program has its directory, and nothing in it. */
void history_clear(struct history *history, uint64_t now_ns);

/** Whether there is room for another act. */
bool history_has_room(const struct history *history);

/** Notes an act that is about to begin; which one it is. */
uint32_t history_begin(struct history *history, const struct act *act, uint32_t position,
                       uint64_t now_ns);

/** Notes how it ended, and what it did by that. */
void history_end(struct history *history, uint32_t act, int32_t value, uint32_t position,
                 uint64_t now_ns);

/** The object that a path names now; 0: none. */
uint32_t history_find(const struct history *history, uint32_t program, const char *path);

/** A place; 0 if no operation ever touched it. */
uint32_t history_place(const struct history *history, uint32_t dir, const char *name);

/** The last version of a file; VERSIONS_MAX for a directory. */
uint32_t history_last_version(const struct history *history, uint32_t object);

#endif
