#include "virtual.h"

#include <errno.h>
#include <string.h>

#include "io/fd_table.h"
#include "io/virtual/virtual_internal.h"

#define BLOCK_BYTES UINT32_C(4096) /* enough for direct I/O on any sector size */

/* ------------------------------------------------------------------ poll and park */

bool tp_virtual_is_over(struct tp_virtual *v)
{
    bool stopped = v->world->stopped && (v->own_world != NULL || v->cuts);

    if (stopped || v->ended || v->boot != v->disk->boot)
        v->io.dead = true;
    return v->io.dead;
}

static void virtual_poll(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);

    if (tp_virtual_is_over(v))
        return;
    v->polls++;
    tp_flight_begin_queued(v);
    tp_many_resume(v);
    if (v->own_world != NULL)
        tp_world_run(v->world, v->world->now_ns + v->config.poll_cost_ns);
    if (!tp_virtual_is_over(v))
        tp_flight_deliver(v);
}

static void virtual_park(struct tp_io *io, uint64_t until_ns)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint64_t deadline_ns =
        until_ns == TP_NEVER ? TP_NEVER : tp_virtual_io_world_ns(io, until_ns);
    uint32_t before = io->completions.live;
    bool woken = v->woken;

    v->woken = false;
    virtual_poll(io);
    while (!woken && !tp_virtual_is_over(v) && io->completions.live == before) {
        uint64_t next_ns = tp_world_next_ns(v->world);

        if (v->ready.count > 0)
            return; /* no room in the list */
        if (next_ns > deadline_ns || next_ns == TP_NEVER) {
            if (deadline_ns != TP_NEVER && deadline_ns > v->world->now_ns)
                tp_world_run(v->world, deadline_ns);
            io->stuck = next_ns == TP_NEVER && deadline_ns == TP_NEVER;
            return; /* the deadline, or nothing that could ever come */
        }
        tp_world_run(v->world, next_ns);
        if (tp_virtual_is_over(v) || v->world->stopped)
            return;
        tp_flight_deliver(v);
        tp_flight_begin_queued(v);
    }
}

static uint32_t virtual_unsubmitted(const struct tp_io *io)
{
    const struct tp_virtual *v = tp_virtual_of_const(io);

    bool room = v->waiting.count > 0 && v->bounded < v->config.queue_max;

    return v->queue.count + room + tp_many_resumable(v);
}

static int virtual_pollable(const struct tp_io *io)
{
    (void)io;
    return -EOPNOTSUPP;
}

static void virtual_wake(struct tp_io *io)
{
    tp_virtual_of(io)->woken = true;
}

static uint64_t virtual_clock(struct tp_io *io, enum tp_clock clock)
{
    const struct tp_virtual *v = tp_virtual_of(io);

    return clock == TP_CLOCK_WALL ? tp_clock_wall_ns(v) : tp_clock_monotonic_ns(v);
}

static void virtual_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint8_t *bytes = ret_bytes;

    for (size_t i = 0; i < len_bytes; i++)
        bytes[i] = (uint8_t)(tp_rng_next(&v->random) >> 56);
}

const struct tp_io_backend tp_virtual_backend = {
    .name = "virtual",
    .submit = tp_flight_submit,
    .poll = virtual_poll,
    .park = virtual_park,
    .unsubmitted = virtual_unsubmitted,
    .pollable = virtual_pollable,
    .wake = virtual_wake,
    .clock = virtual_clock,
    .random = virtual_random,
    .destroy = tp_virtual_end,
};

/* ------------------------------------------------------------------ questions and switches
 */

struct tp_disk *tp_virtual_io_disk(struct tp_io *io)
{
    return tp_virtual_of(io)->disk;
}

struct tp_tape *tp_virtual_io_tape(struct tp_io *io)
{
    return tp_virtual_of(io)->tape;
}

struct tp_net *tp_virtual_io_net(struct tp_io *io)
{
    if (!tp_virtual_of(io)->ended)
        tp_virtual_need(tp_virtual_of(io), TP_LISTEN);
    return tp_virtual_of(io)->net;
}

struct tp_world *tp_virtual_io_world(struct tp_io *io)
{
    return tp_virtual_of(io)->world;
}

uint32_t tp_virtual_io_host(struct tp_io *io)
{
    (void)tp_virtual_io_net(io);
    return tp_virtual_of(io)->host;
}

uint64_t tp_virtual_io_operations(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->operations;
}

uint64_t tp_virtual_io_events(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->world->events;
}

uint64_t tp_virtual_io_trace_hash(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->trace;
}

void tp_virtual_io_set_faults(struct tp_io *io, const struct tp_virtual_faults *faults)
{
    tp_faults_set(tp_virtual_of(io), faults);
}

void tp_virtual_io_fail_sync(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);

    v->sync_fails = true;
    v->disk_faults = true;
}

uint64_t tp_virtual_io_faults_fired(const struct tp_io *io, enum tp_fault fault)
{
    tp_assert(fault < TP_FAULTS);
    return tp_virtual_of_const(io)->fired[fault];
}

void tp_virtual_io_set_latency(struct tp_io *io, const struct tp_virtual_latency *latency,
                               const struct tp_virtual_latency *sync_latency)
{
    struct tp_virtual *v = tp_virtual_of(io);

    tp_assert((uint64_t)latency->zero_ppm + latency->tail_ppm <= 1000000);
    tp_assert((uint64_t)sync_latency->zero_ppm + sync_latency->tail_ppm <= 1000000);
    v->config.latency = *latency;
    v->config.sync_latency = *sync_latency;
}

void tp_virtual_io_cut_at(struct tp_io *io, uint64_t event)
{
    struct tp_virtual *v = tp_virtual_of(io);

    v->cuts = event != 0;
    tp_world_stop_at(v->world, event);
    (void)tp_virtual_is_over(v);
}

bool tp_virtual_io_is_dead(const struct tp_io *io)
{
    return io->dead;
}

static bool is_signal(uint32_t signal)
{
    return signal != 0 && (signal & (signal - 1)) == 0 && signal <= TP_SIGNAL_USR2;
}

void tp_virtual_io_signal(struct tp_io *io, uint32_t signal)
{
    tp_assert(is_signal(signal) && !tp_virtual_of(io)->ended);
    tp_service_signal(tp_virtual_of(io), signal);
}

void tp_virtual_io_signal_at(struct tp_io *io, uint32_t signal, uint64_t at_ns)
{
    struct tp_virtual *v = tp_virtual_of(io);

    tp_assert(is_signal(signal) && !v->ended);
    tp_world_at(v->world, at_ns, 0, v->party, TP_DUE_SIGNAL | signal);
}
