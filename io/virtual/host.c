/* The functions on paths of disk.h: for tests and programs, outside of simulated time. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/virtual/disk_internal.h"

/* ------------------------------------------------------------------ putting files on it */

/* Makes durable what the last operation on names did. */
static int32_t names_done(struct tp_disk *disk, int32_t result)
{
    if (result >= 0 && disk->name_op_last != 0)
        tp_name_log_commit_op(disk, disk->name_op_last);
    return result;
}

int32_t tp_disk_make_dir(struct tp_disk *disk, const char *path, uint32_t mode)
{
    int32_t error = names_done(disk, tp_tree_make_dir(disk, TP_ROOT, path, 0777, 0));

    return error < 0 ? error : tp_disk_set_mode(disk, path, mode);
}

int32_t tp_disk_make_dirs(struct tp_disk *disk, const char *path)
{
    int32_t error =
        strlen(path) < TP_PATH_MAX ? tp_tree_make_dir_all(disk, path, 0) : -ENAMETOOLONG;

    tp_name_log_commit_all(disk);
    return error;
}

int32_t tp_disk_make_symlink(struct tp_disk *disk, const char *path, const char *target)
{
    return names_done(disk, tp_tree_symlink(disk, TP_ROOT, path, target, 0));
}

int32_t tp_disk_make_file(struct tp_disk *disk, const char *path, uint32_t mode)
{
    struct tp_open_options options = {.write = true, .create = true, .truncate = true};
    int64_t inode = tp_tree_open(disk, TP_ROOT, path, options, false, 0);

    if (inode < 0)
        return (int32_t)inode;
    (void)names_done(disk, 0);
    tp_inode_at(disk, (uint32_t)inode)->mode = mode & 07777;
    tp_media_sync(disk, (uint32_t)inode, false);
    return 0;
}

int32_t tp_disk_set_mode(struct tp_disk *disk, const char *path, uint32_t mode)
{
    int64_t inode = tp_path_find(disk, TP_ROOT, path, TP_WALK_FOLLOW);

    if (inode < 0)
        return (int32_t)inode;
    tp_inode_at(disk, (uint32_t)inode)->mode = mode & 07777;
    tp_inode_at(disk, (uint32_t)inode)->media_mode = mode & 07777;
    return 0;
}

/* The inode of a regular file. */
static int64_t find_file(const struct tp_disk *disk, const char *path)
{
    int64_t inode = tp_path_find(disk, TP_ROOT, path, TP_WALK_FOLLOW);

    if (inode < 0)
        return inode;
    switch (tp_inode_at(disk, (uint32_t)inode)->kind) {
    case TP_FILE_REGULAR:
        return inode;
    case TP_FILE_DIRECTORY:
        return -EISDIR;
    default:
        return -EINVAL;
    }
}

int32_t tp_disk_set_size(struct tp_disk *disk, const char *path, uint64_t size_bytes)
{
    int64_t inode = find_file(disk, path);
    int32_t error;

    if (inode < 0)
        return (int32_t)inode;
    error = tp_data_truncate(disk, (uint32_t)inode, size_bytes);
    tp_media_sync(disk, (uint32_t)inode, false);
    return error;
}

int64_t tp_disk_write_at(struct tp_disk *disk, const char *path, uint64_t offset,
                         const void *bytes, uint64_t len_bytes)
{
    int64_t inode = find_file(disk, path);
    int64_t written;

    if (inode < 0)
        return inode;
    written = tp_data_write(disk, (uint32_t)inode, offset, bytes, len_bytes, false);
    if (written > 0)
        tp_media_sync_range(disk, (uint32_t)inode, offset, (uint64_t)written);
    return written;
}

int32_t tp_disk_write_file(struct tp_disk *disk, const char *path, const void *bytes,
                           uint64_t len_bytes)
{
    int32_t error = tp_disk_make_file(disk, path, 0644);
    int64_t written;

    if (error < 0)
        return error;
    written = tp_disk_write_at(disk, path, 0, bytes, len_bytes);
    if (written < 0)
        return (int32_t)written;
    return (uint64_t)written == len_bytes ? 0 : -ENOSPC;
}

int32_t tp_disk_remove(struct tp_disk *disk, const char *path)
{
    int32_t error = tp_tree_remove(disk, TP_ROOT, path, 0);

    if (error == -EISDIR)
        error = tp_tree_remove_dir(disk, TP_ROOT, path, 0);
    return names_done(disk, error);
}

/* ------------------------------------------------------------------ looking at it */

int32_t tp_disk_stat(const struct tp_disk *disk, const char *path, bool follow,
                     struct tp_statx *ret_statx)
{
    int64_t inode =
        tp_path_find(disk, TP_ROOT, path, follow ? TP_WALK_FOLLOW : TP_WALK_NO_FOLLOW);

    if (inode < 0)
        return (int32_t)inode;
    tp_inode_stat(disk, (uint32_t)inode, ret_statx);
    return 0;
}

int64_t tp_disk_read_at(const struct tp_disk *disk, const char *path, uint64_t offset,
                        void *ret_bytes, uint64_t len_bytes)
{
    int64_t inode = find_file(disk, path);

    if (inode < 0)
        return inode;
    return (int64_t)tp_data_read(disk, (uint32_t)inode, offset, ret_bytes, len_bytes);
}

int32_t tp_disk_find_data(const struct tp_disk *disk, const char *path, uint64_t offset,
                          struct tp_extent *ret_extent)
{
    int64_t inode = find_file(disk, path);

    return inode < 0 ? (int32_t)inode
                     : tp_data_find(disk, (uint32_t)inode, offset, ret_extent);
}

int32_t tp_disk_read_link(const struct tp_disk *disk, const char *path, char *ret_target,
                          uint32_t size_bytes)
{
    int64_t inode = tp_path_find(disk, TP_ROOT, path, TP_WALK_NO_FOLLOW);
    const struct tp_inode *link;

    if (inode < 0)
        return (int32_t)inode;
    link = tp_inode_at(disk, (uint32_t)inode);
    if (link->kind != TP_FILE_SYMLINK)
        return -EINVAL;
    if (link->size >= size_bytes)
        return -ERANGE;
    memcpy(ret_target, tp_texts_at(&disk->texts, link->target), (size_t)link->size + 1);
    return (int32_t)link->size;
}

struct walk {
    const struct tp_disk *disk;
    int32_t (*each)(void *context, const char *name, const struct tp_statx *statx);
    void *context;
    char path[TP_PATH_MAX];
};

/* Everything below a directory whose path takes `len` bytes of walk->path. */
static int32_t walk_dir(struct walk *walk, uint32_t dir, size_t len)
{
    const struct tp_disk *disk = walk->disk;
    uint32_t entry = tp_inode_at(disk, dir)->list[TP_IN_MEMORY].first;
    int32_t result = 0;

    for (; entry != 0 && result == 0;
         entry = tp_entry_at(disk, TP_IN_MEMORY, entry)->next) {
        const struct tp_entry *e = tp_entry_at(disk, TP_IN_MEMORY, entry);
        size_t at = len == 0 ? 0 : len + 1;
        struct tp_statx statx;

        if (at + e->name_len >= sizeof walk->path)
            return -ENAMETOOLONG;
        if (len > 0)
            walk->path[len] = '/';
        memcpy(walk->path + at, tp_texts_at(&disk->texts, e->name), e->name_len);
        walk->path[at + e->name_len] = '\0';
        tp_inode_stat(disk, e->inode, &statx);
        result = walk->each(walk->context, walk->path, &statx);
        if (result == 0 && statx.kind == TP_FILE_DIRECTORY)
            result = walk_dir(walk, e->inode, at + e->name_len);
    }
    return result;
}

int32_t tp_disk_walk(const struct tp_disk *disk, const char *path,
                     int32_t (*each)(void *context, const char *name,
                                     const struct tp_statx *statx),
                     void *context)
{
    struct walk walk = {.disk = disk, .each = each, .context = context};
    int64_t dir = tp_path_find(disk, TP_ROOT, path, TP_WALK_FOLLOW);

    if (dir < 0)
        return (int32_t)dir;
    if (tp_inode_at(disk, (uint32_t)dir)->kind != TP_FILE_DIRECTORY)
        return -ENOTDIR;
    return walk_dir(&walk, (uint32_t)dir, 0);
}

/* ------------------------------------------------------------------ comparing */

struct comparison {
    const struct tp_disk *disk, *other;
    uint32_t dir, other_dir;
    bool names_only; /* the way back: is anything there that the first tree lacks? */
    char *ret_path;
    uint32_t size_bytes;
};

static bool has_same_bytes(const struct tp_disk *a, uint32_t file, const struct tp_disk *b,
                           uint32_t other)
{
    uint8_t left[TP_PAGE_BYTES], right[TP_PAGE_BYTES];

    for (uint64_t offset = 0;; offset += TP_PAGE_BYTES) {
        uint64_t left_len = tp_data_read(a, file, offset, left, sizeof left);
        uint64_t right_len = tp_data_read(b, other, offset, right, sizeof right);

        if (left_len != right_len || memcmp(left, right, (size_t)left_len) != 0)
            return false;
        if (left_len == 0)
            return true;
    }
}

static bool is_same(const struct tp_disk *a, uint32_t left, const struct tp_disk *b,
                    uint32_t right)
{
    const struct tp_inode *l = tp_inode_at(a, left);
    const struct tp_inode *r = tp_inode_at(b, right);

    if (l->kind != r->kind || l->mode != r->mode || l->size != r->size)
        return false;
    if (l->kind == TP_FILE_SYMLINK)
        return strcmp(tp_texts_at(&a->texts, l->target),
                      tp_texts_at(&b->texts, r->target)) == 0;
    return l->kind != TP_FILE_REGULAR || has_same_bytes(a, left, b, right);
}

static int32_t compare_one(void *context, const char *name, const struct tp_statx *statx)
{
    const struct comparison *c = context;
    int64_t other = tp_path_find(c->other, c->other_dir, name, TP_WALK_NO_FOLLOW);

    if (other > 0 && (c->names_only ||
                      is_same(c->disk, (uint32_t)statx->inode, c->other, (uint32_t)other)))
        return 0;
    if (c->size_bytes > 0)
        (void)snprintf(c->ret_path, c->size_bytes, "%s", name);
    return 1;
}

int32_t tp_disk_compare(const struct tp_disk *disk, const char *path,
                        const struct tp_disk *other, const char *other_path, char *ret_path,
                        uint32_t size_bytes)
{
    int64_t dir = tp_path_find(disk, TP_ROOT, path, TP_WALK_FOLLOW);
    int64_t other_dir = tp_path_find(other, TP_ROOT, other_path, TP_WALK_FOLLOW);
    struct comparison there = {.disk = disk, .other = other, .size_bytes = size_bytes};
    struct comparison back = {.disk = other, .other = disk, .size_bytes = size_bytes};
    int32_t result;

    if (dir < 0 || other_dir < 0)
        return (int32_t)(dir < 0 ? dir : other_dir);
    there.other_dir = (uint32_t)other_dir;
    there.ret_path = ret_path;
    back.other_dir = (uint32_t)dir;
    back.ret_path = ret_path;
    back.names_only = true;
    result = tp_disk_walk(disk, path, compare_one, &there);
    return result != 0 ? result : tp_disk_walk(other, other_path, compare_one, &back);
}
