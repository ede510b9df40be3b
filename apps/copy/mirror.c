#include "apps/copy/mirror.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/common/say.h"
#include "apps/copy/split.h"

/* left + middle + right, allocated; NULL when there is no memory. */
static char *join(const char *left, const char *middle, const char *right)
{
    size_t size = strlen(left) + strlen(middle) + strlen(right) + 1;
    char *text = malloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "%s%s%s", left, middle, right);
    return text;
}

static int32_t fail(const char *path, const char *operation, int32_t error)
{
    app_say_error(path, operation, error);
    return error;
}

/* The canonical path of what `split` is of, by the canonical one of its parent; the name
 * itself is not followed. */
static char *canonical(const char *path, const struct copy_split *split)
{
    char *parent = realpath(split->itself ? path : copy_split_parent(split), NULL);
    char *text;

    if (parent == NULL || split->itself)
        return parent;
    text = join(strcmp(parent, "/") == 0 ? "" : parent, "/", split->name);
    free(parent);
    return text;
}

/* ------------------------------------------------------------------ DST */

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Makes the directory that things are copied into, on the virtual disk. */
static int32_t prepare_target(struct copy_mirror *mirror, struct tp_io *io,
                              const char *path, bool into)
{
    struct copy_split split;
    int32_t error = copy_split(path, &split);
    char *directory;

    if (error < 0)
        return fail(path, "copy to", error);
    mirror->target = is_directory(path) ? realpath(path, NULL) : canonical(path, &split);
    directory = into && mirror->target != NULL ? strdup(mirror->target)
                                               : realpath(copy_split_parent(&split), NULL);
    if (mirror->target == NULL || directory == NULL)
        error = fail(path, "copy to", -errno);
    else
        error = tp_io_create_dir_all_blocking(io, directory);
    free(directory);
    return error < 0 ? error : 0;
}

/* ------------------------------------------------------------------ SRC */

/* Where the root of an item is going to be, as the job decides it. */
static char *target_of(const struct copy_mirror *mirror, const struct copy_split *split,
                       bool into)
{
    if (!into || split->itself)
        return strdup(mirror->target);
    return join(mirror->target, "/", split->name);
}

static int32_t load_item(struct copy_mirror *mirror, struct copy_mirrored *item,
                         struct tp_io *io, const char *path, bool into)
{
    struct copy_split split;
    int32_t error = copy_split(path, &split);

    if (error < 0)
        return fail(path, "load", error);
    item->root = canonical(path, &split);
    if (item->root == NULL)
        return fail(path, "load", -errno);
    if (strcmp(item->root, "/") == 0)
        return fail(path, "load", -EINVAL);
    item->path = join(item->root, split.itself ? "/." : "", "");
    item->target = target_of(mirror, &split, into);
    if (item->path == NULL || item->target == NULL)
        return fail(path, "load", -ENOMEM);
    return copy_load(io, path, split.itself || split.slash, item->root, &item->list);
}

int32_t copy_mirror_load(struct copy_mirror *mirror, struct tp_io *io,
                         const struct copy_settings *settings, bool force_into)
{
    bool into = force_into || is_directory(settings->target);
    uint32_t count = settings->source_count;
    int32_t error;

    memset(mirror, 0, sizeof *mirror);
    mirror->settings = *settings;
    mirror->paths = calloc(count, sizeof *mirror->paths);
    mirror->items = calloc(count, sizeof *mirror->items);
    if (mirror->paths == NULL || mirror->items == NULL)
        return fail(settings->target, "load", -ENOMEM);
    error = prepare_target(mirror, io, settings->target, into);
    for (; error == 0 && mirror->count < count; mirror->count++) {
        struct copy_mirrored *item = &mirror->items[mirror->count];

        error =
            load_item(mirror, item, io, settings->sources[mirror->count], settings->target);
        mirror->paths[mirror->count] = item->path;
    }
    mirror->settings.sources = mirror->paths;
    mirror->settings.target = mirror->target;
    mirror->settings.mode_created = UINT32_MAX;
    return error;
}

void copy_mirror_deinit(struct copy_mirror *mirror)
{
    for (uint32_t i = 0; mirror->items != NULL && i < mirror->count; i++) {
        free(mirror->items[i].path);
        free(mirror->items[i].root);
        free(mirror->items[i].target);
        copy_list_deinit(&mirror->items[i].list);
    }
    free(mirror->items);
    free(mirror->paths);
    free(mirror->target);
    memset(mirror, 0, sizeof *mirror);
}
