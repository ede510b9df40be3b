#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_NS UINT64_C(10000000000)

struct tp_io *make_io(const struct tp_linux_io_config *config)
{
    struct tp_io *io = NULL;
    const int error = tp_linux_io_create(config, &io);

    cr_assert(error == 0, "%s: %s", tp_errno_name(error), tp_linux_io_refusal(error));
    return io;
}

void scratch_name(char ret_path[256], const char *suffix)
{
    (void)snprintf(ret_path, 256, "scratch-linux-%d-%s", (int)getpid(), suffix);
}

struct tp_fd open_file(struct tp_io *io, const char *path)
{
    const struct tp_open_options options = {.read = true, .write = true, .create = true};
    const int32_t value = tp_io_block_on(io, tp_request_open(path, options));

    cr_assert(value >= 0, "%s: %s", path, tp_errno_name(value));
    return tp_io_into_fd(io, value);
}

struct tp_fd open_fifo(struct tp_io *io, const char *path, int *ret_writer)
{
    (void)unlink(path);
    cr_assert(zero(int, mkfifo(path, 0600)));
    *ret_writer = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(ge(int, *ret_writer, 0));
    return open_file(io, path);
}

int32_t wait_for(struct tp_io *io, uint64_t handle)
{
    const uint64_t start_ns = tp_io_now_ns(io);
    struct tp_completion completion;

    while (!tp_io_get_cqe(io, handle, &completion)) {
        cr_assert(lt(u64, tp_io_now_ns(io), start_ns + PATIENCE_NS));
        tp_io_park(io, tp_io_now_ns(io) + 100000000);
    }
    return completion.value;
}

void wait_for_all(struct tp_io *io)
{
    const uint64_t start_ns = tp_io_now_ns(io);

    while (tp_io_in_flight(io) > 0) {
        cr_assert(lt(u64, tp_io_now_ns(io), start_ns + PATIENCE_NS));
        if (tp_io_completions(io)->count == tp_io_completions(io)->capacity)
            tp_completions_clear(tp_io_completions(io));
        tp_io_park(io, tp_io_now_ns(io) + 100000000);
    }
}

/* Valgrind opens some of its own when it likes, and tells the program that they are not
 * open. */
uint32_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    uint32_t count = 0;

    cr_assert(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' &&
            fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD) >= 0)
            count++;
    }
    (void)closedir(dir);
    return count;
}

uint32_t count_fds_of(const struct tp_io *io)
{
    (void)tp_io_fd(io); /* made when first asked for */
    return count_fds();
}

uint32_t count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *entry;
    uint32_t count = 0;

    cr_assert(dir != NULL);
    while ((entry = readdir(dir)) != NULL)
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}
