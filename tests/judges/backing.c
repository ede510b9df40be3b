#include "backing.h"

#define FUSE_USE_VERSION 34
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

enum { DISK_INODE = 2 };
#define FOREVER_S 1e9

struct backing {
    struct device *device;
    struct fuse_session *session;
    pthread_t thread;
    uint8_t *room; /* what a read gives */
    uint32_t room_bytes;
};

static struct stat stat_of(const struct backing *backing, fuse_ino_t inode)
{
    struct stat stat = {.st_ino = inode, .st_nlink = 1};

    if (inode == FUSE_ROOT_ID) {
        stat.st_mode = S_IFDIR | 0700;
    } else {
        stat.st_mode = S_IFREG | 0600;
        stat.st_size = (off_t)backing->device->size_bytes;
        stat.st_blocks = stat.st_size / 512;
    }
    return stat;
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    const struct backing *backing = fuse_req_userdata(request);
    struct fuse_entry_param entry = {
        .ino = DISK_INODE, .attr_timeout = FOREVER_S, .entry_timeout = FOREVER_S};

    if (parent != FUSE_ROOT_ID || strcmp(name, "disk") != 0) {
        (void)fuse_reply_err(request, ENOENT);
        return;
    }
    entry.attr = stat_of(backing, DISK_INODE);
    (void)fuse_reply_entry(request, &entry);
}

static void do_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct stat stat = stat_of(fuse_req_userdata(request), inode);

    (void)info;
    (void)fuse_reply_attr(request, &stat, FOREVER_S);
}

static void do_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    if (inode == DISK_INODE)
        (void)fuse_reply_open(request, info);
    else
        (void)fuse_reply_err(request, EISDIR);
}

static void do_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
    struct backing *backing = fuse_req_userdata(request);
    uint32_t len = size < backing->room_bytes ? (uint32_t)size : backing->room_bytes;
    int count = device_read(backing->device, (uint64_t)offset, backing->room, len);

    (void)inode;
    (void)info;
    if (count < 0)
        (void)fuse_reply_err(request, -count);
    else
        (void)fuse_reply_buf(request, (const char *)backing->room, (size_t)count);
}

static void do_write(fuse_req_t request, fuse_ino_t inode, const char *bytes, size_t size,
                     off_t offset, struct fuse_file_info *info)
{
    struct backing *backing = fuse_req_userdata(request);
    int error = device_write(backing->device, (uint64_t)offset, (const uint8_t *)bytes,
                             (uint32_t)size);

    (void)inode;
    (void)info;
    if (error < 0)
        (void)fuse_reply_err(request, -error);
    else
        (void)fuse_reply_write(request, size);
}

static void do_fsync(fuse_req_t request, fuse_ino_t inode, int data_only,
                     struct fuse_file_info *info)
{
    struct backing *backing = fuse_req_userdata(request);

    (void)inode;
    (void)data_only;
    (void)info;
    device_flush(backing->device);
    (void)fuse_reply_err(request, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = do_lookup,
    .getattr = do_getattr,
    .open = do_open,
    .read = do_read,
    .write = do_write,
    .fsync = do_fsync,
};

/* What it does must not wait for memory that only its own writes could free. */
static void *serve(void *context)
{
    struct backing *backing = context;

    (void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    (void)fuse_session_loop(backing->session);
    return NULL;
}

struct backing *backing_start(struct device *device, const char *dir,
                              const char **ret_reason)
{
    char name[] = "judges";
    char *arguments[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
    struct backing *backing = calloc(1, sizeof *backing);

    *ret_reason = "there is no FUSE here (/dev/fuse, and the right to mount)";
    tp_assert(backing != NULL);
    backing->device = device;
    backing->room_bytes = 1 << 20;
    backing->room = malloc(backing->room_bytes);
    tp_assert(backing->room != NULL);
    backing->session = fuse_session_new(&args, &operations, sizeof operations, backing);
    if (backing->session == NULL || fuse_session_mount(backing->session, dir) != 0 ||
        pthread_create(&backing->thread, NULL, serve, backing) != 0) {
        if (backing->session != NULL)
            fuse_session_destroy(backing->session);
        free(backing->room);
        free(backing);
        return NULL;
    }
    return backing;
}

void backing_stop(struct backing *backing)
{
    if (backing == NULL)
        return;
    fuse_session_unmount(backing->session);
    (void)pthread_join(backing->thread, NULL);
    fuse_session_destroy(backing->session);
    free(backing->room);
    free(backing);
}
