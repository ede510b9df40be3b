/** io/completions.h - the list of completions: filled by a backend, emptied by its user.
 *
 * Flat and in order of arrival. The runtime drains `items` from front to back and needs no
 * index. A user without runtime claims by handle, O(1) each: the index is built by the
 * first claim after a poll, and forgotten at once when the list is empty again.
 *
 * The capacity is fixed at creation. A backend never pushes past tp_completions_room():
 * what does not fit stays with it until the next poll.
 */
#ifndef TEMPEST_IO_COMPLETIONS_H
#define TEMPEST_IO_COMPLETIONS_H

#include "base.h"

enum tp_completion_flag {
    TP_MORE = 1, /* multishot: further completions of this handle will follow */
};

/* Above the flags: 1 + the number of the receive buffer that a completion carries; 0: none.
 */
#define TP_COMPLETION_BUF_SHIFT 8

struct tp_completion {
    uint64_t handle;
    int32_t value;  /* a count or a negative errno */
    uint32_t flags; /* enum tp_completion_flag */
};

struct tp_completion_index; /* completions.c */

struct tp_completions {
    struct tp_completion *items; /* a claimed one has handle 0 */
    uint32_t count;              /* items in use, claimed ones included */
    uint32_t live;               /* of these, not yet claimed */
    uint32_t capacity;
    uint32_t indexed; /* the first `indexed` items are in the index */
    struct tp_completion_index *index;
};

TP_BEGIN_DECLS

/** 0, or -ENOMEM. */
TP_EXPORT int tp_completions_init(struct tp_completions *completions, uint32_t capacity,
                                  const struct tp_allocator *allocator);
TP_EXPORT void tp_completions_deinit(struct tp_completions *completions,
                                     const struct tp_allocator *allocator);

/** How many more fit. Moves unclaimed ones together if claimed ones are in the way. */
TP_EXPORT uint32_t tp_completions_room(struct tp_completions *completions);

/** Claims the first completion of `handle`; false if there is none. O(1). */
TP_EXPORT bool tp_completions_take(struct tp_completions *completions, uint64_t handle,
                                   struct tp_completion *ret_completion);

/** Forgets all: the caller has read every item. */
static inline void tp_completions_clear(struct tp_completions *completions)
{
    completions->count = 0;
    completions->live = 0;
    completions->indexed = 0;
}

/** Appends one; there must be room. */
static inline void tp_completions_push(struct tp_completions *completions, uint64_t handle,
                                       int32_t value, uint32_t flags)
{
    struct tp_completion *item;

    tp_assert(completions->count < completions->capacity);
    item = &completions->items[completions->count++];
    item->handle = handle;
    item->value = value;
    item->flags = flags;
    completions->live++;
}

TP_END_DECLS

#endif
