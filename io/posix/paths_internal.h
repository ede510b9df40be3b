/** io/posix/paths_internal.h - copies of paths, kept until the kernel or a worker is done.
 *
 * Storage cannot run out: there are two slots for each record (an operation names at most
 * two paths), of two sizes, in memory that costs nothing until it is touched. Freed slots
 * are used again last in, first out, so that a steady load stays in the same few pages.
 */
#ifndef TEMPEST_IO_POSIX_PATHS_INTERNAL_H
#define TEMPEST_IO_POSIX_PATHS_INTERNAL_H

#include "io/request.h"

#define TP_POSIX_PATH_SHORT \
    UINT32_C(256) /* bytes of a slot for a short path, NUL included */

struct tp_posix_path_class {
    char *memory;
    uint32_t slot_bytes;
    uint32_t slots;
    uint32_t touched;    /* slots that were ever used */
    uint32_t first_free; /* 1 + index; a free slot begins with the number of the next */
};

struct tp_posix_paths {
    struct tp_posix_path_class classes[2]; /* short, long */
    void *memory;
    size_t size_bytes;
};

/** Reserves slots for `records` records. 0, or -ENOMEM. */
int tp_posix_paths_init(struct tp_posix_paths *paths, uint32_t records);
void tp_posix_paths_deinit(struct tp_posix_paths *paths);

/** A copy of `path`, which has fewer than TP_PATH_MAX bytes. */
char *tp_posix_paths_keep(struct tp_posix_paths *paths, const char *path);

/** Gives a copy back. */
void tp_posix_paths_drop(struct tp_posix_paths *paths, char *path);

#endif
