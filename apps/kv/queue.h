/** apps/kv/queue.h - the commands of a transaction, between MULTI and EXEC.
 */
#ifndef TEMPEST_APPS_KV_QUEUE_H
#define TEMPEST_APPS_KV_QUEUE_H

#include "apps/kv/slice.h"

struct kv_command;

enum { KV_QUEUE_BYTES_MAX = 64 << 20 }; /* of the arguments of one queue */

/** A command with its arguments, in memory of its own. */
struct kv_queued {
    const struct kv_command *command;
    const struct kv_slice *argv;
    uint32_t argc;
    void *memory; /* of the arguments */
};

/** Zero is an empty one. */
struct kv_queue {
    struct kv_queued *commands;
    uint32_t count, capacity;
    uint32_t flags; /* of all its commands together: enum kv_command_flag */
    uint64_t bytes;
};

/** Adds a command with a copy of its arguments. False: the queue would get too long. */
bool kv_queue_add(struct kv_queue *queue, const struct kv_command *command,
                  const struct kv_slice *argv, uint32_t argc);

/** Empties it and gives its memory back. */
void kv_queue_clear(struct kv_queue *queue);

#endif
