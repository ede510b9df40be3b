/** apps/sim/engine/why.h - why a run failed, as JSON: what explain.h has found out. */
#ifndef TEMPEST_APPS_SIM_ENGINE_WHY_H
#define TEMPEST_APPS_SIM_ENGINE_WHY_H

#include "apps/sim/explain.h"

/** Members of an object, without its braces. */
void engine_why_write(const struct tp_explain *explain, FILE *out);

#endif
