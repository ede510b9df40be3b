/** apps/bench/copy.h - the contestants of `copy`: one large file, to a name that is free.
 *
 * All states of a contest begin with a struct bench_copy: where from, where to, and whether
 * what was copied must survive a power cut before the slice ends.
 */
#ifndef TEMPEST_APPS_BENCH_COPY_H
#define TEMPEST_APPS_BENCH_COPY_H

#include "bench.h"

/** What every contestant knows. */
struct bench_copy {
    const char *source;
    uint64_t bytes;
    bool durable;
    bool direct;         /* the destination is opened for direct I/O */
    const char *program; /* of those that are programs */
    char directory[BENCH_PATH_MAX];
    char destination[BENCH_PATH_MAX];
};

/** Puts what the setting says into `copy`; the destination is beside the source. */
int bench_copy_init(struct bench_copy *copy, const struct bench_setting *setting);

/** Before a slice: the destination is gone, and nothing is left to be written. */
int bench_copy_prepare(void *state);

/** After a slice: the destination is what the source is. */
int bench_copy_check(void *state);

/** Makes the data, size and name of the destination durable. 0 or -errno. */
int bench_copy_sync(const struct bench_copy *copy);

/** copy_raw.c: liburing, each block read and then written; the destination in the page
 * cache, or direct. */
int bench_copy_raw_open(const struct bench_setting *setting, void **ret_state);
int bench_copy_raw_open_direct(const struct bench_setting *setting, void **ret_state);
int bench_copy_raw_run(void *state, uint64_t operations);
void bench_copy_raw_close(void *state);

/** copy_machine.c: sm's copy machine in this process; the same two. */
int bench_copy_machine_open(const struct bench_setting *setting, void **ret_state);
int bench_copy_machine_open_direct(const struct bench_setting *setting, void **ret_state);
int bench_copy_machine_run(void *state, uint64_t operations);
void bench_copy_machine_close(void *state);

#endif
