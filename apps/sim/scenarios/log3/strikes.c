#include "apps/sim/scenarios/log3/strikes.h"

#include "io/mark.h"
#include "io/virtual/net.h"

enum {
    COMMITS = 8,       /* as many of them are like one election */
    DELAY_OCTAVES = 7, /* 1 to 128 ms */
    SPAN_OCTAVES = 4,  /* 400 ms to 3.2 s: another is elected meanwhile */
    SPAN_LEAST_MS = 400,
};
#define MILLISECOND_NS UINT64_C(1000000)

enum strike { CUT_OFF, CUT_FROM_NODES, PAUSE, KILL, POWER };

static const struct {
    enum strike strike;
    enum tp_family family;
} kinds[] = {{CUT_OFF, TP_FAMILY_PARTITION},
             {CUT_FROM_NODES, TP_FAMILY_PARTITION},
             {PAUSE, TP_FAMILY_PAUSE},
             {KILL, TP_FAMILY_KILL},
             {POWER, TP_FAMILY_POWER}};
enum { KINDS = sizeof kinds / sizeof *kinds };

void log3_strikes_init(struct log3_strikes *strikes, struct tp_sim *sim, uint32_t odds)
{
    static const struct log3_strikes none;

    tp_assert(odds < LOG3_STRIKE_ODDS);
    *strikes = none;
    strikes->sim = sim;
    strikes->odds = odds;
    strikes->strike_ns = strikes->due_ns = TP_NEVER;
}

void log3_strikes_boot(struct log3_strikes *strikes, struct tp_node *node)
{
    strikes->hosts[tp_node_index(node)] = tp_virtual_io_host(tp_node_io(node));
}

/* ------------------------------------------------------------------ cuts */

static bool is_cut(const struct log3_strikes *strikes, uint32_t node, uint32_t other)
{
    return node < LOG3_NODES && strikes->cuts[node].until_ns != 0 &&
           (other < LOG3_NODES || strikes->cuts[node].from_all);
}

/* A link that the simulator has broken too is whole when the first of both heals it. */
static void set_links(const struct log3_strikes *strikes, uint32_t node)
{
    for (uint32_t i = 0; i < LOG3_HOSTS; i++) {
        if (i != node && strikes->hosts[i] != 0)
            tp_net_part(tp_sim_net(strikes->sim), strikes->hosts[node], strikes->hosts[i],
                        is_cut(strikes, node, i) || is_cut(strikes, i, node));
    }
}

static void cut(struct log3_strikes *strikes, uint32_t node, bool from_all,
                uint64_t until_ns)
{
    strikes->cuts[node].until_ns = until_ns;
    strikes->cuts[node].from_all = from_all;
    set_links(strikes, node);
    if (strikes->due_ns > until_ns)
        strikes->due_ns = until_ns;
}

/* ------------------------------------------------------------------ a strike */

/* One of those that the run has; false: there is none. */
static bool draw_kind(const struct log3_strikes *strikes, enum strike *ret_strike)
{
    uint32_t families = tp_sim_families(strikes->sim), count = 0;
    enum strike on[KINDS];

    for (uint32_t i = 0; i < KINDS; i++) {
        if ((families & TP_FAMILY_BIT(kinds[i].family)) != 0)
            on[count++] = kinds[i].strike;
    }
    if (count == 0)
        return false;
    *ret_strike = on[tp_sim_draw(strikes->sim, count)];
    return true;
}

static void strike(struct log3_strikes *strikes, uint32_t node)
{
    struct tp_sim *sim = strikes->sim;
    struct tp_node *struck = tp_sim_node(sim, node);
    uint64_t span_ns;
    enum strike kind = CUT_OFF;

    strikes->strike_ns = TP_NEVER;
    if (!tp_node_is_up(struck) || !draw_kind(strikes, &kind))
        return;
    span_ns = SPAN_LEAST_MS * MILLISECOND_NS << tp_sim_draw(sim, SPAN_OCTAVES);
    tp_reached("a leader is struck");
    switch (kind) {
    case CUT_OFF:
    case CUT_FROM_NODES:
        cut(strikes, node, kind == CUT_OFF, tp_sim_now_ns(sim) + span_ns);
        return;
    case PAUSE:
        tp_node_pause(struck, span_ns);
        return;
    case KILL:
        tp_node_kill(struck);
        break;
    case POWER:
        tp_node_power_cut(struck);
        break;
    }
    tp_node_start(struck, span_ns);
}

/* Soon. */
static void delay(struct log3_strikes *strikes, uint32_t node)
{
    uint64_t least_ns = MILLISECOND_NS << tp_sim_draw(strikes->sim, DELAY_OCTAVES);

    strikes->node = node;
    strikes->strike_ns =
        tp_sim_now_ns(strikes->sim) + least_ns + tp_sim_draw(strikes->sim, least_ns);
    if (strikes->due_ns > strikes->strike_ns)
        strikes->due_ns = strikes->strike_ns;
}

/* Whether one of so many is struck; who is to be struck already is not put off. */
static void aim(struct log3_strikes *strikes, uint32_t node, uint32_t of)
{
    struct tp_sim *sim = strikes->sim;

    if (strikes->odds == 0 || strikes->strike_ns != TP_NEVER ||
        tp_sim_phase(sim) != TP_PHASE_CHAOS || tp_sim_draw(sim, of) < of - strikes->odds)
        return;
    if (tp_sim_draw(sim, 2) == 0)
        delay(strikes, node);
    else
        strike(strikes, node); /* one that is cut off now says to nobody what it knows */
}

void log3_strikes_leads(struct log3_strikes *strikes, uint32_t node)
{
    aim(strikes, node, LOG3_STRIKE_ODDS);
}

void log3_strikes_committed(struct log3_strikes *strikes, uint32_t node)
{
    aim(strikes, node, LOG3_STRIKE_ODDS * COMMITS);
}

/* ------------------------------------------------------------------ time */

void log3_strikes_pass(struct log3_strikes *strikes)
{
    uint64_t now_ns = tp_sim_now_ns(strikes->sim);
    bool is_over = tp_sim_phase(strikes->sim) > TP_PHASE_CHAOS;

    if (now_ns < strikes->due_ns && (!is_over || strikes->due_ns == TP_NEVER))
        return;
    strikes->due_ns = TP_NEVER;
    if (is_over)
        strikes->strike_ns = TP_NEVER;
    if (strikes->strike_ns <= now_ns)
        strike(strikes, strikes->node);
    else if (strikes->strike_ns < strikes->due_ns)
        strikes->due_ns = strikes->strike_ns;
    for (uint32_t i = 0; i < LOG3_NODES; i++) {
        uint64_t until_ns = strikes->cuts[i].until_ns;

        if (until_ns == 0)
            continue;
        if (is_over || until_ns <= now_ns)
            strikes->cuts[i].until_ns = 0;
        else if (until_ns < strikes->due_ns)
            strikes->due_ns = until_ns;
        if (strikes->cuts[i].until_ns == 0)
            set_links(strikes, i);
    }
}
