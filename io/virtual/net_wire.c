/* Packets on their way: when they arrive, what befalls them, and to whom they go. */
#include "net_internal.h"

#include "io/virtual/latency.h"

#define PPM UINT32_C(1000000)

enum fault { NO_FAULT, LOSS, CLOG, RESET };

/* The top of the range is cut into a slice for each fault; the rest is none. */
static enum fault draw_fault(struct tp_net *net, uint32_t host,
                             const struct tp_net_link *link)
{
    const struct tp_net_faults *faults = &net->faults;
    uint64_t loss_ppm = (uint64_t)faults->loss_ppm + link->loss_ppm;
    uint64_t drawn;

    if (!net->faulty && link->loss_ppm == 0)
        return NO_FAULT;
    drawn = PPM - 1 - tp_net_draw(net, host, TP_DRAW_NET_FAULT, PPM);
    if (drawn < loss_ppm)
        return LOSS;
    drawn -= loss_ppm;
    if (drawn < faults->clog_ppm)
        return CLOG;
    drawn -= faults->clog_ppm;
    return drawn < faults->reset_ppm ? RESET : NO_FAULT;
}

/* A packet that is lost comes when it has been sent again, each time after twice as long.
 */
static uint64_t loss_ns(struct tp_net *net, uint32_t host)
{
    uint64_t times = 1 + tp_net_draw(net, host, TP_DRAW_NET_LOSS, 6);

    net->stats.fault_losses++;
    return UINT64_C(200000000) * ((UINT64_C(1) << times) - 1);
}

void tp_net_begin_clog(struct tp_net *net, uint32_t host, struct tp_net_way *way)
{
    uint64_t ns = tp_net_draw(net, host, TP_DRAW_NET_CLOG, net->faults.clog_max_ns);

    net->stats.fault_clogs++;
    if (net->world->now_ns + ns > way->clogged_ns)
        way->clogged_ns = net->world->now_ns + ns;
}

void tp_net_set_out(struct tp_net *net, const struct tp_packet *packet, uint64_t at_ns,
                    uint32_t tie)
{
    uint32_t index = tp_pool_take(&net->packets, net->allocator);
    struct tp_packet *kept = tp_pool_at(&net->packets, index);

    *kept = *packet;
    tp_world_at(net->world, at_ns, tie, net->party, index);
}

/* A machine on the way ends the connection: at some byte of this packet for the receiver,
 * and for the sender. */
static void reset_both(struct tp_net *net, const struct tp_packet *packet, uint64_t at_ns,
                       uint32_t tie)
{
    struct tp_packet forth = *packet, back = *packet;

    net->stats.fault_resets++;
    forth.type = TP_PACKET_RST;
    back.type = TP_PACKET_RST;
    back.from = packet->to;
    back.from_serial = packet->to_serial;
    back.from_host = packet->to_host;
    back.to = packet->from;
    back.to_serial = packet->from_serial;
    back.to_host = packet->from_host;
    back.to_boot = net->hosts[packet->from_host].boot;
    tp_net_set_out(net, &forth, at_ns,
                   tie); /* asked for later: behind what has the same tie */
    tp_net_set_out(net, &back, at_ns, tie);
}

uint64_t tp_net_leave(struct tp_net *net, struct tp_net_way *way, uint32_t data_bytes)
{
    uint64_t now_ns = net->world->now_ns;
    uint64_t ns;

    if (way->link.bytes_per_s == 0)
        return now_ns;
    ns = data_bytes * UINT64_C(1000000000) / way->link.bytes_per_s;
    way->free_ns = (way->free_ns > now_ns ? way->free_ns : now_ns) + ns;
    return way->free_ns;
}

void tp_net_line_up(struct tp_net_wire *wire, uint64_t *at_ns, uint32_t *tie)
{
    if (*at_ns <= wire->last_ns) {
        if (*at_ns < wire->last_ns || *tie < wire->last_tie)
            *tie = wire->last_tie;
        *at_ns = wire->last_ns;
    }
    wire->last_ns = *at_ns;
    wire->last_tie = *tie;
}

void tp_net_post(struct tp_net *net, const struct tp_packet *packet,
                 struct tp_net_wire *wire, uint32_t data_bytes)
{
    struct tp_net_way *way = tp_way_at(net, packet->from_host, packet->to_host);
    uint32_t tie = (uint32_t)tp_net_draw(net, packet->from_host, TP_DRAW_NET_LATENCY,
                                         UINT64_C(1) << 32);
    enum fault fault = draw_fault(net, packet->from_host, &way->link);
    uint64_t at_ns = tp_net_leave(net, way, data_bytes);
    struct tp_packet sent = *packet;

    at_ns += tp_latency_of(&way->link.latency, tie);
    if (fault == LOSS)
        at_ns += loss_ns(net, packet->from_host);
    else if (fault == CLOG)
        tp_net_begin_clog(net, packet->from_host, way);
    if (at_ns < way->clogged_ns)
        at_ns = way->clogged_ns;
    if (wire != NULL)
        tp_net_line_up(wire, &at_ns, &tie);
    net->stats.packets++;
    net->stats.data_bytes += data_bytes;
    if (fault == RESET && sent.data && data_bytes > 0) {
        sent.upto -= tp_net_draw(net, packet->from_host, TP_DRAW_NET_CUT, data_bytes + 1);
        sent.fin = false;
    }
    tp_net_set_out(net, &sent, at_ns, tie);
    if (fault == RESET && sent.data && data_bytes > 0)
        reset_both(net, packet, at_ns, tie);
}

void tp_net_timer(struct tp_net *net, uint32_t socket, enum tp_packet_type type,
                  uint64_t at_ns)
{
    struct tp_packet timer = {.type = (uint8_t)type,
                              .to = socket,
                              .to_serial = tp_socket_at(net, socket)->serial};

    tp_net_set_out(net, &timer, at_ns, 0);
}

static void timer_due(struct tp_net *net, const struct tp_packet *timer)
{
    if (!tp_socket_is(net, timer->to, timer->to_serial))
        return;
    if (timer->type == TP_PACKET_RETRY)
        tp_tcp_retry(net, timer->to);
    else if (timer->type == TP_PACKET_KEEP_ALIVE)
        tp_tcp_keep_alive(net, timer->to);
    else
        tp_socket_die(net, timer->to, -EHOSTUNREACH);
}

void tp_net_due(void *context, uint32_t what)
{
    struct tp_net *net = context;
    struct tp_packet packet = *(struct tp_packet *)tp_pool_at(&net->packets, what);

    tp_pool_give(&net->packets, what);
    if (packet.type >= TP_PACKET_RETRY) {
        timer_due(net, &packet);
    } else if (tp_way_at(net, packet.from_host, packet.to_host)->broken ||
               !net->hosts[packet.to_host].up) {
        net->stats.lost++;
        if (packet.type == TP_PACKET_DATAGRAM)
            tp_datagram_lost(net, &packet);
        else
            tp_tcp_lost(net, &packet);
    } else if (packet.type == TP_PACKET_DATAGRAM) {
        tp_datagram_arrived(net, &packet);
    } else {
        tp_tcp_arrived(net, &packet);
    }
}
