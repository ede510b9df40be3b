#include "tests/common/manual_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/recv_pool.h"

static struct manual_io *manual_of(struct tp_io *io)
{
    return tp_container_of(io, struct manual_io, io);
}

static void cancel(struct manual_io *manual, const struct tp_request *request)
{
    manual->cancels++;
    for (uint32_t i = 0; i < manual->count; i++) {
        struct manual_op *op = &manual->ops[i];

        if (op->request.handle == request->a.target && !op->done && !op->completing &&
            !manual->ignore_cancels)
            manual_complete(op, -ECANCELED);
    }
}

static void submit(struct tp_io *io, const struct tp_request *request)
{
    struct manual_io *manual = manual_of(io);
    struct manual_op *op;

    if (request->kind == TP_CANCEL)
        cancel(manual, request);
    manual->unpolled++;
    if (request->handle == 0)
        return;
    tp_assert(manual->count < sizeof manual->ops / sizeof manual->ops[0]);
    op = &manual->ops[manual->count++];
    memset(op, 0, sizeof *op);
    op->request = *request;
    if (request->kind == TP_OPEN)
        (void)snprintf(op->path, sizeof op->path, "%s", request->a.path);
    if (request->kind == TP_NOP || request->kind == TP_CANCEL)
        manual_complete(op, 0);
}

static void deliver_shot(struct manual_io *manual, const struct manual_shot *shot)
{
    if (shot->has_buf) {
        tp_io_complete_recv(&manual->io, shot->handle, shot->buf, (uint32_t)shot->value);
        return;
    }
    tp_assert(tp_io_fd_opened(&manual->io, (uint32_t)shot->value));
    tp_io_complete(&manual->io, shot->handle, shot->value, TP_MORE);
}

/* Whether there were any; those that do not fit stay. */
static bool deliver_shots(struct manual_io *manual, uint64_t handle)
{
    uint32_t kept = 0, count = manual->shot_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct manual_shot shot = manual->shots[i];

        if (shot.handle == handle && tp_io_completions_room(&manual->io) > 0)
            deliver_shot(manual, &shot);
        else
            manual->shots[kept++] = shot;
    }
    manual->shot_count = kept;
    return kept < count;
}

static bool gives_one_fd(uint16_t kind)
{
    return (tp_kind_info[kind].traits & (TP_GIVES_FD | TP_MANY)) == TP_GIVES_FD;
}

static bool deliver(struct manual_io *manual)
{
    bool any = false;

    manual->unpolled = manual->begins > 0 ? 1 : 0;
    manual->begins -= manual->unpolled;
    for (uint32_t i = manual->delivered_from; i < manual->count; i++) {
        struct manual_op *op = &manual->ops[i];

        if (!op->done && deliver_shots(manual, op->request.handle))
            any = true;
        if (!op->completing || op->done || tp_io_completions_room(&manual->io) == 0)
            continue;
        op->done = true;
        any = true;
        if (op->value >= 0 && gives_one_fd(op->request.kind))
            tp_assert(tp_io_fd_opened(&manual->io, (uint32_t)op->value));
        tp_io_complete(&manual->io, op->request.handle, op->value, 0);
    }
    while (manual->delivered_from < manual->count &&
           manual->ops[manual->delivered_from].done)
        manual->delivered_from++;
    if (manual->delivered_from == manual->count)
        manual->delivered_from = manual->count = 0;
    return any;
}

static void poll_once(struct tp_io *io)
{
    (void)deliver(manual_of(io));
}

static void park(struct tp_io *io, uint64_t deadline_ns)
{
    struct manual_io *manual = manual_of(io);

    if (deliver(manual) || manual->woken > 0) {
        manual->woken = 0;
        return;
    }
    if (deadline_ns == TP_NEVER)
        tp_stop(__FILE__, __LINE__, "the test parks for ever");
    manual->slept_until = deadline_ns;
    if (deadline_ns > manual->now_ns)
        manual->now_ns = deadline_ns;
}

static uint32_t unsubmitted(const struct tp_io *io)
{
    return ((const struct manual_io *)(const void *)io)->unpolled;
}

static int pollable(const struct tp_io *io)
{
    (void)io;
    return -EOPNOTSUPP;
}

static void wake(struct tp_io *io)
{
    manual_of(io)->woken++;
}

static uint64_t read_clock(struct tp_io *io, enum tp_clock clock)
{
    return clock == TP_CLOCK_WALL ? manual_of(io)->wall_ns : manual_of(io)->now_ns;
}

static void random_bytes(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    (void)io;
    memset(ret_bytes, 42, len_bytes);
}

static void destroy(struct tp_io *io)
{
    tp_io_deinit(io);
}

static const struct tp_io_backend backend = {"manual",     submit,   poll_once, park,
                                             unsubmitted,  pollable, wake,      read_clock,
                                             random_bytes, destroy};

void manual_io_init(struct manual_io *manual)
{
    static const struct tp_io_bounds bounds = {8192, 8192, 1024};

    memset(manual, 0, sizeof *manual);
    if (tp_io_init(&manual->io, &backend, &bounds, NULL, NULL) < 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    manual->io.block_size = 4096;
    manual->now_ns = 1000;
    manual->wall_ns = 5000;
}

void manual_io_deinit(struct manual_io *manual)
{
    tp_io_deinit(&manual->io);
}

struct manual_op *manual_find(struct manual_io *manual, enum tp_kind kind)
{
    for (uint32_t i = manual->count; i > 0; i--) {
        struct manual_op *op = &manual->ops[i - 1];

        if (op->request.kind == kind && !op->done && !op->completing)
            return op;
    }
    return NULL;
}

void manual_complete(struct manual_op *op, int32_t value)
{
    tp_assert(op != NULL && !op->completing);
    op->completing = true;
    op->value = value;
}

static void add_shot(struct manual_io *manual, const struct manual_op *op,
                     struct manual_shot shot)
{
    tp_assert(op != NULL && !op->completing);
    tp_assert((tp_kind_info[op->request.kind].traits & TP_MANY) != 0);
    tp_assert(manual->shot_count < sizeof manual->shots / sizeof manual->shots[0]);
    shot.handle = op->request.handle;
    manual->shots[manual->shot_count++] = shot;
}

void manual_shot(struct manual_io *manual, struct manual_op *op, int32_t value)
{
    tp_assert(op != NULL && op->request.kind == TP_ACCEPT_MANY && value >= 0);
    add_shot(manual, op, (struct manual_shot){.value = value});
}

void manual_receive(struct manual_io *manual, struct manual_op *op, const char *text)
{
    struct tp_recv_pool *pool = manual->io.recv_bufs;
    struct manual_shot shot = {.value = (int32_t)strlen(text), .has_buf = true};

    tp_assert(op != NULL && op->request.kind == TP_RECV_MANY && pool != NULL);
    tp_assert(tp_recv_pool_take(pool, &shot.buf));
    tp_assert(strlen(text) <= pool->size_bytes);
    tp_recv_pool_open(pool, shot.buf);
    memcpy(pool->items[shot.buf].buf.data, text, strlen(text));
    add_shot(manual, op, shot);
}

uint32_t manual_pending(const struct manual_io *manual)
{
    uint32_t pending = 0;

    for (uint32_t i = 0; i < manual->count; i++)
        pending += !manual->ops[i].completing;
    return pending;
}
