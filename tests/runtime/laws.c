/** tests/runtime/laws.c - every law broken on purpose, and the report that must follow.
 *
 * A report names the operation, its owner, where it was submitted, and the chain of starts.
 * Laws 6 and 9 live where the kernel and the disk are: tests/linux, tests/virtual,
 * tests/sm.
 */
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include "tests/runtime/fixture.h"

TestSuite(laws, .init = set_up);

#define FILE_NAME "tests/runtime/laws.c"

/* Runs `tick` as a machine called culprit, started by a machine called parent. */
static struct part culprit, parent;
static tp_tick_fn *culprit_tick;

static enum tp_step parent_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_start(cx, &culprit.machine, culprit_tick, "culprit"), &part->result);
    return tp_end(machine, part->result.value);
    TP_END(cx);
}

static void run_culprit(void *tick_function)
{
    memcpy(&culprit_tick, tick_function, sizeof culprit_tick);
    tp_spawn(scheduler, &parent.machine, parent_tick, "parent");
    (void)settle();
    while (manual_pending(&manual) > 0) {
        for (uint32_t i = 0; i < manual.count; i++) {
            if (!manual.ops[i].completing)
                manual_complete(&manual.ops[i], 0);
        }
        (void)settle();
    }
    tear_down();
}

#define expect_law(tick, ...)                              \
    do {                                                   \
        tp_tick_fn *function_ = tick;                      \
        expect_stop(run_culprit, &function_, __VA_ARGS__); \
    } while (0)

/* ------------------------------------------------------------------ 1. one owner, one
 * handle */

static enum tp_step claims_twice(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_nop(cx);
    TP_AWAIT(cx, part->op, &part->result);
    (void)tp_get_cqe(cx, part->op, &part->result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step claims_a_reused_slot(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_nop(cx);
    TP_AWAIT(cx, part->op, &part->result);
    part->other = tp_timer(cx, 1000); /* takes the slot of the first */
    (void)tp_get_cqe(cx, part->op, &part->result);
    return TP_WAIT;
    TP_END(cx);
}

static enum tp_step claims_anothers(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_get_cqe(cx, parent.machine.awaited, &part_of(machine)->result);
    return TP_WAIT;
}

static enum tp_step claims_the_abandoned(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    part->op = tp_open(cx, "f", (struct tp_open_options){.read = true});
    tp_abandon(cx, part->op);
    (void)tp_get_cqe(cx, part->op, &part->result);
    return TP_WAIT;
}

static enum tp_step claims_nonsense(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_get_cqe(cx, (struct tp_op){UINT64_C(0x123456789abc)},
                     &part_of(machine)->result);
    return TP_WAIT;
}

Test(laws, law_1_stale_foreign_and_doubled_claims_are_detected)
{
    expect_law(claims_twice, "machine culprit asks for a stale operation", "law 1");
    expect_law(claims_a_reused_slot, "machine culprit asks for a stale operation",
               "generation 2");
    expect_law(claims_anothers, "machine culprit asks for an operation that is not its own",
               "child culprit", "submitted at " FILE_NAME, "by machine parent");
    expect_law(claims_the_abandoned, "not its own", "open of \"f\"");
    expect_law(claims_nonsense, "stale operation");
}

static enum tp_step waits_for_nop(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_nop(cx), &part->result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void complete_a_stranger(void *argument)
{
    (void)argument;
    tp_spawn(scheduler, &parent.machine, waits_for_nop, "parent");
    tp_completions_push(&manual.io.completions, 0x999, 0, 0);
    (void)tick();
}

Test(laws, law_1_a_backend_that_completes_what_is_not_in_flight_is_stopped)
{
    expect_stop(complete_a_stranger, NULL, "manual backend completed handle 999",
                "not in flight");
}

/* ------------------------------------------------------------------ 2. buffers are on loan
 */

#ifdef TP_CHECKED
static enum tp_step reads_twice_into_one_buffer(struct tp_machine *machine,
                                                struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}), &part->result);
    part->fd = tp_into_fd(cx, part->result);
    part->buf = tp_buf_empty(part->memory, 64);
    (void)tp_read_at(cx, part->fd, &part->buf, 0);
    (void)tp_read_at(cx, part->fd, &part->buf, 64);
    return TP_WAIT;
    TP_END(cx);
}

Test(laws, law_2_an_overlap_names_both_operations_and_their_sites)
{
    expect_law(reads_twice_into_one_buffer, "overlaps", "read on fd 0",
               "by machine culprit", "submitted at " FILE_NAME, "started at " FILE_NAME);
}
#endif

/* ------------------------------------------------------------------ 3. nothing unclaimed
 */

static enum tp_step forgets_a_completion(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    if (part->count++ == 0)
        (void)tp_open(cx, "some/file", (struct tp_open_options){.read = true});
    return TP_WAIT;
}

static enum tp_step ends_with_one_unread(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    (void)tp_nop(cx);
    TP_AWAIT(cx, tp_timer(cx, 0), &part->result);
    TP_AWAIT(cx, tp_timer(cx, 0), &part->result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step awaits_in_another_switch(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    switch (part->count) {
    case 0:
        TP_AWAIT(cx, tp_nop(cx), &part->result);
        break;
    default:
        break;
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(laws, law_3_what_is_left_unclaimed_is_reported)
{
    expect_law(
        forgets_a_completion, "machine culprit left completions unclaimed after its tick",
        "open of \"some/file\"", "completed with 0", "submitted at " FILE_NAME,
        "by machine culprit, started at " FILE_NAME, "by machine parent", "iterations ago");
    expect_law(ends_with_one_unread, "machine culprit ended with completions unclaimed",
               "nop");
    expect_law(awaits_in_another_switch, "machine culprit resumed at no await", FILE_NAME);
}

/* ------------------------------------------------------------------ 4. no end with an op
 * in flight */

static enum tp_step ends_early(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_open(cx, "f", (struct tp_open_options){.read = true});
    return tp_end(machine, 0);
}

static enum tp_step leaves_a_child(struct tp_machine *machine, struct tp_ctx *cx)
{
    static struct part child;

    (void)tp_start(cx, &child.machine, forgets_a_completion, "orphan");
    return tp_end(machine, 0);
}

static enum tp_step ends_before_the_runtime_delivers(struct tp_machine *machine,
                                                     struct tp_ctx *cx)
{
    (void)tp_timer(cx, 0);
    return tp_end(machine, 0);
}

/* The one that it has given up is not the one that it forgot. */
static enum tp_step ends_with_one_abandoned_and_one_forgotten(struct tp_machine *machine,
                                                              struct tp_ctx *cx)
{
    tp_abandon(cx, tp_open(cx, "given/up", (struct tp_open_options){.read = true}));
    (void)tp_timer(cx, 0);
    return tp_end(machine, 0);
}

static enum tp_step starts_itself(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_start(cx, &parent.machine, parent_tick, "again");
    return tp_end(machine, 0);
}

static void destroy_alive(void *argument)
{
    (void)argument;
    tp_spawn(scheduler, &parent.machine, waits_for_nop, "survivor");
    tp_scheduler_destroy(scheduler);
}

Test(laws, law_4_ends_are_last)
{
    expect_law(ends_early, "machine culprit ended with operations in flight",
               "open of \"f\"", "in flight", FILE_NAME);
    expect_law(leaves_a_child, "culprit ended with operations in flight", "child orphan");
    expect_law(ends_before_the_runtime_delivers, "culprit ended with operations in flight",
               "timer");
    expect_law(ends_with_one_abandoned_and_one_forgotten,
               "culprit ended with operations in flight", "timer (handle",
               "about to arrive", "submitted at " FILE_NAME);
    expect_law(starts_itself, "machine parent is started as again while it is alive");
    expect_stop(destroy_alive, NULL, "destroyed while machines are alive",
                "machine survivor");
}

static enum tp_step detaches_a_loan(struct tp_machine *machine, struct tp_ctx *cx)
{
    static struct tp_statx statx;

    (void)machine;
    tp_detach(cx, tp_stat(cx, "f", &statx));
    return TP_WAIT;
}

static enum tp_step detaches_an_open(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    tp_detach(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}));
    return TP_WAIT;
}

static enum tp_step detaches_a_child(struct tp_machine *machine, struct tp_ctx *cx)
{
    static struct part child;

    (void)machine;
    tp_detach(cx, tp_start(cx, &child.machine, waits_for_nop, "child"));
    return TP_WAIT;
}

Test(laws, law_4_a_loan_a_fd_or_a_child_cannot_be_detached)
{
    expect_law(detaches_a_loan, "memory on loan: stat of \"f\"");
    expect_law(detaches_an_open, "gives a fd that nobody would close: open of \"f\"");
    expect_law(detaches_a_child, "a child's end: child child");
}

/* ------------------------------------------------------------------ 5. the context is the
 * only door */

static void *use_from_thread(void *argument)
{
    (void)argument;
    (void)tp_scheduler_tick(scheduler);
    return NULL;
}

static void tick_in_another_thread(void *argument)
{
    pthread_t thread;

    (void)argument;
    (void)pthread_create(&thread, NULL, use_from_thread, NULL);
    (void)pthread_join(thread, NULL);
}

static enum tp_step blocks(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    (void)tp_io_create_dir_all_blocking(tp_ctx_io(cx), "a/b");
    return TP_WAIT;
}

Test(laws, law_5_other_threads_and_blocking_in_a_tick_are_stopped)
{
    expect_stop(tick_in_another_thread, NULL, "thread that did not create it");
    expect_law(blocks, "blocking create_dir_all inside a tick");
}

/* ------------------------------------------------------------------ 7. bounds, and no
 * allocation */

static enum tp_step submits_past_the_bound(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    for (uint32_t i = 0; i < 5000; i++)
        (void)tp_timer(cx, 1);
    return TP_WAIT;
}

static void spawn_past_the_bound(void *argument)
{
    struct tp_scheduler_config config = {.machines_max = 2};
    static struct part parts[3];
    struct tp_scheduler *other;

    (void)argument;
    manual.io.describe = NULL;
    (void)tp_scheduler_create_with(&manual.io, &config, &other);
    for (uint32_t i = 0; i < 3; i++)
        tp_spawn(other, &parts[i].machine, waits_for_nop, "one-too-many");
}

Test(laws, law_7_past_a_bound_the_program_stops_with_a_census)
{
    expect_law(submits_past_the_bound, "more operations than ops_max", "tp_room()",
               "4095 x timer", FILE_NAME, "by machine culprit", "1 x child");
    expect_stop(spawn_past_the_bound, NULL, "machines_max", "one-too-many");
}

/* ------------------------------------------------------------------ 8. wrong arguments
 * come back */

static enum tp_step closes_twice(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "f", (struct tp_open_options){.read = true}), &part->result);
    part->fd = tp_into_fd(cx, part->result);
    TP_AWAIT(cx, tp_close(cx, part->fd), &part->result);
    TP_AWAIT(cx, tp_close(cx, part->fd), &part->result);
    note(part->result.value == -EBADF ? 'b' : '?');
    TP_AWAIT(cx, tp_open(cx, "", (struct tp_open_options){.read = true}), &part->result);
    note(part->result.value == -ENOENT ? 'n' : '?');
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(laws, law_8_submission_cannot_fail)
{
    tp_tick_fn *function = closes_twice;

    run_culprit(&function);
    cr_assert(eq(str, events, "bn"));
}

/* ------------------------------------------------------------------ 10. O(ready) */

static enum tp_step idles(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine, (void)cx;
    return TP_WAIT;
}

Test(laws, law_10_idle_machines_cost_memory_only)
{
    enum { IDLE = 100000 };
    const size_t size = IDLE * sizeof(struct part);
    struct part *idle =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct part one = {.value = 0};
    uint64_t ticks;

    cr_assert(ne(ptr, (void *)idle, MAP_FAILED));

    for (uint32_t i = 0; i < IDLE; i++)
        tp_spawn(scheduler, &idle[i].machine, idles, "idle");
    (void)settle();
    ticks = tp_scheduler_stats(scheduler)->ticks;
    cr_assert(
        eq(int, mprotect(idle, size, PROT_NONE), 0)); /* who looks at them is caught */
    tp_spawn(scheduler, &one.machine, waits_for_nop, "one");
    (void)settle();
    cr_assert(eq(int, mprotect(idle, size, PROT_READ | PROT_WRITE), 0));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->ticks, ticks + 2));
    cr_assert(le(sz, sizeof(struct tp_machine) + 24, 128), "the runtime's own per machine");
    manual.io.dead = true;
    tp_scheduler_crash(scheduler);
    (void)munmap(idle, size);
}
