#include "apps/copy/split.h"

#include <errno.h>
#include <string.h>

/* The length of `path` up to `len` without the slashes at its end, but for the root's. */
static size_t trim(const char *path, size_t len)
{
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len;
}

int32_t copy_split(const char *path, struct copy_split *ret_split)
{
    size_t len = strlen(path);
    size_t end = trim(path, len);
    size_t start = end;

    if (len == 0)
        return -ENOENT;
    if (len >= TP_PATH_MAX)
        return -ENAMETOOLONG;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end - start > TP_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(ret_split->name, path + start, end - start);
    ret_split->name[end - start] = '\0';
    ret_split->itself = start == end || strcmp(ret_split->name, ".") == 0 ||
                        strcmp(ret_split->name, "..") == 0;
    if (ret_split->itself)
        ret_split->name[0] = '\0';
    ret_split->slash = end < len;
    start = trim(path, start);
    memcpy(ret_split->parent, path, start);
    ret_split->parent[start] = '\0';
    return 0;
}
