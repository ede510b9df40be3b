/* What operations do to names: the checks in the order in which Linux makes them, since it
 * decides which errno is seen. */
#include "disk_internal.h"

#include <errno.h>
#include <string.h>

static struct tp_spot spot_of(const struct tp_walked *walk)
{
    struct tp_spot spot = {walk->parent, walk->name, walk->len};
    return spot;
}

static bool is_dir(const struct tp_disk *disk, uint32_t inode)
{
    return tp_inode_at(disk, inode)->kind == TP_FILE_DIRECTORY;
}

/* Gives a file its name, in memory. */
static void attach(struct tp_disk *disk, const struct tp_walked *at, uint32_t inode,
                   int64_t now_ns)
{
    tp_names_add(disk, TP_IN_MEMORY, at->parent, at->name, at->len, inode);
    tp_inode_at(disk, at->parent)->modified_ns = now_ns;
    if (is_dir(disk, inode)) {
        tp_inode_at(disk, inode)->parent = at->parent;
        tp_inode_at(disk, at->parent)->subdirs++;
    }
}

/* Takes a file's name away, in memory. */
static void detach(struct tp_disk *disk, const struct tp_walked *at, int64_t now_ns)
{
    uint32_t entry = tp_names_find(disk, TP_IN_MEMORY, at->parent, at->name, at->len);

    tp_assert(entry != 0);
    tp_names_remove(disk, TP_IN_MEMORY, entry);
    tp_inode_at(disk, at->parent)->modified_ns = now_ns;
    if (is_dir(disk, at->inode)) {
        tp_assert(tp_inode_at(disk, at->parent)->subdirs > 0);
        tp_inode_at(disk, at->parent)->subdirs--;
    }
}

/* A new file under a name that is free. Result: its inode, or -errno. The name may be a
 * part of a dangling link's target, and the table of those texts moves when it grows: hence
 * the copy. */
static int64_t make(struct tp_disk *disk, const struct tp_walked *at, uint32_t kind,
                    uint32_t mode, int64_t now_ns)
{
    struct tp_walked here = *at;
    char name[TP_NAME_MAX];
    struct tp_spot spot;
    uint32_t inode;

    memcpy(name, at->name, at->len);
    here.name = name;
    spot = spot_of(&here);
    if (tp_inode_is_dead(disk, at->parent))
        return -ENOENT;
    inode = tp_inode_make(disk, kind, mode, now_ns);
    if (inode == 0)
        return -ENOSPC;
    attach(disk, &here, inode, now_ns);
    tp_name_log_add(disk, NULL, &spot, inode);
    return inode;
}

static enum tp_walk_mode open_mode(struct tp_open_options options, bool in_dir)
{
    if (options.create_new || (options.create && in_dir))
        return TP_WALK_CREATE_NEW;
    if (options.create)
        return TP_WALK_CREATE;
    return in_dir ? TP_WALK_NO_FOLLOW : TP_WALK_FOLLOW;
}

/* Whether a file that is there may be opened so. */
static int32_t check_open(const struct tp_disk *disk, uint32_t inode,
                          struct tp_open_options options)
{
    uint32_t kind = tp_inode_at(disk, inode)->kind;

    if (options.create_new)
        return -EEXIST;
    if (kind == TP_FILE_SYMLINK)
        return -ELOOP;
    if (kind == TP_FILE_SOCKET)
        return -ENXIO;
    if (kind == TP_FILE_DIRECTORY && (options.create || options.write))
        return -EISDIR;
    if (kind == TP_FILE_DIRECTORY && options.direct)
        return -EINVAL;
    return 0;
}

int64_t tp_tree_open(struct tp_disk *disk, uint32_t start, const char *path,
                     struct tp_open_options options, bool in_dir, int64_t now_ns)
{
    struct tp_walked at;
    int32_t error = tp_path_walk(disk, start, path, open_mode(options, in_dir), &at);

    if (error < 0)
        return error;
    if (at.inode == 0) {
        if (!options.create && !options.create_new)
            return -ENOENT;
        return make(disk, &at, TP_FILE_REGULAR, 0666 & ~TP_UMASK, now_ns);
    }
    error = check_open(disk, at.inode, options);
    if (error < 0)
        return error;
    if (options.truncate) {
        (void)tp_data_truncate(disk, at.inode, 0);
        tp_inode_modified(disk, at.inode, now_ns);
    }
    return at.inode;
}

int32_t tp_tree_make_dir(struct tp_disk *disk, uint32_t start, const char *path,
                         uint32_t mode, int64_t now_ns)
{
    struct tp_walked at;
    int32_t error = tp_path_walk(disk, start, path, TP_WALK_PARENT, &at);
    int64_t made;

    if (error < 0)
        return error;
    if (at.last != TP_LAST_NAME || at.inode != 0)
        return -EEXIST;
    made = make(disk, &at, TP_FILE_DIRECTORY, mode & 01777 & ~TP_UMASK, now_ns);
    return made < 0 ? (int32_t)made : 0;
}

int32_t tp_tree_make_dir_all(struct tp_disk *disk, const char *path, int64_t now_ns)
{
    char prefix[TP_PATH_MAX];
    size_t len = strlen(path);
    size_t end = 0;
    int32_t error = 0;
    int64_t found;

    tp_assert(len < TP_PATH_MAX);
    while (end < len) {
        end += strspn(path + end, "/");
        end += strcspn(path + end, "/");
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        error = tp_tree_make_dir(disk, TP_ROOT, prefix, 0777, now_ns);
        if (error < 0 && error != -EEXIST)
            return error;
    }
    if (error == 0)
        return 0;
    found = tp_path_find(disk, TP_ROOT, path, TP_WALK_FOLLOW);
    return found > 0 && is_dir(disk, (uint32_t)found) ? 0 : -EEXIST;
}

int32_t tp_tree_symlink(struct tp_disk *disk, uint32_t start, const char *path,
                        const char *target, int64_t now_ns)
{
    size_t len = strlen(target);
    struct tp_walked at;
    int32_t error;
    int64_t made;

    if (len == 0)
        return -ENOENT;
    if (len >= TP_PATH_MAX)
        return -ENAMETOOLONG;
    error = tp_path_walk(disk, start, path, TP_WALK_PARENT, &at);
    if (error < 0)
        return error;
    if (at.last != TP_LAST_NAME || at.inode != 0)
        return -EEXIST;
    if (at.slash)
        return -ENOENT;
    made = make(disk, &at, TP_FILE_SYMLINK, 0777, now_ns);
    if (made < 0)
        return (int32_t)made;
    tp_inode_at(disk, (uint32_t)made)->target =
        tp_texts_add(&disk->texts, target, (uint32_t)len, disk->allocator);
    tp_inode_at(disk, (uint32_t)made)->size = len;
    tp_inode_at(disk, (uint32_t)made)->media_size = len;
    tp_inode_at(disk, (uint32_t)made)->size_low = len;
    return 0;
}

int64_t tp_tree_make_socket(struct tp_disk *disk, const char *path, int64_t now_ns)
{
    struct tp_walked at;
    int32_t error = tp_path_walk(disk, TP_ROOT, path, TP_WALK_PARENT, &at);

    if (error < 0)
        return error;
    if (at.last != TP_LAST_NAME || at.inode != 0)
        return -EADDRINUSE;
    if (at.slash)
        return -ENOENT;
    return make(disk, &at, TP_FILE_SOCKET, 0777 & ~TP_UMASK, now_ns);
}

/* The part that remove and remove_dir share. */
static void unname(struct tp_disk *disk, const struct tp_walked *at, int64_t now_ns)
{
    struct tp_spot spot = spot_of(at);

    detach(disk, at, now_ns);
    tp_name_log_add(disk, &spot, NULL, at->inode);
    tp_inode_settle(disk, at->inode);
}

int32_t tp_tree_remove(struct tp_disk *disk, uint32_t start, const char *path,
                       int64_t now_ns)
{
    struct tp_walked at;
    int32_t error = tp_path_walk(disk, start, path, TP_WALK_PARENT, &at);

    if (error < 0)
        return error;
    if (at.last != TP_LAST_NAME)
        return -EISDIR;
    if (at.inode == 0)
        return -ENOENT;
    if (is_dir(disk, at.inode))
        return -EISDIR;
    if (at.slash)
        return -ENOTDIR;
    unname(disk, &at, now_ns);
    return 0;
}

int32_t tp_tree_remove_dir(struct tp_disk *disk, uint32_t start, const char *path,
                           int64_t now_ns)
{
    static const int32_t by_last[] = {[TP_LAST_NAME] = 0,
                                      [TP_LAST_DOT] = -EINVAL,
                                      [TP_LAST_DOT_DOT] = -ENOTEMPTY,
                                      [TP_LAST_ROOT] = -EBUSY};
    struct tp_walked at;
    int32_t error = tp_path_walk(disk, start, path, TP_WALK_PARENT, &at);

    if (error < 0)
        return error;
    if (at.last != TP_LAST_NAME)
        return by_last[at.last];
    if (at.inode == 0)
        return -ENOENT;
    if (!is_dir(disk, at.inode))
        return -ENOTDIR;
    if (tp_inode_at(disk, at.inode)->list[TP_IN_MEMORY].count > 0)
        return -ENOTEMPTY;
    unname(disk, &at, now_ns);
    return 0;
}

/* Whether the directory `above` is `dir` or lies above it. */
static bool is_above(const struct tp_disk *disk, uint32_t above, uint32_t dir)
{
    while (dir != above && dir != TP_ROOT)
        dir = tp_inode_at(disk, dir)->parent;
    return dir == above;
}

/* 1: nothing to do, since both names are of one file. */
static int32_t check_rename(const struct tp_disk *disk, const struct tp_walked *from,
                            const struct tp_walked *to)
{
    if (from->last != TP_LAST_NAME || to->last != TP_LAST_NAME)
        return -EBUSY;
    if (from->inode == 0 || tp_inode_is_dead(disk, to->parent))
        return -ENOENT;
    if (!is_dir(disk, from->inode) && (from->slash || to->slash))
        return -ENOTDIR;
    if (is_dir(disk, from->inode) && is_above(disk, from->inode, to->parent))
        return -EINVAL;
    if (to->inode != 0 && is_dir(disk, to->inode) &&
        is_above(disk, to->inode, from->parent))
        return -ENOTEMPTY;
    if (from->inode == to->inode)
        return 1;
    if (to->inode == 0)
        return 0;
    if (is_dir(disk, from->inode) && !is_dir(disk, to->inode))
        return -ENOTDIR;
    if (!is_dir(disk, from->inode) && is_dir(disk, to->inode))
        return -EISDIR;
    if (tp_inode_at(disk, to->inode)->list[TP_IN_MEMORY].count > 0)
        return -ENOTEMPTY;
    return 0;
}

int32_t tp_tree_rename(struct tp_disk *disk, uint32_t start, const char *from,
                       uint32_t to_start, const char *to, int64_t now_ns)
{
    struct tp_walked source, target;
    struct tp_spot from_spot, to_spot;
    int32_t error = tp_path_walk(disk, start, from, TP_WALK_PARENT, &source);

    if (error < 0)
        return error;
    error = tp_path_walk(disk, to_start, to, TP_WALK_PARENT, &target);
    if (error < 0)
        return error;
    error = check_rename(disk, &source, &target);
    if (error != 0)
        return error < 0 ? error : 0;
    if (target.inode != 0)
        detach(disk, &target, now_ns);
    detach(disk, &source, now_ns);
    attach(disk, &target, source.inode, now_ns);
    from_spot = spot_of(&source);
    to_spot = spot_of(&target);
    tp_name_log_rename(disk, &from_spot, &to_spot, source.inode, target.inode);
    if (target.inode != 0)
        tp_inode_settle(disk, target.inode);
    return 0;
}
