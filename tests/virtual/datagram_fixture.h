/** tests/virtual/datagram_fixture.h - numbered datagrams from node 0 to node 1 of a
 * network.
 *
 * A test boots both (d_boot, or n_boot and d_bind), sends numbers, and looks at what was
 * heard. Each datagram is as long as its number says, and its bytes are known.
 */
#ifndef TESTS_VIRTUAL_DATAGRAM_FIXTURE_H
#define TESTS_VIRTUAL_DATAGRAM_FIXTURE_H

#include "net_fixture.h"

enum { D_COUNT = 200 /* numbers */, D_LEN_MAX = 9000 };

extern const struct tp_socket_options d_plain;

struct d_socket {
    struct tp_fd fd;
    struct tp_address address;
};

struct datagram_fixture {
    struct d_socket a, b; /* on nodes 0 and 1 */
    uint8_t memory[D_LEN_MAX];
};

extern struct datagram_fixture d;

/** Binds, expecting success. */
struct d_socket d_bind(uint32_t node, struct tp_address address,
                       struct tp_socket_options options);
/** Two nodes with a socket each. */
void d_boot(uint64_t seed);
/** The world ends; what a test has configured goes with it. */
void d_end(void);

/** The first `len` bytes of those that belong to the number. */
void d_fill(uint8_t *ret_bytes, uint32_t number, uint32_t len);
/** Sends so many of them; the result. */
int32_t d_send(uint32_t node, struct tp_fd fd, const struct tp_address *to, uint32_t number,
               uint32_t len);
/** From `a` to `b`, as many as the number says, expecting success. */
void d_send_number(uint32_t number);
uint32_t d_len_of(uint32_t number);

/** The next one, into `d.memory`; the result. N_PENDING: none comes. */
int32_t d_recv(uint32_t node, struct tp_fd fd);

/** How often each number came, and how many came behind a higher one. */
struct d_heard {
    uint32_t times[D_COUNT];
    uint32_t count, overtaken;
};

/** Receives all that comes to `b`, expecting that each is whole, from `a`, and comes twice
 * at most. */
struct d_heard d_hear(void);

const struct tp_net_stats *d_stats(void);

#endif
