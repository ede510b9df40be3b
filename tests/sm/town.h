/** tests/sm/town.h - a service and who comes to it: what scenarios of services are made of.
 *
 * A scenario clears the town, adds peers, changes the configuration, and opens the town:
 * its machine starts the service, and then a machine for each peer. When all have gone, or
 * earlier, it stops the service, and ends with its result.
 */
#ifndef TESTS_SM_TOWN_H
#define TESTS_SM_TOWN_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "io/virtual/virtual.h"
#include "sm/group.h"
#include "tests/sm/harness.h"
#include "tests/sm/peers.h"

#define MS UINT64_C(1000000)

enum { PEERS_MAX = 64 };

struct town {
    struct tp_machine machine;
    struct tp_service service;
    struct tp_service_config config;
    struct harness *harness;
    struct tp_op service_op;
    struct tp_group group;
    struct tp_group_item items[PEERS_MAX];
    struct peer peers[PEERS_MAX];
    enum peer_manner manners[PEERS_MAX];
    uint32_t lines[PEERS_MAX];
    uint32_t lines_seen[PEERS_MAX]; /* that they had said before */
    uint32_t count;
    uint64_t seed, grace_ns;
    uint64_t patience_ns; /* of MUTE ones; 0: their own */
    bool stop_early;      /* while they are there */
    uint32_t signal;      /* stops it then, in place of a call; 0: none */
    struct tp_result end; /* of the service */
    uint64_t ended_ns;
    uint64_t hash; /* of the run's trace */
};

extern struct town town;

/** An empty town, whose service listens on a free port of this machine. */
void town_clear(struct harness *h);

/** A peer, when it opens. */
void town_add(enum peer_manner manner, uint32_t lines);

/** Five of each kind. */
void town_add_everybody(void);

struct tp_machine *town_open(struct harness *h);

/** Whatever happened: nobody has heard what he was not due, and all is over. */
void town_check(struct harness *h, enum harness_end end, int32_t result);

/** The same, when nothing more can be expected. */
void town_check_bad(struct harness *h);

/** Runs it on VirtualIo with seeds from 0 to below `seeds`, and once on LinuxIo, if there
 * is one. */
void town_run(const struct scenario *scenario, uint64_t seeds);

#endif
