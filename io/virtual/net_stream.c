/* What a process does with a TCP stream: connect, send, receive, shut down, close; and
 * where a Unix one differs, net_unix.c has its half. */
#include "net_internal.h"

#include <errno.h>

bool tp_socket_is_connected(const struct tp_net *net, const struct tp_socket *s)
{
    if (s->state != TP_SOCKET_OPEN)
        return false;
    return s->family == TP_ADDRESS_UNIX || !tp_pipe_at(net, s->out)->fin_acked ||
           !tp_pipe_at(net, s->in)->fin_arrived;
}

/* ------------------------------------------------------------------ connect */

/* An address of which no host can be asked for. */
static int32_t connect_unknown(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    if (net->config.unknown == TP_NET_HOST_UNREACHABLE) {
        tp_net_timer(net, socket, TP_PACKET_UNREACHABLE,
                     net->world->now_ns + UINT64_C(3000000000));
        return 0;
    }
    s->silent = true;
    s->peer_host = s->host;
    s->peer_boot = net->hosts[s->host].boot;
    tp_tcp_syn(net, socket);
    return 0;
}

int32_t tp_net_connect(struct tp_net *net, uint32_t host, const struct tp_address *address,
                       const struct tp_socket_options *options, uint32_t *ret_socket)
{
    struct tp_address target = tp_address_target(address);
    uint32_t peer_host = tp_net_host_of(net, host, &target);
    struct tp_address source;
    uint16_t port;
    uint32_t socket;
    struct tp_socket *s;

    if (!tp_net_source(net, host, &target, &source) ||
        (peer_host == 0 && net->config.unknown == TP_NET_NO_ROUTE))
        return -ENETUNREACH;
    port = tp_net_take_port(net, host, peer_host == host ? target.port : 0);
    if (port == 0)
        return -EADDRNOTAVAIL;
    socket = tp_socket_make(net, host, (uint8_t)target.family, options);
    s = tp_socket_at(net, socket);
    s->state = TP_SOCKET_CONNECTING;
    s->local = source;
    s->local.port = port;
    s->has_port = true;
    s->remote = target;
    s->out = tp_pipe_make(net);
    s->in = tp_pipe_make(net);
    *ret_socket = socket;
    if (peer_host == 0)
        return connect_unknown(net, socket);
    s->peer_host = peer_host;
    s->peer_boot = net->hosts[peer_host].boot;
    tp_tcp_syn(net, socket);
    return 0;
}

int32_t tp_net_connected(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    int32_t error = s->error;

    if (s->state == TP_SOCKET_CONNECTING)
        return -EAGAIN;
    if (s->state == TP_SOCKET_OPEN)
        return 0;
    s->error = 0;
    return error != 0 ? error : -ECONNRESET; /* it was made, and has ended already */
}

/* ------------------------------------------------------------------ receive */

static int32_t take_error(struct tp_socket *s, int32_t otherwise)
{
    int32_t error = s->error;

    s->error = 0;
    return error != 0 ? error : otherwise;
}

int32_t tp_net_readable(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *in;
    uint64_t bytes;

    if (s->state == TP_SOCKET_DATAGRAMS)
        return -EOPNOTSUPP;
    if (s->in == 0 || s->state == TP_SOCKET_CONNECTING)
        return s->family == TP_ADDRESS_UNIX ? -EINVAL : -ENOTCONN;
    in = tp_pipe_at(net, s->in);
    bytes = in->arrived - in->read;
    if (bytes > 0)
        return bytes < INT32_MAX ? (int32_t)bytes : INT32_MAX;
    if (s->error != 0 && (s->family == TP_ADDRESS_UNIX || !in->fin_arrived))
        return take_error(s, 0);
    if (in->fin_arrived || s->shut_read || s->state == TP_SOCKET_DEAD)
        return 0;
    return -EAGAIN;
}

void tp_net_recv(struct tp_net *net, uint32_t socket, uint8_t *ret_bytes, uint32_t len)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *in = tp_pipe_at(net, s->in);

    tp_pipe_read(net, s->in, ret_bytes, len);
    if (s->family == TP_ADDRESS_UNIX) {
        if (tp_socket_is(net, s->peer, s->peer_serial))
            tp_socket_ready(net, s->peer, TP_NET_OUT);
    } else if (s->state == TP_SOCKET_OPEN &&
               in->read + s->recv_bytes >= s->advertised + s->recv_bytes / 2) {
        tp_tcp_acknowledge(net, socket); /* there is room again that the peer can use */
    }
}

/* ------------------------------------------------------------------ send */

int32_t tp_net_writable(struct tp_net *net, uint32_t socket, uint32_t len)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *out;
    uint64_t used;

    if (s->state == TP_SOCKET_DATAGRAMS)
        return -EOPNOTSUPP;
    if (s->out == 0 || s->state == TP_SOCKET_CONNECTING)
        return s->family == TP_ADDRESS_UNIX ? -ENOTCONN : -EPIPE;
    out = tp_pipe_at(net, s->out);
    if (s->family == TP_ADDRESS_UNIX) {
        if (out->fin_written || s->state == TP_SOCKET_DEAD)
            return -EPIPE;
        used = out->written - out->read;
    } else {
        if (s->error != 0 || out->fin_written || s->state == TP_SOCKET_DEAD)
            return take_error(s, -EPIPE);
        used = out->written - out->acked;
    }
    if (len == 0)
        return 0;
    if (used >= s->send_bytes)
        return -EAGAIN;
    return (int32_t)(len < s->send_bytes - used ? len : s->send_bytes - used);
}

void tp_net_send(struct tp_net *net, uint32_t socket, const uint8_t *bytes, uint32_t len)
{
    tp_pipe_write(net, tp_socket_at(net, socket)->out, bytes, len);
}

void tp_net_push(struct tp_net *net, uint32_t socket)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    struct tp_net_pipe *out = tp_pipe_at(net, s->out);

    if (s->family != TP_ADDRESS_UNIX) {
        tp_tcp_transmit(net, socket, false);
        return;
    }
    out->sent = out->arrived = out->written;
    if (tp_socket_is(net, s->peer, s->peer_serial))
        tp_socket_ready(net, s->peer, TP_NET_IN);
}

/* ------------------------------------------------------------------ the end */

int32_t tp_net_shutdown(struct tp_net *net, uint32_t socket, bool read, bool write)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    if (s->state == TP_SOCKET_LISTENING) {
        if (read)
            tp_socket_stop_listening(net, socket);
        tp_socket_ready(net, socket, TP_NET_IN);
        return 0;
    }
    if (s->family == TP_ADDRESS_UNIX)
        return tp_unix_shutdown(net, socket, read, write);
    if (!tp_socket_is_connected(net, s))
        return -ENOTCONN;
    s->shut_read = s->shut_read || read;
    if (write)
        tp_pipe_at(net, s->out)->fin_written = true;
    tp_socket_ready(net, socket, (read ? TP_NET_IN : 0) | (write ? TP_NET_OUT : 0));
    tp_tcp_transmit(net, socket, false);
    return 0;
}

void tp_net_close(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_pipe *in;

    s->owned = false;
    if (s->family == TP_ADDRESS_UNIX) {
        tp_unix_close(net, socket);
        return;
    }
    if (s->state != TP_SOCKET_OPEN) {
        tp_socket_free(net, socket);
        return;
    }
    in = tp_pipe_at(net, s->in);
    if (in->arrived > in->read) { /* somebody sent what nobody will read: the peer learns */
        tp_tcp_reset(net, socket);
        tp_socket_free(net, socket);
        return;
    }
    tp_pipe_at(net, s->out)->fin_written = true;
    tp_tcp_transmit(net, socket, true);
    tp_tcp_settle(net, socket);
}
