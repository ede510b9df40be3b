/** sm/wait.h - a list of machines that wait for the same thing: wakes for all, or one by
 * one.
 *
 *     tp_wait_list_join(cx, &shared->list, &m->waiter);
 *     TP_AWAIT_UNTIL(cx, shared->ready || tp_cancelled(cx));
 *     tp_wait_list_leave(&m->waiter);
 *
 * A wake is a hint to look at shared state, never a message: whoever changes the state
 * wakes the list afterwards, whoever waits looks at the state first and after every wake.
 * So none is lost.
 *
 * A waiter is a member of the waiting machine's struct. It stays in the list until it
 * leaves, and must leave before its machine ends: waking an ended machine stops the
 * program. Zeroed memory is an empty list, and a waiter in none. First come, first woken.
 */
#ifndef TEMPEST_SM_WAIT_H
#define TEMPEST_SM_WAIT_H

#include "../runtime/machine.h"

struct tp_wait_list;

/** One machine's place in one list. */
struct tp_waiter {
    struct tp_machine *machine;
    struct tp_waiter *next, *previous;
    struct tp_wait_list *list; /* that it is in; NULL: none */
};

struct tp_wait_list {
    struct tp_waiter *first, *last;
    uint32_t count;
    uint32_t reserved;
};

TP_BEGIN_DECLS

/** Puts the machine of `cx` at the end of the list. Nothing happens when it is in it. */
TP_EXPORT void tp_wait_list_join(struct tp_ctx *cx, struct tp_wait_list *list,
                                 struct tp_waiter *waiter);

/** Takes the waiter out of its list. Nothing happens when it is in none. */
TP_EXPORT void tp_wait_list_leave(struct tp_waiter *waiter);

/** Wakes every member, in the order in which they joined; they stay members. */
TP_EXPORT void tp_wait_list_wake_all(struct tp_wait_list *list);

/** Takes the first out of the list and wakes it. The waiter; NULL if the list is empty. */
TP_EXPORT struct tp_waiter *tp_wait_list_wake_first(struct tp_wait_list *list);

TP_END_DECLS

#endif
