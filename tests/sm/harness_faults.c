#include <string.h>

#include "tests/sm/harness_internal.h"

/* The one that is running: an Io does not know whose it is. */
static struct harness *current;

static uint64_t chance(struct harness *h)
{
    h->chance = h->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return h->chance >> 33;
}

static bool is_transfer(const struct tp_request *request)
{
    return request->kind == TP_READ || request->kind == TP_WRITE;
}

/* Of a stream: what it says must be what was done, since the rest comes next. */
static bool is_stream_transfer(const struct tp_request *request)
{
    return request->kind == TP_SEND || request->kind == TP_RECV;
}

/* What is left of a transfer that comes out short; whole sectors where it may be direct,
 * since the kernel would refuse anything else. */
static uint32_t cut_off(struct harness *h, uint32_t len)
{
    uint32_t unit = len % 512 == 0 ? 512 : 1;

    return len <= unit ? len : unit * (1 + (uint32_t)(chance(h) % (len / unit)));
}

static void submit(struct tp_io *io, const struct tp_request *request)
{
    struct harness *h = current;
    struct tp_request changed = *request;

    if (!h->armed || request->kind == TP_CANCEL) {
        h->inner->submit(io, request);
        return;
    }
    h->operations++;
    if (h->operations == h->fault.cancel_at && tp_machine_alive(&h->canceller)) {
        h->fired = true;
        tp_wake(&h->canceller);
    }
    if (h->operations == h->fault.fail_at) {
        h->fired = true;
        h->failed_kind = request->kind;
        if (request->kind != TP_CLOSE) {
            tp_io_complete_later(io, request->handle, h->fault.fail_with);
            return;
        }
        /* A close that reports an error has closed all the same. */
        h->lied_to = request->handle;
    }
    if (h->fault.lose_fsyncs &&
        (request->kind == TP_FSYNC || request->kind == TP_SYNC_DIR)) {
        tp_io_complete_later(io, request->handle, 0);
        return;
    }
    if (h->fault.lose_dsyncs && request->kind == TP_OPEN)
        changed.b.options.dsync = false;
    if (h->fault.short_one_in != 0 && is_transfer(request) &&
        chance(h) % h->fault.short_one_in == 0 && h->short_count < HARNESS_SHORTS_MAX) {
        h->shorts[h->short_count++] = request->handle;
        changed.len = cut_off(h, request->len);
    }
    if (h->fault.short_one_in != 0 && is_stream_transfer(request) && request->len > 1 &&
        chance(h) % h->fault.short_one_in == 0)
        changed.len = 1 + (uint32_t)(chance(h) % request->len);
    h->inner->submit(io, &changed);
}

/* A short transfer says less, too, than was done: so it may stop anywhere, also a direct
 * one. */
static void shorten(struct harness *h, struct tp_completion *item)
{
    for (uint32_t i = 0; i < h->short_count; i++) {
        if (h->shorts[i] != item->handle)
            continue;
        h->shorts[i] = h->shorts[--h->short_count];
        if (item->value > 1)
            item->value = 1 + (int32_t)(chance(h) % (uint64_t)item->value);
        return;
    }
}

static void lie(struct tp_io *io)
{
    struct tp_completions *list = tp_io_completions(io);

    for (uint32_t i = 0; i < list->count; i++) {
        shorten(current, &list->items[i]);
        if (current->lied_to != 0 && list->items[i].handle == current->lied_to) {
            list->items[i].value = current->fault.fail_with;
            current->lied_to = 0;
        }
    }
}

static void poll(struct tp_io *io)
{
    current->inner->poll(io);
    lie(io);
}

static void park(struct tp_io *io, uint64_t deadline_ns)
{
    current->inner->park(io, deadline_ns);
    lie(io);
}

void harness_patch(struct harness *h)
{
    current = h;
    h->inner = h->io->backend;
    h->backend = *h->inner;
    h->backend.submit = submit;
    h->backend.poll = poll;
    h->backend.park = park;
    h->io->backend = &h->backend;
}

void harness_unpatch(struct harness *h)
{
    h->io->backend = h->inner;
}

/* ------------------------------------------------------------------ cancel */

static enum tp_step canceller_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct harness *h = tp_container_of(machine, struct harness, canceller);

    (void)cx;
    if (!tp_machine_alive(h->target))
        return tp_end(machine, 0);
    if (!h->fired)
        return TP_WAIT;
    if (h->patience-- > 0)
        return TP_YIELD;
    h->patience = 0;
    tp_machine_cancel(h->target);
    return TP_WAIT;
}

static void target_ended(struct tp_machine *target)
{
    (void)target;
    if (tp_machine_alive(&current->canceller))
        tp_wake(&current->canceller);
}

void harness_spawn_canceller(struct harness *h)
{
    if (h->fault.cancel_at == 0)
        return;
    h->target->ended = target_ended;
    h->patience = h->fault.seed % 4;
    tp_spawn(h->scheduler, &h->canceller, canceller_tick, "canceller");
}
