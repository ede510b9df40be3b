#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/bench/bench.h"
#include "runtime/tempest.h"

/* What machines cost that do nothing: the tick of one busy machine among a million that
 * wait (law 10), and the memory that each of them takes. */

#define MILLION    UINT32_C(1000000)
#define FAR_OFF_NS UINT64_C(3600000000000)

struct idlers {
    struct tp_io *io;
    struct tp_scheduler *scheduler;
    struct tp_machine busy;
    uint64_t left; /* ticks of the busy machine still to come in this slice */
    uint32_t count;
    bool timers;     /* each waits for a timer, not for a wake */
    double resident; /* bytes, before there was a machine or a place for one */
    struct tp_machine *machines;
};

static enum tp_step idle_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    return tp_cancelled(cx) ? tp_end(machine, 0) : TP_WAIT;
}

static enum tp_step timer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    if (tp_next_cqe(cx, &result))
        return tp_end(machine, 0);
    (void)tp_timer(cx, FAR_OFF_NS);
    return TP_WAIT;
}

static enum tp_step busy_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct idlers *idlers = tp_container_of(machine, struct idlers, busy);

    (void)cx;
    return --idlers->left > 0 ? TP_YIELD : tp_end(machine, 0);
}

/* ------------------------------------------------------------------ memory */

/* Pages straight from the system, so that what is resident is what was touched. */
static void *map_pages(void *context, size_t size_bytes, size_t align)
{
    void *memory =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)context;
    tp_assert(align <= 4096);
    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_pages(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)munmap(memory, size_bytes);
}

static const struct tp_allocator pages = {map_pages, unmap_pages, NULL};

static double resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    const char *at;

    if (file == NULL)
        return 0;
    at = fgets(line, sizeof line, file) == NULL ? NULL : strchr(line, ' ');
    (void)fclose(file);
    return at == NULL ? 0 : strtod(at, NULL) * (double)sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------------ life */

static void idlers_close(void *state)
{
    struct idlers *idlers = state;

    if (idlers->scheduler != NULL) {
        tp_scheduler_stop(idlers->scheduler);
        if (tp_scheduler_run(idlers->scheduler) < 0)
            (void)bench_complain("stopping the idle machines", -EDEADLK);
        tp_scheduler_destroy(idlers->scheduler);
    }
    tp_io_destroy(idlers->io);
    tp_free(&pages, idlers->machines, idlers->count * sizeof *idlers->machines, 64);
    free(idlers);
}

static int make_parts(const struct bench_setting *setting, struct idlers *idlers)
{
    const struct bench_io_wants wants = {.ops_max = 64};
    const struct tp_scheduler_config config = {
        .size = sizeof config,
        .ops_max = idlers->timers ? idlers->count : 64,
        .allocator = &pages,
    };
    int result = setting->options->make_io(setting->options, &wants, &idlers->io);

    if (result < 0)
        return result;
    idlers->resident = resident_bytes();
    idlers->machines = tp_alloc(&pages, idlers->count * sizeof *idlers->machines, 64);
    if (idlers->machines == NULL)
        return -ENOMEM;
    return tp_scheduler_create_with(idlers->io, &config, &idlers->scheduler);
}

static int idlers_make(const struct bench_setting *setting, uint32_t count, bool timers,
                       struct idlers **ret_idlers)
{
    struct idlers *idlers = calloc(1, sizeof *idlers);
    int result;

    if (idlers == NULL)
        return -ENOMEM;
    idlers->count = count;
    idlers->timers = timers;
    result = make_parts(setting, idlers);
    if (result < 0) {
        idlers_close(idlers);
        return result;
    }
    *ret_idlers = idlers;
    return 0;
}

/* Brings the machines to where they wait. */
static void idlers_spawn(struct idlers *idlers)
{
    for (uint32_t i = 0; i < idlers->count; i++)
        tp_spawn(idlers->scheduler, &idlers->machines[i],
                 idlers->timers ? timer_tick : idle_tick, "idle");
    while (tp_scheduler_tick(idlers->scheduler) == TP_PROGRESS)
        continue;
}

/* ------------------------------------------------------------------ the tick */

static int open_with(const struct bench_setting *setting, uint32_t count, bool timers,
                     void **ret_state)
{
    struct idlers *idlers;
    int result = idlers_make(setting, count, timers, &idlers);

    if (result < 0)
        return result;
    idlers_spawn(idlers);
    *ret_state = idlers;
    return 0;
}

static int open_one(const struct bench_setting *setting, void **ret_state)
{
    return open_with(setting, 1, false, ret_state);
}

static int open_million(const struct bench_setting *setting, void **ret_state)
{
    return open_with(setting, MILLION, false, ret_state);
}

static int open_one_timer(const struct bench_setting *setting, void **ret_state)
{
    return open_with(setting, 1, true, ret_state);
}

static int open_million_timers(const struct bench_setting *setting, void **ret_state)
{
    return open_with(setting, MILLION, true, ret_state);
}

static int run_ticks(void *state, uint64_t operations)
{
    struct idlers *idlers = state;

    idlers->left = operations;
    tp_spawn(idlers->scheduler, &idlers->busy, busy_tick, "busy");
    while (idlers->left > 0)
        (void)tp_scheduler_tick(idlers->scheduler);
    return 0;
}

/* ------------------------------------------------------------------ the contest */

/* Bytes that became resident for each of a million machines, their structs included. */
static int measure_bytes(const struct bench_setting *setting, bool timers,
                         double *ret_bytes)
{
    struct idlers *idlers;
    int result = idlers_make(setting, MILLION, timers, &idlers);

    if (result < 0)
        return bench_complain("a million machines", result);
    idlers_spawn(idlers);
    *ret_bytes = (resident_bytes() - idlers->resident) / MILLION;
    idlers_close(idlers);
    return 0;
}

int bench_idle(const struct bench_options *options, struct bench_report *report)
{
    static const struct bench_contestant contestants[] = {
        {"idle-1", NULL, 0, open_one, run_ticks, idlers_close, NULL},
        {"idle-1000000", "idle-1", 0, open_million, run_ticks, idlers_close, NULL},
        {"timers-1", NULL, 0, open_one_timer, run_ticks, idlers_close, NULL},
        {"timers-1000000", "timers-1", 0, open_million_timers, run_ticks, idlers_close,
         NULL},
    };
    const struct bench_setting setting = {.options = options, .mode = "tick"};
    struct bench_extra extras[] = {{"struct_bytes", sizeof(struct tp_machine)},
                                   {"bytes_machine", 0},
                                   {"bytes_machine_timer", 0}};
    int result;

    if (bench_options_want(options, "memory")) {
        result = measure_bytes(&setting, false, &extras[1].value);
        if (result == 0)
            result = measure_bytes(&setting, true, &extras[2].value);
        if (result < 0)
            return result;
        bench_report_numbers(report, "memory", extras, 3);
    }
    return bench_contest(report, &setting, contestants, 4);
}
