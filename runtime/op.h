/** runtime/op.h - operations of a machine: claim, tag, deadline, cancel, abandon, detach,
 * race.
 *
 * Everything a machine waits for is an operation with a handle, claimed the same way: file
 * operations, timers, a child's end. Law 3: what has completed by the time a machine ticks
 * must be claimed in that tick, or the program stops with a report; while a machine awaits
 * (await.h), other completions are kept until asked for, but a machine may not end before
 * it asked.
 */
#ifndef TEMPEST_RUNTIME_OP_H
#define TEMPEST_RUNTIME_OP_H

#include "machine.h"

/** What an operation came to. */
struct tp_result {
    int32_t value;  /* a count, or a negative errno */
    uint32_t flags; /* enum tp_completion_flag */
    uint64_t tag;   /* as given by tp_tag(), else 0 */
    struct tp_op op;
    struct tp_buf *buf; /* the buffer that was lent, with its len set; NULL if none was.
                           With recv_many: a receive buffer, yours until tp_give_back() */
};

/** No operation: claiming it answers false. */
static inline struct tp_op tp_no_op(void)
{
    struct tp_op none = {0};
    return none;
}

/** Whether it is one: submitted, and not taken yet by tp_take(). */
static inline bool tp_op_is_some(struct tp_op op)
{
    return op.handle != 0;
}

TP_BEGIN_DECLS

/** Submits any request (io/request.h) for this machine, and sets `request->handle`. The
 * named forms of operations.h are this. Past ops_max the program stops with a census (law
 * 7). */
TP_EXPORT struct tp_op tp_submit(struct tp_ctx *cx, struct tp_request *request);

/** Claims: true, and the result, if `op` has completed; its buffer is yours again. False if
 * it has not, or is none. */
TP_EXPORT bool tp_get_cqe(struct tp_ctx *cx, struct tp_op op, struct tp_result *ret_result);

/** tp_get_cqe(), and `*op` becomes none when it was claimed. */
TP_EXPORT bool tp_take(struct tp_ctx *cx, struct tp_op *op, struct tp_result *ret_result);

/** Claims whichever of this machine's operations completed first; false when there is none.
 * The usual way for a multishot: one call for each completion, TP_MORE in the flags of all
 * but the last. */
TP_EXPORT bool tp_next_cqe(struct tp_ctx *cx, struct tp_result *ret_result);

/** The same for one multishot: its next completion, whatever else has arrived before;
 * `*op` becomes none with the last. O(what has arrived for this machine). */
TP_EXPORT bool tp_next_of(struct tp_ctx *cx, struct tp_op *op,
                          struct tp_result *ret_result);

/** Gives back a receive buffer that a completion of recv_many brought (result.buf); any
 * machine may. A machine that ends with one is reported, like an operation in flight. */
TP_EXPORT void tp_give_back(struct tp_ctx *cx, struct tp_buf *buf);

/** How many completions of a multishot are kept while its machine awaits something else
 * (await.h); then it pauses, and goes on when they have been claimed. Else 64. Returns
 * `op`. */
TP_EXPORT struct tp_op tp_keep(struct tp_ctx *cx, struct tp_op op, uint32_t shots_max);

/** The fd that an open gave; result.value >= 0. */
TP_EXPORT struct tp_fd tp_into_fd(struct tp_ctx *cx, struct tp_result result);

/** Gives the operation a number that comes back with its result. Returns `op`. */
TP_EXPORT struct tp_op tp_tag(struct tp_ctx *cx, struct tp_op op, uint64_t tag);

/** Cancels the operation after `delay_ns`; its result is then -ETIMEDOUT, unless it won. A
 * later call replaces the deadline; TP_NEVER removes it. Works for a child's end too.
 * Returns `op`. */
TP_EXPORT struct tp_op tp_deadline(struct tp_ctx *cx, struct tp_op op, uint64_t delay_ns);

/** Asks the operation to stop. Its completion still comes and is claimed: -ECANCELED if it
 * was stopped, its result if it won. A child is cancelled. */
TP_EXPORT void tp_cancel(struct tp_ctx *cx, struct tp_op op);

/** Asks the operation to stop, and never claims it: the runtime drains it (a multishot's
 * completions too, buffers and all), closes a fd it gave, and holds the machine's end back
 * until its loan is home. Its memory stays lent until then. */
TP_EXPORT void tp_abandon(struct tp_ctx *cx, struct tp_op op);

/** Lets the operation go: its result interests nobody and may outlive the machine. Never
 * one with a loan, one that gives a fd, or a child (asserted). Failures are counted in the
 * statistics. */
TP_EXPORT void tp_detach(struct tp_ctx *cx, struct tp_op op);

/** Completes with 0 after `delay_ns` (0: in the next iteration), -ECANCELED if cancelled.
 */
TP_EXPORT struct tp_op tp_timer(struct tp_ctx *cx, uint64_t delay_ns);

/** Starts a child: it ticks last in this iteration, and the operation completes with its
 * result when it has ended. The child's memory must stay put until that is claimed. A
 * deadline or cancel of the operation cancels the child. In a cancelled machine the child
 * never runs. */
TP_EXPORT struct tp_op tp_start(struct tp_ctx *cx, struct tp_machine *child,
                                tp_tick_fn *tick, const char *name);

/** Which of `ops` won: its index once *all* have arrived, else -1. When the first arrives
 * the others are cancelled; on a tie real operations beat timers, then the order given
 * decides. Losers are claimed here, and what one of them owns is closed. Claim the winner
 * yourself, next. */
TP_EXPORT int32_t tp_race(struct tp_ctx *cx, const struct tp_op *ops, uint32_t count);

/** A registered buffer; NULL when all are taken. tp_io_acquire_buf() with this tick's Io.
 */
#define tp_acquire_buf(cx)      tp_io_acquire_buf(tp_ctx_io(cx))
#define tp_release_buf(cx, buf) tp_io_release_buf(tp_ctx_io(cx), buf)

TP_END_DECLS

/* The place of a submission goes with it, into every report. A macro is not expanded inside
 * itself, so each function is called through one of its own name. */
#define TP_HERE(cx)                     ((cx)->file = __FILE__, (cx)->line = __LINE__, (cx))
#define tp_submit(cx, request)          tp_submit(TP_HERE(cx), request)
#define tp_give_back(cx, buf)           tp_give_back(TP_HERE(cx), buf)
#define tp_timer(cx, delay_ns)          tp_timer(TP_HERE(cx), delay_ns)
#define tp_start(cx, child, tick, name) tp_start(TP_HERE(cx), child, tick, name)

#endif
