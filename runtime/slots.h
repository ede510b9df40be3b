/** runtime/slots.h - the op table: a slot for every operation that is not yet claimed.
 *
 * A handle is a slot and its generation, so that a stale one is recognised. The table is
 * reserved once and never moves; slots are used lowest first and their pages touched only
 * then. A slot is one cache line. Lists of slots (a machine's flying and arrived ones, the
 * scheduler's made and detached ones) are linked by index; index 0 is no slot.
 */
#ifndef TEMPEST_RUNTIME_SLOTS_H
#define TEMPEST_RUNTIME_SLOTS_H

#include "machine.h"

#define TP_SLOT_BITS 24
#define TP_SLOTS_MAX ((UINT32_C(1) << TP_SLOT_BITS) - 2)
#define TP_SLOT_PATH 48 /* bytes of a path that are kept for reports */

enum tp_slot_state {
    TP_SLOT_FREE,
    TP_SLOT_FLYING,   /* in its owner's flying list */
    TP_SLOT_DETACHED, /* in the scheduler's list of detached operations; no owner */
    TP_SLOT_MADE,     /* completed by the runtime itself; in the scheduler's made list */
    TP_SLOT_ARRIVED,  /* in its owner's arrived list */
};

enum tp_slot_flag {
    TP_SLOT_ASKED = 1,     /* it was asked to stop */
    TP_SLOT_EXPIRED = 2,   /* by its deadline */
    TP_SLOT_ABANDONED = 4, /* never claimed: drained */
    TP_SLOT_LENT = 8,      /* memory is on loan */
    TP_SLOT_WON = 16,      /* first of its race */
    TP_SLOT_CUT = 32,      /* a timer that ends as -ETIMEDOUT */
    TP_SLOT_GIVES_FD = 64, /* its result may own a fd */
    TP_SLOT_SHOT = 128,    /* one completion of a multishot: shots.c */
    TP_SLOT_PAUSING = 256, /* a multishot that was stopped because its queue is full */
    TP_SLOT_IDLE = 512,    /* the same, and nothing of it is with the Io any more */
    TP_SLOT_MANY = 1024,   /* a multishot */
    /* Those that a delivery must look at. */
    TP_SLOT_RARE = TP_SLOT_EXPIRED | TP_SLOT_ABANDONED | TP_SLOT_GIVES_FD | TP_SLOT_PAUSING,
};

struct tp_slot {
    uint32_t generation; /* of the handle that it has, or will have next */
    uint8_t kind;        /* enum tp_kind */
    uint8_t state;       /* enum tp_slot_state */
    uint16_t flags;      /* enum tp_slot_flag */
    struct tp_machine *owner;
    uint64_t tag;
    const char *file; /* of the submission */
    uint64_t where;   /* of the submission: see tp_slot_where() */
    int32_t value;    /* of a multishot that goes on: shots that are not claimed */
    uint32_t timer; /* its place among the timers (timers.c); 0: none. A shot's: the slot of
                       its multishot */
    uint32_t next, previous;
    union {
        struct tp_buf *buf;       /* whose len the claim sets */
        struct tp_machine *child; /* TP_CHILD */
        uint64_t fires_ns;        /* TP_TIMER: when, but for a deadline; TP_NEVER */
        struct {                  /* a multishot */
            uint32_t fd_generation;
            uint32_t keep_max; /* shots kept while its machine awaits something else */
        } many;
    } on;
};

#if UINTPTR_MAX > 0xffffffff
_Static_assert(sizeof(struct tp_slot) == 64, "a slot is one cache line");
#endif

struct tp_slots {
    struct tp_slot *slots;
    char (*paths)[TP_SLOT_PATH]; /* of operations on a path, for reports */
    uint32_t capacity;           /* slots, [0] included */
    uint32_t fresh;              /* the lowest that was never used */
    uint32_t free;               /* list of retired ones */
    uint32_t count;              /* not retired, but for shots */
    uint32_t count_max;          /* high-water mark */
    uint32_t ops_max;            /* bound of `count` */
    uint32_t shots;              /* not retired */
    uint32_t idle; /* paused multishots, which the Io does not count as in flight */
};

/** A list with both ends, for order of arrival. */
struct tp_slot_list {
    uint32_t first, last;
};

/** 0 or -ENOMEM. Beside `ops_max` operations there is room for `shots_max` completions of
 * multishots that are not yet claimed. */
int tp_slots_init(struct tp_slots *slots, uint32_t ops_max, uint32_t shots_max,
                  const struct tp_allocator *allocator);
void tp_slots_deinit(struct tp_slots *slots, const struct tp_allocator *allocator);

/** Keeps (the end of) a path for reports. */
void tp_slot_keep_path(struct tp_slots *slots, uint32_t index, const char *path);

static inline uint64_t tp_slot_handle(const struct tp_slots *slots, uint32_t index)
{
    return (uint64_t)slots->slots[index].generation << TP_SLOT_BITS | index;
}

static inline uint32_t tp_slot_index(uint64_t handle)
{
    return (uint32_t)handle & ((UINT32_C(1) << TP_SLOT_BITS) - 1);
}

/** Whether `handle` is the one that its slot has now. */
static inline bool tp_slots_hold(const struct tp_slots *slots, uint64_t handle)
{
    uint32_t index = tp_slot_index(handle);

    return index != 0 && index < slots->fresh &&
           slots->slots[index].state != TP_SLOT_FREE &&
           slots->slots[index].generation == (uint32_t)(handle >> TP_SLOT_BITS);
}

/** Where and when an operation was submitted, in one word: fd (22 bits), line (18),
 * iteration (24); each cut to its width. */
static inline uint64_t tp_slot_where(uint32_t fd_number, uint32_t line, uint64_t iteration)
{
    return (uint64_t)(fd_number & 0x3fffff) << 42 | (uint64_t)(line & 0x3ffff) << 24 |
           (iteration & 0xffffff);
}

static inline uint32_t tp_slot_fd(const struct tp_slot *slot)
{
    return (uint32_t)(slot->where >> 42);
}

static inline uint32_t tp_slot_line(const struct tp_slot *slot)
{
    return (uint32_t)(slot->where >> 24) & 0x3ffff;
}

static inline uint32_t tp_slot_age(const struct tp_slot *slot, uint64_t iteration)
{
    return (uint32_t)(iteration - slot->where) & 0xffffff;
}

/** Takes a slot; 0 when all are in use. Its tag, flags, timer and value are 0. The caller
 * counts it: in `count` or in `shots`. */
static inline uint32_t tp_slots_take(struct tp_slots *slots)
{
    uint32_t index = slots->free;
    struct tp_slot *slot;

    if (index != 0) {
        slots->free = slots->slots[index].next;
    } else {
        if (slots->fresh == slots->capacity)
            return 0;
        index = slots->fresh++;
        slots->slots[index].generation = 1;
    }
    slot = &slots->slots[index];
    slot->flags = 0;
    slot->tag = 0;
    slot->value = 0;
    slot->timer = 0;
    return index;
}

/** Gives a slot back; its handle is stale from now on. It must be in no list. */
static inline void tp_slots_retire(struct tp_slots *slots, uint32_t index)
{
    struct tp_slot *slot = &slots->slots[index];

    slot->state = TP_SLOT_FREE;
    if (++slot->generation == 0)
        slot->generation = 1;
    slot->next = slots->free;
    slots->free = index;
    if ((slot->flags & TP_SLOT_SHOT) != 0)
        slots->shots--;
    else
        slots->count--;
}

/** Whether one more shot leaves the operations their slots. */
static inline bool tp_slots_room_for_shot(const struct tp_slots *slots)
{
    return slots->shots < slots->capacity - 1 - slots->ops_max;
}

/** Puts a slot in front of a list that has one end. */
static inline void tp_slots_push(struct tp_slots *slots, uint32_t *first, uint32_t index)
{
    struct tp_slot *slot = &slots->slots[index];

    slot->previous = 0;
    slot->next = *first;
    if (*first != 0)
        slots->slots[*first].previous = index;
    *first = index;
}

static inline void tp_slots_unlink(struct tp_slots *slots, uint32_t *first, uint32_t index)
{
    struct tp_slot *slot = &slots->slots[index];

    if (slot->next != 0)
        slots->slots[slot->next].previous = slot->previous;
    if (slot->previous != 0)
        slots->slots[slot->previous].next = slot->next;
    else
        *first = slot->next;
}

/** Puts a slot at the end of a list that has two ends. */
static inline void tp_slots_append(struct tp_slots *slots, uint32_t *first, uint32_t *last,
                                   uint32_t index)
{
    struct tp_slot *slot = &slots->slots[index];

    slot->next = 0;
    slot->previous = *last;
    if (*last != 0)
        slots->slots[*last].next = index;
    else
        *first = index;
    *last = index;
}

static inline void tp_slots_unappend(struct tp_slots *slots, uint32_t *first,
                                     uint32_t *last, uint32_t index)
{
    if (*last == index)
        *last = slots->slots[index].previous;
    tp_slots_unlink(slots, first, index);
}

#endif
