/** apps/bench/sim/sim.h - what the parts of the benchmark `sim` have in common.
 *
 * The simulator is one thread that waits for nothing, so its figures are of the processor
 * time that it spends: a second of one core, whatever else the machine does.
 */
#ifndef TEMPEST_APPS_BENCH_SIM_SIM_H
#define TEMPEST_APPS_BENCH_SIM_SIM_H

#include <time.h>

#include "apps/bench/bench.h"

/** The processor time of a slice. */
struct bench_sim_clock {
    uint64_t started_ns, spent_ns;
};

static inline uint64_t bench_sim_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void bench_sim_clock_start(struct bench_sim_clock *clock)
{
    clock->started_ns = bench_sim_now_ns();
}

static inline void bench_sim_clock_stop(struct bench_sim_clock *clock)
{
    clock->spent_ns = bench_sim_now_ns() - clock->started_ns;
}

/** disk.c: operations on a simulated disk, `setting->depth` at a time. */
extern const struct bench_contestant bench_sim_disk;

/** seeds.c: runs of a scenario, a seed each, with power cuts and a recovery. */
extern const struct bench_contestant bench_sim_zoo, bench_sim_kv;

/** log3.c: a thousand virtual seconds of three nodes, a seed a round. */
void bench_sim_log3(const struct bench_options *options, struct bench_report *report);

#endif
