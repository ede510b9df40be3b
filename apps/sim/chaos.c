/* What befalls nodes and links, and when. Each node has one thing coming, drawn when the
 * last has come: what, after how many operations of the node (never after a time: a busy
 * node meets more), whether aimed at a sync or rename, how long. The links have the same,
 * in operations of all nodes. */
#include <errno.h>

#include "apps/sim/record.h"
#include "apps/sim/sim_internal.h"

enum {
    NOTHING,
    /* of a node, from mild to bad */
    PAUSE,
    CLOCK,
    KILL,
    POWER,
    UPGRADE,
    ROLLBACK,
    WIPE,
    /* of links, from few to many */
    ISOLATE,
    MUTE,
    DEAF,
    PAIR,
    SPLIT,
    RING,

    WHEN_OCTAVES = 9,  /* 1 to TP_CHAOS_WITHIN operations */
    SPAN_OCTAVES = 14, /* 1 ms to 16 s */
    PAUSE_OCTAVES = 6, /* longer than that: up to 10 minutes and more */
    AIMS = 6,          /* of these, half are at a sync */
    AT_BEGIN = 1,
    AT_EFFECT = 2,
    AFTER = 3,
    NOTE_STRIKE = 32,
    NOTE_HEAL,
};
#define SPAN_LEAST_NS UINT64_C(1000000)

static const struct {
    uint32_t event;
    enum tp_family family;
} node_events[] = {
    {PAUSE, TP_FAMILY_PAUSE}, {CLOCK, TP_FAMILY_CLOCK},     {KILL, TP_FAMILY_KILL},
    {POWER, TP_FAMILY_POWER}, {UPGRADE, TP_FAMILY_UPGRADE}, {ROLLBACK, TP_FAMILY_ROLLBACK},
    {WIPE, TP_FAMILY_WIPE},
};
enum { NODE_EVENTS = sizeof node_events / sizeof *node_events };

static const char *const event_names[] = {
    [NOTHING] = "nothing",
    [PAUSE] = "it stands still",
    [CLOCK] = "its wall clock stands still",
    [KILL] = "its process is killed",
    [POWER] = "its power is cut",
    [UPGRADE] = "another version is started",
    [ROLLBACK] = "its disk is as it was",
    [WIPE] = "its disk is empty",
    [ISOLATE] = "a node is cut off",
    [MUTE] = "nothing that a node sends arrives",
    [DEAF] = "nothing arrives at a node",
    [PAIR] = "two nodes cannot reach each other",
    [SPLIT] = "the nodes are in two halves",
    [RING] = "each node reaches its two neighbours only",
};

static uint64_t draw(const struct tp_sim *sim, uint32_t number, enum tp_draw kind,
                     uint64_t bound)
{
    return tp_tape_draw(sim->tape, tp_stream(number, TP_CONCERN_EVENT), kind, bound);
}

/* ------------------------------------------------------------------ what comes next */

/* One of `count` choices, or, one time in four, nothing more. */
static uint32_t draw_event(const struct tp_sim *sim, uint32_t number,
                           const uint32_t *events, uint32_t count)
{
    uint64_t drawn;

    if (count == 0)
        return NOTHING;
    drawn = draw(sim, number, TP_DRAW_EVENT, (uint64_t)count * 4);
    return drawn < count ? NOTHING : events[(drawn - count) / 3];
}

static void draw_times(const struct tp_sim *sim, uint32_t number, uint64_t begun,
                       struct tp_schedule *schedule)
{
    uint32_t octaves = SPAN_OCTAVES + (schedule->event == PAUSE ? PAUSE_OCTAVES : 0);
    uint64_t octave, after;

    octave = draw(sim, number, TP_DRAW_WHEN, TP_OCTAVES(WHEN_OCTAVES)) / 16;
    after = UINT64_C(1) << octave;
    after += draw(sim, number, TP_DRAW_WHEN, after);
    tp_assert(after <= TP_CHAOS_WITHIN);
    schedule->at = begun + after;
    schedule->span_ns =
        tp_ratio(SPAN_LEAST_NS, draw(sim, number, TP_DRAW_SPAN, TP_OCTAVES(octaves)));
}

static bool can_befall(const struct tp_node *node, uint32_t event)
{
    return event != UPGRADE || node->config.versions > 1;
}

static void plan_node(struct tp_node *node)
{
    static const struct tp_schedule none;
    const struct tp_sim *sim = node->sim;
    struct tp_schedule *schedule = &node->schedule;
    uint32_t events[NODE_EVENTS];
    uint32_t count = 0;
    uint64_t aim;

    *schedule = none;
    for (uint32_t i = 0; i < NODE_EVENTS; i++) {
        if (tp_swarm_is_on(sim, node_events[i].family) &&
            can_befall(node, node_events[i].event))
            events[count++] = node_events[i].event;
    }
    schedule->event = draw_event(sim, node->number, events, count);
    if (schedule->event == NOTHING)
        return;
    draw_times(sim, node->number, node->begun, schedule);
    if (schedule->event == KILL || schedule->event == POWER) {
        aim = draw(sim, node->number, TP_DRAW_AIM, AIMS);
        schedule->aim = aim <= AFTER ? (uint32_t)aim : 0;
    }
    if (schedule->event == CLOCK)
        schedule->argument = (uint32_t)draw(sim, node->number, TP_DRAW_CLOCK, 4);
    if (schedule->event == UPGRADE)
        schedule->argument =
            (uint32_t)draw(sim, node->number, TP_DRAW_EVENT, node->config.versions);
}

static void plan_links(struct tp_sim *sim)
{
    static const struct tp_schedule none;
    static const uint32_t events[] = {ISOLATE, MUTE, DEAF, PAIR, SPLIT, RING};
    /* What is no other one among so few. */
    uint32_t count = sim->node_count < 3 ? 3 : sim->node_count < 4 ? 5 : 6;
    struct tp_schedule *schedule = &sim->links;

    *schedule = none;
    if (sim->node_count < 2 || !tp_swarm_is_on(sim, TP_FAMILY_PARTITION))
        return;
    schedule->event = draw_event(sim, 0, events, count);
    if (schedule->event == NOTHING)
        return;
    draw_times(sim, 0, sim->begun, schedule);
    schedule->argument = (uint32_t)draw(sim, 0, TP_DRAW_EVENT, sim->node_count);
}

void tp_chaos_begin(struct tp_sim *sim)
{
    sim->hurting = true;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct tp_node *node = sim->nodes[i];

        if (node->config.spared)
            continue;
        plan_node(node);
        if (node->io != NULL)
            tp_swarm_apply(node);
    }
    plan_links(sim);
    tp_swarm_apply_net(sim);
}

/* ------------------------------------------------------------------ when it comes */

static bool is_barrier(const struct tp_request *request)
{
    return request->kind == TP_FSYNC || request->kind == TP_SYNC_DIR ||
           request->kind == TP_RENAME;
}

static bool is_due(struct tp_schedule *schedule, const struct tp_virtual_moment *moment)
{
    switch (schedule->aim) {
    case AT_BEGIN:
        return moment->stage == TP_VIRTUAL_BEGUN && is_barrier(moment->request);
    case AT_EFFECT:
        return moment->stage == TP_VIRTUAL_EFFECT && is_barrier(moment->request);
    case AFTER:
        if (schedule->seen)
            return moment->stage == TP_VIRTUAL_BEGUN;
        schedule->seen =
            moment->stage == TP_VIRTUAL_COMPLETED && is_barrier(moment->request);
        return false;
    default:
        return moment->stage == TP_VIRTUAL_BEGUN;
    }
}

void tp_chaos_moment(struct tp_node *node, const struct tp_virtual_moment *moment)
{
    struct tp_sim *sim = node->sim;
    struct tp_schedule *schedule = &node->schedule;

    if (moment->stage == TP_VIRTUAL_BEGUN) {
        node->begun++;
        sim->begun++;
        if (sim->links.event != NOTHING && sim->begun >= sim->links.at && sim->hurting)
            sim->pending = sim->links.due = true;
    } else if (moment->stage == TP_VIRTUAL_EFFECT && moment->result == -ENOSPC) {
        sim->outcome->fired[TP_FAMILY_FULL]++;
    }
    if (schedule->event != NOTHING && node->begun >= schedule->at && sim->hurting &&
        !schedule->due && is_due(schedule, moment))
        sim->pending = schedule->due = true;
}

static void disturb_clock(struct tp_node *node, const struct tp_schedule *schedule)
{
    int64_t step_ns = (int64_t)schedule->span_ns;

    switch (schedule->argument) {
    case 0:
        tp_virtual_io_jump(node->io, schedule->span_ns);
        tp_node_make_ready(node); /* a timer may be due */
        return;
    case 1:
    case 2:
        step_ns = schedule->argument == 1 ? step_ns : -step_ns;
        node->wall_ns += step_ns;
        tp_virtual_io_step_wall(node->io, step_ns);
        return;
    default:
        tp_virtual_io_freeze_wall(node->io, true);
    }
}

/* What befalls it, in words; of its clocks, what and by how much. */
static void tell_strike(const struct tp_node *node, const struct tp_schedule *schedule)
{
    static const char *const ways[] = {
        "its clocks jump ahead", "its wall clock steps ahead", "its wall clock steps back"};
    const char *words = event_names[schedule->event];
    char text[TP_RECORD_TEXT];

    if (schedule->event == CLOCK && schedule->argument < sizeof ways / sizeof *ways) {
        (void)snprintf(text, sizeof text, "%s by %.6f s", ways[schedule->argument],
                       (double)schedule->span_ns / 1e9);
        words = text;
    }
    tp_sim_tell(node->sim, TP_FACT_EVENT, schedule->event, node, words);
}

static void strike_node(struct tp_node *node)
{
    struct tp_schedule schedule = node->schedule;
    enum tp_end how = TP_END_NONE;

    for (uint32_t i = 0; i < NODE_EVENTS; i++) {
        if (node_events[i].event == schedule.event)
            node->sim->outcome->fired[node_events[i].family]++;
    }
    tp_sim_note(node->sim, NOTE_STRIKE, node->number, schedule.event);
    tell_strike(node, &schedule);
    plan_node(node);
    switch (schedule.event) {
    case PAUSE:
        tp_node_stand_still(node, schedule.span_ns);
        return;
    case CLOCK:
        disturb_clock(node, &schedule);
        return;
    case UPGRADE:
        tp_node_set_version(node, schedule.argument);
        how = TP_END_KILL;
        break;
    case KILL:
        how = TP_END_KILL;
        break;
    case POWER:
        how = TP_END_POWER;
        break;
    case ROLLBACK:
        how = TP_END_ROLLBACK;
        break;
    case WIPE:
        how = TP_END_WIPE;
        break;
    default:
        tp_unreachable();
    }
    tp_node_end(node, how);
    tp_node_start(node, schedule.span_ns);
}

/* ------------------------------------------------------------------ links */

/* Whether what goes from one node to the other is lost. */
static bool is_broken(const struct tp_sim *sim, const struct tp_schedule *schedule,
                      uint32_t from, uint32_t to)
{
    uint32_t one = schedule->argument;

    switch (schedule->event) {
    case ISOLATE:
        return from == one || to == one;
    case MUTE:
        return from == one;
    case DEAF:
        return to == one;
    case PAIR:
        return (from == one && to == (one + 1) % sim->node_count) ||
               (to == one && from == (one + 1) % sim->node_count);
    case SPLIT: /* halves, the first of which begins at `one` */
        return ((from + sim->node_count - one) % sim->node_count < sim->node_count / 2) !=
               ((to + sim->node_count - one) % sim->node_count < sim->node_count / 2);
    case RING:
        return from != (to + 1) % sim->node_count && to != (from + 1) % sim->node_count;
    default:
        return false;
    }
}

static void set_links(struct tp_sim *sim, const struct tp_schedule *schedule)
{
    for (uint32_t from = 0; from < sim->node_count; from++) {
        for (uint32_t to = 0; to < sim->node_count; to++) {
            if (from != to && sim->nodes[from]->host != 0 && sim->nodes[to]->host != 0)
                tp_net_break(sim->net, sim->nodes[from]->host, sim->nodes[to]->host,
                             sim->nodes[from]->is_mute ||
                                 is_broken(sim, schedule, from, to) ||
                                 tp_act_is_cut(sim, from, to));
        }
    }
}

void tp_chaos_set_links(struct tp_sim *sim)
{
    static const struct tp_schedule none;

    set_links(sim, sim->heal_ns != TP_NEVER ? &sim->links : &none);
}

static void strike_links(struct tp_sim *sim)
{
    sim->outcome->fired[TP_FAMILY_PARTITION]++;
    tp_sim_note(sim, NOTE_STRIKE, 0, sim->links.event);
    tp_sim_tell(sim, TP_FACT_EVENT, sim->links.argument, NULL,
                event_names[sim->links.event]);
    set_links(sim, &sim->links);
    sim->links.due = false;
    sim->links.at = UINT64_MAX; /* until it has healed */
    sim->heal_ns = tp_world_now_ns(sim->world) + sim->links.span_ns;
    tp_sim_at(sim, sim->heal_ns, TP_DUE_HEAL, 0);
}

void tp_chaos_heal_links(struct tp_sim *sim)
{
    static const struct tp_schedule none;

    tp_sim_note(sim, NOTE_HEAL, 0, 0);
    tp_sim_tell(sim, TP_FACT_EVENT, 0, NULL, "the links are whole again");
    set_links(sim, &none);
    sim->heal_ns = TP_NEVER;
    sim->links = none;
    if (sim->hurting)
        plan_links(sim);
}

void tp_chaos_strike(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct tp_node *node = sim->nodes[i];

        if (!node->schedule.due)
            continue;
        if (node->io != NULL)
            strike_node(node);
        else
            node->schedule.due = false; /* it died at the same moment by itself */
    }
    if (sim->links.due)
        strike_links(sim);
}

void tp_chaos_heal(struct tp_sim *sim)
{
    sim->hurting = false;
    tp_swarm_apply_net(sim);
    tp_act_heal(sim);
    if (sim->heal_ns != TP_NEVER)
        tp_chaos_heal_links(sim);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct tp_node *node = sim->nodes[i];

        tp_swarm_make_room(node);
        tp_node_resume(node);
        if (tp_swarm_needs_power_cut(node))
            tp_node_end(node, TP_END_POWER);
        if (node->io != NULL) {
            tp_swarm_apply(node);
            if (tp_swarm_is_on(sim, TP_FAMILY_CLOCK))
                tp_virtual_io_freeze_wall(node->io, false);
        } else if (!node->finished && !sim->over) {
            tp_node_boot(node);
        }
    }
}
