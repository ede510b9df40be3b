/* Sockets, names and other people's work by plain calls; on a worker thread. */
#include "blocking_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"
#include "io/posix/sockaddr_internal.h"
#include "io/posix/system_internal.h"

#define BACKLOG_USUAL   4096
#define KEEP_ALIVE_MAX  32767 /* seconds; more is EINVAL */
#define KEEP_ALIVE_LOST 3     /* probes without an answer end a connection */

/* ------------------------------------------------------------------ options */

static int32_t set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int32_t set_size(int fd, int name, uint32_t bytes)
{
    if (bytes == 0)
        return 0;
    return set(fd, SOL_SOCKET, name, bytes > INT32_MAX ? INT32_MAX : (int)bytes);
}

/* A peer that is gone is noticed after about twice the silence that was asked for. */
static int32_t set_keep_alive(int fd, int silence_s)
{
    const int idle_s = silence_s > KEEP_ALIVE_MAX ? KEEP_ALIVE_MAX : silence_s;
    const int between_s = idle_s / KEEP_ALIVE_LOST;
    int32_t error = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);

    return error < 0 ? error
                     : tp_posix_keep_alive(fd, idle_s, between_s > 0 ? between_s : 1,
                                           KEEP_ALIVE_LOST);
}

static int32_t set_sizes(int fd, const struct tp_socket_options *options)
{
    const int32_t error = set_size(fd, SO_RCVBUF, options->recv_buffer_bytes);

    return error < 0 ? error : set_size(fd, SO_SNDBUF, options->send_buffer_bytes);
}

/* What is about connections. Those of TCP mean nothing to a Unix socket. */
static int32_t set_options(int fd, int family, const struct tp_socket_options *options)
{
    int32_t error = set_sizes(fd, options);

    if (family == AF_UNIX)
        return error;
    if (error == 0)
        error = options->keep_alive_s > 0 ? set_keep_alive(fd, options->keep_alive_s)
                                          : set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    if (error == 0)
        error = set(fd, IPPROTO_TCP, TCP_NODELAY, options->no_delay);
    return error;
}

static int32_t set_socket(int fd, const struct tp_socket_options *options)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof own;
    int type = 0;
    socklen_t type_len = sizeof type;

    if (getsockname(fd, (struct sockaddr *)(void *)&own, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0)
        return -errno;
    if (type == SOCK_DGRAM)
        return set_sizes(fd, options);
    return set_options(fd, own.ss_family, options);
}

/* ------------------------------------------------------------------ life */

/* `type`: SOCK_STREAM, for a listener, or SOCK_DGRAM. Two sockets that share a port by
 * SO_REUSEADDR would take each other's datagrams. */
static int32_t set_for_binding(int fd, int type, int family,
                               const struct tp_socket_options *options)
{
    int32_t error =
        type == SOCK_STREAM ? set_options(fd, family, options) : set_sizes(fd, options);

    if (family == AF_UNIX)
        return error;
    if (error == 0 && type == SOCK_STREAM)
        error = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && options->reuse_port)
        error = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (error == 0 && family == AF_INET6)
        error = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6_only);
    return error;
}

/* A listener, or a socket for datagrams. */
static int32_t bind_at(int type, const struct sockaddr_storage *address,
                       const struct tp_socket_options *options)
{
    const int family = address->ss_family;
    const int fd = socket(family, type | SOCK_CLOEXEC, 0);
    int32_t error;

    if (fd < 0)
        return -errno;
    error = set_for_binding(fd, type, family, options);
    if (error == 0 && bind(fd, (const struct sockaddr *)(const void *)address,
                           tp_posix_sockaddr_len(address)) != 0)
        error = -errno;
    if (error == 0 && type == SOCK_STREAM &&
        listen(fd, options->backlog != 0 ? options->backlog : BACKLOG_USUAL) != 0)
        error = -errno;
    if (error == 0)
        return fd;
    (void)close(fd);
    return error;
}

/* A machine without IPv6 has no "every interface, IPv4 and IPv6"; it has the first half. */
static int32_t bind_somewhere(int type, const struct sockaddr_storage *address,
                              const struct tp_socket_options *options)
{
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)address;
    struct tp_address every = {.family = TP_ADDRESS_IPV4};
    struct sockaddr_storage ipv4;
    int32_t result = bind_at(type, address, options);

    if ((result != -EAFNOSUPPORT && result != -EADDRNOTAVAIL) || options->v6_only ||
        address->ss_family != AF_INET6 ||
        memcmp(&ipv6->sin6_addr, &in6addr_any, sizeof in6addr_any) != 0)
        return result;
    every.port = ntohs(ipv6->sin6_port);
    (void)tp_posix_sockaddr_from(&every, &ipv4);
    return bind_at(type, &ipv4, options);
}

/* A socket that can connect; in the ring then, since that may take for ever. A path never
 * does: it is connected here. */
static int32_t prepare_to_connect(const struct sockaddr_storage *address,
                                  const struct tp_socket_options *options)
{
    const int family = address->ss_family;
    const int fd = socket(
        family, SOCK_STREAM | SOCK_CLOEXEC | (family == AF_UNIX ? SOCK_NONBLOCK : 0), 0);
    int32_t error;

    if (fd < 0)
        return -errno;
    error = set_options(fd, family, options);
    if (error == 0 && family == AF_UNIX) {
        if (connect(fd, (const struct sockaddr *)(const void *)address,
                    tp_posix_sockaddr_len(address)) != 0 ||
            fcntl(fd, F_SETFL, O_RDWR) != 0)
            error = -errno;
    }
    if (error == 0)
        return fd;
    (void)close(fd);
    return error;
}

/* ------------------------------------------------------------------ addresses */

static int32_t socket_address(const struct tp_request *request)
{
    struct sockaddr_storage raw;
    socklen_t len = sizeof raw;
    struct tp_address address;
    const int fd = (int)request->fd.number;
    const int error = (request->flags & TP_PEER) != 0
                          ? getpeername(fd, (struct sockaddr *)(void *)&raw, &len)
                          : getsockname(fd, (struct sockaddr *)(void *)&raw, &len);

    if (error != 0)
        return -errno;
    address = tp_posix_sockaddr_to(&raw, len);
    tp_posix_store(request->a.memory, &address, sizeof address);
    return 0;
}

static int32_t resolve(const struct tp_request *request)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct tp_addresses found = {.count = 0};
    struct addrinfo *list = NULL;
    const int error = getaddrinfo(request->b.path, NULL, &hints, &list);

    if (error != 0)
        return tp_posix_resolve_error(error);
    for (const struct addrinfo *at = list; at != NULL && found.count < TP_ADDRESSES_MAX;
         at = at->ai_next) {
        struct sockaddr_storage raw;

        if (at->ai_addrlen > sizeof raw)
            continue;
        memcpy(&raw, at->ai_addr, at->ai_addrlen);
        found.items[found.count] = tp_posix_sockaddr_to(&raw, at->ai_addrlen);
        if (found.items[found.count].family != TP_ADDRESS_NONE)
            found.count++;
    }
    freeaddrinfo(list);
    if (found.count == 0)
        return -ENOENT;
    tp_posix_store(request->a.memory, &found, sizeof found);
    return (int32_t)found.count;
}

/* ------------------------------------------------------------------ dispatch */

int32_t tp_posix_run_service(const struct tp_request *request,
                             const struct sockaddr_storage *address)
{
    const int fd = (int)request->fd.number;
    int how;

    switch (request->kind) {
    case TP_LISTEN:
        return bind_somewhere(SOCK_STREAM, address, &request->b.socket);
    case TP_BIND:
        return bind_somewhere(SOCK_DGRAM, address, &request->b.socket);
    case TP_CONNECT:
        return prepare_to_connect(address, &request->b.socket);
    case TP_SHUTDOWN:
        how = tp_posix_shutdown_how(request);
        return shutdown(fd, how) == 0 ? 0 : -errno;
    case TP_SET_SOCKET:
        return set_socket(fd, &request->b.socket);
    case TP_SOCKET_ADDRESS:
        return socket_address(request);
    case TP_RESOLVE:
        return resolve(request);
    case TP_OFFLOAD:
        return request->a.work(request->b.context);
    default:
        tp_unreachable();
    }
}
