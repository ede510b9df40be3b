/** sm/retry.h - tries something again, after delays that grow, until it works or enough is
 * enough.
 *
 *     static struct tp_op attempt(void *context, struct tp_ctx *cx, uint32_t number)
 *     {
 *         return tp_open(cx, context, options);       or start a child
 *     }
 *     ...
 *     TP_AWAIT(cx, tp_retry_start(cx, &m->retry, attempt, path, NULL, &options), &result);
 *
 * Delays: `delay_ns_first`, then twice as long each time, at most `delay_ns_max`; of each a
 * half is certain and the other half drawn from the machine's random stream, so that many
 * that failed together do not come back together.
 *
 * The result is that of the last attempt: what a success gave, or the last error once the
 * attempts are used up or `again` has said no. Cancelled, in an attempt or a delay, it ends
 * with what the attempt came to, or -ECANCELED.
 *
 * Attempts run one at a time. An operation that opens hands its fd to whoever awaits the
 * retry: tp_into_fd(cx, m->retry.last), if the result is >= 0.
 */
#ifndef TEMPEST_SM_RETRY_H
#define TEMPEST_SM_RETRY_H

#include "../runtime/op.h"

/** All zero: 5 attempts, 10 ms at first, 10 s at most, no deadline. */
struct tp_retry_options {
    uint32_t size;           /* of this struct; 0: as in version 0.1 */
    uint32_t attempts_max;   /* UINT32_MAX: until cancelled */
    uint64_t delay_ns_first; /* after the first failure */
    uint64_t delay_ns_max;
    uint64_t
        attempt_ns_max; /* an attempt that takes longer fails with -ETIMEDOUT; 0: none */
};

/** Submits one attempt for the machine of `cx`, which is the retry's; `number` counts from
 * 0. The operation it gives must be the only one that it submits. */
typedef struct tp_op tp_retry_attempt_fn(void *context, struct tp_ctx *cx, uint32_t number);

/** Whether an attempt that failed with `error` is worth another; NULL stands for always. */
typedef bool tp_retry_again_fn(void *context, int32_t error);

/** Read `attempts` and `last`; the rest is internal. */
struct tp_retry {
    struct tp_machine machine;
    uint32_t attempts;     /* begun */
    struct tp_result last; /* of the last one */
    struct tp_retry_options options;
    tp_retry_attempt_fn *attempt;
    tp_retry_again_fn *again;
    void *context;
};

TP_BEGIN_DECLS

/** Starts it as a child. `options` is copied; NULL stands for all zero. -EINVAL: the first
 * delay is longer than the longest. */
TP_EXPORT struct tp_op tp_retry_start(struct tp_ctx *cx, struct tp_retry *retry,
                                      tp_retry_attempt_fn *attempt, void *context,
                                      tp_retry_again_fn *again,
                                      const struct tp_retry_options *options);

/** The delay after failure `number` (0 the first), given 64 random bits: between a half and
 * the whole of delay_ns_first * 2^number, at most delay_ns_max. For loops of your own. */
TP_EXPORT uint64_t tp_backoff_ns(uint64_t delay_ns_first, uint64_t delay_ns_max,
                                 uint32_t number, uint64_t random);

TP_END_DECLS

#define tp_retry_start(cx, ...) tp_retry_start(TP_HERE(cx), __VA_ARGS__)

#endif
