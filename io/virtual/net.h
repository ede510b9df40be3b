/** io/virtual/net.h - the virtual network, seen from outside: hosts, links, what goes
 * wrong.
 *
 * A network belongs to a world (world.h), and VirtualIos attach to it, each as a host with
 * addresses; one that was given no network has one of its own, with itself as the only
 * host. What it models is TCP and UDP as Linux has them: see docs/simulation.md. A stream
 * never loses bytes; what is lost on the way is sent again, which takes time, and in the
 * end -ETIMEDOUT. A datagram that is lost is lost.
 *
 *     tp_world_create(NULL, &world);
 *     tp_net_create(NULL, world, &net);
 *     struct tp_virtual_io_config config = {
 *         .world = world, .net = net, .addresses = &address, .address_count = 1};
 *     ... two of these, and a host that drives both ...
 *
 * Every host reaches itself as 127.0.0.1 (all of 127.0.0.0/8) and ::1, and as its own
 * addresses. It reaches others only from an address of its own of the same family.
 *
 * A host outlives its Io. After an orderly end or a kill its kernel still answers: what was
 * sent arrives, then FIN or RST as a close gives them; who connects is refused. After a
 * power cut it is silent, until an Io attaches with the same addresses: then it answers RST
 * to all that was before.
 *
 * Every link is directed: from one host to another. Each latency and each fault is a draw
 * on the stream of the sending host's node, concern TP_CONCERN_NETWORK.
 *
 * Hosts are named by tp_virtual_io_host(); the number stays the same when an Io comes back.
 */
#ifndef TEMPEST_IO_VIRTUAL_NET_H
#define TEMPEST_IO_VIRTUAL_NET_H

#include "../address.h"
#include "tape.h"
#include "world.h"

struct tp_net; /* net_internal.h */

#define TP_NET_ADDRESSES_MAX 4 /* of a host, its loopback not counted */

/** A way from one host to another, or a host's to itself. */
struct tp_net_link {
    struct tp_virtual_latency latency; /* of every packet */
    uint32_t segment_max;   /* bytes that one packet carries; 0: 65536. 1: byte by byte */
    uint32_t split_ppm;     /* packets that arrive as two, in millionths */
    uint32_t loss_ppm;      /* packets that have to be sent again, besides the faults'; of
                               datagrams, those that are lost */
    uint32_t duplicate_ppm; /* datagrams that come twice, besides the faults' */
    uint32_t reorder_ppm;   /* datagrams that others may overtake, besides the faults' */
    uint32_t queue_bytes; /* that wait for a narrow link, at most; 0: without a bound. When
                             it is full, a stream waits in front of it, and a datagram is
                             dropped */
    uint32_t reserved;
    uint64_t bytes_per_s; /* 0: no limit, and no queue */
};

/** What goes wrong, in millionths; all zero: nothing. */
struct tp_net_faults {
    uint32_t loss_ppm;      /* packets that have to be sent again: they come late; of
                               datagrams, those that are lost */
    uint32_t clog_ppm;      /* packets before which the link stands still for a while */
    uint32_t reset_ppm;     /* packets with data at some byte of which both ends get RST */
    uint32_t refuse_ppm;    /* connections that are refused */
    uint32_t silence_ppm;   /* connections that nobody answers */
    uint32_t resolve_ppm;   /* names that nobody can resolve now: -EAGAIN */
    uint32_t duplicate_ppm; /* datagrams that come twice */
    uint32_t reorder_ppm;   /* datagrams that others may overtake */
    uint64_t clog_max_ns;   /* the longest clog; 0: 10 s */
};

/** What becomes of a connection to an address that no host has. */
enum tp_net_unknown {
    TP_NET_HOST_UNREACHABLE, /* -EHOSTUNREACH after 3 s */
    TP_NET_BLACK_HOLE,       /* -ETIMEDOUT after connect_timeout_ns */
    TP_NET_NO_ROUTE,         /* -ENETUNREACH at once */
};

/** All zero gives the defaults, which are after the semicolons. */
struct tp_net_config {
    uint32_t size;      /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t hosts_max; /* 16 */
    uint64_t seed;      /* for a tape of the network's own; ignored when `tape` is given */
    struct tp_tape *tape;        /* the choices; one from `seed`, not recorded */
    struct tp_net_link loopback; /* 5 us, spread 10 us; 1 packet in 16 is split */
    struct tp_net_link link;     /* between hosts; 100 us, spread 200 us, a long tail */
    struct tp_net_faults faults;
    uint32_t send_buffer_bytes;  /* of a socket that does not say; 65536 */
    uint32_t recv_buffer_bytes;  /* 65536 */
    uint32_t unknown;            /* enum tp_net_unknown */
    uint32_t ports;              /* ephemeral ones of a host, from 32768 on; 28232 */
    uint64_t connect_timeout_ns; /* 127 s, as with Linux's 6 repeated SYNs */
    uint64_t send_timeout_ns;    /* unanswered repetitions of data; 924.6 s (15 of them) */
    const struct tp_allocator *allocator;
};

/** What happened so far; none of it is drawn from. */
struct tp_net_stats {
    uint64_t packets;     /* sent */
    uint64_t data_bytes;  /* of streams, in these; repeated ones count again */
    uint64_t connections; /* established */
    uint64_t refused;     /* connections that met RST */
    uint64_t lost;        /* packets that met a broken link or a dead host */
    uint64_t repeated;    /* packets sent again because of it */
    uint64_t timed_out;   /* connections and attempts given up */
    uint64_t resets;      /* connections that ended by RST */
    uint64_t splits;
    uint64_t fault_losses, fault_clogs, fault_resets, fault_refusals, fault_silences;
    uint64_t datagrams;           /* sent; those that came twice count once */
    uint64_t datagrams_lost;      /* by a fault, a broken link, a dead host, no such host */
    uint64_t datagrams_twice;     /* by a fault */
    uint64_t datagrams_late;      /* by a fault: others may have overtaken them */
    uint64_t datagrams_crowded;   /* met a full queue in front of a narrow link */
    uint64_t datagrams_overflown; /* met a full receive buffer */
    uint64_t datagrams_unheard;   /* met nobody at that address */
};

TP_BEGIN_DECLS

/** NULL config: the defaults. `world`, the tape and the allocator must outlive it. 0,
 * -EINVAL (an impossible size or rate), or -ENOMEM. */
TP_EXPORT int tp_net_create(const struct tp_net_config *config, struct tp_world *world,
                            struct tp_net **ret_net);

/** No Io may be attached any more (asserted). NULL is fine. */
TP_EXPORT void tp_net_destroy(struct tp_net *net);

/** The name stands for the address, too, for those who resolve it on this network; at most
 * TP_ADDRESSES_MAX for one name. 0, -ENAMETOOLONG, or -ENOSPC. */
TP_EXPORT int tp_net_add_name(struct tp_net *net, const char *name,
                              const struct tp_address *address);

/** Replaces the faults. The rates must be possible ones (asserted). */
TP_EXPORT void tp_net_set_faults(struct tp_net *net, const struct tp_net_faults *faults);

/** Replaces a link. */
TP_EXPORT void tp_net_set_link(struct tp_net *net, uint32_t from, uint32_t to,
                               const struct tp_net_link *link);

/** Breaks a link, or heals it: what is on the way when it breaks is lost, too. */
TP_EXPORT void tp_net_break(struct tp_net *net, uint32_t from, uint32_t to, bool broken);

/** Breaks or heals the links between two hosts in both directions. */
TP_EXPORT void tp_net_part(struct tp_net *net, uint32_t a, uint32_t b, bool broken);

/** Breaks or heals all links of a host with others, in both directions. */
TP_EXPORT void tp_net_isolate(struct tp_net *net, uint32_t host, bool isolated);

/** What is sent over the link from now on arrives no earlier than `until_ns`. */
TP_EXPORT void tp_net_clog(struct tp_net *net, uint32_t from, uint32_t to,
                           uint64_t until_ns);

/** Ends every TCP connection between two hosts, or of a host with itself, by RST at both
 * ends, as a machine on the way may; what has arrived can still be received. Result: how
 * many ends. */
TP_EXPORT uint32_t tp_net_reset(struct tp_net *net, uint32_t a, uint32_t b);

/** The world it is in. */
TP_EXPORT struct tp_world *tp_net_world(struct tp_net *net);

/** Sockets there are, those that only a kernel still has included. */
TP_EXPORT uint32_t tp_net_sockets(const struct tp_net *net);

/** Kept up to date. */
TP_EXPORT const struct tp_net_stats *tp_net_stats(const struct tp_net *net);

/** Stops the program unless everything that must hold does. */
TP_EXPORT void tp_net_check(const struct tp_net *net);

TP_END_DECLS

#endif
