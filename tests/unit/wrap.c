/** tests/unit/wrap.c - an Io over another passes everything on, and shares what must be
 * shared. */
#include "io/wrap.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "runtime/tempest.h"
#include "tests/common/expect_stop.h"
#include "tests/common/manual_io.h"

static struct manual_io manual;
static struct tp_io_wrap wrap;
static struct tp_io *const io = &wrap.io;
static uint32_t seen;

static void submit(struct tp_io *wrapper, const struct tp_request *request)
{
    seen++;
    if (request->kind == TP_REMOVE)
        tp_io_complete_later(wrapper, request->handle, -EROFS);
    else
        tp_io_wrap_submit(wrapper, request);
}

static const struct tp_io_backend backend = TP_IO_WRAP_BACKEND("wrap", submit);

static void set_up(void)
{
    manual_io_init(&manual);
    cr_assert(eq(int, tp_io_wrap_init(&wrap, &backend, &manual.io), 0));
}

static void tear_down(void)
{
    tp_io_destroy(io);
}

TestSuite(wrap, .init = set_up, .fini = tear_down);

static int32_t claim(uint64_t handle)
{
    struct tp_completion completion;

    tp_io_poll(io);
    cr_assert(tp_io_get_cqe(io, handle, &completion));
    return completion.value;
}

Test(wrap, passes_on_and_shares_fds)
{
    struct tp_fd fd;
    uint8_t memory[8];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);

    tp_io_open(io, 1, "f", (struct tp_open_options){.read = true});
    tp_io_remove(io, 2, "f");
    manual_complete(manual_find(&manual, TP_OPEN), 4);
    cr_assert(eq(i32, claim(2), -EROFS));
    cr_assert(eq(i32, claim(1), 4));
    fd = tp_io_into_fd(io, 4);
    tp_io_read_at(io, 3, fd, &buf, 0);
    manual_complete(manual_find(&manual, TP_READ), 8);
    cr_assert(eq(i32, claim(3), 8));
    tp_io_close(io, 4, fd);
    tp_io_read_at(io, 5, fd, &buf, 0);
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(i32, claim(5), -EBADF));
    cr_assert(eq(i32, claim(4), 0));
    cr_assert(eq(u32, seen, 4), "a refused one does not reach the backend");
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    cr_assert(eq(u32, tp_io_in_flight(&manual.io), 0));
    cr_assert(eq(u64, tp_io_now_ns(io), manual.now_ns));
}

static struct tp_result result;

static enum tp_step sleeps_and_removes(struct tp_machine *machine, struct tp_ctx *cx)
{
    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 100), &result);
    TP_AWAIT(cx, tp_nop(cx), &result);
    TP_AWAIT(cx, tp_remove(cx, "f"), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

Test(wrap, runs_machines)
{
    struct tp_scheduler *s = tp_scheduler_create(io, 16);
    struct tp_machine machine = {.tick = NULL};

    tp_spawn(s, &machine, sleeps_and_removes, "machine");
    cr_assert(eq(int, tp_scheduler_run(s), 0));
    cr_assert(eq(i32, machine.result, -EROFS));
    tp_scheduler_destroy(s);
}

Test(wrap, keeps_what_does_not_fit)
{
    struct tp_completion completion;

    for (uint64_t handle = 1; handle <= 8000; handle++)
        tp_io_nop(io, handle);
    tp_io_poll(io);
    for (uint64_t handle = 8001; handle <= 16000; handle++)
        tp_io_nop(io, handle);
    for (uint64_t handle = 1; handle <= 16000; handle++) {
        tp_io_poll(io);
        cr_assert(tp_io_get_cqe(io, handle, &completion), "handle %d", (int)handle);
    }
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
}

#ifdef TP_CHECKED
static enum tp_step lends_twice(struct tp_machine *machine, struct tp_ctx *cx)
{
    static struct tp_statx statx;

    (void)machine;
    (void)tp_stat(cx, "a", &statx);
    (void)tp_stat(cx, "b", &statx);
    return TP_WAIT;
}

static void run_lender(void *argument)
{
    struct tp_machine machine = {.tick = NULL};
    struct tp_scheduler *s = tp_scheduler_create(io, 16);

    (void)argument;
    tp_spawn(s, &machine, lends_twice, "lender");
    (void)tp_scheduler_tick(s);
}

Test(wrap, shares_the_list_of_loans)
{
    expect_stop(run_lender, NULL, "overlaps", "by machine lender");
}
#endif
