#include "datagrams_internal.h"

#include <string.h>

#include "io/posix/memory_internal.h"
#include "io/posix/sockaddr_internal.h"

struct msghdr *tp_posix_datagram_prepare(union tp_posix_side *side,
                                         const struct tp_request *request)
{
    struct msghdr *header = &side->datagram.header;

    memset(header, 0, sizeof *header);
    side->datagram.part.iov_base = request->a.memory;
    side->datagram.part.iov_len = request->len;
    header->msg_iov = &side->datagram.part;
    header->msg_iovlen = 1;
    header->msg_name = &side->datagram.address;
    header->msg_namelen = request->kind == TP_SEND_TO
                              ? tp_posix_sockaddr_len(&side->datagram.address)
                              : (socklen_t)sizeof side->datagram.address;
    return header;
}

void tp_posix_datagram_received(const union tp_posix_side *side,
                                const struct tp_request *request, int32_t got)
{
    const struct msghdr *header = &side->datagram.header;
    struct tp_datagram datagram;

    memset(&datagram, 0, sizeof datagram);
    tp_posix_mark_written(request->a.memory, got);
    tp_posix_mark_written(header, (int32_t)sizeof *header);
    tp_posix_mark_written(&side->datagram.address, (int32_t)header->msg_namelen);
    datagram.from = tp_posix_sockaddr_to(&side->datagram.address, header->msg_namelen);
    datagram.flags = (header->msg_flags & MSG_TRUNC) != 0 ? TP_TRUNCATED : 0;
    tp_posix_store(request->b.datagram, &datagram, sizeof datagram);
}
