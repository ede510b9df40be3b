/* Many operations in flight: counted, bounded, and each completed once in whatever order.
 */
#include "conformance.h"

#include <stdio.h>

enum { MANY = 10000 };

/* Polls until nothing is in flight, leaving everything unclaimed, as far as there is room.
 */
static void settle(struct conformance *c)
{
    uint64_t deadline_ns = tp_io_now_ns(c->io) + c->patience_ns;

    while (tp_io_in_flight(c->io) > 0 &&
           tp_completions_room(tp_io_completions(c->io)) > 0 &&
           tp_io_now_ns(c->io) < deadline_ns)
        tp_io_park(c->io, deadline_ns);
}

/* How many may be in flight, and unclaimed at once, without leaving the bounds of this Io.
 */
static uint32_t many(struct conformance *c)
{
    uint32_t room = tp_io_room(c->io), claims = tp_io_completions(c->io)->capacity;

    room = room < claims ? room : claims;
    return room < MANY ? room : MANY;
}

static void flight_10000_nops(struct conformance *c)
{
    uint32_t count = tp_io_room(c->io) < MANY ? tp_io_room(c->io) : MANY;
    uint64_t first = c->handle + 1;

    for (uint32_t i = 0; i < count; i++)
        (void)submit(c, tp_request_nop());
    EXPECT_THAT(c, tp_io_in_flight(c->io) == count);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(c, await(c, first + i), 0);
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0);
}

/* Claimed in an order that is not that of arrival: front, back, and all over. */
static void flight_claimed_out_of_order(struct conformance *c)
{
    uint32_t count = many(c);
    uint64_t first = c->handle + 1;
    struct tp_completion completion;
    uint32_t claimed = 0;

    for (uint32_t i = 0; i < count; i++)
        (void)submit(c, tp_request_nop());
    settle(c);
    EXPECT_THAT(c, tp_io_completions(c->io)->live == count);
    for (uint32_t i = 0; i < count; i++) { /* 7919 is prime: every one is met once */
        uint64_t handle = first + (count % 7919 == 0 ? i : (uint64_t)i * 7919 % count);

        claimed += tp_io_get_cqe(c->io, handle, &completion) && completion.value == 0 &&
                   completion.handle == handle;
    }
    EXPECT_THAT(c, claimed == count);
}

/* What was not claimed stays while polls bring more. */
static void flight_claimed_late(struct conformance *c)
{
    uint64_t old = submit(c, tp_request_fsync(tp_fd_none(), 0));

    for (uint32_t round = 0; round < 100; round++) {
        EXPECT(c, run(c, tp_request_nop()), 0);
        EXPECT_THAT(c, tp_io_completions(c->io)->live == 1);
    }
    EXPECT(c, await(c, old), -EBADF);
}

/* Some stay and others go, over and over: the list neither loses nor invents any. */
static void flight_claimed_half_each_time(struct conformance *c)
{
    enum { ROUNDS = 50, EACH = 64 };
    uint64_t first = c->handle + 1;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < EACH; i++)
            (void)submit(c, tp_request_nop());
        for (uint32_t i = 0; i < EACH; i += 2)
            EXPECT(c, await(c, first + round * EACH + i), 0);
    }
    for (uint32_t i = 1; i < ROUNDS * EACH; i += 2)
        EXPECT(c, await(c, first + i), 0);
}

static void flight_4000_reads(struct conformance *c)
{
    enum { COUNT = 4000, LEN = 64 };
    static struct tp_buf bufs[COUNT];
    uint8_t *memory = take(c, COUNT * LEN);
    uint64_t first;
    struct tp_fd fd;

    make_file(c, at(c, "a"), COUNT * 16 + LEN);
    fd = open_file(c, at(c, "a"), "r");
    first = c->handle + 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        bufs[i] = tp_buf_empty(memory + i * LEN, LEN);
        (void)submit(c, tp_request_read_at(fd, &bufs[i], i * 16));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT(c, await(c, first + i), LEN);
        EXPECT_THAT(c, pattern_is(memory + i * LEN, LEN, i * 16));
    }
    close_file(c, fd);
    drop(c, memory, COUNT * LEN);
}

static void flight_2000_writes(struct conformance *c)
{
    enum { COUNT = 2000, LEN = 100 };
    static struct tp_buf bufs[COUNT];
    uint8_t *memory = take(c, COUNT * LEN);
    struct tp_buf whole = tp_buf_empty(memory, COUNT * LEN);
    uint64_t first;
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, COUNT * LEN, 0);
    first = c->handle + 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        bufs[i] = tp_buf_full(memory + i * LEN, LEN);
        (void)submit(c, tp_request_write_at(fd, &bufs[i], i * LEN));
    }
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, await(c, first + i), LEN);
    memset(memory, 0, COUNT * LEN);
    EXPECT(c, run(c, tp_request_read_at(fd, &whole, 0)), COUNT * LEN);
    EXPECT_THAT(c, pattern_is(memory, COUNT * LEN, 0));
    close_file(c, fd);
    drop(c, memory, COUNT * LEN);
}

/* Names made, seen and removed, a thousand in flight each time. */
static void flight_1000_names(struct conformance *c)
{
    enum { COUNT = 1000 };
    static struct tp_statx statx[COUNT];
    uint64_t first = c->handle + 1;
    char name[16];

    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "d%u", i);
        (void)submit(c, tp_request_create_dir(at(c, name), 0777));
    }
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, await(c, first + i), 0);
    first = c->handle + 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "d%u", i);
        (void)submit(c, tp_request_stat(at(c, name), &statx[i]));
    }
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, await(c, first + i), 0);
    first = c->handle + 1;
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "d%u", i);
        (void)submit(c, tp_request_remove_dir(at(c, name)));
    }
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, await(c, first + i), 0);
}

/* Of many that make the same name, one wins. */
static void flight_one_name_for_many(struct conformance *c)
{
    enum { COUNT = 100 };
    uint64_t first = c->handle + 1;
    uint32_t won = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        (void)submit(c, tp_request_create_dir(at(c, "d"), 0777));
    for (uint32_t i = 0; i < COUNT; i++) {
        int32_t value = await(c, first + i);

        EXPECT(c, value, 0, -EEXIST);
        won += value == 0;
    }
    EXPECT_THAT(c, won == 1);
}

static void flight_opens_and_closes(struct conformance *c)
{
    enum { COUNT = 200 };
    struct tp_fd fds[COUNT];
    uint64_t first;
    char name[16];

    for (uint32_t round = 0; round < 5; round++) {
        first = c->handle + 1;
        for (uint32_t i = 0; i < COUNT; i++) {
            (void)snprintf(name, sizeof name, "f%u", i);
            (void)submit(c, tp_request_open(at(c, name), open_options("rwc")));
        }
        for (uint32_t i = 0; i < COUNT; i++) {
            int32_t value = await(c, first + i);

            fds[i] =
                EXPECT_THAT(c, value >= 0) ? tp_io_into_fd(c->io, value) : tp_fd_none();
        }
        first = c->handle + 1;
        for (uint32_t i = 0; i < COUNT; i++)
            (void)submit(c, tp_request_close(fds[i]));
        for (uint32_t i = 0; i < COUNT; i++)
            EXPECT(c, await(c, first + i), 0);
    }
}

static void flight_is_counted(struct conformance *c)
{
    uint32_t room = tp_io_room(c->io);
    uint64_t nops = tp_io_stats(c->io)->submitted[TP_NOP];
    uint64_t done = tp_io_stats(c->io)->completed;
    uint64_t handles[10];

    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0);
    for (uint32_t i = 0; i < 10; i++)
        handles[i] = submit(c, tp_request_nop());
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 10 && tp_io_room(c->io) == room - 10);
    EXPECT_THAT(c, tp_io_unsubmitted(c->io) > 0);
    for (uint32_t i = 0; i < 10; i++)
        EXPECT(c, await(c, handles[i]), 0);
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0 && tp_io_room(c->io) == room);
    EXPECT_THAT(c, tp_io_stats(c->io)->submitted[TP_NOP] == nops + 10);
    EXPECT_THAT(c, tp_io_stats(c->io)->completed == done + 10);
    EXPECT_THAT(c, tp_io_stats(c->io)->in_flight_max >= 10);
}

/* A host polls until nothing is unsubmitted, then sleeps: that comes to an end by itself,
 * while the operations go on. */
static void flight_polls_submit_everything(struct conformance *c)
{
    uint64_t first = c->handle + 1;
    struct tp_statx statx[64];
    uint32_t polls = 0;

    for (uint32_t i = 0; i < 64; i++)
        (void)submit(c, tp_request_stat(c->dir, &statx[i]));
    EXPECT_THAT(c, tp_io_unsubmitted(c->io) > 0);
    while (tp_io_unsubmitted(c->io) > 0 && polls++ < 100)
        tp_io_poll(c->io);
    EXPECT_THAT(c, polls > 0 && polls < 100);
    for (uint32_t i = 0; i < 64; i++)
        EXPECT(c, await(c, first + i), 0);
}

/* A poll of an idle Io does nothing, however often. */
static void flight_idle_polls(struct conformance *c)
{
    uint64_t enters;

    tp_io_poll(c->io);
    enters = tp_io_stats(c->io)->enters;
    for (uint32_t i = 0; i < 1000; i++)
        tp_io_poll(c->io);
    EXPECT_THAT(c, tp_io_stats(c->io)->enters == enters);
    EXPECT_THAT(c, tp_io_completions(c->io)->live == 0);
}

/* A poll never waits: with one slow operation in flight polls go on until it is there. */
static void flight_polled_to_the_end(struct conformance *c)
{
    struct tp_completion completion;
    uint64_t handle, until_ns;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 100000);
    fd = open_file(c, at(c, "a"), "rw");
    handle = submit(c, tp_request_fsync(fd, 0));
    tp_io_poll(c->io);
    until_ns = tp_io_now_ns(c->io) + c->patience_ns;
    while (!tp_io_get_cqe(c->io, handle, &completion) && tp_io_now_ns(c->io) < until_ns) {
        tp_io_park(c->io, tp_io_now_ns(c->io) + 1000);
        tp_io_poll(c->io);
    }
    EXPECT_THAT(c, completion.handle == handle && completion.value == 0);
    close_file(c, fd);
}

const struct conformance_program conformance_flight[] = {
    PROGRAM(flight_10000_nops),
    PROGRAM(flight_claimed_out_of_order),
    PROGRAM(flight_claimed_late),
    PROGRAM(flight_claimed_half_each_time),
    PROGRAM(flight_4000_reads),
    PROGRAM(flight_2000_writes),
    PROGRAM(flight_1000_names),
    PROGRAM(flight_one_name_for_many),
    PROGRAM(flight_opens_and_closes),
    PROGRAM(flight_is_counted),
    PROGRAM(flight_polls_submit_everything),
    PROGRAM(flight_idle_polls),
    PROGRAM(flight_polled_to_the_end),
    {0},
};
