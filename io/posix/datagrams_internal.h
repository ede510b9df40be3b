/** io/posix/datagrams_internal.h - a datagram in the kernel's form: sendmsg(2) and
 * recvmsg(2) of one.
 */
#ifndef TEMPEST_IO_POSIX_DATAGRAMS_INTERNAL_H
#define TEMPEST_IO_POSIX_DATAGRAMS_INTERNAL_H

#include "io/posix/records_internal.h"

/** Fills the side's message for a send_to, whose address is there already, or for a
 * recv_from. It stays valid as long as the record does. */
struct msghdr *tp_posix_datagram_prepare(union tp_posix_side *side,
                                         const struct tp_request *request);

/** A recv_from has stored `got` bytes: says who sent them, in the memory that was lent for
 * that. */
void tp_posix_datagram_received(const union tp_posix_side *side,
                                const struct tp_request *request, int32_t got);

#endif
