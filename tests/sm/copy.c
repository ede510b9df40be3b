/** tests/sm/copy.c - copying a file, in every way it can go wrong, and sources of every
 * shape. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "io/virtual/disk.h"
#include "sm/copy_file.h"
#include "tests/common/expect_stop.h"
#include "tests/sm/harness.h"

enum { SOURCE_BYTES = 60001, OLD_BYTES = 3000, MEMORY_BYTES = 1 << 17 };

static struct {
    struct tp_machine machine;
    struct harness *h;
    struct tp_copy_file copy;
    struct tp_copy_options options;
    struct tp_place source, destination;
    int32_t value;
    bool acknowledged;
} job;

static uint8_t source_bytes[SOURCE_BYTES], old_bytes[OLD_BYTES];
static _Alignas(4096) uint8_t memory[MEMORY_BYTES];

/* Goes on for a while after the copy, so that a power cut can come after the promise. */
static enum tp_step copy_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             tp_copy_file_start(cx, &job.copy, job.source, job.destination, &job.options),
             &result);
    job.value = result.value;
    job.acknowledged = result.value == 0;
    TP_AWAIT(cx, tp_timer(cx, 1000 * 1000), &result);
    return tp_end(machine, job.value);
    TP_END(cx);
}

static struct tp_machine *start(struct harness *h, struct tp_copy_options options)
{
    memset(&job, 0, sizeof job);
    job.h = h;
    job.options = options;
    job.source = tp_place_path(harness_path(h, "source"));
    job.destination = tp_place_path(harness_path(h, "target"));
    tp_spawn(h->scheduler, &job.machine, copy_tick, "job");
    return &job.machine;
}

static void prepare(struct harness *h)
{
    harness_fill(source_bytes, sizeof source_bytes, 1);
    harness_fill(old_bytes, sizeof old_bytes, 2);
    harness_put(h, "source", source_bytes, sizeof source_bytes);
    harness_put(h, "target", old_bytes, sizeof old_bytes);
}

static struct tp_machine *start_ring(struct harness *h)
{
    return start(h, (struct tp_copy_options){.size = sizeof job.options,
                                             .depth = 6,
                                             .block_bytes = 8192,
                                             .memory = memory,
                                             .memory_bytes = sizeof memory});
}

static struct tp_machine *start_direct(struct harness *h)
{
    return start(h, (struct tp_copy_options){.depth = 3,
                                             .block_bytes = 8192,
                                             .source_direct = true,
                                             .destination_direct = true});
}

static struct tp_machine *start_one_block(struct harness *h)
{
    return start(h, (struct tp_copy_options){.depth = 1,
                                             .block_bytes = 4096,
                                             .durability = TP_DURABLE_CONTENT,
                                             .destination_direct = true,
                                             .forget_mode = true});
}

/* Old or the source's, whatever happens; the source's once it was promised. */
static void check_copy(struct harness *h, enum harness_end end, int32_t result)
{
    bool is_old = harness_holds(h, "target", old_bytes, sizeof old_bytes);
    bool is_new = harness_holds(h, "target", source_bytes, sizeof source_bytes);

    (void)result;
    expect(h, is_old || is_new);
    expect(h, end != ENDED || job.acknowledged);
    if (job.acknowledged && (end != CUT || job.options.durability == TP_DURABLE)) {
        expect(h, is_new);
        expect(h, job.copy.length == SOURCE_BYTES && job.copy.bytes >= SOURCE_BYTES);
    }
    if (end == FAILED && !job.acknowledged) {
        expect(h, job.value == h->fault.fail_with);
        expect(h, job.copy.failed_kind == TP_SYNC_DIR ? is_new : is_old);
    }
    if (end == CANCELLED && !job.acknowledged)
        expect(h, job.value == -ECANCELED);
}

static const struct scenario scenarios[] = {
    {.name = "copy, ring",
     .prepare = prepare,
     .start = start_ring,
     .check = check_copy,
     .cut_seeds = TP_DISK_PROFILES},
    {.name = "copy, direct",
     .prepare = prepare,
     .start = start_direct,
     .check = check_copy,
     .cut_seeds = TP_DISK_PROFILES},
    {.name = "copy, one block",
     .prepare = prepare,
     .start = start_one_block,
     .check = check_copy,
     .cut_seeds = TP_DISK_PROFILES},
};

static void sweep(enum harness_world world)
{
    if (world == ON_LINUX && !harness_has_linux())
        cr_skip_test("io_uring is refused here");
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        harness_sweep(&scenarios[i], world);
}

Test(copy_file, keeps_old_or_new_whatever_happens)
{
    sweep(ON_VIRTUAL);
}

Test(copy_file, keeps_old_or_new_whatever_happens_on_linux)
{
    sweep(ON_LINUX);
}

static void sweep_cuts(void *fault)
{
    harness_sweep_cuts(&scenarios[0], *(struct harness_fault *)fault);
}

Test(copy_file, is_found_torn_without_its_syncs)
{
    struct harness_fault fault = {.lose_fsyncs = true};

    expect_stop(sweep_cuts, &fault, "copy, ring on virtual: does not hold: is_");
}

/* ------------------------------------------------------------------ sources of every shape
 */

static void each_world(void (*body)(struct harness *h))
{
    static struct harness h;

    for (int world = 0; world < WORLDS; world++) {
        if (world == ON_LINUX && !harness_has_linux())
            continue;
        harness_open(&h, "copy", (enum harness_world)world, 1);
        body(&h);
        harness_close(&h);
    }
}

static void copy_now(struct harness *h, struct tp_copy_options options)
{
    (void)start(h, options);
    harness_finish(h);
}

static void copies_of_any_length(struct harness *h)
{
    static const uint32_t lengths[] = {0,    1,    511,  512,  513,  4095,
                                       4096, 4097, 8192, 8193, 40000};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int direct = 0; direct < 4; direct++) {
            harness_fill(source_bytes, lengths[i], i);
            harness_put(h, "source", source_bytes, lengths[i]);
            copy_now(h, (struct tp_copy_options){.block_bytes = 4096,
                                                 .source_direct = (direct & 1) != 0,
                                                 .destination_direct = (direct & 2) != 0});
            expect(h, job.value == 0 && job.copy.length == lengths[i]);
            expect(h, harness_holds(h, "target", source_bytes, lengths[i]));
        }
    }
}

Test(copy_file, copies_files_of_any_length)
{
    each_world(copies_of_any_length);
}

/* A file of 1 MiB less a bit with data in two places, and a hole at its end. */
static void make_sparse(struct harness *h)
{
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_fd fd = harness_open_fd(h, "source", options);
    struct tp_buf buf = tp_buf_full(source_bytes, 5000);

    harness_fill(source_bytes, 5000, 5);
    expect(h, tp_io_block_on(h->io, tp_request_write_at(fd, &buf, 65536)) == 5000);
    expect(h, tp_io_block_on(h->io, tp_request_write_at(fd, &buf, 300000)) == 5000);
    expect(h, tp_io_block_on(h->io, tp_request_truncate(fd, 1000001)) == 0);
    expect(h, tp_io_block_on(h->io, tp_request_fsync(fd, 0)) == 0);
    harness_close_fd(h, fd);
}

static void keeps_holes(struct harness *h)
{
    static uint8_t whole[1000001];

    make_sparse(h);
    expect(h, harness_get(h, "source", whole, sizeof whole) == (int32_t)sizeof whole);
    for (int direct = 0; direct < 4; direct++) {
        copy_now(h, (struct tp_copy_options){.block_bytes = 4096,
                                             .source_direct = (direct & 1) != 0,
                                             .destination_direct = (direct & 2) != 0});
        expect(h, job.value == 0 && job.copy.length == sizeof whole);
        expect(h, harness_holds(h, "target", whole, sizeof whole));
        expect(h, job.copy.bytes < 50000);
        expect(h, harness_stat(h, "target").allocated < 100000);
    }
    copy_now(h, (struct tp_copy_options){.block_bytes = 8192, .fill_holes = true});
    expect(h, job.value == 0 && job.copy.bytes == sizeof whole);
    expect(h, harness_holds(h, "target", whole, sizeof whole));
}

Test(copy_file, keeps_holes)
{
    each_world(keeps_holes);
}

static void keeps_mode(struct harness *h)
{
    struct tp_open_options options = {.write = true};
    struct tp_fd fd;

    prepare(h);
    fd = harness_open_fd(h, "source", options);
    expect(h, tp_io_block_on(h->io, tp_request_set_mode(fd, 0751)) == 0);
    harness_close_fd(h, fd);
    copy_now(h, (struct tp_copy_options){.block_bytes = 8192});
    expect(h, job.value == 0 && harness_stat(h, "target").mode == 0751);
    copy_now(h, (struct tp_copy_options){.block_bytes = 8192, .forget_mode = true});
    expect(h, job.value == 0 && harness_stat(h, "target").mode != 0751);
}

Test(copy_file, keeps_the_mode)
{
    each_world(keeps_mode);
}

static void copies_between_fds(struct harness *h)
{
    struct tp_open_options read = {.read = true};
    struct tp_open_options write = {.write = true, .create_new = true};
    struct tp_statx statx;
    struct tp_fd from, to;

    prepare(h);
    from = harness_open_fd(h, "source", read);
    to = harness_open_fd(h, "fresh", write);
    statx = harness_stat(h, "source");
    (void)start(h, (struct tp_copy_options){.block_bytes = 8192, .source_statx = &statx});
    job.source = tp_place_fd(from);
    job.destination = tp_place_fd(to);
    harness_finish(h);
    expect(h, job.value == 0);
    expect(h, harness_holds(h, "fresh", source_bytes, sizeof source_bytes));
    harness_close_fd(h, from);
    harness_close_fd(h, to);
}

Test(copy_file, copies_between_files_that_its_caller_has_opened)
{
    each_world(copies_between_fds);
}

static void wants_a_regular_file(struct harness *h)
{
    struct tp_buf *taken[4];

    prepare(h);
    harness_put_dir(h, "directory");
    (void)start(h, (struct tp_copy_options){.depth = 1});
    job.source = tp_place_path(harness_path(h, "directory"));
    harness_finish(h);
    expect(h, job.value == -EISDIR && job.copy.failed_source);

    (void)start(h, (struct tp_copy_options){.depth = 1});
    job.source = tp_place_path(harness_path(h, "missing"));
    harness_finish(h);
    expect(h, job.value == -ENOENT && job.copy.failed_source);
    expect(h, job.copy.failed_kind == TP_OPEN);

    (void)start(h, (struct tp_copy_options){.depth = 1});
    job.destination = tp_place_path(harness_path(h, "missing/target"));
    harness_finish(h);
    expect(h, job.value == -ENOENT && !job.copy.failed_source);

    for (int i = 0; i < 4; i++)
        taken[i] = tp_io_acquire_buf(h->io);
    copy_now(h, (struct tp_copy_options){.depth = 1});
    expect(h, job.value == -ENOBUFS);
    for (int i = 0; i < 4; i++)
        tp_io_release_buf(h->io, taken[i]);
    expect(h, harness_holds(h, "target", old_bytes, sizeof old_bytes));
}

Test(copy_file, says_what_it_cannot_copy)
{
    each_world(wants_a_regular_file);
}

/* ------------------------------------------------------------------ a source that changes
 */

static struct {
    struct tp_machine machine;
    struct tp_fd fd;
    uint64_t length;
    uint32_t after; /* iterations */
} changer;

static enum tp_step changer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    for (; changer.after > 0; changer.after--)
        TP_AWAIT_YIELD(cx);
    TP_AWAIT(cx, tp_truncate(cx, changer.fd, changer.length), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* The copy is a beginning of what the source was, as far as the source went. */
static void copy_while_it_changes(struct harness *h, uint32_t after, uint64_t length,
                                  bool direct)
{
    static uint8_t copied[2 * SOURCE_BYTES];
    struct tp_open_options options = {.write = true};
    uint32_t whole;
    int32_t len;

    prepare(h);
    memset(&changer, 0, sizeof changer);
    changer.fd = harness_open_fd(h, "source", options);
    changer.length = length;
    changer.after = after;
    (void)start(h, (struct tp_copy_options){.depth = 2,
                                            .block_bytes = 4096,
                                            .source_direct = direct,
                                            .destination_direct = direct});
    tp_spawn(h->scheduler, &changer.machine, changer_tick, "changer");
    harness_finish(h);
    harness_close_fd(h, changer.fd);

    expect(h, job.value == 0 && changer.machine.result == 0);
    len = harness_get(h, "target", copied, sizeof copied);
    expect(h, len >= 0 && (uint64_t)len == job.copy.length);
    expect(h, job.copy.found_shrunk == (job.copy.length < job.copy.statx.size));
    /* What was added by growing is zeros, and is there if the copy began after it. */
    whole = (uint32_t)len < SOURCE_BYTES ? (uint32_t)len : SOURCE_BYTES;
    expect(h, memcmp(copied, source_bytes, whole) == 0);
    for (uint32_t i = whole; i < (uint32_t)len; i++)
        expect(h, copied[i] == 0);
    expect(h, length < SOURCE_BYTES || len == SOURCE_BYTES || (uint64_t)len == length);
}

static void copies_what_is_there(struct harness *h)
{
    for (uint32_t after = 0; after < 40; after++) {
        copy_while_it_changes(h, after, 20011, false);
        copy_while_it_changes(h, after, 20011, true);
        copy_while_it_changes(h, after, 0, false);
        copy_while_it_changes(h, after, 100000, false);
        copy_while_it_changes(h, after, 100000, true);
    }
}

Test(copy_file, copies_what_is_there_of_a_source_that_changes)
{
    each_world(copies_what_is_there);
}
