#include "apps/sim/farm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/common/signals.h"

enum {
    BATCH_NS = 1000000000, /* what a batch should take: longer than a fork by far */
    POLL_MS = 50,
    REPEATS = 4, /* of failed seeds, a batch */
};

/* A place for a child. */
struct worker {
    struct tp_batch *batch; /* shared with it */
    pid_t pid;              /* 0: none */
    int said_fd;            /* a file in memory: its output */
    int end_fd;             /* at its end when the child is */
    uint32_t seen;          /* seeds begun when we last looked, and when that was */
    uint64_t seen_ns;
    bool hung;
    bool dropped; /* killed since a signal came: of its last seed nothing is known */
    /* What comes after the batch: the rest of it, then seeds to be repeated. */
    uint64_t rest_first, rest_count;
    struct tp_seed_result repeats[REPEATS + 1];
    uint32_t repeat_count;
    bool repeating;
};

struct farm {
    const struct tp_farm_config *config;
    struct tp_farm_totals *totals;
    struct worker *workers;
    struct pollfd *polls;
    uint64_t next;       /* seed that nobody has */
    bool none_left;      /* `next` has gone past the last */
    uint64_t stop_after; /* no seed above it is begun */
    uint64_t began_ns;
    uint64_t spent_ns, spent_seeds; /* for the size of batches */
    int error;
};

/* ------------------------------------------------------------------ children */

static int start(struct farm *farm, struct worker *worker, uint64_t first, uint32_t count)
{
    int ends[2];

    tp_assert(worker->batch != NULL);
    worker->batch->first = first;
    worker->batch->count = count;
    atomic_store(&worker->batch->begun, 0);
    atomic_store(&worker->batch->done, 0);
    atomic_store(&worker->batch->quit, 0);
    worker->seen = 0;
    worker->seen_ns = tp_host_now_ns();
    worker->hung = worker->dropped = false;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    worker->pid = fork();
    if (worker->pid == 0) {
        (void)close(ends[0]);
        tp_batch_become_child(worker->said_fd);
        tp_batch_run(&farm->config->job, worker->batch, worker->said_fd);
        _exit(0);
    }
    (void)close(ends[1]);
    worker->end_fd = ends[0];
    if (worker->pid < 0) {
        (void)close(ends[0]);
        worker->pid = 0;
        return -errno;
    }
    return 0;
}

/* ------------------------------------------------------------------ results */

static void deliver(struct farm *farm, const struct tp_seed_result *result)
{
    bool failed = result->outcome.verdict != TP_VERDICT_PASSED;

    farm->spent_ns += result->wall_ns;
    farm->spent_seeds++;
    if (failed && farm->config->until_failure && result->seed < farm->stop_after)
        farm->stop_after = result->seed;
    farm->config->result(farm->config->context, result);
}

/* Whether it is to be run again in a process of its own before it is believed. */
static bool is_doubted(const struct worker *worker, uint32_t index)
{
    const struct tp_sim_outcome *outcome = &worker->batch->results[index].outcome;

    if (index == 0 || worker->repeat_count > REPEATS)
        return false; /* the first had a process of its own */
    return index + 1 == worker->batch->count ||
           (outcome->verdict != TP_VERDICT_PASSED && worker->repeat_count < REPEATS);
}

static void compare(struct farm *farm, struct worker *worker, int status, bool died)
{
    const struct tp_seed_result *first = &worker->repeats[worker->repeat_count];
    struct tp_seed_result result = *first;

    if (worker->dropped) {
        deliver(farm, first);
        return;
    }
    farm->totals->repeated++;
    if (worker->hung) { /* of the trace nothing is known */
        tp_batch_judge(status, farm->config->hang_ns, worker->said_fd, &result.outcome);
    } else if (died || worker->batch->results[0].outcome.trace != first->outcome.trace) {
        result.outcome.verdict = TP_VERDICT_DIVERGED;
        result.outcome.kind = TP_VERDICT_DIVERGED;
        (void)snprintf(result.outcome.message, sizeof result.outcome.message,
                       "alone in a process it gives another trace than after other seeds: "
                       "something outlives a run, or addresses matter");
    }
    deliver(farm, &result);
}

/* The child has ended: its results, and the verdict on the seed that killed it. */
static void collect(struct farm *farm, struct worker *worker, int status)
{
    struct tp_batch *batch = worker->batch;
    uint32_t done = atomic_load(&batch->done);
    bool died =
        !WIFEXITED(status) || WEXITSTATUS(status) != 0 || atomic_load(&batch->begun) > done;

    for (uint32_t i = 0; i < TP_BATCH_MARKS; i++)
        farm->totals->reached[i] |=
            atomic_load_explicit(&batch->marks[i], memory_order_relaxed) != 0;
    if (worker->repeating) {
        compare(farm, worker, status, died);
        return;
    }
    for (uint32_t i = 0; i < done; i++) {
        if (is_doubted(worker, i))
            worker->repeats[worker->repeat_count++] = batch->results[i];
        else
            deliver(farm, &batch->results[i]);
    }
    worker->rest_first = batch->first + done;
    worker->rest_count = batch->count - done;
    if (died && !worker->dropped && done < batch->count) {
        batch->results[done].seed = batch->first + done;
        batch->results[done].wall_ns = 0;
        tp_batch_judge(status, worker->hung ? farm->config->hang_ns : 0, worker->said_fd,
                       &batch->results[done].outcome);
        deliver(farm, &batch->results[done]);
        worker->rest_first++;
        worker->rest_count--;
    }
}

/* Nothing is repeated any more: what was to be is believed. */
static void believe(struct farm *farm, struct worker *worker)
{
    while (worker->repeat_count > 0)
        deliver(farm, &worker->repeats[--worker->repeat_count]);
}

/* ------------------------------------------------------------------ handing out */

static bool is_time_up(const struct farm *farm)
{
    return farm->config->time_ns > 0 &&
           tp_host_now_ns() - farm->began_ns >= farm->config->time_ns;
}

static uint32_t batch_size(const struct farm *farm)
{
    uint64_t each_ns =
        farm->spent_seeds == 0 ? BATCH_NS / 4 : farm->spent_ns / farm->spent_seeds + 1;
    uint64_t size = BATCH_NS / each_ns;

    if (size < 1)
        return 1;
    return size < TP_BATCH_SEEDS ? (uint32_t)size : TP_BATCH_SEEDS;
}

/* Seeds from `next` on, as many as may be. */
static uint32_t take_seeds(struct farm *farm, uint64_t *ret_first)
{
    uint64_t last =
        farm->config->last < farm->stop_after ? farm->config->last : farm->stop_after;
    uint64_t count = batch_size(farm);

    if (farm->none_left || farm->next > last || is_time_up(farm))
        return 0;
    if (count > last - farm->next + 1 && last - farm->next != UINT64_MAX)
        count = last - farm->next + 1;
    *ret_first = farm->next;
    farm->none_left = farm->next + (count - 1) == UINT64_MAX;
    farm->next += count;
    return (uint32_t)count;
}

/* The next thing for a worker that is idle; false: there is none. */
static bool give_work(struct farm *farm, struct worker *worker)
{
    uint64_t first = worker->rest_first;
    uint64_t count = worker->rest_count;

    worker->repeating = false;
    if (app_signals_caught() != 0) {
        believe(farm, worker);
        return false;
    }
    if (worker->repeat_count > 0) {
        worker->repeating = true;
        first = worker->repeats[--worker->repeat_count].seed;
        count = 1;
    } else if (count > 0 && first <= farm->stop_after && !is_time_up(farm)) {
        worker->rest_count = 0;
    } else {
        count = take_seeds(farm, &first);
    }
    if (count == 0)
        return false;
    farm->error = start(farm, worker, first, (uint32_t)count);
    return farm->error == 0;
}

/* ------------------------------------------------------------------ looking after them */

static void reap(struct farm *farm, struct worker *worker)
{
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)close(worker->end_fd);
    worker->pid = 0;
    collect(farm, worker, status);
}

/* A seed has its time; seeds above the lowest failure are not begun. */
static void look_after(struct farm *farm, struct worker *worker, uint64_t now_ns)
{
    uint32_t begun = atomic_load(&worker->batch->begun);
    bool quit = is_time_up(farm) || worker->batch->first + begun > farm->stop_after;

    atomic_store(&worker->batch->quit, quit && !worker->repeating);
    if (app_signals_caught() != 0 && !worker->dropped) {
        worker->dropped = true;
        (void)kill(worker->pid, SIGKILL);
    } else if (begun != worker->seen) {
        worker->seen = begun;
        worker->seen_ns = now_ns;
    } else if (now_ns - worker->seen_ns > farm->config->hang_ns && !worker->hung) {
        worker->hung = true;
        (void)kill(worker->pid, SIGKILL);
    }
}

static void wait_for_some(struct farm *farm)
{
    uint32_t jobs = farm->config->jobs;
    uint64_t now_ns;

    for (uint32_t i = 0; i < jobs; i++) {
        farm->polls[i].fd = farm->workers[i].pid > 0 ? farm->workers[i].end_fd : -1;
        farm->polls[i].events = 0; /* the hang-up is told unasked */
        farm->polls[i].revents = 0;
    }
    (void)poll(farm->polls, jobs, POLL_MS);
    now_ns = tp_host_now_ns();
    for (uint32_t i = 0; i < jobs; i++) {
        if (farm->workers[i].pid == 0)
            continue;
        if (farm->polls[i].revents != 0)
            reap(farm, &farm->workers[i]);
        else
            look_after(farm, &farm->workers[i], now_ns);
    }
    farm->config->progress(farm->config->context, now_ns - farm->began_ns);
}

static void work(struct farm *farm)
{
    uint32_t busy;

    do {
        busy = 0;
        for (uint32_t i = 0; i < farm->config->jobs; i++) {
            struct worker *worker = &farm->workers[i];

            if (worker->pid == 0 && farm->error == 0)
                (void)give_work(farm, worker);
            busy += worker->pid > 0;
        }
        if (busy > 0)
            wait_for_some(farm);
    } while (busy > 0);
}

/* ------------------------------------------------------------------ life */

static int open_worker(struct worker *worker)
{
    worker->said_fd = -1;
    worker->batch = mmap(NULL, sizeof *worker->batch, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (worker->batch == MAP_FAILED) {
        worker->batch = NULL;
        return -errno;
    }
    worker->said_fd = memfd_create("said", MFD_CLOEXEC);
    return worker->said_fd < 0 ? -errno : 0;
}

static void close_worker(struct worker *worker)
{
    if (worker->said_fd > 0)
        (void)close(worker->said_fd);
    if (worker->batch != NULL)
        (void)munmap(worker->batch, sizeof *worker->batch);
}

int tp_farm_run(const struct tp_farm_config *config, struct tp_farm_totals *ret_totals)
{
    struct farm farm = {.config = config,
                        .totals = ret_totals,
                        .next = config->first,
                        .stop_after = UINT64_MAX,
                        .began_ns = tp_host_now_ns()};

    tp_assert(config->jobs > 0 && config->first <= config->last);
    memset(ret_totals, 0, sizeof *ret_totals);
    farm.workers = calloc(config->jobs, sizeof *farm.workers);
    farm.polls = calloc(config->jobs, sizeof *farm.polls);
    if (farm.workers == NULL || farm.polls == NULL)
        farm.error = -ENOMEM;
    for (uint32_t i = 0; i < config->jobs && farm.error == 0; i++)
        farm.error = open_worker(&farm.workers[i]);
    if (farm.error == 0)
        work(&farm);
    for (uint32_t i = 0; i < config->jobs && farm.workers != NULL; i++)
        close_worker(&farm.workers[i]);
    free(farm.workers);
    free(farm.polls);
    ret_totals->elapsed_ns = tp_host_now_ns() - farm.began_ns;
    return farm.error;
}
