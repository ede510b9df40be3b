/** tests/linux/support.h - what the tests of LinuxIo share. */
#ifndef TESTS_LINUX_SUPPORT_H
#define TESTS_LINUX_SUPPORT_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "io/linux/linux.h"

/** A LinuxIo; the test fails if there is none. */
struct tp_io *make_io(const struct tp_linux_io_config *config);

/** A name of this process's own in the working directory, and the same with `suffix`. */
void scratch_name(char ret_path[256], const char *suffix);

/** Opens (and makes) a file for reading and writing. */
struct tp_fd open_file(struct tp_io *io, const char *path);

/** Makes a FIFO and opens it for reading and writing: reads wait until something is written
 * to the descriptor that `ret_writer` gets. */
struct tp_fd open_fifo(struct tp_io *io, const char *path, int *ret_writer);

/** Polls and parks until `handle` has completed; the test fails after ten seconds. */
int32_t wait_for(struct tp_io *io, uint64_t handle);

/** The same for everything in flight; the completions stay in the list, or are dropped. */
void wait_for_all(struct tp_io *io);

/** How many fds and how many threads the process has. */
uint32_t count_fds(void);
uint32_t count_threads(void);

/** The same as count_fds(), when `io` has all the fds that it will ever have. */
uint32_t count_fds_of(const struct tp_io *io);

#endif
