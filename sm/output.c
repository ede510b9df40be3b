#include "sm/output.h"

#include <string.h>

enum { BLOCK_BYTES_MIN = 4096, ALIGN = 64 };

void tp_output_init(struct tp_output *output, void *own, uint32_t own_bytes,
                    uint32_t bytes_max, const struct tp_allocator *allocator)
{
    struct tp_output fresh = {.memory = own,
                              .own = own,
                              .own_bytes = own_bytes,
                              .capacity = own_bytes,
                              .bytes_max = bytes_max,
                              .allocator = allocator};

    tp_assert(own != NULL || own_bytes == 0);
    tp_assert(bytes_max <= INT32_MAX);
    *output = fresh;
}

static uint32_t len_of(const struct tp_output *output)
{
    return output->end - output->start + output->second_end;
}

/* Gives up the ring's block; a part of it may be with the system, so then it stays. */
static void drop_block(struct tp_output *output)
{
    if (output->memory == output->own)
        return;
    if (output->flying > 0 && output->lent == NULL) {
        output->lent = output->memory;
        output->lent_bytes = output->capacity;
        return;
    }
    tp_free(output->allocator, output->memory, output->capacity, ALIGN);
}

static void drop_lent(struct tp_output *output)
{
    tp_free(output->allocator, output->lent, output->lent_bytes, ALIGN);
    output->lent = NULL;
    output->lent_bytes = 0;
}

void tp_output_deinit(struct tp_output *output)
{
    output->flying = 0;
    drop_lent(output);
    drop_block(output);
    tp_output_init(output, NULL, 0, 0, NULL);
}

/* Everything has gone: from the start again, without a block that was not needed. */
static void rewind_ring(struct tp_output *output)
{
    output->start = output->end = output->second_end = 0;
    if (output->memory != output->own && output->peak <= output->own_bytes) {
        drop_block(output);
        output->memory = output->own;
        output->capacity = output->own_bytes;
    }
    output->peak = 0;
}

/* ------------------------------------------------------------------ writing */

/* A larger ring, with everything in a row at its start. */
static bool grow(struct tp_output *output, uint32_t bytes)
{
    uint32_t len = len_of(output), first = output->end - output->start;
    uint64_t capacity = 2 * (uint64_t)output->capacity;
    uint8_t *memory;

    if (capacity < BLOCK_BYTES_MIN)
        capacity = BLOCK_BYTES_MIN;
    while (capacity < (uint64_t)len + bytes)
        capacity *= 2;
    memory =
        capacity > UINT32_MAX ? NULL : tp_alloc(output->allocator, (size_t)capacity, ALIGN);
    if (memory == NULL)
        return false;
    if (len > 0) {
        memcpy(memory, output->memory + output->start, first);
        memcpy(memory + first, output->memory, output->second_end);
    }
    drop_block(output);
    output->memory = memory;
    output->capacity = (uint32_t)capacity;
    output->start = 0;
    output->end = len;
    output->second_end = 0;
    return true;
}

/* Where so many bytes fit in a row; UINT32_MAX: nowhere. */
static uint32_t place_for(const struct tp_output *output, uint32_t bytes)
{
    if (output->second_end > 0)
        return output->start - output->second_end >= bytes ? output->second_end
                                                           : UINT32_MAX;
    if (output->capacity - output->end >= bytes)
        return output->end;
    return output->start >= bytes ? 0 : UINT32_MAX;
}

uint8_t *tp_output_reserve(struct tp_output *output, uint32_t bytes)
{
    uint32_t at;

    output->reserved_len = 0;
    if (bytes > output->bytes_max || len_of(output) > output->bytes_max - bytes)
        return NULL;
    at = place_for(output, bytes);
    if (at == UINT32_MAX) {
        if (!grow(output, bytes))
            return NULL;
        at = output->end;
    }
    output->reserved_at = at;
    output->reserved_len = bytes;
    return output->memory + at;
}

void tp_output_commit(struct tp_output *output, uint32_t bytes)
{
    tp_assert(bytes <= output->reserved_len);
    output->reserved_len = 0;
    if (bytes == 0)
        return;
    if (output->second_end == 0 && output->reserved_at == output->end)
        output->end += bytes;
    else
        output->second_end += bytes;
    tp_assert(output->end <= output->capacity && output->second_end <= output->start);
    output->written += bytes;
    if (len_of(output) > output->peak)
        output->peak = len_of(output);
}

/* ------------------------------------------------------------------ marks */

static struct tp_output_mark *mark_at(struct tp_output *output, uint32_t number)
{
    return &output->marks[(output->mark_first + number) % TP_OUTPUT_MARKS];
}

void tp_output_hold(struct tp_output *output, uint64_t until)
{
    struct tp_output_mark *last =
        output->mark_count > 0 ? mark_at(output, output->mark_count - 1) : NULL;
    struct tp_output_mark mark = {.start = output->decided, .until = until, .count = 1};

    tp_assert(output->decided <= output->written);
    output->decided = output->written;
    if (last == NULL && until <= output->reached)
        return;
    if (last == NULL || (until > last->until && !output->mark_open &&
                         output->mark_count < TP_OUTPUT_MARKS)) {
        *mark_at(output, output->mark_count++) = mark;
        output->mark_open = true;
        return;
    }
    if (until > last->until)
        last->until = until;
    last->count++;
}

bool tp_output_release(struct tp_output *output, uint64_t reached)
{
    bool any = false;

    if (reached > output->reached)
        output->reached = reached;
    while (output->mark_count > 0 && mark_at(output, 0)->until <= output->reached) {
        output->mark_first = (output->mark_first + 1) % TP_OUTPUT_MARKS;
        output->mark_count--;
        any = true;
    }
    return any;
}

uint32_t tp_output_discard_held(struct tp_output *output)
{
    uint64_t start;
    uint32_t count = 0, bytes;

    if (output->mark_count == 0)
        return 0;
    start = mark_at(output, 0)->start;
    tp_assert(start >= output->sent + output->flying && start <= output->written);
    for (uint32_t i = 0; i < output->mark_count; i++)
        count += mark_at(output, i)->count;
    bytes = (uint32_t)(output->written - start);
    if (bytes <= output->second_end) {
        output->second_end -= bytes;
    } else {
        output->end -= bytes - output->second_end;
        output->second_end = 0;
    }
    output->written = start;
    output->decided = start;
    output->mark_count = 0;
    if (len_of(output) == 0)
        rewind_ring(output);
    return count;
}

/* ------------------------------------------------------------------ sending */

/* Bytes that may leave. */
static uint64_t ready_of(struct tp_output *output)
{
    uint64_t limit = output->mark_count > 0 ? mark_at(output, 0)->start : output->written;

    tp_assert(limit >= output->sent);
    return limit - output->sent;
}

uint32_t tp_output_take(struct tp_output *output, uint32_t bytes_max)
{
    uint64_t ready = ready_of(output);
    uint32_t bytes = ready < bytes_max ? (uint32_t)ready : bytes_max;
    uint32_t first = output->end - output->start;

    output->mark_open = false;
    if (output->flying > 0 || bytes == 0)
        return 0;
    if (first > bytes)
        first = bytes;
    output->flying = bytes;
    output->bufs[0] = tp_buf_full(output->memory + output->start, first);
    if (first == bytes)
        return 1;
    output->bufs[1] = tp_buf_full(output->memory, bytes - first);
    return 2;
}

void tp_output_taken(struct tp_output *output, uint32_t bytes)
{
    uint32_t first = output->end - output->start;

    tp_assert(bytes <= output->flying);
    output->flying = 0;
    drop_lent(output);
    output->sent += bytes;
    if (bytes < first) {
        output->start += bytes;
        return;
    }
    /* The second stretch is the first from now on. */
    output->start = bytes - first;
    output->end = output->second_end;
    output->second_end = 0;
    if (output->start == output->end)
        rewind_ring(output);
}
