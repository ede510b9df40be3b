/** apps/sim/perfetto.h - the facts of a run as a trace that Chrome and Perfetto show
 * (ui.perfetto.dev): a process for each node, in it a row for each operation in flight.
 */
#ifndef TEMPEST_APPS_SIM_PERFETTO_H
#define TEMPEST_APPS_SIM_PERFETTO_H

#include "apps/sim/record.h"

/** Writes it; the facts must have all stages of operations. False: `out` has an error. */
bool tp_perfetto_write(const struct tp_recorder *recorder, FILE *out);

#endif
