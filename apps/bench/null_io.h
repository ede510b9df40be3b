/** apps/bench/null_io.h - a backend with no world behind it: each operation completes with
 * 0 at the next poll. What a loop over it costs is what the runtime costs. */
#ifndef TEMPEST_APPS_BENCH_NULL_IO_H
#define TEMPEST_APPS_BENCH_NULL_IO_H

#include "io/io.h"

/** 0 and an Io (tp_io_destroy() frees it), or -ENOMEM. */
int bench_null_io_create(uint32_t ops_max, struct tp_io **ret_io);

#endif
