/** io/fd_table.h - which fds are open, under which generation, and where they came from.
 *
 * Shared by all backends. An entry is born when a backend reports the number, and dies when
 * its close is submitted: the generation moves on, and whoever still holds the old fd gets
 * -EBADF.
 */
#ifndef TEMPEST_IO_FD_TABLE_H
#define TEMPEST_IO_FD_TABLE_H

#include "fd.h"

struct tp_fd_entry {
    const char *file; /* of the open, when the runtime knows it */
    uint32_t line;
    uint32_t generation; /* of the fd that has this number, or will have it next; never 0 */
    uint32_t open;       /* 0 or 1 */
    uint32_t reserved;
};

struct tp_fd_table {
    uint32_t capacity;
    uint32_t open_count;
    uint32_t numbers; /* highest number seen, plus one */
    uint32_t reserved;
    struct tp_fd_entry entries[];
};

/** NULL when there is no memory. */
struct tp_fd_table *tp_fd_table_create(uint32_t capacity,
                                       const struct tp_allocator *allocator);
void tp_fd_table_destroy(struct tp_fd_table *table, const struct tp_allocator *allocator);

/** False when `number` is past the end of the table. The number must not be open. */
bool tp_fd_table_open(struct tp_fd_table *table, uint32_t number);

/** The fd of an open number. */
struct tp_fd tp_fd_table_get(const struct tp_fd_table *table, uint32_t number);

/** Whether `fd` is the one that is open under its number. */
static inline bool tp_fd_table_holds(const struct tp_fd_table *table, struct tp_fd fd)
{
    return fd.number < table->capacity && table->entries[fd.number].open != 0 &&
           table->entries[fd.number].generation == fd.generation;
}

/** Ends the life of `fd`, which must be open. */
void tp_fd_table_close(struct tp_fd_table *table, struct tp_fd fd);

#endif
