/* What must hold in a network at any time. */
#include "net_internal.h"

static bool is_used(const struct tp_net *net, uint32_t socket)
{
    return tp_socket_at(net, socket)->state != TP_SOCKET_FREE;
}

static void check_pipe(const struct tp_net *net, const struct tp_net_pipe *p)
{
    uint64_t held = p->written - p->read;
    uint64_t chunks = 0;

    tp_assert(p->read <= p->arrived && p->arrived <= p->written);
    tp_assert(p->acked <= p->arrived);
    tp_assert(p->acked <= p->sent && p->sent <= p->written);
    tp_assert(!p->fin_sent || p->fin_written);
    tp_assert(!p->fin_acked || p->fin_arrived || p->refs == 1);
    for (uint32_t at = p->first; at != 0; chunks++) {
        const struct tp_net_chunk *chunk = tp_chunk_at(net, at);

        tp_assert(chunk->next != 0 || at == p->last);
        at = chunk->next;
    }
    tp_assert(chunks ==
              (held == 0 ? 0 : (p->offset + held + TP_CHUNK_BYTES - 1) / TP_CHUNK_BYTES));
}

static void check_listener(const struct tp_net *net, uint32_t listener)
{
    const struct tp_socket *s = tp_socket_at(net, listener);
    uint32_t queued = 0, embryos = 0;

    for (uint32_t at = s->queue_first; at != 0; at = tp_socket_at(net, at)->next) {
        tp_assert(tp_socket_at(net, at)->queued && !tp_socket_at(net, at)->owned);
        queued++;
    }
    for (uint32_t at = 1; at < net->sockets.used; at++) {
        const struct tp_socket *child = tp_socket_at(net, at);

        embryos += child->state == TP_SOCKET_EMBRYO && child->parent == listener;
    }
    tp_assert(queued == s->queue_count && embryos == s->embryos);
}

static void check_inbox(const struct tp_net *net, const struct tp_socket *s)
{
    uint64_t bytes = 0;

    tp_assert(s->out == 0 && s->in == 0 && !s->has_port);
    for (uint32_t at = s->inbox_first; at != 0;) {
        const struct tp_net_message *message = tp_pool_at(&net->messages, at);

        tp_assert(message->next != 0 || at == s->inbox_last);
        tp_assert((message->first == 0) == (message->len == 0));
        bytes += message->len;
        at = message->next;
    }
    tp_assert(s->inbox_bytes >= bytes && (s->inbox_bytes == 0) == (s->inbox_first == 0));
}

static void check_socket(const struct tp_net *net, uint32_t socket, uint32_t *refs)
{
    const struct tp_socket *s = tp_socket_at(net, socket);

    tp_assert(s->serial != 0 && s->serial <= net->serial);
    tp_assert(net->hosts[s->host].used);
    tp_assert(!s->has_port || s->local.port < TP_PORT_FIRST ||
              s->local.port > TP_PORT_LAST ||
              tp_net_port_used(net, s->host, s->local.port));
    tp_assert(s->state != TP_SOCKET_OPEN || (s->out != 0 && s->in != 0));
    if (s->out != 0) {
        tp_assert(tp_pipe_at(net, s->out)->refs > 0 && tp_pipe_at(net, s->in)->refs > 0);
        *refs += 2;
    }
    if (s->state == TP_SOCKET_LISTENING)
        check_listener(net, socket);
    if (s->state == TP_SOCKET_DATAGRAMS)
        check_inbox(net, s);
}

void tp_net_check(const struct tp_net *net)
{
    uint32_t refs = 0, live = 0, pipe_refs = 0;

    for (uint32_t socket = 1; socket < net->sockets.used; socket++) {
        if (!is_used(net, socket))
            continue;
        live++;
        check_socket(net, socket, &refs);
        if (tp_socket_at(net, socket)->out != 0) {
            check_pipe(net, tp_pipe_at(net, tp_socket_at(net, socket)->out));
            check_pipe(net, tp_pipe_at(net, tp_socket_at(net, socket)->in));
        }
    }
    tp_assert(live == net->sockets.live);
    for (uint32_t pipe = 1; pipe < net->pipes.used; pipe++)
        pipe_refs += tp_pipe_at(net, pipe)->refs;
    tp_assert(refs == pipe_refs);
    tp_assert(net->world->stopped || net->packets.live <= net->world->count);
}
