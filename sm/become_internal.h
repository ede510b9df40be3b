/** sm/become_internal.h - a machine whose body has parts: it goes on as the next one. */
#ifndef TEMPEST_SM_BECOME_INTERNAL_H
#define TEMPEST_SM_BECOME_INTERNAL_H

#include "../runtime/machine.h"

/** `return tp_become(machine, cx, next_tick);` - from now on it is `tick` that runs, from
 * its beginning, at once. What has not been claimed yet stays claimable. */
static inline enum tp_step tp_become(struct tp_machine *machine, struct tp_ctx *cx,
                                     tp_tick_fn *tick)
{
    tp_assert(machine->tick != tick);
    machine->tick = tick;
    machine->resume = 0;
    return tick(machine, cx);
}

#endif
