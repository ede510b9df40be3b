/** runtime/await.h - machines that read top to bottom. C only.
 *
 *     static enum tp_step head_tick(struct tp_machine *machine, struct tp_ctx *cx)
 *     {
 *         struct head *h = tp_container_of(machine, struct head, machine);
 *         struct tp_result result;
 *
 *         TP_BEGIN(cx);
 *         TP_AWAIT(cx, tp_open(cx, h->path, options), &result);
 *         if (result.value < 0)
 *             return tp_end(machine, result.value);
 *         h->fd = tp_into_fd(cx, result);
 *         TP_AWAIT(cx, tp_read_at(cx, h->fd, &h->block, 0), &result);
 *         ...
 *         TP_END(cx);
 *     }
 *
 * The awaited expression is evaluated once. Locals do not survive an await: what must live
 * goes into the struct (tests/lint reports the rest). An await inside another switch stops
 * the program when it resumes. One TP_BEGIN a function, at most one await a line.
 */
#ifndef TEMPEST_RUNTIME_AWAIT_H
#define TEMPEST_RUNTIME_AWAIT_H

#include "op.h"

TP_BEGIN_DECLS

/** Says that the machine awaits: what else arrives is kept until asked for. Gives TP_WAIT.
 */
TP_EXPORT enum tp_step tp_suspend(struct tp_ctx *cx);

TP_END_DECLS

/** Opens the body; the code after it runs in the first tick. */
#define TP_BEGIN(cx)              \
    switch ((cx)->self->resume) { \
    case 0:

/** Closes the body, which ends with a return. */
#define TP_END(cx)                                                                \
    default:                                                                      \
        break;                                                                    \
        }                                                                         \
        tp_stopf(__FILE__, __LINE__,                                              \
                 "machine %s resumed at no await: was it inside another switch, " \
                 "or was the end of its body reached?",                           \
                 (cx)->self->name)

#define TP_POINT_(cx, n)          \
    (cx)->self->resume = (n);     \
    __attribute__((fallthrough)); \
    case (n):

#define TP_AWAIT_(cx, op, ret, n)                      \
    do {                                               \
        (cx)->self->awaited = (op);                    \
        TP_POINT_(cx, n)                               \
        if (!tp_get_cqe(cx, (cx)->self->awaited, ret)) \
            return tp_suspend(cx);                     \
    } while (0)

#define TP_AWAIT_NEXT_(cx, ret, n) \
    do {                           \
        TP_POINT_(cx, n)           \
        if (!tp_next_cqe(cx, ret)) \
            return tp_suspend(cx); \
    } while (0)

#define TP_AWAIT_RACE_(cx, ops, count, ret, n) \
    do {                                       \
        TP_POINT_(cx, n)                       \
        *(ret) = tp_race(cx, ops, count);      \
        if (*(ret) < 0)                        \
            return tp_suspend(cx);             \
    } while (0)

#define TP_AWAIT_UNTIL_(cx, condition, n) \
    do {                                  \
        TP_POINT_(cx, n)                  \
        if (!(condition))                 \
            return tp_suspend(cx);        \
    } while (0)

#define TP_AWAIT_YIELD_(cx, n)    \
    do {                          \
        (cx)->self->resume = (n); \
        (void)tp_suspend(cx);     \
        return TP_YIELD;          \
    case (n):;                    \
    } while (0)

/** Submits (the expression is evaluated once) and waits until it is claimed into *ret. */
#define TP_AWAIT(cx, op, ret) TP_AWAIT_(cx, op, ret, __COUNTER__ + 1)

/** Waits for whichever of the machine's operations completes next. */
#define TP_AWAIT_NEXT(cx, ret) TP_AWAIT_NEXT_(cx, ret, __COUNTER__ + 1)

/** Waits until tp_race() has a winner; its index goes to *ret. `ops` lives in the struct.
 */
#define TP_AWAIT_RACE(cx, ops, count, ret) \
    TP_AWAIT_RACE_(cx, ops, count, ret, __COUNTER__ + 1)

/** Waits until `condition` holds; looked at whenever the machine is woken (tp_wake()). Look
 * at tp_cancelled() in it, or cancel will not end the wait. */
#define TP_AWAIT_UNTIL(cx, condition) TP_AWAIT_UNTIL_(cx, condition, __COUNTER__ + 1)

/** Lets the others run; goes on in the next iteration. */
#define TP_AWAIT_YIELD(cx) TP_AWAIT_YIELD_(cx, __COUNTER__ + 1)

#endif
