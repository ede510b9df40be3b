/* Prints the hashes of a few runs; trace-matrix.sh compares them across compilers. */
#include <stdio.h>

#include "scenario.h"

int main(void)
{
    for (uint32_t run = 0; run < 12; run++) {
        struct scenario scenario = {.seed = 1000 + run,
                                    .operations = 3000,
                                    .depth = 1 + run * 5,
                                    .cut = run % 2 == 1,
                                    .profile = run % TP_DISK_PROFILES};
        struct scenario_outcome outcome;
        char trace[17], disk[17];

        scenario.config.instant = run == 4;
        scenario.config.faults.short_ppm = run % 3 == 0 ? 100000 : 0;
        scenario.config.faults.error_ppm = run % 4 == 0 ? 20000 : 0;
        outcome = scenario_run(&scenario);
        scenario_hex(outcome.trace, trace);
        scenario_hex(outcome.disk, disk);
        (void)printf("%2u trace %s disk %s ns %llu completions %llu errors %llu\n", run,
                     trace, disk, (unsigned long long)outcome.virtual_ns,
                     (unsigned long long)outcome.completions,
                     (unsigned long long)outcome.errors);
    }
    return 0;
}
