#include "op.h"

#include "runtime/scheduler_internal.h"

/* The winner is marked in its slot when the first completions are seen: on a tie real
 * operations beat timers, then the order given decides. Gives its index in `ops`, -1 when
 * none has arrived. */
static int32_t find_winner(struct tp_ctx *cx, const struct tp_op *ops, uint32_t count)
{
    struct tp_slot *slots = cx->scheduler->slots.slots;
    int32_t first = -1, first_timer = -1;

    for (uint32_t i = 0; i < count; i++) {
        struct tp_slot *slot;

        if (ops[i].handle == 0)
            continue;
        slot = &slots[tp_slot_of(cx, ops[i], "races")];
        tp_assert((tp_kind_info[slot->kind].traits & TP_MANY) == 0);
        if ((slot->flags & TP_SLOT_WON) != 0)
            return (int32_t)i;
        if (slot->state != TP_SLOT_ARRIVED)
            continue;
        if (slot->kind == TP_TIMER && first_timer < 0)
            first_timer = (int32_t)i;
        if (slot->kind != TP_TIMER && first < 0)
            first = (int32_t)i;
    }
    if (first < 0)
        first = first_timer;
    if (first >= 0)
        slots[tp_slot_index(ops[first].handle)].flags |= TP_SLOT_WON;
    return first;
}

int32_t tp_race(struct tp_ctx *cx, const struct tp_op *ops, uint32_t count)
{
    struct tp_scheduler *s = cx->scheduler;
    int32_t winner = find_winner(cx, ops, count);
    bool all = true;

    tp_assert(count > 0 && count <= INT32_MAX);
    if (winner < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = tp_slot_index(ops[i].handle);

        if (ops[i].handle == 0 || s->slots.slots[index].state == TP_SLOT_ARRIVED)
            continue;
        all = false;
        tp_slot_ask(s, index);
    }
    if (!all)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = tp_slot_index(ops[i].handle);
        struct tp_slot from;
        struct tp_result result;

        if (ops[i].handle == 0 || (int32_t)i == winner)
            continue;
        from = s->slots.slots[index];
        tp_slot_claim(s, index, &result);
        if (result.value >= 0 && (tp_kind_info[from.kind].traits & TP_GIVES_FD) != 0)
            tp_close_quietly(s, result.value, &from);
    }
    return winner;
}
