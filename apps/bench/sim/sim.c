#include "apps/bench/sim/sim.h"

/* How fast the simulated world is. */

#define FILE_BYTES (UINT64_C(8) << 20)

void bench_sim_sample(void *state, struct bench_sample *ret_sample)
{
    (void)state;
    ret_sample->wall_ns = ret_sample->cpu_ns;
}

int bench_sim(const struct bench_options *options, struct bench_report *report)
{
    static const uint32_t depths[] = {64};
    const struct bench_contestant disk[] = {bench_sim_bare, bench_sim_bare_copy,
                                            bench_sim_disk};
    const struct bench_contestant seeds[] = {bench_sim_zoo, bench_sim_kv};
    struct bench_setting setting = {
        .options = options,
        .file_bytes = options->size_bytes > 0 ? options->size_bytes : FILE_BYTES,
        .bytes_op = 0,
    };
    int result = bench_contest_depths(report, &setting, depths, 1, disk, 3);

    if (result == 0)
        result = bench_contest(report, &setting, seeds, 2);
    if (result == 0)
        bench_sim_log3(options, report);
    return result;
}
