#include "sockaddr_internal.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == TP_UNIX_PATH_MAX,
               "any path of a tp_address fits");

socklen_t tp_posix_sockaddr_from(const struct tp_address *address,
                                 struct sockaddr_storage *ret_address)
{
    memset(ret_address, 0, sizeof *ret_address);
    if (address->family == TP_ADDRESS_IPV4) {
        struct sockaddr_in *to = (struct sockaddr_in *)(void *)ret_address;

        to->sin_family = AF_INET;
        to->sin_port = htons(address->port);
        memcpy(&to->sin_addr, address->at.ipv4, sizeof address->at.ipv4);
    } else if (address->family == TP_ADDRESS_IPV6) {
        struct sockaddr_in6 *to = (struct sockaddr_in6 *)(void *)ret_address;

        to->sin6_family = AF_INET6;
        to->sin6_port = htons(address->port);
        to->sin6_scope_id = address->scope;
        memcpy(&to->sin6_addr, address->at.ipv6, sizeof address->at.ipv6);
    } else {
        struct sockaddr_un *to = (struct sockaddr_un *)(void *)ret_address;

        tp_assert(address->family == TP_ADDRESS_UNIX);
        to->sun_family = AF_UNIX;
        memcpy(to->sun_path, address->at.path, strnlen(address->at.path, TP_UNIX_PATH_MAX));
    }
    return tp_posix_sockaddr_len(ret_address);
}

socklen_t tp_posix_sockaddr_len(const struct sockaddr_storage *address)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)address;

    if (address->ss_family == AF_INET)
        return sizeof(struct sockaddr_in);
    if (address->ss_family == AF_INET6)
        return sizeof(struct sockaddr_in6);
    tp_assert(address->ss_family == AF_UNIX);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                       strnlen(local->sun_path, TP_UNIX_PATH_MAX - 1) + 1);
}

static struct tp_address from_ipv6(const struct sockaddr_in6 *from)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct tp_address to = {.port = ntohs(from->sin6_port)};

    if (memcmp(&from->sin6_addr, mapped, sizeof mapped) == 0) {
        to.family = TP_ADDRESS_IPV4;
        memcpy(to.at.ipv4, (const uint8_t *)&from->sin6_addr + sizeof mapped,
               sizeof to.at.ipv4);
    } else {
        to.family = TP_ADDRESS_IPV6;
        to.scope = from->sin6_scope_id;
        memcpy(to.at.ipv6, &from->sin6_addr, sizeof to.at.ipv6);
    }
    return to;
}

struct tp_address tp_posix_sockaddr_to(const struct sockaddr_storage *from,
                                       socklen_t len_bytes)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)from;
    const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)from;
    struct tp_address to = {.family = TP_ADDRESS_NONE};
    size_t path_len;

    if (len_bytes >= sizeof *ipv4 && from->ss_family == AF_INET) {
        to.family = TP_ADDRESS_IPV4;
        to.port = ntohs(ipv4->sin_port);
        memcpy(to.at.ipv4, &ipv4->sin_addr, sizeof to.at.ipv4);
        return to;
    }
    if (len_bytes >= sizeof(struct sockaddr_in6) && from->ss_family == AF_INET6)
        return from_ipv6((const struct sockaddr_in6 *)(const void *)from);
    if (len_bytes <= offsetof(struct sockaddr_un, sun_path) || from->ss_family != AF_UNIX)
        return to;
    path_len = strnlen(local->sun_path, len_bytes - offsetof(struct sockaddr_un, sun_path));
    if (path_len == 0 || path_len >= TP_UNIX_PATH_MAX)
        return to; /* an abstract name, or a path that no tp_address holds */
    to.family = TP_ADDRESS_UNIX;
    memcpy(to.at.path, local->sun_path, path_len);
    return to;
}
