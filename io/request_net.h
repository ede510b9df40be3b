/** io/request_net.h - requests about sockets, and what else a service waits for: names,
 * work on a thread, signals. The file half is request.h.
 *
 * Sockets are streams: TCP over IPv4 and IPv6, and Unix paths. A stream never loses bytes;
 * one recv may bring any part of what one send took. No signal comes of a send to a peer
 * that is gone: it gives -EPIPE. What bind() gives is a socket for datagrams, which has
 * operations of its own, at the end of this page.
 *
 * What waits for a peer is bounded by the op table only (law 7). Give it a deadline:
 * tp_deadline().
 *
 * Multishot (names ending in `_many`): one operation, many completions, each with TP_MORE
 * in its flags, until the last, which has none and carries nothing: its value is 0
 * (recv_many: the peer has sent all) or an error. A backend that has to stop for another
 * reason (no buffer left, its queue is full) goes on by itself as soon as it can.
 *
 * Close of a socket stops what is pending on it, which completes with -ECANCELED, or with
 * what it came to: no completion of it reaches a socket that gets the number next.
 */
#ifndef TEMPEST_IO_REQUEST_NET_H
#define TEMPEST_IO_REQUEST_NET_H

#include "request.h"

#define TP_BUFS_MAX 16 /* buffers that one send_bufs takes */

/** A socket that takes connections: made, bound (SO_REUSEADDR) and listening. `options`
 * that are about connections are inherited by those that come of it. Result: a fd;
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES; a path: -EADDRINUSE if the name is there, though
 * nobody listens (remove it first), -ENOENT (its directory). */
static inline struct tp_request tp_request_listen(const struct tp_address *address,
                                                  struct tp_socket_options options)
{
    struct tp_request r = tp_request_of_(TP_LISTEN);

    r.a.address = address;
    r.b.socket = options;
    return r;
}

/** A connection to `address`. Result: a fd, connected; -ECONNREFUSED, -ETIMEDOUT,
 * -EHOSTUNREACH, -ENETUNREACH, -EADDRNOTAVAIL (no free port); a path: -ENOENT,
 * -ECONNREFUSED, -EAGAIN (its backlog is full). */
static inline struct tp_request tp_request_connect(const struct tp_address *address,
                                                   struct tp_socket_options options)
{
    struct tp_request r = tp_request_of_(TP_CONNECT);

    r.a.address = address;
    r.b.socket = options;
    return r;
}

/** Kinds whose whole argument is one fd. */
static inline struct tp_request tp_request_fd_(uint16_t kind, struct tp_fd fd)
{
    struct tp_request r = tp_request_of_(kind);

    r.fd = fd;
    return r;
}

/** The next connection. Result: a fd; -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM, -ECONNABORTED:
 * the listener is as it was. */
static inline struct tp_request tp_request_accept(struct tp_fd listener)
{
    return tp_request_fd_(TP_ACCEPT, listener);
}

/** Every connection: each completion is a fd. Ends with an error as accept has them. */
static inline struct tp_request tp_request_accept_many(struct tp_fd listener)
{
    return tp_request_fd_(TP_ACCEPT_MANY, listener);
}

/** Up to buf->capacity bytes into buf->data. Result: bytes, 0 when the peer has sent all;
 * -ECONNRESET, -ETIMEDOUT. The claim sets buf->len. */
static inline struct tp_request tp_request_recv(struct tp_fd fd, struct tp_buf *buf)
{
    struct tp_request r = tp_request_fd_(TP_RECV, fd);

    r.len = buf->capacity;
    r.a.memory = buf->data;
    r.buf = buf;
    return r;
}

/** Whatever comes, each time in a receive buffer of the Io's (see tp_io_give_back()), so an
 * idle connection holds no memory. Ends with 0, -ECONNRESET, -ETIMEDOUT, -ECANCELED. */
static inline struct tp_request tp_request_recv_many(struct tp_fd fd)
{
    return tp_request_fd_(TP_RECV_MANY, fd);
}

/** buf->len bytes of buf->data. Result: bytes, perhaps fewer; -EPIPE, -ECONNRESET. They are
 * with the system then, not with the peer. */
static inline struct tp_request tp_request_send(struct tp_fd fd, struct tp_buf *buf)
{
    struct tp_request r = tp_request_fd_(TP_SEND, fd);

    r.len = buf->len;
    r.a.memory = buf->data;
    r.buf = buf;
    return r;
}

/** The same of several buffers, one after the other: 1 to TP_BUFS_MAX, else -EINVAL. The
 * array and all the memory are on loan. Result: bytes of all together. */
static inline struct tp_request
tp_request_send_bufs(struct tp_fd fd, const struct tp_buf *bufs, uint32_t count)
{
    struct tp_request r = tp_request_fd_(TP_SEND_BUFS, fd);

    r.len = count;
    r.a.bufs = bufs;
    return r;
}

/** Ends one direction or both: TP_SHUT_READ, TP_SHUT_WRITE. -ENOTCONN, -EINVAL (neither).
 */
static inline struct tp_request tp_request_shutdown(struct tp_fd fd, uint16_t how)
{
    struct tp_request r = tp_request_fd_(TP_SHUTDOWN, fd);

    r.flags = how;
    return r;
}

/** Sets the options of a connection; what `options` has as 0 or false and is not a size or
 * a time is switched off. */
static inline struct tp_request tp_request_set_socket(struct tp_fd fd,
                                                      struct tp_socket_options options)
{
    struct tp_request r = tp_request_fd_(TP_SET_SOCKET, fd);

    r.b.socket = options;
    return r;
}

/** The address of this end, into `ret_address`, which is lent until the claim. */
static inline struct tp_request tp_request_local_address(struct tp_fd fd,
                                                         struct tp_address *ret_address)
{
    struct tp_request r = tp_request_fd_(TP_SOCKET_ADDRESS, fd);

    r.len = (uint32_t)sizeof *ret_address;
    r.a.memory = ret_address;
    return r;
}

/** The same, of the other end. -ENOTCONN. A peer that came to an IPv6 socket over IPv4 has
 * its IPv4 address. */
static inline struct tp_request tp_request_peer_address(struct tp_fd fd,
                                                        struct tp_address *ret_address)
{
    struct tp_request r = tp_request_local_address(fd, ret_address);

    r.flags = TP_PEER;
    return r;
}

/* Datagrams: UDP over IPv4 and IPv6. One send_to is one datagram, and one recv_from is one
 * as well: they are never split or joined. On its way each may be lost, come twice, or
 * overtake another, and nobody is told. What streams have (accept, recv, recv_many, send,
 * send_bufs) gives -EOPNOTSUPP on such a socket, and so do these two on a stream's. */

/** A socket for datagrams, bound to `address` (port 0: any free one; tp_address_any():
 * every interface). Of the options it takes the sizes of the buffers, reuse_port and
 * v6_only. Result: a fd; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES; -EAFNOSUPPORT (a path). */
static inline struct tp_request tp_request_bind(const struct tp_address *address,
                                                struct tp_socket_options options)
{
    struct tp_request r = tp_request_of_(TP_BIND);

    r.a.address = address;
    r.b.socket = options;
    return r;
}

/** buf->len bytes of buf->data, as one datagram, which may be empty; the address is copied.
 * Result: buf->len: it is with the system then, and may still be lost. -EMSGSIZE (more than
 * 65507 bytes over IPv4, 65527 over IPv6: nothing is sent), -EINVAL (port 0), -EAFNOSUPPORT
 * (IPv6 from an IPv4 socket, a path), -ENETUNREACH (no way there from this socket),
 * -ENOBUFS. Whether somebody receives at that address is not told. */
static inline struct tp_request tp_request_send_to(struct tp_fd fd, struct tp_buf *buf,
                                                   const struct tp_address *address)
{
    struct tp_request r = tp_request_fd_(TP_SEND_TO, fd);

    r.len = buf->len;
    r.a.memory = buf->data;
    r.b.address = address;
    r.buf = buf;
    return r;
}

/** The next datagram, up to buf->capacity bytes of it, into buf->data; and who has sent it,
 * into `ret_datagram`, which is lent like the buffer. Result: bytes that were stored, 0 for
 * an empty datagram (there is no end to read). One that is longer than the buffer is cut,
 * and says so: TP_TRUNCATED. The claim sets buf->len. A sender that came to an IPv6 socket
 * over IPv4 has its IPv4 address. */
static inline struct tp_request tp_request_recv_from(struct tp_fd fd, struct tp_buf *buf,
                                                     struct tp_datagram *ret_datagram)
{
    struct tp_request r = tp_request_fd_(TP_RECV_FROM, fd);

    r.len = buf->capacity;
    r.a.memory = buf->data;
    r.b.datagram = ret_datagram;
    r.buf = buf;
    return r;
}

/** What a host name stands for (getaddrinfo(3)). Result: how many addresses, at least 1;
 * -ENOENT: no such name; -EAGAIN: nobody who could say answered. `ret_addresses` is lent.
 */
static inline struct tp_request tp_request_resolve(const char *name,
                                                   struct tp_addresses *ret_addresses)
{
    struct tp_request r = tp_request_of_(TP_RESOLVE);

    r.len = (uint32_t)sizeof *ret_addresses;
    r.a.memory = ret_addresses;
    r.b.path = name;
    return r;
}

/** Runs work(context) on a thread of the Io's bounded pool; its value, >= 0 or -errno, is
 * the result. It may block, and must touch nothing that the owner's thread uses before the
 * claim. Once it runs, cancel does not stop it. In the simulated world it runs in line, so
 * it must depend on nothing but `context`. */
static inline struct tp_request tp_request_offload(int32_t (*work)(void *context),
                                                   void *context)
{
    struct tp_request r = tp_request_of_(TP_OFFLOAD);

    r.a.work = work;
    r.b.context = context;
    return r;
}

/** The next signal of the set (enum tp_signal) that comes to this process. Result: which.
 * The program has blocked them before, in every thread (sigprocmask(2)); -EINVAL if not:
 * no disposition is changed here. One that comes while nobody asks stays pending. */
static inline struct tp_request tp_request_signal(uint32_t signals)
{
    struct tp_request r = tp_request_of_(TP_SIGNAL);

    r.a.signals = signals;
    return r;
}

#endif
