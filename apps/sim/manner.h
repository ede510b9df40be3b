/** apps/sim/manner.h - in which manner seeds are run, as somebody writes it: profile,
 * faults.
 */
#ifndef TEMPEST_APPS_SIM_MANNER_H
#define TEMPEST_APPS_SIM_MANNER_H

#include "apps/sim/sim.h"

/** "ext4". False: there is none of that name. */
bool tp_manner_profile(const char *text, struct tp_sim_options *run);

/** "+kill,-all": families always on, or never; what comes later counts. NULL, or where in
 * the text it is wrong. */
const char *tp_manner_faults(const char *text, struct tp_sim_options *run);

#endif
