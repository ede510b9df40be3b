/** apps/bench/sim/sim.h - what the parts of the benchmark `sim` have in common.
 *
 * The simulator is one thread that waits for nothing, so its figures are of the processor
 * time that it spends: a second of one core, whatever else the machine does.
 */
#ifndef TEMPEST_APPS_BENCH_SIM_SIM_H
#define TEMPEST_APPS_BENCH_SIM_SIM_H

#include "apps/bench/bench.h"

/** sim.c: a hook that takes the processor time of a slice for its time. */
void bench_sim_sample(void *state, struct bench_sample *ret_sample);

/** bare.c: events of a heap; the same with a page copied for each. */
extern const struct bench_contestant bench_sim_bare, bench_sim_bare_copy;

/** disk.c: operations on a simulated disk, `setting->depth` at a time. */
extern const struct bench_contestant bench_sim_disk;

/** seeds.c: runs of a scenario, a seed each, with power cuts and a recovery. */
extern const struct bench_contestant bench_sim_zoo, bench_sim_kv;

/** log3.c: a thousand virtual seconds of three nodes, a seed a round. */
void bench_sim_log3(const struct bench_options *options, struct bench_report *report);

#endif
