#include "null_io.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct null_io {
    struct tp_io io;
    uint64_t *handles; /* taken, and not yet completed, in order */
    uint32_t count;
};

static struct null_io *null_of(struct tp_io *io)
{
    return tp_container_of(io, struct null_io, io);
}

static void null_submit(struct tp_io *io, const struct tp_request *request)
{
    struct null_io *null = null_of(io);

    /* A cancel finds nothing to stop: by then everything has as good as completed. */
    if (request->handle == 0)
        return;
    tp_assert(null->count < io->ops_max);
    null->handles[null->count++] = request->handle;
}

static void null_poll(struct tp_io *io)
{
    struct null_io *null = null_of(io);

    tp_assert(tp_io_completions_room(io) >= null->count);
    for (uint32_t i = 0; i < null->count; i++)
        tp_io_complete(io, null->handles[i], 0, 0);
    null->count = 0;
}

static void null_park(struct tp_io *io, uint64_t deadline_ns)
{
    /* Nobody else could end the wait, so there must be something to deliver. */
    tp_assert(null_of(io)->count > 0);
    (void)deadline_ns;
    null_poll(io);
}

static uint32_t null_unsubmitted(const struct tp_io *io)
{
    (void)io;
    return 0;
}

static int null_pollable(const struct tp_io *io)
{
    (void)io;
    return -EOPNOTSUPP;
}

static void null_wake(struct tp_io *io)
{
    (void)io;
}

static uint64_t null_clock(struct tp_io *io, enum tp_clock clock)
{
    struct timespec now;

    (void)io;
    clock_gettime(clock == TP_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void null_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    uint8_t *bytes = ret_bytes;

    (void)io;
    for (size_t i = 0; i < len_bytes; i++)
        bytes[i] = (uint8_t)(i + 1);
}

static void null_destroy(struct tp_io *io)
{
    struct null_io *null = null_of(io);

    tp_io_deinit(io);
    free(null->handles);
    free(null);
}

static const struct tp_io_backend null_backend = {
    .name = "null",
    .submit = null_submit,
    .poll = null_poll,
    .park = null_park,
    .unsubmitted = null_unsubmitted,
    .pollable = null_pollable,
    .wake = null_wake,
    .clock = null_clock,
    .random = null_random,
    .destroy = null_destroy,
};

int bench_null_io_create(uint32_t ops_max, struct tp_io **ret_io)
{
    const struct tp_io_bounds bounds = {ops_max, ops_max, 64};
    struct null_io *null = calloc(1, sizeof *null);
    int result;

    if (null == NULL)
        return -ENOMEM;
    result = tp_io_init(&null->io, &null_backend, &bounds, NULL, NULL);
    if (result < 0) {
        free(null);
        return result;
    }
    null->io.block_size = 4096;
    null->handles = calloc(ops_max, sizeof *null->handles);
    if (null->handles == NULL) {
        null_destroy(&null->io);
        return -ENOMEM;
    }
    *ret_io = &null->io;
    return 0;
}
