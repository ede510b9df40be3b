/** tests/virtual/scenario.h - a seeded workload on a VirtualIo: what a run does is a
 * function of its seed, so its trace hash must be the same everywhere. Plain C; no test
 * framework. */
#ifndef TESTS_VIRTUAL_SCENARIO_H
#define TESTS_VIRTUAL_SCENARIO_H

#include "io/virtual/virtual.h"

struct scenario {
    uint64_t seed;
    uint32_t operations; /* to hand in */
    uint32_t depth;      /* in flight at a time, at most 64 */
    bool cut;            /* cut the power half-way, and go on with a new Io on the disk */
    struct tp_virtual_io_config config; /* seed, tape and disk are set by the scenario */
    struct tp_tape *tape;               /* NULL: one from the seed */
    uint32_t profile;                   /* enum tp_disk_profile */
};

struct scenario_outcome {
    uint64_t trace;      /* hash of the trace (both, where there are two) */
    uint64_t disk;       /* hash of what the disk shows in the end */
    uint64_t virtual_ns; /* time that passed */
    uint64_t completions;
    uint64_t errors; /* of these, negative */
};

/** Runs it. */
struct scenario_outcome scenario_run(const struct scenario *scenario);

/** 16 hexadecimal digits and a NUL. */
void scenario_hex(uint64_t value, char ret_text[17]);

#endif
