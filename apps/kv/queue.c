#include "apps/kv/queue.h"

#include "apps/kv/command.h"
#include "apps/kv/grow.h"

/* One piece of memory: the slices, then their bytes. */
static struct kv_slice *copy_arguments(const struct kv_slice *argv, uint32_t argc,
                                       uint64_t bytes)
{
    struct kv_slice *copy = malloc(argc * sizeof *copy + (size_t)bytes);
    uint8_t *at;

    if (copy == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    at = (uint8_t *)(copy + argc);
    for (uint32_t i = 0; i < argc; i++) {
        if (argv[i].len > 0)
            memcpy(at, argv[i].bytes, argv[i].len);
        copy[i] = kv_slice_of(at, argv[i].len);
        at += argv[i].len;
    }
    return copy;
}

bool kv_queue_add(struct kv_queue *queue, const struct kv_command *command,
                  const struct kv_slice *argv, uint32_t argc)
{
    uint64_t bytes = 0, room;
    struct kv_slice *copy;

    tp_assert(argc > 0);
    for (uint32_t i = 0; i < argc; i++)
        bytes += argv[i].len;
    room = bytes + sizeof(struct kv_queued) + argc * sizeof(struct kv_slice);
    if (queue->bytes + room > KV_QUEUE_BYTES_MAX)
        return false;
    queue->commands = kv_grow(queue->commands, &queue->capacity, (uint64_t)queue->count + 1,
                              sizeof *queue->commands);
    copy = copy_arguments(argv, argc, bytes);
    queue->commands[queue->count++] = (struct kv_queued){command, copy, argc, copy};
    queue->flags |= command->flags;
    queue->bytes += room;
    return true;
}

void kv_queue_clear(struct kv_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        free(queue->commands[i].memory);
    free(queue->commands);
    *queue = (struct kv_queue){0};
}
