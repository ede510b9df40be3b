#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/base.h"

enum { CHUNK_BYTES = 1 << 20, BLOCK_BYTES = 4096 };

/* mkdir -p of what precedes the last '/'. */
static int make_directories(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        int result;

        *at = '\0';
        result = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -errno;
        *at = '/';
        if (result < 0)
            return bench_complain(path, result);
    }
    return 0;
}

/* Every block begins with its number; the rest is noise, so that nothing can compress it.
 */
static void fill_chunk(uint8_t *chunk, uint64_t offset)
{
    uint64_t random = offset;

    for (uint32_t at = 0; at < CHUNK_BYTES; at += sizeof random) {
        uint64_t word =
            at % BLOCK_BYTES == 0 ? (offset + at) / BLOCK_BYTES : bench_random(&random);

        memcpy(chunk + at, &word, sizeof word);
    }
}

static int write_all(int fd, const uint8_t *chunk, uint64_t len, uint64_t offset)
{
    for (uint64_t done = 0; done < len;) {
        ssize_t count = pwrite(fd, chunk + done, len - done, (off_t)(offset + done));

        if (count < 0 && errno != EINTR)
            return -errno;
        if (count > 0)
            done += (uint64_t)count;
    }
    return 0;
}

static int make(const char *path, uint64_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    uint8_t *chunk = malloc(CHUNK_BYTES);
    int result = fd < 0 ? -errno : chunk == NULL ? -ENOMEM : 0;

    for (uint64_t offset = 0; result == 0 && offset < bytes; offset += CHUNK_BYTES) {
        uint64_t left = bytes - offset;

        fill_chunk(chunk, offset);
        result = write_all(fd, chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES, offset);
    }
    if (result == 0 && fsync(fd) < 0)
        result = -errno;
    if (fd >= 0 && close(fd) < 0 && result == 0)
        result = -errno;
    free(chunk);
    return result < 0 ? bench_complain(path, result) : 0;
}

int bench_file_place(const struct bench_options *options, const char *name, char *path)
{
    int len = snprintf(path, BENCH_PATH_MAX, "%s/%s", options->directory, name);

    if (len < 0 || len >= BENCH_PATH_MAX)
        return bench_complain("path", -ENAMETOOLONG);
    return make_directories(path);
}

/* The file that was asked for: it is as large as it is. */
static int use_given(struct bench_setting *setting, char *path)
{
    struct stat status;

    if (snprintf(path, BENCH_PATH_MAX, "%s", setting->options->file) >= BENCH_PATH_MAX)
        return bench_complain("path", -ENAMETOOLONG);
    if (stat(path, &status) < 0)
        return bench_complain(path, -errno);
    setting->file_bytes = (uint64_t)status.st_size / BLOCK_BYTES * BLOCK_BYTES;
    return setting->file_bytes > 0 ? 0 : bench_complain(path, -ENODATA);
}

int bench_file_prepare(struct bench_setting *setting, const char *name,
                       uint64_t default_bytes, char *path)
{
    const struct bench_options *options = setting->options;
    uint64_t bytes = options->size_bytes > 0 ? options->size_bytes : default_bytes;
    struct stat status;
    int result;

    setting->path = path;
    setting->marked = options->file == NULL;
    if (options->file != NULL)
        return use_given(setting, path);
    setting->file_bytes = bytes;
    result = bench_file_place(options, name, path);
    if (result < 0 || (stat(path, &status) == 0 && (uint64_t)status.st_size == bytes))
        return result;
    return make(path, bytes);
}

bool bench_file_neighbour(const char *name, char *path)
{
    ssize_t len = readlink("/proc/self/exe", path, BENCH_PATH_MAX - 1);
    char *slash;

    if (len < 0)
        return false;
    path[len] = '\0';
    slash = strrchr(path, '/');
    tp_assert(slash != NULL);
    if ((size_t)(slash + 1 - path) + strlen(name) >= BENCH_PATH_MAX)
        return false;
    memcpy(slash + 1, name, strlen(name) + 1);
    return access(path, X_OK) == 0;
}

int bench_file_warm(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *chunk = malloc(CHUNK_BYTES);
    ssize_t count = -1;

    if (fd >= 0 && chunk != NULL) {
        do {
            count = read(fd, chunk, CHUNK_BYTES);
        } while (count > 0);
    }
    free(chunk);
    if (fd >= 0)
        (void)close(fd);
    return count < 0 ? bench_complain(path, -errno) : 0;
}

int bench_file_cool(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0)
        return bench_complain(path, -errno);
    result = -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
    return result < 0 ? bench_complain(path, result) : 0;
}
