/** apps/kv/snapshot.h - writes all entries to a file, while the store changes.
 *
 * The store is walked with its cursor, a little in each iteration, and every entry is
 * written with its LSN. What the file holds is of no one moment; but with the records of
 * the log from `start_lsn` on it comes to what the store was: an entry that was written
 * late is newer than the records before it, which a replay then leaves alone (store.h).
 * Whoever was removed before the walk came by has its DEL in the log.
 *
 * The file takes the place of the last one when it is whole and durable, and when the log
 * is durable up to the last record that it can owe anything to; so what it lacks, and what
 * it has, is never more than what a restart finds. Then the log before `start_lsn` is
 * trimmed. Whatever fails before that, the old snapshot and its log are as they were.
 *
 * Memory: one block, larger only while an entry is; from the allocator, for as long as it
 * runs.
 */
#ifndef TEMPEST_APPS_KV_SNAPSHOT_H
#define TEMPEST_APPS_KV_SNAPSHOT_H

#include "apps/kv/snapshot_format.h"
#include "sm/journal.h"
#include "sm/staged.h"
#include "sm/write_all.h"

#define KV_SNAPSHOT_NAME "snapshot"

/** Read the out fields when it has ended. */
struct kv_snapshot {
    struct tp_machine machine;
    const struct kv_store *store;         /* in */
    struct tp_journal *journal;           /* in: open, with all that is in the store */
    struct tp_fd dir;                     /* in: where it goes */
    const struct tp_allocator *allocator; /* in */
    uint32_t block_bytes;                 /* in: of a block, more or less; 0: 1 MiB */
    bool final;           /* out: the directory is not to be believed any more, so do
                             not try again */
    uint32_t failed_kind; /* out: enum tp_kind of what failed, with a result < 0; TP_NOP:
                             no operation did */
    struct kv_snapshot_head head; /* out */
    struct kv_snapshot_end end;   /* out */
    uint64_t bytes;               /* out: of the file so far */

    struct tp_machine content;
    struct tp_staged staged;
    struct tp_write_all write;
    struct tp_waiter waiter;
    uint8_t *memory;
    uint32_t capacity, used; /* of memory */
    uint32_t count;          /* entries in it */
    uint32_t db;             /* where the walk is */
    uint64_t cursor;
    bool direct;
    int32_t error;
    struct tp_buf out;
};

/** Starts it as a child; the in fields are set, all others are zero or left by an earlier
 * run. Ends with 0: it is published, durably. -ENOMEM, -ECANCELED, the error of the log, or
 * of an operation (-ENOSPC, -EIO, ...). */
struct tp_op kv_snapshot_start(struct tp_ctx *cx, struct kv_snapshot *snapshot);

/** Frees what one has whose scheduler has crashed; after its end there is nothing. */
void kv_snapshot_deinit(struct kv_snapshot *snapshot);

#endif
