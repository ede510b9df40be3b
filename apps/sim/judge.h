/** apps/sim/judge.h - the verdict on a run that came to no end, from what it said last. */
#ifndef TEMPEST_APPS_SIM_JUDGE_H
#define TEMPEST_APPS_SIM_JUDGE_H

#include "apps/sim/sim.h"

/** Finds in what was said (lines, on standard output and error) why it ended: verdict and
 * message. False: it does not say. */
bool tp_judge_said(const char *said, struct tp_sim_outcome *outcome);

/** The kind of a failure with the outcome's verdict and message, never 0. */
uint64_t tp_judge_kind(const struct tp_sim_outcome *outcome);

#endif
