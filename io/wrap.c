#include "wrap.h"

#include <errno.h>

#include "io/loans.h"

static struct tp_io *inner_of(const struct tp_io *io)
{
    return ((const struct tp_io_wrap *)(const void *)io)->inner;
}

int tp_io_wrap_init(struct tp_io_wrap *wrap, const struct tp_io_backend *backend,
                    struct tp_io *inner)
{
    struct tp_io *io = &wrap->io;

    tp_assert(inner->in_flight == 0 && inner->completions.count == 0 &&
              inner->describe == NULL);
    *io = *inner; /* limits, caps, log, and the shared tables */
    io->backend = backend;
    wrap->inner = inner;
    io->rejected_head = io->rejected_count = 0;
    io->rejected = tp_alloc(io->allocator, io->ops_max * sizeof *io->rejected, 64);
    if (io->rejected == NULL)
        return -ENOMEM;
    if (tp_completions_init(&io->completions, inner->completions.capacity, io->allocator) <
        0) {
        tp_free(io->allocator, io->rejected, io->ops_max * sizeof *io->rejected, 64);
        return -ENOMEM;
    }
#ifdef TP_CHECKED
    tp_loans_set_io(io->loans, io);
#endif
    return 0;
}

void tp_io_wrap_submit(struct tp_io *io, const struct tp_request *request)
{
    struct tp_io *inner = inner_of(io);

    /* What tp_io_submit() checks and notes has been checked and noted, in the shared
     * tables. */
    inner->stats.submitted[request->kind]++;
    if (request->handle != 0)
        inner->in_flight++;
    inner->backend->submit(inner, request);
}

/* What the inner Io has completed becomes ours, as far as there is room. */
static void pass_on(struct tp_io *io)
{
    struct tp_io *inner = inner_of(io);
    struct tp_completions *from = &inner->completions;
    uint32_t room = tp_io_completions_room(io);
    uint32_t passed = 0;

    while (passed < from->count && passed < room) {
        const struct tp_completion *item = &from->items[passed++];

        tp_io_complete(io, item->handle, item->value, item->flags);
    }
    if (passed == from->count) {
        tp_completions_clear(from);
    } else {
        for (uint32_t i = passed; i < from->count; i++)
            from->items[i - passed] = from->items[i];
        from->count -= passed;
        from->live = from->count;
    }
    io->recv_bufs = inner->recv_bufs; /* some backends make them when first needed */
    io->dead = inner->dead;
    io->stuck = inner->stuck;
    io->stats.enters = inner->stats.enters;
    io->stats.enters_extra = inner->stats.enters_extra;
    io->stats.held_back = inner->stats.held_back;
    io->stats.recv_bufs_exhausted = inner->stats.recv_bufs_exhausted;
    io->stats.recv_bufs_max = inner->stats.recv_bufs_max;
    io->stats.rearmed = inner->stats.rearmed;
}

void tp_io_wrap_poll(struct tp_io *io)
{
    tp_io_poll(inner_of(io));
    pass_on(io);
}

void tp_io_wrap_park(struct tp_io *io, uint64_t deadline_ns)
{
    struct tp_io *inner = inner_of(io);

    inner->wakes_expected = io->wakes_expected;
    if (inner->completions.count > 0)
        tp_io_poll(inner); /* some are still waiting for room */
    else
        tp_io_park(inner, deadline_ns);
    pass_on(io);
}

uint32_t tp_io_wrap_unsubmitted(const struct tp_io *io)
{
    return tp_io_unsubmitted(inner_of(io)) + inner_of(io)->completions.count;
}

int tp_io_wrap_pollable(const struct tp_io *io)
{
    return tp_io_fd(inner_of(io));
}

void tp_io_wrap_wake(struct tp_io *io)
{
    tp_io_wake(inner_of(io));
}

uint64_t tp_io_wrap_clock(struct tp_io *io, enum tp_clock clock)
{
    return inner_of(io)->backend->clock(inner_of(io), clock);
}

void tp_io_wrap_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    tp_io_random(inner_of(io), ret_bytes, len_bytes);
}

void tp_io_wrap_destroy(struct tp_io *io)
{
    struct tp_io_wrap *wrap = tp_container_of(io, struct tp_io_wrap, io);

    tp_completions_deinit(&io->completions, io->allocator);
    tp_free(io->allocator, io->rejected, io->ops_max * sizeof *io->rejected, 64);
#ifdef TP_CHECKED
    tp_loans_set_io(io->loans, wrap->inner);
#endif
    tp_io_destroy(wrap->inner);
    if (wrap->free_memory != NULL)
        wrap->free_memory(wrap);
}
