/** apps/copy/check.h - what became of each file of a copy that lost its power.
 *
 * Before the copy, older versions are put where every other file is going to be. Afterwards
 * each must be there with all of its new content, or be as it was before: the older
 * version, or absent. Anything else is torn.
 */
#ifndef TEMPEST_APPS_COPY_CHECK_H
#define TEMPEST_APPS_COPY_CHECK_H

#include "apps/copy/load.h"

/** What was found; counts of files and symbolic links. */
struct copy_fates {
    uint64_t new_ones, old_ones, absent, torn;
};

/** Puts older versions of half of the files below `path`, with their directories. */
int32_t copy_put_older(struct tp_io *io, const struct copy_list *list, const char *path);

/** Looks at everything in `list`: at `source` it is whole, at `target` it is what it is.
 * Says which are torn, as far as `says` goes, and adds to `fates`. 0, or the error of the
 * Io. */
int32_t copy_check(struct tp_io *io, const struct copy_list *list, const char *source,
                   const char *target, uint32_t says, struct copy_fates *fates);

#endif
