/* Hosts, their addresses and their ports, and the names of hosts. */
#include "net_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"

/* ------------------------------------------------------------------ addresses */

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct tp_address tp_address_unmap(const struct tp_address *address)
{
    struct tp_address plain = *address;

    if (address->family != TP_ADDRESS_IPV6 ||
        memcmp(address->at.ipv6, mapped_prefix, sizeof mapped_prefix) != 0)
        return plain;
    memset(&plain.at, 0, sizeof plain.at);
    plain.family = TP_ADDRESS_IPV4;
    plain.scope = 0;
    memcpy(plain.at.ipv4, address->at.ipv6 + sizeof mapped_prefix, 4);
    return plain;
}

bool tp_address_is_any(const struct tp_address *address)
{
    static const uint8_t zeros[16];
    size_t len = address->family == TP_ADDRESS_IPV4 ? 4 : 16;

    return memcmp(address->at.ipv6, zeros, len) == 0;
}

struct tp_address tp_address_target(const struct tp_address *address)
{
    struct tp_address target = tp_address_unmap(address);

    if (!tp_address_is_any(&target))
        return target;
    if (target.family == TP_ADDRESS_IPV4)
        return tp_address_ipv4(127, 0, 0, 1, target.port);
    target.at.ipv6[15] = 1;
    return target;
}

/* Whether both name the same interface, whatever the port. */
static bool is_same_place(const struct tp_address *a, const struct tp_address *b)
{
    struct tp_address with_port = *a;

    with_port.port = b->port;
    with_port.scope = b->scope;
    return tp_address_equal(&with_port, b);
}

static bool has_address(const struct tp_net_host *host, const struct tp_address *address)
{
    for (uint32_t i = 0; i < host->address_count; i++) {
        if (is_same_place(&host->addresses[i], address))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ the table of addresses
 */

uint32_t tp_net_places(uint32_t hosts_max)
{
    uint32_t places = 2;

    while (places < 2 * hosts_max * TP_NET_ADDRESSES_MAX)
        places *= 2;
    return places;
}

/* Where the search for an address begins, whatever its port and scope. */
static uint32_t place_of(const struct tp_net *net, const struct tp_address *address)
{
    size_t len = address->family == TP_ADDRESS_IPV4 ? 4 : 16;

    return (uint32_t)tp_hash(address->at.ipv6, len, address->family) & net->place_mask;
}

/* Of two hosts that have an address the one with the lower number is found: it is entered
 * first. */
static void enter_addresses(struct tp_net *net)
{
    memset(net->places, 0, ((size_t)net->place_mask + 1) * sizeof *net->places);
    for (uint32_t host = 1; host <= net->config.hosts_max; host++) {
        const struct tp_net_host *at = &net->hosts[host];

        for (uint32_t i = 0; at->used && i < at->address_count; i++) {
            uint32_t place = place_of(net, &at->addresses[i]);

            while (net->places[place] != 0)
                place = (place + 1) & net->place_mask;
            net->places[place] = (uint16_t)host;
        }
    }
}

uint32_t tp_net_host_of(const struct tp_net *net, uint32_t from,
                        const struct tp_address *address)
{
    if (tp_address_is_loopback(address) || tp_address_is_any(address))
        return from;
    for (uint32_t place = place_of(net, address); net->places[place] != 0;
         place = (place + 1) & net->place_mask) {
        const struct tp_net_host *host = &net->hosts[net->places[place]];

        if (host->used && has_address(host, address))
            return net->places[place];
    }
    return 0;
}

bool tp_net_is_local(const struct tp_net *net, uint32_t host,
                     const struct tp_address *address)
{
    return tp_address_is_loopback(address) || tp_address_is_any(address) ||
           has_address(&net->hosts[host], address);
}

bool tp_net_source(const struct tp_net *net, uint32_t host, const struct tp_address *remote,
                   struct tp_address *ret_source)
{
    const struct tp_net_host *at = &net->hosts[host];

    if (has_address(at, remote) || tp_address_is_loopback(remote)) {
        *ret_source = *remote;
        if (remote->family == TP_ADDRESS_IPV4 && tp_address_is_loopback(remote))
            *ret_source = tp_address_ipv4(127, 0, 0, 1, 0);
        return true;
    }
    for (uint32_t i = 0; i < at->address_count; i++) {
        if (at->addresses[i].family == remote->family) {
            *ret_source = at->addresses[i];
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ ports */

static bool is_ephemeral(uint32_t port)
{
    return port >= TP_PORT_FIRST && port <= TP_PORT_LAST;
}

bool tp_net_port_used(const struct tp_net *net, uint32_t host, uint16_t port)
{
    uint32_t bit = port - TP_PORT_FIRST;

    return is_ephemeral(port) && (net->hosts[host].ports[bit / 64] >> bit % 64 & 1) != 0;
}

void tp_net_mark_port(struct tp_net *net, uint32_t host, uint16_t port, bool used)
{
    uint32_t bit = port - TP_PORT_FIRST;
    uint64_t mask = UINT64_C(1) << bit % 64;

    if (!is_ephemeral(port))
        return;
    tp_assert(used == ((net->hosts[host].ports[bit / 64] & mask) == 0));
    net->hosts[host].ports[bit / 64] ^= mask;
}

uint16_t tp_net_take_port(struct tp_net *net, uint32_t host, uint16_t except)
{
    struct tp_net_host *at = &net->hosts[host];
    uint32_t last = TP_PORT_FIRST + net->config.ports - 1;

    for (uint32_t tries = TP_PORT_FIRST; tries <= last; tries++) {
        uint16_t port = (uint16_t)at->next_port;

        at->next_port = port == last ? TP_PORT_FIRST : at->next_port + 1;
        if (port == except || tp_net_port_used(net, host, port))
            continue;
        tp_net_mark_port(net, host, port, true);
        return port;
    }
    return 0;
}

/* ------------------------------------------------------------------ life of a host */

/* One that has an address in common, else a free one; 0: none. */
static uint32_t host_for(const struct tp_net *net, const struct tp_address *addresses,
                         uint32_t count)
{
    uint32_t spare = 0;

    for (uint32_t host = net->config.hosts_max; host > 0; host--) {
        const struct tp_net_host *at = &net->hosts[host];

        if (!at->used)
            spare = host;
        for (uint32_t i = 0; at->used && i < count; i++) {
            if (has_address(at, &addresses[i]))
                return host;
        }
    }
    return spare;
}

int32_t tp_net_attach(struct tp_net *net, uint32_t node, const struct tp_address *addresses,
                      uint32_t count, tp_net_ready_fn *ready, void *context)
{
    uint32_t host = host_for(net, addresses, count);
    struct tp_net_host *at = &net->hosts[host];
    bool is_new;

    tp_assert(count <= TP_NET_ADDRESSES_MAX && ready != NULL);
    if (host == 0)
        return -ENOSPC;
    if (at->ready != NULL)
        return -EADDRINUSE;
    if (!at->used)
        at->next_port = at->next_datagram_port = TP_PORT_FIRST;
    at->used = true;
    at->up = true;
    at->node = node;
    is_new = at->address_count != count;
    at->address_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct tp_address plain = tp_address_unmap(&addresses[i]);

        is_new = is_new || !tp_address_equal(&at->addresses[i], &plain);
        at->addresses[i] = plain;
    }
    if (is_new)
        enter_addresses(net);
    at->ready = ready;
    at->context = context;
    return (int32_t)host;
}

static void forget_sockets(struct tp_net *net, uint32_t host)
{
    net->hosts[host].up = false; /* so nobody is told */
    for (uint32_t socket = 1; socket < net->sockets.used; socket++) {
        struct tp_socket *s = tp_socket_at(net, socket);

        if (s->state == TP_SOCKET_FREE || s->host != host)
            continue;
        if (s->out != 0)
            tp_pipe_cut(net, s->out);
        tp_socket_free(net, socket);
    }
}

void tp_net_detach(struct tp_net *net, uint32_t host)
{
    struct tp_net_host *at = &net->hosts[host];

    tp_assert(at->used && at->ready != NULL);
    at->ready = NULL;
    at->context = NULL;
    if (at->address_count > 0)
        return;
    forget_sockets(net, host); /* nobody else could ever hear of it */
    at->used = false;
    at->boot++;
}

void tp_net_power_cut(struct tp_net *net, uint32_t host)
{
    struct tp_net_host *at = &net->hosts[host];

    tp_assert(at->used && at->ready != NULL);
    at->ready = NULL;
    at->context = NULL;
    forget_sockets(net, host);
    at->used = at->address_count > 0; /* one that nobody can reach need not be kept */
    at->boot++;
}

/* ------------------------------------------------------------------ names */

static uint32_t find_name(const struct tp_net *net, const char *name)
{
    for (uint32_t i = 1; i < net->names.used; i++) {
        const struct tp_net_name *at = tp_pool_at(&net->names, i);

        if (strcmp(at->name, name) == 0)
            return i;
    }
    return 0;
}

int tp_net_add_name(struct tp_net *net, const char *name, const struct tp_address *address)
{
    uint32_t index = find_name(net, name);
    struct tp_net_name *at;

    if (strlen(name) >= sizeof at->name)
        return -ENAMETOOLONG;
    if (index == 0)
        index = tp_pool_take(&net->names, net->allocator);
    at = tp_pool_at(&net->names, index);
    memcpy(at->name, name, strlen(name) + 1);
    if (at->addresses.count == TP_ADDRESSES_MAX)
        return -ENOSPC;
    at->addresses.items[at->addresses.count] = *address;
    at->addresses.items[at->addresses.count++].port = 0;
    return 0;
}

int32_t tp_net_resolve(struct tp_net *net, uint32_t host, const char *name,
                       struct tp_addresses *ret_addresses)
{
    static const struct tp_addresses empty;
    struct tp_addresses found = empty;
    uint32_t index;

    if (strcmp(name, "localhost") == 0) {
        found.count = 2;
        found.items[0].family = TP_ADDRESS_IPV6;
        found.items[0].at.ipv6[15] = 1;
        found.items[1] = tp_address_ipv4(127, 0, 0, 1, 0);
    } else if (tp_address_parse(name, 0, &found.items[0]) == 0 &&
               found.items[0].family != TP_ADDRESS_UNIX && found.items[0].port == 0) {
        found.count = 1;
    } else if (net->faults.resolve_ppm > 0 &&
               tp_net_draw(net, host, TP_DRAW_NET_FAULT, 1000000) >=
                   1000000 - net->faults.resolve_ppm) {
        return -EAGAIN;
    } else {
        index = find_name(net, name);
        if (index == 0)
            return -ENOENT;
        found = ((const struct tp_net_name *)tp_pool_at(&net->names, index))->addresses;
    }
    *ret_addresses = found;
    return (int32_t)found.count;
}
