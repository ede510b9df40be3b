#include "sm/group.h"

void tp_group_init(struct tp_group *group, struct tp_group_item *items, uint32_t capacity,
                   enum tp_group_policy policy)
{
    struct tp_group fresh = {
        .items = items, .capacity = capacity, .policy = (uint32_t)policy};

    tp_assert(items != NULL || capacity == 0);
    *group = fresh;
}

uint32_t tp_group_add(struct tp_group *group, struct tp_op op)
{
    struct tp_group_item item = {.op = op};

    tp_assert(group->count < group->capacity);
    tp_assert(tp_op_is_some(op));
    group->items[group->count] = item;
    return group->count++;
}

void tp_group_cancel(struct tp_ctx *cx, struct tp_group *group)
{
    for (uint32_t i = group->first_open; i < group->count; i++) {
        if (tp_op_is_some(group->items[i].op))
            tp_cancel(cx, group->items[i].op);
    }
}

static void note(struct tp_group *group, uint32_t index)
{
    int32_t value = group->items[index].result.value;

    group->joined++;
    if (value >= 0)
        return;
    if (group->failed++ == 0) {
        group->first_failed = index;
        group->error = value;
    }
}

bool tp_group_joined(struct tp_ctx *cx, struct tp_group *group)
{
    bool failed_before = group->failed > 0;

    for (uint32_t i = group->first_open; i < group->count; i++) {
        struct tp_group_item *item = &group->items[i];
        if (tp_op_is_some(item->op) && tp_take(cx, &item->op, &item->result))
            note(group, i);
    }
    while (group->first_open < group->count &&
           !tp_op_is_some(group->items[group->first_open].op))
        group->first_open++;
    tp_assert(group->joined <= group->count);
    if (group->failed > 0 && !failed_before && group->policy == TP_GROUP_FAIL_FAST)
        tp_group_cancel(cx, group);
    return group->joined == group->count;
}
