/* What befalls links: each shape of a partition, seen by datagrams from every node to every
 * other; what else befalls datagrams; and many nodes with little to do. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "fixture.h"
#include "io/virtual/net.h"

enum { NODES = 5, PORT = 80, BEAT_NS = 10000000, SETTLED_NS = 20000000 };

/* ------------------------------------------------------------------ nodes that beat */

struct beats {
    uint64_t heard_ns[NODES][NODES]; /* from, to: when last */
    uint64_t heard;
};

struct beater {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_address address;
    struct tp_buf buf;
    uint32_t to, count; /* nodes from `to` on to which it sends */
    uint64_t every_ns;
};

static enum tp_step beater_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct beater *b = tp_container_of(machine, struct beater, machine);
    const struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    b->address = tp_node_address(b->node, PORT + 1);
    TP_AWAIT(cx, tp_bind(cx, &b->address, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    b->fd = tp_into_fd(cx, result);
    for (;;) {
        TP_AWAIT(cx, tp_timer(cx, b->every_ns), &result);
        for (b->to = 0; b->to < b->count; b->to++) {
            b->address = tp_node_address(
                tp_sim_node(tp_node_sim(b->node), (tp_node_index(b->node) + 1 + b->to) %
                                                      tp_sim_nodes(tp_node_sim(b->node))),
                PORT);
            b->buf = tp_buf_full("beat", 4);
            TP_AWAIT(cx, tp_send_to(cx, b->fd, &b->buf, &b->address), &result);
        }
    }
    TP_END(cx);
}

struct hearer {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_address address;
    struct tp_buf buf;
    struct tp_datagram datagram;
    char bytes[8];
};

static void note_beat(const struct hearer *h)
{
    struct tp_sim *sim = tp_node_sim(h->node);
    struct beats *beats = tp_sim_state(sim);
    uint32_t from = h->datagram.from.at.ipv4[3] - 1U;

    beats->heard++;
    if (tp_sim_nodes(sim) == NODES)
        beats->heard_ns[from][tp_node_index(h->node)] = tp_sim_now_ns(sim);
}

static enum tp_step hearer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct hearer *h = tp_container_of(machine, struct hearer, machine);
    const struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    h->address = tp_node_address(h->node, PORT);
    TP_AWAIT(cx, tp_bind(cx, &h->address, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    h->fd = tp_into_fd(cx, result);
    for (;;) {
        h->buf = tp_buf_empty(h->bytes, sizeof h->bytes);
        TP_AWAIT(cx, tp_recv_from(cx, h->fd, &h->buf, &h->datagram), &result);
        if (result.value == 4)
            note_beat(h);
        else if (result.value < 0)
            return tp_end(machine, result.value);
    }
    TP_END(cx);
}

static void boot_with(struct tp_node *node, uint32_t count, uint64_t every_ns)
{
    struct beater *b = tp_node_new(node, sizeof *b);
    struct hearer *h = tp_node_new(node, sizeof *h);

    b->node = h->node = node;
    b->count = count;
    b->every_ns = every_ns;
    tp_node_spawn(node, &b->machine, beater_tick, "beater");
    tp_node_spawn(node, &h->machine, hearer_tick, "hearer");
}

static void boot_beating(struct tp_node *node)
{
    boot_with(node, NODES - 1, BEAT_NS);
}

static const struct tp_scenario beating = {
    .name = "beating",
    .nodes = NODES,
    .state_bytes = sizeof(struct beats),
    .boot = boot_beating,
    .done = s_chaos_is_over,
    .chaos_ns = 4000000000,
};

/* ------------------------------------------------------------------ shapes */

/* The shapes that were seen, and what is known of the one that is there. */
static struct {
    struct tp_sim *sim;
    uint32_t seen[6];
    int32_t shape; /* -1: none */
    uint32_t one;  /* the node that it begins with */
    uint64_t since_ns;
} links;

static const char *const shapes[] = {
    "a node is cut off",           "nothing that a node sends arrives",
    "nothing arrives at a node",   "two nodes cannot reach each other",
    "the nodes are in two halves", "each node reaches its two neighbours only",
};
enum { CUT_OFF, MUTE, DEAF, TWO, HALVES, RING, SHAPES };

/* How many links are broken in each shape of five nodes. */
static const uint32_t broken_links[] = {8, 4, 4, 2, 12, 10};

/* Whether a link may be broken in that shape at all. */
static bool may_be_broken(uint32_t from, uint32_t to)
{
    uint32_t apart = (to + NODES - from) % NODES;

    switch (links.shape) {
    case CUT_OFF:
        return from == links.one || to == links.one;
    case MUTE:
        return from == links.one;
    case DEAF:
        return to == links.one;
    case RING:
        return apart != 1 && apart != NODES - 1;
    default:
        return true;
    }
}

/* Everything is looked at that was heard since the links broke, but for a while in which
 * what had arrived before may be on its way into the process. */
static void look_at_links(uint64_t now_ns)
{
    const struct beats *beats = tp_sim_state(links.sim);
    bool broken[NODES][NODES];
    uint32_t count = 0;

    for (uint32_t from = 0; from < NODES; from++) {
        for (uint32_t to = 0; to < NODES; to++) {
            broken[from][to] =
                from != to && beats->heard_ns[from][to] < links.since_ns + SETTLED_NS;
            count += broken[from][to];
            cr_assert(may_be_broken(from, to) || !broken[from][to],
                      "%s: %u does not reach %u", shapes[links.shape], from, to);
        }
    }
    cr_assert(eq(u32, count, broken_links[links.shape]), "%s, %llu ms", shapes[links.shape],
              (unsigned long long)(now_ns - links.since_ns) / 1000000);
    for (uint32_t from = 0; from < NODES && links.shape >= TWO; from++) {
        for (uint32_t to = 0; to < NODES; to++)
            cr_assert(broken[from][to] == broken[to][from]);
    }
    links.seen[links.shape]++;
}

static void on_fact(void *context, const struct tp_fact *fact)
{
    (void)context;
    if (fact->kind != TP_FACT_EVENT || fact->node != NULL)
        return;
    if (links.shape >= 0 && fact->at_ns > links.since_ns + 5 * (uint64_t)SETTLED_NS)
        look_at_links(fact->at_ns);
    links.shape = -1;
    for (int32_t i = 0; i < SHAPES; i++) {
        if (strcmp(fact->text, shapes[i]) == 0) {
            links.shape = i;
            links.one = fact->detail;
            links.since_ns = fact->at_ns;
        }
    }
}

static void note_sim(struct tp_sim *sim)
{
    links.sim = sim;
}

/* A run of those that beat, with no trouble but partitions. */
static void run_parted(uint64_t seed, void (*invariant)(struct tp_sim *sim),
                       void (*fact)(void *context, const struct tp_fact *fact))
{
    struct tp_sim_watch watch = {.fact = fact};
    struct tp_sim_options options = {.size = sizeof options,
                                     .seed = seed,
                                     .families_on = TP_FAMILY_BIT(TP_FAMILY_PARTITION),
                                     .families_off =
                                         S_ALL & ~TP_FAMILY_BIT(TP_FAMILY_PARTITION),
                                     .watch = &watch};
    struct tp_scenario scenario = beating;
    struct tp_sim_outcome outcome;

    scenario.invariant = invariant;
    tp_sim_run(&scenario, &options, &outcome);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
}

/* One node cut off, one way, the other way, a pair, two halves, a ring: each is what it is
 * called, for as long as it lasts. */
Test(links, each_shape_of_a_partition_is_what_it_is_called)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        links.shape = -1;
        run_parted(seed, note_sim, on_fact);
    }
    for (uint32_t i = 0; i < SHAPES; i++)
        cr_assert(lt(u32, 0, links.seen[i]), "never seen: %s", shapes[i]);
}

/* ------------------------------------------------------------------ a scenario's own */

enum { PARTED_MS = 2000, AGAIN_MS = 1000 };
#define MS UINT64_C(1000000)

/* What was told of the parting of nodes 0 and 1, and how often they were looked at. */
static struct {
    uint32_t told, parted, joined;
} apart;

static void note_told(void *context, const struct tp_fact *fact)
{
    (void)context;
    apart.told +=
        fact->kind == TP_FACT_EVENT && strcmp(fact->text, "it cannot reach node 1") == 0;
}

static void check_apart(const struct beats *beats, uint64_t now_ns)
{
    cr_assert(lt(u64, beats->heard_ns[0][1], SETTLED_NS));
    cr_assert(lt(u64, beats->heard_ns[1][0], SETTLED_NS));
    apart.parted += now_ns > (AGAIN_MS + 100) * MS;
}

/* They are parted as the run begins, and once more for a moment, which ends earlier. */
static void part_two(struct tp_sim *sim)
{
    const struct beats *beats = tp_sim_state(sim);
    uint64_t now_ns = tp_sim_now_ns(sim);

    if (apart.told == 0 || (apart.told == 1 && now_ns > AGAIN_MS * MS))
        tp_node_part(tp_sim_node(sim, 0), tp_sim_node(sim, 1),
                     apart.told == 0 ? PARTED_MS * MS : MS);
    if (now_ns < PARTED_MS * MS)
        check_apart(beats, now_ns);
    else
        apart.joined += beats->heard_ns[0][1] + SETTLED_NS > now_ns &&
                        beats->heard_ns[1][0] + SETTLED_NS > now_ns;
}

/* However often the simulator mends its own partitions; the others are not parted. */
Test(links, two_nodes_that_a_scenario_parts_are_apart_for_as_long)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        apart.told = apart.parted = apart.joined = 0;
        run_parted(seed, part_two, note_told);
        cr_assert(eq(u32, apart.told, 2));
        cr_assert(lt(u32, 10, apart.parted));
        cr_assert(lt(u32, 10, apart.joined));
    }
}

/* ------------------------------------------------------------------ datagrams */

static struct tp_net_stats sum;

static void add_stats(struct tp_sim *sim)
{
    const struct tp_net_stats *stats = tp_net_stats(tp_sim_net(sim));

    sum.datagrams += stats->datagrams;
    sum.fault_losses += stats->fault_losses;
    sum.datagrams_twice += stats->datagrams_twice;
    sum.datagrams_late += stats->datagrams_late;
}

/* The family that makes packets of streams late loses datagrams, doubles and reorders them;
 * without it all of them arrive in their order. */
Test(links, a_family_of_faults_befalls_datagrams)
{
    struct tp_scenario scenario = beating;

    scenario.check = add_stats;
    scenario.chaos_ns = 1000000000;
    for (uint32_t on = 0; on < 2; on++) {
        uint32_t clog = TP_FAMILY_BIT(TP_FAMILY_CLOG);
        uint64_t fired = 0;

        memset(&sum, 0, sizeof sum);
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct tp_sim_outcome outcome =
                s_with(&scenario, seed, on * clog, S_ALL & ~(on * clog));

            cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
            fired += outcome.fired[TP_FAMILY_CLOG];
        }
        cr_assert(lt(u64, 5000, sum.datagrams));
        cr_assert(eq(int, sum.fault_losses > 0, on == 1));
        cr_assert(eq(int, sum.datagrams_twice > 0, on == 1));
        cr_assert(eq(int, sum.datagrams_late > 0, on == 1));
        cr_assert(eq(int, fired > 0, on == 1));
    }
}

/* ------------------------------------------------------------------ many nodes */

static void boot_little(struct tp_node *node)
{
    boot_with(node, 1, 10 * (uint64_t)BEAT_NS);
}

/* What nodes cost is what they do: ten times as many do, and cost, ten times as much. */
Test(links, five_hundred_nodes_with_little_to_do_cost_what_they_do)
{
    struct tp_scenario crowd = beating;
    struct tp_sim_outcome few, many;

    crowd.boot = boot_little;
    crowd.chaos_ns = 2000000000;
    crowd.nodes = 50;
    few = s_with(&crowd, 1, 0, S_ALL);
    crowd.nodes = 500;
    many = s_with(&crowd, 1, 0, S_ALL);
    cr_assert(eq(u32, few.verdict, TP_VERDICT_PASSED), "%s", few.message);
    cr_assert(eq(u32, many.verdict, TP_VERDICT_PASSED), "%s", many.message);
    cr_assert(lt(u64, 3000, few.events));
    cr_assert(ge(u64, many.events, few.events * 19 / 2));
    cr_assert(le(u64, many.events, few.events * 21 / 2));
}
