/** tests/sm/walk.c - walking a tree: order, bounds, links, what goes wrong, stopping
 * anywhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sm/walk.h"
#include "tests/sm/harness.h"

enum { LEVELS_MAX = 6, LINE_BYTES = 96, LINES_MAX = 400 };

static struct {
    struct tp_machine machine;
    struct harness *h;
    struct tp_walk walk;
    struct tp_walk_level levels[LEVELS_MAX];
    char path[256];
    uint32_t levels_max, path_bytes;
    const char *skip;    /* the directory that is not gone into */
    uint32_t stop_after; /* entries; 0: never */
    char lines[LINES_MAX][LINE_BYTES];
    uint32_t count, errors, entered, left;
    struct tp_fd kept;
    bool keep;
} job;

static const char *const events[] = {"entry", "enter", "leave", "error"};

static void note(const struct tp_walk_entry *entry)
{
    (void)snprintf(job.lines[job.count], LINE_BYTES, "%s %s%s%s", events[entry->event],
                   entry->path, entry->error < 0 ? " " : "",
                   entry->error < 0 ? tp_errno_name(entry->error) : "");
    expect(job.h, job.count + 1 < LINES_MAX);
    job.count++;
    job.errors += entry->event == TP_WALK_ERROR;
    job.entered += entry->event == TP_WALK_ENTER;
    job.left += entry->event == TP_WALK_LEAVE;
    expect(job.h, job.entered >= job.left && job.entered - job.left <= job.levels_max);
}

static void act(const struct tp_walk_entry *entry)
{
    if (job.skip != NULL && entry->event == TP_WALK_ENTER &&
        strcmp(entry->name, job.skip) == 0)
        tp_walk_skip(&job.walk);
    if (job.keep && entry->event == TP_WALK_LEAVE && entry->depth == 1 &&
        !tp_fd_is_some(job.kept)) {
        job.kept = entry->dir;
        tp_walk_keep(&job.walk);
    }
}

static enum tp_step walk_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    tp_walk_init(&job.walk, tp_place_path(harness_path(job.h, "tree")), job.levels,
                 job.levels_max, job.path, job.path_bytes);
    do {
        TP_AWAIT(cx, tp_walk_next(cx, &job.walk), &result);
        if (result.value == 1) {
            note(&job.walk.entry);
            act(&job.walk.entry);
        }
    } while (result.value == 1 && (job.stop_after == 0 || job.count < job.stop_after));
    tp_walk_stop(cx, &job.walk);
    if (tp_fd_is_some(job.kept))
        tp_detach(cx, tp_close(cx, job.kept));
    return tp_end(machine, result.value);
    TP_END(cx);
}

static struct tp_machine *start(struct harness *h)
{
    memset(&job, 0, offsetof(__typeof__(job), levels));
    memset(job.lines, 0, sizeof job.lines);
    job.h = h;
    job.levels_max = LEVELS_MAX;
    job.path_bytes = sizeof job.path;
    job.skip = NULL;
    job.stop_after = job.count = job.errors = job.entered = job.left = 0;
    job.kept = tp_fd_none();
    job.keep = false;
    tp_spawn(h->scheduler, &job.machine, walk_tick, "job");
    return &job.machine;
}

static void prepare(struct harness *h)
{
    harness_put_dir(h, "outside");
    harness_put(h, "outside/secret", "x", 1);
    harness_put_dir(h, "tree");
    harness_put(h, "tree/a", "a", 1);
    harness_put_dir(h, "tree/b");
    harness_put_dir(h, "tree/b/empty");
    harness_put(h, "tree/b/c", "c", 1);
    harness_put_link(h, "tree/out", "../outside");
    harness_put_link(h, "tree/b/dangling", "nowhere");
    harness_put_dir(h, "tree/d");
    harness_put(h, "tree/d/e", "e", 1);
}

static bool has(const char *line)
{
    for (uint32_t i = 0; i < job.count; i++) {
        if (strcmp(job.lines[i], line) == 0)
            return true;
    }
    return false;
}

static uint32_t place_of(const char *line)
{
    for (uint32_t i = 0; i < job.count; i++) {
        if (strcmp(job.lines[i], line) == 0)
            return i;
    }
    return UINT32_MAX;
}

static void expect_whole_tree(struct harness *h)
{
    static const char *const lines[] = {
        "enter ",    "entry a",          "enter b", "enter b/empty", "leave b/empty",
        "entry b/c", "entry b/dangling", "leave b", "entry out",     "enter d",
        "entry d/e", "leave d",          "leave "};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect(h, has(lines[i]));
    expect(h, job.count == sizeof lines / sizeof lines[0]);
    expect(h, place_of("enter b") < place_of("entry b/c"));
    expect(h, place_of("entry b/c") < place_of("leave b"));
    expect(h, place_of("enter b/empty") + 1 == place_of("leave b/empty"));
}

/* A failure costs what it hit, and the walk ends in order all the same. */
static void check(struct harness *h, enum harness_end end, int32_t result)
{
    if (end == ENDED) {
        expect(h, result == 0);
        expect_whole_tree(h);
    }
    expect(h, end != CANCELLED || result == 0 || result == -ECANCELED);
    if (end == FAILED) {
        expect(h, result == 0);
        expect(h, job.entered == job.left);
        expect(h, h->failed_kind == TP_CLOSE || job.errors == 1);
    }
}

static const struct scenario scenario = {
    .name = "walk", .prepare = prepare, .start = start, .check = check, .no_cut = true};

Test(walk, tells_everything_once_whatever_fails)
{
    harness_sweep(&scenario, ON_VIRTUAL);
}

Test(walk, tells_everything_once_whatever_fails_on_linux)
{
    if (!harness_has_linux())
        cr_skip_test("io_uring is refused here");
    harness_sweep(&scenario, ON_LINUX);
}

static void each_world(void (*body)(struct harness *h))
{
    static struct harness h;

    for (int world = 0; world < WORLDS; world++) {
        if (world == ON_LINUX && !harness_has_linux())
            continue;
        harness_open(&h, "walk", (enum harness_world)world, 1);
        prepare(&h);
        body(&h);
        harness_close(&h);
    }
}

static void stops_anywhere(struct harness *h)
{
    for (uint32_t entries = 1; entries < 14; entries++) {
        (void)start(h);
        job.stop_after = entries;
        harness_finish(h);
        expect(h, job.count == entries);
    }
}

Test(walk, stops_anywhere)
{
    each_world(stops_anywhere);
}

static void skips(struct harness *h)
{
    (void)start(h);
    job.skip = "b";
    harness_finish(h);
    expect(h, place_of("enter b") + 1 == place_of("leave b"));
    expect(h, !has("entry b/c") && has("entry d/e"));
}

Test(walk, does_not_go_where_it_is_told_not_to)
{
    each_world(skips);
}

static void hands_over(struct harness *h)
{
    (void)start(h);
    job.keep = true;
    harness_finish(h);
    expect(h, tp_fd_is_some(job.kept));
    expect_whole_tree(h);
}

Test(walk, hands_a_directory_over)
{
    each_world(hands_over);
}

static void is_bounded(struct harness *h)
{
    (void)start(h);
    job.levels_max = 2;
    harness_finish(h);
    expect(h, has("error b/empty EMLINK") && job.errors == 1);
    expect(h, has("entry b/c") && has("entry d/e"));

    (void)start(h);
    job.path_bytes = 8; /* "b/empty" fits, "b/dangling" does not */
    harness_finish(h);
    expect(h, has("enter b/empty") && has("error b ENAMETOOLONG") && job.errors == 1);
}

Test(walk, tells_what_is_too_deep_or_too_long)
{
    each_world(is_bounded);
}

static enum tp_step root_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    tp_walk_init(&job.walk, tp_place_path(harness_path(job.h, job.skip)), job.levels, 2,
                 job.path, sizeof job.path);
    TP_AWAIT(cx, tp_walk_next(cx, &job.walk), &result);
    note(&job.walk.entry);
    TP_AWAIT(cx, tp_walk_next(cx, &job.walk), &result);
    tp_walk_stop(cx, &job.walk);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static void wants_a_directory(struct harness *h)
{
    static const char *const roots[] = {"missing", "outside/secret"};
    static const char *const lines[] = {"error  ENOENT", "error  ENOTDIR"};

    for (int i = 0; i < 2; i++) {
        (void)start(h);
        harness_finish(h); /* ends the ordinary walk that start() begins */
        job.count = job.errors = job.entered = job.left = 0;
        job.skip = roots[i];
        tp_spawn(h->scheduler, &job.machine, root_tick, "job");
        harness_finish(h);
        expect(h, job.machine.result == 0 && has(lines[i]) && job.count == 1);
    }
}

Test(walk, tells_that_the_root_is_no_directory)
{
    each_world(wants_a_directory);
}

/* More entries than one list_dir brings, and names of every length. */
static void lists_large_directories(struct harness *h)
{
    uint32_t entries = 300;

    harness_put_dir(h, "tree/d/many");
    for (uint32_t i = 0; i < entries; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "tree/d/many/%0*u", 3 + (int)(i % 30), i);
        harness_put(h, name, "", 0);
    }
    (void)start(h);
    harness_finish(h);
    expect(h, job.count == 13 + 2 + entries && job.errors == 0);
}

Test(walk, lists_large_directories)
{
    each_world(lists_large_directories);
}
