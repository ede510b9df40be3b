/* Lives with a bug.
 *
 *     SET-planted NAME run SCENARIO --seeds 1..100   whatever tempest-sim can do, with that
 * bug SET-planted --find SEEDS NAME                  exit status 0: so many seeds find it
 *     SET-planted --list
 */
#include "tests/planted/planted.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/farm.h"
#include "apps/sim/sim.h"

enum tp_planted tp_planted_bug;

static const char *const names[] = {"",
#define NAME(id, name) name,
                                    TP_PLANTED_TABLE(NAME)
#undef NAME
};
enum { NAMES = sizeof names / sizeof *names };

static bool plant(const char *name)
{
    for (uint32_t i = 1; i < NAMES; i++) {
        if (strcmp(name, names[i]) == 0) {
            tp_planted_bug = (enum tp_planted)i;
            return true;
        }
    }
    (void)fprintf(stderr, "there is no bug '%s'\n", name);
    return false;
}

static int list(void)
{
    for (uint32_t i = 1; i < NAMES; i++)
        (void)puts(names[i]);
    return 0;
}

static int simulate(int argc, char **argv)
{
    return tp_sim_main(argc, argv, tp_planted_scenario(), 1);
}

/* What a run has said of itself. A child that took too long, or was killed, has found
 * nothing. */
static void note_result(void *context, const struct tp_seed_result *result)
{
    uint32_t verdict = result->outcome.verdict;
    bool *found = context;

    if (verdict == TP_VERDICT_PASSED)
        return;
    (void)printf("seed %" PRIu64 ": %s: %s\n", result->seed, tp_verdict_name(verdict),
                 result->outcome.message);
    *found = *found || verdict == TP_VERDICT_FAILED || verdict == TP_VERDICT_STOPPED;
}

static void show_nothing(void *context, uint64_t elapsed_ns)
{
    (void)context;
    (void)elapsed_ns;
}

static int find(const char *seeds, const char *name)
{
    struct tp_farm_totals totals;
    bool found = false;
    struct tp_farm_config config = {.job = {.scenario = tp_planted_scenario()},
                                    .first = 1,
                                    .last = strtoull(seeds, NULL, 10),
                                    .hang_ns = UINT64_C(120000000000),
                                    .jobs = 1,
                                    .until_failure = true,
                                    .result = note_result,
                                    .progress = show_nothing,
                                    .context = &found};

    if (tp_farm_run(&config, &totals) < 0)
        (void)fputs("no seed could be run\n", stderr);
    if (!found)
        (void)fprintf(stderr, "%s: not found among %s seeds\n", name, seeds);
    return found ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 4 && strcmp(argv[1], "--find") == 0)
        return plant(argv[3]) ? find(argv[2], argv[3]) : 2;
    if (argc < 3 || !plant(argv[1]))
        return 2;
    argv[1] = argv[0];
    return simulate(argc - 1, argv + 1);
}
