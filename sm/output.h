/** sm/output.h - the bytes that wait to be sent on a connection, some of them held back.
 *
 * Part of sm/connection.h, which is what a service uses.
 *
 * The bytes lie in a ring: memory of the caller's at first; more than fits there goes into
 * a larger block from an allocator, which is given back when it is no longer needed. A
 * piece is never broken at the end of the ring, so a writer gets one stretch to write to. A
 * block that is being sent stays where it is until that has ended.
 *
 * Marks: what is behind one must wait for a number, say the position of a log, to be
 * reached. Order is kept: what is behind it waits with it. Marks made between two sends are
 * one, since their bytes would leave together; so there are few, whatever is written.
 */
#ifndef TEMPEST_SM_OUTPUT_H
#define TEMPEST_SM_OUTPUT_H

#include "../io/buf.h"

enum { TP_OUTPUT_MARKS = 8 };

/** The bytes from `start` to the next mark's wait until `until` is reached. */
struct tp_output_mark {
    uint64_t start; /* as `written` counts */
    uint64_t until;
    uint32_t count; /* pieces behind it: calls of tp_output_hold() */
    uint32_t reserved;
};

struct tp_output {
    uint8_t *memory; /* of the ring now: `own`, or a block */
    uint32_t capacity;
    uint32_t start, end, second_end; /* [start, end), then [0, second_end) */
    uint32_t flying;                 /* bytes being sent */
    uint32_t peak;                   /* most bytes since it was last empty */
    uint64_t written, sent;          /* bytes, ever */
    uint32_t mark_first, mark_count;
    uint32_t reserved_at, reserved_len; /* the last reservation */
    struct tp_buf bufs[2];              /* what is being sent */
    uint32_t bytes_max;                 /* that wait at a time */
    uint32_t own_bytes;
    uint8_t *own;
    uint8_t *lent; /* the block of `bufs`, when it is not the ring any more */
    uint32_t lent_bytes;
    bool mark_open;   /* made since the last send */
    uint64_t decided; /* what is before was held, or was said to need no holding */
    uint64_t reached;
    const struct tp_allocator *allocator;
    struct tp_output_mark marks[TP_OUTPUT_MARKS];
};

TP_BEGIN_DECLS

/** Empty, over `own_bytes` (may be 0) of memory; at most `bytes_max` wait at a time. */
TP_EXPORT void tp_output_init(struct tp_output *output, void *own, uint32_t own_bytes,
                              uint32_t bytes_max, const struct tp_allocator *allocator);

/** Gives blocks back. Nothing is being sent, or nothing ever will be. */
TP_EXPORT void tp_output_deinit(struct tp_output *output);

/** Room for `bytes` in a row; stays good until the next call of any function here. NULL:
 * more than bytes_max would wait, or there is no memory. */
TP_EXPORT uint8_t *tp_output_reserve(struct tp_output *output, uint32_t bytes);

/** So many of the bytes reserved were written. */
TP_EXPORT void tp_output_commit(struct tp_output *output, uint32_t bytes);

/** What was written since the last call waits until `until` is reached, and until what is
 * before it has gone; 0: for that only. */
TP_EXPORT void tp_output_hold(struct tp_output *output, uint64_t until);

/** Marks up to `reached` hold nothing any more. Whether one did. */
TP_EXPORT bool tp_output_release(struct tp_output *output, uint64_t reached);

/** Drops what is held. How many pieces that was. */
TP_EXPORT uint32_t tp_output_discard_held(struct tp_output *output);

/** What is to be sent next: 0, 1 or 2 of `bufs` are filled, at most `bytes_max` in all.
 * They are being sent from now on. */
TP_EXPORT uint32_t tp_output_take(struct tp_output *output, uint32_t bytes_max);

/** So many of the bytes that were being sent have been; 0 after an error. */
TP_EXPORT void tp_output_taken(struct tp_output *output, uint32_t bytes);

/** What the first mark waits for; 0: there is none. */
static inline uint64_t tp_output_held(const struct tp_output *output)
{
    return output->mark_count == 0 ? 0 : output->marks[output->mark_first].until;
}

/** Bytes that wait, those being sent included. */
static inline uint64_t tp_output_len(const struct tp_output *output)
{
    return output->written - output->sent;
}

TP_END_DECLS

#endif
