/** tests/judges/backing.h - a file system of one file, whose content is a device.
 *
 * The file is called `disk`. A loop device made of it passes every write on at once, and a
 * flush as an fsync. One thread serves it, so the device's log is in the order in which
 * requests arrived; a flush covers what was acknowledged before it.
 */
#ifndef TEMPEST_TESTS_JUDGES_BACKING_H
#define TEMPEST_TESTS_JUDGES_BACKING_H

#include "device.h"

struct backing;

/** Mounts it at the directory. NULL, and a reason, if that cannot be done here. */
struct backing *backing_start(struct device *device, const char *dir,
                              const char **ret_reason);

/** Unmounts it; nothing may have the file open. NULL is fine. */
void backing_stop(struct backing *backing);

#endif
