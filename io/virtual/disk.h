/** io/virtual/disk.h - a disk with a file system on it, in memory, that can lose its power.
 *
 * A disk outlives the Io (virtual.h) that works on it: an Io is a running machine, a disk
 * is what is left when it stops. It is made of layers, each with its own content:
 *
 *     names in memory            a log of operations on names   names on the media
 *     page cache (4096 bytes)    device cache (sectors)         media (sectors)
 *     size and mode in memory                                   size and mode on the media
 *
 * tp_disk_kill() is the death of a process: everything in memory survives, open files do
 * not. tp_disk_power_cut() is the loss of power: the media survive, and of what was on its
 * way to them, what the tape says, within the rules of the profile (docs/simulation.md).
 *
 * The functions on paths below are for tests and programs, to put files on a disk and to
 * look at it. They take no time, draw nothing, and what they write is durable at once.
 * Paths are as those of operations; relative ones begin at the root.
 *
 * Errors: as the operations give them (-ENOENT, ...); -ENOSPC past the capacity.
 */
#ifndef TEMPEST_IO_VIRTUAL_DISK_H
#define TEMPEST_IO_VIRTUAL_DISK_H

#include "../request.h"

#include "tape.h"

/** What a file system and its device promise, beyond the rules that all hold to. */
enum tp_disk_profile {
    TP_DISK_PARANOID, /* the least that POSIX and disks promise: for finding bugs */
    TP_DISK_EXT4,  /* name operations survive as a prefix; fsync of a file commits them */
    TP_DISK_XFS,   /* the same */
    TP_DISK_BTRFS, /* fsync of a file commits that file's own names; that of a directory a
                      new name in it, beside which the old one may stay */
    TP_DISK_NVME_PLP,     /* paranoid, but the device's cache survives */
    TP_DISK_CONSUMER_SSD, /* paranoid, and a sector in flight may be shorn, garbage or zeros
                           */
    TP_DISK_DIRECT, /* paranoid, without a page cache: every write goes to the device, as
                       with direct I/O; only what the device's cache has can be lost */
    TP_DISK_PROFILES
};

/** All zero gives the defaults. */
struct tp_disk_config {
    uint32_t size;              /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t profile;           /* enum tp_disk_profile */
    uint64_t capacity_bytes;    /* of file data; 0: 1 GiB */
    uint32_t inodes_max;        /* files, directories and links; 0: 1048576 */
    uint32_t sector_bytes;      /* written whole or not at all: 512 or 4096; 0: 512 */
    uint32_t names_pending_max; /* operations on names not on the media; past it the oldest
                                   goes; 0: 4096 */
    uint32_t writeback_one_in;  /* one write in so many moves a page down by itself; 0: 64;
                                   1: all */
    bool writeback_off;         /* nothing moves by itself */
    const struct tp_allocator *allocator;
};

/** How full a disk is, and how much of it a power cut could take. */
struct tp_disk_usage {
    uint64_t capacity_bytes, used_bytes;
    uint32_t inodes_max, inodes;
    uint32_t dirty_pages;   /* with a sector that is not on the media */
    uint32_t pending_names; /* operations on names that are not on the media */
};

struct tp_disk; /* disk_internal.h */

TP_BEGIN_DECLS

/** The name of a profile ("paranoid"); NULL past the last. */
TP_EXPORT const char *tp_disk_profile_name(uint32_t profile);

/** An empty disk with a root directory. NULL config: the defaults. 0, -EINVAL (a size that
 * is not possible), or -ENOMEM. The allocator must outlive the disk. */
TP_EXPORT int tp_disk_create(const struct tp_disk_config *config,
                             struct tp_disk **ret_disk);

/** No Io may be at work on it. NULL is fine. */
TP_EXPORT void tp_disk_destroy(struct tp_disk *disk);

/** A copy that shares nothing, in every layer. No Io may be at work on `disk`. 0, or
 * -ENOMEM. */
TP_EXPORT int tp_disk_clone(const struct tp_disk *disk, struct tp_disk **ret_clone);

/** Cuts the power: draws on the crash stream of `node` what survives. An Io that was at
 * work on the disk is dead from then on; use tp_virtual_io_power_cut() to end its
 * operations as well. */
TP_EXPORT void tp_disk_power_cut(struct tp_disk *disk, struct tp_tape *tape, uint32_t node);

/** The processes die: open files are closed, everything written stays. For an Io that is at
 * work there is tp_virtual_io_kill(); here none may be. */
TP_EXPORT void tp_disk_kill(struct tp_disk *disk);

/** The device alone is reset, the host lives: of what its cache has and the media do not,
 * each page reaches the media or is gone, by draws on the fault stream of `node`, and the
 * next fsync says nothing of it. Memory keeps what it has, up to an eviction; what direct
 * I/O wrote is the old again at once. Result: pages that are gone; 0 where the device's
 * cache survives. Faults of the family cache_loss (faults.h) do the same. */
TP_EXPORT uint32_t tp_disk_lose_cache(struct tp_disk *disk, struct tp_tape *tape,
                                      uint32_t node);

/** Makes the disk larger or smaller from now on; what is on it stays, however much it is.
 */
TP_EXPORT void tp_disk_set_capacity(struct tp_disk *disk, uint64_t capacity_bytes);

/** Makes everything durable, as sync(2) does. */
TP_EXPORT void tp_disk_sync(struct tp_disk *disk);

/** A hash of what programs can see: names, kinds, modes, sizes, contents. Not of what is
 * durable. */
TP_EXPORT uint64_t tp_disk_hash(const struct tp_disk *disk);

/** Walks every structure and stops the program when one contradicts another; for tests. */
TP_EXPORT void tp_disk_check(const struct tp_disk *disk);

/** What is used and what is not durable, now. */
TP_EXPORT struct tp_disk_usage tp_disk_usage(const struct tp_disk *disk);

/* ------------------------------------------------------------------ putting files on it */

/** Makes a directory with this mode, umask not applied. 0, or -errno. */
TP_EXPORT int32_t tp_disk_make_dir(struct tp_disk *disk, const char *path, uint32_t mode);

/** Makes a directory and those above it that are missing; 0 if it is there already. */
TP_EXPORT int32_t tp_disk_make_dirs(struct tp_disk *disk, const char *path);

/** Makes a symbolic link called `path` that names `target`. 0, or -errno. */
TP_EXPORT int32_t tp_disk_make_symlink(struct tp_disk *disk, const char *path,
                                       const char *target);

/** Makes a file, or empties the one that is there. */
TP_EXPORT int32_t tp_disk_make_file(struct tp_disk *disk, const char *path, uint32_t mode);

/** Sets the permission bits (07777). 0, or -errno. */
TP_EXPORT int32_t tp_disk_set_mode(struct tp_disk *disk, const char *path, uint32_t mode);

/** Sets the size of a regular file; new bytes are zeros. 0, or -errno. */
TP_EXPORT int32_t tp_disk_set_size(struct tp_disk *disk, const char *path,
                                   uint64_t size_bytes);

/** Writes a part of a file that is there. Result: bytes, fewer if the disk becomes full. */
TP_EXPORT int64_t tp_disk_write_at(struct tp_disk *disk, const char *path, uint64_t offset,
                                   const void *bytes, uint64_t len_bytes);

/** Makes or replaces a file (mode 0644) with this content. 0, or -errno. */
TP_EXPORT int32_t tp_disk_write_file(struct tp_disk *disk, const char *path,
                                     const void *bytes, uint64_t len_bytes);

/** Removes a file, a symbolic link, or an empty directory. */
TP_EXPORT int32_t tp_disk_remove(struct tp_disk *disk, const char *path);

/* ------------------------------------------------------------------ looking at it */

/** Follows a symbolic link only if `follow`. */
TP_EXPORT int32_t tp_disk_stat(const struct tp_disk *disk, const char *path, bool follow,
                               struct tp_statx *ret_statx);

/** Result: bytes, 0 at the end of the file. */
TP_EXPORT int64_t tp_disk_read_at(const struct tp_disk *disk, const char *path,
                                  uint64_t offset, void *ret_bytes, uint64_t len_bytes);

/** The first run of data that ends after `offset`, as find_data does: 1 or 0. */
TP_EXPORT int32_t tp_disk_find_data(const struct tp_disk *disk, const char *path,
                                    uint64_t offset, struct tp_extent *ret_extent);

/** What a symbolic link names, NUL-terminated. Result: its length, -ERANGE if it does not
 * fit. */
TP_EXPORT int32_t tp_disk_read_link(const struct tp_disk *disk, const char *path,
                                    char *ret_target, uint32_t size_bytes);

/** Calls `each` for everything below the directory `path`, parents before their children,
 * in the order in which names were made; `name` is the path below `path`. Stops when it
 * returns a value other than 0, which becomes the result. */
TP_EXPORT int32_t tp_disk_walk(const struct tp_disk *disk, const char *path,
                               int32_t (*each)(void *context, const char *name,
                                               const struct tp_statx *statx),
                               void *context);

/** Whether two trees hold the same names, kinds, modes, link targets and contents. Result:
 * 0, or 1 and the path (below both) of the first difference, cut at `size_bytes`. */
TP_EXPORT int32_t tp_disk_compare(const struct tp_disk *disk, const char *path,
                                  const struct tp_disk *other, const char *other_path,
                                  char *ret_path, uint32_t size_bytes);

TP_END_DECLS

#endif
