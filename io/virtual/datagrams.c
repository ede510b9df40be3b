/* What operations on datagrams do to the network, at the moment at which they take effect.
 */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"
#include "io/loans.h"

static int32_t effect_bind(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t number = tp_files_lowest(v);
    uint32_t socket;
    int32_t error;

    if (number == UINT32_MAX)
        return -EMFILE;
    error = tp_net_bind(v->net, v->host, &f->address, &f->request.b.socket, &socket);
    if (error < 0)
        return error;
    tp_net_own(v->net, socket, tp_files_open_socket(v, number, socket, 0));
    return (int32_t)number;
}

static int32_t effect_send_to(struct tp_virtual *v, struct tp_flight *f, uint32_t socket)
{
    int32_t result =
        tp_net_send_to(v->net, socket, &f->address, f->request.a.memory, f->request.len);

    if (v->traces && result >= 0)
        f->payload = tp_hash(f->request.a.memory, f->request.len, 0);
    return result;
}

static int32_t effect_recv_from(struct tp_virtual *v, struct tp_flight *f, uint32_t socket)
{
    struct tp_datagram datagram;
    int32_t result;

    tp_loans_open(&v->io, f->request.handle);
    result =
        tp_net_recv_from(v->net, socket, f->request.a.memory, f->request.len, &datagram);
    if (result >= 0) {
        memcpy(f->request.b.datagram, &datagram, sizeof datagram);
        f->payload = tp_trace_address(&datagram.from) ^ datagram.flags;
        if (v->traces)
            f->payload = tp_hash(f->request.a.memory, (uint32_t)result, f->payload);
    }
    tp_loans_close(&v->io, f->request.handle);
    if (result == -EAGAIN)
        return tp_wait_in(v, f, &tp_vfile_at(v, f->file)->in);
    return result;
}

int32_t tp_datagram_effect(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t socket;

    if (f->request.kind == TP_BIND)
        return effect_bind(v, f);
    if (!tp_vfile_at(v, f->file)->is_socket)
        return -ENOTSOCK;
    socket = tp_vfile_at(v, f->file)->socket;
    if (socket == 0)
        return -ECANCELED;
    if (f->request.kind == TP_SEND_TO)
        return effect_send_to(v, f, socket);
    return effect_recv_from(v, f, socket);
}
