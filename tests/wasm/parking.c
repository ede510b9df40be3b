#include "parking.h"

#include "io/wrap.h"

/* Blocks until a completion has arrived, for so long at most (< 0: for ever). */
__attribute__((__import_module__("tempest_test"), __import_name__("wait"))) void
tempest_test_wait(int64_t timeout_ns);

struct tp_io *parking_inner(struct tp_io *io)
{
    return tp_container_of(io, struct tp_io_wrap, io)->inner;
}

struct parking {
    struct tp_io_wrap wrap; /* first */
    bool woken;
};

static struct parking *parking_of(struct tp_io *io)
{
    return tp_container_of(io, struct parking, wrap.io);
}

/* Nothing is slept through: what was completed in the module itself, or has not been passed
 * on, comes first. */
static void park(struct tp_io *io, uint64_t deadline_ns)
{
    struct tp_io *inner = parking_inner(io);
    const uint64_t now_ns = inner->backend->clock(inner, TP_CLOCK_MONOTONIC);
    int64_t timeout_ns = -1;

    if (deadline_ns != TP_NEVER)
        timeout_ns = deadline_ns > now_ns ? (int64_t)(deadline_ns - now_ns) : 0;
    if (!parking_of(io)->woken && tp_io_unsubmitted(inner) == 0 &&
        inner->completions.count == 0)
        tempest_test_wait(timeout_ns);
    parking_of(io)->woken = false;
    tp_io_wrap_poll(io);
}

static void wake(struct tp_io *io)
{
    parking_of(io)->woken = true;
}

static void free_wrap(struct tp_io_wrap *wrap)
{
    tp_free(NULL, wrap, sizeof(struct parking), 64);
}

static const struct tp_io_backend backend = {
    .name = "wasm",
    .submit = tp_io_wrap_submit,
    .poll = tp_io_wrap_poll,
    .park = park,
    .unsubmitted = tp_io_wrap_unsubmitted,
    .pollable = tp_io_wrap_pollable,
    .wake = wake,
    .clock = tp_io_wrap_clock,
    .random = tp_io_wrap_random,
    .destroy = tp_io_wrap_destroy,
};

struct tp_io *parking_create(const struct tp_wasm_io_config *config)
{
    struct parking *parking = tp_alloc(NULL, sizeof *parking, 64);
    struct tp_io *io;

    if (parking == NULL || tp_wasm_io_create(config, &io) < 0)
        return NULL;
    if (tp_io_wrap_init(&parking->wrap, &backend, io) < 0)
        return NULL;
    parking->wrap.free_memory = free_wrap;
    return &parking->wrap.io;
}
