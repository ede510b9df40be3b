/** apps/sim/scenarios/log3/model.h - the log as its clients know it: a length. An append
 * gives it the next position, a get tells it. For apps/sim/linear.h.
 */
#ifndef TEMPEST_APPS_SIM_SCENARIOS_LOG3_MODEL_H
#define TEMPEST_APPS_SIM_SCENARIOS_LOG3_MODEL_H

#include "apps/sim/model.h"

enum { LOG3_MODEL_BYTES = 8 }; /* of a length, or a position, as a value */

extern const struct tp_model log3_model;

#endif
