/** io/address.h - where a socket listens or connects: IPv4, IPv6, or a path (Unix).
 *
 * A value of fixed size, the same on every system; the bytes of an IP address are in
 * network order, the port is a plain number. As text, and back:
 *
 *     127.0.0.1:7379    [::1]:7379    [fe80::1%2]:80    unix:/run/app.sock
 *
 * Names ("localhost") are not addresses: see tp_request_resolve().
 */
#ifndef TEMPEST_IO_ADDRESS_H
#define TEMPEST_IO_ADDRESS_H

#include "base.h"

#define TP_UNIX_PATH_MAX 108 /* bytes of a Unix socket's path, its NUL included */
#define TP_ADDRESS_TEXT  128 /* bytes that any address fits as text, its NUL included */

enum tp_address_family {
    TP_ADDRESS_NONE, /* of a Unix socket that nobody bound: a client's */
    TP_ADDRESS_IPV4,
    TP_ADDRESS_IPV6,
    TP_ADDRESS_UNIX,
};

struct tp_address {
    uint16_t family; /* enum tp_address_family */
    uint16_t port;   /* 0 in listen(): any free one */
    uint32_t scope;  /* IPv6: the interface's index, for link-local addresses */
    union {
        uint8_t ipv4[4];
        uint8_t ipv6[16];
        char path[TP_UNIX_PATH_MAX]; /* NUL-terminated */
    } at;
    uint32_t reserved;
};

#define TP_ADDRESSES_MAX 8

/** What a name stands for, the system's first choice first. */
struct tp_addresses {
    uint32_t count;
    uint32_t reserved;
    struct tp_address items[TP_ADDRESSES_MAX]; /* with port 0: set your own */
};

TP_BEGIN_DECLS

/** a.b.c.d:port */
TP_EXPORT struct tp_address tp_address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d,
                                            uint16_t port);

/** Every interface of this machine, IPv4 and IPv6. */
TP_EXPORT struct tp_address tp_address_any(uint16_t port);

/** Reads the text form; an address without a port gets `default_port`. 0, -EINVAL, or
 * -ENAMETOOLONG (a path). */
TP_EXPORT int tp_address_parse(const char *text, uint16_t default_port,
                               struct tp_address *ret_address);

/** Writes the text form: the shortest, as RFC 5952 has it; "unix:" for an unnamed Unix
 * socket. Returns `ret_text`. */
TP_EXPORT const char *tp_address_print(const struct tp_address *address,
                                       char ret_text[TP_ADDRESS_TEXT]);

/** Whether both name the same place. */
TP_EXPORT bool tp_address_equal(const struct tp_address *a, const struct tp_address *b);

/** Whether only this machine reaches it: 127.0.0.0/8, ::1, or a path. */
TP_EXPORT bool tp_address_is_loopback(const struct tp_address *address);

TP_END_DECLS

#endif
