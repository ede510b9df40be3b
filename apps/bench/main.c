#include <errno.h>
#include <string.h>

#include "apps/bench/bench.h"
#include "apps/common/say.h"
#include "apps/common/streams.h"

static uint32_t or_none(uint32_t count)
{
    return count > 0 ? count : APP_BACKEND_NONE;
}

static int make_io(const struct bench_options *options, const struct bench_io_wants *wants,
                   struct tp_io **ret_io)
{
    const struct app_backend_wants all = {
        .ops_max = wants->ops_max,
        .buf_count = or_none(wants->buf_count),
        .buf_size = wants->buf_size,
        .recv_buf_count = or_none(wants->recv_buf_count),
        .recv_buf_size = wants->recv_buf_size,
        .files_max = wants->files_max,
    };

    *ret_io = app_backend_create(options->backend, &all);
    return *ret_io == NULL ? -EOPNOTSUPP : 0;
}

/* What auto is, once for all that is measured. False: there is none, which was said. */
static bool choose_backend(struct bench_options *options)
{
    const struct app_backend_wants one = {.ops_max = 1,
                                          .buf_count = APP_BACKEND_NONE,
                                          .recv_buf_count = APP_BACKEND_NONE,
                                          .files_max = APP_BACKEND_NONE};
    struct tp_io *io = app_backend_create(options->backend, &one);

    if (io == NULL)
        return false;
    if (options->backend == APP_BACKEND_AUTO) {
        options->uring_refused = tp_io_caps(io)->refused < 0;
        options->backend = options->uring_refused ? APP_BACKEND_POSIX : APP_BACKEND_LINUX;
        if (options->uring_refused)
            app_say("contestants that need io_uring have no rows");
    }
    tp_io_destroy(io);
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct bench_options *options, struct bench_report *report);
    } benchmarks[] = {{"nop", bench_nop},   {"read", bench_read}, {"write", bench_write},
                      {"copy", bench_copy}, {"echo", bench_echo}, {"kv", bench_kv},
                      {"sim", bench_sim}};
    struct bench_report report = {0};
    struct bench_options options;
    int result;

    app_take_streams();
    app_say_as("tempest-bench");
    result = bench_options_parse(argc, argv, &options);

    if (result != 0)
        return result < 0 ? 2 : !app_printed();
    options.make_io = make_io;
    for (uint32_t i = 0; i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        if (strcmp(benchmarks[i].name, options.name) != 0)
            continue;
        if (benchmarks[i].run != bench_sim && !choose_backend(&options))
            return 1;
        result = bench_report_open(&report, &options);
        if (result == 0)
            result = bench_report_close(&report, benchmarks[i].run(&options, &report));
        return result < 0 || !app_printed() ? 1 : 0;
    }
    fprintf(stderr, "tempest-bench: %s: no such benchmark (see --help)\n", options.name);
    return 2;
}
