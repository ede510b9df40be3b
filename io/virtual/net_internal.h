/** io/virtual/net_internal.h - how a network is kept. Reading order of the files:
 *
 *     net.c          create, destroy, configure
 *     net_host.c     hosts, their addresses and ports; names
 *     net_wire.c     packets on their way: when they arrive, and what happens to them
 *     net_pipe.c     one direction of a stream: bytes and positions
 *     net_socket.c   sockets: made, freed, found; listen and accept
 *     net_tcp.c      handshake, segments, RST, as they arrive
 *     net_retry.c    what is lost is sent again, until it times out; keep-alive
 *     net_stream.c   send, receive, shut down, close
 *     net_unix.c     sockets with a path: the same without a way in between
 *     net_datagram.c sockets for datagrams, and datagrams on their way
 *     net_check.c    invariants
 *
 * The functions of the second half are what VirtualIo calls (sockets.c), and `ready` is
 * what is called back. -EAGAIN means: not now; `ready` will say when.
 */
#ifndef TEMPEST_IO_VIRTUAL_NET_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_NET_INTERNAL_H

#include "../request.h"
#include "net.h"
#include "pool.h"
#include "world_internal.h"

#define TP_PORT_FIRST UINT32_C(32768) /* ephemeral ports, as Linux has them */
#define TP_PORT_LAST  UINT32_C(60999) /* at most: the config says how many */

enum tp_net_ready {
    TP_NET_IN = 1,  /* something to receive or to accept, the end, an error */
    TP_NET_OUT = 2, /* room to send, connected, an error */
};

/** Told to the process that has a socket, under the number it gave it. */
typedef void tp_net_ready_fn(void *context, uint32_t owner, uint32_t ready);

struct tp_net_host {
    bool used, up;
    uint32_t node; /* whose streams of the tape */
    uint32_t boot; /* power cuts so far */
    uint32_t address_count;
    uint32_t next_port;
    uint32_t datagrams; /* the list of its sockets for datagrams */
    uint32_t next_datagram_port;
    struct tp_address addresses[TP_NET_ADDRESSES_MAX];
    tp_net_ready_fn *ready; /* of the process; NULL: there is none */
    void *context;
    uint64_t ports[(TP_PORT_LAST - TP_PORT_FIRST) / 64 + 1]; /* ephemeral ones in use */
};

/** Keeps packets of one direction in their order. */
struct tp_net_wire {
    uint64_t last_ns;
    uint32_t last_tie;
};

/** The way from one host to another. */
struct tp_net_way {
    struct tp_net_link link;
    uint64_t free_ns;    /* when its queue is empty */
    uint64_t clogged_ns; /* nothing arrives before */
    struct tp_net_wire datagrams;
    bool broken;
};

/** One direction of a stream. written >= sent >= arrived >= read, and acked <= arrived,
 * but for repetitions, which begin at acked again. Bytes from `read` to `written` are in
 * the chunks. The sender's kernel knows written, sent, acked and edge, the receiver's
 * arrived and read. */
struct tp_net_pipe {
    uint32_t next_free; /* the pool's */
    uint32_t refs;
    uint32_t first, last; /* chunks */
    uint32_t offset;      /* of `read` in the first */
    uint64_t written, sent, arrived, read, acked;
    uint64_t edge; /* the receiver has room up to here, as far as the sender knows */
    bool fin_written, fin_sent, fin_arrived, fin_acked;
};

#define TP_CHUNK_BYTES 4096

struct tp_net_chunk {
    uint32_t next;
    uint32_t reserved;
    uint8_t bytes[TP_CHUNK_BYTES];
};

enum tp_socket_state {
    TP_SOCKET_FREE,
    TP_SOCKET_BOUND, /* was listening, and no longer does */
    TP_SOCKET_LISTENING,
    TP_SOCKET_CONNECTING, /* SYN sent */
    TP_SOCKET_EMBRYO,     /* SYN received: a listener's, not in its queue yet */
    TP_SOCKET_OPEN,
    TP_SOCKET_DATAGRAMS,
    TP_SOCKET_DEAD, /* by RST, time-out or a failed connect; its owner may not know yet */
};

struct tp_socket {
    uint32_t next;  /* in the network's list of listeners, in a listener's queue, or in its
                       host's list of sockets for datagrams */
    uint8_t state;  /* enum tp_socket_state */
    uint8_t family; /* of the stream: TP_ADDRESS_IPV4, _IPV6, _UNIX */
    bool owned;     /* a process has it */
    bool queued;    /* in a listener's queue */
    bool shut_read;
    bool silent;     /* a fault: nobody answers this connection */
    bool has_port;   /* an ephemeral one that is its own */
    bool retrying;   /* a timer is set */
    bool alive_set;  /* a timer of keep-alive is set */
    uint64_t serial; /* of this life of the index */
    int32_t error;   /* that the next operation gets, negative; 0: none */
    uint32_t host, owner;
    uint32_t peer, peer_host, peer_boot;
    uint64_t peer_serial;
    uint32_t out, in; /* pipes */
    struct tp_address local, remote;
    struct tp_socket_options options;
    uint32_t send_bytes, recv_bytes; /* sizes of buffers */
    uint64_t advertised;             /* the edge that the peer was told last */
    struct tp_net_wire wire;         /* to the peer */
    /* a listener's */
    uint32_t parent; /* of an embryo or one in the queue */
    uint64_t parent_serial;
    uint32_t queue_first, queue_last, queue_count, embryos, backlog;
    uint32_t inode; /* that a path names */
    /* of datagrams */
    uint32_t inbox_first, inbox_last; /* messages that have arrived */
    uint64_t inbox_bytes;             /* that count against recv_bytes */
    /* repetition */
    uint32_t retries;
    uint32_t probes;   /* of keep-alive, unanswered */
    uint64_t stuck_ns; /* since when nothing gets through; 0: it does */
    uint64_t heard_ns; /* when something came from the peer */
};

enum tp_packet_type {
    TP_PACKET_SYN,
    TP_PACKET_SYN_ACK,
    TP_PACKET_SEGMENT, /* data, FIN, acknowledgement, window, in any combination */
    TP_PACKET_RST,
    TP_PACKET_DATAGRAM,
    TP_PACKET_RETRY, /* timers of the socket `to`: */
    TP_PACKET_KEEP_ALIVE,
    TP_PACKET_UNREACHABLE, /* nobody has that address */
};

struct tp_packet {
    uint32_t next_free; /* the pool's */
    uint8_t type;       /* enum tp_packet_type */
    bool payload;       /* wants an acknowledgement: data, FIN, a probe */
    bool data;          /* has new bytes, as far as the sender knows */
    bool fin, ack_fin;
    uint32_t from, to; /* sockets */
    uint64_t from_serial, to_serial;
    uint32_t from_host, to_host;
    uint32_t to_boot;
    uint64_t upto; /* bytes of the stream, this packet's included */
    uint64_t ack, edge;
    uint32_t message; /* a datagram's */
};

/** A datagram, whole. */
struct tp_net_message {
    uint32_t next_free; /* the pool's */
    uint32_t next;      /* in an inbox */
    uint32_t first;     /* chunk */
    uint32_t len;
    uint64_t number; /* of all that were sent; one that comes twice has one */
    struct tp_address from, to;
};

struct tp_net_name {
    uint32_t next_free;
    char name[256];
    struct tp_addresses addresses;
};

struct tp_net {
    struct tp_net_config config; /* defaults filled in */
    const struct tp_allocator *allocator;
    struct tp_world *world;
    uint32_t party;
    struct tp_tape *tape, *own_tape;
    struct tp_net_faults faults;
    bool faulty;               /* any of them is set */
    struct tp_net_host *hosts; /* by number, 1 to hosts_max */
    uint16_t *places;          /* hash table: address to host; at most half full */
    uint32_t place_mask;
    struct tp_net_way *ways; /* by both numbers */
    struct tp_pool sockets, pipes, packets, chunks, messages, names;
    uint32_t listeners; /* the list of all that listen */
    uint64_t serial;
    struct tp_net_stats stats;
    /* For who looks on: */
    uint32_t mailed_to; /* the host of the datagram that was sent last; 0: there is none */
    uint64_t mail_read; /* the number of the one that was received last */
};

static inline struct tp_socket *tp_socket_at(const struct tp_net *net, uint32_t socket)
{
    return tp_pool_at(&net->sockets, socket);
}

static inline struct tp_net_pipe *tp_pipe_at(const struct tp_net *net, uint32_t pipe)
{
    return tp_pool_at(&net->pipes, pipe);
}

static inline struct tp_net_chunk *tp_chunk_at(const struct tp_net *net, uint32_t chunk)
{
    return tp_pool_at(&net->chunks, chunk);
}

/* A chunk whose bytes are to be written. */
static inline uint32_t tp_chunk_take(struct tp_net *net)
{
    return tp_pool_take_head(&net->chunks, offsetof(struct tp_net_chunk, bytes),
                             net->allocator);
}

static inline struct tp_net_way *tp_way_at(const struct tp_net *net, uint32_t from,
                                           uint32_t to)
{
    tp_assert(from > 0 && from <= net->config.hosts_max);
    tp_assert(to > 0 && to <= net->config.hosts_max);
    return &net->ways[(size_t)(from - 1) * net->config.hosts_max + to - 1];
}

static inline uint64_t tp_net_draw(struct tp_net *net, uint32_t host, enum tp_draw kind,
                                   uint64_t bound)
{
    return tp_tape_draw(net->tape, tp_stream(net->hosts[host].node, TP_CONCERN_NETWORK),
                        kind, bound);
}

/* ------------------------------------------------------------------ net_host.c */

/** A host comes up: a new one, or one that is there already under one of the addresses.
 * Result: its number; -EADDRINUSE (a process has an address), -ENOSPC. */
int32_t tp_net_attach(struct tp_net *net, uint32_t node, const struct tp_address *addresses,
                      uint32_t count, tp_net_ready_fn *ready, void *context);
/** Its process has ended, and closed its sockets. */
void tp_net_detach(struct tp_net *net, uint32_t host);
/** Its power goes, and its process: all its sockets are gone, and nobody is told. */
void tp_net_power_cut(struct tp_net *net, uint32_t host);
/** Entries of the table of addresses, for so many hosts. */
uint32_t tp_net_places(uint32_t hosts_max);
/** The host that has an address, as `from` sees it; 0: none. */
uint32_t tp_net_host_of(const struct tp_net *net, uint32_t from,
                        const struct tp_address *address);
/** Whether a socket of the host may be bound to it. */
bool tp_net_is_local(const struct tp_net *net, uint32_t host,
                     const struct tp_address *address);
/** The address from which a host talks to another one. False: it has none. */
bool tp_net_source(const struct tp_net *net, uint32_t host, const struct tp_address *remote,
                   struct tp_address *ret_source);
/** A free ephemeral port, taken; 0: none. Never `except`. */
uint16_t tp_net_take_port(struct tp_net *net, uint32_t host, uint16_t except);
/** Notes that an ephemeral port is in use, or no longer. Others are no business of this. */
void tp_net_mark_port(struct tp_net *net, uint32_t host, uint16_t port, bool used);
bool tp_net_port_used(const struct tp_net *net, uint32_t host, uint16_t port);
bool tp_address_is_any(const struct tp_address *address);
/** Where it is, seen from a host: the unspecified address is the host itself. */
struct tp_address tp_address_target(const struct tp_address *address);
/** An IPv4 address that is in IPv6's form, in its own; what is not stays. */
struct tp_address tp_address_unmap(const struct tp_address *address);

/* ------------------------------------------------------------------ net_wire.c */

void tp_net_due(void *context, uint32_t what);
/** Sends a packet; `wire` (or NULL) keeps it behind those before. */
void tp_net_post(struct tp_net *net, const struct tp_packet *packet,
                 struct tp_net_wire *wire, uint32_t data_bytes);
/** When `data_bytes` that are handed to the way now have left it. */
uint64_t tp_net_leave(struct tp_net *net, struct tp_net_way *way, uint32_t data_bytes);
/** Makes it arrive behind those before. */
void tp_net_line_up(struct tp_net_wire *wire, uint64_t *at_ns, uint32_t *tie);
/** From now on nothing arrives over this way, for as long as is drawn. */
void tp_net_begin_clog(struct tp_net *net, uint32_t host, struct tp_net_way *way);
/** It is on its way, and arrives then. */
void tp_net_set_out(struct tp_net *net, const struct tp_packet *packet, uint64_t at_ns,
                    uint32_t tie);
/** Sets a timer of a socket. */
void tp_net_timer(struct tp_net *net, uint32_t socket, enum tp_packet_type type,
                  uint64_t at_ns);

/* ------------------------------------------------------------------ net_pipe.c */

uint32_t tp_pipe_make(struct tp_net *net);
void tp_pipe_unref(struct tp_net *net, uint32_t pipe);
void tp_pipe_write(struct tp_net *net, uint32_t pipe, const uint8_t *bytes, uint32_t len);
void tp_pipe_read(struct tp_net *net, uint32_t pipe, uint8_t *ret_bytes, uint32_t len);
/** The sender is gone: what was not sent never will be. */
void tp_pipe_cut(struct tp_net *net, uint32_t pipe);
/** Gives back a chunk, and all behind it; 0: nothing. */
void tp_chunks_drop(struct tp_net *net, uint32_t first);

/* ------------------------------------------------------------------ net_socket.c */

uint32_t tp_socket_make(struct tp_net *net, uint32_t host, uint8_t family,
                        const struct tp_socket_options *options);
void tp_socket_free(struct tp_net *net, uint32_t socket);
/** Begins to listen, and stops: what nobody will accept ends. */
void tp_socket_listen(struct tp_net *net, uint32_t socket);
void tp_socket_stop_listening(struct tp_net *net, uint32_t listener);
/** Whether it has a peer, and not everything between them is over. */
bool tp_socket_is_connected(const struct tp_net *net, const struct tp_socket *s);
bool tp_socket_is(const struct tp_net *net, uint32_t socket, uint64_t serial);
/** Tells the owner. */
void tp_socket_ready(struct tp_net *net, uint32_t socket, uint32_t ready);
/** It has ended by an error, which its owner will see; without an owner it is gone. */
void tp_socket_die(struct tp_net *net, uint32_t socket, int32_t error);
/** Notes who is at the other end. */
void tp_socket_join(struct tp_net *net, uint32_t socket, uint32_t peer);
/** The one of a list (net->listeners, a host's datagrams) that a connection or a datagram
 * to the address is for; 0: none. */
uint32_t tp_socket_find(const struct tp_net *net, uint32_t list, uint32_t host,
                        const struct tp_address *to, uint16_t from_port);
/** Whether two of a list cannot have these addresses at the same time. */
bool tp_socket_collide(const struct tp_socket *a, const struct tp_socket *b);
/** Takes it out of a list. */
void tp_socket_unlist(struct tp_net *net, uint32_t *list, uint32_t socket);
bool tp_socket_is_full(const struct tp_socket *listener);
/** A connection is ready to be accepted. */
void tp_socket_queue(struct tp_net *net, uint32_t listener, uint32_t socket);

/* ------------------------------------------------------------------ net_tcp.c,
 * net_retry.c */

void tp_tcp_arrived(struct tp_net *net, const struct tp_packet *packet);
/** Sends what the window allows; `again`: small ones, too. */
void tp_tcp_transmit(struct tp_net *net, uint32_t socket, bool again);
void tp_tcp_acknowledge(struct tp_net *net, uint32_t socket);
void tp_tcp_probe(struct tp_net *net, uint32_t socket);
void tp_tcp_reset(struct tp_net *net, uint32_t socket);
void tp_tcp_syn(struct tp_net *net, uint32_t socket);
void tp_tcp_syn_ack(struct tp_net *net, uint32_t socket);
/** Frees a socket that no process has, once its kernel has nothing left to do. */
void tp_tcp_settle(struct tp_net *net, uint32_t socket);
void tp_tcp_lost(struct tp_net *net, const struct tp_packet *packet);
void tp_tcp_retry(struct tp_net *net, uint32_t socket);
void tp_tcp_keep_alive(struct tp_net *net, uint32_t socket);
/** Begins to watch over an idle connection, if that was asked for. */
void tp_tcp_watch(struct tp_net *net, uint32_t socket);
/** Something came from the peer. */
void tp_tcp_heard(struct tp_net *net, uint32_t socket);

/* ------------------------------------------------------------------ net_unix.c */

int32_t tp_unix_shutdown(struct tp_net *net, uint32_t socket, bool read, bool write);
void tp_unix_close(struct tp_net *net, uint32_t socket);
/** One end is closed; `error` for the other, if it is not 0. */
void tp_unix_hang_up(struct tp_net *net, uint32_t socket, int32_t error);

/* ------------------------------------------------------------------ net_datagram.c */

/** Its inbox is emptied, and it hears nothing any more. */
void tp_datagrams_end(struct tp_net *net, uint32_t socket);
void tp_datagram_arrived(struct tp_net *net, const struct tp_packet *packet);
/** It will not arrive. */
void tp_datagram_lost(struct tp_net *net, const struct tp_packet *packet);

/* ------------------------------------------------------------------ for VirtualIo:
 * net_socket.c, net_stream.c, net_unix.c */

/** Results: 0, or -errno. */
int32_t tp_net_listen(struct tp_net *net, uint32_t host, const struct tp_address *address,
                      const struct tp_socket_options *options, uint32_t *ret_socket);
/** Begins; the outcome is tp_net_connected()'s. */
int32_t tp_net_connect(struct tp_net *net, uint32_t host, const struct tp_address *address,
                       const struct tp_socket_options *options, uint32_t *ret_socket);
int32_t tp_net_connected(struct tp_net *net, uint32_t socket);
int32_t tp_net_listen_path(struct tp_net *net, uint32_t host, uint32_t inode,
                           const struct tp_address *address,
                           const struct tp_socket_options *options, uint32_t *ret_socket);
int32_t tp_net_connect_path(struct tp_net *net, uint32_t host, uint32_t inode,
                            const struct tp_socket_options *options, uint32_t *ret_socket);
/** A socket for datagrams. */
int32_t tp_net_bind(struct tp_net *net, uint32_t host, const struct tp_address *address,
                    const struct tp_socket_options *options, uint32_t *ret_socket);
/** Sends one; its length, or -errno. */
int32_t tp_net_send_to(struct tp_net *net, uint32_t socket, const struct tp_address *to,
                       const uint8_t *bytes, uint32_t len);
/** Takes the next one: the bytes of it that are stored, or -EAGAIN. */
int32_t tp_net_recv_from(struct tp_net *net, uint32_t socket, uint8_t *ret_bytes,
                         uint32_t len, struct tp_datagram *ret_datagram);
/** Says who has it, for `ready`. */
void tp_net_own(struct tp_net *net, uint32_t socket, uint32_t owner);
int32_t tp_net_accept(struct tp_net *net, uint32_t listener, uint32_t *ret_socket);
/** Bytes that a receive would bring, 0 at the end, or -errno; takes nothing but the error.
 */
int32_t tp_net_readable(struct tp_net *net, uint32_t socket);
/** Takes bytes that are there. */
void tp_net_recv(struct tp_net *net, uint32_t socket, uint8_t *ret_bytes, uint32_t len);
/** Bytes that a send of `len` could hand over; or -errno. */
int32_t tp_net_writable(struct tp_net *net, uint32_t socket, uint32_t len);
/** Hands over bytes for which there is room; tp_net_push() sends them on their way. */
void tp_net_send(struct tp_net *net, uint32_t socket, const uint8_t *bytes, uint32_t len);
void tp_net_push(struct tp_net *net, uint32_t socket);
int32_t tp_net_shutdown(struct tp_net *net, uint32_t socket, bool read, bool write);
void tp_net_close(struct tp_net *net, uint32_t socket);
void tp_net_set_options(struct tp_net *net, uint32_t socket,
                        const struct tp_socket_options *options);
int32_t tp_net_address(const struct tp_net *net, uint32_t socket, bool peer,
                       struct tp_address *ret_address);
/** Addresses of a name; how many, or -errno. */
int32_t tp_net_resolve(struct tp_net *net, uint32_t host, const char *name,
                       struct tp_addresses *ret_addresses);

#endif
