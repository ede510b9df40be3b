#include "net.h"

#include <errno.h>
#include <string.h>

#include "io/virtual/net_internal.h"

#define PPM         UINT32_C(1000000)
#define SEGMENT_MAX UINT32_C(65536)
#define BUFFER_MIN  UINT32_C(2048)
#define BUFFER_MAX  (UINT32_C(1) << 30)
#define HOSTS_MAX   1024

static size_t hosts_bytes(const struct tp_net *net)
{
    return ((size_t)net->config.hosts_max + 1) * sizeof(struct tp_net_host);
}

static size_t ways_bytes(const struct tp_net *net)
{
    return (size_t)net->config.hosts_max * net->config.hosts_max *
           sizeof(struct tp_net_way);
}

static size_t places_bytes(const struct tp_net *net)
{
    return (size_t)tp_net_places(net->config.hosts_max) * sizeof *net->places;
}

static void fill_link(struct tp_net_link *link, const struct tp_net_link *by_default)
{
    static const struct tp_net_link none;

    if (memcmp(link, &none, sizeof none) == 0)
        *link = *by_default;
    if (link->segment_max == 0)
        link->segment_max = SEGMENT_MAX;
}

static void fill_defaults(struct tp_net_config *c)
{
    static const struct tp_net_link loopback = {.latency = {5000, 10000, 50000, 0, 0},
                                                .split_ppm = 62500};
    static const struct tp_net_link link = {.latency = {100000, 200000, 10000, 1000, 50},
                                            .split_ppm = 62500};

#define DEFAULT(field, value) c->field = c->field == 0 ? (value) : c->field
    DEFAULT(hosts_max, 16);
    DEFAULT(send_buffer_bytes, 65536);
    DEFAULT(recv_buffer_bytes, 65536);
    DEFAULT(ports, TP_PORT_LAST - TP_PORT_FIRST + 1);
    DEFAULT(connect_timeout_ns, UINT64_C(127000000000));
    DEFAULT(send_timeout_ns, UINT64_C(924600000000));
#undef DEFAULT
    fill_link(&c->loopback, &loopback);
    fill_link(&c->link, &link);
}

static bool is_possible_link(const struct tp_net_link *link)
{
    return (uint64_t)link->latency.zero_ppm + link->latency.tail_ppm <= PPM &&
           link->split_ppm <= PPM && link->loss_ppm <= PPM && link->duplicate_ppm <= PPM &&
           link->reorder_ppm <= PPM && link->segment_max <= SEGMENT_MAX;
}

static bool are_possible(const struct tp_net_faults *faults)
{
    return (uint64_t)faults->loss_ppm + faults->clog_ppm + faults->reset_ppm <= PPM &&
           (uint64_t)faults->refuse_ppm + faults->silence_ppm <= PPM &&
           faults->resolve_ppm <= PPM && faults->duplicate_ppm <= PPM &&
           faults->reorder_ppm <= PPM;
}

static bool is_possible(const struct tp_net_config *c)
{
    return c->size <= sizeof *c && c->hosts_max <= HOSTS_MAX &&
           is_possible_link(&c->loopback) && is_possible_link(&c->link) &&
           are_possible(&c->faults) && c->unknown <= TP_NET_NO_ROUTE &&
           c->ports <= TP_PORT_LAST - TP_PORT_FIRST + 1 &&
           c->send_buffer_bytes >= BUFFER_MIN && c->send_buffer_bytes <= BUFFER_MAX &&
           c->recv_buffer_bytes >= BUFFER_MIN && c->recv_buffer_bytes <= BUFFER_MAX;
}

static int init_tables(struct tp_net *net)
{
    tp_pool_init(&net->sockets, sizeof(struct tp_socket));
    tp_pool_init(&net->pipes, sizeof(struct tp_net_pipe));
    tp_pool_init(&net->packets, sizeof(struct tp_packet));
    tp_pool_init(&net->chunks, sizeof(struct tp_net_chunk));
    tp_pool_init(&net->messages, sizeof(struct tp_net_message));
    tp_pool_init(&net->names, sizeof(struct tp_net_name));
    net->hosts = tp_alloc(net->allocator, hosts_bytes(net), 16);
    net->ways = tp_alloc(net->allocator, ways_bytes(net), 16);
    net->places = tp_alloc(net->allocator, places_bytes(net), 16);
    net->place_mask = tp_net_places(net->config.hosts_max) - 1;
    if (net->hosts == NULL || net->ways == NULL || net->places == NULL)
        return -ENOMEM;
    return 0;
}

int tp_net_create(const struct tp_net_config *config, struct tp_world *world,
                  struct tp_net **ret_net)
{
    static const struct tp_net_config defaults;
    struct tp_net_config filled = defaults;
    struct tp_net *net;
    int error = 0;

    if (config != NULL && config->size > sizeof filled)
        return -EINVAL;
    if (config != NULL)
        memcpy(&filled, config, config->size == 0 ? sizeof filled : config->size);
    fill_defaults(&filled);
    if (!is_possible(&filled))
        return -EINVAL;
    net = tp_alloc(filled.allocator, sizeof *net, 16);
    if (net == NULL)
        return -ENOMEM;
    net->config = filled;
    net->allocator = filled.allocator;
    net->world = world;
    net->tape = filled.tape;
    tp_net_set_faults(net, &filled.faults);
    if (net->tape == NULL) {
        error = tp_tape_from_seed(filled.seed, false, net->allocator, &net->own_tape);
        net->tape = net->own_tape;
    }
    if (error == 0)
        error = init_tables(net);
    net->party = tp_world_join(world, tp_net_due, net);
    if (error < 0) {
        tp_net_destroy(net);
        return error;
    }
    for (uint32_t from = 1; from <= filled.hosts_max; from++) {
        for (uint32_t to = 1; to <= filled.hosts_max; to++)
            tp_way_at(net, from, to)->link = from == to ? filled.loopback : filled.link;
    }
    *ret_net = net;
    return 0;
}

void tp_net_destroy(struct tp_net *net)
{
    if (net == NULL)
        return;
    for (uint32_t host = 1; net->hosts != NULL && host <= net->config.hosts_max; host++)
        tp_assert(net->hosts[host].ready == NULL);
    tp_world_leave(net->world, net->party);
    tp_pool_deinit(&net->sockets, net->allocator);
    tp_pool_deinit(&net->pipes, net->allocator);
    tp_pool_deinit(&net->packets, net->allocator);
    tp_pool_deinit(&net->chunks, net->allocator);
    tp_pool_deinit(&net->messages, net->allocator);
    tp_pool_deinit(&net->names, net->allocator);
    tp_free(net->allocator, net->hosts, hosts_bytes(net), 16);
    tp_free(net->allocator, net->ways, ways_bytes(net), 16);
    tp_free(net->allocator, net->places, places_bytes(net), 16);
    tp_tape_destroy(net->own_tape);
    tp_free(net->allocator, net, sizeof *net, 16);
}

/* ------------------------------------------------------------------ links and faults */

void tp_net_set_faults(struct tp_net *net, const struct tp_net_faults *faults)
{
    tp_assert(are_possible(faults));
    net->faults = *faults;
    if (net->faults.clog_max_ns == 0)
        net->faults.clog_max_ns = UINT64_C(10000000000);
    net->faulty = (faults->loss_ppm | faults->clog_ppm | faults->reset_ppm) != 0;
}

void tp_net_set_link(struct tp_net *net, uint32_t from, uint32_t to,
                     const struct tp_net_link *link)
{
    static const struct tp_net_link none;

    tp_assert(is_possible_link(link));
    tp_way_at(net, from, to)->link = *link;
    fill_link(&tp_way_at(net, from, to)->link, &none);
}

void tp_net_break(struct tp_net *net, uint32_t from, uint32_t to, bool broken)
{
    tp_way_at(net, from, to)->broken = broken;
}

void tp_net_part(struct tp_net *net, uint32_t a, uint32_t b, bool broken)
{
    tp_net_break(net, a, b, broken);
    tp_net_break(net, b, a, broken);
}

void tp_net_isolate(struct tp_net *net, uint32_t host, bool isolated)
{
    for (uint32_t other = 1; other <= net->config.hosts_max; other++) {
        if (other != host)
            tp_net_part(net, host, other, isolated);
    }
}

void tp_net_clog(struct tp_net *net, uint32_t from, uint32_t to, uint64_t until_ns)
{
    tp_way_at(net, from, to)->clogged_ns = until_ns;
}

struct tp_world *tp_net_world(struct tp_net *net)
{
    return net->world;
}

uint32_t tp_net_sockets(const struct tp_net *net)
{
    return net->sockets.live;
}

const struct tp_net_stats *tp_net_stats(const struct tp_net *net)
{
    return &net->stats;
}
