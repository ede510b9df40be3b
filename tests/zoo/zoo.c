/** tests/zoo/zoo.c - the zoo: bugs are found, twins are not blamed, sources say what is
 * wrong.
 *
 *     test-zoo SOURCES SEEDS LEAST TWIN_SEEDS
 *
 * hunts each bug for at most SEEDS seeds, wants LEAST of them found, and runs each twin for
 * TWIN_SEEDS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/zoo/hunt.h"

/* The line of the source that is marked; 0 unless there is one and only one. */
static uint32_t marked_line(const char *directory, const char *file)
{
    char path[4096], line[512];
    uint32_t marked = 0, number = 0, marks = 0;
    FILE *source;

    (void)snprintf(path, sizeof path, "%s/%s", directory, file);
    source = fopen(path, "r");
    if (source == NULL)
        return 0;
    while (fgets(line, sizeof line, source) != NULL) {
        number++;
        if (strstr(line, "/* ZOO: the bug is here */") != NULL) {
            marked = number;
            marks++;
        }
    }
    (void)fclose(source);
    return marks == 1 ? marked : 0;
}

static bool run(const struct tp_scenario *scenario, uint64_t seeds, struct zoo_hunt *hunt)
{
    int error = zoo_hunt_run(scenario, 1, seeds, hunt);

    if (error < 0)
        tp_stopf(__FILE__, __LINE__, "no seed could be run: %s", tp_errno_name(error));
    return hunt->found;
}

int main(int argc, char **argv)
{
    uint64_t seeds, least, twin_seeds, found = 0;
    bool is_good = true;

    tp_assert(argc == 5);
    seeds = strtoull(argv[2], NULL, 10);
    least = strtoull(argv[3], NULL, 10);
    twin_seeds = strtoull(argv[4], NULL, 10);
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        const struct zoo_bug *bug = &zoo_bugs[i];
        uint32_t line = marked_line(argv[1], bug->file);
        struct zoo_hunt hunt, twin;
        bool is_found = run(bug->bug, seeds, &hunt);

        found += is_found;
        (void)printf("%2" PRIu32 " %s:%" PRIu32 " %s after %" PRIu64 " seeds: %s\n",
                     bug->number, bug->file, line, is_found ? "found" : "not found",
                     hunt.seeds, hunt.outcome.message);
        if (line == 0)
            (void)printf("   BAD: no line, or more than one, is marked\n");
        if (run(bug->twin, twin_seeds, &twin))
            (void)printf("   BAD: the twin is blamed: seed %" PRIu64 ": %s\n", twin.seed,
                         twin.outcome.message);
        (void)fflush(stdout); /* one that takes hours is to be looked at */
        is_good = is_good && line > 0 && !twin.found;
    }
    (void)printf("%" PRIu64 " of %" PRIu32 " found, wanted were %" PRIu64 "\n", found,
                 zoo_bug_count, least);
    return is_good && found >= least ? 0 : 1;
}
