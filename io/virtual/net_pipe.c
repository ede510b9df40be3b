/* One direction of a stream: bytes in chunks, from what the receiver reads next to what the
 * sender wrote last. */
#include "net_internal.h"

#include <string.h>

uint32_t tp_pipe_make(struct tp_net *net)
{
    uint32_t pipe = tp_pool_take(&net->pipes, net->allocator);

    tp_pipe_at(net, pipe)->refs = 1;
    return pipe;
}

void tp_chunks_drop(struct tp_net *net, uint32_t first)
{
    while (first != 0) {
        uint32_t next = tp_chunk_at(net, first)->next;

        tp_pool_give(&net->chunks, first);
        first = next;
    }
}

static void drop_chunks(struct tp_net *net, struct tp_net_pipe *pipe)
{
    tp_chunks_drop(net, pipe->first);
    pipe->first = pipe->last = 0;
    pipe->offset = 0;
}

void tp_pipe_unref(struct tp_net *net, uint32_t pipe)
{
    struct tp_net_pipe *p;

    if (pipe == 0)
        return;
    p = tp_pipe_at(net, pipe);
    tp_assert(p->refs > 0);
    if (--p->refs > 0)
        return;
    drop_chunks(net, p);
    tp_pool_give(&net->pipes, pipe);
}

void tp_pipe_write(struct tp_net *net, uint32_t pipe, const uint8_t *bytes, uint32_t len)
{
    struct tp_net_pipe *p = tp_pipe_at(net, pipe);

    while (len > 0) {
        uint32_t at = (uint32_t)((p->offset + p->written - p->read) % TP_CHUNK_BYTES);
        uint32_t part = TP_CHUNK_BYTES - at < len ? TP_CHUNK_BYTES - at : len;

        if (at == 0) { /* the last one is full, or there is none */
            uint32_t chunk = tp_chunk_take(net);

            if (p->last != 0)
                tp_chunk_at(net, p->last)->next = chunk;
            else
                p->first = chunk;
            p->last = chunk;
        }
        memcpy(tp_chunk_at(net, p->last)->bytes + at, bytes, part);
        p->written += part;
        bytes += part;
        len -= part;
    }
}

void tp_pipe_read(struct tp_net *net, uint32_t pipe, uint8_t *ret_bytes, uint32_t len)
{
    struct tp_net_pipe *p = tp_pipe_at(net, pipe);

    tp_assert(len <= p->arrived - p->read);
    while (len > 0) {
        uint32_t room = TP_CHUNK_BYTES - p->offset;
        uint32_t part = room < len ? room : len;

        memcpy(ret_bytes, tp_chunk_at(net, p->first)->bytes + p->offset, part);
        p->read += part;
        p->offset += part;
        ret_bytes += part;
        len -= part;
        if (p->offset == TP_CHUNK_BYTES) {
            uint32_t next = tp_chunk_at(net, p->first)->next;

            tp_pool_give(&net->chunks, p->first);
            p->first = next;
            p->offset = 0;
            if (next == 0)
                p->last = 0;
        }
    }
    if (p->read == p->written) /* an idle stream holds no memory */
        drop_chunks(net, p);
}

void tp_pipe_cut(struct tp_net *net, uint32_t pipe)
{
    struct tp_net_pipe *p = tp_pipe_at(net, pipe);
    uint64_t left = p->sent > p->arrived ? p->sent : p->arrived;
    uint64_t chunks = (p->offset + left - p->read + TP_CHUNK_BYTES - 1) / TP_CHUNK_BYTES;
    uint32_t chunk = p->first;

    p->written = left;
    if (chunks == 0) {
        drop_chunks(net, p);
        return;
    }
    for (uint64_t i = 1; i < chunks; i++)
        chunk = tp_chunk_at(net, chunk)->next;
    while (tp_chunk_at(net, chunk)->next != 0) {
        uint32_t next = tp_chunk_at(net, chunk)->next;

        tp_chunk_at(net, chunk)->next = tp_chunk_at(net, next)->next;
        tp_pool_give(&net->chunks, next);
    }
    p->last = chunk;
}
