#include "apps/sim/scenarios/log3/scenario.h"

#include <errno.h>

#include "apps/sim/scenarios/log3/client.h"
#include "apps/sim/scenarios/log3/stranger.h"
#include "io/virtual/disk.h"
#include "io/virtual/net.h"

enum {
    PORT = 703,
    COMMANDS = 80, /* of the clients together: their mean */
    OPS = 256,
    MACHINES = 64,
    /* A directory whose sync has failed is not trimmed until the next boot. */
    INODES = 2048,
    RECV_BUFS = 16,
    RECV_BUF_BYTES = 4096,
    JOURNAL_BUF_BYTES = 16 << 10,
};

#define SECOND UINT64_C(1000000000)

/* What is no sync and no link. */
static const struct tp_virtual_latency usual = {.base_ns = 20000,
                                                .spread_ns = 30000,
                                                .zero_ppm = 15000,
                                                .tail_ppm = 1000,
                                                .tail_factor = 50};

static struct log3_life *life_of(const struct tp_sim *sim)
{
    return tp_sim_state((struct tp_sim *)(uintptr_t)sim);
}

static const struct log3_form *form_of(const struct tp_sim *sim)
{
    return tp_sim_context(sim);
}

/* ------------------------------------------------------------------ the making of it */

static void add_node(struct tp_sim *sim, const char *name)
{
    struct tp_node_config config = {.size = sizeof config,
                                    .name = name,
                                    .ops_max = OPS,
                                    .machines_max = MACHINES,
                                    .disk = {.inodes_max = INODES},
                                    .io = {.ops_max = OPS,
                                           .completions_max = OPS,
                                           .fds_max = 64,
                                           .buf_count = 2,
                                           .buf_size = JOURNAL_BUF_BYTES,
                                           .recv_buf_count = RECV_BUFS,
                                           .recv_buf_size = RECV_BUF_BYTES,
                                           .latency = usual,
                                           .sync_latency = log3_latency(1)}};
    struct tp_node *node = tp_sim_add_node(sim, &config);

    tp_assert(tp_disk_make_dir(tp_node_disk(node), "/log", 0755) == 0);
}

static void set_up(struct tp_sim *sim)
{
    static const char *const names[LOG3_NODES] = {"node a", "node b", "node c"};
    struct log3_life *life = life_of(sim);

    log3_oracle_init(&life->oracle, sim, form_of(sim)->has_history);
    log3_conditions_draw(sim, form_of(sim)->varies, &life->conditions);
    log3_strikes_init(&life->strikes, sim, life->conditions.strikes);
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        add_node(sim, names[i]);
        life->oracle.servers[i] = &life->nodes[i].server;
        life->addresses[i] = tp_node_address(tp_sim_node(sim, i), PORT);
    }
    add_node(sim, "clients");
}

/* ------------------------------------------------------------------ boots */

/* Its links to those who are there; theirs to whoever boots later are set then. */
static void set_links(struct tp_node *node)
{
    struct tp_sim *sim = tp_node_sim(node);
    const struct log3_conditions *conditions = &life_of(sim)->conditions;
    uint32_t host = tp_virtual_io_host(tp_node_io(node));

    for (uint32_t i = 0; i < tp_sim_nodes(sim); i++) {
        struct tp_io *io = tp_node_io(tp_sim_node(sim, i));
        uint32_t other = io == NULL ? host : tp_virtual_io_host(io);
        struct tp_net_link link = {
            .latency = log3_latency(1 + log3_distance_ms(conditions, tp_node_index(node)) +
                                    log3_distance_ms(conditions, i))};

        if (other == host)
            continue;
        tp_net_set_link(tp_sim_net(sim), host, other, &link);
        tp_net_set_link(tp_sim_net(sim), other, host, &link);
    }
}

/* The disk of a life's conditions; where the simulator makes disks slow it does so from
 * what is usual, or a single sync could outlast the run. */
static void set_disk(struct tp_node *node)
{
    const struct tp_sim *sim = tp_node_sim(node);
    uint32_t sync_ms = life_of(sim)->conditions.sync_ms[tp_node_index(node)];
    struct tp_virtual_latency sync = log3_latency(sync_ms);

    if (sync_ms > 1 && (tp_sim_families(sim) & TP_FAMILY_BIT(TP_FAMILY_SLOW)) == 0)
        tp_virtual_io_set_latency(tp_node_io(node), &usual, &sync);
}

/* What the one before has left; it has ended, or its node has died. Whatever befalls a disk
 * here, it keeps what it has said to be durable: one who cannot read that has not written
 * it as it should. */
static void bury(struct tp_sim *sim, uint32_t index)
{
    struct log3_life *life = life_of(sim);
    struct log3_server *server = &life->nodes[index].server;

    if (!life->nodes[index].is_made)
        return;
    if (server->error == -EBADMSG || server->error == -ENODATA)
        tp_sim_fail(sim, "what node %u has kept makes no sense: %s", index,
                    tp_errno_name(server->error));
    log3_server_deinit(server);
    life->nodes[index].is_made = false;
}

static void note_applied(void *context, uint32_t node, const struct log3_state *state,
                         const struct log3_entry *entry, uint64_t position)
{
    struct log3_life *life = context;
    uint64_t committed = life->oracle.committed;

    log3_oracle_applied(&life->oracle, node, state, entry, position);
    if (life->oracle.committed > committed)
        log3_strikes_committed(&life->strikes, node);
}

static void note_leads(void *context, uint32_t node, const struct log3_raft *raft)
{
    struct log3_life *life = context;

    log3_oracle_leads(&life->oracle, node, raft);
    log3_strikes_leads(&life->strikes, node);
}

static void boot_server(struct tp_node *node)
{
    static const struct log3_server fresh;
    struct log3_life *life = life_of(tp_node_sim(node));
    uint32_t index = tp_node_index(node);
    struct log3_server *server = &life->nodes[index].server;
    struct log3_server_config config = {
        .me = index,
        .forget_after = life->conditions.forget_after,
        .ring = life->nodes[index].ring,
        .path = "/log",
        .witness = {.applied = note_applied, .leads = note_leads, .context = life}};

    bury(tp_node_sim(node), index);
    set_disk(node);
    for (uint32_t i = 0; i < LOG3_NODES; i++)
        config.addresses[i] = life->addresses[i];
    *server = fresh;
    if (log3_server_init(server, &config) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for a journal");
    life->nodes[index].is_made = true;
    tp_node_spawn(node, &server->machine, log3_server_tick, "server");
}

static void boot_clients(struct tp_node *node)
{
    struct log3_life *life = life_of(tp_node_sim(node));
    const struct log3_form *form = form_of(tp_node_sim(node));
    struct log3_stranger *stranger = tp_node_new(node, sizeof *stranger);

    stranger->addresses = life->addresses;
    stranger->visits = form->visits;
    tp_node_spawn(node, &stranger->machine, log3_stranger_tick, "stranger");
    for (uint32_t i = 0; i < LOG3_CLIENTS; i++) {
        struct log3_client *client = tp_node_new(node, sizeof *client);

        client->node = node;
        client->oracle = &life->oracle;
        client->addresses = life->addresses;
        client->conditions = &life->conditions;
        client->until_ns = form->chaos_ns;
        client->id = i;
        client->target = i % LOG3_NODES;
        tp_node_spawn(node, &client->machine, log3_client_tick, "client");
    }
}

static void boot(struct tp_node *node)
{
    set_links(node);
    if (tp_node_index(node) < LOG3_NODES)
        boot_server(node);
    else
        boot_clients(node);
}

/* ------------------------------------------------------------------ what must hold */

/* Whether a node is up and has applied all that was ever committed. */
static bool has_all(struct tp_sim *sim, uint32_t index)
{
    const struct log3_life *life = life_of(sim);

    return tp_node_is_up(tp_sim_node(sim, index)) && life->nodes[index].is_made &&
           life->nodes[index].server.raft.state.index == life->oracle.committed;
}

/* The clients are content; and when nothing goes wrong any more, everybody catches up. */
static bool is_done(struct tp_sim *sim)
{
    if (!tp_node_has_finished(tp_sim_node(sim, LOG3_NODES)))
        return false;
    for (uint32_t i = 0; i < LOG3_NODES && tp_sim_phase(sim) != TP_PHASE_CHAOS; i++) {
        if (!has_all(sim, i))
            return false;
    }
    return true;
}

static void pass(struct tp_sim *sim)
{
    log3_strikes_pass(&life_of(sim)->strikes);
}

static void check(struct tp_sim *sim)
{
    log3_oracle_judge(&life_of(sim)->oracle);
}

static void finish(struct tp_sim *sim)
{
    struct log3_life *life = life_of(sim);

    for (uint32_t i = 0; i < LOG3_NODES; i++)
        bury(sim, i);
    log3_oracle_deinit(&life->oracle);
}

static const struct log3_form brief = {.has_history = true, .varies = true, .visits = 4};
static const struct log3_form thorough = {.chaos_ns = 1000 * SECOND};

const struct tp_scenario log3_scenario = {
    .size = sizeof(struct tp_scenario),
    .name = "log3",
    .summary = "three nodes with a replicated log, and clients who append to it",
    .state_bytes = sizeof(struct log3_life),
    .context = &brief,
    .setup = set_up,
    .boot = boot,
    .invariant = pass,
    .done = is_done,
    .check = check,
    .finish = finish,
    .commands = COMMANDS,
};

const struct tp_scenario log3_long_scenario = {
    .size = sizeof(struct tp_scenario),
    .name = "log3-long",
    .summary = "log3 for 1,000 virtual seconds, with no trouble but the simulator's",
    .state_bytes = sizeof(struct log3_life),
    .context = &thorough,
    .setup = set_up,
    .boot = boot,
    .done = is_done,
    .check = check,
    .finish = finish,
    .chaos_ns = 1010 * SECOND,
    /* Until the chaos is over nobody clears up a disk, or mounts it anew. */
    .families_removed = TP_FAMILY_BIT(TP_FAMILY_FULL) | TP_FAMILY_BIT(TP_FAMILY_JOURNAL),
};
