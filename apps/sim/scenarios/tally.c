/* A tally: a file that grows by a byte with each command, so that its size is the count.
 * The others leave one thing out each; the lines are marked. They are the example of
 * docs/simulation.md. */
#include "apps/sim/scenarios/scenarios.h"

enum { SOUND, NO_SYNC, NO_DIR, DEAF };

static const uint32_t flaws[] = {SOUND, NO_SYNC, NO_DIR, DEAF};

/* What outlives the nodes. */
struct oracle {
    uint64_t begun;    /* strokes that were being made */
    uint64_t promised; /* strokes that somebody was told of */
};

struct tally {
    struct tp_machine machine;
    struct tp_node *node;
    struct oracle *oracle;
    uint32_t flaw;
    struct tp_fd fd;
    struct tp_statx statx;
    struct tp_buf stroke;
    uint64_t count;
};

static void compare(const struct tally *t)
{
    if (t->count < t->oracle->promised || t->count > t->oracle->begun)
        tp_sim_fail(tp_node_sim(t->node), "%llu strokes, promised were %llu",
                    (unsigned long long)t->count, (unsigned long long)t->oracle->promised);
}

static enum tp_step tally_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tally *t = tp_container_of(machine, struct tally, machine);
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/tally", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    t->fd = tp_into_fd(cx, result);
    if (t->flaw != NO_DIR) { /* tally-nodir: the file is there, its name is not */
        TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
    }
    TP_AWAIT(cx, tp_fstat(cx, t->fd, &t->statx), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    t->count = t->statx.size;
    compare(t);
    while (tp_node_more(t->node)) {
        t->oracle->begun = t->count + 1;
        t->stroke = tp_buf_full("|", 1);
        TP_AWAIT(cx, tp_write_at(cx, t->fd, &t->stroke, t->count), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        if (t->flaw != NO_SYNC) { /* tally-broken: nothing keeps what is promised */
            TP_AWAIT(cx, tp_fsync(cx, t->fd, TP_DATA_ONLY), &result);
            if (result.value < 0 && t->flaw != DEAF) /* tally-deaf: EIO is not heard */
                return tp_end(machine, result.value);
        }
        t->oracle->promised = ++t->count;
        tp_node_promised(t->node, "stroke %llu", (unsigned long long)t->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct tally *t = tp_node_new(node, sizeof *t);

    t->node = node;
    t->oracle = tp_sim_state(tp_node_sim(node));
    t->flaw = *(const uint32_t *)tp_sim_context(tp_node_sim(node));
    tp_node_spawn(node, &t->machine, tally_tick, "tally");
}

const struct tp_scenario tally_scenario = {
    .name = "tally",
    .summary = "a count that is synced before it is promised",
    .state_bytes = sizeof(struct oracle),
    .context = &flaws[SOUND],
    .boot = boot,
};

const struct tp_scenario tally_broken_scenario = {
    .name = "tally-broken",
    .summary = "a count that is promised without a sync: a bug to be found",
    .state_bytes = sizeof(struct oracle),
    .context = &flaws[NO_SYNC],
    .boot = boot,
};

const struct tp_scenario tally_nodir_scenario = {
    .name = "tally-nodir",
    .summary = "a count in a file whose name is not synced: a bug to be found",
    .state_bytes = sizeof(struct oracle),
    .context = &flaws[NO_DIR],
    .boot = boot,
};

const struct tp_scenario tally_deaf_scenario = {
    .name = "tally-deaf",
    .summary = "a count whose sync may fail unheard: a bug to be found",
    .state_bytes = sizeof(struct oracle),
    .context = &flaws[DEAF],
    .boot = boot,
};
