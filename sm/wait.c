#include "sm/wait.h"

void tp_wait_list_join(struct tp_ctx *cx, struct tp_wait_list *list,
                       struct tp_waiter *waiter)
{
    if (waiter->list == list)
        return;
    tp_assert(waiter->list == NULL);
    waiter->machine = cx->self;
    waiter->list = list;
    waiter->next = NULL;
    waiter->previous = list->last;
    if (list->last != NULL)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
    list->count++;
}

void tp_wait_list_leave(struct tp_waiter *waiter)
{
    struct tp_wait_list *list = waiter->list;

    if (list == NULL)
        return;
    tp_assert(list->count > 0);
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        list->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        list->last = waiter->previous;
    list->count--;
    waiter->next = waiter->previous = NULL;
    waiter->list = NULL;
}

/* A member whose machine has ended may be memory that is used for something else by now. */
static void wake(struct tp_waiter *waiter)
{
    tp_assert(tp_machine_alive(waiter->machine));
    tp_wake(waiter->machine);
}

void tp_wait_list_wake_all(struct tp_wait_list *list)
{
    uint32_t woken = 0;

    for (struct tp_waiter *waiter = list->first; waiter != NULL; waiter = waiter->next) {
        wake(waiter);
        woken++;
    }
    tp_assert(woken == list->count);
}

struct tp_waiter *tp_wait_list_wake_first(struct tp_wait_list *list)
{
    struct tp_waiter *first = list->first;

    tp_assert((first == NULL) == (list->count == 0));
    if (first == NULL)
        return NULL;
    tp_wait_list_leave(first);
    wake(first);
    return first;
}
