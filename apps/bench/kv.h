/** apps/bench/kv.h - the servers of `kv` and their client: redis-benchmark, for both.
 *
 * Each server runs in a process of its own, with a directory of its own on the same file
 * system. Before it is raced it gets every key that will be asked for, and afterwards every
 * one must be there.
 */
#ifndef TEMPEST_APPS_BENCH_KV_H
#define TEMPEST_APPS_BENCH_KV_H

#include "apps/bench/service.h"
#include "bench.h"

enum {
    BENCH_KV_KEYS = 100000,
    BENCH_KV_VALUE_BYTES = 64,
};

/** One that runs. */
struct bench_kv_server {
    const char *name; /* of the contestant */
    struct bench_service service;
    uint16_t port; /* of 127.0.0.1 */
    char directory[BENCH_PATH_MAX];
};

/** kv_server.c: whether the program can be found, beside this one or on the PATH; that it
 * cannot is said. */
bool bench_kv_there(const char *program);

/** kv_server.c: starts "tempest" or "redis" on an empty directory below the options' one,
 * and waits until it answers. `durable`: every write is, before its reply; else none is. */
int bench_kv_start(struct bench_kv_server *server, const char *name, bool durable,
                   const struct bench_options *options);

/** kv_server.c: ends it in order, and removes its directory. */
int bench_kv_stop(struct bench_kv_server *server);

/** kv_client.c: whether something that answers PING listens there. */
bool bench_kv_answers(uint16_t port);

/** kv_client.c: sets all keys. */
int bench_kv_fill(uint16_t port);

/** kv_client.c: gets all keys: each must have a value of the right length. */
int bench_kv_verify(uint16_t port);

/** kv_client.c: what one run of redis-benchmark came to. */
struct bench_kv_figures {
    double ops_s, p50_us, p99_us;
};

/** kv_client.c: runs it. An error that the server answers is one of the run, too. */
int bench_kv_race(uint16_t port, const struct bench_setting *setting, uint64_t requests,
                  struct bench_kv_figures *ret_figures);

#endif
