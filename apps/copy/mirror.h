/** apps/copy/mirror.h - the same copy on another disk: SRC loaded there, DST made ready.
 *
 * On a virtual disk everything has the canonical path that it has on this machine, so
 * messages name the same places. The disk holds what is named by SRC and nothing else; DST
 * is a directory there, an empty one, if it is one here.
 */
#ifndef TEMPEST_APPS_COPY_MIRROR_H
#define TEMPEST_APPS_COPY_MIRROR_H

#include "apps/copy/copy.h"
#include "apps/copy/load.h"

/** One SRC that was loaded. */
struct copy_mirrored {
    char *path;   /* of SRC on the virtual disk, for the settings */
    char *root;   /* the same without what makes it be copied "itself" */
    char *target; /* where its root is going to be copied to */
    struct copy_list list;
};

struct copy_mirror {
    struct copy_settings settings; /* for the copy on the virtual disk */
    const char **paths;
    char *target;
    struct copy_mirrored *items;
    uint32_t count;
};

/** Loads every SRC through `io` and makes what DST needs; with `force_into` DST is a
 * directory even if it is none here. 0, or -errno, which was said. copy_mirror_deinit()
 * frees it in any case. */
int32_t copy_mirror_load(struct copy_mirror *mirror, struct tp_io *io,
                         const struct copy_settings *settings, bool force_into);

void copy_mirror_deinit(struct copy_mirror *mirror);

#endif
