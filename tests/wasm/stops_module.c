/* The simulator's module with programs that stop themselves instead of the scenarios: for
 * the engine, and for the page. */
#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/sim_internal.h"

struct worker {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf buf;
    uint8_t bytes[4];
    uint32_t rounds;
};

enum { ROUNDS = 12 };

/* Ends in the midst of its work, by an assertion or (law 4) with an operation in flight. */
static enum tp_step stops(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_open_options options = {.write = true, .create = true};
    const bool *asserts = tp_sim_context(tp_node_sim(w->node));
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/work", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    for (;;) {
        w->buf = tp_buf_full("work", 4);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, 4 * w->rounds), &result);
        tp_node_promised(w->node, "round %u", ++w->rounds);
        tp_assert(!*asserts || w->rounds < ROUNDS);
        if (w->rounds < ROUNDS)
            continue;
        (void)tp_timer(cx, 1000);
        return tp_end(machine, 0);
    }
    TP_END(cx);
}

/* Believes what it finds: where there is a second file, the first one has been written. It
 * has not been synced. */
static enum tp_step trusts(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_open_options reads = {.read = true};
    struct tp_open_options makes = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/second", reads), &result);
    if (result.value >= 0) {
        TP_AWAIT(cx, tp_close(cx, tp_into_fd(cx, result)), &result);
        TP_AWAIT(cx, tp_open(cx, "/first", reads), &result);
        tp_assert(result.value != -ENOENT);
        if (result.value < 0)
            return tp_end(machine, result.value);
        w->fd = tp_into_fd(cx, result);
        w->buf = tp_buf_empty(w->bytes, sizeof w->bytes);
        TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
        tp_assert(result.value != 0);
    } else {
        TP_AWAIT(cx, tp_open(cx, "/first", makes), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        w->fd = tp_into_fd(cx, result);
        w->buf = tp_buf_full("work", 4);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, 0), &result);
        TP_AWAIT(cx, tp_open(cx, "/second", makes), &result);
        if (result.value >= 0)
            TP_AWAIT(cx, tp_close(cx, tp_into_fd(cx, result)), &result);
    }
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    return TP_DONE;
    TP_END(cx);
}

static void boot_trusting(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    tp_node_spawn(node, &w->machine, trusts, "worker");
}

static void boot(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, stops, "worker");
}

/* In the stead of apps/sim/scenarios/list.c. */
uint32_t sim_scenarios(struct tp_scenario *ret_scenarios)
{
    static const bool yes = true, no = false;

    ret_scenarios[0] = (struct tp_scenario){
        .name = "asserts", .summary = "an assertion", .boot = boot, .context = &yes};
    ret_scenarios[1] = (struct tp_scenario){
        .name = "leaks", .summary = "a law", .boot = boot, .context = &no};
    ret_scenarios[2] = (struct tp_scenario){
        .name = "trusts", .summary = "an assertion, after a cut", .boot = boot_trusting};
    return 3;
}
