#include <errno.h>
#include <string.h>

#include "apps/bench/bench.h"
#include "io/linux/linux.h"

static int make_linux_io(const struct bench_io_wants *wants, struct tp_io **ret_io)
{
    struct tp_linux_io_config config = {.size = sizeof config};
    int result;

    config.ops_max = wants->ops_max;
    config.buf_count = wants->buf_count > 0 ? wants->buf_count : TP_LINUX_NONE;
    config.buf_size = wants->buf_size;
    config.recv_buf_count =
        wants->recv_buf_count > 0 ? wants->recv_buf_count : TP_LINUX_NONE;
    config.recv_buf_size = wants->recv_buf_size;
    config.files_max = wants->files_max;
    result = tp_linux_io_create(&config, ret_io);
    if (result < 0)
        fprintf(stderr, "tempest-bench: %s\n", tp_linux_io_refusal(result));
    return result;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct bench_options *options, struct bench_report *report);
    } benchmarks[] = {{"nop", bench_nop},   {"read", bench_read}, {"write", bench_write},
                      {"copy", bench_copy}, {"echo", bench_echo}, {"kv", bench_kv}};
    struct bench_report report = {0};
    struct bench_options options;
    int result = bench_options_parse(argc, argv, &options);

    if (result != 0)
        return result < 0 ? 2 : 0;
    options.make_io = make_linux_io;
    for (uint32_t i = 0; i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        if (strcmp(benchmarks[i].name, options.name) != 0)
            continue;
        result = bench_report_open(&report, &options);
        if (result == 0)
            result = bench_report_close(&report, benchmarks[i].run(&options, &report));
        return result < 0 ? 1 : 0;
    }
    fprintf(stderr, "tempest-bench: %s: no such benchmark (see --help)\n", options.name);
    return 2;
}
