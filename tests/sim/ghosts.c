/* tests/sim/ghosts.c - barriers that the program does not make keep what they are on. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "explained.h"
#include "fixture.h"

enum { SEEDS = 40 };

/* The operations of the program, in the order in which they take effect. */
enum { OPENED_A = 1, CLOSED_A, REMOVED_A, OPENED_B, WROTE_B };
enum { LOOKS_REMOVED_A = REMOVED_A + 1 }; /* behind a look at it */

struct writer {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf buf;
    struct tp_statx a, b;
    char byte;
};

static bool *promised_by(const struct writer *w)
{
    return tp_sim_state(tp_node_sim(w->node));
}

static void look_at(const struct writer *w, int32_t count)
{
    if (count != 1 || w->byte != 'b')
        tp_sim_fail(tp_node_sim(w->node), "the byte is gone");
}

/* It removes a file, which frees its inode as soon as that is durable, and makes another
 * one, which may be given it. No barrier is its own. */
static enum tp_step write_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct writer *w = tp_container_of(machine, struct writer, machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_node_boots(w->node) > 1) {
        TP_AWAIT(cx, tp_open(cx, "/b", options), &result);
        w->fd = tp_into_fd(cx, result);
        w->buf = tp_buf_empty(&w->byte, 1);
        TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
        if (*promised_by(w))
            look_at(w, result.value);
        return tp_end(machine, 0);
    }
    TP_AWAIT(cx, tp_open(cx, "/a", options), &result);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    TP_AWAIT(cx, tp_remove(cx, "/a"), &result);
    TP_AWAIT(cx, tp_open(cx, "/b", options), &result);
    w->fd = tp_into_fd(cx, result);
    w->byte = 'b';
    w->buf = tp_buf_full(&w->byte, 1);
    TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, 0), &result);
    *promised_by(w) = true;
    return tp_end(machine, 0);
    TP_END(cx);
}

/* It promises a byte that it writes only to a file with the number of one that is removed:
 * a barrier behind that has it do another thing, and keeps nothing that it wrote. */
static enum tp_step look_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct writer *w = tp_container_of(machine, struct writer, machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    if (tp_node_boots(w->node) > 1)
        return write_tick(machine, cx);
    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/a", options), &result);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_fstat(cx, w->fd, &w->a), &result);
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    TP_AWAIT(cx, tp_remove(cx, "/a"), &result);
    TP_AWAIT(cx, tp_open(cx, "/b", options), &result);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_fstat(cx, w->fd, &w->b), &result);
    if (w->b.inode == w->a.inode) {
        w->byte = 'b';
        w->buf = tp_buf_full(&w->byte, 1);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, 0), &result);
        TP_AWAIT(cx, tp_fsync(cx, w->fd, 0), &result);
        TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    }
    *promised_by(w) = true;
    tp_node_promised(w->node, "b");
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct writer *w = tp_node_new(node, sizeof *w);

    w->node = node;
    tp_node_spawn(node, &w->machine,
                  *(tp_tick_fn *const *)tp_sim_context(tp_node_sim(node)), "writer");
}

static const struct tp_scenario scenario = {.name = "writer",
                                            .boot = boot,
                                            .state_bytes = sizeof(bool),
                                            .context = &(tp_tick_fn *){write_tick}};
static const struct tp_scenario looks = {.name = "looks",
                                         .boot = boot,
                                         .state_bytes = sizeof(bool),
                                         .context = &(tp_tick_fn *){look_tick}};

/* Of so many seeds with no fault but the cut at the end. */
static uint32_t count_failures_of(const struct tp_scenario *of,
                                  struct tp_sim_options options)
{
    uint32_t failed = 0;

    options.families_off = S_ALL;
    for (options.seed = 1; options.seed <= SEEDS; options.seed++) {
        struct tp_sim_outcome outcome;

        tp_sim_run(of, &options, &outcome);
        failed += outcome.verdict == TP_VERDICT_FAILED;
    }
    return failed;
}

static uint32_t count_failed(struct tp_sim_options options)
{
    return count_failures_of(&scenario, options);
}

Test(ghosts, keep_what_their_operation_is_on)
{
    static const struct tp_ghost ghosts[] = {{.effect = WROTE_B},
                                             {.effect = OPENED_B, .names = true},
                                             {.effect = REMOVED_A, .names = true}};
    struct tp_sim_options options = {.ghosts = ghosts};

    for (options.ghost_count = 0; options.ghost_count < 2; options.ghost_count++)
        cr_assert(lt(u32, 0, count_failed(options)), "with %u", options.ghost_count);
    cr_assert(zero(u32, count_failed(options)));
    /* Another one before them changes which inode that is, and no more. */
    options.ghost_count = 3;
    cr_assert(zero(u32, count_failed(options)));
}

/* Of data on an operation that has none, of names on one without a path, behind the end. */
Test(ghosts, are_nothing_where_there_is_nothing)
{
    static const struct tp_ghost ghosts[] = {{.effect = REMOVED_A},
                                             {.effect = CLOSED_A, .names = true},
                                             {.effect = WROTE_B, .names = true},
                                             {.effect = 1000}};
    struct tp_sim_options options = {.ghosts = ghosts};
    uint32_t without = count_failed(options);

    options.ghost_count = sizeof ghosts / sizeof *ghosts;
    cr_assert(lt(u32, 0, without));
    cr_assert(eq(u32, count_failed(options), without));
}

Test(ghosts, may_do_without_the_cut_at_the_end)
{
    struct tp_sim_options options = {.ends_uncut = true};

    cr_assert(zero(u32, count_failed(options)));
}

/* Explained is what it did, not what it would have done. */
Test(ghosts, that_make_another_run_explain_nothing)
{
    static const struct tp_ghost ghost = {.effect = LOOKS_REMOVED_A, .names = true};
    static const struct s_wanted first = {.seeds = 1};
    struct tp_explain explain = {0};

    cr_assert(eq(u32, count_failures_of(&looks, (struct tp_sim_options){0}), SEEDS));
    cr_assert(
        zero(u32, count_failures_of(&looks, (struct tp_sim_options){.ghosts = &ghost,
                                                                    .ghost_count = 1})));
    cr_assert(eq(u64, s_explain(&looks, &first, &explain), 1));
    cr_assert(zero(u32, explain.barrier_count), "%s", explain.unkept);
    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_RESTART));
}

/* ------------------------------------------------------------------ two directories */

/* It renames from one into the other, syncs neither, and promises the new name. */
static enum tp_step move_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct writer *w = tp_container_of(machine, struct writer, machine);
    struct tp_open_options options = {.read = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_node_boots(w->node) > 1) {
        TP_AWAIT(cx, tp_open(cx, "/new/name", options), &result);
        if (result.value < 0)
            tp_sim_fail(tp_node_sim(w->node), "the name is gone");
        return tp_end(machine, 0);
    }
    TP_AWAIT(cx, tp_rename(cx, "/old/name", "/new/name"), &result);
    tp_node_promised(w->node, "name");
    return tp_end(machine, 0);
    TP_END(cx);
}

static void make_directories(struct tp_sim *sim)
{
    struct tp_disk *disk = tp_node_disk(tp_sim_add_node(sim, &(struct tp_node_config){0}));

    cr_assert(eq(i32, tp_disk_make_dir(disk, "/old", 0755), 0));
    cr_assert(eq(i32, tp_disk_make_dir(disk, "/new", 0755), 0));
    cr_assert(eq(i32, tp_disk_write_file(disk, "/old/name", "x", 1), 0));
}

/* Where the new name is, is what has to be synced. */
Test(ghosts, of_a_rename_into_another_directory_are_on_that_one)
{
    tp_tick_fn *const tick = move_tick;
    struct tp_scenario moves = {
        .name = "moves", .setup = make_directories, .boot = boot, .context = &tick};
    static const struct s_wanted any = {.seeds = SEEDS};
    struct tp_explain explain = {0};

    cr_assert(ne(u64, s_explain(&moves, &any, &explain), 0));
    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_BARRIER));
    cr_assert(explain.barriers[0].ghost.names);
    cr_assert(explain.barriers[0].ghost.to);
    cr_assert(eq(int, (int)explain.barriers[0].before, TP_BEFORE_PROMISE));
}
