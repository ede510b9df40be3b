/** sm/input.h - the bytes that a connection has received and its owner has not consumed.
 *
 * Part of sm/connection.h, which is what a service uses.
 *
 * They are looked at where they were received, in the receive buffer, as long as none is
 * left over from the buffer before. What is left over is copied into memory of the
 * caller's, or, when there is more, into a block from an allocator, which is given back
 * when it is no longer needed. So no receive buffer is kept over the end of a tick.
 */
#ifndef TEMPEST_SM_INPUT_H
#define TEMPEST_SM_INPUT_H

#include "../runtime/op.h"

struct tp_input {
    struct tp_buf *direct; /* a receive buffer, while nothing is kept; NULL: none */
    uint32_t direct_at;    /* what is before is consumed */
    uint32_t start, end;   /* [start, end) is kept */
    uint32_t own_bytes, capacity;
    uint8_t *memory; /* `own`, or a block */
    uint8_t *own;
    const struct tp_allocator *allocator;
    bool needed; /* the block was, since this was last looked at */
};

TP_BEGIN_DECLS

/** Empty, over `own_bytes` (may be 0) of memory. */
TP_EXPORT void tp_input_init(struct tp_input *input, void *own, uint32_t own_bytes,
                             const struct tp_allocator *allocator);

/** Drops what there is, and gives back receive buffer and block. `cx` NULL: there is no
 * world any more that the buffer could go back to. */
TP_EXPORT void tp_input_deinit(struct tp_ctx *cx, struct tp_input *input);

/** Bytes there are. */
static inline uint32_t tp_input_len(const struct tp_input *input)
{
    return input->direct != NULL ? input->direct->len - input->direct_at
                                 : input->end - input->start;
}

/** The first of them; all follow in a row. */
static inline const uint8_t *tp_input_bytes(const struct tp_input *input)
{
    return input->direct != NULL ? input->direct->data + input->direct_at
                                 : input->memory + input->start;
}

/** The first `bytes` are done with. */
TP_EXPORT void tp_input_consume(struct tp_input *input, uint32_t bytes);

/** Adds what a receive buffer holds, which is the input's from now on. `wanted`: as many
 * bytes as there will be in a row, as far as one knows. 0 or -ENOMEM: bytes are lost. */
TP_EXPORT int32_t tp_input_add(struct tp_ctx *cx, struct tp_input *input,
                               struct tp_buf *buf, uint32_t wanted);

/** Gives a receive buffer back, and copies what is left in it; gives a block back that was
 * not needed since the call before. Before the end of a tick. 0 or -ENOMEM: bytes are lost.
 */
TP_EXPORT int32_t tp_input_settle(struct tp_ctx *cx, struct tp_input *input,
                                  uint32_t wanted);

TP_END_DECLS

#endif
