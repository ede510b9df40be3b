/** apps/bench/crowd.h - machines that share a supply of operations that do nothing.
 *
 * The contestants of `nop` that have a runtime. Each slice spawns the machines, lets them
 * use up the supply, and runs until all have ended.
 */
#ifndef TEMPEST_APPS_BENCH_CROWD_H
#define TEMPEST_APPS_BENCH_CROWD_H

#include "bench.h"

/** `depth` machines with one operation each. */
int bench_crowd_open(const struct bench_setting *setting, void **ret_state);

/** One machine with `depth` operations. */
int bench_crowd_open_one(const struct bench_setting *setting, void **ret_state);

/** `depth` machines with one operation each, and a deadline on each operation. */
int bench_crowd_open_deadline(const struct bench_setting *setting, void **ret_state);

/** One machine with `depth` children, each of which ends in its first tick. */
int bench_crowd_open_children(const struct bench_setting *setting, void **ret_state);

/** The first two over a backend that has no world behind it: the runtime's share. */
int bench_crowd_open_null(const struct bench_setting *setting, void **ret_state);
int bench_crowd_open_null_one(const struct bench_setting *setting, void **ret_state);

int bench_crowd_run(void *state, uint64_t operations);
void bench_crowd_close(void *state);

#endif
