/** apps/kv/storage.h - what a store is kept in: directory, lock, snapshot, log.
 *
 *     m->storage_op = kv_storage_start(cx, &storage);         a child of yours
 *     TP_AWAIT_UNTIL(cx, kv_storage_phase(&storage) != KV_STORAGE_LOADING ||
 * tp_cancelled(cx));
 *     ...                                                     OPEN: the store is what it
 * was tp_journal_reserve(cx, &storage.journal, ...)           serve: see sm/journal.h
 *     kv_storage_save(&storage)                               a snapshot, in the background
 *     kv_storage_close(&storage)                              the good end
 *     TP_AWAIT(cx, m->storage_op, &result);
 *
 * Loading: the lock, then the snapshot, then the records of the log behind it. Anything
 * that is not as it was written refuses the directory, and `problem` says in one line which
 * file, where, and what. A torn tail of the log, which nobody was told of, is discarded.
 *
 * While it is open the owner is woken when a snapshot has ended and when the log has
 * failed. After a failure nothing is written any more; what is in memory can still be read,
 * and kv_storage_close() still ends it.
 *
 * Read only, for looking at a directory that is not in use: the same, and then it ends by
 * itself. Nothing on disk changes, and what is wrong there is found as a start would.
 *
 * Cancelled, it ends with -ECANCELED.
 */
#ifndef TEMPEST_APPS_KV_STORAGE_H
#define TEMPEST_APPS_KV_STORAGE_H

#include "apps/kv/home.h"
#include "apps/kv/loader.h"
#include "apps/kv/snapshot.h"

/** All zero but path and store is a working default. */
struct kv_storage_config {
    const char *path;                     /* of the directory; must stay */
    struct kv_store *store;               /* empty */
    const struct tp_allocator *allocator; /* NULL: the default */
    uint64_t patience_ns;   /* how long the lock is tried for; 0: 2 s; TP_NEVER: once */
    uint64_t segment_bytes; /* of a file of the log; 0: 64 MiB */
    uint64_t pace_ns;       /* struct tp_journal_config */
    uint32_t gather;        /* struct tp_journal_config */
    uint64_t idle_mark_ns;  /* likewise */
    uint32_t group_bytes;   /* likewise; 0: 8 MiB. It bounds a record */
    uint32_t block_bytes;   /* of a snapshot; 0: 1 MiB */
    bool buffered;          /* no direct I/O for the log */
    bool read_only;
};

enum kv_storage_phase {
    KV_STORAGE_LOADING,
    KV_STORAGE_OPEN,
    KV_STORAGE_ENDED,
};

/** What was loaded. */
struct kv_storage_loaded {
    bool snapshot; /* there was one */
    uint64_t snapshot_entries;
    int64_t snapshot_wall_ns;  /* when it was begun */
    uint64_t records, effects; /* of the log, behind the snapshot */
    uint64_t record_bytes;     /* of these */
    uint64_t first_lsn, lsn; /* of these: the first and the last; the next one is lsn + 1 */
    uint64_t torn_bytes_at;  /* where a torn tail was discarded, an offset in ... */
    uint64_t torn_segment;   /* ... this segment; 0: there was none */
};

/** What became of the snapshots since it was opened. */
struct kv_storage_saves {
    uint64_t begun, done;
    int32_t result;       /* of the last one that has ended; 0 at first */
    uint32_t failed_kind; /* enum tp_kind of what failed then */
    int64_t done_wall_ns; /* when the last good one ended, or the one loaded was begun; 0 */
    uint64_t entries, bytes, start_lsn; /* of the last good one */
};

/** Embed it; it is large. Read `journal`, `loaded`, `saves`, `problem`. */
struct kv_storage {
    struct tp_machine machine;
    struct kv_storage_config config;
    struct tp_machine *owner; /* who started it */
    enum kv_storage_phase phase;
    struct kv_storage_loaded loaded;
    struct kv_storage_saves saves;
    struct tp_journal journal; /* open while the phase is */
    bool has_journal;          /* its memory is to be freed */
    bool closing, save_wanted;
    bool save_final; /* no snapshot is to be believed any more */
    int32_t error;   /* why it could not be loaded, or what the log ended with */
    int32_t rc;
    struct tp_op journal_op, save_op;
    struct tp_journal_record record;
    struct kv_home home;
    struct kv_loader loader;
    struct kv_snapshot snapshot;
    char log_path[TP_PATH_MAX];
    char problem[TP_PATH_MAX + 256]; /* in one line; "" while all is well */
};

/** Prepares one; zeroed memory is not enough. */
void kv_storage_init(struct kv_storage *storage, const struct kv_storage_config *config);

/** Frees what it has; the machine has ended, or its scheduler has crashed. */
void kv_storage_deinit(struct kv_storage *storage);

/** Starts it as a child. Completes at the end: 0 after kv_storage_close(); -ECANCELED; or
 * an error, with `problem`: -EBADMSG corruption, -ENODATA something is missing,
 * -EPROTONOSUPPORT an unknown format version, -EAGAIN another program uses the directory,
 * -ENOMEM, -EFBIG, or that of an operation. */
struct tp_op kv_storage_start(struct tp_ctx *cx, struct kv_storage *storage);

/** Begins a snapshot. 0; -EALREADY: one is under way; -ESHUTDOWN: it is not open, or is
 * closing; the error of the log, if that has failed; -EIO: the directory is not to be
 * believed until a restart, since a sync of it has failed. */
int32_t kv_storage_save(struct kv_storage *storage);

/** Whether a snapshot is under way. */
bool kv_storage_is_saving(const struct kv_storage *storage);

/** Stops a snapshot that is under way, writes what was appended, and ends. While it is
 * loading: gives up. */
void kv_storage_close(struct kv_storage *storage);

/** How much log there was when it was opened that a snapshot would make needless: the bytes
 * of the records that were replayed, or, if that is more, of the files beyond the newest
 * one. */
uint64_t kv_storage_log_before(const struct kv_storage *storage);

/** LOADING until the store is complete; then OPEN, or ENDED if it cannot be. */
enum kv_storage_phase kv_storage_phase(const struct kv_storage *storage);

#endif
