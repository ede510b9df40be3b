/* A sweep cuts where it says, as far as it says, and nobody who is spared; every set of
 * survivors comes where there are few, and it says where not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "apps/sim/survivors.h"
#include "apps/sim/sweep.h"

enum { OPERATIONS = TP_CHAOS_WITHIN + 9, SPARED_ROUNDS = 5 };

/* What outlives the nodes: operations of the one that is not spared. */
struct begun {
    uint64_t operations;
};

struct worker {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_statx statx;
    uint32_t rounds;
};

/* A boot after a cut says how many operations there were before it. It promises at once, so
 * there is no recovery in which the power could go again. */
static enum tp_step worker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_sim *sim = tp_node_sim(w->node);
    struct begun *begun = tp_sim_state(sim);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_node_promised(w->node, "up");
    if (tp_node_boots(w->node) > 1 && begun->operations < OPERATIONS)
        tp_sim_fail(sim, "cut at %llu", (unsigned long long)begun->operations);
    for (; begun->operations < OPERATIONS; begun->operations++)
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step spared_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = tp_container_of(machine, struct worker, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; w->rounds < SPARED_ROUNDS; w->rounds++)
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, tp_node_index(node) == 0 ? worker_tick : spared_tick,
                  "worker");
}

static void set_up(struct tp_sim *sim)
{
    struct tp_node_config plain = {.name = "plain"};
    struct tp_node_config spared = {.name = "spared", .spared = true};

    (void)tp_sim_add_node(sim, &plain);
    (void)tp_sim_add_node(sim, &spared);
}

static const struct tp_scenario scenario = {
    .name = "sweep", .state_bytes = sizeof(struct begun), .setup = set_up, .boot = boot};

static uint32_t cuts_at[OPERATIONS + 1];

static void note_cut(void *context, const struct tp_sweep *sweep,
                     const struct tp_sweep_cut *cut)
{
    const char *at = strstr(cut->message, "cut at ");

    (void)context;
    (void)sweep;
    cr_assert(ne(ptr, (void *)(uintptr_t)at, NULL), "%s", cut->message);
    /* The operation that had begun had not come to its end. */
    cr_assert(eq(u64, strtoull(at + strlen("cut at "), NULL, 10) + 1, cut->first));
    cr_assert(eq(u32, cut->node, 0));
    cuts_at[cut->first]++;
}

static void nothing(void *context, const struct tp_sweep *sweep)
{
    (void)context;
    (void)sweep;
}

/* Runs the base of a scenario, and sweeps it. */
static void sweep_of(const struct tp_scenario *of, struct tp_sweep *sweep)
{
    const struct tp_batch_job job = {
        .scenario = of, .options = {.families_off = (UINT32_C(1) << TP_FAMILIES) - 1}};
    static struct tp_trial trial;
    struct tp_sim_outcome outcome;
    struct tp_tape *base = NULL;

    sweep->trial = &trial;
    sweep->progress = nothing;
    sweep->until_ns = UINT64_MAX;
    cr_assert(eq(int, tp_trial_open(&trial, &job), 0));
    cr_assert(eq(int, tp_trial_seed(&trial, 1, &outcome, &base), 0));
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    tp_sweep_options(&trial.job.options);
    sweep->base = base;
    cr_assert(eq(int, tp_sweep_run(sweep), 0));
    tp_tape_destroy(base);
    sweep->base = NULL;
}

static void end_sweep(struct tp_sweep *sweep)
{
    tp_tape_destroy(sweep->tape);
    tp_trial_close(sweep->trial);
}

Test(sweep, cuts_at_each_operation_that_can_be_reached)
{
    struct tp_sweep sweep = {.survivors = 1, .jobs = 2, .failed = note_cut};

    sweep_of(&scenario, &sweep);
    cr_assert(eq(u64, sweep.points, OPERATIONS));
    cr_assert(eq(u64, sweep.points_done, TP_CHAOS_WITHIN));
    cr_assert(eq(u64, sweep.failures, TP_CHAOS_WITHIN));
    cr_assert(eq(u64, sweep.first.places, TP_CHAOS_WITHIN + 1)); /* and the end */
    cr_assert(eq(u64, sweep.first.done, sweep.first.places));
    for (uint32_t at = 1; at <= TP_CHAOS_WITHIN; at++)
        cr_assert(eq(u32, cuts_at[at], 1), "operation %u", at);
    end_sweep(&sweep);
}

/* The first place that failed, and how many did. */
struct found {
    struct tp_sweep_cut cut;
    uint32_t count;
};

static void note_found(void *context, const struct tp_sweep *sweep,
                       const struct tp_sweep_cut *cut)
{
    struct found *found = context;

    (void)sweep;
    if (found->count++ == 0)
        found->cut = *cut;
}

enum { CROWD = 65 };

static void boot_one_of_a_crowd(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, spared_tick, "one of a crowd");
}

/* All but the last are spared. */
static void set_up_crowd(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < CROWD; i++)
        (void)tp_sim_add_node(sim, &(struct tp_node_config){.spared = i < CROWD - 1});
}

Test(sweep, cuts_every_node_however_many_there_are)
{
    static const struct tp_scenario crowd = {
        .name = "crowd", .setup = set_up_crowd, .boot = boot_one_of_a_crowd};
    struct found found = {.count = 0};
    struct tp_sweep sweep = {
        .survivors = 1, .jobs = 2, .failed = note_found, .context = &found};

    sweep_of(&crowd, &sweep);
    cr_assert(eq(u64, sweep.points, SPARED_ROUNDS));
    cr_assert(eq(u64, sweep.points_done, SPARED_ROUNDS));
    cr_assert(eq(u32, found.count, 0));
    end_sweep(&sweep);
}

/* ------------------------------------------------------------------ every set
 *
 * A file of five sectors is written anew, each by itself, and never synced. One of the 32
 * ways in which that survives is not borne: the second and the fourth sector are new. */

enum { SECTOR = 512, SECTORS = 5, BAD = 1 << 1 | 1 << 3 };

struct writer {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf buf;
    struct tp_statx statx;
    uint32_t at;
    bool writes; /* it is the first boot */
    uint8_t bytes[SECTOR * SECTORS];
};

static uint32_t new_ones(const struct writer *w)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < SECTORS; i++)
        found |= (uint32_t)(w->bytes[(size_t)i * SECTOR] == 'b') << i;
    return found;
}

static enum tp_step writer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    static const struct tp_open_options plain = {.read = true, .write = true};
    struct writer *w = tp_container_of(machine, struct writer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/five", plain), &result);
    w->fd = tp_into_fd(cx, result);
    w->buf = tp_buf_empty(w->bytes, sizeof w->bytes);
    TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
    if (new_ones(w) == BAD)
        tp_sim_fail(tp_node_sim(w->node), "the second and the fourth");
    memset(w->bytes, 'b', sizeof w->bytes);
    for (w->at = 0; w->at < SECTORS && w->writes; w->at++) {
        w->buf = tp_buf_full(w->bytes, SECTOR);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, (uint64_t)w->at * SECTOR), &result);
    }
    TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_writer(struct tp_node *node)
{
    struct writer *w = tp_node_new(node, sizeof *w);

    w->node = node;
    w->writes = tp_node_boots(node) == 0;
    tp_node_spawn(node, &w->machine, writer_tick, "writer");
}

static void set_up_file(struct tp_sim *sim)
{
    uint8_t bytes[SECTOR * SECTORS];
    struct tp_node *node = tp_sim_add_node(sim, NULL);

    memset(bytes, 'a', sizeof bytes);
    cr_assert(
        eq(int, tp_disk_write_file(tp_node_disk(node), "/five", bytes, sizeof bytes), 0));
}

static const struct tp_scenario five = {
    .name = "five", .setup = set_up_file, .boot = boot_writer};

static size_t saved(const struct tp_sweep *sweep, void *bytes, size_t size)
{
    size_t len = tp_tape_save(sweep->tape, bytes, size);

    cr_assert(le(u64, len, size));
    return len;
}

Test(sweep, finds_the_one_set_of_32_that_is_not_borne, .timeout = 60)
{
    static uint8_t one[65536], three[65536];
    struct found found[2] = {{.count = 0}};
    struct tp_sweep sweep = {
        .survivors = 32, .jobs = 1, .failed = note_found, .context = &found[0]};
    struct tp_sweep other = {
        .survivors = 32, .jobs = 3, .failed = note_found, .context = &found[1]};
    struct tp_sim_outcome outcome;
    size_t len;

    sweep_of(&five, &sweep);
    /* Open, read, five writes; it has begun the stat, and nothing else is in flight. */
    cr_assert(eq(u64, found[0].cut.first, 2 + SECTORS + 1));
    cr_assert(eq(u64, found[0].cut.failures, 1));
    cr_assert(not(found[0].cut.needs_end));
    cr_assert(eq(u64, found[0].cut.runs, 32));
    cr_assert(eq(u64, sweep.first.all + sweep.first.sampled, sweep.first.done));
    len = saved(&sweep, one, sizeof one);
    cr_assert(eq(int, tp_trial_replay(sweep.trial, sweep.tape, &outcome), 0));
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_FAILED), "%s", outcome.message);
    end_sweep(&sweep);
    /* The same with three at a time. */
    sweep_of(&five, &other);
    cr_assert(eq(u64, saved(&other, three, sizeof three), len));
    cr_assert(eq(int, memcmp(one, three, len), 0));
    cr_assert(eq(u32, found[1].count, found[0].count));
    cr_assert(eq(int, memcmp(&other.first, &sweep.first, sizeof other.first), 0));
    cr_assert(eq(int, memcmp(&other.second, &sweep.second, sizeof other.second), 0));
    cr_assert(eq(u64, other.failures, sweep.failures));
    end_sweep(&other);
}

Test(sweep, says_of_how_many_cuts_it_left_sets_out)
{
    struct found found = {.count = 0};
    struct tp_sweep sweep = {
        .survivors = 31, .jobs = 2, .failed = note_found, .context = &found};

    sweep_of(&five, &sweep);
    /* The stat, the close and the end have 32 sets; the second to the fifth write have
     * more, as they also happen in part; the first has fewer, but not every length of its
     * part is tried. */
    cr_assert(eq(u64, sweep.first.sampled, 8));
    cr_assert(eq(u64, sweep.first.all, sweep.first.places - 8));
    end_sweep(&sweep);
}

/* ------------------------------------------------------------------ the end, besides */

/* Each boot writes the five anew; that the third, which the cut at the end makes, finds
 * them mixed is not borne. A first cut alone never does that. */
static enum tp_step rewriter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    static const struct tp_open_options plain = {.read = true, .write = true};
    struct writer *w = tp_container_of(machine, struct writer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/five", plain), &result);
    w->fd = tp_into_fd(cx, result);
    w->buf = tp_buf_empty(w->bytes, sizeof w->bytes);
    TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
    if (tp_node_boots(w->node) == 3 && new_ones(w) != (1 << SECTORS) - 1)
        tp_sim_fail(tp_node_sim(w->node), "mixed");
    memset(w->bytes, 'b', sizeof w->bytes);
    w->buf = tp_buf_full(w->bytes, sizeof w->bytes);
    TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, 0), &result);
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_rewriter(struct tp_node *node)
{
    struct writer *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine, rewriter_tick, "rewriter");
}

/* The third boot comes of the second cut, or of the end. */
static void note_end(void *context, const struct tp_sweep *sweep,
                     const struct tp_sweep_cut *cut)
{
    cr_assert(eq(u32, cut->needs_end, cut->second == 0));
    note_found(context, sweep, cut);
}

/* Of a set that is drawn, what the end leaves is drawn, too: the first cut is not blamed.
 */
Test(sweep, says_when_it_takes_the_cut_at_the_end_besides)
{
    static const struct tp_scenario twice = {
        .name = "twice", .setup = set_up_file, .boot = boot_rewriter};
    struct found found = {.count = 0};
    struct tp_sweep sweep = {
        .survivors = 16, .jobs = 2, .failed = note_end, .context = &found};
    struct tp_sim_outcome outcome;

    sweep_of(&twice, &sweep);
    cr_assert(lt(u32, 0, found.count));
    cr_assert(found.cut.needs_end);
    cr_assert(eq(int, tp_trial_replay(sweep.trial, sweep.tape, &outcome), 0));
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_FAILED), "%s", outcome.message);
    end_sweep(&sweep);
}

/* ------------------------------------------------------------------ sets, one by one
 *
 * A cut that decides of so many sectors, as a cut of the simulated disk does. */

enum {
    AT_STAKE = 6,
    SETS = 1 << AT_STAKE,
    CORNERS = 1 + 2 * AT_STAKE, /* none, each alone lost, each alone kept */
    CUT_STREAM = 3
};

/* Which sectors are lost. */
static uint32_t cut_sectors(struct tp_tape *tape)
{
    uint64_t way = tp_tape_draw(tape, CUT_STREAM, TP_DRAW_CUT_DATA, 5);
    uint32_t lost = 0;

    for (uint32_t i = 0; i < AT_STAKE && way == 4; i++)
        lost |= (uint32_t)tp_tape_draw(tape, CUT_STREAM, TP_DRAW_CUT_SECTOR, 2) << i;
    return way == 1 ? SETS - 1 : lost;
}

/* All sets there are with this limit: how often each came. Their count. */
static uint32_t all_sets(uint32_t limit, uint32_t ret_times[SETS], bool *ret_are_all)
{
    static struct tp_survivors survivors;
    uint32_t count = 0;
    bool more = true;

    memset(ret_times, 0, SETS * sizeof *ret_times);
    tp_survivors_begin(&survivors, limit);
    while (more) {
        struct tp_tape *tape;
        uint32_t lost;

        cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
        tp_tape_realign(tape);
        cr_assert(eq(int, tp_survivors_put(&survivors, tape, CUT_STREAM), 0));
        lost = cut_sectors(tape);
        more = tp_survivors_note(&survivors, tape, CUT_STREAM, 0,
                                 tp_tape_asked(tape, CUT_STREAM));
        ret_times[lost] += survivors.is_set;
        count += survivors.is_set;
        tp_tape_destroy(tape);
    }
    *ret_are_all = tp_survivors_are_all(&survivors);
    return count;
}

Test(survivors, are_every_set_once_if_they_are_few)
{
    uint32_t times[SETS];
    bool are_all;

    cr_assert(eq(u32, all_sets(SETS, times, &are_all), SETS));
    cr_assert(are_all);
    for (uint32_t i = 0; i < SETS; i++)
        cr_assert(eq(u32, times[i], 1), "set %u", i);
}

Test(survivors, are_the_corner_cases_and_drawn_ones_if_they_are_many)
{
    uint32_t times[SETS], others = 0;
    bool are_all;

    cr_assert(eq(u32, all_sets(2 * CORNERS, times, &are_all), 2 * CORNERS));
    cr_assert(not(are_all));
    for (uint32_t i = 0; i < SETS; i++) {
        uint32_t lost = (uint32_t)__builtin_popcount(i);
        bool is_corner = lost < 2 || lost + 2 > AT_STAKE;

        cr_assert(times[i] > 0 || !is_corner, "set %u", i);
        others += is_corner ? 0 : times[i];
    }
    cr_assert(lt(u32, 0, others)); /* of those that are drawn */
}

Test(survivors, are_as_many_as_the_limit_whatever_it_is)
{
    uint32_t times[SETS];
    bool are_all;

    for (uint32_t limit = 1; limit < SETS; limit++)
        cr_assert(eq(u32, all_sets(limit, times, &are_all), limit));
}
