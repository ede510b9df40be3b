/** apps/bench/histogram.h - how often which latency occurred: percentiles to 1.6 %.
 *
 * Buckets are one ns wide up to 64 ns; from there on each power of two has 64 of them. What
 * is longer than 68 s counts as that.
 */
#ifndef TEMPEST_APPS_BENCH_HISTOGRAM_H
#define TEMPEST_APPS_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    BENCH_HISTOGRAM_SUB_BITS = 6,
    BENCH_HISTOGRAM_SUBS = 1 << BENCH_HISTOGRAM_SUB_BITS,
    BENCH_HISTOGRAM_BITS = 36,
    BENCH_HISTOGRAM_BUCKETS =
        (BENCH_HISTOGRAM_BITS - BENCH_HISTOGRAM_SUB_BITS + 1) * BENCH_HISTOGRAM_SUBS,
};

/** Zeroed memory is an empty one. */
struct bench_histogram {
    uint64_t total;
    uint32_t counts[BENCH_HISTOGRAM_BUCKETS];
};

/** Counts `count` occurrences of `value_ns`. */
void bench_histogram_add(struct bench_histogram *histogram, uint64_t value_ns,
                         uint32_t count);

/** The value that `share` (0 to 1) of all occurrences do not exceed, as the middle of its
 * bucket; 0 of an empty one. */
double bench_histogram_percentile(const struct bench_histogram *histogram, double share);

#endif
