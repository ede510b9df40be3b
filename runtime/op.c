#include "op.h"

#include <errno.h>

#include "io/submit.h"
#include "runtime/await.h"
#include "runtime/scheduler_internal.h"

static bool has_trait(const struct tp_slot *slot, uint32_t trait)
{
    return (tp_kind_info[slot->kind].traits & trait) != 0;
}

/* ------------------------------------------------------------------ submission */

static inline uint32_t take_slot(struct tp_ctx *cx, uint16_t kind, uint32_t fd_number)
{
    struct tp_scheduler *s = cx->scheduler;
    struct tp_machine *owner = cx->self;
    uint32_t index = s->slots.count < s->slots.ops_max ? tp_slots_take(&s->slots) : 0;
    struct tp_slot *slot;

    if (__builtin_expect(index == 0, 0))
        tp_stop_with_census(
            s, "more operations than ops_max; ask tp_room() before submitting");
    if (++s->slots.count > s->slots.count_max)
        s->slots.count_max = s->slots.count;
    slot = &s->slots.slots[index];
    slot->kind = (uint8_t)kind;
    slot->state = TP_SLOT_FLYING;
    slot->owner = owner;
    slot->file = cx->file;
    slot->where = tp_slot_where(fd_number, cx->line, s->iteration);
    tp_slots_push(&s->slots, &owner->flying, index);
    owner->ops++;
    s->stats.submitted[kind]++;
    return index;
}

static inline struct tp_op op_of(const struct tp_scheduler *s, uint32_t index)
{
    struct tp_op op = {tp_slot_handle(&s->slots, index)};

    return op;
}

/* Whether a new operation of this machine is stopped before it starts (law 4). */
static bool refuses(const struct tp_machine *machine, uint32_t traits)
{
    return machine->cancelled && !machine->shielded && (traits & TP_CLEANUP) == 0;
}

/* What follows for an operation that has got its slot. */
static inline void pass(struct tp_scheduler *s, uint32_t index, struct tp_request *request,
                        uint32_t traits)
{
    struct tp_slot *slot = &s->slots.slots[index];

    if ((traits & (TP_LENDS_IN | TP_LENDS_OUT)) != 0)
        slot->flags |= TP_SLOT_LENT;
    if ((traits & TP_GIVES_FD) != 0)
        slot->flags |= TP_SLOT_GIVES_FD;
    request->handle = tp_slot_handle(&s->slots, index);
    tp_io_pass(s->io, request, traits);
}

/* The same in a cancelled machine, for an operation on a path, and for a multishot. */
static __attribute__((noinline)) void pass_rare(struct tp_ctx *cx, uint32_t index,
                                                struct tp_request *request, uint32_t traits)
{
    struct tp_scheduler *s = cx->scheduler;

    if ((traits & TP_TAKES_PATH) != 0)
        tp_slot_keep_path(&s->slots, index, tp_request_path(request));
    if ((traits & TP_MANY) != 0)
        tp_shots_begin(&s->slots.slots[index], request->fd);
    if (refuses(cx->self, traits))
        tp_slot_make(s, index, -ECANCELED);
    else
        pass(s, index, request, traits);
}

struct tp_op(tp_submit)(struct tp_ctx *cx, struct tp_request *request)
{
    struct tp_scheduler *s = cx->scheduler;
    struct tp_op op;
    uint32_t traits, index;

    tp_assert(request->kind < TP_KINDS);
    traits = tp_kind_info[request->kind].traits;
    tp_assert((traits & TP_NOT_IO) == 0);
    index = take_slot(cx, request->kind, request->fd.number);
    op = op_of(s, index);
    s->slots.slots[index].on.buf = request->buf;
    if ((traits & (TP_TAKES_PATH | TP_MANY)) != 0 ||
        __builtin_expect(cx->self->cancelled, 0))
        pass_rare(cx, index, request, traits);
    else
        pass(s, index, request, traits);
    return op;
}

/* The moment `delay_ns` from now; TP_NEVER when that is past the end of time. */
static uint64_t moment(struct tp_scheduler *s, uint64_t delay_ns)
{
    uint64_t now = tp_io_now_ns(s->io);

    return delay_ns >= TP_NEVER - now ? TP_NEVER : now + delay_ns;
}

static void set_timer(struct tp_scheduler *s, uint32_t index, uint64_t deadline_ns,
                      uint64_t delay_ns)
{
    if (deadline_ns == TP_NEVER)
        return;
    tp_timers_set(&s->timers, &s->slots, index, deadline_ns, delay_ns);
    s->stats.timers = s->timers.count;
    s->stats.timers_max = s->timers.count_max;
}

static void remove_timer(struct tp_scheduler *s, uint32_t index)
{
    if (s->slots.slots[index].timer == 0)
        return;
    tp_timers_remove(&s->timers, &s->slots, index);
    s->stats.timers = s->timers.count;
}

static void start_timer(struct tp_scheduler *s, uint32_t index, uint64_t delay_ns)
{
    uint64_t fires_ns = moment(s, delay_ns);

    s->slots.slots[index].on.fires_ns = fires_ns;
    set_timer(s, index, fires_ns, delay_ns);
}

struct tp_op(tp_timer)(struct tp_ctx *cx, uint64_t delay_ns)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index = take_slot(cx, TP_TIMER, 0);

    if (refuses(cx->self, 0))
        tp_slot_make(s, index, -ECANCELED);
    else if (delay_ns == 0)
        tp_slot_make(s, index, 0);
    else
        start_timer(s, index, delay_ns);
    return op_of(s, index);
}

struct tp_op(tp_start)(struct tp_ctx *cx, struct tp_machine *child, tp_tick_fn *tick,
                       const char *name)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index = take_slot(cx, TP_CHILD, 0);

    tp_assert(child != cx->self && tick != NULL && name != NULL);
    s->slots.slots[index].on.child = child;
    if (refuses(cx->self, 0))
        tp_slot_make(s, index, -ECANCELED);
    else
        tp_machine_begin(s, child, tick, name, index);
    return op_of(s, index);
}

/* ------------------------------------------------------------------ delivery */

/* Takes a slot that is not in its owner's flying list out of the list that it is in. */
static __attribute__((noinline)) void unlink_other(struct tp_scheduler *s, uint32_t index)
{
    struct tp_slot *slot = &s->slots.slots[index];

    switch ((enum tp_slot_state)slot->state) {
    case TP_SLOT_DETACHED:
        tp_slots_unlink(&s->slots, &s->detached, index);
        break;
    case TP_SLOT_MADE:
        tp_slots_unappend(&s->slots, &s->made.first, &s->made.last, index);
        break;
    case TP_SLOT_FLYING:
    case TP_SLOT_FREE:
    case TP_SLOT_ARRIVED:
        tp_unreachable();
    }
}

static inline void unlink_slot(struct tp_scheduler *s, uint32_t index)
{
    struct tp_slot *slot = &s->slots.slots[index];

    if (__builtin_expect(slot->state == TP_SLOT_FLYING, 1))
        tp_slots_unlink(&s->slots, &slot->owner->flying, index);
    else
        unlink_other(s, index);
}

void tp_slot_make(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    struct tp_slot *slot = &s->slots.slots[index];

    remove_timer(s, index);
    unlink_slot(s, index);
    slot->state = TP_SLOT_MADE;
    slot->value = value;
    tp_slots_append(&s->slots, &s->made.first, &s->made.last, index);
}

void tp_close_quietly(struct tp_scheduler *s, int32_t value, const struct tp_slot *from)
{
    struct tp_ctx cx = {s, from->owner, from->file, tp_slot_line(from), 0};
    struct tp_request request = tp_request_close(tp_io_into_fd(s->io, value));
    struct tp_op op = (tp_submit)(&cx, &request);

    tp_detach(&cx, op);
}

/* The end of an operation that nobody claims. */
static void drain(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_machine *owner = slot->owner;

    if (owner != NULL) { /* abandoned */
        if ((slot->flags & TP_SLOT_LENT) != 0)
            tp_io_end_loan(s->io, tp_slot_handle(&s->slots, index));
        if (value >= 0 && has_trait(slot, TP_GIVES_FD) && !has_trait(slot, TP_MANY))
            tp_close_quietly(s, value, slot);
        owner->ops--;
        owner->abandoned--;
    } else { /* detached */
        s->detached_count--;
        if (value < 0) {
            s->stats.detached_failures++;
            s->stats.detached_file = slot->file;
            s->stats.detached_line = tp_slot_line(slot);
            s->stats.detached_error = value;
        }
    }
    tp_slots_retire(&s->slots, index);
    if (owner != NULL && owner->ending)
        tp_machine_finish(s, owner);
}

void tp_slot_deliver(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_machine *owner;

    if ((slot->flags & TP_SLOT_PAUSING) != 0 && tp_shots_paused(s, index, value))
        return;
    remove_timer(s, index);
    unlink_slot(s, index);
    s->stats.completed++;
    if (value >= 0 && has_trait(slot, TP_GIVES_FD) && !has_trait(slot, TP_MANY))
        tp_io_fd_site(s->io, value, slot->file, tp_slot_line(slot));
    if ((slot->flags & TP_SLOT_EXPIRED) != 0 && value == -ECANCELED)
        value = -ETIMEDOUT;
    owner = slot->owner;
    if (owner == NULL || (slot->flags & TP_SLOT_ABANDONED) != 0) {
        drain(s, index, value);
        return;
    }
    slot->state = TP_SLOT_ARRIVED;
    slot->value = value;
    tp_slots_append(&s->slots, &owner->arrived, &owner->arrived_last, index);
    tp_machine_wake(s, owner);
}

/* Most operations have an owner that waits for them, and nothing more: tp_slot_deliver()
 * without what cannot apply then. */
static inline bool deliver_simple(struct tp_scheduler *s, uint32_t index, int32_t value)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_machine *owner = slot->owner;

    if (slot->state != TP_SLOT_FLYING || (slot->flags & TP_SLOT_RARE) != 0)
        return false;
    if (slot->timer != 0)
        remove_timer(s, index);
    tp_slots_unlink(&s->slots, &owner->flying, index);
    slot->state = TP_SLOT_ARRIVED;
    slot->value = value;
    tp_slots_append(&s->slots, &owner->arrived, &owner->arrived_last, index);
    tp_machine_wake(s, owner);
    return true;
}

void tp_slots_route(struct tp_scheduler *s, const struct tp_completion *items,
                    uint32_t count)
{
    uint64_t simple = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct tp_completion *item = &items[i];
        uint32_t index = tp_slot_index(item->handle);

        if (__builtin_expect(!tp_slots_hold(&s->slots, item->handle), 0))
            tp_stopf(__FILE__, __LINE__,
                     "the %s backend completed handle %llx, which is not in flight (law 1)",
                     s->io->backend->name, (unsigned long long)item->handle);
        if (item->flags != 0)
            tp_shots_deliver(s, index, item);
        else if (__builtin_expect(deliver_simple(s, index, item->value), 1))
            simple++;
        else
            tp_slot_deliver(s, index, item->value);
    }
    s->stats.completed += simple;
}

void tp_slots_expire(struct tp_scheduler *s)
{
    uint64_t now;

    if (s->timers.count == 0)
        return;
    now = tp_io_now_ns(s->io);
    while (tp_timers_next_ns(&s->timers) <= now) {
        uint32_t index = tp_timers_first(&s->timers)->slot;
        struct tp_slot *slot = &s->slots.slots[index];

        remove_timer(s, index);
        if (slot->kind == TP_TIMER) {
            tp_slot_deliver(s, index, (slot->flags & TP_SLOT_CUT) != 0 ? -ETIMEDOUT : 0);
            continue;
        }
        slot->flags |= TP_SLOT_EXPIRED;
        s->stats.expired++;
        tp_slot_ask(s, index);
    }
}

/* ------------------------------------------------------------------ claim */

static TP_NORETURN TP_COLD void refuse_claim(struct tp_ctx *cx, struct tp_op op,
                                             const char *verb)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index = tp_slot_index(op.handle);

    if (!tp_slots_hold(&s->slots, op.handle))
        tp_stopf(__FILE__, __LINE__,
                 "machine %s %s a stale operation (slot %u, generation %u; the slot is at "
                 "generation %u): it was claimed, abandoned or detached before (law 1)",
                 cx->self->name, verb, index, (uint32_t)(op.handle >> TP_SLOT_BITS),
                 index < s->slots.fresh ? s->slots.slots[index].generation : 0);
    (void)tp_describe_slot(s, index, s->text, sizeof s->text);
    tp_stopf(__FILE__, __LINE__,
             "machine %s %s an operation that is not its own: %s (law 1)", cx->self->name,
             verb, s->text);
}

static inline uint32_t slot_of(struct tp_ctx *cx, struct tp_op op, const char *verb)
{
    const struct tp_slots *slots = &cx->scheduler->slots;
    uint32_t index = tp_slot_index(op.handle);

    if (__builtin_expect(!tp_slots_hold(slots, op.handle), 0) ||
        __builtin_expect(slots->slots[index].owner != cx->self, 0) ||
        __builtin_expect((slots->slots[index].flags & TP_SLOT_ABANDONED) != 0, 0))
        refuse_claim(cx, op, verb);
    return index;
}

uint32_t tp_slot_of(struct tp_ctx *cx, struct tp_op op, const char *verb)
{
    return slot_of(cx, op, verb);
}

static inline void claim(struct tp_scheduler *s, uint32_t index,
                         struct tp_result *ret_result)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_machine *owner = slot->owner;

    if (__builtin_expect((slot->flags & TP_SLOT_SHOT) != 0, 0)) {
        tp_shots_claim(s, index, ret_result);
        return;
    }
    ret_result->value = slot->value;
    ret_result->flags = 0;
    ret_result->tag = slot->tag;
    ret_result->op.handle = tp_slot_handle(&s->slots, index);
    ret_result->buf = NULL;
    if ((slot->flags & TP_SLOT_LENT) != 0)
        tp_io_end_loan(s->io, ret_result->op.handle);
    if (!has_trait(slot, TP_NOT_IO | TP_MANY) && slot->on.buf != NULL) {
        ret_result->buf = slot->on.buf;
        if (has_trait(slot, TP_LENDS_IN))
            slot->on.buf->len = slot->value < 0 ? 0 : (uint32_t)slot->value;
    }
    tp_slots_unappend(&s->slots, &owner->arrived, &owner->arrived_last, index);
    tp_slots_retire(&s->slots, index);
    owner->ops--;
}

void tp_slot_claim(struct tp_scheduler *s, uint32_t index, struct tp_result *ret_result)
{
    claim(s, index, ret_result);
}

/* It has many completions, and they come in order with all others. */
static TP_NORETURN TP_COLD void refuse_many(struct tp_ctx *cx, uint32_t index)
{
    struct tp_scheduler *s = cx->scheduler;

    (void)tp_describe_slot(s, index, s->text, sizeof s->text);
    tp_stopf(__FILE__, __LINE__,
             "machine %s asks for one completion of a multishot, which tp_next_cqe() and "
             "tp_next_of() claim: %s",
             cx->self->name, s->text);
}

static inline bool get_cqe(struct tp_ctx *cx, struct tp_op op, struct tp_result *ret_result)
{
    uint32_t index;

    if (op.handle == 0)
        return false;
    index = slot_of(cx, op, "asks for");
    if (__builtin_expect((cx->scheduler->slots.slots[index].flags & TP_SLOT_MANY) != 0, 0))
        refuse_many(cx, index);
    if (cx->scheduler->slots.slots[index].state != TP_SLOT_ARRIVED)
        return false;
    claim(cx->scheduler, index, ret_result);
    return true;
}

bool tp_get_cqe(struct tp_ctx *cx, struct tp_op op, struct tp_result *ret_result)
{
    return get_cqe(cx, op, ret_result);
}

static __attribute__((noinline)) bool take_some(struct tp_ctx *cx, struct tp_op *op,
                                                struct tp_result *ret_result)
{
    if (!get_cqe(cx, *op, ret_result))
        return false;
    *op = tp_no_op();
    return true;
}

/* Machines ask for all that they may have under way; most of it is not. */
bool tp_take(struct tp_ctx *cx, struct tp_op *op, struct tp_result *ret_result)
{
    return op->handle != 0 && take_some(cx, op, ret_result);
}

bool tp_next_cqe(struct tp_ctx *cx, struct tp_result *ret_result)
{
    if (cx->self->arrived == 0)
        return false;
    claim(cx->scheduler, cx->self->arrived, ret_result);
    return true;
}

enum tp_step tp_suspend(struct tp_ctx *cx)
{
    cx->self->keeps = true;
    return TP_WAIT;
}

struct tp_fd tp_into_fd(struct tp_ctx *cx, struct tp_result result)
{
    return tp_io_into_fd(cx->scheduler->io, result.value);
}

/* ------------------------------------------------------------------ attributes */

struct tp_op tp_tag(struct tp_ctx *cx, struct tp_op op, uint64_t tag)
{
    cx->scheduler->slots.slots[tp_slot_of(cx, op, "tags")].tag = tag;
    return op;
}

struct tp_op tp_deadline(struct tp_ctx *cx, struct tp_op op, uint64_t delay_ns)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index = tp_slot_of(cx, op, "sets a deadline on");
    struct tp_slot *slot = &s->slots.slots[index];
    uint64_t deadline_ns = delay_ns == TP_NEVER ? TP_NEVER : moment(s, delay_ns);

    if (slot->state != TP_SLOT_FLYING || (slot->flags & TP_SLOT_ASKED) != 0)
        return op; /* it has completed, or is about to */
    if (slot->kind == TP_TIMER) {
        bool fires_first = slot->on.fires_ns <= deadline_ns;

        if (fires_first && (slot->flags & TP_SLOT_CUT) == 0)
            return op;
        slot->flags = (uint16_t)(fires_first ? slot->flags & ~TP_SLOT_CUT
                                             : slot->flags | TP_SLOT_CUT);
        if (fires_first) {
            deadline_ns = slot->on.fires_ns;
            delay_ns = 0;
        }
    }
    remove_timer(s, index);
    set_timer(s, index, deadline_ns, delay_ns);
    return op;
}

void tp_slot_ask(struct tp_scheduler *s, uint32_t index)
{
    struct tp_slot *slot = &s->slots.slots[index];
    struct tp_request request;

    if ((slot->flags & TP_SLOT_ASKED) != 0 ||
        (slot->state != TP_SLOT_FLYING && slot->state != TP_SLOT_DETACHED))
        return;
    slot->flags |= TP_SLOT_ASKED;
    s->stats.cancelled++;
    if (slot->kind == TP_TIMER) {
        tp_slot_make(s, index, -ECANCELED);
    } else if (slot->kind == TP_CHILD) {
        tp_machine_cancel(slot->on.child);
    } else if ((slot->flags & TP_SLOT_IDLE) != 0) {
        tp_shots_stop(s, index, -ECANCELED);
    } else {
        request = tp_request_cancel(tp_slot_handle(&s->slots, index));
        tp_io_submit(s->io, &request); /* handle 0: nobody waits for the outcome */
    }
}

void tp_cancel(struct tp_ctx *cx, struct tp_op op)
{
    if (op.handle != 0)
        tp_slot_ask(cx->scheduler, tp_slot_of(cx, op, "cancels"));
}

void tp_abandon(struct tp_ctx *cx, struct tp_op op)
{
    struct tp_scheduler *s = cx->scheduler;
    struct tp_result result;
    struct tp_slot *slot;
    uint32_t index;

    if (op.handle == 0)
        return;
    index = tp_slot_of(cx, op, "abandons");
    slot = &s->slots.slots[index];
    s->stats.abandoned++;
    if (has_trait(slot, TP_MANY))
        tp_shots_drop(s, index);
    if (slot->state == TP_SLOT_ARRIVED) {
        struct tp_slot from = *slot;

        tp_slot_claim(s, index, &result);
        if (result.value >= 0 && has_trait(&from, TP_GIVES_FD) &&
            !has_trait(&from, TP_MANY))
            tp_close_quietly(s, result.value, &from);
        return;
    }
    slot->flags |= TP_SLOT_ABANDONED;
    cx->self->abandoned++;
    tp_slot_ask(s, index);
}

/* Stops the program unless nothing is lost when nobody claims the operation. */
static void refuse_detach(struct tp_ctx *cx, uint32_t index)
{
    struct tp_scheduler *s = cx->scheduler;
    const struct tp_slot *slot = &s->slots.slots[index];
    const char *why = NULL;

    if (has_trait(slot, TP_LENDS_IN | TP_LENDS_OUT))
        why = "which has memory on loan";
    else if (has_trait(slot, TP_GIVES_FD))
        why = "which gives a fd that nobody would close";
    else if (has_trait(slot, TP_MANY))
        why = "which is a multishot";
    else if (slot->kind == TP_CHILD)
        why = "which is a child's end";
    if (why == NULL)
        return;
    (void)tp_describe_slot(s, index, s->text, sizeof s->text);
    tp_stopf(__FILE__, __LINE__, "machine %s detaches an operation, %s: %s (law 4)",
             cx->self->name, why, s->text);
}

void tp_detach(struct tp_ctx *cx, struct tp_op op)
{
    struct tp_scheduler *s = cx->scheduler;
    uint32_t index = tp_slot_of(cx, op, "detaches");
    struct tp_slot *slot = &s->slots.slots[index];

    refuse_detach(cx, index);
    cx->self->ops--;
    s->detached_count++;
    if (slot->state == TP_SLOT_FLYING) {
        tp_slots_unlink(&s->slots, &cx->self->flying, index);
        slot->owner = NULL;
        slot->state = TP_SLOT_DETACHED;
        tp_slots_push(&s->slots, &s->detached, index);
    } else if (slot->state == TP_SLOT_MADE) {
        slot->owner = NULL; /* delivered to nobody */
    } else {
        tp_slots_unappend(&s->slots, &cx->self->arrived, &cx->self->arrived_last, index);
        slot->owner = NULL;
        drain(s, index, slot->value);
    }
}
