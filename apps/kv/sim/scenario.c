#include "apps/kv/sim/scenario.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/sim/life.h"
#include "apps/kv/sim/rude.h"
#include "apps/sim/linear.h"
#include "io/virtual/net.h"

enum {
    DEPTH_MAX = 40, /* requests that a client has not been answered */
    WHIMS_MIN = 50,
    WHIMS_MAX = 500,
    COMMANDS = 400,      /* of a node with clients: their mean */
    STEPS_MAX = 2 << 20, /* of the search for an order of a history */
    /* Every boot clears its tables. The most that a life had in use: 67 operations and 23
     * machines, with clients 8 and 4. */
    MACHINES = 128,
    OPS = 512,
    OPS_CLIENT = 64,
    LANDING_MAX = 256, /* operations: a start has read the log after some 40 */
};

#define MS UINT64_C(1000000)

static struct kv_life *life_of(struct tp_sim *sim)
{
    return tp_sim_state(sim);
}

/* ------------------------------------------------------------------ the making of it */

/* Whether the disk or the network is faster decides which races there are. */
static struct tp_virtual_latency draw_sync_latency(struct tp_sim *sim)
{
    static const uint32_t bases_ns[] = {300000, 20000, 3000000};
    uint32_t base_ns = bases_ns[tp_sim_draw(sim, sizeof bases_ns / sizeof *bases_ns)];

    return (struct tp_virtual_latency){.base_ns = base_ns,
                                       .spread_ns = base_ns,
                                       .zero_ppm = 15000,
                                       .tail_ppm = 1000,
                                       .tail_factor = 20};
}

static void add_server(struct tp_sim *sim)
{
    struct tp_node_config config = {
        .size = sizeof config,
        .role = KV_ROLE_SERVER,
        .name = "server",
        .ops_max = OPS,
        .machines_max = MACHINES,
        .disk = {.inodes_max = 1024},
        .io = {.ops_max = OPS,
               .completions_max = OPS,
               .fds_max = 128,
               .buf_count = 2,
               .buf_size = 64 << 10,
               .recv_buf_count = 16,
               .recv_buf_size = 1024,
               .sync_latency = draw_sync_latency(sim),
               .landing_max = LANDING_MAX},
    };

    config.disk.writeback_one_in = tp_sim_draw(sim, 2) == 0 ? 0 : 8;
    (void)tp_sim_add_node(sim, &config);
}

static void add_node(struct tp_sim *sim, enum kv_role role, const char *name, bool spared)
{
    struct tp_node_config config = {.size = sizeof config,
                                    .role = (uint32_t)role,
                                    .name = name,
                                    .spared = spared,
                                    .ops_max = OPS_CLIENT,
                                    .machines_max = 64,
                                    .disk = {.inodes_max = 16},
                                    .io = {.ops_max = OPS_CLIENT,
                                           .completions_max = OPS_CLIENT,
                                           .fds_max = 64,
                                           .buf_count = 1,
                                           .buf_size = 4096,
                                           .recv_buf_count = 2}};

    (void)tp_sim_add_node(sim, &config);
}

static void make_client(struct tp_sim *sim, uint32_t index)
{
    struct kv_life *life = life_of(sim);
    struct kv_script *script = &life->scripts[index];

    kv_script_init(script, &life->oracle, index, life->secret + index, UINT64_MAX);
    script->owners = life->clients;
    script->race = &life->race;
    life->depths[index] = 1 + (uint32_t)tp_sim_draw(sim, DEPTH_MAX);
    life->whims_in[index] =
        tp_sim_draw(sim, 4) == 0 ? 0 : WHIMS_MIN + (uint32_t)tp_sim_draw(sim, WHIMS_MAX);
}

static void set_up(struct tp_sim *sim)
{
    static const char *const names[KV_LIFE_NODES_MAX] = {"clients", "clients 2",
                                                         "clients 3"};
    struct kv_life *life = life_of(sim);
    uint32_t rude;

    kv_oracle_init(&life->oracle);
    life->secret = tp_sim_draw(sim, UINT32_MAX);
    if (tp_history_create(NULL, &life->race.history) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a history");
    add_server(sim);
    life->client_nodes = 1 + (uint32_t)tp_sim_draw(sim, KV_LIFE_NODES_MAX);
    life->clients_each = 1 + (uint32_t)tp_sim_draw(sim, KV_LIFE_EACH_MAX);
    life->clients = life->client_nodes * life->clients_each;
    tp_assert(life->client_nodes <= KV_LIFE_NODES_MAX);
    for (uint32_t i = 0; i < life->client_nodes; i++)
        add_node(sim, KV_ROLE_CLIENTS, names[i], false);
    for (uint32_t i = 0; i < life->clients; i++)
        make_client(sim, i);
    rude = (uint32_t)tp_sim_draw(sim, 3);
    for (uint32_t i = 0; i < rude; i++)
        add_node(sim, KV_ROLE_RUDE, "rude", false);
    add_node(sim, KV_ROLE_OPERATOR, "operator", true);
    life->listen = tp_node_address(tp_sim_node(sim, KV_LIFE_SERVER), KV_LIFE_PORT);
    life->visited.address = life->listen;
    life->visited.server = tp_sim_node(sim, KV_LIFE_SERVER);
}

/* ------------------------------------------------------------------ boots */

static uint64_t choose(void *context, uint64_t bound)
{
    return tp_node_draw(context, bound);
}

/* What may be refused while what is sent behind it is not: then a client sends one step at
 * a time, and knows which. */
#define REFUSING                                                        \
    (TP_FAMILY_BIT(TP_FAMILY_FULL) | TP_FAMILY_BIT(TP_FAMILY_ERROR) |   \
     TP_FAMILY_BIT(TP_FAMILY_SYNC) | TP_FAMILY_BIT(TP_FAMILY_JOURNAL) | \
     TP_FAMILY_BIT(TP_FAMILY_INTERRUPT) | TP_FAMILY_BIT(TP_FAMILY_SHORT))

/* Whether writes may be refused. */
static bool may_refuse(const struct tp_sim *sim)
{
    return tp_sim_was_touched(sim) || (tp_sim_families(sim) & REFUSING) != 0;
}

static void boot_clients(struct tp_node *node)
{
    struct tp_sim *sim = tp_node_sim(node);
    struct kv_life *life = life_of(sim);
    uint32_t first = (tp_node_index(node) - 1) * life->clients_each;

    for (uint32_t i = first; i < first + life->clients_each; i++) {
        struct kv_visitor *visitor = tp_node_new(node, sizeof *visitor);
        struct kv_script *script = &life->scripts[i];

        script->choose = choose;
        script->context = node;
        script->one_by_one = may_refuse(sim);
        visitor->node = node;
        visitor->script = script;
        visitor->visited = &life->visited;
        visitor->depth = life->depths[i];
        visitor->whims_in = tp_sim_phase(sim) == TP_PHASE_RECOVERY ? 0 : life->whims_in[i];
        visitor->step = life->oracle.owners[i].acked;
        tp_node_spawn(node, &visitor->machine, kv_visitor_tick, "client");
    }
}

static void boot_rude(struct tp_node *node)
{
    struct kv_rude *rude = tp_node_new(node, sizeof *rude);

    rude->node = node;
    rude->visited = &life_of(tp_node_sim(node))->visited;
    tp_node_spawn(node, &rude->machine, kv_rude_tick, "rude client");
}

static void boot_operator(struct tp_node *node)
{
    struct kv_operator *o = tp_node_new(node, sizeof *o);

    o->node = node;
    o->life = life_of(tp_node_sim(node));
    tp_node_spawn(node, &o->machine, kv_operator_tick, "operator");
}

static void boot(struct tp_node *node)
{
    switch ((enum kv_role)tp_node_role(node)) {
    case KV_ROLE_SERVER:
        kv_life_boot_server(node);
        return;
    case KV_ROLE_CLIENTS:
        boot_clients(node);
        return;
    case KV_ROLE_RUDE:
        boot_rude(node);
        return;
    case KV_ROLE_OPERATOR:
        boot_operator(node);
        return;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ what must hold */

/* The clock may have been disturbed twice since the server looked. */
static void see_clock(struct kv_life *life)
{
    struct kv_clock *clock = &life->oracle.clock;
    int64_t wall_us = life->server.engine.wall_us;

    if (wall_us != life->wall_us && life->is_made)
        kv_clock_see(clock, wall_us / 1000);
    life->wall_us = wall_us;
    kv_clock_see(clock, kv_visited_now_ms(&life->visited, clock));
}

static void look(struct tp_sim *sim)
{
    struct kv_life *life = life_of(sim);
    struct kv_visited *visited = &life->visited;
    const struct kv_oracle *oracle = &life->oracle;

    if (tp_sim_was_touched(sim)) {
        for (uint32_t i = 0; i < life->clients; i++)
            life->scripts[i].one_by_one = true;
    }
    kv_life_look_at_server(sim);
    visited->calm = !tp_sim_was_touched(sim) && tp_sim_families(sim) == 0;
    visited->fails_to_send = (tp_sim_families(sim) & TP_FAMILY_BIT(TP_FAMILY_ERROR)) != 0;
    visited->serving =
        tp_node_is_up(visited->server) && life->server.begun && !life->server.stopping;
    see_clock(life);
    if (kv_oracle_is_broken(oracle))
        tp_sim_fail_at(sim, oracle->file, oracle->line, "%s", oracle->violation);
}

bool kv_life_is_done(struct tp_sim *sim)
{
    const struct kv_life *life = life_of(sim);

    for (uint32_t i = 1; i <= life->client_nodes; i++) {
        if (!tp_node_has_finished(tp_sim_node(sim, i)))
            return false;
    }
    return true;
}

static void count_races(struct tp_sim *sim)
{
    struct kv_life *life = life_of(sim);
    const struct tp_history *history = life->race.history;

    life->tally.races = tp_history_ops(history);
    for (uint32_t i = 0; i < tp_history_ops(history); i++)
        life->tally.unknown_races +=
            tp_history_op(history, i)->outcome == TP_HISTORY_UNKNOWN;
}

static void check(struct tp_sim *sim)
{
    struct kv_life *life = life_of(sim);
    struct tp_linear_config config = {.size = sizeof config, .steps_max = STEPS_MAX};
    struct tp_linear_report report;

    count_races(sim);
    tp_linear_check(life->race.history, &tp_model_kv, &config, &report);
    life->tally.undecided += report.verdict == TP_LINEAR_UNDECIDED;
    if (report.verdict == TP_LINEAR_NO)
        tp_sim_fail(sim,
                    "what clients were told of '%.*s' is not linearizable: not operation "
                    "%" PRIu32 " of %" PRIu32 " (%s)",
                    (int)report.key.len_bytes, (const char *)report.key.bytes,
                    report.blocked, tp_history_ops(life->race.history),
                    tp_history_kind_name(
                        tp_history_op(life->race.history, report.blocked)->call.kind));
    tp_linear_report_deinit(&report);
}

/* ------------------------------------------------------------------ the end */

static void add_up(struct kv_tally *tally, const struct kv_tally *one)
{
    tally->boots += one->boots;
    tally->stops += one->stops;
    tally->failures += one->failures;
    tally->snapshots += one->snapshots;
    tally->races += one->races;
    tally->unknown_races += one->unknown_races;
    tally->undecided += one->undecided;
    tally->stats.steps_acked += one->stats.steps_acked;
    tally->stats.steps_refused += one->stats.steps_refused;
    tally->stats.steps_unknown += one->stats.steps_unknown;
    tally->stats.reads += one->stats.reads;
    tally->stats.reads_of_others += one->stats.reads_of_others;
    tally->stats.counts += one->stats.counts;
    tally->stats.resolved += one->stats.resolved;
    tally->stats.survived += one->stats.survived;
}

static void finish(struct tp_sim *sim)
{
    const struct kv_scenario_context *context = tp_sim_context(sim);
    struct kv_life *life = life_of(sim);

    kv_life_bury(sim);
    for (uint32_t i = 0; i < life->clients; i++)
        kv_script_deinit(&life->scripts[i]);
    tp_history_destroy(life->race.history);
    life->tally.stats = life->oracle.stats;
    if (context != NULL)
        add_up(context->tally, &life->tally);
}

const struct tp_scenario kv_scenario = {
    .size = sizeof(struct tp_scenario),
    .name = "kv",
    .summary = "tempest-kv, its disk, and clients who know what it must hold",
    .state_bytes = sizeof(struct kv_life),
    .setup = set_up,
    .boot = boot,
    .invariant = look,
    .done = kv_life_is_done,
    .check = check,
    .finish = finish,
    .commands = COMMANDS,
    .chaos_ns = 30000 * MS,
    .liveness_ns = 120000 * MS,
    .recovery_ns = 120000 * MS,
};
