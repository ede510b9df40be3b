/** sm/copy_ring_internal.h - the blocks of a copy, and what goes on in each: read, write,
 * again. */
#ifndef TEMPEST_SM_COPY_RING_INTERNAL_H
#define TEMPEST_SM_COPY_RING_INTERNAL_H

#include "copy_file.h"

/** Takes blocks: registered buffers, then pieces of options.memory. 0, or -ENOBUFS. */
int32_t tp_copy_ring_take(struct tp_ctx *cx, struct tp_copy_file *copy);

/** Gives the registered ones back; nothing may be in flight. */
void tp_copy_ring_release(struct tp_ctx *cx, struct tp_copy_file *copy);

/** Gives work to idle blocks, or finds that none is left: then nothing is in flight. */
void tp_copy_ring_fill(struct tp_ctx *cx, struct tp_copy_file *copy);

/** Takes in one completed operation of the ring, and submits what follows from it. */
void tp_copy_ring_step(struct tp_ctx *cx, struct tp_copy_file *copy,
                       const struct tp_result *result);

/** Notes the first failure, and asks what is in flight to stop. */
void tp_copy_fail(struct tp_ctx *cx, struct tp_copy_file *copy, int32_t error,
                  enum tp_kind kind, bool source);

#endif
