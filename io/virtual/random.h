/** io/virtual/random.h - the generator behind seeds: small, fast, the same everywhere. */
#ifndef TEMPEST_IO_VIRTUAL_RANDOM_H
#define TEMPEST_IO_VIRTUAL_RANDOM_H

#include "../base.h"

struct tp_rng {
    uint64_t state;
};

/** Spreads the bits of `value`: any two inputs give unrelated outputs. */
static inline uint64_t tp_rng_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/** A generator of its own for each (seed, sequence). */
static inline struct tp_rng tp_rng_make(uint64_t seed, uint64_t sequence)
{
    struct tp_rng rng = {tp_rng_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^
                         tp_rng_mix(~sequence * UINT64_C(0xd1342543de82ef95))};
    return rng;
}

/** The next 64 bits (splitmix64). */
static inline uint64_t tp_rng_next(struct tp_rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    return tp_rng_mix(rng->state);
}

/** A number below `bound`, which is at least 1. */
static inline uint64_t tp_rng_below(struct tp_rng *rng, uint64_t bound)
{
    uint64_t next = tp_rng_next(rng);

    if (bound <= UINT32_MAX)
        return ((next >> 32) * bound) >> 32;
    if ((bound & (bound - 1)) == 0) /* what many draws are from; spares them a division */
        return next & (bound - 1);
    return next % bound;
}

#endif
