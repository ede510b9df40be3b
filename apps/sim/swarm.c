/* Which fault families are on in a run, and how strongly. A few strong ones find more than
 * all at once (Groce et al., Swarm Testing, ISSTA'12), so each seed has its own mix: a
 * tenth none, a tenth one alone, the others each with probability 1/2. */
#include <stdio.h>
#include <stdlib.h>

#include "apps/sim/sim_internal.h"

enum {
    SWARM_NONE = 0,
    SWARM_ONE = 1,
    SWARM_MODES = 10,

    PPM_LEAST = 61, /* a rate's lowest, in millionths of operations */
    PPM_OCTAVES = 9,
    ROOM_LEAST = 8192, /* bytes that a small disk has beyond what is on it */
    ROOM_OCTAVES = 10,
    SLOW_OCTAVES = 8,
    DRIFT_MAX = 500,
    WALL_OCTAVES = 32, /* of a microsecond: about an hour */
};

static const bool is_fair[TP_FAMILIES] = {
#define FAIR(family, name, fair) [family] = (fair),
    TP_FAMILY_TABLE(FAIR)
#undef FAIR
};

#define LINK_FAMILIES                                                     \
    (TP_FAMILY_BIT(TP_FAMILY_PARTITION) | TP_FAMILY_BIT(TP_FAMILY_CLOG) | \
     TP_FAMILY_BIT(TP_FAMILY_RESET) | TP_FAMILY_BIT(TP_FAMILY_REFUSE))

uint64_t tp_ratio(uint64_t base, uint64_t drawn)
{
    return base * (16 + drawn % 16) / 16 << drawn / 16;
}

static uint64_t draw(const struct tp_sim *sim, enum tp_draw kind, uint64_t bound)
{
    return tp_tape_draw(sim->tape, tp_stream(0, TP_CONCERN_EVENT), kind, bound);
}

/* ------------------------------------------------------------------ which, how strongly */

bool tp_swarm_is_fair(uint32_t family)
{
    return is_fair[family];
}

uint32_t tp_swarm_families(const struct tp_scenario *scenario)
{
    uint32_t set = scenario->families_added;

    for (uint32_t family = 0; family < TP_FAMILIES; family++)
        set |= is_fair[family] ? TP_FAMILY_BIT(family) : 0;
    return set & ~scenario->families_removed;
}

/* Those that can come about in this scenario, with the nodes that it has. */
static uint32_t candidates(const struct tp_sim *sim)
{
    uint32_t set = tp_swarm_families(sim->scenario);
    bool versions = false;

    for (uint32_t i = 0; i < sim->node_count; i++)
        versions = versions || sim->nodes[i]->config.versions > 1;
    if (!versions)
        set &= ~TP_FAMILY_BIT(TP_FAMILY_UPGRADE);
    if (sim->node_count < 2)
        set &= ~LINK_FAMILIES;
    return set;
}

static uint32_t choose_one(const struct tp_sim *sim, uint32_t set)
{
    uint32_t left = (uint32_t)draw(sim, TP_DRAW_FAMILY, (uint32_t)__builtin_popcount(set));

    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if ((set & TP_FAMILY_BIT(family)) != 0 && left-- == 0)
            return TP_FAMILY_BIT(family);
    }
    tp_unreachable();
}

static uint32_t choose_each(const struct tp_sim *sim, uint32_t set)
{
    uint32_t on = 0;

    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if ((set & TP_FAMILY_BIT(family)) != 0 && draw(sim, TP_DRAW_FAMILY, 2) == 1)
            on |= TP_FAMILY_BIT(family);
    }
    return on;
}

static uint32_t octaves_of(enum tp_family family)
{
    if (family == TP_FAMILY_FULL)
        return ROOM_OCTAVES;
    return family == TP_FAMILY_SLOW ? SLOW_OCTAVES : PPM_OCTAVES;
}

void tp_swarm_draw(struct tp_sim *sim)
{
    uint32_t set = candidates(sim) & ~sim->options.families_off;
    uint64_t mode = draw(sim, TP_DRAW_SWARM, SWARM_MODES);

    if (mode == SWARM_ONE && set != 0)
        sim->swarm.on = choose_one(sim, set);
    else if (mode != SWARM_NONE)
        sim->swarm.on = choose_each(sim, set);
    sim->swarm.on |= sim->options.families_on;
    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if (tp_swarm_is_on(sim, (enum tp_family)family))
            sim->swarm.rate[family] = (uint32_t)draw(
                sim, TP_DRAW_RATE, TP_OCTAVES(octaves_of((enum tp_family)family)));
    }
}

bool tp_swarm_is_on(const struct tp_sim *sim, enum tp_family family)
{
    return (sim->swarm.on & TP_FAMILY_BIT(family)) != 0;
}

/* ------------------------------------------------------------------ to nodes */

/* 0 is none, then to one side and to the other in turn. */
static int64_t zigzag(uint64_t drawn)
{
    int64_t size = (int64_t)((drawn + 1) / 2);

    return drawn % 2 == 1 ? size : -size;
}

static uint64_t draw_clock(struct tp_node *node, uint64_t bound)
{
    return tp_tape_draw(node->sim->tape, tp_stream(node->number, TP_CONCERN_EVENT),
                        TP_DRAW_CLOCK, bound);
}

/* How far they are from right, in words. */
static void tell_clocks(const struct tp_node *node)
{
    char drift[48] = "", wall[64] = "", text[128];

    if (node->drift == 0 && node->wall_ns == 0)
        return;
    if (node->drift != 0)
        (void)snprintf(drift, sizeof drift, "its clocks run %d ppm too %s",
                       abs(node->drift), node->drift > 0 ? "fast" : "slow");
    if (node->wall_ns != 0)
        (void)snprintf(wall, sizeof wall, "its wall clock is %.6f s %s",
                       (double)llabs(node->wall_ns) / 1e9,
                       node->wall_ns > 0 ? "ahead" : "behind");
    (void)snprintf(text, sizeof text, "%s%s%s", drift,
                   drift[0] != '\0' && wall[0] != '\0' ? ", " : "", wall);
    tp_sim_tell(node->sim, TP_FACT_EVENT, 0, node, text);
}

void tp_swarm_shape(struct tp_node *node)
{
    const struct tp_sim *sim = node->sim;
    uint64_t drawn;

    if (node->config.spared)
        return;
    if (tp_swarm_is_on(sim, TP_FAMILY_FULL))
        tp_disk_set_capacity(node->disk,
                             tp_disk_usage(node->disk).used_bytes +
                                 tp_ratio(ROOM_LEAST, TP_OCTAVES(ROOM_OCTAVES) - 1 -
                                                          sim->swarm.rate[TP_FAMILY_FULL]));
    if (tp_swarm_is_on(sim, TP_FAMILY_ROLLBACK) && node->snapshot == NULL)
        tp_node_snapshot(node);
    if (!tp_swarm_is_on(sim, TP_FAMILY_CLOCK))
        return;
    node->drift = (int32_t)zigzag(draw_clock(node, 2 * DRIFT_MAX + 1));
    drawn = draw_clock(node, 2 * TP_OCTAVES(WALL_OCTAVES));
    if (drawn > 0)
        node->wall_ns = (drawn % 2 == 1 ? 1 : -1) * (int64_t)tp_ratio(1000, drawn / 2);
    tell_clocks(node);
}

static uint32_t ppm_of(const struct tp_sim *sim, enum tp_family family)
{
    if (!sim->hurting || !tp_swarm_is_on(sim, family))
        return 0;
    return (uint32_t)tp_ratio(PPM_LEAST, sim->swarm.rate[family]);
}

static uint32_t longer(uint32_t time_ns, uint64_t drawn)
{
    uint64_t longer_ns = tp_ratio(time_ns, drawn);

    return longer_ns < UINT32_MAX ? (uint32_t)longer_ns : UINT32_MAX;
}

static struct tp_virtual_latency slower(struct tp_virtual_latency latency, uint64_t drawn)
{
    latency.base_ns = longer(latency.base_ns, drawn);
    latency.spread_ns = longer(latency.spread_ns, drawn);
    return latency;
}

static void apply_latency(struct tp_node *node)
{
    static const struct tp_virtual_latency usual = {20000, 30000, 15000, 1000, 50};
    static const struct tp_virtual_latency sync = {300000, 300000, 15000, 1000, 20};
    const struct tp_sim *sim = node->sim;
    struct tp_virtual_latency now = usual;
    struct tp_virtual_latency now_sync = sync;

    if (node->config.io.latency.spread_ns != 0 || node->config.io.latency.base_ns != 0)
        now = node->config.io.latency;
    if (node->config.io.sync_latency.spread_ns != 0 ||
        node->config.io.sync_latency.base_ns != 0)
        now_sync = node->config.io.sync_latency;
    if (sim->hurting) {
        now = slower(now, sim->swarm.rate[TP_FAMILY_SLOW]);
        now_sync = slower(now_sync, sim->swarm.rate[TP_FAMILY_SLOW]);
    }
    tp_virtual_io_set_latency(node->io, &now, &now_sync);
}

/* Which family a fault of the disk or of the system belongs to, and how much more often it
 * befalls what it befalls than an operation fails. */
static const struct {
    enum tp_family family;
    uint32_t times;
} faults_of[TP_FAULTS] = {
    [TP_FAULT_ERROR] = {TP_FAMILY_ERROR, 1},
    [TP_FAULT_EINTR] = {TP_FAMILY_INTERRUPT, 1},
    [TP_FAULT_EAGAIN] = {TP_FAMILY_INTERRUPT, 1},
    [TP_FAULT_SHORT] = {TP_FAMILY_SHORT, 4},
    [TP_FAULT_SYNC_ERROR] = {TP_FAMILY_SYNC, 8},
    [TP_FAULT_WRITEBACK_ERROR] = {TP_FAMILY_SYNC, 2},
    [TP_FAULT_EVICT] = {TP_FAMILY_SYNC, 8},
    [TP_FAULT_LATE_ENOSPC] = {TP_FAMILY_FULL, 16},
    [TP_FAULT_JOURNAL] = {TP_FAMILY_JOURNAL, 2},
    [TP_FAULT_CLOSE_ERROR] = {TP_FAMILY_CLOSE, 8},
    [TP_FAULT_UNREADABLE] = {TP_FAMILY_MEDIA, 2},
    [TP_FAULT_BIT_FLIP] = {TP_FAMILY_MEDIA, 4},
    [TP_FAULT_MISREAD] = {TP_FAMILY_MEDIA, 2},
    [TP_FAULT_LOST_WRITE] = {TP_FAMILY_MEDIA, 2},
    [TP_FAULT_STALE] = {TP_FAMILY_MEDIA, 2},
    [TP_FAULT_MISWRITE] = {TP_FAMILY_MEDIA, 2},
    [TP_FAULT_CACHE_LOSS] = {TP_FAMILY_BUS, 1},
    [TP_FAULT_INTERLEAVE] = {TP_FAMILY_SHORT, 16},
    [TP_FAULT_STALL] = {TP_FAMILY_SLOW, 1},
    [TP_FAULT_THROTTLE] = {TP_FAMILY_SLOW, 1},
    [TP_FAULT_SYNC_QUEUE] = {TP_FAMILY_SLOW, 8},
    [TP_FAULT_HANG] = {TP_FAMILY_HANG, 1},
};

void tp_swarm_apply(struct tp_node *node)
{
    const struct tp_sim *sim = node->sim;
    struct tp_virtual_faults faults = {0};

    if (node->config.spared)
        return;
    for (uint32_t fault = 0; fault < TP_FAULTS; fault++)
        *tp_virtual_faults_rate(&faults, (enum tp_fault)fault) =
            ppm_of(sim, faults_of[fault].family) * faults_of[fault].times;
    tp_virtual_io_set_faults(node->io, &faults);
    if (tp_swarm_is_on(sim, TP_FAMILY_SLOW))
        apply_latency(node);
}

void tp_swarm_make_room(struct tp_node *node)
{
    if (!node->config.spared && tp_swarm_is_on(node->sim, TP_FAMILY_FULL))
        tp_disk_set_capacity(node->disk, UINT64_C(1) << 40);
}

void tp_swarm_count(struct tp_node *node)
{
    uint64_t *fired = node->sim->outcome->fired;

    for (uint32_t fault = 0; fault < TP_FAULTS; fault++)
        fired[faults_of[fault].family] +=
            tp_virtual_io_faults_fired(node->io, (enum tp_fault)fault);
}

bool tp_swarm_needs_power_cut(const struct tp_node *node)
{
    return node->needs_power ||
           (node->io != NULL &&
            (tp_virtual_io_faults_fired(node->io, TP_FAULT_JOURNAL) > 0 ||
             tp_virtual_io_faults_fired(node->io, TP_FAULT_HANG) > 0));
}

/* ------------------------------------------------------------------ to the network */

void tp_swarm_apply_net(struct tp_sim *sim)
{
    struct tp_net_faults faults = {0};

    faults.loss_ppm = ppm_of(sim, TP_FAMILY_CLOG);
    faults.clog_ppm = ppm_of(sim, TP_FAMILY_CLOG) / 4;
    faults.duplicate_ppm = faults.reorder_ppm = faults.loss_ppm; /* of datagrams */
    faults.reset_ppm = ppm_of(sim, TP_FAMILY_RESET);
    faults.refuse_ppm = ppm_of(sim, TP_FAMILY_REFUSE) * 4;
    faults.silence_ppm = ppm_of(sim, TP_FAMILY_REFUSE);
    faults.resolve_ppm = ppm_of(sim, TP_FAMILY_REFUSE);
    tp_net_set_faults(sim->net, &faults);
}

void tp_swarm_count_net(struct tp_sim *sim)
{
    const struct tp_net_stats *stats;
    uint64_t *fired = sim->outcome->fired;

    if (sim->net == NULL)
        return;
    stats = tp_net_stats(sim->net);
    fired[TP_FAMILY_CLOG] += stats->fault_losses + stats->fault_clogs +
                             stats->datagrams_twice + stats->datagrams_late;
    fired[TP_FAMILY_RESET] += stats->fault_resets;
    fired[TP_FAMILY_REFUSE] += stats->fault_refusals + stats->fault_silences;
}
