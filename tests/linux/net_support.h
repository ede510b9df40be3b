/** tests/linux/net_support.h - sockets for the tests of LinuxIo. */
#ifndef TESTS_LINUX_NET_SUPPORT_H
#define TESTS_LINUX_NET_SUPPORT_H

#include "tests/linux/support.h"

/** Two ends of a connection, and what it came from. */
struct net_pair {
    struct tp_fd listener, client, server;
    struct tp_address address; /* of the listener */
};

/** The features that have to do with sockets, one set of masks after the other: what to put
 * into `features_off`. */
extern const uint32_t net_masks[];
enum { NET_MASKS = 7 };

/** The address families that the tests run over: 0 to NET_FAMILIES - 1. */
enum { NET_IPV4, NET_IPV6, NET_UNIX, NET_FAMILIES };

/** Where to listen: any free port on the loopback, or a path that is not there. */
struct tp_address net_address(uint32_t family);

/** Runs one operation; its result. */
int32_t net_run(struct tp_io *io, struct tp_request request);

/** The same, for one that gives a fd, which must succeed. */
struct tp_fd net_fd(struct tp_io *io, struct tp_request request);

/** Listens; `ret_address` is where. */
struct tp_fd net_listen(struct tp_io *io, uint32_t family, struct tp_address *ret_address);

/** Connects to itself. */
struct net_pair net_connect(struct tp_io *io, uint32_t family);

/** Closes the server, the client and the listener, and removes the path. */
void net_close(struct tp_io *io, struct net_pair *pair);

/** Sends all of `text`, and expects `text` to arrive at the other end. */
void net_pass(struct tp_io *io, struct tp_fd from, struct tp_fd to, const char *text);

/** A completion of `handle`, which must come; the test fails after ten seconds. */
struct tp_completion net_wait(struct tp_io *io, uint64_t handle);

#endif
