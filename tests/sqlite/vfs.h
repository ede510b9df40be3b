/** tests/sqlite/vfs.h - SQLite's door to the operating system, over a VirtualIo.
 *
 * Each call of SQLite is one operation of the Io, run to its end: a synchronous facade. It
 * does what SQLite's own unix VFS does where durability is concerned: the first sync of a
 * new journal syncs its directory as well, a delete syncs the directory when SQLite asks
 * for it, and the database's own entry is never synced. When the Io has died (its power was
 * cut), every call fails.
 *
 * One VFS a process, one Io at a time, any number of files. It is SQLite's default, so that
 * SQLite has no other source of chance.
 */
#ifndef TESTS_SQLITE_VFS_H
#define TESTS_SQLITE_VFS_H

#include "io/io.h"

#define VFS_NAME "tempest"

/** Makes it known to SQLite; SQLITE_OK or its error. */
int vfs_register(void);

/** What is unlike the unix VFS. */
enum {
    VFS_FORGETS_DIRS = 1, /* a planted error: no directory is ever synced */
    VFS_TEARS = 2,        /* the device may hurt what lies beside a write, and says so: no
                             SQLITE_IOCAP_POWERSAFE_OVERWRITE */
};

/** The Io of all files from now on; none may be open on another. `seed` starts what SQLite
 * takes for random. */
void vfs_use(struct tp_io *io, uint64_t seed, uint32_t flags);

#endif
