/** apps/kv/hook.h - the log that the engine writes to, on sm/journal.h.
 *
 * The engine asks and appends on behalf of the machine whose tick it is: kv_hook_enter()
 * tells which, at the beginning of every tick that uses the engine. A machine that was told
 * there is no room at the moment is woken when it is worth asking again.
 */
#ifndef TEMPEST_APPS_KV_HOOK_H
#define TEMPEST_APPS_KV_HOOK_H

#include "apps/kv/engine.h"
#include "sm/journal.h"

struct kv_hook {
    struct tp_journal *journal;
    struct tp_ctx *cx;        /* of the tick that is under way */
    struct tp_waiter *waiter; /* of its machine, for room; NULL: it is not to be woken */
    uint64_t bytes;           /* of records, appended since the start */
};

/** The functions of the engine's log. The journal is open. */
struct kv_log kv_hook_log(struct kv_hook *hook, struct tp_journal *journal);

/** A tick begins that may use the engine. */
static inline void kv_hook_enter(struct kv_hook *hook, struct tp_ctx *cx,
                                 struct tp_waiter *waiter)
{
    hook->cx = cx;
    hook->waiter = waiter;
}

#endif
