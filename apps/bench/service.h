/** apps/bench/service.h - a server in a process of its own, and what it spends.
 *
 * The CPU time is that of all its threads, workers that the kernel runs for it included,
 * read from outside to the ns: the server does nothing for it.
 *
 * Life: start; then either wait, for one that ends by itself, or stop. A server that was
 * started dies with this process.
 */
#ifndef TEMPEST_APPS_BENCH_SERVICE_H
#define TEMPEST_APPS_BENCH_SERVICE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/** The processors that this process may use, and their parts for client and server. */
struct bench_processors {
    cpu_set_t all, client, server;
};

struct bench_service {
    pid_t pid; /* 0: none runs */
    clockid_t clock;
    const struct bench_processors *processors; /* where it runs; NULL: anywhere */
};

/** Gives the last processor to servers, and moves this process to the first. What a wake
 * costs depends on who runs where, and is then the same for all. Nothing happens when there
 * is one only. */
void bench_processors_split(struct bench_processors *processors);

/** Lets this process run anywhere again. */
void bench_processors_join(const struct bench_processors *processors);

/** Runs serve(context) in a child, which exits with 0, or with 1 when that is < 0. Of the
 * open files it keeps the three standard ones and `keep_fd`. 0 or -errno. */
int bench_service_start(struct bench_service *service, int (*serve)(void *context),
                        void *context, int keep_fd);

/** ns that it has spent so far; 0 when none runs. */
uint64_t bench_service_cpu_ns(const struct bench_service *service);

/** Whether it has not ended yet. */
bool bench_service_runs(const struct bench_service *service);

/** Waits until it ends. 0; -ECHILD if it failed or died; -ETIMEDOUT if it had to be killed.
 */
int bench_service_wait(struct bench_service *service, uint64_t wait_ns);

/** Sends `signal_number`, and waits like bench_service_wait(). Nothing when none runs. */
int bench_service_stop(struct bench_service *service, int signal_number, uint64_t wait_ns);

#endif
