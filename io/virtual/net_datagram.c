/* Datagrams: each arrives whole or not at all. Those from one host to another keep their
 * order; a fault may lose one, let it come twice, or hold it back while others overtake it.
 * What meets a full queue or a full receive buffer is dropped, and nobody is told. */
#include "net_internal.h"

#include <errno.h>
#include <string.h>

#include "io/virtual/latency.h"

#define PPM            UINT32_C(1000000)
#define IPV4_BYTES_MAX UINT32_C(65507) /* 65535, less the headers of IP and UDP */
#define IPV6_BYTES_MAX UINT32_C(65527) /* 65535, less the header of UDP */
#define UDP_BYTES_MAX  UINT32_C(65535) /* what no header has a length for */
#define OVERHEAD_BYTES UINT32_C(512)   /* of a receive buffer, for each datagram in it */
#define LATE_NS_MAX    UINT64_C(10000000)

enum fate { ARRIVES, LOST, CLOG, TWICE, LATE };

static struct tp_net_message *message_at(const struct tp_net *net, uint32_t message)
{
    return tp_pool_at(&net->messages, message);
}

/* ------------------------------------------------------------------ messages */

/* Puts one more chunk behind `last`, the message's last one so far (0: it has none). */
static uint32_t add_chunk(struct tp_net *net, uint32_t message, uint32_t last)
{
    uint32_t chunk = tp_chunk_take(net);

    if (last == 0)
        message_at(net, message)->first = chunk;
    else
        tp_chunk_at(net, last)->next = chunk;
    return chunk;
}

static uint32_t make_message(struct tp_net *net, const uint8_t *bytes, uint32_t len)
{
    uint32_t message = tp_pool_take(&net->messages, net->allocator);
    uint32_t chunk = 0;

    message_at(net, message)->len = len;
    for (uint32_t at = 0; at < len; at += TP_CHUNK_BYTES) {
        uint32_t part = len - at < TP_CHUNK_BYTES ? len - at : TP_CHUNK_BYTES;

        chunk = add_chunk(net, message, chunk);
        memcpy(tp_chunk_at(net, chunk)->bytes, bytes + at, part);
    }
    return message;
}

static uint32_t copy_message(struct tp_net *net, uint32_t message)
{
    uint32_t copy = tp_pool_take(&net->messages, net->allocator);
    uint32_t chunk = 0;

    *message_at(net, copy) = *message_at(net, message);
    for (uint32_t at = message_at(net, message)->first; at != 0;
         at = tp_chunk_at(net, at)->next) {
        chunk = add_chunk(net, copy, chunk);
        memcpy(tp_chunk_at(net, chunk)->bytes, tp_chunk_at(net, at)->bytes, TP_CHUNK_BYTES);
    }
    return copy;
}

static void drop_message(struct tp_net *net, uint32_t message)
{
    tp_chunks_drop(net, message_at(net, message)->first);
    tp_pool_give(&net->messages, message);
}

/* ------------------------------------------------------------------ bind */

static bool is_free(const struct tp_net *net, const struct tp_socket *s)
{
    for (uint32_t at = net->hosts[s->host].datagrams; at != 0;
         at = tp_socket_at(net, at)->next) {
        if (tp_socket_collide(s, tp_socket_at(net, at)))
            return false;
    }
    return true;
}

static bool has_port(const struct tp_net *net, uint32_t host, uint16_t port)
{
    for (uint32_t at = net->hosts[host].datagrams; at != 0;
         at = tp_socket_at(net, at)->next) {
        if (tp_socket_at(net, at)->local.port == port)
            return true;
    }
    return false;
}

/* A port that no other of the host's has; 0: none. Streams have ports of their own. */
static uint16_t free_port(struct tp_net *net, uint32_t host)
{
    struct tp_net_host *at = &net->hosts[host];
    uint32_t last = TP_PORT_FIRST + net->config.ports - 1;

    for (uint32_t tries = 0; tries < net->config.ports; tries++) {
        uint16_t port = (uint16_t)at->next_datagram_port;

        at->next_datagram_port = port >= last ? TP_PORT_FIRST : at->next_datagram_port + 1;
        if (!has_port(net, host, port))
            return port;
    }
    return 0;
}

int32_t tp_net_bind(struct tp_net *net, uint32_t host, const struct tp_address *address,
                    const struct tp_socket_options *options, uint32_t *ret_socket)
{
    struct tp_address local = tp_address_unmap(address);
    uint32_t socket;
    struct tp_socket *s;

    if (!tp_net_is_local(net, host, &local))
        return -EADDRNOTAVAIL;
    if (local.port == 0)
        local.port = free_port(net, host);
    socket = tp_socket_make(net, host, (uint8_t)local.family, options);
    s = tp_socket_at(net, socket);
    s->local = local;
    if (local.port == 0 || !is_free(net, s)) {
        tp_socket_free(net, socket);
        return -EADDRINUSE;
    }
    s->state = TP_SOCKET_DATAGRAMS;
    s->next = net->hosts[host].datagrams;
    net->hosts[host].datagrams = socket;
    *ret_socket = socket;
    return 0;
}

void tp_datagrams_end(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    tp_assert(s->state == TP_SOCKET_DATAGRAMS);
    tp_socket_unlist(net, &net->hosts[s->host].datagrams, socket);
    while (s->inbox_first != 0) {
        uint32_t message = s->inbox_first;

        s->inbox_first = message_at(net, message)->next;
        drop_message(net, message);
    }
    s->inbox_last = 0;
    s->inbox_bytes = 0;
}

/* ------------------------------------------------------------------ the way */

/* The top of the range is cut into a slice for each fate; the rest is to arrive. */
static enum fate draw_fate(struct tp_net *net, uint32_t host,
                           const struct tp_net_link *link)
{
    const struct tp_net_faults *faults = &net->faults;
    uint64_t rates[] = {(uint64_t)faults->loss_ppm + link->loss_ppm, faults->clog_ppm,
                        (uint64_t)faults->duplicate_ppm + link->duplicate_ppm,
                        (uint64_t)faults->reorder_ppm + link->reorder_ppm};
    uint64_t drawn;

    if ((rates[0] | rates[1] | rates[2] | rates[3]) == 0)
        return ARRIVES;
    drawn = PPM - 1 - tp_net_draw(net, host, TP_DRAW_DATAGRAM, PPM);
    for (uint32_t i = 0; i < 4; i++) {
        if (drawn < rates[i])
            return (enum fate)(i + LOST);
        drawn -= rates[i];
    }
    return ARRIVES;
}

/* A queue takes one datagram at least, however long. */
static bool is_crowded(const struct tp_net *net, const struct tp_net_way *way, uint32_t len)
{
    uint64_t rate = way->link.bytes_per_s;
    uint64_t waits_ns;

    if (rate == 0 || way->link.queue_bytes == 0 || way->free_ns <= net->world->now_ns)
        return false;
    waits_ns = way->free_ns - net->world->now_ns;
    return waits_ns + len * UINT64_C(1000000000) / rate >
           way->link.queue_bytes * UINT64_C(1000000000) / rate;
}

static uint64_t draw_latency(struct tp_net *net, uint32_t host,
                             const struct tp_net_link *link, uint32_t *ret_tie)
{
    *ret_tie =
        (uint32_t)tp_net_draw(net, host, TP_DRAW_DATAGRAM_LATENCY, UINT64_C(1) << 32);
    return tp_latency_of(&link->latency, *ret_tie);
}

/* One more of it sets out, and arrives some time after the first. */
static void send_again(struct tp_net *net, const struct tp_packet *packet, uint64_t at_ns)
{
    const struct tp_net_way *way = tp_way_at(net, packet->from_host, packet->to_host);
    struct tp_packet copy = *packet;
    uint32_t tie;

    net->stats.datagrams_twice++;
    at_ns += draw_latency(net, packet->from_host, &way->link, &tie);
    copy.message = copy_message(net, packet->message);
    tp_net_set_out(net, &copy, at_ns, tie);
}

static void post(struct tp_net *net, const struct tp_packet *packet, uint32_t len)
{
    struct tp_net_way *way = tp_way_at(net, packet->from_host, packet->to_host);
    uint32_t host = packet->from_host;
    uint32_t tie;
    uint64_t latency_ns = draw_latency(net, host, &way->link, &tie);
    enum fate fate = draw_fate(net, host, &way->link);
    uint64_t at_ns;

    if (is_crowded(net, way, len)) {
        net->stats.datagrams_crowded++;
        drop_message(net, packet->message);
        return;
    }
    at_ns = tp_net_leave(net, way, len) + latency_ns;
    if (fate == LOST) {
        net->stats.fault_losses++;
        net->stats.datagrams_lost++;
        drop_message(net, packet->message);
        return;
    }
    if (fate == CLOG)
        tp_net_begin_clog(net, host, way);
    if (at_ns < way->clogged_ns)
        at_ns = way->clogged_ns;
    if (fate == LATE) {
        net->stats.datagrams_late++;
        at_ns += tp_net_draw(net, host, TP_DRAW_DATAGRAM_LATE, LATE_NS_MAX);
    } else {
        tp_net_line_up(&way->datagrams, &at_ns, &tie);
    }
    tp_net_set_out(net, packet, at_ns, tie);
    if (fate == TWICE)
        send_again(net, packet, at_ns);
}

void tp_datagram_lost(struct tp_net *net, const struct tp_packet *packet)
{
    net->stats.datagrams_lost++;
    drop_message(net, packet->message);
}

void tp_datagram_arrived(struct tp_net *net, const struct tp_packet *packet)
{
    struct tp_net_message *message = message_at(net, packet->message);
    uint32_t socket = tp_socket_find(net, net->hosts[packet->to_host].datagrams,
                                     packet->to_host, &message->to, message->from.port);
    struct tp_socket *s;

    if (socket == 0) {
        net->stats.datagrams_unheard++;
        drop_message(net, packet->message);
        return;
    }
    s = tp_socket_at(net, socket);
    if (s->inbox_bytes > 0 &&
        s->inbox_bytes + message->len + OVERHEAD_BYTES > s->recv_bytes) {
        net->stats.datagrams_overflown++;
        drop_message(net, packet->message);
        return;
    }
    message->next = 0;
    if (s->inbox_last != 0)
        message_at(net, s->inbox_last)->next = packet->message;
    else
        s->inbox_first = packet->message;
    s->inbox_last = packet->message;
    s->inbox_bytes += message->len + OVERHEAD_BYTES;
    tp_socket_ready(net, socket, TP_NET_IN);
}

/* ------------------------------------------------------------------ send, receive */

/* From where it goes to the target on `peer_host`, or what Linux says to that. */
static int32_t find_source(const struct tp_net *net, const struct tp_socket *s,
                           const struct tp_address *target, uint32_t peer_host,
                           struct tp_address *ret_source)
{
    bool is_bound = !tp_address_is_any(&s->local);

    if (s->family == TP_ADDRESS_IPV4 && target->family == TP_ADDRESS_IPV6)
        return -EAFNOSUPPORT;
    if (s->family == TP_ADDRESS_IPV6 && target->family == TP_ADDRESS_IPV4 &&
        (s->options.v6_only || is_bound))
        return -ENETUNREACH;
    if (is_bound && tp_address_is_loopback(&s->local) && peer_host != s->host)
        return s->family == TP_ADDRESS_IPV4 ? -EINVAL : -ENETUNREACH;
    if (peer_host == 0 && net->config.unknown == TP_NET_NO_ROUTE)
        return -ENETUNREACH;
    if (is_bound)
        *ret_source = s->local;
    else if (!tp_net_source(net, s->host, target, ret_source))
        return -ENETUNREACH;
    ret_source->port = s->local.port;
    return 0;
}

int32_t tp_net_send_to(struct tp_net *net, uint32_t socket, const struct tp_address *to,
                       const uint8_t *bytes, uint32_t len)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    struct tp_address target = tp_address_target(to);
    struct tp_packet packet = {.type = TP_PACKET_DATAGRAM, .from_host = s->host};
    struct tp_address source;
    int32_t error;

    if (s->state != TP_SOCKET_DATAGRAMS)
        return -EOPNOTSUPP;
    if (s->family == TP_ADDRESS_IPV4 && len > UDP_BYTES_MAX)
        return -EMSGSIZE; /* there Linux looks at it before the address */
    packet.to_host = tp_net_host_of(net, s->host, &target);
    error = find_source(net, s, &target, packet.to_host, &source);
    if (error < 0)
        return error;
    if (len > (target.family == TP_ADDRESS_IPV4 ? IPV4_BYTES_MAX : IPV6_BYTES_MAX))
        return -EMSGSIZE;
    net->stats.datagrams++;
    net->mailed_to = packet.to_host;
    if (packet.to_host == 0) {
        net->stats.datagrams_lost++;
        return (int32_t)len;
    }
    packet.message = make_message(net, bytes, len);
    message_at(net, packet.message)->number = net->stats.datagrams;
    message_at(net, packet.message)->from = source;
    message_at(net, packet.message)->to = target;
    post(net, &packet, len);
    return (int32_t)len;
}

int32_t tp_net_recv_from(struct tp_net *net, uint32_t socket, uint8_t *ret_bytes,
                         uint32_t len, struct tp_datagram *ret_datagram)
{
    static const struct tp_datagram nothing;
    struct tp_socket *s = tp_socket_at(net, socket);
    uint32_t message = s->inbox_first;
    uint32_t stored, chunk;

    if (s->state != TP_SOCKET_DATAGRAMS)
        return -EOPNOTSUPP;
    if (message == 0)
        return -EAGAIN;
    stored = message_at(net, message)->len < len ? message_at(net, message)->len : len;
    *ret_datagram = nothing;
    ret_datagram->from = message_at(net, message)->from;
    ret_datagram->flags = stored < message_at(net, message)->len ? TP_TRUNCATED : 0;
    chunk = message_at(net, message)->first;
    for (uint32_t at = 0; at < stored; at += TP_CHUNK_BYTES) {
        uint32_t part = stored - at < TP_CHUNK_BYTES ? stored - at : TP_CHUNK_BYTES;

        memcpy(ret_bytes + at, tp_chunk_at(net, chunk)->bytes, part);
        chunk = tp_chunk_at(net, chunk)->next;
    }
    s->inbox_first = message_at(net, message)->next;
    if (s->inbox_first == 0)
        s->inbox_last = 0;
    s->inbox_bytes -= message_at(net, message)->len + OVERHEAD_BYTES;
    net->mail_read = message_at(net, message)->number;
    drop_message(net, message);
    return (int32_t)stored;
}
