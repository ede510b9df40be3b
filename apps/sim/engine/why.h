/** apps/sim/engine/why.h - why the run failed, found out in small steps.
 *
 * As explain.h has it, with trials in this process: each is a run of its own beside the
 * one that failed. One that traps takes the module with it: the host says so to a copy of
 * the memory from before, or, where the trial was to keep its facts, from after it; and
 * that trial counts as failed.
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_WHY_H
#define TEMPEST_APPS_SIM_ENGINE_WHY_H

#include "apps/sim/explain.h"

struct engine;
struct engine_why;

/** Begins, for a run that is over and has not passed. NULL: no memory. */
struct engine_why *engine_why_begin(const struct engine *engine);

/** One trial. True: there is more to do. */
bool engine_why_step(struct engine_why *why);

/** In a copy of the memory of an instance in which a trial has trapped: whether it was to
 * keep its facts, and has kept those until then. */
bool engine_why_keeps(const struct engine_why *why);

/** The trial of the next step has trapped, or, where it keeps its facts, that of this one:
 * it counts as failed, and the step is done. */
void engine_why_trapped(struct engine_why *why);

/** What is known, as JSON. */
void engine_why_write(struct engine_why *why, FILE *out);

/** NULL is fine. */
void engine_why_end(struct engine_why *why);

#endif
