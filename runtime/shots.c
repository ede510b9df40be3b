/* Multishot operations: one handle, many completions, here called shots. Each shot that is
 * not yet claimed has a slot of its own, in its owner's list of arrived ones, so order is
 * kept; it names the multishot's slot, whose `value` counts them. A machine claims them in
 * its tick; while it awaits something else they are kept, up to a bound. Then the multishot
 * is stopped, and begun again under the same handle when the shots have been claimed. */
#include "op.h"

#include <errno.h>

#include "io/fd_table.h"
#include "io/recv_pool.h"
#include "io/submit.h"
#include "runtime/scheduler_internal.h"

#define KEEP_MAX 64

static bool gives_fd(const struct tp_slot *slot)
{
    return (tp_kind_info[slot->kind].traits & TP_GIVES_FD) != 0;
}

static struct tp_recv_buf *recv_buf_of(struct tp_buf *buf)
{
    return tp_container_of(buf, struct tp_recv_buf, buf);
}

void tp_shots_begin(struct tp_slot *slot, struct tp_fd fd)
{
    slot->flags |= TP_SLOT_MANY;
    slot->on.many.fd_generation = fd.generation;
    slot->on.many.keep_max = KEEP_MAX;
}

struct tp_op tp_keep(struct tp_ctx *cx, struct tp_op op, uint32_t shots_max)
{
    struct tp_slot *slot = &cx->scheduler->slots.slots[tp_slot_of(cx, op, "keeps of")];

    tp_assert((tp_kind_info[slot->kind].traits & TP_MANY) != 0 && shots_max > 0);
    slot->on.many.keep_max = shots_max;
    return op;
}

/* ------------------------------------------------------------------ delivery */

/* What a shot owns goes back: nobody will claim it. */
static void give_up(struct tp_scheduler *s, const struct tp_slot *multishot, int32_t value,
                    struct tp_buf *buf)
{
    if (gives_fd(multishot))
        tp_close_quietly(s, value, multishot);
    if (buf != NULL)
        tp_io_give_back(s->io, buf);
}

/* Stops a multishot whose shots nobody claims. */
static void pause_it(struct tp_scheduler *s, uint32_t index)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_request request = tp_request_cancel(tp_slot_handle(&s->slots, index));

    if ((slot->flags & (TP_SLOT_ASKED | TP_SLOT_PAUSING)) != 0)
        return;
    slot->flags |= TP_SLOT_PAUSING;
    tp_io_submit(s->io, &request);
}

void tp_shots_deliver(struct tp_scheduler *s, uint32_t index,
                      const struct tp_completion *item)
{
    struct tp_slot *multishot = &s->slots.slots[index];
    struct tp_buf *buf = tp_io_recv_buf(s->io, item);
    struct tp_machine *owner = multishot->owner;
    struct tp_slot *shot;
    uint32_t at;

    tp_assert((tp_kind_info[multishot->kind].traits & TP_MANY) != 0 &&
              (item->flags & TP_MORE) != 0 && multishot->state == TP_SLOT_FLYING);
    s->stats.shots++;
    if (gives_fd(multishot))
        tp_io_fd_site(s->io, item->value, multishot->file, tp_slot_line(multishot));
    if ((multishot->flags & TP_SLOT_ABANDONED) != 0) {
        give_up(s, multishot, item->value, buf);
        return;
    }
    at = tp_slots_room_for_shot(&s->slots) ? tp_slots_take(&s->slots) : 0;
    if (at == 0)
        tp_stop_with_census(s, "completions of multishots are kept unclaimed, more than "
                               "there is room for: see tp_keep()");
    s->slots.shots++;
    shot = &s->slots.slots[at];
    shot->kind = multishot->kind;
    shot->state = TP_SLOT_ARRIVED;
    shot->flags = TP_SLOT_SHOT;
    shot->owner = owner;
    shot->file = multishot->file;
    shot->where = multishot->where;
    shot->value = item->value;
    shot->timer = index;
    shot->on.buf = buf;
    multishot->value++;
    owner->ops++;
    tp_slots_append(&s->slots, &owner->arrived, &owner->arrived_last, at);
    if (owner->keeps && (uint32_t)multishot->value >= multishot->on.many.keep_max)
        pause_it(s, index);
    tp_machine_wake(s, owner);
}

/* ------------------------------------------------------------------ pausing */

void tp_shots_stop(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    tp_assert((s->slots.slots[index].flags & TP_SLOT_IDLE) != 0 && s->slots.idle > 0);
    s->slots.slots[index].flags &= (uint16_t)~TP_SLOT_IDLE;
    s->slots.idle--;
    tp_slot_make(s, index, value);
}

/* Begins a paused multishot again, unless its fd was closed meanwhile. */
static void resume(struct tp_scheduler *s, uint32_t index)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_fd fd = {tp_slot_fd(slot), slot->on.many.fd_generation};
    struct tp_request request = slot->kind == TP_ACCEPT_MANY ? tp_request_accept_many(fd)
                                                             : tp_request_recv_many(fd);

    if (!tp_fd_table_holds(s->io->fds, fd)) {
        tp_shots_stop(s, index, -ECANCELED); /* as close does to what is pending */
        return;
    }
    slot->flags &= (uint16_t)~TP_SLOT_IDLE;
    s->slots.idle--;
    s->stats.resumed++;
    request.handle = tp_slot_handle(&s->slots, index);
    tp_io_pass(s->io, &request, tp_kind_info[slot->kind].traits);
}

bool tp_shots_paused(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    struct tp_slot *slot = &s->slots.slots[index];

    slot->flags &= (uint16_t)~TP_SLOT_PAUSING;
    if (value != -ECANCELED || (slot->flags & TP_SLOT_ASKED) != 0)
        return false;
    slot->flags |= TP_SLOT_IDLE;
    s->slots.idle++;
    if (slot->value == 0)
        resume(s, index);
    return true;
}

/* ------------------------------------------------------------------ claim */

void tp_shots_claim(struct tp_scheduler *s, uint32_t index, struct tp_result *ret_result)
{
    struct tp_slot *shot = &s->slots.slots[index];
    struct tp_slot *multishot = &s->slots.slots[shot->timer];
    struct tp_machine *owner = shot->owner;

    ret_result->value = shot->value;
    ret_result->flags = TP_MORE;
    ret_result->tag = multishot->tag;
    ret_result->op.handle = tp_slot_handle(&s->slots, shot->timer);
    ret_result->buf = shot->on.buf;
    if (shot->on.buf != NULL) {
        struct tp_recv_buf *item = recv_buf_of(shot->on.buf);

        item->holder = owner;
        item->file = shot->file;
        item->line = tp_slot_line(shot);
        tp_assert(owner->bufs < UINT16_MAX);
        owner->bufs++;
    }
    tp_slots_unappend(&s->slots, &owner->arrived, &owner->arrived_last, index);
    tp_slots_retire(&s->slots, index);
    owner->ops--;
    if (multishot->state != TP_SLOT_FLYING)
        return; /* its last completion is there, and `value` is that one's */
    tp_assert(multishot->value > 0);
    multishot->value--;
    if (multishot->value == 0 && (multishot->flags & TP_SLOT_IDLE) != 0)
        resume(s, tp_slot_index(ret_result->op.handle));
}

/* The first completion of a multishot that its machine has not claimed; 0: none is there.
 */
static uint32_t first_of(const struct tp_slot *slots, uint32_t index)
{
    if (slots[index].state == TP_SLOT_FLYING && slots[index].value == 0)
        return 0;
    for (uint32_t at = slots[index].owner->arrived; at != 0; at = slots[at].next) {
        if (at == index ||
            ((slots[at].flags & TP_SLOT_SHOT) != 0 && slots[at].timer == index))
            return at;
    }
    return 0;
}

bool tp_next_of(struct tp_ctx *cx, struct tp_op *op, struct tp_result *ret_result)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index, at;

    if (op->handle == 0)
        return false;
    index = tp_slot_of(cx, *op, "asks for");
    tp_assert((tp_kind_info[s->slots.slots[index].kind].traits & TP_MANY) != 0);
    at = first_of(s->slots.slots, index);
    if (at == 0)
        return false;
    tp_slot_claim(s, at, ret_result);
    if (at == index)
        *op = tp_no_op();
    return true;
}

void tp_shots_drop(struct tp_scheduler *s, uint32_t index)
{
    struct tp_machine *owner = s->slots.slots[index].owner;

    for (uint32_t at = owner->arrived, next; at != 0; at = next) {
        struct tp_slot *shot = &s->slots.slots[at];

        next = shot->next;
        if ((shot->flags & TP_SLOT_SHOT) == 0 || shot->timer != index)
            continue;
        give_up(s, &s->slots.slots[index], shot->value, shot->on.buf);
        tp_slots_unappend(&s->slots, &owner->arrived, &owner->arrived_last, at);
        tp_slots_retire(&s->slots, at);
        owner->ops--;
    }
}

void(tp_give_back)(struct tp_ctx *cx, struct tp_buf *buf)
{
    struct tp_io *io = cx->scheduler->io;
    const int line = (int)cx->line;
    struct tp_machine *holder =
        tp_recv_pool_find(io->recv_bufs, buf, cx->file, line)->holder;

    if (holder != NULL) {
        tp_assert(holder->bufs > 0);
        holder->bufs--;
    }
    (tp_io_give_back)(io, buf, cx->file, line);
}
