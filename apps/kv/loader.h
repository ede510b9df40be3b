/** apps/kv/loader.h - reads a snapshot, and hands its entries on.
 *
 * Everything is checked before it is handed on: sums, places, lengths, numbers. What is not
 * as it was written ends the loading with -EBADMSG, and says where and what; a file of a
 * version that is not known with -EPROTONOSUPPORT. A read that fails is an error, never the
 * end of the file. No snapshot at all is fine: then `found` is false.
 *
 * The same key may come twice, with different LSNs: the walk that wrote it passed it twice.
 */
#ifndef TEMPEST_APPS_KV_LOADER_H
#define TEMPEST_APPS_KV_LOADER_H

#include "apps/kv/snapshot_format.h"
#include "runtime/operations.h"

/** Takes an entry; 0, or what ends the loading. */
typedef int32_t kv_loader_fn(void *context, uint32_t db, const struct kv_view *view);

/** Read the out fields when it has ended. */
struct kv_loader {
    struct tp_machine machine;
    struct tp_fd dir;                     /* in: where KV_SNAPSHOT_NAME is */
    const struct tp_allocator *allocator; /* in */
    kv_loader_fn *entry;                  /* in */
    void *context;                        /* in */
    bool found;                           /* out */
    struct kv_snapshot_head head;         /* out */
    struct kv_snapshot_end end;           /* out */
    uint64_t entries;                     /* out: handed on so far */
    uint64_t offset;                      /* out: of the block being read, or refused */
    const char *what;                     /* out: what is wrong, with a result < 0 */

    struct tp_fd fd;
    struct tp_statx statx;
    struct kv_snapshot_block block;
    uint8_t *memory;
    uint32_t capacity, wanted;
    struct tp_buf content, part;
    int32_t error;
};

/** Starts it as a child; the in fields are set, all others zero. Ends with 0, -EBADMSG,
 * -EPROTONOSUPPORT, -ENOMEM, the error of an operation, or that of `entry`. */
struct tp_op kv_loader_start(struct tp_ctx *cx, struct kv_loader *loader);

/** Frees what one has whose scheduler has crashed; after its end there is nothing. */
void kv_loader_deinit(struct kv_loader *loader);

#endif
