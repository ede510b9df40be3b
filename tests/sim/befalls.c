/* What befalls nodes besides their ends: they stand still, for a moment or for minutes;
 * their clocks jump, step and stand, which a machine sees that looks at its clocks; and
 * their disks become full. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "fixture.h"

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

enum { EVERY_MS = 100, SLACK_MS = 1 }; /* drift and latencies are less */

/* What was seen in the runs of a test. */
static struct seen {
    uint32_t looks;
    uint32_t long_pauses, short_pauses; /* of more than ten seconds; of less, and seen */
    int64_t longest_ns;
    uint32_t jumps, steps_ahead, steps_back, frozen;
} seen;

struct looker {
    struct tp_machine machine;
    struct tp_node *node;
    int64_t world_ns, monotonic_ns, wall_ns; /* at the last look */
};

/* What has passed on each clock since the last look. */
static void compare(int64_t world_ns, int64_t monotonic_ns, int64_t wall_ns)
{
    const int64_t pause_ns = world_ns - EVERY_MS * MS;

    seen.looks++;
    cr_assert(
        ge(i64, monotonic_ns, EVERY_MS * MS)); /* never back, and a timer is not early */
    seen.long_pauses += pause_ns > 10 * SECOND;
    seen.short_pauses += pause_ns > SLACK_MS * MS && pause_ns <= 10 * SECOND;
    if (pause_ns > seen.longest_ns)
        seen.longest_ns = pause_ns;
    seen.jumps += monotonic_ns - world_ns > SLACK_MS * MS;
    if (wall_ns == 0)
        seen.frozen++;
    else if (wall_ns - monotonic_ns > SLACK_MS * MS)
        seen.steps_ahead++;
    else if (wall_ns - monotonic_ns < -SLACK_MS * MS && wall_ns < 0)
        seen.steps_back++;
}

static enum tp_step looker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct looker *l = tp_container_of(machine, struct looker, machine);
    struct tp_result result;
    int64_t world_ns, monotonic_ns, wall_ns;

    TP_BEGIN(cx);
    for (;;) {
        world_ns = (int64_t)tp_sim_now_ns(tp_node_sim(l->node));
        monotonic_ns = (int64_t)tp_now_ns(cx);
        wall_ns = (int64_t)tp_wall_ns(cx);
        if (l->wall_ns != 0)
            compare(world_ns - l->world_ns, monotonic_ns - l->monotonic_ns,
                    wall_ns - l->wall_ns);
        l->world_ns = world_ns;
        l->monotonic_ns = monotonic_ns;
        l->wall_ns = wall_ns;
        TP_AWAIT(cx, tp_timer(cx, EVERY_MS * MS), &result);
    }
    TP_END(cx);
}

static void boot_looker(struct tp_node *node)
{
    struct looker *l = tp_node_new(node, sizeof *l);

    l->node = node;
    tp_node_spawn(node, &l->machine, looker_tick, "looker");
}

/* Operations tell the chaos how far a node is: it does some for their own sake. */
static enum tp_step worker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    (void)machine;
    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT(cx, tp_nop(cx), &result);
        TP_AWAIT(cx, tp_timer(cx, EVERY_MS * MS), &result);
    }
    TP_END(cx);
}

static void boot_both(struct tp_node *node)
{
    struct looker *worker = tp_node_new(node, sizeof *worker);

    boot_looker(node);
    tp_node_spawn(node, &worker->machine, worker_tick, "worker");
}

static uint64_t run(enum tp_family family, uint64_t chaos_ns, uint64_t seeds)
{
    struct tp_scenario scenario = {.name = "befalls",
                                   .nodes = 3,
                                   .boot = boot_both,
                                   .done = s_chaos_is_over,
                                   .chaos_ns = chaos_ns};
    uint64_t fired = 0;

    seen = (struct seen){.looks = 0};
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct tp_sim_outcome outcome =
            s_with(&scenario, seed, TP_FAMILY_BIT(family), S_ALL & ~TP_FAMILY_BIT(family));

        cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
        fired += outcome.fired[family];
    }
    cr_assert(lt(u32, 1000, seen.looks));
    return fired;
}

/* From milliseconds to minutes: 2^20 ms at most. */
Test(befalls, a_node_stands_still_for_a_moment_or_for_minutes)
{
    uint64_t fired = run(TP_FAMILY_PAUSE, 1200 * (uint64_t)SECOND, 8);

    cr_assert(lt(u64, 20, fired));
    cr_assert(lt(u32, 3, seen.long_pauses));
    cr_assert(lt(u32, 3, seen.short_pauses));
    cr_assert(le(u32, seen.long_pauses + seen.short_pauses, (uint32_t)fired));
    cr_assert(lt(i64, 60 * SECOND, seen.longest_ns));
    cr_assert(le(i64, seen.longest_ns, (1 << 20) * MS));
    cr_assert(eq(u32, seen.jumps + seen.steps_ahead + seen.steps_back + seen.frozen, 0));
}

/* The monotonic clock jumps ahead, and never goes back; the wall clock steps in both
 * directions, and stands. */
Test(befalls, clocks_jump_and_step_and_stand)
{
    uint64_t fired = run(TP_FAMILY_CLOCK, 60 * (uint64_t)SECOND, 20);

    cr_assert(lt(u64, 20, fired));
    cr_assert(lt(u32, 0, seen.jumps));
    cr_assert(lt(u32, 0, seen.steps_ahead));
    cr_assert(lt(u32, 0, seen.steps_back));
    cr_assert(lt(u32, 0, seen.frozen));
    cr_assert(eq(u32, seen.long_pauses, 0));
}

Test(befalls, nothing_of_it_where_nothing_goes_wrong)
{
    (void)run(TP_FAMILY_ERROR, 30 * (uint64_t)SECOND, 4);
    cr_assert(eq(u32, seen.long_pauses + seen.short_pauses, 0));
    cr_assert(eq(u32, seen.jumps + seen.steps_ahead + seen.steps_back + seen.frozen, 0));
}

/* ------------------------------------------------------------------ a full disk */

enum { PART_BYTES = 65536, PARTS = 192 }; /* 12 MiB; the largest of small disks has 8 */

struct filler {
    struct tp_machine machine;
    struct tp_fd fd;
    struct tp_buf buf;
    uint8_t bytes[PART_BYTES];
    uint32_t part;
};

static uint32_t refused; /* writes */

/* Writes part after part; a full disk it asks again, and does not end for that. */
static enum tp_step filler_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct filler *f = tp_container_of(machine, struct filler, machine);
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/parts", options), &result);
    f->fd = tp_into_fd(cx, result);
    while (f->part < PARTS) {
        f->buf = tp_buf_full(f->bytes, PART_BYTES);
        TP_AWAIT(cx, tp_write_at(cx, f->fd, &f->buf, (uint64_t)f->part * PART_BYTES),
                 &result);
        f->part += result.value == PART_BYTES;
        refused += result.value == -ENOSPC;
        TP_AWAIT(cx, tp_timer(cx, EVERY_MS * MS), &result);
    }
    TP_AWAIT(cx, tp_close(cx, f->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_filler(struct tp_node *node)
{
    struct filler *f = tp_node_new(node, sizeof *f);

    tp_node_spawn(node, &f->machine, filler_tick, "filler");
}

/* The end of the chaos makes room at once: nobody has to boot for it. */
Test(befalls, a_full_disk_has_room_again_when_the_chaos_is_over)
{
    const struct tp_scenario scenario = {.name = "fills",
                                         .nodes = 2,
                                         .boot = boot_filler,
                                         .chaos_ns = 30 * (uint64_t)SECOND};

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct tp_sim_outcome outcome =
            s_with(&scenario, seed, TP_FAMILY_BIT(TP_FAMILY_FULL), S_ALL);

        cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    }
    cr_assert(lt(u32, 100, refused));
}

/* ------------------------------------------------------------------ for ever */

/* In the chaos the first node lets the others be down, stand still or be alone for ever. */
static enum tp_step spoiler_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct looker *l = tp_container_of(machine, struct looker, machine);
    struct tp_sim *sim = tp_node_sim(l->node);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, EVERY_MS * MS), &result);
    if (tp_node_index(l->node) == 0 && tp_sim_phase(sim) == TP_PHASE_CHAOS) {
        tp_node_kill(tp_sim_node(sim, 1));
        tp_node_start(tp_sim_node(sim, 1), TP_NEVER);
        tp_node_pause(tp_sim_node(sim, 2), TP_NEVER - 1);
        tp_node_part(l->node, tp_sim_node(sim, 3), TP_NEVER);
        TP_AWAIT(cx, tp_timer(cx, EVERY_MS * MS), &result);
        seen.looks += !tp_node_is_up(tp_sim_node(sim, 1));
    }
    seen.long_pauses +=
        tp_node_index(l->node) == 2 && tp_sim_phase(sim) == TP_PHASE_LIVENESS;
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_spoiler(struct tp_node *node)
{
    struct looker *l = tp_node_new(node, sizeof *l);

    l->node = node;
    tp_node_spawn(node, &l->machine, spoiler_tick, "spoiler");
}

Test(befalls, what_is_for_ever_ends_when_all_is_healed)
{
    const struct tp_scenario scenario = {
        .name = "for-ever", .nodes = 4, .boot = boot_spoiler, .chaos_ns = TP_NEVER};
    struct tp_sim_outcome outcome;

    seen = (struct seen){.looks = 0};
    outcome = s_with(&scenario, 1, 0, S_ALL);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    cr_assert(eq(u32, seen.looks, 1));
    cr_assert(eq(u32, seen.long_pauses, 1));
}
