/** apps/bench/read.h - the contestants of `read`: 4 KiB at random offsets of one file.
 *
 * Each keeps `depth` reads in flight until the slice has used up its operations, and then
 * waits for all of them. Each looks at what it got: the length, and in a file of our own
 * the number that its block begins with.
 */
#ifndef TEMPEST_APPS_BENCH_READ_H
#define TEMPEST_APPS_BENCH_READ_H

#include <errno.h>
#include <string.h>

#include "bench.h"

enum { BENCH_BLOCK_BYTES = 4096 };

/** What every contestant knows of the file, and of where it is in the stream of offsets. */
struct bench_blocks {
    uint64_t count;
    uint64_t random;
    bool marked;
};

/** The flags of open(2) that the setting asks for. */
int bench_read_open_flags(const struct bench_setting *setting);

static inline struct bench_blocks bench_blocks_of(const struct bench_setting *setting)
{
    struct bench_blocks blocks = {setting->file_bytes / BENCH_BLOCK_BYTES, 1,
                                  setting->marked};

    return blocks;
}

/** The next block to read. */
static inline uint64_t bench_blocks_next(struct bench_blocks *blocks)
{
    return (uint64_t)(((bench_random(&blocks->random) >> 32) * blocks->count) >> 32);
}

/** 0, or what is wrong with what a read of `block` brought. */
static inline int bench_blocks_check(const struct bench_blocks *blocks, uint64_t block,
                                     int64_t result, const void *data)
{
    uint64_t mark;

    if (result < 0)
        return (int)result;
    if (result != BENCH_BLOCK_BYTES)
        return -ENODATA;
    if (!blocks->marked)
        return 0;
    memcpy(&mark, data, sizeof mark);
    return mark == block ? 0 : -EILSEQ;
}

/** read_raw.c: liburing with a registered file; with registered buffers too; pread(2). */
int bench_read_raw_open(const struct bench_setting *setting, void **ret_state);
int bench_read_raw_open_fixed(const struct bench_setting *setting, void **ret_state);
int bench_read_pread_open(const struct bench_setting *setting, void **ret_state);
int bench_read_raw_run(void *state, uint64_t operations);
void bench_read_raw_close(void *state);
int bench_read_pread_run(void *state, uint64_t operations);

/** read_tempest.c: a machine for each read in flight, the same with registered buffers, one
 * machine for all, and the Io alone. */
int bench_read_machines_open(const struct bench_setting *setting, void **ret_state);
int bench_read_machines_open_fixed(const struct bench_setting *setting, void **ret_state);
int bench_read_machines_open_one(const struct bench_setting *setting, void **ret_state);
int bench_read_machines_run(void *state, uint64_t operations);
int bench_read_io_run(void *state, uint64_t operations);
void bench_read_machines_close(void *state);

#ifdef BENCH_LIBUV
/** read_uv.c: libuv's pool of threads. */
int bench_read_uv_open(const struct bench_setting *setting, void **ret_state);
int bench_read_uv_run(void *state, uint64_t operations);
void bench_read_uv_close(void *state);
#endif

#endif
