#include "net_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/virtual/random.h"

enum { NODES = 2, SLOTS = 24, FDS = 20, BUF_BYTES = 8192, HELD = 8 };

/* An operation of the workload, and its memory. */
struct slot {
    uint64_t handle; /* 0: idle */
    uint16_t kind;
    struct tp_buf buf, parts[3];
    struct tp_address address;
    struct tp_addresses addresses;
    uint8_t bytes[BUF_BYTES];
};

struct node {
    struct tp_io *io;
    struct tp_disk *disk;
    struct tp_address own;
    struct slot slots[SLOTS];
    struct tp_fd fds[FDS];
    struct tp_buf *held[HELD]; /* receive buffers that are given back later */
};

struct workload {
    const struct net_scenario *scenario;
    struct tp_world *world;
    struct tp_net *net;
    struct tp_tape *tape;
    struct tp_rng rng;
    struct node nodes[NODES];
    uint64_t next_handle;
    uint32_t handed_in;
    struct net_scenario_outcome outcome;
};

static uint32_t below(struct workload *w, uint32_t bound)
{
    return (uint32_t)tp_rng_below(&w->rng, bound);
}

static int32_t work(void *context)
{
    (void)context;
    return 42;
}

/* ------------------------------------------------------------------ operations */

static struct tp_address somewhere(struct workload *w, struct node *node)
{
    static const char *const paths[] = {"/s", "/t", "/d/s"};
    struct tp_address path = {.family = TP_ADDRESS_UNIX};
    struct node *other = &w->nodes[below(w, NODES)];
    struct tp_address address = other->own;

    address.port = (uint16_t)(80 + below(w, 3));
    switch (below(w, 6)) {
    case 0:
        (void)tp_address_parse("[::1]:80", 0, &address);
        return address;
    case 1:
        (void)snprintf(path.at.path, sizeof path.at.path, "%s", paths[below(w, 3)]);
        return path;
    case 2:
        return tp_address_ipv4(127, 0, 0, 1, address.port);
    case 3:
        address = node->own;
        address.port = 80;
        return address;
    default:
        return address;
    }
}

static struct tp_socket_options options(struct workload *w)
{
    struct tp_socket_options o = {.backlog = (uint16_t)below(w, 4)};

    o.no_delay = below(w, 2) == 0;
    o.keep_alive_s = below(w, 8) == 0 ? 10 : 0;
    o.send_buffer_bytes = below(w, 4) == 0 ? 4096 : 0;
    o.recv_buffer_bytes = below(w, 4) == 0 ? 4096 : 0;
    o.reuse_port = below(w, 4) == 0;
    return o;
}

static void fill_bytes(struct workload *w, struct slot *slot)
{
    memset(slot->bytes, (int)below(w, 256), sizeof slot->bytes);
    slot->buf = tp_buf_full(slot->bytes, 1 + below(w, BUF_BYTES));
    slot->parts[0] = tp_buf_full(slot->bytes, below(w, 1000));
    slot->parts[1] = tp_buf_full(slot->bytes + 1000, below(w, 1000));
    slot->parts[2] = tp_buf_full(slot->bytes + 2000, 1);
}

static struct tp_request on_stream(struct workload *w, struct slot *slot, struct tp_fd fd)
{
    switch (below(w, 8)) {
    case 0:
    case 1:
        slot->buf = tp_buf_empty(slot->bytes, 1 + below(w, BUF_BYTES));
        return tp_request_recv(fd, &slot->buf);
    case 2:
    case 3:
        return tp_request_recv_many(fd);
    case 4:
        fill_bytes(w, slot);
        return tp_request_send_bufs(fd, slot->parts, 3);
    default:
        fill_bytes(w, slot);
        return tp_request_send(fd, &slot->buf);
    }
}

static struct tp_request on_fd(struct workload *w, struct node *node, struct slot *slot)
{
    uint32_t which = below(w, FDS);
    struct tp_fd fd = node->fds[which];

    switch (below(w, 16)) {
    case 0:
        node->fds[which] = tp_fd_none();
        return tp_request_close(fd);
    case 1:
        return tp_request_shutdown(fd, below(w, 2) == 0 ? TP_SHUT_WRITE : TP_SHUT_READ);
    case 2:
        return tp_request_local_address(fd, &slot->address);
    case 3:
        return tp_request_peer_address(fd, &slot->address);
    case 4:
        return tp_request_set_socket(fd, options(w));
    case 5:
    case 6:
        return tp_request_accept(fd);
    case 7:
    case 8:
        return tp_request_accept_many(fd);
    default:
        return on_stream(w, slot, fd);
    }
}

static struct tp_request any(struct workload *w, struct node *node, struct slot *slot)
{
    switch (below(w, 16)) {
    case 0:
        slot->address = somewhere(w, node);
        return tp_request_listen(&slot->address, options(w));
    case 1:
    case 2:
        slot->address = somewhere(w, node);
        return tp_request_connect(&slot->address, options(w));
    case 3:
        return tp_request_resolve(below(w, 2) == 0 ? "localhost" : "b", &slot->addresses);
    case 4:
        return below(w, 2) == 0 ? tp_request_signal(TP_SIGNAL_TERM)
                                : tp_request_offload(work, node);
    case 5:
        return below(w, 2) == 0 ? tp_request_remove("/s") : tp_request_remove("/t");
    default:
        return on_fd(w, node, slot);
    }
}

static void hand_in(struct workload *w, struct node *node)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &node->slots[i];
        struct tp_request request;

        if (slot->handle != 0)
            continue;
        request = any(w, node, slot);
        slot->handle = ++w->next_handle;
        slot->kind = request.kind;
        request.handle = slot->handle;
        tp_io_submit(node->io, &request);
        w->handed_in++;
        return;
    }
}

/* Something that may wait for ever is stopped, unless it is idle. */
static void stop_one(struct workload *w, struct node *node)
{
    struct slot *slot = &node->slots[below(w, SLOTS)];

    if (slot->handle != 0)
        tp_io_cancel(node->io, 0, slot->handle);
}

/* ------------------------------------------------------------------ completions */

static void keep_fd(struct node *node, int32_t value)
{
    struct tp_fd fd = tp_io_into_fd(node->io, value);

    for (uint32_t i = 0; i < FDS; i++) {
        if (!tp_fd_is_some(node->fds[i])) {
            node->fds[i] = fd;
            return;
        }
    }
    (void)tp_io_block_on(node->io, tp_request_close(fd)); /* no room */
}

static void keep_buf(struct workload *w, struct node *node, struct tp_buf *buf)
{
    uint32_t which = below(w, HELD);

    w->outcome.bytes += buf->len;
    if (node->held[which] != NULL)
        tp_io_give_back(node->io, node->held[which]);
    node->held[which] = buf;
}

static void claim(struct workload *w, struct node *node)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &node->slots[i];
        struct tp_completion completion;

        while (slot->handle != 0 && tp_io_get_cqe(node->io, slot->handle, &completion)) {
            struct tp_buf *buf = tp_io_recv_buf(node->io, &completion);
            bool gives_fd = (tp_kind_info[slot->kind].traits & TP_GIVES_FD) != 0;

            w->outcome.completions++;
            w->outcome.errors += completion.value < 0;
            if ((completion.flags & TP_MORE) == 0)
                slot->handle = 0;
            if (buf != NULL)
                keep_buf(w, node, buf);
            else if (gives_fd && completion.value >= 0)
                keep_fd(node, completion.value);
        }
    }
}

/* ------------------------------------------------------------------ life */

static void boot(struct workload *w, uint32_t number)
{
    struct node *node = &w->nodes[number];
    struct tp_virtual_io_config config = w->scenario->config;

    config.size = sizeof config;
    config.node = number;
    config.tape = w->tape;
    config.disk = node->disk;
    config.net = w->net;
    config.addresses = &node->own;
    config.address_count = 1;
    config.recv_buf_count = HELD + 4;
    config.recv_buf_size = 2000;
    config.fds_max = FDS + 4;
    if (tp_virtual_io_create(&config, &node->io) < 0)
        tp_stop(__FILE__, __LINE__, "no VirtualIo");
    memset(node->slots, 0, sizeof node->slots);
    memset(node->fds, 0, sizeof node->fds);
    memset(node->held, 0, sizeof node->held);
}

static void note_and_destroy(struct workload *w, struct node *node)
{
    w->outcome.trace = tp_rng_mix(w->outcome.trace + tp_virtual_io_trace_hash(node->io));
    for (uint32_t i = 0; i < HELD && !tp_virtual_io_is_dead(node->io); i++) {
        if (node->held[i] != NULL)
            tp_io_give_back(node->io, node->held[i]);
    }
    tp_virtual_io_destroy(node->io);
    tp_net_check(w->net);
    tp_disk_check(node->disk);
}

static void crash(struct workload *w)
{
    struct node *node = &w->nodes[1];

    if (below(w, 2) == 0)
        tp_virtual_io_power_cut(node->io);
    else
        tp_virtual_io_kill(node->io);
    note_and_destroy(w, node);
    boot(w, 1);
}

/* One way, or both; most of the time all is well. */
static void break_or_heal(struct workload *w)
{
    uint32_t which = below(w, 64);

    if (which < 2)
        tp_net_break(w->net, 1 + which, 2 - which, true);
    else if (which < 4)
        tp_net_part(w->net, 1, 2, which == 2);
    else if (which == 4)
        tp_net_isolate(w->net, 1, false);
}

static void turn(struct workload *w)
{
    uint64_t next_ns;

    if (w->scenario->breaks && below(w, 8) == 0)
        break_or_heal(w);

    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &w->nodes[i];

        if (below(w, 2) == 0)
            hand_in(w, node);
        if (below(w, 4) == 0)
            stop_one(w, node);
        if (below(w, 64) == 0)
            tp_virtual_io_signal(node->io, TP_SIGNAL_TERM);
        tp_io_poll(node->io);
        claim(w, node);
    }
    next_ns = tp_world_next_ns(w->world);
    if (next_ns == TP_NEVER || below(w, 8) == 0)
        next_ns = tp_world_now_ns(w->world) + below(w, 20000);
    tp_world_run(w->world, next_ns);
    if (w->handed_in % 64 == 0)
        tp_net_check(w->net);
}

static void begin(struct workload *w)
{
    struct tp_net_config config = {.size = sizeof config, .faults = w->scenario->faults};

    if ((w->tape == NULL &&
         tp_tape_from_seed(w->scenario->seed, false, NULL, &w->tape) < 0) ||
        tp_world_create(NULL, &w->world) < 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    config.tape = w->tape;
    config.link.latency.base_ns = 20000; /* so that much is on the way at any time */
    config.link.latency.spread_ns = 20000;
    config.link.split_ppm = 100000;
    config.connect_timeout_ns = UINT64_C(3000000000);
    config.send_timeout_ns = UINT64_C(5000000000);
    if (tp_net_create(&config, w->world, &w->net) < 0 ||
        tp_net_add_name(w->net, "b", &w->nodes[1].own) < 0)
        tp_stop(__FILE__, __LINE__, "no network");
    for (uint32_t i = 0; i < NODES; i++) {
        w->nodes[i].own = tp_address_ipv4(10, 0, 0, (uint8_t)(i + 1), 0);
        if (tp_disk_create(NULL, &w->nodes[i].disk) < 0)
            tp_stop(__FILE__, __LINE__, "no disk");
        boot(w, i);
    }
}

struct net_scenario_outcome net_scenario_run(const struct net_scenario *scenario)
{
    struct workload *w = calloc(1, sizeof *w);
    struct net_scenario_outcome outcome;
    bool cut = !scenario->cut;

    if (w == NULL)
        tp_stop(__FILE__, __LINE__, "no memory");
    w->scenario = scenario;
    w->tape = scenario->tape;
    w->rng = tp_rng_make(scenario->seed, 1);
    begin(w);
    while (w->handed_in < scenario->operations) {
        turn(w);
        if (!cut && w->handed_in >= scenario->operations / 2) {
            crash(w);
            cut = true;
        }
    }
    for (uint32_t i = 0; i < NODES; i++)
        note_and_destroy(w, &w->nodes[i]);
    w->outcome.ns = tp_world_now_ns(w->world);
    w->outcome.stats = *tp_net_stats(w->net);
    outcome = w->outcome;
    for (uint32_t i = 0; i < NODES; i++)
        tp_disk_destroy(w->nodes[i].disk);
    tp_net_destroy(w->net);
    tp_world_destroy(w->world);
    if (scenario->tape == NULL)
        tp_tape_destroy(w->tape);
    free(w);
    return outcome;
}
