#include "apps/copy/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/common/say.h"

enum { BLOCK_BYTES = 1 << 18 };

/* Where the loading is: the same place on both sides, and its path for the list. */
struct load {
    struct tp_io *io;
    struct copy_list *list;
    const char *host_root;
    char path[TP_PATH_MAX]; /* below the root; "" or "/a/b" */
    uint8_t block[BLOCK_BYTES];
};

static int32_t fail(const struct load *load, const char *operation, int32_t error)
{
    char text[2 * TP_PATH_MAX];

    (void)snprintf(text, sizeof text, "%s%s", load->host_root, load->path);
    app_say_error(text, operation, error);
    return error;
}

static int32_t add_to_list(struct load *load, uint32_t kind, uint64_t size)
{
    struct copy_list *list = load->list;
    uint32_t capacity = list->capacity == 0 ? 256 : 2 * list->capacity;
    struct copy_loaded item = {.path = strdup(load->path), .size = size, .kind = kind};

    if (item.path != NULL && list->count == list->capacity) {
        struct copy_loaded *items = realloc(list->items, capacity * sizeof *items);

        if (items != NULL) {
            list->items = items;
            list->capacity = capacity;
        }
    }
    if (item.path == NULL || list->count == list->capacity) {
        free(item.path);
        return fail(load, "load", -ENOMEM);
    }
    list->items[list->count++] = item;
    list->bytes += size;
    list->files += kind == TP_FILE_REGULAR ? 1 : 0;
    return 0;
}

void copy_list_deinit(struct copy_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    memset(list, 0, sizeof *list);
}

/* ------------------------------------------------------------------ a file */

/* The next run of data from `offset` on; false: only a hole is left. Where the file system
 * does not know, all is data. */
static bool next_data(int fd, uint64_t size, uint64_t offset, struct tp_extent *ret_extent)
{
    off_t start = lseek(fd, (off_t)offset, SEEK_DATA);
    off_t end;

    if (start < 0 && errno == ENXIO)
        return false;
    ret_extent->start = start < 0 ? offset : (uint64_t)start;
    end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
    ret_extent->end = end < 0 ? size : (uint64_t)end;
    return ret_extent->start < ret_extent->end;
}

static int32_t load_extent(struct load *load, int fd, struct tp_fd to,
                           struct tp_extent extent)
{
    while (extent.start < extent.end) {
        uint64_t left = extent.end - extent.start;
        ssize_t len = pread(fd, load->block, left < BLOCK_BYTES ? left : BLOCK_BYTES,
                            (off_t)extent.start);
        struct tp_buf buf;
        int32_t written;

        if (len < 0)
            return fail(load, "read", -errno);
        if (len == 0)
            break; /* it has become shorter */
        buf = tp_buf_full(load->block, (uint32_t)len);
        written = tp_io_block_on(load->io, tp_request_write_at(to, &buf, extent.start));
        if (written < 0)
            return fail(load, "write to the virtual disk", written);
        extent.start += (uint32_t)written;
    }
    return 0;
}

static int32_t load_data(struct load *load, int fd, struct tp_fd to, uint64_t size)
{
    struct tp_extent extent = {0, 0};
    int32_t error = 0;

    while (error == 0 && extent.end < size && next_data(fd, size, extent.end, &extent))
        error = load_extent(load, fd, to, extent);
    return error < 0 ? error : tp_io_block_on(load->io, tp_request_truncate(to, size));
}

static int32_t load_file(struct load *load, int fd, struct tp_fd dir, const char *name,
                         const struct stat *status)
{
    struct tp_open_options options = {.write = true, .create_new = true};
    int32_t value = tp_io_block_on(load->io, tp_request_open_in(dir, name, options));
    struct tp_fd to;
    int32_t error;

    if (value < 0)
        return fail(load, "create on the virtual disk", value);
    to = tp_io_into_fd(load->io, value);
    error = load_data(load, fd, to, (uint64_t)status->st_size);
    if (error == 0)
        error = tp_io_block_on(load->io, tp_request_set_mode(to, status->st_mode & 07777));
    (void)tp_io_block_on(load->io, tp_request_close(to));
    return error < 0 ? error
                     : add_to_list(load, TP_FILE_REGULAR, (uint64_t)status->st_size);
}

static int32_t load_link(struct load *load, int host_dir, const char *host_name,
                         struct tp_fd dir, const char *name)
{
    char target[TP_PATH_MAX];
    ssize_t len = readlinkat(host_dir, host_name, target, sizeof target - 1);
    int32_t error;

    if (len < 0)
        return fail(load, "readlink", -errno);
    target[len] = '\0';
    error = tp_io_block_on(load->io, tp_request_symlink_in(dir, name, target));
    if (error < 0)
        return fail(load, "symlink on the virtual disk", error);
    return add_to_list(load, TP_FILE_SYMLINK, 0);
}

/* ------------------------------------------------------------------ a directory */

static int32_t load_entry(struct load *load, int host_dir, const char *host_name,
                          bool follow, struct tp_fd dir, const char *name);

/* Loads everything in the directory `fd`, in the order of names. */
static int32_t load_entries(struct load *load, int fd, struct tp_fd dir)
{
    size_t path_len = strlen(load->path);
    struct dirent **entries;
    int count = scandirat(fd, ".", &entries, NULL, alphasort);
    int32_t error = 0;

    if (count < 0)
        return fail(load, "list", -errno);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (error == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            size_t room = sizeof load->path - path_len;

            if ((size_t)snprintf(load->path + path_len, room, "/%s", name) >= room)
                error = fail(load, "load", -ENAMETOOLONG);
            else
                error = load_entry(load, fd, name, false, dir, name);
            load->path[path_len] = '\0';
        }
        free(entries[i]);
    }
    free(entries);
    return error;
}

static int32_t load_dir(struct load *load, int fd, struct tp_fd parent, const char *name,
                        const struct stat *status)
{
    struct tp_open_options options = {.read = true};
    struct tp_fd dir;
    int32_t value;

    value = tp_io_block_on(load->io, tp_request_create_dir_in(parent, name, 0777));
    if (value < 0 && value != -EEXIST)
        return fail(load, "create_dir on the virtual disk", value);
    value = add_to_list(load, TP_FILE_DIRECTORY, 0);
    if (value == 0)
        value = tp_io_block_on(load->io, tp_request_open_in(parent, name, options));
    if (value < 0)
        return value;
    dir = tp_io_into_fd(load->io, value);
    value = load_entries(load, fd, dir);
    if (value == 0)
        value = tp_io_block_on(load->io, tp_request_set_mode(dir, status->st_mode & 07777));
    (void)tp_io_block_on(load->io, tp_request_close(dir));
    return value;
}

static int32_t load_entry(struct load *load, int host_dir, const char *host_name,
                          bool follow, struct tp_fd dir, const char *name)
{
    struct stat status;
    int32_t error;
    int fd;

    if (fstatat(host_dir, host_name, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return fail(load, "stat", -errno);
    if (S_ISLNK(status.st_mode))
        return load_link(load, host_dir, host_name, dir, name);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        load->list->left_out++;
        (void)fail(load, "not loaded: a device, a pipe or a socket", -ENOTSUP);
        return 0;
    }
    fd = openat(host_dir, host_name,
                O_RDONLY | O_NONBLOCK | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return fail(load, "open", -errno);
    if (S_ISDIR(status.st_mode))
        error = load_dir(load, fd, dir, name, &status);
    else
        error = load_file(load, fd, dir, name, &status);
    (void)close(fd);
    return error;
}

int32_t copy_load(struct tp_io *io, const char *host_path, bool follow, const char *path,
                  struct copy_list *list)
{
    struct tp_open_options options = {.read = true};
    const char *name = strrchr(path, '/') + 1;
    struct load *load = calloc(1, sizeof *load);
    char parent[TP_PATH_MAX];
    int32_t value;

    tp_assert(path[0] == '/');
    if (load == NULL)
        return -ENOMEM;
    load->io = io;
    load->list = list;
    load->host_root = host_path;
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(name - path), path);
    value = tp_io_create_dir_all_blocking(io, parent);
    if (value >= 0)
        value = tp_io_block_on(io, tp_request_open(parent, options));
    if (value < 0) {
        (void)fail(load, "make the directories above on the virtual disk", value);
    } else {
        struct tp_fd dir = tp_io_into_fd(io, value);

        value = load_entry(load, AT_FDCWD, host_path, follow, dir, name);
        (void)tp_io_block_on(io, tp_request_close(dir));
    }
    free(load);
    return value;
}
