#include "apps/kv/hook.h"

/* In a machine that was cancelled nothing waits any more, so -ECANCELED is an answer, too.
 */
static int32_t reserve(void *context, uint32_t len)
{
    struct kv_hook *hook = context;

    return tp_journal_reserve(hook->cx, hook->journal, hook->waiter, len);
}

static void unreserve(void *context, uint32_t len)
{
    struct kv_hook *hook = context;

    tp_journal_unreserve(hook->journal, len);
}

/* The journal fails, or is closed, between two ticks only; the reservation was made in this
 * one. */
static uint64_t append(void *context, uint32_t reserved, const uint8_t *bytes, uint32_t len)
{
    struct kv_hook *hook = context;
    uint64_t lsn = 0;
    int32_t error = tp_journal_append_reserved(hook->journal, reserved, bytes, len, &lsn);

    tp_assert(error == 0);
    hook->bytes += len;
    return lsn;
}

static uint64_t next_lsn(void *context)
{
    const struct kv_hook *hook = context;

    return tp_journal_lsn(hook->journal) + 1;
}

static int32_t failure(void *context)
{
    const struct kv_hook *hook = context;

    return tp_journal_failure(hook->journal);
}

struct kv_log kv_hook_log(struct kv_hook *hook, struct tp_journal *journal)
{
    struct kv_log log = {reserve, unreserve, append, next_lsn, failure, hook};

    *hook = (struct kv_hook){.journal = journal};
    return log;
}
