/* TCP as packets arrive: handshake, segments, RST. */
#include "net_internal.h"

#include <errno.h>

/* ------------------------------------------------------------------ sending */

static struct tp_packet packet_of(const struct tp_net *net, uint32_t socket,
                                  enum tp_packet_type type)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    struct tp_packet packet = {.type = (uint8_t)type,
                               .from = socket,
                               .from_serial = s->serial,
                               .from_host = s->host,
                               .to = s->peer,
                               .to_serial = s->peer_serial,
                               .to_host = s->peer_host,
                               .to_boot = s->peer_boot};

    return packet;
}

/* What every segment says besides its data. */
static void post(struct tp_net *net, uint32_t socket, struct tp_packet *packet,
                 uint32_t data_bytes)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *in = tp_pipe_at(net, s->in);

    packet->ack = in->arrived;
    packet->ack_fin = in->fin_arrived;
    packet->edge = in->read + s->recv_bytes;
    if (packet->edge < s->advertised)
        packet->edge = s->advertised; /* a window never shrinks */
    s->advertised = packet->edge;
    tp_net_post(net, packet, &s->wire, data_bytes);
}

void tp_tcp_syn(struct tp_net *net, uint32_t socket)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_SYN);

    post(net, socket, &packet, 0);
}

void tp_tcp_syn_ack(struct tp_net *net, uint32_t socket)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_SYN_ACK);

    post(net, socket, &packet, 0);
}

void tp_tcp_acknowledge(struct tp_net *net, uint32_t socket)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_SEGMENT);

    post(net, socket, &packet, 0);
}

void tp_tcp_probe(struct tp_net *net, uint32_t socket)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_SEGMENT);

    packet.payload = true;
    post(net, socket, &packet, 0);
}

void tp_tcp_reset(struct tp_net *net, uint32_t socket)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_RST);

    if (packet.to != 0 && net->hosts[packet.from_host].up)
        tp_net_post(net, &packet, &tp_socket_at(net, socket)->wire, 0);
}

/* RST from a host that knows no such connection. */
static void refuse(struct tp_net *net, const struct tp_packet *packet)
{
    struct tp_packet answer = {.type = TP_PACKET_RST,
                               .from_host = packet->to_host,
                               .to = packet->from,
                               .to_serial = packet->from_serial,
                               .to_host = packet->from_host,
                               .to_boot = net->hosts[packet->from_host].boot};

    if (packet->from != 0)
        tp_net_post(net, &answer, NULL, 0);
}

static void post_data(struct tp_net *net, uint32_t socket, uint32_t len)
{
    struct tp_packet packet = packet_of(net, socket, TP_PACKET_SEGMENT);
    struct tp_net_pipe *out = tp_pipe_at(net, tp_socket_at(net, socket)->out);

    out->sent += len;
    tp_assert(out->sent <= out->written);
    if (out->fin_written && out->sent == out->written)
        out->fin_sent = true;
    packet.payload = true;
    packet.data = len > 0;
    packet.fin = out->fin_sent;
    packet.upto = out->sent;
    post(net, socket, &packet, len);
}

/* One packet of the stream, which may arrive as two. */
static void post_packet(struct tp_net *net, uint32_t socket, uint32_t len)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    uint32_t host = s->host;
    uint32_t split_ppm = tp_way_at(net, host, s->peer_host)->link.split_ppm;
    uint64_t drawn = 0;

    if (len > 1 && split_ppm > 0)
        drawn = tp_net_draw(net, host, TP_DRAW_NET_SPLIT, 1000000);
    if (len > 1 && drawn >= 1000000 - split_ppm && split_ppm > 0) {
        uint32_t first =
            len - 1 - (uint32_t)tp_net_draw(net, host, TP_DRAW_NET_CUT, len - 1);

        net->stats.splits++;
        post_data(net, socket, first);
        len -= first;
    }
    post_data(net, socket, len);
}

/* Whether Nagle's algorithm keeps a small packet back until what was sent is acknowledged.
 */
static bool is_delayed(const struct tp_socket *s, const struct tp_net_pipe *out,
                       uint64_t len, uint32_t segment_max)
{
    return !s->options.no_delay && len < segment_max && out->sent > out->acked &&
           !out->fin_written;
}

void tp_tcp_transmit(struct tp_net *net, uint32_t socket, bool again)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *out;
    uint32_t segment_max;

    if (s->state != TP_SOCKET_OPEN)
        return;
    segment_max = tp_way_at(net, s->host, s->peer_host)->link.segment_max;
    out = tp_pipe_at(net, s->out);
    for (;;) {
        uint64_t end = out->written < out->edge ? out->written : out->edge;
        uint64_t len = end > out->sent ? end - out->sent : 0;

        if (len == 0 && !(out->fin_written && !out->fin_sent && out->sent == out->written))
            return;
        if (len > segment_max)
            len = segment_max;
        if (!again && is_delayed(s, out, len, segment_max))
            return;
        post_packet(net, socket, (uint32_t)len);
    }
}

/* ------------------------------------------------------------------ handshake */

static void embryo_made(struct tp_net *net, uint32_t client, uint32_t listener,
                        const struct tp_packet *syn)
{
    struct tp_socket_options options = tp_socket_at(net, listener)->options;
    uint8_t family = tp_socket_at(net, client)->family;
    uint32_t child = tp_socket_make(net, syn->to_host, family, &options);
    struct tp_socket *s = tp_socket_at(net, child);
    struct tp_socket *at = tp_socket_at(net, listener);
    const struct tp_socket *from = tp_socket_at(net, client);

    s->state = TP_SOCKET_EMBRYO;
    s->send_bytes = at->send_bytes;
    s->recv_bytes = at->recv_bytes;
    s->local = from->remote;
    s->remote = from->local;
    s->parent = listener;
    s->parent_serial = at->serial;
    s->in = from->out;
    s->out = from->in;
    tp_pipe_at(net, s->in)->refs++;
    tp_pipe_at(net, s->out)->refs++;
    tp_pipe_at(net, s->out)->edge = syn->edge;
    at->embryos++;
    tp_socket_join(net, child, client);
    tp_tcp_heard(net, child);
    tp_tcp_syn_ack(net, child);
}

/* Whether a fault befalls a connection that is being made. */
static bool is_spoilt(struct tp_net *net, uint32_t client, const struct tp_packet *syn)
{
    const struct tp_net_faults *faults = &net->faults;
    uint64_t drawn;

    if ((faults->refuse_ppm | faults->silence_ppm) == 0)
        return false;
    drawn = 999999 - tp_net_draw(net, syn->from_host, TP_DRAW_NET_CONNECT, 1000000);
    if (drawn < faults->refuse_ppm) {
        net->stats.fault_refusals++;
        refuse(net, syn);
        return true;
    }
    if (drawn - faults->refuse_ppm >= faults->silence_ppm)
        return false;
    net->stats.fault_silences++;
    tp_socket_at(net, client)->silent = true;
    tp_tcp_lost(net, syn);
    return true;
}

/* What an earlier SYN of the same connection made, if this one is a repetition; 0: nothing.
 */
static uint32_t embryo_of(const struct tp_net *net, const struct tp_packet *syn)
{
    if (tp_socket_at(net, syn->from)->retries == 0)
        return 0;
    for (uint32_t socket = 1; socket < net->sockets.used; socket++) {
        const struct tp_socket *s = tp_socket_at(net, socket);

        if (s->state == TP_SOCKET_EMBRYO && s->peer == syn->from &&
            s->peer_serial == syn->from_serial)
            return socket;
    }
    return 0;
}

static void syn_arrived(struct tp_net *net, const struct tp_packet *syn)
{
    struct tp_socket *client;
    uint32_t listener, embryo;

    if (!tp_socket_is(net, syn->from, syn->from_serial))
        return; /* its program gave up, and the answer would only be refused */
    client = tp_socket_at(net, syn->from);
    if (client->state != TP_SOCKET_CONNECTING)
        return; /* a repetition that an answer has overtaken */
    if (client->silent) {
        tp_tcp_lost(net, syn);
        return;
    }
    embryo = embryo_of(net, syn);
    if (embryo != 0) {
        tp_tcp_syn_ack(net, embryo);
        return;
    }
    if (client->retries == 0 && is_spoilt(net, syn->from, syn))
        return;
    listener = tp_socket_find(net, net->listeners, syn->to_host, &client->remote,
                              client->local.port);
    if (listener == 0)
        refuse(net, syn);
    else if (tp_socket_is_full(tp_socket_at(net, listener)))
        tp_tcp_lost(net, syn); /* dropped: it will be sent again */
    else
        embryo_made(net, syn->from, listener, syn);
}

static void syn_ack_arrived(struct tp_net *net, const struct tp_packet *packet)
{
    struct tp_socket *s = tp_socket_at(net, packet->to);

    if (s->state == TP_SOCKET_CONNECTING) {
        if (!tp_socket_is(net, packet->from, packet->from_serial)) {
            tp_socket_die(net, packet->to, -ECONNREFUSED); /* its RST is on the way */
            return;
        }
        s->state = TP_SOCKET_OPEN;
        tp_pipe_at(net, s->out)->edge = packet->edge;
        tp_socket_join(net, packet->to, packet->from);
        tp_tcp_heard(net, packet->to);
        tp_tcp_watch(net, packet->to);
        net->stats.connections++;
        tp_socket_ready(net, packet->to, TP_NET_OUT);
    }
    if (s->state == TP_SOCKET_OPEN)
        tp_tcp_acknowledge(net, packet->to);
}

/* The first packet of the client's completes the handshake. */
static void embryo_opens(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    tp_assert(tp_socket_is(net, s->parent, s->parent_serial)); /* it takes them with it */
    tp_socket_at(net, s->parent)->embryos--;
    s->state = TP_SOCKET_OPEN;
    tp_socket_queue(net, s->parent, socket);
    tp_tcp_watch(net, socket);
}

/* ------------------------------------------------------------------ segments */

void tp_tcp_settle(struct tp_net *net, uint32_t socket)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (s->state == TP_SOCKET_OPEN && !s->owned && !s->queued &&
        tp_pipe_at(net, s->out)->fin_acked)
        tp_socket_free(net, socket);
}

static void take_acknowledgement(struct tp_net *net, struct tp_socket *s,
                                 const struct tp_packet *packet)
{
    struct tp_net_pipe *out = tp_pipe_at(net, s->out);
    uint64_t used, room;

    if (packet->ack > out->acked)
        out->acked = packet->ack;
    if (out->sent < out->acked)
        out->sent = out->acked;
    if (packet->edge > out->edge)
        out->edge = packet->edge;
    out->fin_acked = out->fin_acked || packet->ack_fin;
    used = out->written - out->acked;
    room = used < s->send_bytes ? s->send_bytes - used : 0;
    if (room >= used / 2 && room > 0)
        tp_socket_ready(net, packet->to, TP_NET_OUT);
}

/* Whether something new came. */
static bool take_data(struct tp_net *net, const struct tp_socket *s,
                      const struct tp_packet *packet)
{
    struct tp_net_pipe *in = tp_pipe_at(net, s->in);
    uint64_t upto = packet->upto < in->written ? packet->upto : in->written;
    bool fin = packet->fin && !in->fin_arrived && upto == packet->upto;
    bool more = upto > in->arrived;

    if (more)
        in->arrived = upto;
    if (fin)
        in->fin_arrived = true;
    return more || fin;
}

static void segment_arrived(struct tp_net *net, const struct tp_packet *packet)
{
    uint32_t socket = packet->to;
    struct tp_socket *s = tp_socket_at(net, socket);

    if (s->state == TP_SOCKET_EMBRYO)
        embryo_opens(net, socket);
    tp_assert(s->state == TP_SOCKET_OPEN);
    tp_tcp_heard(net, socket);
    if (!s->owned && !s->queued && packet->data &&
        packet->upto > tp_pipe_at(net, s->in)->arrived) {
        tp_tcp_reset(net, socket); /* nobody is left who could read it */
        tp_socket_free(net, socket);
        return;
    }
    take_acknowledgement(net, s, packet);
    if (packet->payload) {
        bool more = take_data(net, s, packet);

        tp_tcp_acknowledge(net, socket);
        if (more)
            tp_socket_ready(net, socket, TP_NET_IN);
    }
    tp_tcp_transmit(net, socket, false);
    tp_tcp_settle(net, socket);
}

/* ------------------------------------------------------------------ RST, and all */

static void reset_arrived(struct tp_net *net, uint32_t socket)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (s->state == TP_SOCKET_CONNECTING) {
        net->stats.refused++;
        tp_socket_die(net, socket, -ECONNREFUSED);
    } else if (s->state == TP_SOCKET_EMBRYO) {
        tp_socket_free(net, socket);
    } else if (s->state == TP_SOCKET_OPEN) {
        net->stats.resets++;
        tp_socket_die(net, socket,
                      tp_pipe_at(net, s->in)->fin_arrived ? -EPIPE : -ECONNRESET);
    }
}

uint32_t tp_net_reset(struct tp_net *net, uint32_t a, uint32_t b)
{
    uint32_t ended = 0;

    for (uint32_t socket = 1; socket < net->sockets.used; socket++) {
        const struct tp_socket *s = tp_socket_at(net, socket);

        if ((s->state != TP_SOCKET_OPEN && s->state != TP_SOCKET_EMBRYO) ||
            s->family == TP_ADDRESS_UNIX)
            continue;
        if ((s->host != a || s->peer_host != b) && (s->host != b || s->peer_host != a))
            continue;
        reset_arrived(net, socket);
        ended++;
    }
    return ended;
}

/* For a connection that is over, or one that this boot of the host never had. */
static void stray_arrived(struct tp_net *net, const struct tp_packet *packet)
{
    bool other_boot = net->hosts[packet->to_host].boot != packet->to_boot;

    if (packet->type == TP_PACKET_RST)
        return;
    if (packet->type == TP_PACKET_SYN_ACK || packet->data || other_boot ||
        (packet->payload && !packet->fin)) {
        refuse(net, packet);
    } else if (packet->fin) { /* what TIME_WAIT is for: the last FIN's acknowledgement */
        struct tp_packet answer = {.type = TP_PACKET_SEGMENT,
                                   .from_host = packet->to_host,
                                   .to = packet->from,
                                   .to_serial = packet->from_serial,
                                   .to_host = packet->from_host,
                                   .to_boot = net->hosts[packet->from_host].boot,
                                   .ack_fin = true};

        tp_net_post(net, &answer, NULL, 0);
    }
}

void tp_tcp_arrived(struct tp_net *net, const struct tp_packet *packet)
{
    if (packet->type == TP_PACKET_SYN) {
        syn_arrived(net, packet);
        return;
    }
    if (!tp_socket_is(net, packet->to, packet->to_serial) ||
        (tp_socket_at(net, packet->to)->state == TP_SOCKET_DEAD &&
         packet->type != TP_PACKET_RST)) {
        stray_arrived(net, packet);
        return;
    }
    if (packet->type == TP_PACKET_SYN_ACK)
        syn_ack_arrived(net, packet);
    else if (packet->type == TP_PACKET_SEGMENT)
        segment_arrived(net, packet);
    else
        reset_arrived(net, packet->to);
}
