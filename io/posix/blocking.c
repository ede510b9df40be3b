#include "blocking_internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"
#include "io/posix/system_internal.h"

_Static_assert(sizeof(off_t) == 8, "files have 64-bit offsets");

int tp_posix_open_flags(const struct tp_request *request)
{
    const struct tp_open_options *options = &request->b.options;
    int flags = O_CLOEXEC;

    if (options->read && options->write)
        flags |= O_RDWR;
    else
        flags |= options->write ? O_WRONLY : O_RDONLY;
    if (options->create)
        flags |= O_CREAT;
    if (options->create_new)
        flags |= O_CREAT | O_EXCL;
    if (options->truncate)
        flags |= O_TRUNC;
    if (options->direct)
        flags |= tp_posix_direct_flag();
    if (options->dsync)
        flags |= O_DSYNC;
    if ((request->flags & TP_IN_DIR) != 0)
        flags |= O_NOFOLLOW;
    return flags;
}

static int32_t result_of(int value)
{
    return value < 0 ? -errno : value;
}

static int32_t find_status(const struct tp_request *request)
{
    const bool by_fd = request->kind == TP_FSTAT;
    struct tp_statx found;
    const int32_t result = tp_posix_status(
        by_fd ? (int)request->fd.number : tp_posix_dir_of(request),
        by_fd ? NULL : request->b.path, (request->flags & TP_NO_FOLLOW) == 0, &found);

    if (result == 0)
        tp_posix_store(request->a.memory, &found, sizeof found);
    return result;
}

static int32_t find_data(const struct tp_request *request)
{
    const int fd = (int)request->fd.number;
    struct tp_extent extent;
    off_t at = lseek(fd, (off_t)request->b.offset, SEEK_DATA);

    if (at < 0)
        return errno == ENXIO ? 0 : -errno;
    extent.start = (uint64_t)at;
    at = lseek(fd, at, SEEK_HOLE);
    if (at < 0)
        return errno == ENXIO ? 0 : -errno; /* truncated meanwhile */
    extent.end = (uint64_t)at;
    tp_posix_store(request->a.memory, &extent, sizeof extent);
    return 1;
}

static int32_t create_dir(const char *path)
{
    struct stat st;
    int error;

    if (mkdir(path, 0777) == 0)
        return 0;
    error = errno; /* stat() has errors of its own, of a dangling link for one */
    if (error == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return -error;
}

static int32_t create_dir_all(const char *path)
{
    char part[TP_PATH_MAX];
    const size_t len = strlen(path);
    int32_t result = create_dir(path);

    tp_assert(len < sizeof part);
    if (result != -ENOENT)
        return result;
    for (size_t at = 1; at < len; at++) {
        if (path[at] != '/' || path[at - 1] == '/')
            continue;
        memcpy(part, path, at);
        part[at] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return -errno;
    }
    return create_dir(path);
}

static int32_t sync_dir(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int32_t result;

    if (fd < 0)
        return -errno;
    result = result_of(fsync(fd));
    (void)close(fd);
    return result;
}

static int32_t run_on_fd(const struct tp_request *request)
{
    const int fd = (int)request->fd.number;

    switch (request->kind) {
    case TP_CLOSE:
        return result_of(close(fd));
    case TP_READ:
        return tp_posix_pread(fd, request->a.memory, request->len, request->b.offset);
    case TP_WRITE:
        return tp_posix_pwrite(fd, request->a.memory, request->len, request->b.offset);
    case TP_FSYNC:
        return result_of((request->flags & TP_DATA_ONLY) != 0 ? fdatasync(fd) : fsync(fd));
    case TP_FSTAT:
        return find_status(request);
    case TP_TRUNCATE:
        return result_of(ftruncate(fd, (off_t)request->a.length));
    case TP_FALLOCATE:
        return tp_posix_allocate(fd, request->b.offset, request->a.length,
                                 (request->flags & TP_KEEP_SIZE) != 0);
    case TP_FIND_DATA:
        return find_data(request);
    case TP_SET_MODE:
        return result_of(fchmod(fd, request->b.mode & 07777U));
    case TP_LIST_DIR:
        return tp_posix_list_dir(request);
    case TP_LOCK:
        return result_of(flock(fd, LOCK_EX | LOCK_NB));
    default:
        tp_unreachable();
    }
}

static int32_t run_on_path(const struct tp_request *request)
{
    const int dir = tp_posix_dir_of(request);

    switch (request->kind) {
    case TP_OPEN:
        return result_of(openat(dir, request->a.path, tp_posix_open_flags(request),
                                TP_POSIX_CREATE_MODE));
    case TP_STAT:
        return find_status(request);
    case TP_RENAME:
        return result_of(renameat(
            dir, request->a.path,
            (request->flags & TP_IN_DIR) != 0 ? (int)request->to_dir.number : AT_FDCWD,
            request->b.path));
    case TP_REMOVE:
        return result_of(unlinkat(dir, request->a.path, 0));
    case TP_CREATE_DIR:
        return result_of(mkdirat(dir, request->a.path, request->b.mode));
    case TP_CREATE_DIR_ALL:
        return create_dir_all(request->a.path);
    case TP_REMOVE_DIR:
        return result_of(unlinkat(dir, request->a.path, AT_REMOVEDIR));
    case TP_SYNC_DIR:
        return sync_dir(request->a.path);
    case TP_SYMLINK:
        return result_of(symlinkat(request->b.path, dir, request->a.path));
    case TP_READ_LINK:
        return tp_posix_readlink(dir, request->b.path, request->a.memory, request->len);
    default:
        tp_unreachable();
    }
}

int32_t tp_posix_run_blocking(const struct tp_request *request,
                              const union tp_posix_side *side)
{
    const uint32_t traits = tp_kind_info[request->kind].traits;

    if (request->kind >= TP_LISTEN)
        return tp_posix_run_service(request, &side->address);
    if ((traits & TP_TAKES_FD) != 0)
        return run_on_fd(request);
    if ((traits & TP_TAKES_PATH) != 0)
        return run_on_path(request);
    tp_assert(request->kind == TP_NOP);
    return 0;
}
