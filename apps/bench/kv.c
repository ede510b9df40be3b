#include "kv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/base.h"

enum { ROUNDS_DEFAULT = 7, CLIENTS_DEFAULT = 50 };
#define ROW_NS_DEFAULT UINT64_C(3500000000)

enum who { REDIS, TEMPEST, SERVERS };

static const char *const names[SERVERS] = {"redis", "tempest"};
static const char *const programs[SERVERS] = {"redis-server", "tempest-kv"};

/* What the contests of one mode share: they run on the same two servers. */
struct servers {
    struct bench_kv_server each[SERVERS];
};

struct runner {
    struct bench_kv_server *server;
    const struct bench_setting *setting;
    uint64_t requests, spent_ns; /* of the last slice */
    struct bench_kv_figures figures;
};

/* ------------------------------------------------------------------ a contestant */

static int runner_open(const struct bench_setting *setting, enum who who, void **ret_state)
{
    struct runner *runner = calloc(1, sizeof *runner);

    if (runner == NULL)
        return -ENOMEM;
    runner->server = &((struct servers *)setting->shared)->each[who];
    runner->setting = setting;
    *ret_state = runner;
    return 0;
}

static int open_redis(const struct bench_setting *setting, void **ret_state)
{
    return runner_open(setting, REDIS, ret_state);
}

static int open_tempest(const struct bench_setting *setting, void **ret_state)
{
    return runner_open(setting, TEMPEST, ret_state);
}

static int runner_run(void *state, uint64_t operations)
{
    struct runner *runner = state;
    const struct bench_service *service = &runner->server->service;
    uint64_t before = bench_service_cpu_ns(service);
    int result =
        bench_kv_race(runner->server->port, runner->setting, operations, &runner->figures);

    runner->requests = operations;
    runner->spent_ns = bench_service_cpu_ns(service) - before;
    return result;
}

static void runner_sample(void *state, struct bench_sample *ret_sample)
{
    const struct runner *runner = state;
    const struct bench_kv_figures *figures = &runner->figures;

    /* What the client measured is without its start; else the clocks around it count. */
    ret_sample->wall_ns =
        figures->ops_s > 0 ? (double)runner->requests * 1e9 / figures->ops_s : 0;
    ret_sample->cpu_ns = (double)runner->spent_ns;
    ret_sample->p50_us = figures->p50_us;
    ret_sample->p99_us = figures->p99_us;
}

/* ------------------------------------------------------------------ the contests */

/* Runs `each` with every server that runs; the first error. */
static int for_each(struct servers *servers, int (*each)(uint16_t port))
{
    int result = 0;

    for (uint32_t i = 0; i < SERVERS && result == 0; i++) {
        const struct bench_kv_server *server = &servers->each[i];

        if (server->service.pid == 0)
            continue;
        result = each(server->port);
        if (result < 0)
            (void)bench_complain(server->name, result);
    }
    return result;
}

static int race(struct bench_report *report, struct bench_setting *setting)
{
    static const uint32_t depths[] = {1, 16};
    static const char *const commands[] = {"SET", "GET"};
    static const struct bench_hooks hooks = {.sample = runner_sample};
    static const struct bench_contestant contestants[SERVERS] = {
        {"redis", NULL, 0, open_redis, runner_run, free, &hooks},
        {"tempest", "redis", 0, open_tempest, runner_run, free, &hooks},
    };
    const struct servers *servers = setting->shared;
    struct bench_contestant running[SERVERS];
    uint32_t count = 0;
    int result = 0;

    for (uint32_t i = 0; i < SERVERS; i++) {
        if (servers->each[i].service.pid != 0)
            running[count++] = contestants[i];
    }
    for (uint32_t i = 0; i < 2 && count > 0 && result == 0; i++) {
        setting->command = commands[i];
        result = bench_contest_depths(report, setting, depths, 2, running, count);
    }
    return result;
}

static int race_mode(struct bench_report *report, struct bench_setting *setting)
{
    struct servers servers = {0};
    bool durable = strcmp(setting->mode, "durable") == 0;
    int result = 0;

    setting->shared = &servers;
    for (uint32_t i = 0; i < SERVERS && result == 0; i++) {
        if (bench_options_want(setting->options, names[i]) && bench_kv_there(programs[i]))
            result = bench_kv_start(&servers.each[i], names[i], durable, setting->options);
    }
    if (result == 0)
        result = for_each(&servers, bench_kv_fill);
    if (result == 0)
        result = race(report, setting);
    if (result == 0)
        result = for_each(&servers, bench_kv_verify);
    for (uint32_t i = 0; i < SERVERS; i++) {
        int stopped = bench_kv_stop(&servers.each[i]);

        if (result == 0)
            result = stopped;
    }
    setting->shared = NULL;
    return result;
}

int bench_kv(const struct bench_options *options, struct bench_report *report)
{
    static const char *const modes[] = {"durable", "none"};
    struct bench_options own = *options;
    struct bench_setting setting = {.options = &own};
    int result = bench_kv_there("redis-benchmark") ? 0 : -ENOENT;

    own.rounds = own.rounds > 0 ? own.rounds : ROUNDS_DEFAULT;
    own.row_ns = own.row_ns > 0 ? own.row_ns : ROW_NS_DEFAULT;
    if (own.connections_count == 0)
        own.connections[own.connections_count++] = CLIENTS_DEFAULT;
    for (uint32_t i = 0; i < own.connections_count; i++) {
        setting.connections = own.connections[i];
        for (uint32_t j = 0; j < 2 && result == 0; j++) {
            setting.mode = modes[j];
            if (bench_options_want_mode(options, modes[j]))
                result = race_mode(report, &setting);
        }
    }
    return result;
}
