#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/bench/file.h"
#include "io/base.h"

#define FILE_BYTES (UINT64_C(1) << 30)

enum { CHUNK_BYTES = 1 << 20 };

/* ------------------------------------------------------------------ before and after */

int bench_copy_init(struct bench_copy *copy, const struct bench_setting *setting)
{
    const char *slash = strrchr(setting->path, '/');
    int len = slash == NULL ? 1 : (int)(slash - setting->path) + 1;

    copy->source = setting->path;
    copy->bytes = setting->file_bytes;
    copy->durable = strcmp(setting->mode, "durable") == 0;
    if (len + (int)sizeof "copy.out" > BENCH_PATH_MAX)
        return -ENAMETOOLONG;
    (void)snprintf(copy->directory, sizeof copy->directory, "%.*s", len,
                   slash == NULL ? "." : setting->path);
    (void)snprintf(copy->destination, sizeof copy->destination, "%.*s%s",
                   (int)sizeof copy->destination - 16, slash == NULL ? "" : copy->directory,
                   "copy.out");
    return 0;
}

static int sync_one(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int result;

    if (fd < 0)
        return -errno;
    result = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return result;
}

int bench_copy_sync(const struct bench_copy *copy)
{
    int result = sync_one(copy->destination, 0);

    return result < 0 ? result : sync_one(copy->directory, O_DIRECTORY);
}

int bench_copy_prepare(void *state)
{
    struct bench_copy *copy = state;
    int fd, result;

    if (unlink(copy->destination) < 0 && errno != ENOENT)
        return bench_complain(copy->destination, -errno);
    fd = open(copy->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return bench_complain(copy->directory, -errno);
    result = syncfs(fd) < 0 ? bench_complain("syncfs", -errno) : 0;
    (void)close(fd);
    return result < 0 ? result : bench_file_warm(copy->source);
}

static int compare_files(int left, int right, uint8_t *chunks)
{
    for (;;) {
        ssize_t count = read(left, chunks, CHUNK_BYTES);
        ssize_t other = read(right, chunks + CHUNK_BYTES, CHUNK_BYTES);

        if (count < 0 || other < 0)
            return -errno;
        if (count != other || memcmp(chunks, chunks + CHUNK_BYTES, (size_t)count) != 0)
            return -EILSEQ;
        if (count == 0)
            return 0;
    }
}

int bench_copy_check(void *state)
{
    struct bench_copy *copy = state;
    int source = open(copy->source, O_RDONLY | O_CLOEXEC);
    int destination = open(copy->destination, O_RDONLY | O_CLOEXEC);
    uint8_t *chunks = malloc((size_t)2 * CHUNK_BYTES);
    int result = -ENOMEM;

    if (source < 0 || destination < 0)
        result = -errno;
    else if (chunks != NULL)
        result = compare_files(source, destination, chunks);
    free(chunks);
    if (source >= 0)
        (void)close(source);
    if (destination >= 0)
        (void)close(destination);
    if (unlink(copy->destination) < 0 && result == 0)
        result = -errno;
    return result < 0 ? bench_complain(copy->destination, result) : 0;
}

/* ------------------------------------------------------------------ programs */

struct program {
    struct bench_copy copy;
    char path[BENCH_PATH_MAX]; /* of the program */
    bool syncs;                /* it makes durable what it copies */
};

static int run_program(struct program *program)
{
    char quiet[] = "--quiet", sync[] = "--sync";
    char *argv[6];
    pid_t pid;
    int count = 0, status, result;

    argv[count++] = program->path;
    if (program->syncs)
        argv[count++] = quiet;
    if (program->syncs && program->copy.durable)
        argv[count++] = sync;
    argv[count++] = (char *)(uintptr_t)program->copy.source;
    argv[count++] = program->copy.destination;
    argv[count] = NULL;
    result = posix_spawnp(&pid, program->path, NULL, NULL, argv, environ);
    if (result != 0)
        return -result;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static int program_run(void *state, uint64_t operations)
{
    struct program *program = state;
    int result = run_program(program);

    (void)operations;
    if (result == 0 && program->copy.durable && !program->syncs)
        result = bench_copy_sync(&program->copy);
    return result;
}

static int program_open(const struct bench_setting *setting, const char *path, bool syncs,
                        void **ret_state)
{
    struct program *program = calloc(1, sizeof *program);
    int result;

    if (program == NULL)
        return -ENOMEM;
    result = bench_copy_init(&program->copy, setting);
    program->syncs = syncs;
    (void)snprintf(program->path, sizeof program->path, "%s", path);
    if (result < 0) {
        free(program);
        return result;
    }
    *ret_state = program;
    return 0;
}

static int cp_open(const struct bench_setting *setting, void **ret_state)
{
    return program_open(setting, "cp", false, ret_state);
}

static int tempest_open(const struct bench_setting *setting, void **ret_state)
{
    char path[BENCH_PATH_MAX];

    if (!bench_file_neighbour("tempest-copy", path))
        return -ENOENT;
    return program_open(setting, path, true, ret_state);
}

/* ------------------------------------------------------------------ the contest */

int bench_copy(const struct bench_options *options, struct bench_report *report)
{
    static const char *const modes[] = {"cached", "durable"};
    static const struct bench_hooks hooks = {.prepare = bench_copy_prepare,
                                             .check = bench_copy_check};
    static const struct bench_contestant contestants[] = {
        {"cp", NULL, 1, cp_open, program_run, free, &hooks},
        {"liburing", "cp", 1, bench_copy_raw_open, bench_copy_raw_run, bench_copy_raw_close,
         &hooks},
        {"liburing-direct", "cp", 1, bench_copy_raw_open_direct, bench_copy_raw_run,
         bench_copy_raw_close, &hooks},
        {"tempest", "cp", 1, tempest_open, program_run, free, &hooks},
        {"tempest-machine", "cp", 1, bench_copy_machine_open, bench_copy_machine_run,
         bench_copy_machine_close, &hooks},
        {"tempest-machine-direct", "cp", 1, bench_copy_machine_open_direct,
         bench_copy_machine_run, bench_copy_machine_close, &hooks},
    };
    struct bench_setting setting = {.options = options};
    char path[BENCH_PATH_MAX];
    int result = bench_file_prepare(&setting, "copy.bin", FILE_BYTES, path);

    setting.bytes_op = setting.file_bytes;
    report->unit_ns = 1e6;
    report->unit_name = "ms";
    for (uint32_t i = 0; i < 2 && result == 0; i++) {
        setting.mode = modes[i];
        if (bench_options_want_mode(options, modes[i]))
            result = bench_contest(report, &setting, contestants,
                                   sizeof contestants / sizeof contestants[0]);
    }
    return result;
}
