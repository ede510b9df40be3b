/* What is lost is sent again, after twice as long each time, until it times out; and
 * keep-alive, which asks a silent peer whether it is there. Nothing of this sets a timer as
 * long as nothing is lost. */
#include "net_internal.h"

#include <errno.h>

#define SECOND        UINT64_C(1000000000)
#define RTO_NS        UINT64_C(200000000) /* first wait before data are sent again */
#define RTO_MAX_NS    (120 * SECOND)
#define SYN_ACK_TRIES 5
#define ALIVE_PROBES  3 /* as LinuxIo asks for, with a third of the silence between */

static uint64_t wait_ns(const struct tp_socket *s)
{
    uint64_t first = s->state == TP_SOCKET_OPEN ? RTO_NS : SECOND;
    uint64_t ns = s->retries < 16 ? first << s->retries : RTO_MAX_NS;

    return ns < RTO_MAX_NS ? ns : RTO_MAX_NS;
}

static void set_retry(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    if (s->retrying || s->state == TP_SOCKET_DEAD)
        return;
    s->retrying = true;
    if (s->stuck_ns == 0)
        s->stuck_ns = net->world->now_ns == 0 ? 1 : net->world->now_ns;
    tp_net_timer(net, socket, TP_PACKET_RETRY, net->world->now_ns + wait_ns(s));
    s->retries++;
}

/* The kernel would notice by a missing acknowledgement: the sender's of data, and that of
 * the data that were to be acknowledged. */
void tp_tcp_lost(struct tp_net *net, const struct tp_packet *packet)
{
    if (packet->type == TP_PACKET_RST)
        return;
    if (tp_socket_is(net, packet->from, packet->from_serial))
        set_retry(net, packet->from);
    if (!packet->payload && tp_socket_is(net, packet->to, packet->to_serial))
        set_retry(net, packet->to);
}

void tp_tcp_heard(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    s->heard_ns = net->world->now_ns;
    s->retries = 0;
    s->stuck_ns = 0;
    s->probes = 0;
}

static void retry_data(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    struct tp_net_pipe *out = tp_pipe_at(net, s->out);
    uint64_t packets = net->stats.packets;

    if (out->acked == out->written && (!out->fin_written || out->fin_acked)) {
        s->stuck_ns = 0; /* nothing is left to be told */
        s->retries = 0;
        return;
    }
    if (s->stuck_ns != 0 &&
        net->world->now_ns - s->stuck_ns >= net->config.send_timeout_ns) {
        tp_socket_die(net, socket, -ETIMEDOUT);
        return;
    }
    out->sent = out->acked;
    out->fin_sent = false;
    tp_tcp_transmit(net, socket, true);
    if (net->stats.packets == packets)
        tp_tcp_probe(net, socket); /* the window is closed, or its opening was lost */
}

void tp_tcp_retry(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    s->retrying = false;
    net->stats.repeated++;
    switch ((enum tp_socket_state)s->state) {
    case TP_SOCKET_CONNECTING:
        if (net->world->now_ns - s->stuck_ns >= net->config.connect_timeout_ns)
            tp_socket_die(net, socket, -ETIMEDOUT);
        else
            tp_tcp_syn(net, socket);
        break;
    case TP_SOCKET_EMBRYO:
        if (s->retries > SYN_ACK_TRIES)
            tp_socket_free(net, socket);
        else
            tp_tcp_syn_ack(net, socket);
        break;
    case TP_SOCKET_OPEN:
        retry_data(net, socket);
        break;
    case TP_SOCKET_FREE:
    case TP_SOCKET_BOUND:
    case TP_SOCKET_LISTENING:
    case TP_SOCKET_DATAGRAMS:
    case TP_SOCKET_DEAD:
        break;
    }
}

/* ------------------------------------------------------------------ keep-alive */

static void set_alive(struct tp_net *net, uint32_t socket, uint64_t at_ns)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    s->alive_set = true;
    tp_net_timer(net, socket, TP_PACKET_KEEP_ALIVE,
                 at_ns > net->world->now_ns ? at_ns : net->world->now_ns);
}

void tp_tcp_watch(struct tp_net *net, uint32_t socket)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (s->options.keep_alive_s != 0 && !s->alive_set && s->state == TP_SOCKET_OPEN)
        set_alive(net, socket, s->heard_ns + s->options.keep_alive_s * SECOND);
}

void tp_tcp_keep_alive(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    uint64_t idle_ns = s->options.keep_alive_s * SECOND;
    const struct tp_net_pipe *out;

    s->alive_set = false;
    if (s->state != TP_SOCKET_OPEN || idle_ns == 0)
        return;
    out = tp_pipe_at(net, s->out);
    if (out->acked < out->written) { /* repetition asks already */
        set_alive(net, socket, net->world->now_ns + idle_ns);
    } else if (net->world->now_ns - s->heard_ns < idle_ns) {
        set_alive(net, socket, s->heard_ns + idle_ns);
    } else if (s->probes == ALIVE_PROBES) {
        tp_socket_die(net, socket, -ETIMEDOUT);
    } else {
        s->probes++;
        tp_tcp_probe(net, socket);
        set_alive(net, socket,
                  net->world->now_ns + (idle_ns >= 3 * SECOND ? idle_ns / 3 : SECOND));
    }
}
