#include "sm/input.h"

#include <string.h>

enum { BLOCK_BYTES_MIN = 4096, ALIGN = 64, AHEAD_BYTES_MAX = 1 << 20 };

void tp_input_init(struct tp_input *input, void *own, uint32_t own_bytes,
                   const struct tp_allocator *allocator)
{
    struct tp_input fresh = {.memory = own,
                             .own = own,
                             .own_bytes = own_bytes,
                             .capacity = own_bytes,
                             .allocator = allocator};

    tp_assert(own != NULL || own_bytes == 0);
    *input = fresh;
}

static void drop_block(struct tp_input *input)
{
    if (input->memory == input->own)
        return;
    tp_free(input->allocator, input->memory, input->capacity, ALIGN);
    input->memory = input->own;
    input->capacity = input->own_bytes;
}

static void give_back(struct tp_ctx *cx, struct tp_input *input)
{
    if (input->direct != NULL && cx != NULL)
        tp_give_back(cx, input->direct);
    input->direct = NULL;
    input->direct_at = 0;
}

void tp_input_deinit(struct tp_ctx *cx, struct tp_input *input)
{
    give_back(cx, input);
    drop_block(input);
    tp_input_init(input, NULL, 0, NULL);
}

void tp_input_consume(struct tp_input *input, uint32_t bytes)
{
    tp_assert(bytes <= tp_input_len(input));
    if (input->direct != NULL) {
        input->direct_at += bytes;
        return;
    }
    input->start += bytes;
    if (input->start == input->end)
        input->start = input->end = 0;
}

/* A larger block, with what is kept at its start. Doubling makes what is copied no more
 * than what came; `wanted` is only a stranger's word, so little memory is taken on it. */
static bool grow(struct tp_input *input, uint32_t bytes, uint32_t wanted)
{
    uint32_t kept = input->end - input->start;
    uint64_t capacity = 2 * (uint64_t)input->capacity;
    uint8_t *memory;

    if (wanted > AHEAD_BYTES_MAX)
        wanted = AHEAD_BYTES_MAX;
    if (capacity < wanted)
        capacity = wanted;
    if (capacity < BLOCK_BYTES_MIN)
        capacity = BLOCK_BYTES_MIN;
    while (capacity < (uint64_t)kept + bytes)
        capacity *= 2;
    memory =
        capacity > UINT32_MAX ? NULL : tp_alloc(input->allocator, (size_t)capacity, ALIGN);
    if (memory == NULL)
        return false;
    if (kept > 0)
        memcpy(memory, input->memory + input->start, kept);
    drop_block(input);
    input->memory = memory;
    input->capacity = (uint32_t)capacity;
    input->start = 0;
    input->end = kept;
    return true;
}

/* Copies bytes behind what is kept. What is kept moves to the front when at least as much
 * was consumed before it, so that a byte is moved once on average. */
static int32_t append(struct tp_input *input, const uint8_t *bytes, uint32_t len,
                      uint32_t wanted)
{
    uint32_t kept = input->end - input->start;

    if (len == 0)
        return 0;
    if (len > input->capacity - input->end && input->start >= kept &&
        len <= input->capacity - kept) {
        memcpy(input->memory, input->memory + input->start, kept);
        input->start = 0;
        input->end = kept;
    }
    if (len > input->capacity - input->end && !grow(input, len, wanted))
        return -ENOMEM;
    memcpy(input->memory + input->end, bytes, len);
    input->end += len;
    if (input->end - input->start > input->own_bytes)
        input->needed = true;
    return 0;
}

/* Copies what is left in the receive buffer, and gives it back. */
static int32_t keep(struct tp_ctx *cx, struct tp_input *input, uint32_t wanted)
{
    int32_t rc;

    if (input->direct == NULL)
        return 0;
    tp_assert(input->start == input->end);
    rc = append(input, input->direct->data + input->direct_at,
                input->direct->len - input->direct_at, wanted);
    give_back(cx, input);
    return rc;
}

int32_t tp_input_add(struct tp_ctx *cx, struct tp_input *input, struct tp_buf *buf,
                     uint32_t wanted)
{
    int32_t rc = keep(cx, input, wanted);

    if (input->start == input->end) {
        input->direct = buf;
        return rc;
    }
    if (rc == 0)
        rc = append(input, buf->data, buf->len, wanted);
    tp_give_back(cx, buf);
    return rc;
}

int32_t tp_input_settle(struct tp_ctx *cx, struct tp_input *input, uint32_t wanted)
{
    int32_t rc = keep(cx, input, wanted);

    if (input->start == input->end && !input->needed)
        drop_block(input);
    input->needed = false;
    return rc;
}
