/* Sockets: made, freed and found; listeners and what waits in their queues. */
#include "net_internal.h"

#include <errno.h>

#define BACKLOG_MAX 4096 /* net.core.somaxconn */
#define BUFFER_MIN  2048
#define BUFFER_MAX  425984 /* twice net.core.rmem_max */

/* ------------------------------------------------------------------ life */

static uint32_t buffer_bytes(uint32_t asked, uint32_t by_default)
{
    if (asked == 0)
        return by_default;
    if (asked > BUFFER_MAX)
        return BUFFER_MAX;
    return asked < BUFFER_MIN ? BUFFER_MIN : asked;
}

uint32_t tp_socket_make(struct tp_net *net, uint32_t host, uint8_t family,
                        const struct tp_socket_options *options)
{
    uint32_t socket = tp_pool_take(&net->sockets, net->allocator);
    struct tp_socket *s = tp_socket_at(net, socket);

    s->serial = ++net->serial;
    s->state = TP_SOCKET_BOUND;
    s->family = family;
    s->host = host;
    s->options = *options;
    s->send_bytes = buffer_bytes(options->send_buffer_bytes, net->config.send_buffer_bytes);
    s->recv_bytes = buffer_bytes(options->recv_buffer_bytes, net->config.recv_buffer_bytes);
    return socket;
}

void tp_socket_unlist(struct tp_net *net, uint32_t *list, uint32_t socket)
{
    uint32_t *at = list;

    while (*at != socket)
        at = &tp_socket_at(net, *at)->next;
    *at = tp_socket_at(net, socket)->next;
}

/* The kernel ends what nobody will accept any more. */
static void drop_children(struct tp_net *net, uint32_t listener)
{
    const struct tp_socket *at = tp_socket_at(net, listener);
    uint64_t serial = at->serial;
    bool any = at->queue_count + at->embryos > 0;

    for (uint32_t child = 1; any && child < net->sockets.used; child++) {
        struct tp_socket *s = tp_socket_at(net, child);

        if (s->state == TP_SOCKET_FREE || s->parent != listener ||
            s->parent_serial != serial)
            continue;
        if (s->family == TP_ADDRESS_UNIX)
            tp_unix_hang_up(net, child, -ECONNRESET);
        else if (s->state != TP_SOCKET_DEAD)
            tp_tcp_reset(net, child);
        s->parent = 0;
        tp_socket_free(net, child);
    }
}

void tp_socket_stop_listening(struct tp_net *net, uint32_t listener)
{
    struct tp_socket *s = tp_socket_at(net, listener);

    tp_assert(s->state == TP_SOCKET_LISTENING);
    tp_socket_unlist(net, &net->listeners, listener);
    drop_children(net, listener);
    s->state = TP_SOCKET_BOUND;
    s->queue_first = s->queue_last = s->queue_count = s->embryos = 0;
}

/* An ephemeral port is free again, unless another listener shares it. */
static void release_port(struct tp_net *net, struct tp_socket *s)
{
    if (!s->has_port)
        return;
    for (uint32_t at = net->listeners; at != 0; at = tp_socket_at(net, at)->next) {
        struct tp_socket *other = tp_socket_at(net, at);

        if (other->host == s->host && other->local.port == s->local.port &&
            other->family != TP_ADDRESS_UNIX) {
            other->has_port = true;
            return;
        }
    }
    tp_net_mark_port(net, s->host, s->local.port, false);
}

void tp_socket_free(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    uint32_t out = s->out, in = s->in;

    tp_assert(s->state != TP_SOCKET_FREE);
    if (s->state == TP_SOCKET_LISTENING)
        tp_socket_stop_listening(net, socket);
    if (s->state == TP_SOCKET_DATAGRAMS)
        tp_datagrams_end(net, socket);
    if (s->state == TP_SOCKET_EMBRYO && tp_socket_is(net, s->parent, s->parent_serial))
        tp_socket_at(net, s->parent)->embryos--;
    release_port(net, s);
    s->state = TP_SOCKET_FREE;
    s->serial = 0;
    tp_pipe_unref(net, out);
    tp_pipe_unref(net, in);
    tp_pool_give(&net->sockets, socket);
}

bool tp_socket_is(const struct tp_net *net, uint32_t socket, uint64_t serial)
{
    return socket != 0 && serial != 0 && tp_socket_at(net, socket)->serial == serial;
}

void tp_socket_ready(struct tp_net *net, uint32_t socket, uint32_t ready)
{
    const struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_net_host *host = &net->hosts[s->host];

    if (s->owned && host->ready != NULL)
        host->ready(host->context, s->owner, ready);
}

void tp_socket_die(struct tp_net *net, uint32_t socket, int32_t error)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    if (s->state == TP_SOCKET_DEAD)
        return;
    if (error == -ETIMEDOUT)
        net->stats.timed_out++;
    if (!s->owned && !s->queued) {
        tp_socket_free(net, socket);
        return;
    }
    s->state = TP_SOCKET_DEAD;
    s->error = error;
    tp_socket_ready(net, socket, TP_NET_IN | TP_NET_OUT);
}

void tp_net_own(struct tp_net *net, uint32_t socket, uint32_t owner)
{
    tp_socket_at(net, socket)->owned = true;
    tp_socket_at(net, socket)->owner = owner;
}

/* ------------------------------------------------------------------ listening */

bool tp_socket_collide(const struct tp_socket *a, const struct tp_socket *b)
{
    if (a->host != b->host || a->local.port != b->local.port ||
        a->family == TP_ADDRESS_UNIX || b->family == TP_ADDRESS_UNIX ||
        (a->options.reuse_port && b->options.reuse_port))
        return false;
    if (a->family == b->family)
        return tp_address_is_any(&a->local) || tp_address_is_any(&b->local) ||
               tp_address_equal(&a->local, &b->local);
    if (b->family == TP_ADDRESS_IPV6)
        return tp_address_is_any(&b->local) && !b->options.v6_only;
    return tp_address_is_any(&a->local) && !a->options.v6_only;
}

/* Whether a listener may have its port. */
static bool is_free(const struct tp_net *net, const struct tp_socket *listener)
{
    bool shared = false;

    for (uint32_t at = net->listeners; at != 0; at = tp_socket_at(net, at)->next) {
        const struct tp_socket *other = tp_socket_at(net, at);

        if (tp_socket_collide(listener, other))
            return false;
        shared = shared || (other->host == listener->host &&
                            other->local.port == listener->local.port);
    }
    return shared || !tp_net_port_used(net, listener->host, listener->local.port);
}

void tp_socket_listen(struct tp_net *net, uint32_t socket)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    s->state = TP_SOCKET_LISTENING;
    s->backlog = s->options.backlog == 0 ? BACKLOG_MAX : s->options.backlog;
    if (s->backlog > BACKLOG_MAX)
        s->backlog = BACKLOG_MAX;
    s->next = net->listeners;
    net->listeners = socket;
}

int32_t tp_net_listen(struct tp_net *net, uint32_t host, const struct tp_address *address,
                      const struct tp_socket_options *options, uint32_t *ret_socket)
{
    struct tp_address at = tp_address_unmap(address);
    uint32_t socket;
    struct tp_socket *s;

    if (!tp_net_is_local(net, host, &at))
        return -EADDRNOTAVAIL;
    socket = tp_socket_make(net, host, (uint8_t)at.family, options);
    s = tp_socket_at(net, socket);
    s->local = at;
    if (at.port == 0) {
        s->local.port = tp_net_take_port(net, host, 0);
        s->has_port = s->local.port != 0;
    }
    if (s->local.port == 0 || (at.port != 0 && !is_free(net, s))) {
        tp_socket_free(net, socket);
        return -EADDRINUSE;
    }
    if (at.port != 0 && !tp_net_port_used(net, host, at.port)) {
        tp_net_mark_port(net, host, at.port, true);
        s->has_port = true;
    }
    tp_socket_listen(net, socket);
    *ret_socket = socket;
    return 0;
}

/* How well one fits: 0 not at all, and the most exact is the highest. */
static uint32_t fit(const struct tp_socket *listener, uint32_t host,
                    const struct tp_address *to)
{
    if (listener->host != host || listener->local.port != to->port ||
        listener->family == TP_ADDRESS_UNIX)
        return 0;
    if (listener->family != to->family)
        return listener->family == TP_ADDRESS_IPV6 && !listener->options.v6_only &&
                       tp_address_is_any(&listener->local)
                   ? 1
                   : 0;
    if (tp_address_is_any(&listener->local))
        return 2;
    return tp_address_equal(&listener->local, to) ? 3 : 0;
}

uint32_t tp_socket_find(const struct tp_net *net, uint32_t list, uint32_t host,
                        const struct tp_address *to, uint16_t from_port)
{
    uint32_t best = 0, count = 0, found = 0;

    for (uint32_t at = list; at != 0; at = tp_socket_at(net, at)->next) {
        uint32_t fits = fit(tp_socket_at(net, at), host, to);

        if (fits > best) {
            best = fits;
            count = 0;
        }
        if (fits == best && fits > 0)
            count++;
    }
    if (best == 0)
        return 0;
    count = from_port % count; /* those that share a port share the connections */
    for (uint32_t at = list; at != 0 && found == 0; at = tp_socket_at(net, at)->next) {
        if (fit(tp_socket_at(net, at), host, to) == best && count-- == 0)
            found = at;
    }
    return found;
}

bool tp_socket_is_full(const struct tp_socket *listener)
{
    return listener->queue_count + listener->embryos > listener->backlog;
}

void tp_socket_queue(struct tp_net *net, uint32_t listener, uint32_t socket)
{
    struct tp_socket *at = tp_socket_at(net, listener);

    tp_socket_at(net, socket)->queued = true;
    tp_socket_at(net, socket)->next = 0;
    if (at->queue_last != 0)
        tp_socket_at(net, at->queue_last)->next = socket;
    else
        at->queue_first = socket;
    at->queue_last = socket;
    at->queue_count++;
    tp_socket_ready(net, listener, TP_NET_IN);
}

int32_t tp_net_accept(struct tp_net *net, uint32_t listener, uint32_t *ret_socket)
{
    struct tp_socket *at = tp_socket_at(net, listener);
    struct tp_socket *s;

    if (at->state == TP_SOCKET_DATAGRAMS)
        return -EOPNOTSUPP;
    if (at->state != TP_SOCKET_LISTENING)
        return -EINVAL;
    if (at->queue_first == 0)
        return -EAGAIN;
    *ret_socket = at->queue_first;
    s = tp_socket_at(net, at->queue_first);
    at->queue_first = s->next;
    if (at->queue_first == 0)
        at->queue_last = 0;
    at->queue_count--;
    s->queued = false;
    s->parent = 0;
    s->next = 0;
    return 0;
}

/* ------------------------------------------------------------------ both ends */

void tp_socket_join(struct tp_net *net, uint32_t socket, uint32_t peer)
{
    struct tp_socket *s = tp_socket_at(net, socket);
    const struct tp_socket *p = tp_socket_at(net, peer);

    s->peer = peer;
    s->peer_serial = p->serial;
    s->peer_host = p->host;
    s->peer_boot = net->hosts[p->host].boot;
}

int32_t tp_net_address(const struct tp_net *net, uint32_t socket, bool peer,
                       struct tp_address *ret_address)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    if (peer && !tp_socket_is_connected(net, s))
        return -ENOTCONN;
    *ret_address = peer ? s->remote : s->local;
    return 0;
}

void tp_net_set_options(struct tp_net *net, uint32_t socket,
                        const struct tp_socket_options *options)
{
    struct tp_socket *s = tp_socket_at(net, socket);

    s->options.no_delay = options->no_delay;
    s->options.keep_alive_s = options->keep_alive_s;
    s->send_bytes = buffer_bytes(options->send_buffer_bytes, s->send_bytes);
    s->recv_bytes = buffer_bytes(options->recv_buffer_bytes, s->recv_bytes);
    if (s->family == TP_ADDRESS_UNIX || s->state != TP_SOCKET_OPEN)
        return;
    tp_tcp_watch(net, socket);
    tp_tcp_transmit(net, socket, false);
}
