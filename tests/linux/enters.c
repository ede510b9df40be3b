/** tests/linux/enters.c - law 6: at most one kernel entry for each poll or park, none
 * without a reason, and one more for a full submission queue. */
#include <unistd.h>

#include "tests/linux/support.h"

static uint64_t enters(const struct tp_io *io)
{
    return tp_io_stats(io)->enters;
}

static void submit_nops(struct tp_io *io, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        tp_io_nop(io, i);
}

static void expect_all(struct tp_io *io, uint32_t count)
{
    cr_assert(eq(u32, tp_io_completions(io)->live, count));
    tp_completions_clear(tp_io_completions(io));
}

Test(enters, none_without_a_reason)
{
    struct tp_io *io = make_io(NULL);

    cr_assert(eq(u32, tp_io_unsubmitted(io), 0));
    for (int i = 0; i < 100; i++)
        tp_io_poll(io);
    cr_assert(eq(u64, enters(io), 0));
    cr_assert(eq(u64, tp_io_stats(io)->polls, 100));
    tp_io_destroy(io);
}

Test(enters, one_for_a_batch_of_any_size)
{
    struct tp_io *io = make_io(NULL);

    for (uint32_t count = 1; count <= 4096; count *= 4) {
        const uint64_t before = enters(io);

        submit_nops(io, count);
        cr_assert(eq(u32, tp_io_unsubmitted(io), count));
        tp_io_poll(io);
        cr_assert(eq(u64, enters(io), before + 1));
        cr_assert(eq(u32, tp_io_unsubmitted(io), 0));
        expect_all(io, count);
        tp_io_poll(io);
        cr_assert(eq(u64, enters(io), before + 1), "entered without a reason");
    }
    cr_assert(eq(u64, tp_io_stats(io)->enters_extra, 0));
    tp_io_destroy(io);
}

Test(enters, a_full_queue_costs_exactly_one_more)
{
    const struct tp_linux_io_config config = {.sq_entries = 8, .cq_entries = 64};
    struct tp_io *io = make_io(&config);

    submit_nops(io, 8);
    cr_assert(eq(u64, enters(io), 0));
    tp_io_nop(io, 9);
    cr_assert(eq(u64, enters(io), 1));
    cr_assert(eq(u64, tp_io_stats(io)->enters_extra, 1));
    tp_io_poll(io);
    cr_assert(eq(u64, enters(io), 2));
    expect_all(io, 9);
    tp_io_destroy(io);
}

Test(enters, one_for_a_park_that_submits_waits_and_reaps)
{
    struct tp_io *io = make_io(NULL);
    char path[256];
    char byte;
    int writer;
    struct tp_fd fifo;
    struct tp_buf buf = tp_buf_empty(&byte, 1);
    uint64_t before;

    scratch_name(path, "fifo");
    fifo = open_fifo(io, path, &writer);
    before = enters(io);
    tp_io_read_at(io, 1, fifo, &buf, 0);
    tp_io_park(io, tp_io_now_ns(io) + 2000000);
    cr_assert(eq(u64, enters(io), before + 1));
    for (int i = 0; i < 50; i++)
        tp_io_poll(io);
    cr_assert(eq(u64, enters(io), before + 1), "a poll entered though nothing had come");
    cr_assert(eq(i64, write(writer, "x", 1), 1));
    tp_io_park(io, TP_NEVER);
    cr_assert(eq(u64, enters(io), before + 2));
    expect_all(io, 1);
    cr_assert(eq(chr, byte, 'x'));
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(enters, none_for_a_park_when_completions_are_there)
{
    struct tp_io *io = make_io(&(struct tp_linux_io_config){.completions_max = 4});

    submit_nops(io, 6);
    tp_io_poll(io);
    cr_assert(eq(u32, tp_io_completions(io)->live, 4), "the list has room for four");
    tp_completions_clear(tp_io_completions(io));
    tp_io_park(io, TP_NEVER);
    cr_assert(eq(u64, enters(io), 1));
    expect_all(io, 2);
    tp_io_destroy(io);
}

Test(enters, never_two_while_direct_reads_come_and_go)
{
    struct tp_io *io = make_io(NULL);
    const struct tp_open_options options = {
        .read = true, .write = true, .create = true, .direct = true};
    char path[256];
    struct tp_buf *bufs[16];
    struct tp_fd fd;
    int32_t value;

    scratch_name(path, "direct");
    value = tp_io_block_on(io, tp_request_open(path, options));
    if (value == -22)
        cr_skip_test("no direct I/O here");
    cr_assert(ge(i32, value, 0));
    fd = tp_io_into_fd(io, value);
    for (uint32_t i = 0; i < 16; i++) {
        bufs[i] = tp_io_acquire_buf(io);
        bufs[i]->len = 4096;
        cr_assert(
            eq(i32, tp_io_block_on(io, tp_request_write_at(fd, bufs[i], i * 4096)), 4096));
        bufs[i]->capacity = 4096;
    }
    for (uint32_t i = 0; i < 16; i++)
        tp_io_read_at(io, 1 + i, fd, bufs[i], i * 4096);
    for (uint32_t round = 0; round < 500; round++) {
        const uint64_t before = enters(io);
        struct tp_completion completion;

        if (round % 2 == 0)
            tp_io_poll(io);
        else
            tp_io_park(io, TP_NEVER);
        cr_assert(le(u64, enters(io), before + 1));
        for (uint32_t i = 0; i < 16; i++) {
            if (tp_io_get_cqe(io, 1 + i, &completion)) {
                cr_assert(eq(i32, completion.value, 4096));
                tp_io_read_at(io, 1 + i, fd, bufs[i], i * 4096);
            }
        }
    }
    wait_for_all(io);
    for (uint32_t i = 0; i < 16; i++)
        cr_assert(eq(i32, wait_for(io, 1 + i), 4096));
    for (uint32_t i = 0; i < 16; i++)
        tp_io_release_buf(io, bufs[i]);
    cr_assert(zero(i32, tp_io_block_on(io, tp_request_close(fd))));
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(enters, a_wake_costs_one_each_way)
{
    struct tp_io *io = make_io(NULL);

    tp_io_wake(io);
    io->wakes_expected = 1;
    tp_io_park(io, TP_NEVER);
    cr_assert(eq(u64, enters(io), 1));
    for (int i = 0; i < 20; i++)
        tp_io_poll(io);
    cr_assert(eq(u64, enters(io), 1), "the poll that carries wakes stays armed");
    io->wakes_expected = 0;
    tp_io_destroy(io);
}
