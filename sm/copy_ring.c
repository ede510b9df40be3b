#include "sm/copy_ring_internal.h"

#include <errno.h>

enum {
    DEPTH_DEFAULT = 8,
    BLOCK_BYTES_DEFAULT = 256 << 10,
    STALLS_MAX = 16,
    TAG_SEARCH = TP_COPY_DEPTH_MAX, /* that of a block is its index */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t round_down(uint64_t value, uint32_t align)
{
    return value - value % align;
}

static uint64_t round_up(uint64_t value, uint32_t align)
{
    return round_down(value + align - 1, align);
}

void tp_copy_fail(struct tp_ctx *cx, struct tp_copy_file *copy, int32_t error,
                  enum tp_kind kind, bool source)
{
    tp_assert(error < 0);
    if (copy->error < 0)
        return;
    copy->error = error;
    copy->failed_kind = (uint32_t)kind;
    copy->failed_source = source;
    for (uint32_t i = 0; i < copy->depth; i++)
        tp_cancel(cx, copy->blocks[i].op);
    tp_cancel(cx, copy->search);
}

/* ------------------------------------------------------------------ blocks */

static uint32_t block_bytes(const struct tp_copy_file *copy)
{
    uint32_t bytes = copy->options.block_bytes;

    return bytes == 0 ? BLOCK_BYTES_DEFAULT : bytes;
}

/* How many the file has work for; one that claims to be empty is read one block after
 * another, since only its end says where it ends. */
static uint32_t blocks_wanted(const struct tp_copy_file *copy)
{
    uint32_t depth = copy->options.depth == 0 ? DEPTH_DEFAULT : copy->options.depth;
    uint64_t blocks = (copy->statx.size + block_bytes(copy) - 1) / block_bytes(copy);

    tp_assert(depth <= TP_COPY_DEPTH_MAX);
    return blocks == 0 ? 1 : (uint32_t)least(depth, blocks);
}

static void add_block(struct tp_copy_file *copy, struct tp_buf *registered, void *memory)
{
    struct tp_copy_block *block = &copy->blocks[copy->depth++];
    struct tp_copy_block fresh = {.plain = tp_buf_empty(memory, block_bytes(copy))};

    *block = fresh;
    block->buf = registered != NULL ? registered : &block->plain;
}

int32_t tp_copy_ring_take(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    uint32_t wanted = blocks_wanted(copy);
    uint8_t *memory = copy->options.memory;
    uint64_t pieces = memory == NULL ? 0 : copy->options.memory_bytes / block_bytes(copy);

    tp_assert(copy->depth == 0 && block_bytes(copy) % copy->align == 0);
    while (copy->depth < wanted) {
        struct tp_buf *registered = tp_acquire_buf(cx);
        if (registered == NULL)
            break;
        tp_assert(registered->capacity >= copy->align);
        add_block(copy, registered, NULL);
    }
    for (; copy->depth < wanted && pieces > 0; pieces--) {
        tp_assert((uintptr_t)memory % copy->align == 0);
        add_block(copy, NULL, memory);
        memory += block_bytes(copy);
    }
    return copy->depth == 0 ? -ENOBUFS : 0;
}

void tp_copy_ring_release(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    tp_assert(copy->flying == 0);
    for (; copy->depth > 0; copy->depth--) {
        struct tp_copy_block *block = &copy->blocks[copy->depth - 1];
        if (block->buf != &block->plain)
            tp_release_buf(cx, block->buf);
    }
}

static uint32_t capacity(const struct tp_copy_file *copy, const struct tp_copy_block *block)
{
    uint64_t bytes = least(block->buf->capacity, block_bytes(copy));

    return (uint32_t)round_down(bytes, copy->align);
}

/* ------------------------------------------------------------------ submission */

static void read_block(struct tp_ctx *cx, struct tp_copy_file *copy,
                       struct tp_copy_block *block)
{
    uint64_t wanted = block->end - block->offset;

    tp_assert(block->offset < block->end);
    if (copy->source_direct)
        wanted = round_up(wanted, copy->align);
    block->part = *block->buf;
    block->part.len = 0;
    block->part.capacity = (uint32_t)least(wanted, capacity(copy, block));
    block->filled = block->written = 0;
    block->writing = false;
    block->op = tp_read_at(cx, copy->source, &block->part, block->offset);
    (void)tp_tag(cx, block->op, (uint64_t)(block - copy->blocks));
    copy->flying++;
}

/* A direct write of the file's last bytes is filled up with zeros; the end cuts them off.
 */
static void write_block(struct tp_ctx *cx, struct tp_copy_file *copy,
                        struct tp_copy_block *block)
{
    uint32_t end = block->filled;

    tp_assert(block->written < block->filled);
    if (copy->destination_direct) {
        end = (uint32_t)round_up(end, copy->align);
        memset(block->buf->data + block->filled, 0, end - block->filled);
    }
    block->part = tp_buf_from(block->buf, block->written);
    block->part.len = end - block->written;
    block->writing = true;
    block->op =
        tp_write_at(cx, copy->destination, &block->part, block->offset + block->written);
    (void)tp_tag(cx, block->op, (uint64_t)(block - copy->blocks));
    copy->flying++;
    if (block->offset + end > copy->reached)
        copy->reached = block->offset + end;
}

/* ------------------------------------------------------------------ where there is data */

static void search(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    if (tp_op_is_some(copy->search))
        return;
    copy->search = tp_find_data(cx, copy->source, copy->next, &copy->found);
    (void)tp_tag(cx, copy->search, TAG_SEARCH);
    copy->flying++;
}

/* A file system that cannot say where the holes are has none, for all that matters here. */
static void take_extent(struct tp_ctx *cx, struct tp_copy_file *copy, int32_t value)
{
    if (value == -ECANCELED) {
        tp_copy_fail(cx, copy, value, TP_FIND_DATA, true);
    } else if (value < 0) {
        copy->extent.start = copy->next;
        copy->extent.end = copy->limit;
    } else if (value == 0) {
        copy->next = copy->limit;
    } else {
        uint64_t start = round_down(copy->found.start, copy->align);
        copy->extent.start = start > copy->next ? start : copy->next;
        copy->extent.end = least(round_up(copy->found.end, copy->align), copy->limit);
        copy->next = least(copy->extent.start, copy->limit);
    }
}

/* Whether there is work at `next`; if that is not known yet, it is asked for. */
static bool has_data(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    if (copy->error < 0 || copy->next >= copy->limit)
        return false;
    if (!copy->holes || copy->next < copy->extent.end)
        return true;
    search(cx, copy);
    return false;
}

void tp_copy_ring_fill(struct tp_ctx *cx, struct tp_copy_file *copy)
{
    for (uint32_t i = 0; i < copy->depth && has_data(cx, copy); i++) {
        struct tp_copy_block *block = &copy->blocks[i];
        uint64_t end = copy->holes ? copy->extent.end : copy->limit;

        if (tp_op_is_some(block->op))
            continue;
        block->offset = copy->next;
        block->end = least(end, block->offset + capacity(copy, block));
        block->stalls = 0;
        copy->next = block->end;
        read_block(cx, copy, block);
    }
}

/* ------------------------------------------------------------------ completion */

/* The source ends here, before where it was expected to, or where nobody could know. */
static void end_source(struct tp_copy_file *copy, uint64_t end)
{
    copy->limit = least(copy->limit, end);
}

/* Of `bytes` read, those that can be written: all, if they reach the end of the block;
 * else, with direct I/O, whole units, since the rest could be neither written nor read on
 * from. */
static uint32_t usable(struct tp_copy_file *copy, struct tp_copy_block *block,
                       uint32_t bytes)
{
    uint32_t whole = (uint32_t)round_down(bytes, copy->align);

    if (block->offset + bytes >= block->end)
        return (uint32_t)(block->end - block->offset);
    if (whole > 0)
        return whole;
    if (++block->stalls < STALLS_MAX)
        return 0;
    /* Less than a unit, time and again: that is the end of a file that has become shorter.
     */
    block->end = block->offset + bytes;
    end_source(copy, block->end);
    return bytes;
}

static void take_read(struct tp_ctx *cx, struct tp_copy_file *copy,
                      struct tp_copy_block *block, int32_t value)
{
    if (value < 0) {
        tp_copy_fail(cx, copy, value, TP_READ, true);
    } else if (value == 0) {
        end_source(copy, block->offset);
    } else {
        block->filled = usable(copy, block, (uint32_t)value);
        if (block->filled > 0)
            write_block(cx, copy, block);
        else
            read_block(cx, copy, block);
    }
}

static void take_written(struct tp_ctx *cx, struct tp_copy_file *copy,
                         struct tp_copy_block *block, int32_t value)
{
    uint32_t written = block->written + (value > 0 ? (uint32_t)value : 0);

    if (value < 0) {
        tp_copy_fail(cx, copy, value, TP_WRITE, false);
        return;
    }
    if (written < block->filled && copy->destination_direct)
        written = (uint32_t)round_down(written, copy->align);
    if (written > block->filled)
        written = block->filled;
    block->stalls = written == block->written ? block->stalls + 1 : 0;
    copy->bytes += written - block->written;
    block->written = written;
    if (block->stalls >= STALLS_MAX) {
        tp_copy_fail(cx, copy, -EIO, TP_WRITE, false);
    } else if (written < block->filled) {
        write_block(cx, copy, block);
    } else {
        block->offset += block->filled;
        if (block->offset < block->end)
            read_block(cx, copy, block);
    }
}

void tp_copy_ring_step(struct tp_ctx *cx, struct tp_copy_file *copy,
                       const struct tp_result *result)
{
    struct tp_copy_block *block;

    tp_assert(copy->flying > 0 && result->tag <= TAG_SEARCH);
    copy->flying--;
    if (result->tag == TAG_SEARCH) {
        copy->search = tp_no_op();
        take_extent(cx, copy, result->value);
        return;
    }
    block = &copy->blocks[result->tag];
    block->op = tp_no_op();
    if (copy->error < 0)
        return;
    if (block->writing)
        take_written(cx, copy, block, result->value);
    else
        take_read(cx, copy, block, result->value);
}
