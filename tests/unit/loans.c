/** tests/unit/loans.c - law 2: memory is on loan from the submission to the claim. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/loans.h"
#include "tests/common/expect_stop.h"
#include "tests/common/manual_io.h"

#ifdef TP_CHECKED

static struct manual_io manual;
static struct tp_io *const io = &manual.io;

static void set_up(void)
{
    manual_io_init(&manual);
}

static void tear_down(void)
{
    manual_io_deinit(&manual);
}

static int32_t claim(uint64_t handle)
{
    struct tp_completion completion;

    tp_io_poll(io);
    cr_assert(tp_io_get_cqe(io, handle, &completion), "handle %llu has not arrived",
              (unsigned long long)handle);
    return completion.value;
}

static struct tp_fd open_fd(int32_t number)
{
    tp_io_open(io, 77, "f", (struct tp_open_options){.read = true, .write = true});
    manual_complete(manual_find(&manual, TP_OPEN), number);
    cr_assert(eq(i32, claim(77), number));
    return tp_io_into_fd(io, number);
}

TestSuite(loans, .init = set_up, .fini = tear_down);

static uint8_t lent[4096] __attribute__((aligned(64)));

static void overlap_two_reads(void *argument)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf a = tp_buf_empty(lent, 100), b = tp_buf_empty(lent + 99, 100);

    (void)argument;
    tp_io_read_at(io, 1, fd, &a, 0);
    tp_io_read_at(io, 2, fd, &b, 0);
}

static void overlap_read_and_write(void *argument)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf a = tp_buf_full(lent, 100), b = tp_buf_empty(lent + 50, 1000);

    (void)argument;
    tp_io_write_at(io, 1, fd, &a, 0);
    tp_io_read_at(io, 2, fd, &b, 0);
}

static void change_what_is_written(void *argument)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf a = tp_buf_full(lent, 100);

    (void)argument;
    tp_io_write_at(io, 1, fd, &a, 0);
    lent[99] ^= 1;
    manual_complete(manual_find(&manual, TP_WRITE), 100);
    (void)claim(1);
}

Test(loans, that_are_broken_stop_the_program)
{
    expect_stop(overlap_two_reads, NULL, "read", "overlaps", "handle 1", "handle 2",
                "in loan");
    expect_stop(overlap_read_and_write, NULL, "memory of read", "that of write",
                "out loan");
    expect_stop(change_what_is_written, NULL, "write", "handle 1", "changed before");
}

Test(loans, out_may_overlap_each_other_and_end_with_the_claim)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf bufs[200];

    for (uint32_t i = 0; i < 200; i++) {
        bufs[i] = tp_buf_full(lent + i, 1000);
        tp_io_write_at(io, i + 1, fd, &bufs[i], 0);
    }
    while (manual_find(&manual, TP_WRITE) != NULL)
        manual_complete(manual_find(&manual, TP_WRITE), 1000);
    for (uint32_t i = 0; i < 200; i++)
        cr_assert(eq(i32, claim(i + 1), 1000));
    {
        struct tp_buf in = tp_buf_empty(lent, sizeof lent);

        tp_io_read_at(io, 1, fd, &in, 0);
        manual_complete(manual_find(&manual, TP_READ), 0);
        cr_assert(eq(i32, claim(1), 0));
    }
}

Test(loans, of_thousands_are_kept_apart)
{
    static uint8_t memory[4000][16];
    static struct tp_buf bufs[4000];
    struct tp_fd fd = open_fd(3);

    for (uint32_t i = 0; i < 4000; i++) {
        uint32_t at = i * 7 % 4000;

        bufs[at] = tp_buf_empty(memory[at], 16);
        tp_io_read_at(io, at + 1, fd, &bufs[at], 0);
    }
    for (uint32_t i = 0; i < manual.count; i++) {
        if (manual.ops[i].request.kind == TP_READ && !manual.ops[i].completing)
            manual_complete(&manual.ops[i], 16);
    }
    for (uint32_t i = 0; i < 4000; i++)
        cr_assert(eq(i32, claim(i * 3 % 4000 + 1), 16));
}

/* Who has sent a datagram is lent beside the memory for it. */
static struct tp_datagram sender;

static void recv_from_one(uint64_t handle, uint32_t at)
{
    static struct tp_buf bufs[2];

    bufs[at] = tp_buf_empty(lent + at * 200, 100);
    tp_io_recv_from(io, handle, tp_io_into_fd(io, 3), &bufs[at], &sender);
}

static void receive_two_with_one_sender(void *argument)
{
    (void)argument;
    (void)open_fd(3);
    recv_from_one(1, 0);
    recv_from_one(2, 1);
}

static void send_what_is_to_be_the_sender(void *argument)
{
    struct tp_buf out = tp_buf_full(&sender.flags, 4);

    (void)argument;
    (void)open_fd(3);
    recv_from_one(1, 0);
    tp_io_send(io, 2, tp_io_into_fd(io, 3), &out);
}

Test(loans, the_sender_of_a_datagram_is_lent_as_well)
{
    expect_stop(receive_two_with_one_sender, NULL, "memory of recv_from", "overlaps", NULL);
    expect_stop(send_what_is_to_be_the_sender, NULL, "memory of send", "that of recv_from",
                NULL);
    (void)open_fd(3);
    for (uint32_t i = 0; i < 2; i++) { /* with the claim both loans end */
        recv_from_one(1 + i, i);
        manual_complete(manual_find(&manual, TP_RECV_FROM), 4);
        cr_assert(eq(i32, claim(1 + i), 4));
        sender.flags = i;
    }
}

/* Three buffers in one send. */
static struct tp_buf three[3];

static void send_three(void)
{
    struct tp_fd fd = open_fd(3);

    for (uint32_t i = 0; i < 3; i++)
        three[i] = tp_buf_full(lent + i * 200, 100);
    tp_io_send_bufs(io, 1, fd, three, 3);
}

static void claim_three(void)
{
    manual_complete(manual_find(&manual, TP_SEND_BUFS), 300);
    (void)claim(1);
}

static void receive_into_the_third(void *argument)
{
    struct tp_buf in = tp_buf_empty(lent + 499, 10);

    (void)argument;
    send_three();
    tp_io_recv(io, 2, tp_io_into_fd(io, 3), &in);
}

static void receive_into_the_array(void *argument)
{
    struct tp_buf in = tp_buf_empty(&three[2], 1);

    (void)argument;
    send_three();
    tp_io_recv(io, 2, tp_io_into_fd(io, 3), &in);
}

static void change_the_second(void *argument)
{
    (void)argument;
    send_three();
    lent[299] ^= 1;
    claim_three();
}

static void change_the_array(void *argument)
{
    (void)argument;
    send_three();
    three[1].len = 99;
    claim_three();
}

static void send_what_is_received(void *argument)
{
    struct tp_fd fd = open_fd(4);
    struct tp_buf in = tp_buf_empty(lent + 250, 1);

    (void)argument;
    tp_io_recv(io, 7, fd, &in);
    send_three();
}

Test(loans, of_send_bufs_are_the_array_and_each_buffer)
{
    expect_stop(receive_into_the_third, NULL, "memory of recv", "handle 2",
                "that of send_bufs", "handle 1");
    expect_stop(receive_into_the_array, NULL, "memory of recv", "that of send_bufs");
    expect_stop(change_the_second, NULL, "send_bufs", "changed before");
    expect_stop(change_the_array, NULL, "send_bufs", "changed before");
    expect_stop(send_what_is_received, NULL, "memory of send_bufs", "that of recv",
                "handle 7");
}

Test(loans, of_send_bufs_end_with_the_claim)
{
    struct tp_buf in = tp_buf_empty(lent, sizeof lent);

    send_three();
    lent[150] ^= 1; /* between two buffers: not on loan */
    claim_three();
    lent[0] ^= 1;
    tp_io_recv(io, 2, tp_io_into_fd(io, 3), &in);
    manual_complete(manual_find(&manual, TP_RECV), 0);
    cr_assert(eq(i32, claim(2), 0));
}

/* Those of every operation that there may be, each with as many buffers as there may be. */
Test(loans, of_send_bufs_all_have_room)
{
    static struct tp_buf bufs[TP_BUFS_MAX];
    struct tp_fd fd = open_fd(3);
    const uint32_t count = tp_io_room(io);

    for (uint32_t i = 0; i < TP_BUFS_MAX; i++)
        bufs[i] = tp_buf_full(lent + i, 1);
    bufs[7].len = 0; /* lends nothing */
    for (uint32_t i = 0; i < count; i++)
        tp_io_send_bufs(io, i + 1, fd, bufs, TP_BUFS_MAX);
    for (uint32_t i = 0; i < manual.count; i++) {
        if (!manual.ops[i].completing)
            manual_complete(&manual.ops[i], 15);
    }
    for (uint32_t i = 0; i < count; i++)
        cr_assert(eq(i32, claim(i + 1), 15));
}

#if defined(__SANITIZE_ADDRESS__)
static void touch_what_is_read(void *argument)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf a = tp_buf_empty(lent, 64);
    uint8_t *volatile byte = &lent[8]; /* a place that the compiler cannot know */

    (void)argument;
    tp_io_read_at(io, 1, fd, &a, 0);
    *byte = 1;
}

static void free_what_is_read(void *argument)
{
    struct tp_fd fd = open_fd(3);
    void *memory = malloc(64);
    struct tp_buf a = tp_buf_empty(memory, 64);

    (void)argument;
    tp_io_read_at(io, 1, fd, &a, 0);
    free(memory);
}

Test(loans, in_are_poisoned_and_freeing_them_is_reported)
{
    expect_stop(touch_what_is_read, NULL, "use-after-poison");
    expect_stop(free_what_is_read, NULL, "free() of memory on loan to read (handle 1)");
}
#endif

#else

Test(loans, are_kept_by_checked_builds_only)
{
    cr_skip_test("a build without checks");
}

#endif
