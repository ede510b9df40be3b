#include "apps/sim/scenarios/log3/strikes.h"

#include "io/mark.h"

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
    strikes->strike_ns = TP_NEVER;
}

static void cut(const struct log3_strikes *strikes, bool from_all, uint64_t span_ns)
{
    uint32_t count = from_all ? tp_sim_nodes(strikes->sim) : LOG3_NODES;

    for (uint32_t i = 0; i < count; i++) {
        if (i != strikes->node)
            tp_node_part(tp_sim_node(strikes->sim, strikes->node),
                         tp_sim_node(strikes->sim, i), span_ns);
    }
}

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

static void strike(struct log3_strikes *strikes)
{
    struct tp_sim *sim = strikes->sim;
    struct tp_node *struck = tp_sim_node(sim, strikes->node);
    uint64_t span_ns;
    enum strike kind = CUT_OFF;

    strikes->strike_ns = TP_NEVER;
    if (tp_sim_phase(sim) != TP_PHASE_CHAOS || !tp_node_is_up(struck) ||
        !draw_kind(strikes, &kind))
        return;
    span_ns = SPAN_LEAST_MS * MILLISECOND_NS << tp_sim_draw(sim, SPAN_OCTAVES);
    tp_reached("a leader is struck");
    switch (kind) {
    case CUT_OFF:
    case CUT_FROM_NODES:
        cut(strikes, kind == CUT_OFF, span_ns);
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

/* How long until then: soon. */
static uint64_t draw_delay_ns(const struct log3_strikes *strikes)
{
    uint64_t least_ns = MILLISECOND_NS << tp_sim_draw(strikes->sim, DELAY_OCTAVES);

    return least_ns + tp_sim_draw(strikes->sim, least_ns);
}

/* Whether one of so many is struck; who is to be struck already is not put off. */
static void aim(struct log3_strikes *strikes, uint32_t node, uint32_t of)
{
    struct tp_sim *sim = strikes->sim;

    if (strikes->odds == 0 || strikes->strike_ns != TP_NEVER ||
        tp_sim_phase(sim) != TP_PHASE_CHAOS || tp_sim_draw(sim, of) < of - strikes->odds)
        return;
    strikes->node = node;
    if (tp_sim_draw(sim, 2) == 0)
        strikes->strike_ns = tp_sim_now_ns(sim) + draw_delay_ns(strikes);
    else
        strike(strikes); /* one that is cut off now says to nobody what it knows */
}

void log3_strikes_leads(struct log3_strikes *strikes, uint32_t node)
{
    aim(strikes, node, LOG3_STRIKE_ODDS);
}

void log3_strikes_committed(struct log3_strikes *strikes, uint32_t node)
{
    aim(strikes, node, LOG3_STRIKE_ODDS * COMMITS);
}

void log3_strikes_pass(struct log3_strikes *strikes)
{
    if (strikes->strike_ns <= tp_sim_now_ns(strikes->sim))
        strike(strikes);
}
