/** tests/virtual/loans.c - law 2 in the simulator: memory on loan that is used too early
 * shows. */
#include "fixture.h"

#include "tests/common/expect_stop.h"

static struct fixture f;
static uint8_t memory[4096];
static struct tp_buf buf;

static void tear_down(void)
{
    f_free(&f);
}

TestSuite(loans, .fini = tear_down);

static void change_while_in_flight(void *argument)
{
    struct tp_fd fd;

    (void)argument;
    f.config.checks = TP_VIRTUAL_ON;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    buf = tp_buf_full(memory, sizeof memory);
    tp_io_write_at(f.io, 7, fd, &buf, 0);
    memory[100]++;
    tp_io_park(f.io, TP_NEVER);
}

Test(loans, memory_that_changes_while_it_is_written_stops_the_program)
{
    expect_stop(change_while_in_flight, NULL, "memory on loan", "write", "handle 7");
}

/* The store goes around AddressSanitizer, which would report it first. */
__attribute__((no_sanitize("address"))) static void store(volatile uint8_t *byte)
{
    *byte = 0;
}

static void write_where_it_is_read_into(void *argument)
{
    const uint32_t *at = argument;
    struct tp_fd fd;

    f.config.checks = TP_VIRTUAL_ON;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'A', sizeof memory, 0), sizeof memory));
    buf = tp_buf_empty(memory, sizeof memory);
    tp_io_read_at(f.io, 7, fd, &buf, 0);
    store(&memory[*at]);
    tp_io_park(f.io, TP_NEVER);
}

Test(loans, memory_to_be_read_into_that_changes_stops_the_program)
{
    static uint32_t places[] = {0, 100, sizeof memory - 1};

    for (uint32_t i = 0; i < 3; i++)
        expect_stop(write_where_it_is_read_into, &places[i], "memory on loan", "read",
                    "handle 7");
}

/* Who has sent a datagram is written into memory that is lent beside the buffer. */
static void write_where_the_sender_comes(void *argument)
{
    static struct tp_datagram sender;
    struct tp_address any = tp_address_ipv4(127, 0, 0, 1, 0);
    struct tp_socket_options plain = {.backlog = 0};
    struct tp_fd fd;

    (void)argument;
    f.config.checks = TP_VIRTUAL_ON;
    f_boot(&f, 1);
    fd = tp_io_into_fd(f.io, tp_io_block_on(f.io, tp_request_bind(&any, plain)));
    buf = tp_buf_empty(memory, sizeof memory);
    tp_io_recv_from(f.io, 7, fd, &buf, &sender);
    store((uint8_t *)&sender.flags);
    tp_io_park(f.io, TP_NEVER);
}

Test(loans, the_sender_of_a_datagram_that_is_touched_stops_the_program)
{
    expect_stop(write_where_the_sender_comes, NULL, "memory on loan", "recv_from",
                "handle 7");
}

/* What is to be read into shows that it has not been read into yet. The look at it goes
 * around AddressSanitizer, which would rightly report it. */
__attribute__((no_sanitize("address"))) static bool
is_scribbled(const volatile uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (bytes[i] != 0xa5)
            return false;
    }
    return true;
}

Test(loans, memory_to_be_read_into_holds_nothing_of_use_before)
{
    struct tp_completion completion;
    struct tp_fd fd;

    f.config.checks = TP_VIRTUAL_ON;
    f_boot(&f, 1);
    fd = f_open(&f, "/f", F_RW);
    cr_assert(eq(i32, f_write(&f, fd, 'A', sizeof memory, 0), sizeof memory));
    memset(memory, 'X', sizeof memory);
    buf = tp_buf_empty(memory, sizeof memory);
    tp_io_read_at(f.io, 1, fd, &buf, 0);
    cr_assert(is_scribbled(memory, sizeof memory));
    while (!tp_io_get_cqe(f.io, 1, &completion))
        tp_io_park(f.io, TP_NEVER);
    cr_assert(eq(i32, completion.value, sizeof memory));
    cr_assert(eq(u8, memory[0], 'A'));
    cr_assert(eq(u8, memory[4095], 'A'));
}
