/** io/posix/system_internal.h - what POSIX has no call for, or one that is not good enough.
 *
 * A system joins by a file that has these functions (system_linux.c, list_dir_linux.c,
 * signals_linux.c) and one for ready.h. Results are counts or -errno. `lent` is memory on
 * loan, which a checked build may have poisoned.
 */
#ifndef TEMPEST_IO_POSIX_SYSTEM_INTERNAL_H
#define TEMPEST_IO_POSIX_SYSTEM_INTERNAL_H

#include "io/request.h"

/** pread(2), pwrite(2), readlinkat(2). */
int32_t tp_posix_pread(int fd, void *lent, uint32_t len_bytes, uint64_t offset);
int32_t tp_posix_pwrite(int fd, const void *lent, uint32_t len_bytes, uint64_t offset);
int32_t tp_posix_readlink(int dir, const char *path, void *lent, uint32_t len_bytes);

/** pread(2) of what is in memory. -EAGAIN: that would have to wait; -EOPNOTSUPP: the
 * system, or the file, does not know. */
int32_t tp_posix_pread_cached(int fd, void *lent, uint32_t len_bytes, uint64_t offset);

/** Reserves storage; posix_fallocate(3) writes zeros where a file system cannot, and has no
 * `keep_size`. */
int32_t tp_posix_allocate(int fd, uint64_t offset, uint64_t len_bytes, bool keep_size);

/** fstatat(2), and what direct I/O needs there. `path` NULL: the open file `dir`. */
int32_t tp_posix_status(int dir, const char *path, bool follow, struct tp_statx *ret_statx);

/** The next entries of a directory, packed into the memory that `request` lends. The
 * position is the fd's own, as readdir(3) does not have it. */
int32_t tp_posix_list_dir(const struct tp_request *request);

/** accept(2); the connection has O_CLOEXEC and does not block. -1 and errno. */
int tp_posix_accept(int listener);

/** A TCP peer that is silent for `idle_s` is asked every `between_s`, and given up after
 * `lost` questions. */
int32_t tp_posix_keep_alive(int fd, int idle_s, int between_s, int lost);

/** What an error of getaddrinfo(3), just now, is to a resolve: -errno. */
int32_t tp_posix_resolve_error(int error);

/** A page that reads 1 here and 0 in a child of fork(). NULL: none can be had, and only
 * getpid(2) tells. */
const uint8_t *tp_posix_alive_map(void);
void tp_posix_alive_unmap(const uint8_t *alive); /* NULL: nothing */

/** What open(2) takes for direct I/O. */
int tp_posix_direct_flag(void);

/** A fd that is ready to be read when a signal of the set (enum tp_signal) is there.
 * -EINVAL: this thread does not block all of it, so that some of it would do what it does
 * to a program that knows nothing. */
int tp_posix_signals_open(uint64_t signals);

/** Which it was; -EAGAIN: none any more. */
int32_t tp_posix_signals_read(int fd);

#endif
