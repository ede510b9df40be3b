/** tests/sm/files.c - reading, writing and replacing whole files, in every way they can go
 * wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sm/read_file.h"
#include "sm/replace_file.h"
#include "tests/common/expect_stop.h"
#include "tests/sm/harness.h"

enum { OLD_BYTES = 3000, NEW_BYTES = 9000 };

/* What the scenarios of this file run; its memory outlives each of them. */
static struct {
    struct tp_machine machine;
    struct harness *h;
    struct tp_read_file read;
    struct tp_write_all write;
    struct tp_replace_file replace;
    struct tp_replace_options options;
    struct tp_staged staged;
    struct tp_buf buf;
    struct tp_fd fd;
    struct tp_op timer;
    int32_t value;
    uint32_t align;
    bool acknowledged, direct;
} job;

static uint8_t old_bytes[OLD_BYTES], new_bytes[NEW_BYTES];
static _Alignas(4096) uint8_t memory[1 << 16];

static void prepare_old(struct harness *h)
{
    harness_fill(old_bytes, sizeof old_bytes, 1);
    harness_fill(new_bytes, sizeof new_bytes, 2);
    harness_put(h, "config", old_bytes, sizeof old_bytes);
}

static void prepare_none(struct harness *h)
{
    (void)h;
    harness_fill(new_bytes, sizeof new_bytes, 2);
}

static struct tp_machine *start(struct harness *h, tp_tick_fn *tick)
{
    struct tp_replace_options options = job.options;

    memset(&job, 0, sizeof job);
    job.options = options;
    job.h = h;
    tp_spawn(h->scheduler, &job.machine, tick, "job");
    return &job.machine;
}

/* ------------------------------------------------------------------ read_file */

static enum tp_step read_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    job.buf = tp_buf_empty(memory, OLD_BYTES + 1);
    TP_AWAIT(cx,
             tp_read_file_start(cx, &job.read, tp_place_path(harness_path(job.h, "config")),
                                &job.buf),
             &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static struct tp_machine *start_read(struct harness *h)
{
    return start(h, read_tick);
}

/* Whatever is done to it, the file is read whole or the failure is told. */
static void check_read(struct harness *h, enum harness_end end, int32_t result)
{
    if (end == ENDED)
        expect(h, result == OLD_BYTES);
    if (result < 0) {
        expect(h, end != FAILED || result == h->fault.fail_with);
        expect(h, end != CANCELLED || result == -ECANCELED);
        return;
    }
    expect(h, result == OLD_BYTES && job.buf.len == OLD_BYTES);
    expect(h, memcmp(memory, old_bytes, OLD_BYTES) == 0);
}

static const struct scenario read_scenario = {.name = "read_file",
                                              .prepare = prepare_old,
                                              .start = start_read,
                                              .check = check_read,
                                              .no_cut = true};

/* ------------------------------------------------------------------ write_all */

static enum tp_step write_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_open_options options = {
        .write = true, .create_new = true, .direct = job.direct};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, harness_path(job.h, "out"), options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    job.fd = tp_into_fd(cx, result);
    job.align = job.direct ? tp_io_block_size(tp_ctx_io(cx)) : 0;
    job.buf = tp_buf_full(memory, 4 * 4096);
    TP_AWAIT(cx, tp_write_all_start(cx, &job.write, job.fd, &job.buf, 4096, job.align),
             &result);
    job.value = result.value;
    tp_detach(cx, tp_close(cx, job.fd));
    return tp_end(machine, job.value);
    TP_END(cx);
}

static struct tp_machine *start_write(struct harness *h)
{
    harness_fill(memory, sizeof memory, 3);
    return start(h, write_tick);
}

static struct tp_machine *start_write_direct(struct harness *h)
{
    struct tp_machine *machine = start_write(h);

    job.direct = true;
    return machine;
}

/* What it counted as written is in the file. */
static void check_write(struct harness *h, enum harness_end end, int32_t result)
{
    static uint8_t found[8 * 4096];
    int32_t len = harness_get(h, "out", found, sizeof found);
    uint32_t done = result >= 0 ? 4 * 4096 : job.write.done;

    expect(h, end != ENDED || result == 4 * 4096);
    if (len < 0 || done == 0)
        return;
    expect(h, (uint32_t)len >= 4096 + done);
    expect(h, memcmp(found + 4096, memory, done) == 0);
}

static const struct scenario write_scenario = {
    .name = "write_all", .start = start_write, .check = check_write, .no_cut = true};

static const struct scenario write_direct_scenario = {.name = "write_all, direct",
                                                      .start = start_write_direct,
                                                      .check = check_write,
                                                      .no_cut = true};

/* ------------------------------------------------------------------ replace_file */

/* Goes on for a while after the replacement, so that a power cut can come after the
 * promise. */
static enum tp_step replace_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    job.buf = tp_buf_full(new_bytes, sizeof new_bytes);
    TP_AWAIT(cx,
             tp_replace_file_start(cx, &job.replace,
                                   tp_place_path(harness_path(job.h, "config")), &job.buf,
                                   &job.options),
             &result);
    job.value = result.value;
    job.acknowledged = result.value == 0;
    TP_AWAIT(cx, tp_timer(cx, 1000 * 1000), &result);
    TP_AWAIT(cx, tp_timer(cx, 1000 * 1000), &result);
    return tp_end(machine, job.value);
    TP_END(cx);
}

static struct tp_machine *start_replace(struct harness *h)
{
    memset(&job.options, 0, sizeof job.options);
    return start(h, replace_tick);
}

static struct tp_machine *start_replace_mode(struct harness *h)
{
    struct tp_replace_options options = {
        .size = sizeof options, .set_mode = true, .mode = 0640};

    job.options = options;
    return start(h, replace_tick);
}

static struct tp_machine *start_replace_weakly(struct harness *h)
{
    struct tp_replace_options options = {.durability = TP_DURABLE_NOT, .keep_mode = true};

    job.options = options;
    return start(h, replace_tick);
}

static bool holds_old(struct harness *h)
{
    return harness_holds(h, "config", old_bytes, sizeof old_bytes);
}

static bool holds_new(struct harness *h)
{
    return harness_holds(h, "config", new_bytes, sizeof new_bytes);
}

/* Old or new, whatever happens; new once it was promised; old if it was refused before the
 * end. */
static void check_replaced(struct harness *h, enum harness_end end, bool is_old,
                           bool is_new)
{
    expect(h, is_old || is_new);
    expect(h, !job.acknowledged || is_new);
    expect(h, end != ENDED || job.acknowledged);
    if (end == FAILED && !job.acknowledged) {
        expect(h, job.value == h->fault.fail_with);
        expect(h, job.replace.failed_kind == TP_SYNC_DIR ? is_new : is_old);
    }
    if (end == CANCELLED && !job.acknowledged)
        expect(h, job.value == -ECANCELED);
}

static void check_replace(struct harness *h, enum harness_end end, int32_t result)
{
    (void)result;
    check_replaced(h, end, holds_old(h), holds_new(h));
    if (holds_new(h) && job.options.set_mode)
        expect(h, harness_stat(h, "config").mode == 0640);
}

static void check_make(struct harness *h, enum harness_end end, int32_t result)
{
    (void)result;
    check_replaced(h, end, !harness_exists(h, "config"), holds_new(h));
}

static const struct scenario replace_scenarios[] = {
    {.name = "replace_file",
     .prepare = prepare_old,
     .start = start_replace,
     .check = check_replace,
     .cut_seeds = 12},
    {.name = "replace_file, new",
     .prepare = prepare_none,
     .start = start_replace,
     .check = check_make,
     .cut_seeds = 12},
    {.name = "replace_file, mode",
     .prepare = prepare_old,
     .start = start_replace_mode,
     .check = check_replace,
     .cut_seeds = 6},
    {.name = "replace_file, not durable",
     .prepare = prepare_old,
     .start = start_replace_weakly,
     .check = check_replace,
     .no_cut = true},
};

/* ------------------------------------------------------------------ a staged file of one's
 * own */

static enum tp_step staged_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_open_options options = {.read = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             tp_staged_begin(cx, &job.staged, tp_place_path(harness_path(job.h, "config")),
                             options),
             &result);
    job.value = result.value;
    if (job.value >= 0) {
        job.buf = tp_buf_full(new_bytes, 100);
        TP_AWAIT(cx, tp_write_all_start(cx, &job.write, job.staged.fd, &job.buf, 0, 0),
                 &result);
        job.value = result.value;
    }
    /* It thinks better of it. */
    tp_shield(cx, true);
    TP_AWAIT(cx, tp_staged_discard(cx, &job.staged), &result);
    tp_shield(cx, false);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static struct tp_machine *start_staged(struct harness *h)
{
    return start(h, staged_tick);
}

static void check_staged(struct harness *h, enum harness_end end, int32_t result)
{
    (void)end, (void)result;
    expect(h, holds_old(h));
}

static const struct scenario staged_scenario = {.name = "staged, discarded",
                                                .prepare = prepare_old,
                                                .start = start_staged,
                                                .check = check_staged};

/* ------------------------------------------------------------------ the sweeps */

static void sweep(const struct scenario *scenario, enum harness_world world)
{
    if (world == ON_LINUX && !harness_has_linux())
        cr_skip_test("io_uring is refused here");
    harness_sweep(scenario, world);
}

Test(read_file, reads_whole_or_says_why)
{
    sweep(&read_scenario, ON_VIRTUAL);
}

Test(read_file, reads_whole_or_says_why_on_linux)
{
    sweep(&read_scenario, ON_LINUX);
}

Test(write_all, what_it_counts_is_written)
{
    sweep(&write_scenario, ON_VIRTUAL);
    sweep(&write_direct_scenario, ON_VIRTUAL);
}

Test(write_all, what_it_counts_is_written_on_linux)
{
    sweep(&write_scenario, ON_LINUX);
    sweep(&write_direct_scenario, ON_LINUX);
}

Test(replace_file, keeps_old_or_new_whatever_happens)
{
    for (size_t i = 0; i < sizeof replace_scenarios / sizeof replace_scenarios[0]; i++)
        sweep(&replace_scenarios[i], ON_VIRTUAL);
}

static void sweep_cuts(void *fault)
{
    harness_sweep_cuts(&replace_scenarios[0], *(struct harness_fault *)fault);
}

/* Law 9, broken on purpose: where it is only said that syncs are done, the power cuts find
 * the content torn (without dsync) or the name lost (without the fsync of the directory).
 * So both are needed, and that one is missing would be noticed. */
Test(replace_file, is_found_not_durable_without_its_syncs)
{
    struct harness_fault content = {.lose_dsyncs = true}, name = {.lose_fsyncs = true};

    expect_stop(sweep_cuts, &content, "replace_file on virtual: does not hold: is_old");
    expect_stop(sweep_cuts, &name, "does not hold: !job.acknowledged || is_new");
}

Test(replace_file, keeps_old_or_new_whatever_happens_on_linux)
{
    for (size_t i = 0; i < sizeof replace_scenarios / sizeof replace_scenarios[0]; i++)
        sweep(&replace_scenarios[i], ON_LINUX);
}

Test(staged, a_discarded_file_leaves_nothing)
{
    sweep(&staged_scenario, ON_VIRTUAL);
}

Test(staged, a_discarded_file_leaves_nothing_on_linux)
{
    sweep(&staged_scenario, ON_LINUX);
}
