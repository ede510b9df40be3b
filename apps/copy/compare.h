/** apps/copy/compare.h - whether two files hold the same bytes. */
#ifndef TEMPEST_APPS_COPY_COMPARE_H
#define TEMPEST_APPS_COPY_COMPARE_H

#include "apps/copy/copy.h"
#include "sm/place.h"

struct copy_compare {
    struct tp_machine machine;
    uint64_t
        offset; /* read: compared so far; where they differ, at most a block before it */
    uint32_t failed_kind; /* enum tp_kind of the operation that failed, with a result < 0 */
    enum copy_side failed_side;
    struct tp_place place[COPY_SIDES];
    struct tp_fd fd[COPY_SIDES];
    struct tp_buf block[COPY_SIDES], part[COPY_SIDES];
    struct tp_op op[COPY_SIDES];
    uint32_t filled[COPY_SIDES];
    enum copy_side side;
    int32_t result;
};

/** What it completes with besides a negative errno. */
enum { COPY_EQUAL = 0, COPY_DIFFERENT = 1 };

/** Starts it as a child. `memory` is lent: half of it for each side. */
struct tp_op copy_compare_start(struct tp_ctx *cx, struct copy_compare *compare,
                                struct tp_place source, struct tp_place target,
                                void *memory, uint32_t memory_bytes);

#endif
