#include "virtual.h"

#include <errno.h>
#include <string.h>

#include "io/fd_table.h"
#include "io/virtual/virtual_internal.h"

#define BLOCK_BYTES UINT32_C(4096) /* enough for direct I/O on any sector size */

/* ------------------------------------------------------------------ poll and park */

/* Whether nothing can happen any more; notes it for those who only know the Io. */
static bool is_over(struct tp_virtual *v)
{
    if (v->world.stopped || v->ended || v->boot != v->disk->boot)
        v->io.dead = true;
    return v->io.dead;
}

static void virtual_poll(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);

    if (is_over(v))
        return;
    tp_flight_begin_queued(v);
    tp_world_run(&v->world, v->world.now_ns + v->config.poll_cost_ns);
    if (!is_over(v))
        tp_flight_deliver(v);
}

static void virtual_park(struct tp_io *io, uint64_t deadline_ns)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint32_t before = io->completions.live;
    bool woken = v->woken;

    v->woken = false;
    virtual_poll(io);
    while (!woken && !is_over(v) && io->completions.live == before) {
        uint64_t next_ns = tp_world_next_ns(&v->world);

        if (v->ready.count > 0)
            return; /* no room in the list */
        if (next_ns > deadline_ns || next_ns == TP_NEVER) {
            if (deadline_ns != TP_NEVER && deadline_ns > v->world.now_ns)
                v->world.now_ns = deadline_ns;
            return; /* the deadline, or nothing that could ever come */
        }
        tp_world_run(&v->world, next_ns);
        if (is_over(v))
            return;
        tp_flight_deliver(v);
        tp_flight_begin_queued(v);
    }
}

static uint32_t virtual_unsubmitted(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->queue.count;
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

    return v->world.now_ns + (clock == TP_CLOCK_WALL ? v->config.wall_ns : 0);
}

static void virtual_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    struct tp_virtual *v = tp_virtual_of(io);
    uint8_t *bytes = ret_bytes;

    for (size_t i = 0; i < len_bytes; i++)
        bytes[i] = (uint8_t)(tp_rng_next(&v->random) >> 56);
}

/* ------------------------------------------------------------------ creation */

static void fill_defaults(struct tp_virtual_io_config *c)
{
    static const struct tp_virtual_latency latency = {20000, 30000, 15000, 1000, 50};
    static const struct tp_virtual_latency sync = {300000, 300000, 15000, 1000, 20};
    static const struct tp_virtual_latency none;

#define DEFAULT(field, value) c->field = c->field == 0 ? (value) : c->field
    DEFAULT(ops_max, 16384);
    DEFAULT(completions_max, 8192);
    DEFAULT(fds_max, 4096);
    DEFAULT(queue_max, 4096);
    DEFAULT(buf_count, 32);
    DEFAULT(buf_size, 65536);
    DEFAULT(poll_cost_ns, 1000);
    DEFAULT(wall_ns, UINT64_C(1577836800000000000));
#undef DEFAULT
    c->buf_size = (c->buf_size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    if (memcmp(&c->latency, &none, sizeof none) == 0)
        c->latency = latency;
    if (memcmp(&c->sync_latency, &none, sizeof none) == 0)
        c->sync_latency = sync;
}

static bool is_possible(const struct tp_virtual_io_config *c)
{
    const struct tp_virtual_latency *both[] = {&c->latency, &c->sync_latency};
    const struct tp_virtual_faults *faults = &c->faults;
    uint64_t ppm = (uint64_t)faults->error_ppm + faults->eintr_ppm + faults->eagain_ppm +
                   faults->short_ppm;

    for (uint32_t i = 0; i < 2; i++) {
        if ((uint64_t)both[i]->zero_ppm + both[i]->tail_ppm > 1000000)
            return false;
    }
    return c->size <= sizeof *c && c->ops_max <= UINT32_C(1) << 24 &&
           c->fds_max <= UINT32_C(1) << 24 && c->node < TP_TAPE_NODES_MAX &&
           ppm <= 1000000 && (uint64_t)c->buf_count * c->buf_size <= UINT32_C(1) << 30;
}

static const struct tp_io_backend virtual_backend; /* below */

static int init_io(struct tp_virtual *v)
{
    struct tp_io_bounds bounds = {v->config.ops_max, v->config.completions_max,
                                  v->config.fds_max};
    size_t bytes = (size_t)v->config.buf_count * v->config.buf_size;
    int error = tp_io_init(&v->io, &virtual_backend, &bounds, v->allocator, v->config.log);

    if (error < 0)
        return error;
    v->io.block_size = BLOCK_BYTES;
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        if ((tp_kind_info[kind].traits & TP_NOT_IO) != 0)
            continue;
        v->io.caps.kinds[kind].how = kind >= TP_LISTEN ? TP_HOW_UNAVAILABLE : TP_HOW_INLINE;
        v->io.caps.kinds[kind].why =
            kind >= TP_LISTEN ? "no network yet" : "simulated in memory";
    }
    v->buf_memory = tp_alloc(v->allocator, bytes, BLOCK_BYTES);
    if (v->buf_memory == NULL)
        return -ENOMEM;
    return tp_io_set_bufs(&v->io, v->buf_memory, v->config.buf_count, v->config.buf_size);
}

/* The world around the Io: its tape and its disk, unless they were given. */
static int init_world(struct tp_virtual *v)
{
    struct tp_disk_config disk = {.size = sizeof disk, .allocator = v->allocator};
    int error = 0;

    if (v->tape == NULL) {
        error = tp_tape_from_seed(v->config.seed, false, v->allocator, &v->own_tape);
        v->tape = v->own_tape;
    }
    if (error == 0 && v->disk == NULL) {
        error = tp_disk_create(&disk, &v->own_disk);
        v->disk = v->own_disk;
    }
    if (error == 0)
        error = tp_world_init(&v->world, v->allocator);
    if (error < 0)
        return error;
    v->disk->attached++;
    v->attached = true;
    v->boot = v->disk->boot;
    v->party = tp_world_join(&v->world, tp_flight_due, v);
    v->stream_latency = tp_stream(v->config.node, TP_CONCERN_LATENCY);
    v->stream_fault = tp_stream(v->config.node, TP_CONCERN_FAULT);
    v->random = tp_rng_make(tp_tape_seed(v->tape, v->config.node, v->boot), 0);
    return 0;
}

static void free_all(struct tp_virtual *v)
{
    size_t bytes = (size_t)v->config.buf_count * v->config.buf_size;

    if (v->attached) {
        tp_assert(v->disk->attached > 0);
        v->disk->attached--;
    }
    if (v->io.backend != NULL)
        tp_io_deinit(&v->io);
    tp_free(v->allocator, v->buf_memory, bytes, BLOCK_BYTES);
    tp_flight_deinit(v);
    tp_files_deinit(v);
    tp_world_deinit(&v->world);
    tp_disk_destroy(v->own_disk);
    tp_tape_destroy(v->own_tape);
    tp_free(v->allocator, v, sizeof *v, 64);
}

static bool is_on(uint8_t choice, bool by_default)
{
    return choice == TP_VIRTUAL_ON || (choice == TP_VIRTUAL_DEFAULT && by_default);
}

int tp_virtual_io_create(const struct tp_virtual_io_config *config, struct tp_io **ret_io)
{
    static const struct tp_virtual_io_config defaults;
    struct tp_virtual_io_config filled = config == NULL ? defaults : *config;
    struct tp_virtual *v;
    int error;

    fill_defaults(&filled);
    if (!is_possible(&filled))
        return -EINVAL;
    v = tp_alloc(filled.allocator, sizeof *v, 64);
    if (v == NULL)
        return -ENOMEM;
    v->config = filled;
    v->allocator = filled.allocator;
    v->tape = filled.tape;
    v->disk = filled.disk;
#ifdef TP_CHECKED
    v->checks = is_on(filled.checks, true);
#else
    v->checks = is_on(filled.checks, false);
#endif
    v->traces = is_on(filled.trace, true);
    error = init_world(v);
    if (error == 0)
        error = init_io(v);
    if (error == 0)
        error = tp_flight_init(v);
    if (error == 0)
        error = tp_files_init(v);
    if (error < 0) {
        free_all(v);
        return error;
    }
    *ret_io = &v->io;
    return 0;
}

/* Lets everything that was handed in take effect; nobody is there to hear of it. */
static void drain(struct tp_virtual *v)
{
    v->world.stop_at = 0;
    do {
        tp_flight_begin_queued(v);
        while (v->world.count > 0)
            tp_world_run(&v->world, tp_world_next_ns(&v->world));
        while (v->ready.first != 0) {
            uint32_t flight = v->ready.first;

            v->ready.first = tp_flight_at(v, flight)->next;
            tp_flight_free(v, flight);
        }
        v->ready.last = 0;
        v->ready.count = 0;
    } while (v->waiting.count > 0);
}

static void virtual_destroy(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);
    bool same_boot = v->boot == v->disk->boot;

    if (!is_over(v))
        drain(v);
    else
        io->log.write = NULL; /* what a crash leaves open is no leak */
    if (!v->ended && same_boot) {
        for (uint32_t flight = 1; flight < v->flights.used; flight++) {
            if (tp_flight_at(v, flight)->state != TP_FLIGHT_FREE)
                tp_flight_free(v, flight);
        }
        tp_files_close_all(v);
    }
    free_all(v);
}

void tp_virtual_io_destroy(struct tp_io *io)
{
    tp_io_destroy(io);
}

static const struct tp_io_backend virtual_backend = {
    .name = "virtual",
    .submit = tp_flight_submit,
    .poll = virtual_poll,
    .park = virtual_park,
    .unsubmitted = virtual_unsubmitted,
    .pollable = virtual_pollable,
    .wake = virtual_wake,
    .clock = virtual_clock,
    .random = virtual_random,
    .destroy = virtual_destroy,
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

uint64_t tp_virtual_io_operations(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->operations;
}

uint64_t tp_virtual_io_events(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->world.events;
}

uint64_t tp_virtual_io_trace_hash(const struct tp_io *io)
{
    return tp_virtual_of_const(io)->trace;
}

void tp_virtual_io_set_faults(struct tp_io *io, const struct tp_virtual_faults *faults)
{
    struct tp_virtual *v = tp_virtual_of(io);

    v->config.faults = *faults;
    v->fault_count = 0;
    tp_assert(is_possible(&v->config));
}

void tp_virtual_io_cut_at(struct tp_io *io, uint64_t event)
{
    struct tp_virtual *v = tp_virtual_of(io);

    v->world.stop_at = event;
    v->world.stopped = event != 0 && v->world.events >= event;
    (void)is_over(v);
}

bool tp_virtual_io_is_dead(const struct tp_io *io)
{
    return io->dead;
}
