#include "sm/queue.h"

#include <errno.h>
#include <string.h>

void tp_queue_init(struct tp_queue *queue, void *storage, uint32_t item_bytes,
                   uint32_t capacity)
{
    struct tp_queue fresh = {
        .storage = storage, .item_bytes = item_bytes, .capacity = capacity};

    tp_assert(storage != NULL && item_bytes > 0 && capacity > 0);
    *queue = fresh;
    tp_semaphore_init(&queue->slots, capacity);
}

static uint8_t *place(const struct tp_queue *queue, uint32_t index)
{
    uint32_t at = (uint32_t)(((uint64_t)queue->head + index) % queue->capacity);

    return queue->storage + (size_t)at * queue->item_bytes;
}

int32_t tp_queue_put(struct tp_ctx *cx, struct tp_queue *queue, struct tp_turn *turn,
                     const void *item)
{
    int32_t rc;

    if (queue->closed) {
        tp_semaphore_leave(turn);
        return -EPIPE;
    }
    rc = tp_semaphore_acquire(cx, &queue->slots, turn);
    if (rc < 0)
        return rc;
    tp_assert(queue->count < queue->capacity);
    memcpy(place(queue, queue->count), item, queue->item_bytes);
    queue->count++;
    tp_semaphore_release(&queue->items);
    return 0;
}

int32_t tp_queue_get(struct tp_ctx *cx, struct tp_queue *queue, struct tp_turn *turn,
                     void *ret_item)
{
    int32_t rc = tp_semaphore_acquire(cx, &queue->items, turn);

    if (rc < 0)
        return rc;
    tp_assert(queue->count > 0);
    memcpy(ret_item, place(queue, 0), queue->item_bytes);
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    tp_semaphore_release(&queue->slots);
    return 0;
}

void tp_queue_leave(struct tp_turn *turn)
{
    tp_semaphore_leave(turn);
}

void tp_queue_close(struct tp_queue *queue)
{
    queue->closed = true;
    tp_semaphore_close(&queue->slots);
    tp_semaphore_close(&queue->items);
}
