/** apps/kv/sim/world_internal.h - the parts of a simulated life: what it is made of
 * (world_make.c), and how it goes (world.c).
 */
#ifndef TEMPEST_APPS_KV_SIM_WORLD_INTERNAL_H
#define TEMPEST_APPS_KV_SIM_WORLD_INTERNAL_H

#include "apps/kv/sim/rude.h"
#include "apps/kv/sim/visitor.h"
#include "apps/kv/sim/world.h"
#include "io/virtual/net.h"
#include "io/virtual/virtual.h"
#include "runtime/scheduler.h"

#define KV_WORLD_MS     UINT64_C(1000000)
#define KV_WORLD_FILLER "/filler" /* somebody else's file, on a small disk */

enum {
    KV_WORLD_RUDE_MAX = 3,
    KV_WORLD_SERVER = 0, /* nodes */
    KV_WORLD_CLIENTS = 1,
    KV_WORLD_DISK_BYTES = 4 << 20, /* of a small disk */
    KV_WORLD_LEFT_BYTES = 1 << 20, /* that somebody else leaves of it, at most */
};

struct kv_world {
    const struct kv_world_config *config;
    struct kv_world_outcome *outcome;
    uint64_t random;
    struct tp_tape *tape;
    struct tp_world *time;
    struct tp_net *net;
    struct tp_disk *disk;
    struct tp_virtual_faults faults; /* of the server's disk */
    struct tp_net_faults net_faults;
    struct tp_address address;

    struct tp_io *server_io; /* NULL: it has no power */
    struct tp_io *client_io;
    struct tp_scheduler *server_loop, *client_loop;
    struct kv_server *server;

    struct kv_oracle *oracle;
    struct kv_visited visited;
    struct kv_visitor *visitors;
    struct kv_rude rude[KV_WORLD_RUDE_MAX];
    uint32_t clients, rude_count;
    uint32_t steps;                         /* of a client when all is healed */
    struct tp_virtual_latency sync_latency; /* of the server's disk */
    bool small_disk, filled, healed;
    uint64_t tide_ns; /* when somebody else's file grows or goes */
};

/** A number by chance; one below `bound`. */
uint64_t kv_world_draw(struct kv_world *world);
uint32_t kv_world_below(struct kv_world *world, uint32_t bound);

/** Makes all but the server: 0 or -errno, and kv_world_unmake() is to be called anyway. */
int kv_world_make(struct kv_world *world);
void kv_world_unmake(struct kv_world *world);

/** Starts a server on the disk. */
int kv_world_boot(struct kv_world *world);

/** Somebody else's file takes the room that is left, or gives it back. */
void kv_world_fill(struct kv_world *world, bool full);

#endif
