#include "liar.h"

#include <errno.h>

#include "io/loans.h"
#include "io/wrap.h"

/* What is in flight: its kind says which lies suit it, its memory what was read. */
struct told {
    uint64_t handle;
    uint16_t kind;
    uint8_t *memory;
};

struct liar {
    struct tp_io_wrap wrap;
    enum lie lie;
    uint32_t nth;
    uint32_t occasions[LIES];
    uint32_t count; /* of the requests */
    struct told *requests;
};

const char *const lie_names[LIES] = {"none",  "errno", "failure", "success",
                                     "count", "lost",  "doubled", "data"};

static struct liar *liar_of(const struct tp_io *io)
{
    return (struct liar *)(uintptr_t)io; /* the Io is its first member's first */
}

static void liar_submit(struct tp_io *io, const struct tp_request *request)
{
    struct liar *liar = liar_of(io);

    if (request->handle != 0) {
        struct told *told = &liar->requests[liar->count++];

        told->handle = request->handle;
        told->kind = request->kind;
        told->memory = (tp_kind_info[request->kind].traits & TP_LENDS_IN) != 0
                           ? request->a.memory
                           : NULL;
    }
    tp_io_wrap_submit(io, request);
}

/* What the completion is of, which is forgotten when it is the last one of it. */
static struct told take_told(struct liar *liar, const struct tp_completion *completion)
{
    for (uint32_t i = 0; i < liar->count; i++) {
        struct told told = liar->requests[i];

        if (told.handle != completion->handle)
            continue;
        if ((completion->flags & TP_MORE) == 0)
            liar->requests[i] = liar->requests[--liar->count];
        return told;
    }
    tp_unreachable();
}

/* Whether this completion is an occasion for the lie. Not so: a fd, which would leak or be
 * a stranger's, and all that brings a buffer and is no longer the same then; what a cancel
 * says, which may be this or that; what the blocking helpers wait for, which they do
 * without a deadline. */
static bool is_occasion(enum lie lie, const struct told *told,
                        const struct tp_completion *completion)
{
    bool reads = told->kind == TP_READ || told->kind == TP_READ_LINK ||
                 told->kind == TP_RECV || told->kind == TP_RECV_FROM;
    bool counts = reads || told->kind == TP_WRITE || told->kind == TP_SEND ||
                  told->kind == TP_SEND_BUFS || told->kind == TP_RECV_MANY ||
                  told->kind == TP_SEND_TO;
    bool gives = (tp_kind_info[told->kind].traits & TP_GIVES_FD) != 0 ||
                 (completion->flags & TP_MORE) != 0;
    bool plain = !gives && told->kind != TP_CANCEL;
    int32_t value = completion->value;

    switch (lie) {
    case LIE_NONE:
    case LIES:
        return false;
    case LIE_ERRNO:
    case LIE_SUCCESS:
        return plain && value < 0 && value != -ECANCELED;
    case LIE_FAILURE:
        return plain && value >= 0;
    case LIE_COUNT:
        return value > 0 && counts;
    case LIE_LOST:
        return told->handle != TP_HANDLE_MAX && !gives;
    case LIE_DOUBLED:
        return told->handle != TP_HANDLE_MAX && (completion->flags & TP_MORE) == 0;
    case LIE_DATA:
        return value > 0 && reads;
    }
    tp_unreachable();
}

static void lose(struct tp_completions *completions, struct tp_completion *item)
{
    item->handle = 0;
    if (--completions->live == 0)
        tp_completions_clear(completions);
}

static void tell(struct liar *liar, const struct told *told, struct tp_completion *item)
{
    struct tp_io *io = &liar->wrap.io;

    switch (liar->lie) {
    case LIE_NONE:
    case LIES:
        return;
    case LIE_ERRNO:
        item->value = item->value == -EIO ? -EPERM : -EIO;
        return;
    case LIE_FAILURE:
        item->value = -EIO;
        return;
    case LIE_SUCCESS:
        item->value = 0;
        return;
    case LIE_COUNT:
        item->value++;
        return;
    case LIE_LOST:
        lose(&io->completions, item);
        return;
    case LIE_DOUBLED:
        if (tp_io_completions_room(io) > 0)
            tp_completions_push(&io->completions, item->handle, item->value, 0);
        return;
    case LIE_DATA:
        tp_loans_open(io, item->handle);
        told->memory[0] ^= 1;
        tp_loans_close(io, item->handle);
        return;
    }
    tp_unreachable();
}

/* Whether now is the time; counts the occasions for every lie. */
static bool is_time(struct liar *liar, const struct told *told,
                    const struct tp_completion *item)
{
    bool now = false;

    for (enum lie lie = LIE_NONE; lie < LIES; lie++) {
        if (!is_occasion(lie, told, item))
            continue;
        now = now || (lie == liar->lie && liar->occasions[lie] == liar->nth);
        liar->occasions[lie]++;
    }
    return now;
}

/* Looks at what the last poll appended. */
static void look(struct liar *liar, uint32_t before)
{
    struct tp_completions *list = &liar->wrap.io.completions;
    uint32_t count = list->count;

    for (uint32_t i = before; i < count && i < list->count; i++) {
        struct told told = take_told(liar, &list->items[i]);

        if (is_time(liar, &told, &list->items[i]))
            tell(liar, &told, &list->items[i]);
    }
}

static void liar_poll(struct tp_io *io)
{
    uint32_t before = io->completions.count;

    tp_io_wrap_poll(io);
    look(liar_of(io), before);
}

static void liar_park(struct tp_io *io, uint64_t deadline_ns)
{
    uint32_t before = io->completions.count;

    tp_io_wrap_park(io, deadline_ns);
    look(liar_of(io), before);
}

static void free_memory(struct tp_io_wrap *wrap)
{
    struct liar *liar = tp_container_of(wrap, struct liar, wrap);

    tp_free(NULL, liar->requests, wrap->io.ops_max * sizeof *liar->requests, 64);
    tp_free(NULL, liar, sizeof *liar, 64);
}

static const struct tp_io_backend liar_backend = {
    .name = "liar",
    .submit = liar_submit,
    .poll = liar_poll,
    .park = liar_park,
    .unsubmitted = tp_io_wrap_unsubmitted,
    .pollable = tp_io_wrap_pollable,
    .wake = tp_io_wrap_wake,
    .clock = tp_io_wrap_clock,
    .random = tp_io_wrap_random,
    .destroy = tp_io_wrap_destroy,
};

struct tp_io *liar_create(struct tp_io *inner, enum lie lie_to_tell, uint32_t nth)
{
    struct liar *liar = tp_alloc(NULL, sizeof *liar, 64);

    if (liar == NULL)
        return NULL;
    liar->lie = lie_to_tell;
    liar->nth = nth;
    liar->requests = tp_alloc(NULL, inner->ops_max * sizeof *liar->requests, 64);
    if (liar->requests != NULL && tp_io_wrap_init(&liar->wrap, &liar_backend, inner) == 0) {
        liar->wrap.free_memory = free_memory;
        return &liar->wrap.io;
    }
    tp_free(NULL, liar->requests, inner->ops_max * sizeof *liar->requests, 64);
    tp_free(NULL, liar, sizeof *liar, 64);
    return NULL;
}

uint32_t liar_occasions(const struct tp_io *io, enum lie lie)
{
    return liar_of(io)->occasions[lie];
}
