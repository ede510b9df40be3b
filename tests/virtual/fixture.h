/** tests/virtual/fixture.h - a disk, a tape and a VirtualIo, used step by step.
 *
 * The f_ functions run one operation to its end and return its result. A test of a power
 * cut builds a state once and cuts clones of it with many seeds: see f_cut().
 */
#ifndef TESTS_VIRTUAL_FIXTURE_H
#define TESTS_VIRTUAL_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "io/virtual/virtual.h"

struct fixture {
    struct tp_disk_config disk_config;
    struct tp_virtual_io_config config; /* tape and disk are the fixture's */
    struct tp_disk *disk;
    struct tp_tape *tape;
    struct tp_io *io;
};

/** A disk by `disk_config`, if there is none yet, and an Io on it with a tape from `seed`.
 */
void f_boot(struct fixture *f, uint64_t seed);
/** The Io ends in order; the disk stays as it is, with all that is not durable. */
void f_halt(struct fixture *f);
/** Frees everything. */
void f_free(struct fixture *f);

/** A copy of the disk after a power cut by `seed`; destroy it. The Io must have ended. */
struct tp_disk *f_cut(const struct fixture *f, uint64_t seed);

/** The result of one operation. */
int32_t f_do(struct fixture *f, struct tp_request request);

struct tp_fd f_open(struct fixture *f, const char *path, struct tp_open_options options);
#define F_RW ((struct tp_open_options){.read = true, .write = true, .create = true})
void f_close(struct fixture *f, struct tp_fd fd);

/** Writes `len` bytes of the letter. */
int32_t f_write(struct fixture *f, struct tp_fd fd, char letter, uint32_t len,
                uint64_t offset);
/** Makes or overwrites a file with `len` of the letter, without a sync. */
void f_put(struct fixture *f, const char *path, char letter, uint32_t len);
/** The same, and all of it durable. */
void f_put_durable(struct fixture *f, const char *path, char letter, uint32_t len);

/** What `len` bytes at `offset` of a file are: the letter if all are that, 0 for zeros, '?'
 * for a mixture, '-' when the file is missing or shorter. */
char f_letter(const struct tp_disk *disk, const char *path, uint64_t offset, uint32_t len);

bool f_exists(const struct tp_disk *disk, const char *path);
/** UINT64_MAX when it is missing. */
uint64_t f_size(const struct tp_disk *disk, const char *path);

#endif
