/** tests/virtual/net_fixture.h - VirtualIos on one network, used step by step.
 *
 * A test boots nodes 0, 1, ... on a network of their own world (n_boot), or one node alone
 * with its default network (n_boot_alone). The n_ functions hand in operations and run the
 * world until they complete; each operation's handle is its own.
 */
#ifndef TESTS_VIRTUAL_NET_FIXTURE_H
#define TESTS_VIRTUAL_NET_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "io/virtual/virtual.h"

enum { N_NODES = 4, N_PENDING = INT32_MIN, N_SECOND = 1000000000 };

struct net_fixture {
    struct tp_net_config net_config;
    struct tp_virtual_io_config
        config; /* of nodes that boot; tape, net, addresses are set */
    struct tp_world *world;
    struct tp_net *net;
    struct tp_tape *tape;
    struct tp_io *io[N_NODES];
    struct tp_disk *disk[N_NODES];
    struct tp_address address[N_NODES]; /* 10.0.0.1, ... */
    uint64_t handle;                    /* the last one that was used */
};

extern struct net_fixture n;

/** `nodes` of them in one world; with a tape from `seed`. */
void n_boot(uint32_t nodes, uint64_t seed);
/** The same with this tape, which n_end() destroys. */
void n_boot_from(uint32_t nodes, struct tp_tape *tape);
/** One node, with a network of its own. */
void n_boot_alone(uint64_t seed);
/** A node that has ended comes back, on its own disk. */
void n_reboot(uint32_t node);
/** Everything ends in order, and is checked and freed. */
void n_end(void);

/** Hands an operation in. Result: its handle. */
uint64_t n_begin(uint32_t node, struct tp_request request);
/** Lets everything happen that can happen until `ns` from now. */
void n_run(uint64_t ns);
/** Its result, if it has one: N_PENDING if not. Receive buffers are given back. */
int32_t n_result(uint32_t node, uint64_t handle);
/** Runs the world until it has a result; N_PENDING: nothing can happen any more. */
int32_t n_wait(uint32_t node, uint64_t handle);
/** Both: begin and wait. */
int32_t n_do(uint32_t node, struct tp_request request);

/** A listener on 127.0.0.1 or (several nodes) the node's own address, at port 80. */
struct tp_fd n_listen(uint32_t node, uint16_t backlog);
/** A connection from `from` to `to`, both ends of it. */
struct n_pair {
    struct tp_fd client, server;
};
struct n_pair n_connect(uint32_t from, uint32_t to, struct tp_fd listener);

/** Sends `len` bytes, those after `n_sent` of a known sequence; all of them, if they are
 * taken in several parts. */
void n_send(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len);
/** One send of at most `len`, its result. */
int32_t n_send_once(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len);
/** One receive of at most `len`; bytes must be those of the sequence from `start` on. */
int32_t n_recv_once(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len);
/** Receives until `len` have come, or the end or an error, which is the result. */
int32_t n_recv(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len);
/** Byte `at` of the known sequence. */
uint8_t n_byte(uint64_t at);

#endif
