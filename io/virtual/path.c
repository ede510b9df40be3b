/* From a path to a name in a directory, by the rules of path_resolution(7).
 *
 * A symbolic link's target takes the place of its name: what comes after the name waits on
 * a stack until the target has been walked. */
#include "disk_internal.h"

#include <errno.h>

struct walker {
    const struct tp_disk *disk;
    enum tp_walk_mode mode;
    uint32_t dir; /* where the next name is looked up */
    const char *at;
    const char *rest[TP_LINKS_MAX]; /* what waits; never empty ones */
    uint32_t depth;
    uint32_t links;   /* symbolic links gone through */
    bool must_be_dir; /* a link was followed that had a slash behind it */
};

static const char *skip_slashes(const char *at)
{
    while (*at == '/')
        at++;
    return at;
}

/* Goes on with the target of a link; `after` is what follows its name. */
static int32_t follow(struct walker *w, uint32_t link, const char *after)
{
    if (++w->links > TP_LINKS_MAX)
        return -ELOOP;
    if (*after != '\0')
        w->rest[w->depth++] = after;
    w->at = tp_texts_at(&w->disk->texts, tp_inode_at(w->disk, link)->target);
    if (*w->at == '/')
        w->dir = TP_ROOT;
    return 0;
}

/* What a name in the current directory stands for; 0: nothing. */
static uint32_t look_up(const struct walker *w, const struct tp_walked *walk)
{
    uint32_t entry;

    if (walk->last == TP_LAST_DOT)
        return w->dir;
    if (walk->last == TP_LAST_DOT_DOT)
        return w->dir == TP_ROOT ? TP_ROOT : tp_inode_at(w->disk, w->dir)->parent;
    entry = tp_names_find(w->disk, TP_IN_MEMORY, w->dir, walk->name, walk->len);
    return entry == 0 ? 0 : tp_entry_at(w->disk, TP_IN_MEMORY, entry)->inode;
}

static uint32_t kind_of(const struct walker *w, uint32_t inode)
{
    return inode == 0 ? (uint32_t)TP_FILE_OTHER : tp_inode_at(w->disk, inode)->kind;
}

/* Cuts the next name off. */
static int32_t next_name(struct walker *w, struct tp_walked *walk, const char **ret_after)
{
    const char *after;
    size_t len = 0;

    while (w->at[len] != '/' && w->at[len] != '\0')
        len++;
    after = skip_slashes(w->at + len);
    if (len > TP_NAME_MAX)
        return -ENAMETOOLONG;
    walk->parent = w->dir;
    walk->name = w->at;
    walk->len = (uint32_t)len;
    walk->slash = w->at[len] == '/';
    walk->last = TP_LAST_NAME;
    if (len == 1 && w->at[0] == '.')
        walk->last = TP_LAST_DOT;
    else if (len == 2 && w->at[0] == '.' && w->at[1] == '.')
        walk->last = TP_LAST_DOT_DOT;
    *ret_after = after;
    return 0;
}

/* The last name. Result: 1 when a link takes it further. */
static int32_t last_name(struct walker *w, struct tp_walked *walk, const char *after)
{
    bool creates = w->mode == TP_WALK_CREATE || w->mode == TP_WALK_CREATE_NEW;
    bool follows = w->mode == TP_WALK_FOLLOW || w->mode == TP_WALK_CREATE;
    int32_t error;

    if (creates && walk->slash && walk->last == TP_LAST_NAME)
        return -EISDIR;
    walk->inode = look_up(w, walk);
    if (w->mode == TP_WALK_PARENT)
        return 0;
    w->must_be_dir = w->must_be_dir || walk->slash;
    if (kind_of(w, walk->inode) == TP_FILE_SYMLINK && (follows || w->must_be_dir)) {
        error = follow(w, walk->inode, after);
        return error < 0 ? error : 1;
    }
    if (w->must_be_dir && walk->inode != 0 && kind_of(w, walk->inode) != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    return 0;
}

/* A name on the way. */
static int32_t middle_name(struct walker *w, const struct tp_walked *walk,
                           const char *after)
{
    uint32_t inode = look_up(w, walk);

    if (inode == 0)
        return -ENOENT;
    if (kind_of(w, inode) == TP_FILE_SYMLINK)
        return follow(w, inode, after);
    if (kind_of(w, inode) != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    w->dir = inode;
    w->at = after;
    return 0;
}

int32_t tp_path_walk(const struct tp_disk *disk, uint32_t start, const char *path,
                     enum tp_walk_mode mode, struct tp_walked *ret_walk)
{
    struct walker w = {.disk = disk, .mode = mode, .at = path};
    struct tp_walked walk = {.parent = TP_ROOT, .inode = TP_ROOT, .last = TP_LAST_ROOT};
    const char *after;
    int32_t step = 1;

    if (*path == '\0')
        return -ENOENT;
    w.dir = *path == '/' ? TP_ROOT : start;
    if (kind_of(&w, w.dir) != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    while (step > 0) {
        w.at = skip_slashes(w.at);
        if (*w.at == '\0' && w.depth > 0) {
            w.at = w.rest[--w.depth]; /* the link's target has been walked */
            continue;
        }
        if (*w.at == '\0') {
            /* only slashes: the root, by itself or as the target of the last link */
            walk.parent = w.dir;
            walk.inode = w.dir;
            walk.last = TP_LAST_ROOT;
            break;
        }
        step = next_name(&w, &walk, &after);
        if (step < 0)
            return step;
        if (*after == '\0' && w.depth == 0) {
            step = last_name(&w, &walk, after);
        } else {
            step = middle_name(&w, &walk, after);
            step = step < 0 ? step : 1;
        }
    }
    if (step < 0)
        return step;
    *ret_walk = walk;
    return 0;
}

int64_t tp_path_find(const struct tp_disk *disk, uint32_t start, const char *path,
                     enum tp_walk_mode mode)
{
    struct tp_walked walk;
    int32_t error = tp_path_walk(disk, start, path, mode, &walk);

    if (error < 0)
        return error;
    return walk.inode == 0 ? -ENOENT : (int64_t)walk.inode;
}
