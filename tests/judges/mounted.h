/** tests/judges/mounted.h - real file systems: made, mounted on a loop device, unmounted.
 *
 * Everything happens in a mount namespace of the process's own, on a memory file system in
 * it: when the process ends, in whatever way, the kernel unmounts all, and loop devices
 * detach themselves. Nothing is left behind.
 */
#ifndef TEMPEST_TESTS_JUDGES_MOUNTED_H
#define TEMPEST_TESTS_JUDGES_MOUNTED_H

#include "io/base.h"

/** A file system that can be judged. */
struct judged_kind {
    const char *name;    /* "ext4": its type, and the profile that it is judged by */
    const char *make[8]; /* the command that makes one, without the path */
    const char *options; /* of the mount */
    uint64_t size_bytes;
    uint64_t superblock; /* where the block begins that it takes to be written whole */
};

extern const struct judged_kind judged_kinds[];
extern const uint32_t judged_kind_count;

/** Enters a namespace of its own, with an empty memory file system at MOUNTED_ROOT. False,
 * and a reason, if that is not possible here. */
#define MOUNTED_ROOT "/tmp"
bool mounted_enter(const char **ret_reason);

/** Makes a new file system in the file at `path`. False, and a reason. */
bool mounted_make(const struct judged_kind *kind, const char *path,
                  const char **ret_reason);

/** Mounts the file (open at `fd`) at `dir`, through a loop device that lives as long as the
 * mount. 0, or -errno. */
int mounted_mount(const struct judged_kind *kind, int fd, const char *dir);

/** Unmounts, waiting for who is still busy. 0, or -errno. */
int mounted_unmount(const char *dir);

#endif
