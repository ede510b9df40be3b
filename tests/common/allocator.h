/** tests/common/allocator.h - an allocator that counts, and fails when told to. */
#ifndef TESTS_COMMON_ALLOCATOR_H
#define TESTS_COMMON_ALLOCATOR_H

#include "io/base.h"

struct allocator {
    struct tp_allocator hooks; /* hand this to what is tested */
    uint64_t live_bytes;
    uint64_t live_blocks;
    uint64_t taken_bytes;   /* since it was set to 0 */
    uint64_t taken_blocks;  /* likewise */
    uint64_t largest_bytes; /* likewise, of one block */
    uint64_t given_blocks;  /* likewise */
    uint64_t limit_bytes;   /* no more than so many are live; 0: no limit */
    uint64_t fail_in;       /* the so-manieth call from now on fails, from 1; 0: none */
    bool fails_on;          /* and so does every call after it */
    uint64_t
        ignore_bytes; /* blocks of just this size are neither failed nor counted as taken */
};

/** Zeroed counters, no failures. */
void allocator_init(struct allocator *allocator);

/** Starts counting what is taken anew. */
void allocator_restart(struct allocator *allocator);

#endif
