/* Sockets with a path. There is no way in between: what is sent has arrived, a connection
 * is made at once, and a close is seen at once. */
#include "net_internal.h"

#include <errno.h>

int32_t tp_net_listen_path(struct tp_net *net, uint32_t host, uint32_t inode,
                           const struct tp_address *address,
                           const struct tp_socket_options *options, uint32_t *ret_socket)
{
    uint32_t socket = tp_socket_make(net, host, TP_ADDRESS_UNIX, options);

    tp_socket_at(net, socket)->local = *address;
    tp_socket_at(net, socket)->inode = inode;
    tp_socket_listen(net, socket);
    *ret_socket = socket;
    return 0;
}

static uint32_t find(const struct tp_net *net, uint32_t host, uint32_t inode)
{
    for (uint32_t at = net->listeners; at != 0; at = tp_socket_at(net, at)->next) {
        const struct tp_socket *s = tp_socket_at(net, at);

        if (s->family == TP_ADDRESS_UNIX && s->host == host && s->inode == inode)
            return at;
    }
    return 0;
}

/* The listener's end of a connection that `client` makes. */
static uint32_t make_child(struct tp_net *net, uint32_t listener, uint32_t client)
{
    struct tp_socket_options options = tp_socket_at(net, listener)->options;
    uint32_t host = tp_socket_at(net, listener)->host;
    uint32_t child = tp_socket_make(net, host, TP_ADDRESS_UNIX, &options);
    struct tp_socket *s = tp_socket_at(net, child);
    const struct tp_socket *at = tp_socket_at(net, listener);
    const struct tp_socket *from = tp_socket_at(net, client);

    s->state = TP_SOCKET_OPEN;
    s->local = at->local;
    s->parent = listener;
    s->parent_serial = at->serial;
    s->in = from->out;
    s->out = from->in;
    tp_pipe_at(net, s->in)->refs++;
    tp_pipe_at(net, s->out)->refs++;
    return child;
}

int32_t tp_net_connect_path(struct tp_net *net, uint32_t host, uint32_t inode,
                            const struct tp_socket_options *options, uint32_t *ret_socket)
{
    uint32_t listener = find(net, host, inode);
    uint32_t socket, child;
    struct tp_socket *s;

    if (listener == 0)
        return -ECONNREFUSED;
    if (tp_socket_is_full(tp_socket_at(net, listener)))
        return -EAGAIN;
    socket = tp_socket_make(net, host, TP_ADDRESS_UNIX, options);
    s = tp_socket_at(net, socket);
    s->state = TP_SOCKET_OPEN;
    s->remote = tp_socket_at(net, listener)->local;
    s->out = tp_pipe_make(net);
    s->in = tp_pipe_make(net);
    child = make_child(net, listener, socket);
    for (uint32_t i = 0; i < 2; i++)
        tp_socket_join(net, i == 0 ? socket : child, i == 0 ? child : socket);
    net->stats.connections++;
    tp_socket_queue(net, listener, child);
    *ret_socket = socket;
    return 0;
}

int32_t tp_unix_shutdown(struct tp_net *net, uint32_t socket, bool read, bool write)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    uint32_t ready = (read ? TP_NET_IN : 0U) | (write ? TP_NET_OUT : 0U);
    uint32_t peer_ready = (read ? TP_NET_OUT : 0U) | (write ? TP_NET_IN : 0U);

    if (s->out == 0)
        return 0;
    if (write) {
        tp_pipe_at(net, s->out)->fin_written = true;
        tp_pipe_at(net, s->out)->fin_arrived = true;
    }
    if (read) { /* the peer cannot send any more, either */
        s->shut_read = true;
        tp_pipe_at(net, s->in)->fin_written = true;
    }
    tp_socket_ready(net, socket, ready);
    if (tp_socket_is(net, s->peer, s->peer_serial))
        tp_socket_ready(net, s->peer, peer_ready);
    return 0;
}

void tp_unix_hang_up(struct tp_net *net, uint32_t socket, int32_t error)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (!tp_socket_is(net, s->peer, s->peer_serial))
        return;
    tp_socket_at(net, s->peer)->error = error;
    (void)tp_unix_shutdown(net, socket, true, true);
}

void tp_unix_close(struct tp_net *net, uint32_t socket)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (s->in != 0) {
        const struct tp_net_pipe *in = tp_pipe_at(net, s->in);

        tp_unix_hang_up(net, socket, in->arrived > in->read ? -ECONNRESET : 0);
    }
    tp_socket_free(net, socket);
}
