/** apps/kv/simulate.h - tempest-kv --io=virtual: lives of a server, and what came of them.
 */
#ifndef TEMPEST_APPS_KV_SIMULATE_H
#define TEMPEST_APPS_KV_SIMULATE_H

#include <stdint.h>

/** Lives those of seeds `first` to `last` (sim/scenario.h), up to the first one in which a
 * promise was broken, and prints what happened. What the program is to exit with. */
int kv_simulate(uint64_t first, uint64_t last);

#endif
