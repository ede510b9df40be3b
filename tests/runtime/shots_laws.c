/** tests/runtime/shots_laws.c - the laws of multishot operations, broken on purpose. */
#include "io/recv_pool.h"
#include "tests/runtime/fixture.h"

enum { BUFS = 30000, BUF_SIZE = 16 };

#define FILE_NAME "tests/runtime/shots_laws.c"

static uint8_t recv_memory[BUFS * BUF_SIZE];

static void set_up_bufs(void)
{
    set_up();
    cr_assert(eq(int, tp_io_set_recv_bufs(&manual.io, recv_memory, BUFS, BUF_SIZE), 0));
}

TestSuite(shots_laws, .init = set_up_bufs);

static struct part culprit;

/* Runs `tick` as a machine on fd 3, to which "hello" is sent when it waits, then the end.
 */
static void run_culprit(void *tick_function)
{
    tp_tick_fn *function;

    memcpy(&function, tick_function, sizeof function);
    tp_assert(tp_io_fd_opened(&manual.io, 3));
    culprit.fd = tp_io_into_fd(&manual.io, 3);
    tp_spawn(scheduler, &culprit.machine, function, "culprit");
    (void)settle();
    manual_receive(&manual, manual_find(&manual, TP_RECV_MANY), "hello");
    (void)settle();
    manual_complete(manual_find(&manual, TP_RECV_MANY), 0);
    (void)settle();
    tear_down();
}

#define expect_law(tick, ...)                              \
    do {                                                   \
        tp_tick_fn *function_ = tick;                      \
        expect_stop(run_culprit, &function_, __VA_ARGS__); \
    } while (0)

static enum tp_step forgets_a_shot(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    if (part->count++ == 0)
        (void)tp_recv_many(cx, part->fd);
    return TP_WAIT;
}

static enum tp_step ends_with_a_shot(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    if (part->count++ != 0)
        return tp_end(machine, 0);
    (void)tp_recv_many(cx, part->fd);
    return TP_WAIT;
}

static enum tp_step ends_in_flight(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_recv_many(cx, part_of(machine)->fd);
    return tp_end(machine, 0);
}

Test(shots_laws, law_3_a_shot_that_is_left_unclaimed_is_reported)
{
    expect_law(forgets_a_shot, "machine culprit left completions unclaimed", "law 3",
               "recv_many on fd 3", "completed with 5", "submitted at " FILE_NAME ":",
               "by machine culprit");
    expect_law(ends_with_a_shot, "machine culprit ended with completions unclaimed",
               "recv_many on fd 3", FILE_NAME);
    expect_law(ends_in_flight, "machine culprit ended with operations in flight",
               "recv_many on fd 3", FILE_NAME);
}

static enum tp_step asks_before(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    part->op = tp_recv_many(cx, part->fd);
    (void)tp_get_cqe(cx, part->op, &part->result);
    return TP_WAIT;
}

static enum tp_step asks_after(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    if (part->count++ == 0)
        part->op = tp_recv_many(cx, part->fd);
    else
        (void)tp_take(cx, &part->op, &part->result);
    return TP_WAIT;
}

static enum tp_step awaits_it(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_recv_many(cx, part->fd), &part->result);
    return TP_WAIT;
    TP_END(cx);
}

static enum tp_step asks_for_next_of_a_timer(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    part->op = tp_timer(cx, 1);
    (void)tp_next_of(cx, &part->op, &part->result);
    return TP_WAIT;
}

Test(shots_laws, law_1_a_multishot_is_claimed_by_next_only)
{
    const char *const text = "machine culprit asks for one completion of a multishot";

    expect_law(asks_before, text, "tp_next_cqe()", "recv_many on fd 3", FILE_NAME);
    expect_law(asks_after, text, "tp_next_cqe()");
    expect_law(awaits_it, text, "tp_next_cqe()");
    expect_law(asks_for_next_of_a_timer, "TP_MANY");
}

static enum tp_step races(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    part->ops[0] = tp_timer(cx, 5);
    part->ops[1] = tp_recv_many(cx, part->fd);
    (void)tp_race(cx, part->ops, 2);
    return TP_WAIT;
}

static enum tp_step detaches(struct tp_machine *machine, struct tp_ctx *cx)
{
    tp_detach(cx, tp_recv_many(cx, part_of(machine)->fd));
    return TP_WAIT;
}

static enum tp_step keeps_none(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)tp_keep(cx, tp_recv_many(cx, part_of(machine)->fd), 0);
    return TP_WAIT;
}

static enum tp_step keeps_a_timer(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    (void)tp_keep(cx, tp_timer(cx, 1), 5);
    return TP_WAIT;
}

Test(shots_laws, what_suits_single_operations_only_is_stopped)
{
    expect_law(races, "TP_MANY");
    expect_law(detaches, "detaches an operation, which is a multishot",
               "recv_many on fd 3");
    expect_law(keeps_none, "shots_max > 0");
    expect_law(keeps_a_timer, "TP_MANY");
}

/* ------------------------------------------------------------------ receive buffers */

static enum tp_step keeps_the_buffer(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_recv_many(cx, part->fd);
    TP_AWAIT_NEXT(cx, &part->result);
    tp_abandon(cx, part->op);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step gives_back_twice(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    part->op = tp_recv_many(cx, part->fd);
    TP_AWAIT_NEXT(cx, &part->result);
    tp_give_back(cx, part->result.buf);
    tp_give_back(cx, part->result.buf);
    return TP_WAIT;
    TP_END(cx);
}

static enum tp_step gives_back_its_own(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    part->buf = tp_buf_full(part->memory, sizeof part->memory);
    tp_give_back(cx, &part->buf);
    return TP_WAIT;
}

static enum tp_step gives_back_nothing(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    tp_give_back(cx, NULL);
    return TP_WAIT;
}

Test(shots_laws, law_2_receive_buffers_are_given_back_once)
{
    expect_law(keeps_the_buffer,
               "machine culprit ended with 1 receive buffers not given back", "law 2",
               "5 bytes that recv_many brought", "submitted at " FILE_NAME ":");
    expect_law(gives_back_twice, FILE_NAME ":", "receive buffer", "twice");
    expect_law(gives_back_its_own, FILE_NAME, "not a receive buffer of this Io");
    expect_law(gives_back_nothing, FILE_NAME, "not a receive buffer of this Io");
}

/* ------------------------------------------------------------------ bounds */

static enum tp_step keeps_without_bound(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    TP_BEGIN(cx);
    (void)tp_keep(cx, tp_recv_many(cx, part->fd), UINT32_MAX);
    TP_AWAIT(cx, tp_timer(cx, 1), &part->result);
    return TP_WAIT;
    TP_END(cx);
}

static void keep_too_many(void *argument)
{
    (void)argument;
    tp_assert(tp_io_fd_opened(&manual.io, 3));
    culprit.fd = tp_io_into_fd(&manual.io, 3);
    tp_spawn(scheduler, &culprit.machine, keeps_without_bound, "culprit");
    (void)settle();
    for (uint32_t i = 0; i < BUFS; i++) {
        manual_receive(&manual, manual_find(&manual, TP_RECV_MANY), "x");
        if (i % 1000 == 999)
            (void)settle();
    }
}

Test(shots_laws, law_7_shots_have_a_bound_and_operations_keep_their_room)
{
    expect_stop(keep_too_many, NULL, "kept unclaimed, more than there is room for",
                "tp_keep()", "1 x recv_many", "x recv_many, completed", FILE_NAME,
                "by machine culprit");
}
