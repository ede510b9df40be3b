/** sm/queue.h - a bounded queue between machines: full, producers wait; empty, consumers
 * do.
 *
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_queue_put(cx, &queue, &m->turn, &item)) != -EAGAIN);
 *     TP_AWAIT_UNTIL(cx, (m->rc = tp_queue_get(cx, &queue, &m->turn, &item)) != -EAGAIN);
 *
 * Items have a fixed size and are copied in and out; storage for `capacity` of them is the
 * caller's. They come out in the order in which they went in, each once. Producers and
 * consumers are served in the order in which they came, and one that is cancelled while it
 * waits gets -ECANCELED and has left: see semaphore.h, of which this is two.
 *
 * Closing: what is in the queue can still be taken, then consumers get -EPIPE; producers
 * get -EPIPE at once. A consumer may close too, to tell producers that nobody listens any
 * more.
 */
#ifndef TEMPEST_SM_QUEUE_H
#define TEMPEST_SM_QUEUE_H

#include "semaphore.h"

struct tp_queue {
    struct tp_semaphore slots; /* free places */
    struct tp_semaphore items; /* items in the queue */
    uint8_t *storage;
    uint32_t item_bytes, capacity;
    uint32_t head, count; /* ring of items */
    bool closed;
};

TP_BEGIN_DECLS

/** A queue over `storage`, which holds item_bytes * capacity bytes, at least 1 each. */
TP_EXPORT void tp_queue_init(struct tp_queue *queue, void *storage, uint32_t item_bytes,
                             uint32_t capacity);

/** 0: a copy of `item` is in the queue. -EAGAIN: full; ask again when woken. -EPIPE:
 * closed. -ECANCELED. `turn` is zeroed before its first use and serves one queue and
 * direction at a time. */
TP_EXPORT int32_t tp_queue_put(struct tp_ctx *cx, struct tp_queue *queue,
                               struct tp_turn *turn, const void *item);

/** 0: the first item is in `ret_item`. -EAGAIN: empty; ask again when woken. -EPIPE: closed
 * and empty. -ECANCELED. */
TP_EXPORT int32_t tp_queue_get(struct tp_ctx *cx, struct tp_queue *queue,
                               struct tp_turn *turn, void *ret_item);

/** Stops asking; see tp_semaphore_leave(). */
TP_EXPORT void tp_queue_leave(struct tp_turn *turn);

/** Nothing more goes in. */
TP_EXPORT void tp_queue_close(struct tp_queue *queue);

TP_END_DECLS

#endif
