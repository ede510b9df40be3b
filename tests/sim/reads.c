/* tests/sim/reads.c - what a recorder with a shadow makes of what a program writes and
 * reads: a correct one has read what was written, whatever else it does. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/explain_internal.h"
#include "apps/sim/record.h"

enum { RECORDS = 4096, SEEDS = 40, LEN = 8 };

struct reader {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf write_buf, read_buf;
    char written[LEN], read[LEN];
    struct tp_op write;
    struct tp_fd dirs[2];
    uint32_t at;
};

static const struct tp_open_options both = {.read = true, .write = true, .create = true};

/* Reads whose bytes were not those that had been written. */
static uint32_t count_doubtful(const struct tp_scenario *scenario, uint64_t seed)
{
    static struct tp_record records[RECORDS];
    struct tp_recorder recorder;
    struct tp_sim_options options = {
        .size = sizeof options, .seed = seed, .families_off = (1U << TP_FAMILIES) - 1};
    struct tp_sim_outcome outcome, unseen;
    uint32_t count = 0;

    tp_recorder_init(&recorder, records, RECORDS);
    recorder.all_stages = true;
    recorder.shadow = calloc(1, tp_shadow_size_bytes());
    cr_assert_not_null(recorder.shadow);
    tp_sim_run(scenario, &options, &unseen);
    options.watch = &recorder.watch;
    tp_sim_run(scenario, &options, &outcome);
    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    cr_assert(eq(u64, outcome.trace, unseen.trace), "a recorder changes nothing");
    cr_assert(zero(u64, recorder.dropped));
    for (uint32_t i = 0; i < recorder.count; i++)
        count += records[i].found.differs > 0;
    free(recorder.shadow);
    return count;
}

static void boot(struct tp_node *node)
{
    struct reader *r = tp_node_new(node, sizeof *r);
    tp_tick_fn *const *tick = tp_sim_context(tp_node_sim(node));

    r->node = node;
    tp_node_spawn(node, &r->machine, *tick, "reader");
}

static struct reader *reader_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct reader, machine);
}

/* ------------------------------------------------------------------ no file */

static enum tp_step writes_to_a_socket(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = reader_of(machine);
    struct tp_address address = tp_node_address(r->node, 700);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_bind(cx, &address, (struct tp_socket_options){0}), &result);
    r->fd = tp_into_fd(cx, result);
    r->write_buf = tp_buf_full(r->written, LEN);
    TP_AWAIT(cx, tp_write_at(cx, r->fd, &r->write_buf, 0), &result);
    if (result.value != -ESPIPE)
        tp_sim_fail(tp_node_sim(r->node), "it was not refused");
    TP_AWAIT(cx, tp_close(cx, r->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(reads, what_is_written_to_a_socket_is_no_files)
{
    const struct tp_scenario scenario = {
        .name = "socket", .boot = boot, .context = &(tp_tick_fn *){writes_to_a_socket}};

    cr_assert(zero(u32, count_doubtful(&scenario, 1)));
}

/* ------------------------------------------------------------------ in flight */

static void note_read(const struct reader *r, int32_t count)
{
    uint32_t *early = tp_sim_state(tp_node_sim(r->node));

    *early += count < LEN || r->read[0] != r->written[0];
}

static enum tp_step reads_early(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = reader_of(machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/a", both), &result);
    r->fd = tp_into_fd(cx, result);
    memset(r->written, tp_node_boots(r->node) > 1 ? 'b' : 'a', LEN);
    r->write_buf = tp_buf_full(r->written, LEN);
    r->write = tp_write_at(cx, r->fd, &r->write_buf, 0);
    r->read_buf = tp_buf_empty(r->read, LEN);
    TP_AWAIT(cx, tp_read_at(cx, r->fd, &r->read_buf, 0), &result);
    note_read(r, result.value);
    TP_AWAIT(cx, r->write, &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static uint32_t all_early;

static void sum_up(struct tp_sim *sim)
{
    all_early += *(const uint32_t *)tp_sim_state(sim);
}

Test(reads, a_write_in_flight_may_come_behind_a_read)
{
    const struct tp_scenario scenario = {.name = "early",
                                         .boot = boot,
                                         .state_bytes = sizeof(uint32_t),
                                         .check = sum_up,
                                         .context = &(tp_tick_fn *){reads_early}};

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        cr_assert(zero(u32, count_doubtful(&scenario, seed)), "seed %u", (uint32_t)seed);
    cr_assert(lt(u32, 0, all_early), "no read was early");
}

/* ------------------------------------------------------------------ anew */

static enum tp_step begins_anew(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = reader_of(machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/a", both), &result);
    r->fd = tp_into_fd(cx, result);
    r->write_buf = tp_buf_full(r->written, tp_node_boots(r->node) > 1 ? LEN / 2 : LEN);
    TP_AWAIT(cx, tp_write_at(cx, r->fd, &r->write_buf, 0), &result);
    r->read_buf = tp_buf_empty(r->read, LEN);
    TP_AWAIT(cx, tp_read_at(cx, r->fd, &r->read_buf, 0), &result);
    if (tp_node_boots(r->node) == 1) {
        tp_node_wipe(r->node);
        tp_node_start(r->node, 1000);
    }
    TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(reads, a_file_that_is_begun_anew_misses_nothing)
{
    const struct tp_scenario scenario = {
        .name = "anew", .boot = boot, .context = &(tp_tick_fn *){begins_anew}};

    cr_assert(zero(u32, count_doubtful(&scenario, 1)));
}

/* ------------------------------------------------------------------ other names */

enum way { EMPTIES, REMOVES, RENAMES, RENAMES_IN };

/* "/a" is begun anew by another of its names. */
struct by_name {
    tp_tick_fn *tick; /* first, for boot() */
    enum way way;
    const char *name, *from; /* from: which file takes the name */
};

static const struct by_name *by_name_of(const struct reader *r)
{
    return tp_sim_context(tp_node_sim(r->node));
}

static struct tp_op begin_anew(struct reader *r, struct tp_ctx *cx)
{
    const struct by_name *by = by_name_of(r);
    struct tp_open_options emptied = both;

    emptied.truncate = true;
    switch (by->way) {
    case EMPTIES:
        return tp_open(cx, by->name, emptied);
    case REMOVES:
        return tp_remove(cx, by->name);
    case RENAMES:
        return tp_rename(cx, by->from, by->name);
    case RENAMES_IN:
        return tp_rename_in(cx, r->dirs[0], by->from, r->dirs[1], by->name);
    }
    tp_unreachable();
}

/* Whose bytes "/a" has then. */
static void note_fresh(const struct reader *r, int32_t count)
{
    bool is_renamed = by_name_of(r)->way >= RENAMES;

    if (is_renamed ? count != LEN || r->read[0] != 'b' : count != 0)
        tp_sim_fail(tp_node_sim(r->node), "it has not been begun anew");
}

static enum tp_step begins_by_name(struct tp_machine *machine, struct tp_ctx *cx)
{
    static const struct tp_open_options dir = {.read = true};
    static const char *const paths[] = {"/a", "/d/b"};
    struct reader *r = reader_of(machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_create_dir(cx, "/d", 0777), &result);
    TP_AWAIT(cx, tp_symlink(cx, "/top", "/"), &result);
    TP_AWAIT(cx, tp_symlink(cx, "/d/file", "../a"), &result);
    for (r->at = 0; r->at < 2; r->at++) {
        TP_AWAIT(cx, tp_open(cx, paths[r->at], both), &result);
        r->fd = tp_into_fd(cx, result);
        memset(r->written, r->at == 0 ? 'a' : 'b', LEN);
        r->write_buf = tp_buf_full(r->written, LEN);
        TP_AWAIT(cx, tp_write_at(cx, r->fd, &r->write_buf, 0), &result);
        TP_AWAIT(cx, tp_open(cx, r->at == 0 ? "/d" : "/", dir), &result);
        r->dirs[r->at] = tp_into_fd(cx, result);
    }
    TP_AWAIT(cx, begin_anew(r, cx), &result);
    if (result.value < 0)
        tp_sim_fail(tp_node_sim(r->node), "%s", tp_errno_name(result.value));
    TP_AWAIT(cx, tp_open(cx, "/a", both), &result);
    r->fd = tp_into_fd(cx, result);
    r->read_buf = tp_buf_empty(r->read, LEN);
    TP_AWAIT(cx, tp_read_at(cx, r->fd, &r->read_buf, 0), &result);
    note_fresh(r, result.value);
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(reads, a_file_has_as_many_names_as_paths_lead_to_it)
{
    static const struct by_name ways[] = {
        {begins_by_name, EMPTIES, "//a", NULL},
        {begins_by_name, EMPTIES, "/d/file", NULL},
        {begins_by_name, REMOVES, "/./a", NULL},
        {begins_by_name, REMOVES, "/d/../a", NULL},
        {begins_by_name, REMOVES, "/top/a", NULL},
        {begins_by_name, RENAMES, "//a", "/d/b"},
        {begins_by_name, RENAMES, "/d/../a", "/top/d/./b"},
        {begins_by_name, RENAMES_IN, "a", "b"},
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct tp_scenario scenario = {
            .name = "names", .boot = boot, .context = &ways[i].tick};

        cr_assert(zero(u32, count_doubtful(&scenario, 1)), "way %zu", i);
    }
}

/* ------------------------------------------------------------------ told of */

Test(reads, are_doubted_where_all_of_the_run_is_known)
{
    static struct tp_record records[] = {
        {.kind = TP_FACT_OPERATION, .node = 1, .file = "a.c"},
        {.kind = TP_FACT_BOOT, .node = 1},
        {.kind = TP_FACT_OPERATION,
         .node = 1,
         .file = "a.c",
         .found = {.differs = 1, .writer = 1}}};
    static struct tp_explain explain;
    struct tp_recorder recorder;

    tp_recorder_init(&recorder, records, 3);
    recorder.count = 3;
    recorder.dropped = 1;
    explain.failed.node = 1;
    tp_explain_read(&explain, &recorder);
    cr_assert(zero(u32, explain.doubtful.node), "the process may be another by the end");
    recorder.dropped = 0;
    tp_explain_read(&explain, &recorder);
    cr_assert(eq(u32, explain.doubtful.node, 1));
}
