#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "io/base.h"

static const char usage[] =
    "usage: tempest-bench nop|read|write|copy|echo|kv|sim [OPTION...]\n"
    "\n"
    "The same work, done by Tempest and by its peers, interleaved in one run.\n"
    "\n"
    "  nop    what an operation costs beyond the kernel: a batch of operations that do\n"
    "         nothing; then the price of a deadline, of a child, and of idle machines\n"
    "  read   4 KiB at random offsets: from the page cache, and from the disk (O_DIRECT)\n"
    "  write  4 KiB after 4 KiB: the ways into a file that there are, and what they cost\n"
    "  copy   one large file: as the system leaves it, and durable\n"
    "  echo   messages of 64 bytes, sent back by a server: 50 and 500 connections, one\n"
    "         message at a time on each and 16; CPU is that of the server alone\n"
    "  kv     tempest-kv and redis-server with redis-benchmark: SET and GET, one at a "
    "time\n"
    "         on each of 50 connections and 16; durable, and without waiting\n"
    "  sim    the simulated world, on one core: operations on a disk, beside a bare event\n"
    "         loop; seeds of the zoo's twins and of tempest-kv, with power cuts and a\n"
    "         recovery; and how much faster than real time three nodes are\n"
    "\n"
    "  --json           one JSON object on standard output instead of the table\n"
    "  --depth N,...    operations in flight (nop: in a batch; echo, kv: of a connection;\n"
    "                   sim: on the disk)\n"
    "  --connections N,...  clients of a server (echo, kv)\n"
    "  --mode MODE      only this mode: cached, direct (read); cached, durable (copy);\n"
    "                   durable, none (kv)\n"
    "  --only NAME      only this contestant; may be repeated\n"
    "  --rounds N       rounds of interleaved slices\n"
    "  --seconds S      measured time of one contestant at one depth and mode\n"
    "  --size BYTES     size of the file that is made; K, M and G multiply by 1024\n"
    "  --file PATH      the file to read or copy, in place of one that is made\n"
    "  --dir DIR        where files are made (build/bench)\n"
    "  --io=auto        io_uring where that is allowed, else threads and epoll; or only\n"
    "                   --io=linux, only --io=posix; sim has none but --io=virtual\n"
    "  --help           this text\n"
    "  --version        the version\n"
    "\n"
    "examples:\n"
    "  tempest-bench nop\n"
    "  tempest-bench nop --depth 32,256 --only liburing --only tempest\n"
    "  tempest-bench read --mode direct --depth 128 --json\n"
    "  tempest-bench copy --size 256M --rounds 3\n"
    "\n"
    "Times are medians of the rounds; the peer of a comparison is measured in the same\n"
    "round. A machine that does other work disturbs all: see docs/performance.md.\n"
    "UV_THREADPOOL_SIZE sets libuv's threads (4).\n";

enum option_key {
    OPTION_HELP = 'h',
    OPTION_JSON = 256,
    OPTION_DEPTH,
    OPTION_CONNECTIONS,
    OPTION_MODE,
    OPTION_ONLY,
    OPTION_ROUNDS,
    OPTION_SECONDS,
    OPTION_SIZE,
    OPTION_FILE,
    OPTION_DIR,
    OPTION_IO,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"json", no_argument, NULL, OPTION_JSON},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"file", required_argument, NULL, OPTION_FILE},
    {"dir", required_argument, NULL, OPTION_DIR},
    {"io", required_argument, NULL, OPTION_IO},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "tempest-bench: %s %s: %s (see --help)\n", option, value, wanted);
    return -1;
}

/* A whole number from 1 to `most` at the start of `text`; NULL if there is none. */
static const char *parse_number(const char *text, uint64_t most, uint64_t *ret_value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return NULL;
    errno = 0;
    *ret_value = strtoull(text, &end, 10);
    return errno != 0 || *ret_value == 0 || *ret_value > most ? NULL : end;
}

/* "N,N,...", into an array of BENCH_DEPTHS_MAX. */
static int parse_numbers(const char *option, const char *text, uint32_t *ret_numbers,
                         uint32_t *ret_count)
{
    const char *at = text;
    uint64_t value;

    *ret_count = 0;
    for (;;) {
        at = parse_number(at, BENCH_DEPTH_MAX, &value);
        if (at == NULL || *ret_count == BENCH_DEPTHS_MAX)
            break;
        ret_numbers[(*ret_count)++] = (uint32_t)value;
        if (*at == '\0')
            return 0;
        if (*at++ != ',')
            break;
    }
    return wrong(option, text, "up to 16 numbers from 1 to 4096, such as 1,32,256");
}

static int parse_size(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "KMG";
    const char *at = parse_number(text, UINT64_C(1) << 40, ret_bytes);

    for (uint32_t i = 0; at != NULL && i < 3; i++) {
        if (*at == units[i]) {
            *ret_bytes <<= 10 * (i + 1);
            at++;
            break;
        }
    }
    if (at == NULL || *at != '\0' || *ret_bytes % 4096 != 0)
        return wrong("--size", text, "a multiple of 4096 bytes, such as 256M");
    return 0;
}

static int parse_seconds(const char *text, uint64_t *ret_ns)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds > 0) || seconds > 3600)
        return wrong("--seconds", text, "a number of seconds up to 3600");
    *ret_ns = (uint64_t)(seconds * 1e9) + 1;
    return 0;
}

static int parse_rounds(const char *text, uint32_t *ret_rounds)
{
    uint64_t value;
    const char *end = parse_number(text, BENCH_ROUNDS_MAX, &value);

    if (end == NULL || *end != '\0')
        return wrong("--rounds", text, "a number from 1 to 200");
    *ret_rounds = (uint32_t)value;
    return 0;
}

static bool is_virtual(const char *io)
{
    return strcmp(io, "virtual") == 0;
}

static int parse_one(int key, const char *text, struct bench_options *options)
{
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_DEPTH:
        return parse_numbers("--depth", text, options->depths, &options->depth_count);
    case OPTION_CONNECTIONS:
        return parse_numbers("--connections", text, options->connections,
                             &options->connections_count);
    case OPTION_MODE:
        options->mode = text;
        if (strcmp(text, "cached") != 0 && strcmp(text, "direct") != 0 &&
            strcmp(text, "durable") != 0 && strcmp(text, "none") != 0)
            return wrong("--mode", text, "cached, direct, durable or none");
        return 0;
    case OPTION_ONLY:
        if (options->only_count == BENCH_ONLY_MAX)
            return wrong("--only", text, "at most 16 of them");
        options->only[options->only_count++] = text;
        return 0;
    case OPTION_ROUNDS:
        return parse_rounds(text, &options->rounds);
    case OPTION_SECONDS:
        return parse_seconds(text, &options->row_ns);
    case OPTION_SIZE:
        return parse_size(text, &options->size_bytes);
    case OPTION_FILE:
        options->file = text;
        return 0;
    case OPTION_DIR:
        options->directory = text;
        return 0;
    case OPTION_IO:
        options->io = text;
        return is_virtual(text) || app_backend_parse(text, &options->backend)
                   ? 0
                   : wrong("--io", text, "auto, linux, posix or (sim) virtual");
    case OPTION_HELP:
        fputs(usage, stdout);
        return 1;
    case OPTION_VERSION:
        printf("tempest-bench %d.%d.%d\n", TP_VERSION_MAJOR, TP_VERSION_MINOR,
               TP_VERSION_PATCH);
        return 1;
    default:
        fputs("tempest-bench: see --help\n", stderr);
        return -1;
    }
}

int bench_options_parse(int argc, char **argv, struct bench_options *ret_options)
{
    struct bench_options options = {.directory = "build/bench", .program = argv[0]};
    bool is_sim;
    int key;

    while ((key = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        int result = parse_one(key, optarg, &options);

        if (result != 0)
            return result;
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return -1;
    }
    options.name = argv[optind];
    is_sim = strcmp(options.name, "sim") == 0;
    if (options.io != NULL && is_virtual(options.io) != is_sim)
        return wrong("--io", options.io,
                     is_sim ? "sim has only virtual"
                            : "only sim has it; auto, linux and posix are raced");
    *ret_options = options;
    return 0;
}

static bool needs_uring(const char *name)
{
    return strncmp(name, "liburing", strlen("liburing")) == 0 ||
           strncmp(name, "dsync-", strlen("dsync-")) == 0;
}

bool bench_options_want(const struct bench_options *options, const char *name)
{
    for (uint32_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], name) == 0)
            return true;
    }
    return options->only_count == 0 && !(options->uring_refused && needs_uring(name));
}

bool bench_options_want_mode(const struct bench_options *options, const char *mode)
{
    return options->mode == NULL || strcmp(options->mode, mode) == 0;
}
