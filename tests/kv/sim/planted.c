/* Searches lives of a server into which a bug was planted, until the oracle finds it.
 *
 *     planted SEEDS
 *
 * Exit status 0: the bug was found among so many seeds. It is linked with a source in which
 * a few words were changed (planted.cmake), in place of the sound one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/kv/sim/world.h"

int main(int argc, char **argv)
{
    uint64_t seeds = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    struct kv_world_outcome outcome;

    if (seeds == 0)
        return 2;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct kv_world_config config = {.seed = seed};

        if (kv_world_run(&config, &outcome) < 0) {
            (void)fprintf(stderr, "no memory\n");
            return 1;
        }
        if (outcome.violation[0] != '\0') {
            (void)printf("seed %" PRIu64 ": %s\n", seed, outcome.violation);
            return 0;
        }
    }
    (void)fprintf(stderr, "not found among %" PRIu64 " seeds\n", seeds);
    return 1;
}
