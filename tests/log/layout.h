/** tests/log/layout.h - where the groups of a journal are, found by reading its files. */
#ifndef TESTS_LOG_LAYOUT_H
#define TESTS_LOG_LAYOUT_H

#include "tests/log/world.h"

enum { LAYOUT_GROUPS_MAX = 1024, LAYOUT_SEGMENTS_MAX = 64 };

struct layout {
    struct tp_journal_segment segments[LAYOUT_SEGMENTS_MAX];
    struct tp_journal_group groups[LAYOUT_GROUPS_MAX]; /* sound ones, in order of place */
    uint32_t segment_count, group_count;
    uint64_t lowest, highest; /* numbers of segments */
};

/** Reads all segments from the lowest on until one is missing. */
void layout_read(struct world *world, uint64_t lowest, struct layout *ret_layout);

#endif
