/** io/virtual/latency.h - how long something takes: from a draw to a time. */
#ifndef TEMPEST_IO_VIRTUAL_LATENCY_H
#define TEMPEST_IO_VIRTUAL_LATENCY_H

#include "world.h"

/** The latency that `drawn`, of 2^32 values, stands for: 0 the base, then longer, the long
 * tail, and none at the very top. */
uint64_t tp_latency_of(const struct tp_virtual_latency *latency, uint32_t drawn);

#endif
