/** apps/copy/sim/scenario.h - a tree, copied under everything that can befall it.
 *
 * Edition after edition is copied over the same place; a copy that failed, or was killed,
 * is begun again, as somebody would do who was told so. What must hold, at every boot and
 * at the end, of every file by its name: it is, whole, of the edition that was last
 * reported done, or of the one that was begun since; it may be absent if none was ever
 * done. So a half copy is never under a name, and what was said to be done survives a power
 * cut.
 */
#ifndef TEMPEST_APPS_COPY_SIM_SCENARIO_H
#define TEMPEST_APPS_COPY_SIM_SCENARIO_H

#include "apps/sim/sim.h"

/** With --sync; and without, where a power cut shows that it was needed. */
extern const struct tp_scenario copy_scenario, copy_unsynced_scenario;

#endif
