/** apps/copy/plan.h - what --dry-run says: a line for everything that would be copied. */
#ifndef TEMPEST_APPS_COPY_PLAN_H
#define TEMPEST_APPS_COPY_PLAN_H

#include "apps/copy/copy.h"

/** Prints "'SRC/a' -> 'DST/a', 12 KiB" to standard output. `name` as in a task. */
void copy_plan_say(const struct copy_dir *dir, const char *const name[COPY_SIDES],
                   const struct tp_statx *source);

#endif
