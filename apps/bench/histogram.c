#include "histogram.h"

#include "io/base.h"

static uint32_t bucket_of(uint64_t value)
{
    uint32_t octave;

    if (value < BENCH_HISTOGRAM_SUBS)
        return (uint32_t)value;
    if (value >> BENCH_HISTOGRAM_BITS != 0)
        return BENCH_HISTOGRAM_BUCKETS - 1;
    octave = 63 - (uint32_t)__builtin_clzll(value) - BENCH_HISTOGRAM_SUB_BITS;
    return octave * BENCH_HISTOGRAM_SUBS + (uint32_t)(value >> octave);
}

/* The middle of the bucket. */
static double value_of(uint32_t bucket)
{
    uint32_t octave = bucket / BENCH_HISTOGRAM_SUBS;
    uint64_t sub = bucket % BENCH_HISTOGRAM_SUBS;

    if (octave == 0)
        return (double)sub;
    octave--;
    return (double)((sub + BENCH_HISTOGRAM_SUBS) << octave) +
           ((double)(UINT64_C(1) << octave) - 1) / 2;
}

void bench_histogram_add(struct bench_histogram *histogram, uint64_t value_ns,
                         uint32_t count)
{
    uint32_t bucket = bucket_of(value_ns);

    tp_assert(bucket < BENCH_HISTOGRAM_BUCKETS);
    histogram->counts[bucket] += count;
    histogram->total += count;
}

double bench_histogram_percentile(const struct bench_histogram *histogram, double share)
{
    double rank = share * (double)histogram->total;
    uint64_t seen = 0;

    tp_assert(share >= 0 && share <= 1);
    for (uint32_t bucket = 0; bucket < BENCH_HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen > 0 && (double)seen >= rank)
            return value_of(bucket);
    }
    return 0;
}
