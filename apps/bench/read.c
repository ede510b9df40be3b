#include "read.h"

#include <fcntl.h>
#include <unistd.h>

#include "apps/bench/file.h"

#define FILE_BYTES (UINT64_C(256) << 20)

int bench_read_open_flags(const struct bench_setting *setting)
{
    return O_RDONLY | O_CLOEXEC | (strcmp(setting->mode, "direct") == 0 ? O_DIRECT : 0);
}

/* Whether the file can be opened as the mode has it: not every file system has O_DIRECT. */
static bool opens(const struct bench_setting *setting)
{
    int fd = open(setting->path, bench_read_open_flags(setting));

    if (fd < 0) {
        (void)bench_complain(setting->mode, -errno);
        return false;
    }
    (void)close(fd);
    return true;
}

int bench_read(const struct bench_options *options, struct bench_report *report)
{
    static const uint32_t depths[] = {1, 32, 128, 512};
    static const char *const modes[] = {"cached", "direct"};
    static const struct bench_contestant contestants[] = {
        {"liburing", NULL, 0, bench_read_raw_open, bench_read_raw_run, bench_read_raw_close,
         NULL},
        {"tempest", "liburing", 0, bench_read_machines_open, bench_read_machines_run,
         bench_read_machines_close, NULL},
        {"tempest-one", "liburing", 0, bench_read_machines_open_one,
         bench_read_machines_run, bench_read_machines_close, NULL},
        {"tempest-io", "liburing", 0, bench_read_machines_open, bench_read_io_run,
         bench_read_machines_close, NULL},
        {"liburing-fixed", "liburing", 0, bench_read_raw_open_fixed, bench_read_raw_run,
         bench_read_raw_close, NULL},
        {"tempest-fixed", "liburing-fixed", 0, bench_read_machines_open_fixed,
         bench_read_machines_run, bench_read_machines_close, NULL},
        {"pread", "liburing", 0, bench_read_pread_open, bench_read_pread_run,
         bench_read_raw_close, NULL},
#ifdef BENCH_LIBUV
        {"libuv", "liburing", 0, bench_read_uv_open, bench_read_uv_run, bench_read_uv_close,
         NULL},
#endif
    };
    struct bench_setting setting = {.options = options};
    char path[BENCH_PATH_MAX];
    int result = bench_file_prepare(&setting, "read.bin", FILE_BYTES, path);

    for (uint32_t i = 0; i < 2 && result == 0; i++) {
        setting.mode = modes[i];
        if (!bench_options_want_mode(options, modes[i]) || !opens(&setting))
            continue;
        result = i == 0 ? bench_file_warm(path) : bench_file_cool(path);
        if (result == 0)
            result = bench_contest_depths(report, &setting, depths, 4, contestants,
                                          sizeof contestants / sizeof contestants[0]);
    }
    return result;
}
