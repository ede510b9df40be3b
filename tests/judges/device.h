/** tests/judges/device.h - a disk that remembers every write and every flush.
 *
 * It is what the backing file system (backing.h) serves. A position is a number of log
 * entries: what was written before it, and nothing after, is known to the device. Cutting
 * at a position makes the image that a device may be left with: what a flush covers is
 * there, and of the rest each write is kept, dropped, or torn between sectors.
 *
 * Memory: two sparse files in a directory, and a log that is bounded; once it is full the
 * device answers -ENOSPC. Threads: the backing file system writes while the program reads
 * the position.
 */
#ifndef TEMPEST_TESTS_JUDGES_DEVICE_H
#define TEMPEST_TESTS_JUDGES_DEVICE_H

#include "io/base.h"
#include "io/virtual/random.h"

#include <pthread.h>

struct device_entry {
    uint64_t offset;
    uint32_t len; /* 0: a flush */
    uint32_t at;  /* in the log's bytes, in units of DEVICE_UNIT */
};

enum { DEVICE_UNIT = 512, DEVICE_ENTRIES_MAX = 1 << 18 };
#define DEVICE_LOG_BYTES UINT64_C(0x60000000)

struct device {
    uint64_t size_bytes;
    uint64_t whole; /* where a block of 4096 bytes begins that is never torn */
    int base;       /* the content at position 0 */
    int now;        /* the content that reads see */
    struct device_entry *entries;
    uint32_t count;
    uint8_t *bytes;
    uint64_t used;
    bool full; /* the log was: what follows is worth nothing */
    pthread_mutex_t mutex;
};

/** What became of the writes that no flush covered, over the whole cut. */
enum device_way {
    DEVICE_ALL,
    DEVICE_NONE,
    DEVICE_FIRST, /* those before a random one */
    DEVICE_EACH,  /* each by itself, kept or dropped */
    DEVICE_TORN,  /* each by itself, and perhaps torn */
    DEVICE_WAYS
};

struct device_cut {
    uint32_t at;      /* the position */
    uint32_t flushed; /* what was written before this position is there */
    uint32_t way;     /* enum device_way */
    uint32_t sector_bytes;
    uint32_t writes, kept, torn; /* not covered by a flush; of these */
};

/** Makes a device of this size, all zeros; its content is the file `now` in the directory.
 * 0, or -errno. */
int device_init(struct device *device, const char *dir, uint64_t size_bytes);
void device_deinit(struct device *device);

/** Forgets the log; what the device has now is its base, or `back`: has its base again. */
int device_restart(struct device *device, bool back);

int device_read(struct device *device, uint64_t offset, uint8_t *bytes, uint32_t len);
int device_write(struct device *device, uint64_t offset, const uint8_t *bytes,
                 uint32_t len);
void device_flush(struct device *device);
uint32_t device_position(struct device *device);

/** Makes the image that a cut at `at` may leave, in the file `image`, by draws of `rng`.
 * `lies`: the device dropped writes that a flush had covered; for a self-test. */
int device_cut(struct device *device, uint32_t at, bool lies, struct tp_rng *rng, int image,
               struct device_cut *ret_cut);

#endif
