/** sm/durability.h - how much of a file must survive a power cut when a machine reports
 * success.
 *
 * Law 9: no machine says "done" before what it was asked for is durable. What it was asked
 * for is one of these; zero is the strongest, so that forgetting to choose is safe.
 */
#ifndef TEMPEST_SM_DURABILITY_H
#define TEMPEST_SM_DURABILITY_H

#include "../io/base.h"

enum tp_durability {
    /** Data, size, mode and name: all would survive. */
    TP_DURABLE,
    /** Data, size and mode, before the name is given: the name, if it survives, never names
     * less than the whole file. That it survives is the caller's business: one sync of the
     * directory covers every file made in it. */
    TP_DURABLE_CONTENT,
    /** Nothing: after a power cut the name may name the old file, the new one, or an empty
     * or torn one. */
    TP_DURABLE_NOT,
};

#endif
