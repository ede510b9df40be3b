/** apps/bench/file.h - the files that benchmarks work on: made once, checked, warmed or
 * cold. */
#ifndef TEMPEST_APPS_BENCH_FILE_H
#define TEMPEST_APPS_BENCH_FILE_H

#include "bench.h"

/** Writes the path of `name` in the options' directory to `path` (BENCH_PATH_MAX bytes),
 * and makes the directory. */
int bench_file_place(const struct bench_options *options, const char *name, char *path);

/** Puts path and size of the file to work on into the setting: the one that was asked for,
 * or `name` in the options' directory, made (durable, with data in every block) if it is
 * not there in the size wanted. `path` is where the name is written, BENCH_PATH_MAX bytes.
 */
int bench_file_prepare(struct bench_setting *setting, const char *name,
                       uint64_t default_bytes, char *path);

/** The path of the program `name` that lies beside this one, BENCH_PATH_MAX bytes; false if
 * none does. */
bool bench_file_neighbour(const char *name, char *path);

/** Reads all of the file, so that it is in the page cache. */
int bench_file_warm(const char *path);

/** Drops the file from the page cache. */
int bench_file_cool(const char *path);

#endif
