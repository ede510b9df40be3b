/** io/posix/sockaddr_internal.h - addresses in the kernel's form.
 *
 * An IPv4 peer of a socket that takes both comes as an IPv4 address, not as one of IPv6
 * that stands for it (::ffff:a.b.c.d).
 */
#ifndef TEMPEST_IO_POSIX_SOCKADDR_INTERNAL_H
#define TEMPEST_IO_POSIX_SOCKADDR_INTERNAL_H

#include <sys/socket.h>

#include "io/address.h"

/** Converts an address that tp_io_submit() has checked. Returns its length in bytes. */
socklen_t tp_posix_sockaddr_from(const struct tp_address *address,
                                 struct sockaddr_storage *ret_address);

/** The length in bytes of what tp_posix_sockaddr_from() made. */
socklen_t tp_posix_sockaddr_len(const struct sockaddr_storage *address);

/** Converts what the kernel gave, of which `len_bytes` are valid. What is neither IP nor a
 * path has no address: TP_ADDRESS_NONE. */
struct tp_address tp_posix_sockaddr_to(const struct sockaddr_storage *from,
                                       socklen_t len_bytes);

#endif
