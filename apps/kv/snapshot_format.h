/** apps/kv/snapshot_format.h - the bytes of a snapshot: a head, blocks of entries, an end.
 *
 * Each of them starts on a multiple of KV_SNAPSHOT_ALIGN and is filled up with zeros to the
 * next; each has a sum over all of that, padding included, and says which snapshot it
 * belongs to and where in it. So no bit can differ, and nothing be missing, moved, or left
 * over from another file, without being noticed. docs/tempest-kv-storage.md has the
 * offsets.
 *
 * Pure functions over bytes: nothing is believed before the sum is right, and what a right
 * sum covers is still checked, as somebody may have made it.
 */
#ifndef TEMPEST_APPS_KV_SNAPSHOT_FORMAT_H
#define TEMPEST_APPS_KV_SNAPSHOT_FORMAT_H

#include "apps/kv/store.h"

#define KV_SNAPSHOT_VERSION    UINT32_C(1)
#define KV_SNAPSHOT_ALIGN      UINT32_C(4096)
#define KV_SNAPSHOT_BLOCK_HEAD UINT32_C(40)        /* bytes before the first entry */
#define KV_SNAPSHOT_BLOCK_MAX  (UINT32_C(1) << 30) /* bytes of the longest block */
#define KV_SNAPSHOT_ENTRY_HEAD                                     \
    UINT32_C(1 + 9 + 9 + 5 + 5) /* bytes of an entry, at most, but \
                                   for its key and value */

/** The first KV_SNAPSHOT_ALIGN bytes. */
struct kv_snapshot_head {
    uint64_t id;        /* random; every block has it */
    uint64_t start_lsn; /* what the records up to here did is in it */
    int64_t wall_ns;    /* when it was begun; for people */
};

/** The head of a block. */
struct kv_snapshot_block {
    uint64_t id;
    uint64_t offset; /* in the file, bytes */
    uint32_t len;    /* bytes with the head, without the padding */
    uint32_t count;  /* entries */
    bool is_end;     /* the last one: it holds a struct kv_snapshot_end, no entries */
};

/** What the last block says. */
struct kv_snapshot_end {
    uint64_t entries; /* in all blocks */
    uint64_t end_lsn; /* of the newest record that anything in it may owe to */
};

/** The bytes that so many take with their padding. */
static inline uint64_t kv_snapshot_padded(uint64_t len)
{
    return (len + KV_SNAPSHOT_ALIGN - 1) & ~(uint64_t)(KV_SNAPSHOT_ALIGN - 1);
}

/** Fills the head of a file. */
void kv_snapshot_head_encode(const struct kv_snapshot_head *head,
                             uint8_t ret_bytes[KV_SNAPSHOT_ALIGN]);

/** 0; -EPROTONOSUPPORT: a version that is not known; -EBADMSG: not the head of a snapshot.
 */
int kv_snapshot_head_decode(const uint8_t bytes[KV_SNAPSHOT_ALIGN],
                            struct kv_snapshot_head *ret_head);

/** Writes an entry; where the next one goes. There is room for its head, key and value. */
uint8_t *kv_snapshot_entry_encode(uint8_t *at, uint32_t db, const struct kv_view *view);

/** Writes what an end block holds; likewise. */
uint8_t *kv_snapshot_end_encode(uint8_t *at, const struct kv_snapshot_end *end);

/** Completes a block whose content is written: head, padding, sum. There is room for the
 * padding. */
void kv_snapshot_block_encode(const struct kv_snapshot_block *block, uint8_t *bytes);

/** Reads the head of the block `id` at `offset`, from its first KV_SNAPSHOT_ALIGN bytes;
 * the file has `left` bytes from there. False: it is not one, or does not fit. */
bool kv_snapshot_block_peek(const uint8_t *bytes, uint64_t id, uint64_t offset,
                            uint64_t left, struct kv_snapshot_block *ret_block);

/** Whether the sum over a whole block, which was peeked at, is right. */
bool kv_snapshot_block_check(const uint8_t *bytes, const struct kv_snapshot_block *block);

/** The content of a checked block. */
struct kv_reader kv_snapshot_block_read(const uint8_t *bytes,
                                        const struct kv_snapshot_block *block);

/** The next entry, whose slices are in the block's bytes. False: this is none. */
bool kv_snapshot_entry_decode(struct kv_reader *reader, uint32_t *ret_db,
                              struct kv_view *ret_view);

/** The content of an end block. False: this is none. */
bool kv_snapshot_end_decode(struct kv_reader *reader, struct kv_snapshot_end *ret_end);

#endif
