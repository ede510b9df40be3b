#include "sm/periodic.h"

void tp_periodic_init(struct tp_ctx *cx, struct tp_periodic *periodic, uint64_t period_ns,
                      enum tp_periodic_policy policy)
{
    struct tp_periodic fresh = {
        .period_ns = period_ns, .due_ns = tp_now_ns(cx), .policy = (uint32_t)policy};

    tp_assert(period_ns > 0);
    *periodic = fresh;
}

struct tp_op(tp_periodic_next)(struct tp_ctx *cx, struct tp_periodic *periodic)
{
    uint64_t now_ns = tp_now_ns(cx);

    tp_assert(periodic->period_ns > 0);
    tp_assert(periodic->due_ns <= UINT64_MAX - periodic->period_ns);
    periodic->due_ns += periodic->period_ns;
    periodic->told++;
    if (periodic->due_ns < now_ns && periodic->policy == TP_PERIODIC_SKIP) {
        uint64_t late = (now_ns - periodic->due_ns - 1) / periodic->period_ns + 1;
        periodic->missed += late;
        periodic->due_ns += late * periodic->period_ns;
    }
    return (tp_timer)(cx, periodic->due_ns > now_ns ? periodic->due_ns - now_ns : 0);
}
