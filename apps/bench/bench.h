/** apps/bench/bench.h - what a benchmark is made of: options, contestants, contests, rows.
 *
 * A contest is one setting (depth, mode) and several contestants that do the same work in
 * it. They run interleaved, a slice each and round by round, so that what disturbs the
 * machine disturbs all of them; what is compared is taken round by round too, and then the
 * median.
 *
 * Ownership: a contestant's state lives from open() to close(). All states of a contest are
 * open at once, in one thread.
 *
 * Errors: negative errno; bench_complain() has said on standard error what failed.
 */
#ifndef TEMPEST_APPS_BENCH_BENCH_H
#define TEMPEST_APPS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "apps/common/backend.h"

enum {
    BENCH_DEPTHS_MAX = 16,
    BENCH_DEPTH_MAX = 4096,
    BENCH_ONLY_MAX = 16,
    BENCH_ROUNDS_MAX = 200,
    BENCH_CONTESTANTS_MAX = 16,
    BENCH_PATH_MAX = 4096,
};

/** What a benchmark needs of an Io; the one file that has main() knows how to make it. */
struct bench_io_wants {
    uint32_t ops_max;        /* operations in flight */
    uint32_t buf_count;      /* registered buffers; 0: none */
    uint32_t buf_size;       /* bytes of each */
    uint32_t recv_buf_count; /* receive buffers; 0: none */
    uint32_t recv_buf_size;  /* bytes of each */
    uint32_t files_max;      /* registered files; 0: as many as usual */
};

/** The command line. */
struct bench_options {
    const char *name; /* of the benchmark */
    const char *mode; /* the only mode to run; NULL: all */
    const char *file; /* to read, or to copy; NULL: one made in `directory` */
    const char *directory;
    const char *program; /* path of this program: its neighbours are found beside it */
    const char *only[BENCH_ONLY_MAX]; /* the contestants to run; none: all */
    uint32_t only_count;
    uint32_t depths[BENCH_DEPTHS_MAX];
    uint32_t depth_count; /* 0: the benchmark's own */
    uint32_t connections[BENCH_DEPTHS_MAX];
    uint32_t connections_count; /* 0: the benchmark's own */
    uint32_t rounds;            /* 0: the benchmark's own */
    bool json;
    uint64_t row_ns;     /* measured time of one contestant in one contest; 0: own */
    uint64_t size_bytes; /* of the file that is made; 0: the benchmark's own */
    int (*make_io)(const struct bench_options *options, const struct bench_io_wants *wants,
                   struct tp_io **ret_io);
    const char *io; /* as it was said; NULL: it was not */
    enum app_backend backend;
    bool uring_refused; /* contestants on io_uring are left out, unless they were named */
};

/** What all contestants of a contest have in common. */
struct bench_setting {
    const struct bench_options *options;
    const char *mode;     /* as in the output; NULL: the benchmark has no modes */
    const char *command;  /* as in the output; NULL: does not apply */
    uint32_t connections; /* to a server; 0: does not apply */
    uint32_t depth;       /* operations in flight (of each connection); 0: does not apply */
    const char *path;
    uint64_t file_bytes;
    uint64_t bytes_op; /* moved by one operation, for the output; 0: not told */
    void *shared;      /* what the benchmark gives to all of its contests */
    bool marked; /* the file is ours: each block begins with its number, little-endian */
};

/** What a slice came to, when the contestant knows better than the clocks around it. */
struct bench_sample {
    double wall_ns;        /* 0: as measured */
    double cpu_ns;         /* as measured */
    double p50_us, p99_us; /* latencies; 0: not known */
};

/** What only some contestants do beside a slice; each may be NULL. Not measured. */
struct bench_hooks {
    int (*prepare)(void *state);                                  /* before each slice */
    int (*check)(void *state);                                    /* after each slice */
    void (*sample)(void *state, struct bench_sample *ret_sample); /* after each slice */
    int (*finish)(void *state); /* after the last slice: whether it ends as it should */
};

struct bench_contestant {
    const char *name;    /* as in the output */
    const char *against; /* the contestant that it is compared with; NULL: none */
    uint64_t fixed;      /* operations of a slice; 0: as many as fill the time */
    int (*open)(const struct bench_setting *setting, void **ret_state);
    int (*run)(void *state, uint64_t operations);
    void (*close)(void *state);
    const struct bench_hooks *hooks; /* or NULL */
};

/** A number that only some rows have. */
struct bench_extra {
    const char *name;
    double value;
};

/** Where the rows go: a table on standard output as they come, or JSON at the end. */
struct bench_report {
    const struct bench_options *options;
    FILE *json;
    char *json_text;
    size_t json_bytes;
    uint32_t rows;
    double unit_ns;        /* of the times in the table */
    const char *unit_name; /* "ns" */
};

/** options.c: 0 and the options; 1: nothing is to be done (--help); -1: wrong usage. */
int bench_options_parse(int argc, char **argv, struct bench_options *ret_options);

/** options.c: whether the contestant is to run. */
bool bench_options_want(const struct bench_options *options, const char *name);

/** options.c: whether the mode is to run. */
bool bench_options_want_mode(const struct bench_options *options, const char *mode);

/** contest.c: processor time that was spent: of all threads, the kernel's workers for this
 * process included, and of waited-for children. */
uint64_t bench_cpu_ns(void);

/** contest.c: runs the contest and reports a row for each contestant that was asked for. */
int bench_contest(struct bench_report *report, const struct bench_setting *setting,
                  const struct bench_contestant *contestants, uint32_t count);

/** contest.c: a contest for each depth: the options' depths, or the benchmark's own. */
int bench_contest_depths(struct bench_report *report, const struct bench_setting *setting,
                         const uint32_t *depths, uint32_t depth_count,
                         const struct bench_contestant *contestants, uint32_t count);

/** report.c: the medians of the rounds, for one contestant. */
struct bench_figures {
    const char *name, *against;
    double ns_op[3]; /* median, least, most */
    double cpu_ns_op[3];
    double p50_us[3], p99_us[3]; /* 0: not known */
    double ratio; /* median over the rounds of (time of `against`) / (own time); 0: none */
    double over_ns;     /* median over the rounds of own time less that of `against` */
    double cpu_over_ns; /* of CPU time */
    double cpu_ratio;   /* median of (own CPU time) / (that of `against`); 0: none */
    uint64_t bytes_op;  /* moved by one operation; 0: does not apply */
};

int bench_report_open(struct bench_report *report, const struct bench_options *options);
/** report.c: the rows that follow belong to this setting. */
void bench_report_setting(struct bench_report *report, const struct bench_setting *setting);
void bench_report_figures(struct bench_report *report, const struct bench_setting *setting,
                          const struct bench_figures *figures);

/** report.c: a row of numbers that were not raced for. */
void bench_report_numbers(struct bench_report *report, const char *name,
                          const struct bench_extra *extras, uint32_t count);

/** report.c: prints the JSON if that was asked for, unless `result` is an error. */
int bench_report_close(struct bench_report *report, int result);

/** report.c: "tempest-bench: WHAT: reason" on standard error. Gives `error`. */
int bench_complain(const char *what, int error);

/* The benchmarks: 0 or a negative errno. */
int bench_nop(const struct bench_options *options, struct bench_report *report);
int bench_idle(const struct bench_options *options, struct bench_report *report);
int bench_read(const struct bench_options *options, struct bench_report *report);
int bench_write(const struct bench_options *options, struct bench_report *report);
int bench_copy(const struct bench_options *options, struct bench_report *report);
int bench_echo(const struct bench_options *options, struct bench_report *report);
int bench_kv(const struct bench_options *options, struct bench_report *report);
int bench_sim(const struct bench_options *options, struct bench_report *report);

/** A stream of numbers, the same for every contestant (SplitMix64). */
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

#endif
