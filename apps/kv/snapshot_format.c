#include "apps/kv/snapshot_format.h"

#include <errno.h>

#include "io/hash.h"

#define HEAD_MAGIC  UINT64_C(0x50414e53564b5054) /* "TPKVSNAP" */
#define BLOCK_MAGIC UINT64_C(0x4b434c42564b5054) /* "TPKVBLCK" */
#define END_MAGIC   UINT64_C(0x454e4f44564b5054) /* "TPKVDONE" */

/* Byte offsets. The sum covers everything after itself. */
enum { AT_SUM = 0, AT_MAGIC = 8 };
enum {
    HEAD_VERSION = 16,
    HEAD_ALIGN = 20,
    HEAD_ID = 24,
    HEAD_START_LSN = 32,
    HEAD_WALL = 40
};
enum { BLOCK_ID = 16, BLOCK_OFFSET = 24, BLOCK_LEN = 32, BLOCK_COUNT = 36 };

enum { END_BYTES = 16 };

static uint64_t sum_of(const uint8_t *bytes, uint64_t len)
{
    return tp_hash(bytes + AT_MAGIC, (size_t)len - AT_MAGIC, 0);
}

/* ------------------------------------------------------------------ the head */

void kv_snapshot_head_encode(const struct kv_snapshot_head *head,
                             uint8_t ret_bytes[KV_SNAPSHOT_ALIGN])
{
    memset(ret_bytes, 0, KV_SNAPSHOT_ALIGN);
    kv_put_u64(ret_bytes + AT_MAGIC, HEAD_MAGIC);
    kv_put_u32(ret_bytes + HEAD_VERSION, KV_SNAPSHOT_VERSION);
    kv_put_u32(ret_bytes + HEAD_ALIGN, KV_SNAPSHOT_ALIGN);
    kv_put_u64(ret_bytes + HEAD_ID, head->id);
    kv_put_u64(ret_bytes + HEAD_START_LSN, head->start_lsn);
    kv_put_u64(ret_bytes + HEAD_WALL, (uint64_t)head->wall_ns);
    kv_put_u64(ret_bytes + AT_SUM, sum_of(ret_bytes, KV_SNAPSHOT_ALIGN));
}

int kv_snapshot_head_decode(const uint8_t bytes[KV_SNAPSHOT_ALIGN],
                            struct kv_snapshot_head *ret_head)
{
    if (kv_get_u64(bytes + AT_MAGIC) != HEAD_MAGIC)
        return -EBADMSG;
    if (kv_get_u32(bytes + HEAD_VERSION) != KV_SNAPSHOT_VERSION)
        return -EPROTONOSUPPORT;
    if (kv_get_u64(bytes + AT_SUM) != sum_of(bytes, KV_SNAPSHOT_ALIGN) ||
        kv_get_u32(bytes + HEAD_ALIGN) != KV_SNAPSHOT_ALIGN ||
        kv_get_u64(bytes + HEAD_START_LSN) > KV_NUMBER_MAX)
        return -EBADMSG;
    ret_head->id = kv_get_u64(bytes + HEAD_ID);
    ret_head->start_lsn = kv_get_u64(bytes + HEAD_START_LSN);
    ret_head->wall_ns = (int64_t)kv_get_u64(bytes + HEAD_WALL);
    return 0;
}

/* ------------------------------------------------------------------ blocks */

void kv_snapshot_block_encode(const struct kv_snapshot_block *block, uint8_t *bytes)
{
    uint64_t padded = kv_snapshot_padded(block->len);

    tp_assert(block->len >= KV_SNAPSHOT_BLOCK_HEAD && block->len <= KV_SNAPSHOT_BLOCK_MAX);
    tp_assert(block->offset % KV_SNAPSHOT_ALIGN == 0);
    memset(bytes + block->len, 0, (size_t)(padded - block->len));
    kv_put_u64(bytes + AT_MAGIC, block->is_end ? END_MAGIC : BLOCK_MAGIC);
    kv_put_u64(bytes + BLOCK_ID, block->id);
    kv_put_u64(bytes + BLOCK_OFFSET, block->offset);
    kv_put_u32(bytes + BLOCK_LEN, block->len);
    kv_put_u32(bytes + BLOCK_COUNT, block->count);
    kv_put_u64(bytes + AT_SUM, sum_of(bytes, padded));
}

bool kv_snapshot_block_peek(const uint8_t *bytes, uint64_t id, uint64_t offset,
                            uint64_t left, struct kv_snapshot_block *ret_block)
{
    uint64_t magic = kv_get_u64(bytes + AT_MAGIC);
    struct kv_snapshot_block block;

    block.id = kv_get_u64(bytes + BLOCK_ID);
    block.offset = kv_get_u64(bytes + BLOCK_OFFSET);
    block.len = kv_get_u32(bytes + BLOCK_LEN);
    block.count = kv_get_u32(bytes + BLOCK_COUNT);
    block.is_end = magic == END_MAGIC;
    if ((magic != BLOCK_MAGIC && magic != END_MAGIC) || block.id != id ||
        block.offset != offset || block.len < KV_SNAPSHOT_BLOCK_HEAD ||
        block.len > KV_SNAPSHOT_BLOCK_MAX || kv_snapshot_padded(block.len) > left)
        return false;
    *ret_block = block;
    return true;
}

bool kv_snapshot_block_check(const uint8_t *bytes, const struct kv_snapshot_block *block)
{
    return kv_get_u64(bytes + AT_SUM) == sum_of(bytes, kv_snapshot_padded(block->len));
}

struct kv_reader kv_snapshot_block_read(const uint8_t *bytes,
                                        const struct kv_snapshot_block *block)
{
    return kv_reader_of(bytes + KV_SNAPSHOT_BLOCK_HEAD,
                        block->len - KV_SNAPSHOT_BLOCK_HEAD);
}

/* ------------------------------------------------------------------ what is in them */

uint8_t *kv_snapshot_entry_encode(uint8_t *at, uint32_t db, const struct kv_view *view)
{
    *at++ = (uint8_t)db;
    at = kv_put_number(at, view->lsn);
    at = kv_put_number(at, (uint64_t)view->expire_ms);
    at = kv_put_number(at, view->key.len);
    at = kv_put_number(at, view->value.len);
    at = kv_put_slice(at, view->key);
    return kv_put_slice(at, view->value);
}

bool kv_snapshot_entry_decode(struct kv_reader *reader, uint32_t *ret_db,
                              struct kv_view *ret_view)
{
    struct kv_view view;
    uint64_t expire_ms, key_len, value_len;

    if (!kv_read_byte(reader, KV_DBS, ret_db) ||
        !kv_read_number(reader, KV_NUMBER_MAX, &view.lsn) || view.lsn == 0 ||
        !kv_read_number(reader, INT64_MAX, &expire_ms) ||
        !kv_read_number(reader, KV_STRING_MAX, &key_len) ||
        !kv_read_number(reader, KV_STRING_MAX, &value_len))
        return false;
    view.expire_ms = (int64_t)expire_ms;
    view.key.len = (uint32_t)key_len;
    view.value.len = (uint32_t)value_len;
    if (!kv_read_slice(reader, &view.key) || !kv_read_slice(reader, &view.value))
        return false;
    *ret_view = view;
    return true;
}

uint8_t *kv_snapshot_end_encode(uint8_t *at, const struct kv_snapshot_end *end)
{
    kv_put_u64(at, end->entries);
    kv_put_u64(at + 8, end->end_lsn);
    return at + END_BYTES;
}

bool kv_snapshot_end_decode(struct kv_reader *reader, struct kv_snapshot_end *ret_end)
{
    struct kv_slice bytes = {NULL, END_BYTES};

    if (reader->end - reader->at != END_BYTES || !kv_read_slice(reader, &bytes))
        return false;
    ret_end->entries = kv_get_u64(bytes.bytes);
    ret_end->end_lsn = kv_get_u64(bytes.bytes + 8);
    return true;
}
