/** io/posix/memory_internal.h - large tables that cost only what is touched, and stores
 * into memory that is on loan.
 */
#ifndef TEMPEST_IO_POSIX_MEMORY_INTERNAL_H
#define TEMPEST_IO_POSIX_MEMORY_INTERNAL_H

#include "io/base.h"

/** Zeroed pages that take memory when they are first touched; NULL when refused. */
void *tp_posix_reserve(size_t size_bytes);
void tp_posix_unreserve(void *memory, size_t size_bytes);

/** Copies into memory that an operation has lent. A checked build poisons it for everybody
 * but the world; this is the world writing. */
void tp_posix_store(void *lent, const void *from, size_t len_bytes);

/** The kernel has written there, which Valgrind did not see. `len_bytes` <= 0: it has not.
 */
void tp_posix_mark_written(const void *memory, int32_t len_bytes);

#endif
