/** apps/kv/home.h - the data directory: made, locked, and cleared of what a crash has left.
 *
 *     DIR/LOCK        locked by the one program that uses the directory; empty
 *     DIR/snapshot    the last snapshot; none at first
 *     DIR/log/        the journal
 *     DIR/.tempest-*  a snapshot in the making
 *
 * The lock comes before anything is read. A killed server's may linger for a moment, so it
 * is tried again for a while. It lasts as long as `lock` is open.
 *
 * Durable when it ends with 0: the directory, the ones above it that it made, the names in
 * it. What is found there is not just in some cache.
 */
#ifndef TEMPEST_APPS_KV_HOME_H
#define TEMPEST_APPS_KV_HOME_H

#include "runtime/operations.h"

#define KV_HOME_LOG  "log"
#define KV_HOME_LOCK "LOCK"

/** Read the out fields when it has ended. */
struct kv_home {
    struct tp_machine machine;
    const char *path;     /* in: of the directory; must stay */
    uint64_t patience_ns; /* in: how long the lock is tried for; 0: 2 s; TP_NEVER: once */
    bool read_only;       /* in: nothing is made, removed or synced; it must be there */
    struct tp_fd dir;     /* out: open, with a result of 0; the caller closes it */
    struct tp_fd lock;    /* out: likewise; none if it is read only and was never used */
    const char *what;     /* out: what went wrong, with a result < 0 ... */
    const char *which;    /* out: ... and with what: a name in the directory; "": itself */
    uint32_t removed;     /* out: temporaries */

    struct tp_machine worker;
    const char *name;
    uint64_t until_ns;
    size_t len; /* of the part of the path that is being made */
    int32_t error;
    bool made_one;
    const struct tp_dir_entry *entry;
    struct tp_buf list;
    uint64_t list_bytes[512];
    char part[TP_PATH_MAX];
};

/** Starts it as a child; the in fields are set, all others zero. Ends with 0; -EAGAIN:
 * another program has the lock; -ENAMETOOLONG; or the error of an operation. */
struct tp_op kv_home_start(struct tp_ctx *cx, struct kv_home *home);

#endif
