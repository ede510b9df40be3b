#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "io/base.h"

enum { ROUNDS_DEFAULT = 21, ROUNDS_FIXED_DEFAULT = 7 };
#define ROW_NS_DEFAULT UINT64_C(500000000)

/* One contestant in the ring. */
struct racer {
    const struct bench_contestant *contestant;
    void *state;
    uint64_t operations;                                        /* of a slice */
    double wall_ns[BENCH_ROUNDS_MAX], cpu_ns[BENCH_ROUNDS_MAX]; /* per operation */
    double p50_us[BENCH_ROUNDS_MAX], p99_us[BENCH_ROUNDS_MAX];
};

struct race {
    const struct bench_setting *setting;
    uint32_t rounds, count;
    uint64_t slice_ns;
    struct racer racers[BENCH_CONTESTANTS_MAX];
};

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t spent_ns(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

uint64_t bench_cpu_ns(void)
{
    return spent_ns(RUSAGE_SELF) + spent_ns(RUSAGE_CHILDREN);
}

static int run_slice(struct racer *racer, struct bench_sample *ret_sample)
{
    const struct bench_contestant *contestant = racer->contestant;
    const struct bench_hooks none = {NULL, NULL, NULL, NULL};
    const struct bench_hooks *hooks = contestant->hooks != NULL ? contestant->hooks : &none;
    struct bench_sample sample = {0};
    int result = hooks->prepare != NULL ? hooks->prepare(racer->state) : 0;
    uint64_t wall, cpu;

    if (result == 0) {
        wall = wall_ns();
        cpu = bench_cpu_ns();
        result = contestant->run(racer->state, racer->operations);
        sample.cpu_ns = (double)(bench_cpu_ns() - cpu);
        wall = wall_ns() - wall;
        if (result == 0 && hooks->sample != NULL)
            hooks->sample(racer->state, &sample);
        if (sample.wall_ns <= 0)
            sample.wall_ns = (double)wall;
        sample.wall_ns /= (double)racer->operations;
        sample.cpu_ns /= (double)racer->operations;
        *ret_sample = sample;
    }
    if (result == 0 && hooks->check != NULL)
        result = hooks->check(racer->state);
    return result < 0 ? bench_complain(contestant->name, result) : 0;
}

/* Finds how many operations fill a slice; this warms everything up too. What takes long is
 * tried again, since a stall of the machine would make every slice too small. */
static int calibrate(const struct race *race, struct racer *racer)
{
    const struct bench_setting *setting = race->setting;
    uint64_t least = (uint64_t)(setting->depth == 0 ? 1 : setting->depth) *
                     (setting->connections == 0 ? 1 : setting->connections);
    struct bench_sample sample = {0};
    double best = 0;

    racer->operations = least;
    if (racer->contestant->fixed > 0) {
        racer->operations = racer->contestant->fixed;
        return 0;
    }
    for (uint32_t long_ones = 0; long_ones < 3;) {
        int result = run_slice(racer, &sample);

        if (result < 0)
            return result;
        if (best == 0 || sample.wall_ns < best)
            best = sample.wall_ns;
        if (sample.wall_ns * (double)racer->operations * 4 >= (double)race->slice_ns)
            long_ones++;
        else
            racer->operations *= 2;
    }
    racer->operations = (uint64_t)((double)race->slice_ns / (best + 1e-3));
    if (racer->operations < least)
        racer->operations = least;
    return 0;
}

/* All of them, so that every complaint is heard. */
static int finish(struct race *race)
{
    int result = 0;

    for (uint32_t i = 0; i < race->count; i++) {
        const struct bench_contestant *contestant = race->racers[i].contestant;
        int one = 0;

        if (contestant->hooks != NULL && contestant->hooks->finish != NULL)
            one = contestant->hooks->finish(race->racers[i].state);
        if (one < 0)
            result = bench_complain(contestant->name, one);
    }
    return result;
}

static int run_rounds(struct race *race)
{
    int result;

    for (uint32_t i = 0; i < race->count; i++) {
        result = calibrate(race, &race->racers[i]);
        if (result < 0)
            return result;
    }
    for (uint32_t round = 0; round < race->rounds; round++) {
        for (uint32_t i = 0; i < race->count; i++) {
            struct racer *racer = &race->racers[(i + round) % race->count];
            struct bench_sample sample = {0};

            result = run_slice(racer, &sample);
            if (result < 0)
                return result;
            racer->wall_ns[round] = sample.wall_ns;
            racer->cpu_ns[round] = sample.cpu_ns;
            racer->p50_us[round] = sample.p50_us;
            racer->p99_us[round] = sample.p99_us;
        }
    }
    return finish(race);
}

/* ------------------------------------------------------------------ figures */

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* Sorts `values`; gives median, least, most. */
static void summarise(double *values, uint32_t count, double ret_three[3])
{
    qsort(values, count, sizeof *values, compare);
    ret_three[0] = (values[(count - 1) / 2] + values[count / 2]) / 2;
    ret_three[1] = values[0];
    ret_three[2] = values[count - 1];
}

enum comparison { OWN, RATIO, SPEED, OVER };

static double compare_rounds(enum comparison how, const double *own, const double *other,
                             uint32_t rounds, double ret_three[3])
{
    double values[BENCH_ROUNDS_MAX];

    tp_assert(rounds > 0 && rounds <= BENCH_ROUNDS_MAX);
    for (uint32_t i = 0; i < rounds; i++) {
        switch (how) {
        case OWN:
            values[i] = own[i];
            break;
        case RATIO:
            values[i] = other[i] > 0 ? own[i] / other[i] : 0;
            break;
        case SPEED:
            values[i] = own[i] > 0 ? other[i] / own[i] : 0;
            break;
        case OVER:
            values[i] = own[i] - other[i];
            break;
        }
    }
    summarise(values, rounds, ret_three);
    return ret_three[0];
}

static const struct racer *find(const struct race *race, const char *name)
{
    for (uint32_t i = 0; name != NULL && i < race->count; i++) {
        if (strcmp(race->racers[i].contestant->name, name) == 0)
            return &race->racers[i];
    }
    return NULL;
}

static void report_race(struct bench_report *report, const struct race *race)
{
    bench_report_setting(report, race->setting);
    for (uint32_t i = 0; i < race->count; i++) {
        const struct racer *racer = &race->racers[i];
        const struct racer *peer = find(race, racer->contestant->against);
        struct bench_figures figures = {.name = racer->contestant->name};
        double three[3];

        compare_rounds(OWN, racer->wall_ns, NULL, race->rounds, figures.ns_op);
        compare_rounds(OWN, racer->cpu_ns, NULL, race->rounds, figures.cpu_ns_op);
        compare_rounds(OWN, racer->p50_us, NULL, race->rounds, figures.p50_us);
        compare_rounds(OWN, racer->p99_us, NULL, race->rounds, figures.p99_us);
        if (peer != NULL) {
            figures.against = peer->contestant->name;
            figures.ratio =
                compare_rounds(SPEED, racer->wall_ns, peer->wall_ns, race->rounds, three);
            figures.over_ns =
                compare_rounds(OVER, racer->wall_ns, peer->wall_ns, race->rounds, three);
            figures.cpu_over_ns =
                compare_rounds(OVER, racer->cpu_ns, peer->cpu_ns, race->rounds, three);
            figures.cpu_ratio =
                compare_rounds(RATIO, racer->cpu_ns, peer->cpu_ns, race->rounds, three);
        }
        bench_report_figures(report, race->setting, &figures);
    }
}

/* ------------------------------------------------------------------ a contest */

static int enter(struct race *race, const struct bench_contestant *contestant)
{
    struct racer *racer = &race->racers[race->count];
    int result;

    tp_assert(race->count < BENCH_CONTESTANTS_MAX);
    racer->contestant = contestant;
    race->count++;
    result = contestant->open(race->setting, &racer->state);
    return result < 0 ? bench_complain(contestant->name, result) : 0;
}

int bench_contest(struct bench_report *report, const struct bench_setting *setting,
                  const struct bench_contestant *contestants, uint32_t count)
{
    const struct bench_options *options = setting->options;
    struct race race = {.setting = setting};
    int result = 0;

    race.rounds = contestants[0].fixed > 0 ? ROUNDS_FIXED_DEFAULT : ROUNDS_DEFAULT;
    if (options->rounds > 0)
        race.rounds = options->rounds;
    race.slice_ns = (options->row_ns > 0 ? options->row_ns : ROW_NS_DEFAULT) / race.rounds;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        if (bench_options_want(options, contestants[i].name))
            result = enter(&race, &contestants[i]);
    }
    if (result == 0 && race.count > 0) {
        result = run_rounds(&race);
        if (result == 0)
            report_race(report, &race);
    }
    for (uint32_t i = 0; i < race.count; i++) {
        if (race.racers[i].state != NULL)
            race.racers[i].contestant->close(race.racers[i].state);
    }
    return result;
}

int bench_contest_depths(struct bench_report *report, const struct bench_setting *setting,
                         const uint32_t *depths, uint32_t depth_count,
                         const struct bench_contestant *contestants, uint32_t count)
{
    const struct bench_options *options = setting->options;
    bool own = options->depth_count == 0;
    uint32_t rounds = own ? depth_count : options->depth_count;
    int result = 0;

    for (uint32_t i = 0; i < rounds && result == 0; i++) {
        struct bench_setting at_depth = *setting;

        at_depth.depth = own ? depths[i] : options->depths[i];
        result = bench_contest(report, &at_depth, contestants, count);
    }
    return result;
}
