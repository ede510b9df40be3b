/* tests/sim/losses.c - ghosts are tried for what the run fails by: a failed sync, also
 * behind a power cut, and no power cut that only came before; nor is it a fault without
 * which it passes by chance. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "explained.h"
#include "try.h"

enum { SEEDS = 20000, ROUNDS = 40, BYTES = 8 };

struct keeper {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf buf;
    uint32_t round, lost, reads_behind;
    char written[BYTES], read[BYTES];
};

#define FAMILY(name) TP_FAMILY_BIT(TP_FAMILY_##name)

static struct tp_buf *to_write(struct keeper *k)
{
    for (uint32_t i = 0; i < BYTES; i++)
        k->written[i] = (char)('a' + (k->round + tp_node_boots(k->node)) % 26);
    k->buf = tp_buf_full(k->written, BYTES);
    return &k->buf;
}

static struct tp_buf *to_read(struct keeper *k)
{
    k->buf = tp_buf_empty(k->read, BYTES);
    return &k->buf;
}

static void compare(struct keeper *k)
{
    if (memcmp(k->written, k->read, BYTES) != 0)
        tp_sim_fail(tp_node_sim(k->node), "what was synced %s is gone",
                    tp_node_boots(k->node) > 1 ? "after a restart" : "at first");
}

/* Syncs until that says 0, and believes it. */
static enum tp_step believer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    struct tp_open_options options = {.read = true, .write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TRY(tp_open(cx, "/a", options));
    k->fd = tp_into_fd(cx, result);
    for (k->round = 0; k->round < ROUNDS; k->round++) {
        TRY(tp_write_at(cx, k->fd, to_write(k), 0));
        do
            TP_AWAIT(cx, tp_fsync(cx, k->fd, 0), &result);
        while (result.value < 0);
        tp_node_promised(k->node, "a round");
        TRY(tp_read_at(cx, k->fd, to_read(k), 0));
        compare(k);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Promises what it does not sync, and nobody asks for that. What is left of it decides how
 * many reads come before each write, and by that what a fault befalls: a read, which it
 * bears, or a write, which it does not. */
static enum tp_step tender_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    struct tp_open_options options = {.read = true, .write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TRY(tp_open(cx, "/a", options));
    k->fd = tp_into_fd(cx, result);
    if (tp_node_boots(k->node) == 1) {
        TRY(tp_write_at(cx, k->fd, to_write(k), 0));
        tp_node_promised(k->node, "it");
    }
    TRY(tp_read_at(cx, k->fd, to_read(k), 0));
    if (k->read[0] != '-')
        TRY(tp_read_at(cx, k->fd, to_read(k), 0));
    for (k->round = 0; k->round < ROUNDS; k->round++) {
        if (tp_node_boots(k->node) > 1) {
            TP_AWAIT(cx, tp_write_at(cx, k->fd, to_write(k), BYTES), &result);
            if (result.value < 0)
                tp_sim_fail(tp_node_sim(k->node), "a write has failed");
        }
        TP_AWAIT(cx, tp_read_at(cx, k->fd, to_read(k), 0), &result);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Loses what it fails to write, which shows at every other moment only. When a read fails
 * it reads once more, by which that is another moment, and no more. */
static enum tp_step loser_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    struct tp_open_options options = {.read = true, .write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TRY(tp_open(cx, "/a", options));
    k->fd = tp_into_fd(cx, result);
    for (k->round = 0; k->round < ROUNDS; k->round++) {
        TP_AWAIT(cx, tp_write_at(cx, k->fd, to_write(k), 0), &result);
        k->lost += result.value < 0;
        TP_AWAIT(cx, tp_read_at(cx, k->fd, to_read(k), 0), &result);
        if (result.value < 0) {
            k->reads_behind += k->lost;
            TP_AWAIT(cx, tp_read_at(cx, k->fd, to_read(k), 0), &result);
        }
    }
    if (k->lost == 1 && tp_sim_now_ns(tp_node_sim(k->node)) % 2 == 1)
        tp_sim_fail(tp_node_sim(k->node), "it is gone%s",
                    k->reads_behind > 0 ? ", and a read has failed, too" : "");
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct keeper *k = tp_node_new(node, sizeof *k);
    tp_tick_fn *const *tick = tp_sim_context(tp_node_sim(node));

    k->node = node;
    tp_node_spawn(node, &k->machine, *tick, "keeper");
}

static void setup(struct tp_sim *sim)
{
    struct tp_node *node = tp_sim_add_node(sim, &(struct tp_node_config){0});
    static const char empty[2 * BYTES] = "--------";

    cr_assert(
        eq(i32, tp_disk_write_file(tp_node_disk(node), "/a", empty, sizeof empty), 0));
}

/* The first seed that fails with these faults only, in the midst of the run, and says so.
 */
static struct tp_explain explained(tp_tick_fn *tick, uint32_t families, const char *message)
{
    struct tp_scenario scenario = {
        .name = "keeper", .setup = setup, .boot = boot, .context = &tick};
    struct s_wanted wanted = {
        .families = families, .seeds = SEEDS, .message = message, .is_uncut = true};
    struct tp_explain explain = {0};

    cr_assert(ne(u64, s_explain(&scenario, &wanted, &explain), 0));
    return explain;
}

Test(losses, are_failed_syncs_behind_a_power_cut)
{
    struct tp_explain explain =
        explained(believer_tick, FAMILY(SYNC) | FAMILY(POWER), "after a restart");

    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_UNHEARD));
    cr_assert(eq(u32, explain.failed.op, TP_FSYNC));
    cr_assert(eq(u32, explain.next.op, TP_FSYNC));
    cr_assert(zero(i32, explain.next.result));
    cr_assert(explain.is_believed);
    cr_assert(explain.by_sync);
    cr_assert(not(explain.by_cut));
}

Test(losses, are_no_power_cuts_by_which_nothing_fails)
{
    struct tp_explain explain =
        explained(tender_tick, FAMILY(ERROR) | FAMILY(POWER), "has failed");

    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_ERROR), "%s", explain.unkept);
    cr_assert(eq(u32, explain.failed.op, TP_WRITE));
}

/* The later fault is tried first, without which it passes: at that moment. */
Test(losses, are_no_faults_without_which_it_passes_by_chance)
{
    struct tp_explain explain =
        explained(loser_tick, FAMILY(ERROR), "and a read has failed, too");

    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_ERROR));
    cr_assert(eq(u32, explain.failed.op, TP_WRITE));
    cr_assert(not(explain.is_chance));
}
