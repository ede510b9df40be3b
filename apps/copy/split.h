/** apps/copy/split.h - a path as given on the command line: a directory and a name in it.
 */
#ifndef TEMPEST_APPS_COPY_SPLIT_H
#define TEMPEST_APPS_COPY_SPLIT_H

#include "io/request.h"

struct copy_split {
    char parent[TP_PATH_MAX];   /* "" when the path is one name: the working directory */
    char name[TP_NAME_MAX + 1]; /* without slashes; "" with `itself` */
    bool itself; /* the path ends in "." or "..", or is the root: it has no name to use */
    bool slash;  /* it ends in '/': what it names is a directory, links are followed */
};

/** Splits. 0, -ENOENT (an empty path) or -ENAMETOOLONG. */
int32_t copy_split(const char *path, struct copy_split *ret_split);

/** The path by which the directory is opened. */
static inline const char *copy_split_parent(const struct copy_split *split)
{
    return split->parent[0] == '\0' ? "." : split->parent;
}

#endif
