/** sm/group.h - n operations or children at once, joined: all of them, or until one fails.
 *
 *     tp_group_init(&m->group, m->items, 3, TP_GROUP_FAIL_FAST);
 *     for (uint32_t i = 0; i < 3; i++)
 *         tp_group_add(&m->group, tp_read_file_start(cx, &m->reads[i], ...));
 *     TP_AWAIT_UNTIL(cx, tp_group_joined(cx, &m->group));
 *     if (m->group.error < 0) ...
 *
 * The group claims what it was given: the results are in its items, in the order in which
 * they were added. With TP_GROUP_FAIL_FAST the first failure cancels the rest; they are
 * waited for all the same, since memory that they use is the caller's. A cancelled machine
 * joins in the same way: its operations and children end, with -ECANCELED or with what they
 * had come to.
 *
 * A result that owns a fd is the caller's to take, from its item. Looking costs O(items not
 * yet joined) a wake.
 */
#ifndef TEMPEST_SM_GROUP_H
#define TEMPEST_SM_GROUP_H

#include "../runtime/op.h"

enum tp_group_policy {
    TP_GROUP_ALL,       /* every one runs to its end */
    TP_GROUP_FAIL_FAST, /* the first negative result cancels the rest */
};

struct tp_group_item {
    struct tp_op op;         /* none once it is joined */
    struct tp_result result; /* then; `op` in it is as it was */
};

struct tp_group {
    struct tp_group_item *items;
    uint32_t capacity, count;
    uint32_t joined; /* items whose result is there */
    uint32_t failed; /* of these, with a negative result; those that were cancelled too */
    uint32_t first_failed; /* index of the first to fail, when failed > 0 */
    uint32_t policy;       /* enum tp_group_policy */
    int32_t error;         /* of the first to fail; 0: none has */
    uint32_t first_open;   /* the items before it are joined */
};

TP_BEGIN_DECLS

/** An empty group over `items`, room for `capacity`, which must stay until it is joined. */
TP_EXPORT void tp_group_init(struct tp_group *group, struct tp_group_item *items,
                             uint32_t capacity, enum tp_group_policy policy);

/** Adds an operation of this machine, perhaps a child's end. Its index; there must be room.
 */
TP_EXPORT uint32_t tp_group_add(struct tp_group *group, struct tp_op op);

/** Claims what has arrived. True when all have, and at once for an empty group. */
TP_EXPORT bool tp_group_joined(struct tp_ctx *cx, struct tp_group *group);

/** Asks those that are still running to stop. */
TP_EXPORT void tp_group_cancel(struct tp_ctx *cx, struct tp_group *group);

TP_END_DECLS

#endif
