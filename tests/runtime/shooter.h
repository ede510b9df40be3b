/** tests/runtime/shooter.h - a machine that has a multishot, and notes what it claims. */
#ifndef TESTS_RUNTIME_SHOOTER_H
#define TESTS_RUNTIME_SHOOTER_H

#include "io/fd_table.h"
#include "io/recv_pool.h"
#include "runtime/scheduler_internal.h"
#include "tests/runtime/fixture.h"

enum { BUFS = 256, BUF_SIZE = 16 };

static uint8_t recv_memory[BUFS * BUF_SIZE];

static inline void set_up_bufs(void)
{
    set_up();
    cr_assert(eq(int, tp_io_set_recv_bufs(&manual.io, recv_memory, BUFS, BUF_SIZE), 0));
}

/** Nothing is left of what a test did. Criterion does not count what fails here: stop. */
static inline void tear_down_empty(void)
{
    tp_assert(scheduler->slots.count == 0);
    tp_assert(scheduler->slots.shots == 0);
    tp_assert(scheduler->slots.idle == 0);
    tp_assert(manual.io.recv_bufs->with_user == 0);
    tear_down();
}

/* A machine that has a multishot, and awaits `other` in between. */
struct shooter {
    struct tp_machine machine;
    struct tp_op many, other;
    struct tp_result result;
    struct tp_fd fd;
    uint32_t keep;   /* 0: as it is */
    uint32_t claims; /* of shots, before it awaits again; 0: all */
    uint32_t at_hand;
    uint64_t delay_ns; /* of its awaits */
    bool accepts, ended;
    int32_t end;
};

static inline struct shooter *shooter_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct shooter, machine);
}

static inline struct tp_fd fd_of(uint32_t number)
{
    cr_assert(tp_io_fd_opened(&manual.io, number));
    return tp_io_into_fd(&manual.io, (int32_t)number);
}

static inline struct manual_op *many(void)
{
    struct manual_op *op = manual_find(&manual, TP_RECV_MANY);

    return op != NULL ? op : manual_find(&manual, TP_ACCEPT_MANY);
}

static inline void receive(const char *text)
{
    for (; *text != '\0'; text++)
        manual_receive(&manual, many(), (char[]){*text, '\0'});
}

/* Notes what was claimed: a byte that was received, the fd's last digit, or '.' (the end),
 * 'c' (cancelled), 't' (time-out), 'e' (another error). */
static inline void note_result(struct tp_ctx *cx, struct shooter *shooter)
{
    const struct tp_result *result = &shooter->result;

    cr_assert(eq(u64, result->op.handle, shooter->many.handle));
    cr_assert(eq(u64, result->tag, 7));
    if ((result->flags & TP_MORE) == 0) {
        cr_assert(not(shooter->ended), "two ends");
        cr_assert(eq(ptr, result->buf, NULL));
        shooter->ended = true;
        shooter->end = result->value;
        note(result->value == 0            ? '.'
             : result->value == -ECANCELED ? 'C'
             : result->value == -ETIMEDOUT ? 'T'
                                           : 'E');
        return;
    }
    cr_assert(not(shooter->ended), "a shot after the end");
    if (shooter->accepts) {
        cr_assert(eq(ptr, result->buf, NULL));
        note((char)('0' + result->value % 10));
        tp_detach(cx, tp_close(cx, tp_into_fd(cx, *result)));
        return;
    }
    cr_assert(eq(u32, result->buf->len, (uint32_t)result->value));
    note((char)result->buf->data[0]);
    tp_give_back(cx, result->buf);
}

static inline void begin(struct tp_ctx *cx, struct shooter *shooter)
{
    shooter->many =
        shooter->accepts ? tp_accept_many(cx, shooter->fd) : tp_recv_many(cx, shooter->fd);
    (void)tp_tag(cx, shooter->many, 7);
    if (shooter->keep != 0)
        (void)tp_keep(cx, shooter->many, shooter->keep);
}

/* Claims in every tick whatever there is. */
static inline enum tp_step claims_all(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *shooter = shooter_of(machine);

    if (!tp_op_is_some(shooter->many))
        begin(cx, shooter);
    while (tp_next_cqe(cx, &shooter->result))
        note_result(cx, shooter);
    return shooter->ended ? tp_end(machine, shooter->end) : TP_WAIT;
}

/* Awaits a timer, claims what came meanwhile (or `claims` of it), and so on. */
static inline enum tp_step awaits_and_claims(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct shooter *shooter = shooter_of(machine);

    TP_BEGIN(cx);
    begin(cx, shooter);
    while (!shooter->ended) {
        if (tp_cancelled(cx)) { /* a timer would not wait */
            TP_AWAIT_NEXT(cx, &shooter->result);
            note_result(cx, shooter);
            continue;
        }
        shooter->other = tp_timer(cx, shooter->delay_ns);
        TP_AWAIT(cx, shooter->other, &shooter->result);
        for (shooter->at_hand = 0;
             (shooter->claims == 0 || shooter->at_hand < shooter->claims) &&
             tp_next_cqe(cx, &shooter->result);
             shooter->at_hand++)
            note_result(cx, shooter);
    }
    return tp_end(machine, shooter->end);
    TP_END(cx);
}

static struct shooter shooter;

/* A shooter on fd 3, that has begun. */
static inline void start(tp_tick_fn *tick_function)
{
    shooter.fd = fd_of(3);
    shooter.delay_ns = 100;
    tp_spawn(scheduler, &shooter.machine, tick_function, "shooter");
    (void)settle();
}

/* Lets its timer fire. */
static inline void pass_time(void)
{
    manual.now_ns += 100;
    (void)settle();
}

#define expect_events(text) cr_assert(eq(str, events, text), "%s", events)

#endif
