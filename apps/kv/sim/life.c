/* The server of a run, from boot to boot. */
#include "apps/kv/sim/life.h"

#include <inttypes.h>

#include "io/virtual/random.h"

enum {
    GROUP_BYTES = 64 << 10,
    SNAPSHOT_BYTES = 16 << 10,
    BLOCK_BYTES = 512, /* so that a snapshot takes its time */
    CONNECTIONS = 64,
    IDLE_S = 20, /* so that a client whose node lost its power is forgotten soon */
};

#define GRACE_NS UINT64_C(200000000)

static struct kv_server_config server_config(struct kv_life *life)
{
    struct kv_server_config config = kv_server_defaults();
    struct tp_rng rng = tp_rng_make(life->secret, life->visited.boot);

    config.dir = "/data";
    config.listen = &life->listen;
    config.listen_count = 1;
    config.clients_room = CONNECTIONS;
    config.config.clients_max = CONNECTIONS;
    config.config.argument_max = KV_VALUE_MAX * 2;
    config.config.reply_max = 1 << 20;
    config.config.idle_s_max = IDLE_S;
    config.group_bytes = GROUP_BYTES;
    config.segment_bytes = UINT64_C(2) * GROUP_BYTES;
    config.snapshot_bytes = SNAPSHOT_BYTES;
    config.block_bytes = BLOCK_BYTES;
    config.ballast_bytes = 1; /* the host has memory, and a boot would clear all of it */
    config.grace_ns = GRACE_NS;
    config.signals = TP_SIGNAL_TERM;
    config.quiet = true;
    config.seed = tp_rng_next(&rng);
    for (uint32_t i = 0; i < sizeof config.hash_key; i++)
        config.hash_key[i] = (uint8_t)tp_rng_next(&rng);
    return config;
}

/* What the one before has come to; its node has died since, or it has ended by itself. */
void kv_life_bury(struct tp_sim *sim)
{
    struct kv_life *life = tp_sim_state(sim);
    struct kv_server *server = &life->server;

    if (!life->is_made)
        return;
    life->is_made = false;
    life->tally.snapshots += server->storage.saves.done;
    kv_server_deinit(server);
}

/* One that was started when all was healed has no reason to end with an error, unless
 * somebody outside gave it one. */
static void look_at_end(struct tp_sim *sim)
{
    struct kv_life *life = tp_sim_state(sim);
    const struct kv_server *server = &life->server;
    int32_t result = server->machine.result;

    if (!life->is_made || tp_machine_alive(&server->machine))
        return;
    life->tally.failures += result < 0;
    life->tally.stops += result >= 0;
    if (result < 0 && life->may_not_fail && !tp_sim_was_touched(sim))
        tp_sim_fail(sim, "the server has ended: %s: %s", tp_errno_name(result),
                    server->storage.problem);
}

/* Whether something has befallen this server, or its disk, that its log may be the worse
 * for. An interruption may keep it from making a segment for a while. */
static bool has_reason_to_refuse(struct tp_sim *sim)
{
    static const enum tp_fault reasons[] = {TP_FAULT_ERROR,           TP_FAULT_EINTR,
                                            TP_FAULT_EAGAIN,          TP_FAULT_SYNC_ERROR,
                                            TP_FAULT_WRITEBACK_ERROR, TP_FAULT_LATE_ENOSPC,
                                            TP_FAULT_JOURNAL};
    const struct kv_life *life = tp_sim_state(sim);
    struct tp_node *node = tp_sim_node(sim, KV_LIFE_SERVER);
    uint64_t fired = 0;

    if (tp_sim_was_touched(sim) || life->asked_ns != 0 || life->server.stopping ||
        (tp_sim_families(sim) & TP_FAMILY_BIT(TP_FAMILY_FULL)) != 0)
        return true;
    for (uint32_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        fired += tp_virtual_io_faults_fired(tp_node_io(node), reasons[i]);
    return fired > 0;
}

void kv_life_look_at_server(struct tp_sim *sim)
{
    struct kv_life *life = tp_sim_state(sim);
    struct kv_oracle *oracle = &life->oracle;

    /* Of one that has died since, too: it is not buried yet. What may have befallen it in
     * its last moment is not known; what it had sent is still under way. */
    if (life->is_made && life->server.engine.stats.unlogged > 0)
        oracle->unlogged_boot = life->visited.boot;
    if (oracle->refusing_boot < life->visited.boot &&
        (!tp_node_is_up(life->visited.server) || has_reason_to_refuse(sim)))
        oracle->refusing_boot = life->visited.boot;
}

void kv_life_boot_server(struct tp_node *node)
{
    struct tp_sim *sim = tp_node_sim(node);
    struct kv_life *life = tp_sim_state(sim);
    struct kv_server_config config = server_config(life);

    look_at_end(sim);
    kv_life_bury(sim);
    if (kv_server_init(&life->server, &config) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a server");
    life->is_made = true;
    life->is_starting = false;
    life->asked_ns = 0;
    life->may_not_fail = tp_sim_phase(sim) >= TP_PHASE_LIVENESS;
    life->visited.boot++;
    life->tally.boots++;
    kv_clock_boot(&life->oracle.clock,
                  kv_visited_now_ms(&life->visited, &life->oracle.clock));
    tp_node_spawn(node, &life->server.machine, kv_server_tick, "server");
}
