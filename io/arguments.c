#include "arguments.h"

#include <errno.h>
#include <string.h>

#include "io/fd_table.h"

const char *tp_open_options_conflict(struct tp_open_options options)
{
    if (!options.read && !options.write)
        return "neither read nor write is asked for";
    if (!options.write && (options.create || options.create_new))
        return "creating a file needs write";
    if (!options.write && options.truncate)
        return "truncating a file needs write";
    if (!options.write && options.dsync)
        return "dsync is about writes, and write is not asked for";
    return NULL;
}

/* A path, or one name where the request says that it is in a directory. */
static int32_t check_path(const char *path, bool is_name)
{
    size_t len;

    if (path == NULL)
        return -EFAULT;
    len = strnlen(path, TP_PATH_MAX);
    if (len == 0)
        return -ENOENT;
    if (len >= TP_PATH_MAX)
        return -ENAMETOOLONG;
    if (!is_name)
        return 0;
    if (memchr(path, '/', len) != NULL || strcmp(path, ".") == 0 || strcmp(path, "..") == 0)
        return -EINVAL;
    return len > TP_NAME_MAX ? -ENAMETOOLONG : 0;
}

static int32_t check_paths(const struct tp_io *io, const struct tp_request *request)
{
    bool is_name = (request->flags & TP_IN_DIR) != 0;
    int32_t error;

    if (is_name && !tp_fd_table_holds(io->fds, request->fd))
        return -EBADF;
    error = check_path(tp_request_path(request), is_name);
    if (error < 0)
        return error;
    if (request->kind == TP_RENAME) {
        if (is_name && !tp_fd_table_holds(io->fds, request->to_dir))
            return -EBADF;
        return check_path(request->b.path, is_name);
    }
    if (request->kind == TP_SYMLINK)
        return check_path(request->b.path, false);
    if (request->kind == TP_OPEN && tp_open_options_conflict(request->b.options) != NULL)
        return -EINVAL;
    return 0;
}

static int32_t check_address(const struct tp_address *address)
{
    if (address == NULL)
        return -EFAULT;
    if (address->family == TP_ADDRESS_IPV4 || address->family == TP_ADDRESS_IPV6)
        return 0;
    if (address->family != TP_ADDRESS_UNIX)
        return -EAFNOSUPPORT;
    if (address->at.path[0] == '\0')
        return -EINVAL;
    return memchr(address->at.path, '\0', TP_UNIX_PATH_MAX) == NULL ? -ENAMETOOLONG : 0;
}

/* The same for sockets and what else a service waits for. */
static int32_t check_service(const struct tp_request *request)
{
    switch (request->kind) {
    case TP_SEND_BUFS:
        if (request->len == 0 || request->len > TP_BUFS_MAX)
            return -EINVAL;
        for (uint32_t i = 0; i < request->len; i++) {
            if (request->a.bufs[i].data == NULL && request->a.bufs[i].len != 0)
                return -EFAULT;
        }
        return 0;
    case TP_BIND:
        return request->a.address->family == TP_ADDRESS_UNIX ? -EAFNOSUPPORT : 0;
    case TP_SEND_TO:
        if (request->b.address->family == TP_ADDRESS_UNIX)
            return -EAFNOSUPPORT;
        return request->b.address->port == 0 ? -EINVAL : 0;
    case TP_RECV_FROM:
        return request->b.datagram == NULL ? -EFAULT : 0;
    case TP_SHUTDOWN:
        return (request->flags & (TP_SHUT_READ | TP_SHUT_WRITE)) == 0 ? -EINVAL : 0;
    case TP_RESOLVE:
        return strnlen(request->b.path, TP_NAME_MAX + 1) > TP_NAME_MAX ? -ENAMETOOLONG : 0;
    case TP_OFFLOAD:
        return request->a.work == NULL ? -EFAULT : 0;
    case TP_SIGNAL:
        return request->a.signals == 0 || request->a.signals >= UINT64_C(2) * TP_SIGNAL_USR2
                   ? -EINVAL
                   : 0;
    default:
        return 0;
    }
}

int32_t tp_io_arguments_error(const struct tp_io *io, const struct tp_request *request,
                              uint32_t traits)
{
    int32_t error;

    if (io->caps.kinds[request->kind].how == TP_HOW_UNAVAILABLE)
        return -EOPNOTSUPP;
    if ((traits & TP_TAKES_FD) != 0 && !tp_fd_table_holds(io->fds, request->fd))
        return -EBADF;
    if ((traits & (TP_LENDS_IN | TP_LENDS_OUT)) != 0 && request->a.memory == NULL &&
        request->len != 0)
        return -EFAULT;
    if ((traits & TP_TAKES_ADDRESS) != 0 &&
        (error = check_address(tp_request_address(request))) < 0)
        return error;
    if ((traits & TP_TAKES_PATH) != 0 && (error = check_paths(io, request)) < 0)
        return error;
    if (request->kind >= TP_LISTEN)
        return check_service(request);
    if (request->kind == TP_READ || request->kind == TP_WRITE) {
        if (request->b.offset > INT64_MAX)
            return -EINVAL;
    } else if (request->kind == TP_TRUNCATE) {
        if (request->a.length > INT64_MAX)
            return -EINVAL;
    } else if (request->kind == TP_FALLOCATE) {
        if (request->a.length == 0 || request->a.length > INT64_MAX ||
            request->b.offset > INT64_MAX)
            return -EINVAL;
    } else if (request->kind == TP_FIND_DATA) {
        if (request->b.offset > INT64_MAX)
            return -EINVAL;
    } else if (request->kind == TP_LIST_DIR) {
        if ((uintptr_t)request->a.memory % 8 != 0)
            return -EINVAL;
    }
    return 0;
}
