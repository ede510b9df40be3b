/* The life of a VirtualIo: created, and ended in order or by a crash. */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#include "io/recv_pool.h"
#include "tape_internal.h"

#define BLOCK_BYTES UINT32_C(4096) /* enough for direct I/O on any sector size */

/* ------------------------------------------------------------------ creation */

static void fill_defaults(struct tp_virtual_io_config *c)
{
    static const struct tp_virtual_latency latency = {20000, 30000, 15000, 1000, 50};
    static const struct tp_virtual_latency sync = {300000, 300000, 15000, 1000, 20};
    static const struct tp_virtual_latency socket = {2000, 3000, 50000, 1000, 50};
    static const struct tp_virtual_latency none;

#define DEFAULT(field, value) c->field = c->field == 0 ? (value) : c->field
    DEFAULT(ops_max, 16384);
    DEFAULT(completions_max, 8192);
    DEFAULT(fds_max, 4096);
    DEFAULT(queue_max, 4096);
    DEFAULT(landing_max, 16);
    DEFAULT(buf_count, 32);
    DEFAULT(buf_size, 65536);
    DEFAULT(poll_cost_ns, 1000);
    DEFAULT(recv_buf_count, 256);
    DEFAULT(recv_buf_size, 16384);
    DEFAULT(wall_ns, UINT64_C(1577836800000000000));
#undef DEFAULT
    c->buf_size = (c->buf_size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    if (memcmp(&c->latency, &none, sizeof none) == 0)
        c->latency = latency;
    if (memcmp(&c->sync_latency, &none, sizeof none) == 0)
        c->sync_latency = sync;
    if (memcmp(&c->socket_latency, &none, sizeof none) == 0)
        c->socket_latency = socket;
}

static bool is_possible(const struct tp_virtual_io_config *c)
{
    const struct tp_virtual_latency *all[] = {&c->latency, &c->sync_latency,
                                              &c->socket_latency};
    for (uint32_t i = 0; i < 3; i++) {
        if ((uint64_t)all[i]->zero_ppm + all[i]->tail_ppm > 1000000)
            return false;
    }
    for (uint32_t i = 0; i < c->address_count && i < TP_NET_ADDRESSES_MAX; i++) {
        if (c->addresses[i].family != TP_ADDRESS_IPV4 &&
            c->addresses[i].family != TP_ADDRESS_IPV6)
            return false;
    }
    if (c->net != NULL && c->world != NULL && c->world != tp_net_world(c->net))
        return false;
    return c->size <= sizeof *c && c->ops_max <= UINT32_C(1) << 24 &&
           c->fds_max <= UINT32_C(1) << 24 && c->node < TP_TAPE_NODES_MAX &&
           tp_virtual_faults_are_possible(&c->faults) &&
           (uint64_t)c->buf_count * c->buf_size <= UINT32_C(1) << 30 &&
           c->address_count <= TP_NET_ADDRESSES_MAX && c->recv_buf_count < 1 << 24 &&
           (uint64_t)c->recv_buf_count * c->recv_buf_size <= UINT32_C(1) << 30;
}

static size_t recv_bytes(const struct tp_virtual *v)
{
    return (size_t)v->config.recv_buf_count * v->config.recv_buf_size;
}

static int init_io(struct tp_virtual *v)
{
    struct tp_io_bounds bounds = {v->config.ops_max, v->config.completions_max,
                                  v->config.fds_max};
    size_t bytes = (size_t)v->config.buf_count * v->config.buf_size;
    int error =
        tp_io_init(&v->io, &tp_virtual_backend, &bounds, v->allocator, v->config.log);

    if (error < 0)
        return error;
    v->io.block_size = BLOCK_BYTES;
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        if ((tp_kind_info[kind].traits & TP_NOT_IO) != 0)
            continue;
        v->io.caps.kinds[kind].how = TP_HOW_INLINE;
        v->io.caps.kinds[kind].why = "simulated in memory";
    }
    v->buf_memory = tp_alloc(v->allocator, bytes, BLOCK_BYTES);
    if (v->buf_memory == NULL)
        return -ENOMEM;
    return tp_io_set_bufs(&v->io, v->buf_memory, v->config.buf_count, v->config.buf_size);
}

/* A network of the Io's own has no other host. */
static int attach(struct tp_virtual *v)
{
    static const struct tp_net_config defaults;
    struct tp_net_config config =
        v->config.net_config == NULL ? defaults : *v->config.net_config;
    int32_t host;
    int error = 0;

    if (v->net == NULL) {
        config.tape = v->tape;
        config.hosts_max = 1;
        config.allocator = v->allocator;
        error = tp_net_create(&config, v->world, &v->own_net);
        v->net = v->own_net;
    }
    if (error < 0)
        return error;
    host = tp_net_attach(v->net, v->config.node, v->config.addresses,
                         v->config.address_count, tp_socket_is_ready, v);
    if (host < 0)
        return (int)host;
    v->host = (uint32_t)host;
    return 0;
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
    if (error == 0 && v->world == NULL) {
        error = tp_world_create(v->allocator, &v->own_world);
        v->world = v->own_world;
    }
    if (error < 0)
        return error;
    v->disk->attached++;
    v->attached = true;
    v->boot = v->disk->boot;
    v->party = tp_world_join(v->world, tp_flight_due, v);
    v->joined = true;
    v->stream_latency = tp_stream(v->config.node, TP_CONCERN_LATENCY);
    v->stream_fault = tp_stream(v->config.node, TP_CONCERN_FAULT);
    if (tp_tape_stream_at(v->tape, tp_stream(v->config.node, TP_CONCERN_SEED)) == NULL)
        return -ENOMEM; /* a draw could only stop the program */
    v->random = tp_rng_make(tp_tape_seed(v->tape, v->config.node, v->boot), 0);
    return v->net != NULL || v->config.net_config != NULL ? attach(v) : 0;
}

/* Sweeps make and end an Io thousands of times, and most want no network. */
void tp_virtual_need(struct tp_virtual *v, uint16_t kind)
{
    int error = v->net == NULL ? attach(v) : 0;

    if (error == 0 && kind == TP_RECV_MANY && v->recv_memory == NULL) {
        v->recv_memory = tp_alloc(v->allocator, recv_bytes(v), BLOCK_BYTES);
        error = v->recv_memory == NULL
                    ? -ENOMEM
                    : tp_io_set_recv_bufs(&v->io, v->recv_memory, v->config.recv_buf_count,
                                          v->config.recv_buf_size);
    }
    if (error < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual network");
}

/* ------------------------------------------------------------------ the end */

void tp_virtual_leave(struct tp_virtual *v, bool power)
{
    uint32_t host = v->host;

    if (power && host != 0) {
        v->host = 0;
        tp_net_power_cut(v->net, host);
    }
    if (v->numbers != NULL)
        tp_files_close_all(v);
    if (v->host != 0)
        tp_net_detach(v->net, host);
    v->host = 0;
    if (v->joined)
        tp_world_leave(v->world, v->party);
    v->joined = false;
}

static void free_all(struct tp_virtual *v)
{
    size_t bytes = (size_t)v->config.buf_count * v->config.buf_size;

    tp_virtual_leave(v, false);
    if (v->attached) {
        tp_assert(v->disk->attached > 0);
        v->disk->attached--;
    }
    if (v->io.backend != NULL)
        tp_io_deinit(&v->io);
    tp_free(v->allocator, v->buf_memory, bytes, BLOCK_BYTES);
    tp_free(v->allocator, v->recv_memory, recv_bytes(v), BLOCK_BYTES);
    tp_flight_deinit(v);
    tp_files_deinit(v);
    tp_net_destroy(v->own_net);
    tp_world_destroy(v->own_world);
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
    struct tp_virtual_io_config filled = defaults;
    struct tp_virtual *v;
    int error;

    if (config != NULL && config->size > sizeof filled)
        return -EINVAL;
    if (config != NULL)
        memcpy(&filled, config, config->size == 0 ? sizeof filled : config->size);
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
    v->net = filled.net;
    v->world = filled.net != NULL ? tp_net_world(filled.net) : filled.world;
#ifdef TP_CHECKED
    v->checks = is_on(filled.checks, true);
#else
    v->checks = is_on(filled.checks, false);
#endif
    v->traces = is_on(filled.trace, true);
    v->stops_at_overlaps = is_on(filled.overlaps, false);
    tp_faults_set(v, &filled.faults);
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

static void drop_ready(struct tp_virtual *v)
{
    while (v->ready.count > 0)
        tp_flight_free(v, tp_flight_pop(v, &v->ready));
}

/* Lets everything that was handed in take effect; nobody is there to hear of it. What waits
 * for a peer is stopped: it may never come. */
static void drain(struct tp_virtual *v)
{
    if (v->own_world != NULL)
        tp_world_stop_at(v->world, 0);
    v->draining = true;
    for (uint32_t flight = 1; flight < v->flights.used; flight++) {
        uint8_t state = tp_flight_at(v, flight)->state;

        if (state == TP_FLIGHT_WAITS || state == TP_FLIGHT_STARVED ||
            state == TP_FLIGHT_PACED)
            tp_wait_stop(v, flight);
    }
    do {
        tp_flight_begin_queued(v);
        while (v->under_way > 0 && !v->world->stopped)
            tp_world_run(v->world, tp_world_next_ns(v->world));
        drop_ready(v);
    } while (v->waiting.count > 0 && !v->world->stopped);
}

void tp_virtual_end(struct tp_io *io)
{
    struct tp_virtual *v = tp_virtual_of(io);
    bool same_boot = v->boot == v->disk->boot;

    if (!tp_virtual_is_over(v))
        drain(v);
    else
        io->log.write = NULL; /* what a crash leaves open is no leak */
    if (!v->ended) {
        tp_virtual_leave(v, !same_boot);
        for (uint32_t flight = 1; flight < v->flights.used; flight++) {
            if (tp_flight_at(v, flight)->state != TP_FLIGHT_FREE)
                tp_flight_free(v, flight);
        }
    }
    free_all(v);
}

void tp_virtual_io_destroy(struct tp_io *io)
{
    tp_io_destroy(io);
}
