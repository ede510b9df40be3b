/* Prints the hashes of a few runs; matrix.sh of tests/packaging compares them across
 * compilers. */
#include <stdio.h>

#include "net_scenario.h"
#include "scenario.h"

static void print_net_run(uint32_t run)
{
    struct net_scenario scenario = {.seed = 2000 + run,
                                    .operations = 2000,
                                    .cut = run % 2 == 1,
                                    .breaks = run % 3 != 0};
    struct net_scenario_outcome outcome;
    char trace[17];

    scenario.config.faults.short_ppm = run % 3 == 0 ? 100000 : 0;
    if (run % 2 == 0) {
        scenario.faults.loss_ppm = 20000;
        scenario.faults.clog_ppm = 2000;
        scenario.faults.reset_ppm = 5000;
        scenario.faults.refuse_ppm = 50000;
        scenario.faults.silence_ppm = 20000;
    }
    outcome = net_scenario_run(&scenario);
    scenario_hex(outcome.trace, trace);
    (void)printf("net %u trace %s ns %llu completions %llu bytes %llu packets %llu\n", run,
                 trace, (unsigned long long)outcome.ns,
                 (unsigned long long)outcome.completions, (unsigned long long)outcome.bytes,
                 (unsigned long long)outcome.stats.packets);
}

int main(void)
{
    for (uint32_t run = 0; run < 6; run++)
        print_net_run(run);
    for (uint32_t run = 0; run < 19; run++) {
        struct scenario scenario = {.seed = 1000 + run,
                                    .operations = 3000,
                                    .depth = 1 + run * 5 % 64,
                                    .cut = run % 2 == 1,
                                    .profile = run % TP_DISK_PROFILES};
        struct scenario_outcome outcome;
        char trace[17], disk[17];

        scenario.config.instant = run == 4;
        scenario.config.faults.short_ppm = run % 3 == 0 ? 100000 : 0;
        scenario.config.faults.error_ppm = run % 4 == 0 ? 20000 : 0;
        for (uint32_t fault = TP_FAULT_SYNC_ERROR; run >= 12 && fault < TP_FAULTS;
             fault++) {
            if (fault != TP_FAULT_HANG && (fault + run) % 3 != 0) /* one would never end */
                *tp_virtual_faults_rate(&scenario.config.faults, (enum tp_fault)fault) =
                    fault == TP_FAULT_JOURNAL ? 1000 : 20000;
        }
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
