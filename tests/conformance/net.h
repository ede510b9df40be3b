/** tests/conformance/net.h - what programs about the network share.
 *
 * Most of them are the same over IPv4, IPv6 and Unix paths: one body, three rows. All of it
 * stays on this machine: loopback addresses, and paths in the program's directory.
 */
#ifndef TEMPEST_TESTS_CONFORMANCE_NET_H
#define TEMPEST_TESTS_CONFORMANCE_NET_H

#include "conformance.h"

enum transport { OVER_IPV4, OVER_IPV6, OVER_UNIX };

#define OVER_TCP(function) \
    VARIANT(function, "ipv4", OVER_IPV4), VARIANT(function, "ipv6", OVER_IPV6)
#define OVER_EACH(function) OVER_TCP(function), VARIANT(function, "unix", OVER_UNIX)

/** The two ends of a connection, and where they met. */
struct ends {
    struct tp_fd listener;
    struct tp_fd a; /* the one that connected */
    struct tp_fd b; /* the one that was accepted */
    struct tp_address address;
};

enum { NARROW = 16384 }; /* bytes of each buffer of narrow ends, as asked for */

/** Whether this backend, or this machine, cannot do what the program needs: it is skipped
 * then. Every program asks first, or calls open_ends(). */
bool no_net(struct conformance *c);
bool lacks_one_of(struct conformance *c, const uint16_t *kinds, size_t count);

/** The same of a machine that has no IPv6, or none on its loopback: `made` is what came of
 * a socket there. */
bool no_ipv6(struct conformance *c, int32_t made);

/** Sets nothing. */
struct tp_socket_options plain(void);

/** The address in the program's directory with this name. */
struct tp_address path_address(struct conformance *c, const char *name);

/** Where a listener of this program's transport goes: any port, or the path "s". */
struct tp_address here(struct conformance *c);

/** Listens, expecting success; `*address` becomes what a client connects to. */
struct tp_fd listen_at(struct conformance *c, struct tp_address *address);

/** Connects, or accepts, expecting success. tp_fd_none() if it failed. */
struct tp_fd connect_to(struct conformance *c, const struct tp_address *address);
struct tp_fd accept_from(struct conformance *c, struct tp_fd listener);

/** The fd that a completion gave, expecting one. */
struct tp_fd fd_of(struct conformance *c, int32_t value);

/** A connection, expecting success. False: skip or failure, and nothing is open. */
bool open_ends(struct conformance *c, struct ends *ret_ends);

/** The same with small buffers at both ends, so that little is much. */
bool open_narrow_ends(struct conformance *c, struct ends *ret_ends);

/** Closes what is still open of it. */
void close_ends(struct conformance *c, struct ends *ends);

/** Closes, expecting success, and forgets; nothing happens when it is none. */
void close_end(struct conformance *c, struct tp_fd *fd);

/* ------------------------------------------------------------------ bytes */

/** Sends all of a text, or `len` bytes of the pattern (conformance.h) from `offset`. */
void send_text(struct conformance *c, struct tp_fd fd, const char *text);
void send_pattern(struct conformance *c, struct tp_fd fd, uint32_t len, uint64_t offset);

/** Receives exactly that, in however many pieces. */
void recv_text(struct conformance *c, struct tp_fd fd, const char *text);
void recv_pattern(struct conformance *c, struct tp_fd fd, uint32_t len, uint64_t offset);

/** Receives once, into `size_bytes`: its value. */
int32_t recv_once(struct conformance *c, struct tp_fd fd, void *memory,
                  uint32_t size_bytes);

/** The peer has sent all; asked for `times` times. */
void recv_end(struct conformance *c, struct tp_fd fd, uint32_t times);

/** Sends the pattern from 0 until the peer's buffers and ours are full: the bytes that were
 * taken. The send that waits is `*ret_waiting`; it has `len` bytes from there, lent from
 * `memory`. 0 if it never waits. */
uint64_t fill(struct conformance *c, struct tp_fd fd, uint8_t *memory, uint32_t len,
              struct tp_buf *buf, uint64_t *ret_waiting);

/* ------------------------------------------------------------------ multishot */

/** One completion of a multishot. */
struct shot {
    int32_t value;
    bool more;          /* false: the last one */
    struct tp_buf *buf; /* recv_many: what came, to be given back; NULL: nothing */
};

/** The next completion, checked: its flags, its buffer and its value agree. One that never
 * comes is an end with NOTHING_CAME. */
struct shot await_shot(struct conformance *c, uint64_t handle);

/** Receives from a recv_many exactly what the text says, or the pattern, giving back. */
void shots_text(struct conformance *c, uint64_t handle, const char *text);
void shots_pattern(struct conformance *c, uint64_t handle, uint32_t len, uint64_t offset);

/** Awaits the end of a multishot, giving back and closing what comes before: its value. */
int32_t shots_end(struct conformance *c, uint64_t handle);

/** Cancels a multishot that has nothing to give, and expects that. */
void cancel_many(struct conformance *c, uint64_t handle);

#endif
