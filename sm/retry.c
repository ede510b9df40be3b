#include "sm/retry.h"

#include <errno.h>

#include "runtime/await.h"

enum { ATTEMPTS_DEFAULT = 5 };
#define DELAY_NS_FIRST_DEFAULT UINT64_C(10000000)
#define DELAY_NS_MAX_DEFAULT   UINT64_C(10000000000)

uint64_t tp_backoff_ns(uint64_t delay_ns_first, uint64_t delay_ns_max, uint32_t number,
                       uint64_t random)
{
    uint64_t delay_ns = delay_ns_first < delay_ns_max ? delay_ns_first : delay_ns_max;

    for (uint32_t i = 0; i < number && delay_ns < delay_ns_max && delay_ns > 0; i++)
        delay_ns = delay_ns > delay_ns_max / 2 ? delay_ns_max : delay_ns * 2;
    uint64_t certain_ns = delay_ns - delay_ns / 2;
    return certain_ns + random % (delay_ns / 2 + 1);
}

static uint64_t delay_ns(struct tp_ctx *cx, const struct tp_retry *retry)
{
    tp_assert(retry->attempts > 0);
    return tp_backoff_ns(retry->options.delay_ns_first, retry->options.delay_ns_max,
                         retry->attempts - 1, tp_random(cx));
}

static struct tp_op begin(struct tp_ctx *cx, struct tp_retry *retry)
{
    struct tp_op op = retry->attempt(retry->context, cx, retry->attempts++);

    tp_assert(tp_op_is_some(op));
    if (retry->options.attempt_ns_max > 0)
        (void)tp_deadline(cx, op, retry->options.attempt_ns_max);
    return op;
}

/* After a cancel a further attempt would only end with -ECANCELED and hide the reason. */
static bool worth_another(const struct tp_ctx *cx, const struct tp_retry *retry)
{
    return retry->last.value < 0 && retry->attempts < retry->options.attempts_max &&
           !tp_cancelled(cx) &&
           (retry->again == NULL || retry->again(retry->context, retry->last.value));
}

static enum tp_step retry_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_retry *retry = tp_container_of(machine, struct tp_retry, machine);
    struct tp_result slept;

    TP_BEGIN(cx);
    if (retry->options.delay_ns_first > retry->options.delay_ns_max)
        return tp_end(machine, -EINVAL);
    for (;;) {
        TP_AWAIT(cx, begin(cx, retry), &retry->last);
        if (!worth_another(cx, retry))
            return tp_end(machine, retry->last.value);
        TP_AWAIT(cx, tp_timer(cx, delay_ns(cx, retry)), &slept);
        if (slept.value < 0)
            return tp_end(machine, slept.value);
    }
    TP_END(cx);
}

struct tp_op(tp_retry_start)(struct tp_ctx *cx, struct tp_retry *retry,
                             tp_retry_attempt_fn *attempt, void *context,
                             tp_retry_again_fn *again,
                             const struct tp_retry_options *options)
{
    struct tp_retry fresh = {.attempt = attempt, .again = again, .context = context};

    tp_assert(attempt != NULL);
    if (options != NULL)
        fresh.options = *options;
    tp_assert(fresh.options.size == 0 || fresh.options.size == sizeof fresh.options);
    if (fresh.options.attempts_max == 0)
        fresh.options.attempts_max = ATTEMPTS_DEFAULT;
    if (fresh.options.delay_ns_first == 0)
        fresh.options.delay_ns_first = DELAY_NS_FIRST_DEFAULT;
    if (fresh.options.delay_ns_max == 0)
        fresh.options.delay_ns_max = DELAY_NS_MAX_DEFAULT;
    tp_assert(!tp_machine_alive(&retry->machine));
    *retry = fresh;
    return (tp_start)(cx, &retry->machine, retry_tick, "retry");
}
