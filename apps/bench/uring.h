/** apps/bench/uring.h - the ring of the raw contestants, set up as richly as the kernel has
 * it: the strong peer. */
#ifndef TEMPEST_APPS_BENCH_URING_H
#define TEMPEST_APPS_BENCH_URING_H

#include <liburing.h>
#include <stdint.h>

/** A ring with `entries` for submission, and room for as many `completions` (0: twice
 * that), with its own fd registered. 0 or -errno. */
int bench_uring_open(struct io_uring *ring, uint32_t entries, uint32_t completions);

#endif
