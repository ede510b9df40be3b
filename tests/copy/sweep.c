/** tests/copy/sweep.c - the whole copy, on both worlds: with every operation failing once,
 * cancelled at every operation, and with the power cut at every event. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/say.h"
#include "apps/copy/job.h"
#include "tests/sm/harness.h"

enum { BIG_BYTES = 200000, OLDER_BYTES = 300, FILES = 5 };

static struct {
    struct copy copy;
    struct copy_job job;
    struct copy_settings settings;
    const char *sources[2];
    char source_path[256], target_path[256];
    uint8_t big[BIG_BYTES], older[OLDER_BYTES];
} run;

static void prepare(struct harness *h)
{
    harness_fill(run.big, BIG_BYTES, 1);
    harness_fill(run.older, OLDER_BYTES, 2);
    harness_put_dir(h, "outside");
    harness_put(h, "outside/secret", "x", 1);
    harness_put_dir(h, "src");
    harness_put(h, "src/big", run.big, BIG_BYTES);
    harness_put(h, "src/small", "small", 5);
    harness_put(h, "src/empty", "", 0);
    harness_put_dir(h, "src/d");
    harness_put_dir(h, "src/d/e");
    harness_put(h, "src/d/x", "in d", 4);
    harness_put(h, "src/d/replaced", "new", 3);
    harness_put_link(h, "src/link", "../outside");
    harness_put_dir(h, "dst");
    harness_put_dir(h, "dst/src");
    harness_put_dir(h, "dst/src/d");
    harness_put(h, "dst/src/d/replaced", run.older, OLDER_BYTES);
    harness_put(h, "dst/src/kept", run.older, OLDER_BYTES);
}

static struct tp_machine *start_with(struct harness *h, bool sync, bool verify)
{
    struct copy_settings settings = {.sources = run.sources,
                                     .source_count = 1,
                                     .target = run.target_path,
                                     .jobs = 3,
                                     .depth = 2,
                                     .block_bytes = 65536,
                                     .mode_created = UINT32_MAX,
                                     .sync = sync,
                                     .verify = verify};

    app_say_to(NULL);
    (void)snprintf(run.source_path, sizeof run.source_path, "%s", harness_path(h, "src"));
    (void)snprintf(run.target_path, sizeof run.target_path, "%s", harness_path(h, "dst"));
    run.sources[0] = run.source_path;
    run.settings = settings;
    expect(h, copy_init(&run.copy, &run.settings) == 0);
    expect(h, copy_job_init(&run.job, &run.copy) == 0);
    copy_job_spawn(&run.job, h->scheduler);
    return &run.job.machine;
}

static struct tp_machine *start_durable(struct harness *h)
{
    return start_with(h, true, false);
}

static struct tp_machine *start_verified(struct harness *h)
{
    return start_with(h, false, true);
}

/* Whether a file has its new content, or is what it was before. */
static bool is_new(struct harness *h, const char *name, const void *bytes, uint32_t len)
{
    return harness_exists(h, name) && harness_holds(h, name, bytes, len);
}

static bool is_new_or_absent(struct harness *h, const char *name, const void *bytes,
                             uint32_t len)
{
    return !harness_exists(h, name) || harness_holds(h, name, bytes, len);
}

/* What holds after anything: no file is torn, and what is not copied is untouched. */
static void expect_nothing_torn(struct harness *h)
{
    expect(h, is_new_or_absent(h, "dst/src/big", run.big, BIG_BYTES));
    expect(h, is_new_or_absent(h, "dst/src/small", "small", 5));
    expect(h, is_new_or_absent(h, "dst/src/empty", "", 0));
    expect(h, is_new_or_absent(h, "dst/src/d/x", "in d", 4));
    expect(h, harness_holds(h, "dst/src/d/replaced", "new", 3) ||
                  harness_holds(h, "dst/src/d/replaced", run.older, OLDER_BYTES));
    expect(h, harness_holds(h, "dst/src/kept", run.older, OLDER_BYTES));
    expect(h, harness_holds(h, "outside/secret", "x", 1));
}

static bool is_link_to(struct harness *h, const char *name, const char *wanted)
{
    char target[64];
    struct tp_buf buf = tp_buf_empty(target, sizeof target);
    int32_t len = tp_io_block_on(h->io, tp_request_read_link(harness_path(h, name), &buf));

    return len == (int32_t)strlen(wanted) && memcmp(target, wanted, (size_t)len) == 0;
}

static void expect_all_new(struct harness *h)
{
    expect(h, is_new(h, "dst/src/big", run.big, BIG_BYTES));
    expect(h, is_new(h, "dst/src/small", "small", 5));
    expect(h, is_new(h, "dst/src/empty", "", 0));
    expect(h, is_new(h, "dst/src/d/x", "in d", 4));
    expect(h, is_new(h, "dst/src/d/replaced", "new", 3));
    expect(h, harness_stat(h, "dst/src/d/e").kind == TP_FILE_DIRECTORY);
    expect(h, is_link_to(h, "dst/src/link", "../outside"));
}

static void expect_no_temporaries(struct harness *h)
{
    expect(h, harness_temporaries(h, "dst") == 0);
    expect(h, harness_temporaries(h, "dst/src") == 0);
    expect(h, harness_temporaries(h, "dst/src/d") == 0);
}

static void check(struct harness *h, enum harness_end end, int32_t result)
{
    const struct copy_totals *totals = &run.copy.totals;

    expect_nothing_torn(h);
    if (end == ENDED) {
        expect(h, result == 0 && totals->errors == 0 && totals->files == FILES);
        expect(h, totals->directories == 3 && totals->links == 1);
        expect(h, totals->bytes == BIG_BYTES + 5 + 4 + 3);
        expect(h, !run.settings.verify || totals->verified == FILES + 1);
        expect_all_new(h);
    }
    /* Nobody waits for what a close says of a file that was only read. */
    if (end == FAILED && h->failed_kind != TP_CLOSE)
        expect(h, totals->errors > 0);
    if (end != CUT && (end != FAILED || h->failed_kind != TP_REMOVE))
        expect_no_temporaries(h);
    copy_job_deinit(&run.job);
    copy_deinit(&run.copy);
}

static const struct scenario durable = {
    .name = "copy --sync", .prepare = prepare, .start = start_durable, .check = check};

static const struct scenario verified = {.name = "copy --verify",
                                         .prepare = prepare,
                                         .start = start_verified,
                                         .check = check,
                                         .no_cut = true};

Test(copy, tears_nothing_whatever_fails_and_whenever_the_power_does)
{
    harness_sweep(&durable, ON_VIRTUAL);
}

Test(copy, tears_nothing_whatever_fails_while_verifying)
{
    harness_sweep(&verified, ON_VIRTUAL);
}

Test(copy, tears_nothing_whatever_fails_on_linux)
{
    if (!harness_has_linux())
        cr_skip_test("io_uring is refused here");
    harness_sweep(&durable, ON_LINUX);
    harness_sweep(&verified, ON_LINUX);
}

/* ------------------------------------------------------------------ comparing */

static struct {
    struct tp_machine machine;
    struct copy_compare compare;
    char path[2][256];
    uint64_t memory[2048];
    int32_t value;
} comparison;

static enum tp_step compare_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             copy_compare_start(cx, &comparison.compare, tp_place_path(comparison.path[0]),
                                tp_place_path(comparison.path[1]), comparison.memory,
                                sizeof comparison.memory),
             &result);
    comparison.value = result.value;
    return tp_end(machine, 0);
    TP_END(cx);
}

static int32_t compare(struct harness *h, const char *left, const char *right)
{
    (void)snprintf(comparison.path[0], sizeof comparison.path[0], "%s",
                   harness_path(h, left));
    (void)snprintf(comparison.path[1], sizeof comparison.path[1], "%s",
                   harness_path(h, right));
    tp_spawn(h->scheduler, &comparison.machine, compare_tick, "test");
    harness_finish(h);
    return comparison.value;
}

static void compare_all(struct harness *h)
{
    static const uint32_t places[] = {0, 1, 8191, 8192, 100000, BIG_BYTES - 1};

    harness_fill(run.big, BIG_BYTES, 1);
    harness_put(h, "a", run.big, BIG_BYTES);
    harness_put(h, "b", run.big, BIG_BYTES);
    expect(h, compare(h, "a", "b") == COPY_EQUAL);
    expect(h, comparison.compare.offset == BIG_BYTES);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        run.big[places[i]] ^= 1;
        harness_put(h, "b", run.big, BIG_BYTES);
        run.big[places[i]] ^= 1;
        expect(h, compare(h, "a", "b") == COPY_DIFFERENT);
    }
    harness_put(h, "b", run.big, BIG_BYTES - 1);
    expect(h, compare(h, "a", "b") == COPY_DIFFERENT);
    expect(h, compare(h, "b", "a") == COPY_DIFFERENT);
    harness_put(h, "b", "", 0);
    harness_put(h, "a", "", 0);
    expect(h, compare(h, "a", "b") == COPY_EQUAL);
    expect(h, compare(h, "a", "nothing") == -ENOENT);
    expect(h, comparison.compare.failed_side == COPY_TARGET &&
                  comparison.compare.failed_kind == TP_OPEN);
}

Test(compare, tells_a_single_bit_and_a_single_byte_of_length)
{
    static struct harness h;

    for (int world = 0; world < WORLDS; world++) {
        if (world == ON_LINUX && !harness_has_linux())
            continue;
        harness_open(&h, "compare", (enum harness_world)world, 1);
        compare_all(&h);
        harness_close(&h);
    }
}
