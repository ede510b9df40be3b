/* Cancel: whoever wins, the target completes exactly once, and both say things that agree.
 */
#include "conformance.h"

enum { TARGETS = 200 };

/* What a cancel says and what its target says. ENOENT: it had ended by itself before. */
static void expect_agreement(struct conformance *c, int32_t cancel, int32_t target,
                             int32_t success)
{
    EXPECT(c, cancel, 0, -ENOENT, -EALREADY);
    if (cancel == -ENOENT)
        EXPECT(c, target, success);
    else
        EXPECT(c, target, success, -ECANCELED);
}

static void cancel_unknown(struct conformance *c)
{
    EXPECT(c, run(c, tp_request_cancel(4711)), -ENOENT);
    EXPECT(c, run(c, tp_request_cancel(TP_HANDLE_MAX)), -ENOENT);
    EXPECT(c, run(c, tp_request_cancel(0)), -ENOENT);
}

static void cancel_loses_to_what_has_ended(struct conformance *c)
{
    uint64_t handle = submit(c, tp_request_nop());

    EXPECT(c, await(c, handle), 0);
    EXPECT(c, run(c, tp_request_cancel(handle)), -ENOENT);
}

/* Delivered and not claimed yet: it has ended all the same, and keeps its result. */
static void cancel_loses_to_what_is_not_claimed(struct conformance *c)
{
    uint64_t handle = submit(c, tp_request_nop());
    uint64_t deadline_ns = tp_io_now_ns(c->io) + c->patience_ns;

    while (tp_io_in_flight(c->io) > 0 && tp_io_now_ns(c->io) < deadline_ns)
        tp_io_park(c->io, deadline_ns);
    EXPECT(c, run(c, tp_request_cancel(handle)), -ENOENT);
    EXPECT(c, await(c, handle), 0);
}

/* Rejected at submission: there is nothing to stop. */
static void cancel_loses_to_what_was_rejected(struct conformance *c)
{
    uint64_t handle = submit(c, tp_request_fsync(tp_fd_none(), 0));

    EXPECT(c, run(c, tp_request_cancel(handle)), -ENOENT, 0, -EALREADY);
    EXPECT(c, await(c, handle), -EBADF);
}

static void cancel_itself(struct conformance *c)
{
    struct tp_request request = tp_request_cancel(c->handle + 1);

    EXPECT(c, run(c, request), -ENOENT, -EALREADY, 0);
}

static void cancel_a_nop_just_submitted(struct conformance *c)
{
    uint64_t target = submit(c, tp_request_nop());
    uint64_t cancel = submit(c, tp_request_cancel(target));
    int32_t value = await(c, cancel);

    expect_agreement(c, value, await(c, target), 0);
}

/* Two cancels of one target: it still completes once. */
static void cancel_twice(struct conformance *c)
{
    uint64_t target, first, second;
    struct tp_fd fd;
    int32_t value;

    make_file(c, at(c, "a"), 10000);
    fd = open_file(c, at(c, "a"), "rw");
    target = submit(c, tp_request_fsync(fd, 0));
    first = submit(c, tp_request_cancel(target));
    second = submit(c, tp_request_cancel(target));
    value = await(c, target);
    EXPECT(c, value, 0, -ECANCELED);
    EXPECT(c, await(c, second), 0, -ENOENT, -EALREADY);
    EXPECT(c, await(c, first), 0, -ENOENT, -EALREADY);
    close_file(c, fd);
}

/* A cancel under handle 0 does its work, and nobody hears of it. */
static void cancel_without_completion(struct conformance *c)
{
    struct tp_request request;
    uint64_t target;

    target = submit(c, tp_request_nop());
    request = tp_request_cancel(target);
    tp_io_submit(c->io, &request);
    EXPECT(c, await(c, target), 0, -ECANCELED);
    request = tp_request_cancel(4711);
    tp_io_submit(c->io, &request);
    tp_io_poll(c->io);
    tp_io_poll(c->io);
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0 && tp_io_completions(c->io)->live == 0);
}

/* Slow operations cancelled in the same batch, each of which agrees with its cancel. How
 * many were stopped. */
static uint32_t cancel_a_batch(struct conformance *c, struct tp_fd fd)
{
    uint64_t targets[TARGETS], cancels[TARGETS];
    uint32_t won = 0;

    for (uint32_t i = 0; i < TARGETS; i++)
        targets[i] = submit(c, tp_request_fsync(fd, 0));
    for (uint32_t i = TARGETS; i > 0; i--)
        cancels[i - 1] = submit(c, tp_request_cancel(targets[i - 1]));
    for (uint32_t i = 0; i < TARGETS; i++) {
        int32_t cancel = await(c, cancels[i]), target = await(c, targets[i]);

        expect_agreement(c, cancel, target, 0);
        won += target == -ECANCELED;
    }
    return won;
}

/* Some targets wait for a worker or for the disk when they are cancelled: sooner or later a
 * cancel wins. */
static void cancel_wins(struct conformance *c)
{
    uint32_t won = 0, rounds = 0;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 100000);
    fd = open_file(c, at(c, "a"), "rw");
    while (won == 0 && rounds++ < 100)
        won = cancel_a_batch(c, fd);
    EXPECT_THAT(c, won > 0);
    close_file(c, fd);
}

/* A cancel may also arrive half-way: what a write says that it has written is there. */
static void cancel_writes(struct conformance *c)
{
    enum { LEN = 512 };
    uint8_t *memory = take(c, TARGETS * LEN);
    uint64_t targets[TARGETS], cancels[TARGETS];
    struct tp_buf bufs[TARGETS];
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, TARGETS * LEN, 0);
    for (uint32_t i = 0; i < TARGETS; i++) {
        bufs[i] = tp_buf_full(memory + i * LEN, LEN);
        targets[i] = submit(c, tp_request_write_at(fd, &bufs[i], i * LEN));
        cancels[i] = submit(c, tp_request_cancel(targets[i]));
    }
    for (uint32_t i = 0; i < TARGETS; i++) {
        uint8_t piece[LEN];
        struct tp_buf buf = tp_buf_empty(piece, LEN);
        int32_t cancel = await(c, cancels[i]), target = await(c, targets[i]);

        EXPECT(c, cancel, 0, -ENOENT, -EALREADY);
        EXPECT_THAT(c, target == -ECANCELED || (target > 0 && target <= LEN));
        EXPECT_THAT(c, cancel != -ENOENT || target == LEN);
        if (target <= 0 || target > LEN)
            continue;
        EXPECT_THAT(c, run(c, tp_request_read_at(fd, &buf, i * LEN)) >= target);
        EXPECT_THAT(c, pattern_is(piece, (uint32_t)target, i * LEN));
    }
    close_file(c, fd);
    drop(c, memory, TARGETS * LEN);
}

/* An open that lost against its cancel leaves no fd; one that won gives a good one. */
static void cancel_opens(struct conformance *c)
{
    uint64_t targets[TARGETS], cancels[TARGETS];

    make_file(c, at(c, "a"), 10);
    for (uint32_t i = 0; i < TARGETS; i++) {
        targets[i] = submit(c, tp_request_open(at(c, "a"), open_options("r")));
        cancels[i] = submit(c, tp_request_cancel(targets[i]));
    }
    for (uint32_t i = 0; i < TARGETS; i++) {
        int32_t cancel = await(c, cancels[i]), target = await(c, targets[i]);

        EXPECT(c, cancel, 0, -ENOENT, -EALREADY);
        EXPECT_THAT(c, target >= 0 || target == -ECANCELED);
        EXPECT_THAT(c, target >= 0 || cancel != -ENOENT);
        if (target >= 0)
            close_file(c, tp_io_into_fd(c->io, target));
    }
}

/* A close is never stopped: its file would stay open, and nobody could name it any more. */
static void cancel_stops_no_close(struct conformance *c)
{
    make_file(c, at(c, "a"), 10);
    for (uint32_t i = 0; i < TARGETS; i++) {
        uint64_t target = submit(c, tp_request_close(open_file(c, at(c, "a"), "r")));
        uint64_t cancel = submit(c, tp_request_cancel(target));

        EXPECT(c, await(c, cancel), -ENOENT, -EALREADY);
        EXPECT(c, await(c, target), 0);
    }
}

/* Cancelling one of many touches no other. */
static void cancel_one_of_many(struct conformance *c)
{
    uint64_t handles[TARGETS], cancel;
    int32_t value;

    for (uint32_t i = 0; i < TARGETS; i++)
        handles[i] = submit(c, tp_request_nop());
    cancel = submit(c, tp_request_cancel(handles[TARGETS / 2]));
    value = await(c, cancel);
    for (uint32_t i = 0; i < TARGETS; i++) {
        if (i == TARGETS / 2)
            expect_agreement(c, value, await(c, handles[i]), 0);
        else
            EXPECT(c, await(c, handles[i]), 0);
    }
}

/* The handle of what was cancelled is free again once it is claimed. */
static void cancel_then_use_the_handle_again(struct conformance *c)
{
    struct tp_request request = tp_request_nop();
    uint64_t target = submit(c, tp_request_nop());
    uint64_t cancel = submit(c, tp_request_cancel(target));

    (void)await(c, cancel);
    (void)await(c, target);
    request.handle = target;
    tp_io_submit(c->io, &request);
    EXPECT(c, await(c, target), 0);
}

const struct conformance_program conformance_cancel[] = {
    PROGRAM(cancel_unknown),
    PROGRAM(cancel_loses_to_what_has_ended),
    PROGRAM(cancel_loses_to_what_is_not_claimed),
    PROGRAM(cancel_loses_to_what_was_rejected),
    PROGRAM(cancel_itself),
    PROGRAM(cancel_a_nop_just_submitted),
    PROGRAM(cancel_twice),
    PROGRAM(cancel_without_completion),
    PROGRAM(cancel_wins),
    PROGRAM(cancel_writes),
    PROGRAM(cancel_opens),
    PROGRAM(cancel_stops_no_close),
    PROGRAM(cancel_one_of_many),
    PROGRAM(cancel_then_use_the_handle_again),
    {0},
};
