/** apps/copy/sim/tree.h - what is copied: a small tree, in several editions that differ in
 * every byte and in size.
 */
#ifndef TEMPEST_APPS_COPY_SIM_TREE_H
#define TEMPEST_APPS_COPY_SIM_TREE_H

#include "io/virtual/disk.h"

enum {
    COPY_TREE_FILES = 5,
    COPY_TREE_EDITIONS = 3, /* edition e is in the place e % COPY_TREE_EDITIONS */
    COPY_TREE_BYTES_MAX = 40000,
    COPY_TREE_PATH_BYTES = 48,
};

/** What a file was found to be. */
enum copy_tree_find {
    COPY_TREE_ABSENT,
    COPY_TREE_WHOLE, /* all of one edition: its place says which */
    COPY_TREE_TORN,
};

/** What an edition's tree has in it ("/src0/."), and where that is copied to. */
const char *copy_tree_source(uint64_t edition);
#define COPY_TREE_TARGET "/dst"

/** Puts all editions on a disk, and the directory for the copy. `size_at` shifts the sizes.
 */
void copy_tree_put(struct tp_disk *disk, uint32_t size_at);

/** What file `index` of the copy is, and, if it is whole, the place of its edition. */
enum copy_tree_find copy_tree_look(const struct tp_disk *disk, uint32_t size_at,
                                   uint32_t index, uint32_t *ret_place);

/** Its name below the tree. */
const char *copy_tree_name(uint32_t index);

#endif
