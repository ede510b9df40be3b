/* tempest-sim: the scenarios of this directory, the zoo, and everything that can be done
 * with them. */
#include <stdio.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/common/streams.h"
#include "apps/sim/history_check.h"
#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/zoo/command.h"

/* "check FILE...": whether histories of clients are linearizable (docs/checkers.md). */
static int check(int argc, char **argv)
{
    uint32_t failed, unread;

    app_say_as("tempest-sim");
    if (argc < 3 || strcmp(argv[2], "--help") == 0) {
        (void)fputs(
            "usage: tempest-sim check FILE...\n\n"
            "Says of each file with a history whether it is linearizable, and if not, "
            "shows why.\n\n"
            "Exit status: 0 all are, 1 one is not, 2 one cannot be read or is no "
            "history.\n",
            argc < 3 ? stderr : stdout);
        return argc < 3 ? APP_EXIT_USAGE : APP_EXIT_DONE;
    }
    failed = tp_history_check_files((const char *const *)argv + 2, (uint32_t)argc - 2,
                                    stdout, stderr, &unread);
    if (unread > 0)
        return APP_EXIT_USAGE;
    return failed == 0 ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

static int printed(int status)
{
    return app_printed() || status != APP_EXIT_DONE ? status : APP_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct tp_scenario scenarios[SIM_SCENARIOS_MAX];
    int status;

    app_take_streams();
    if (argc > 1 && strcmp(argv[1], "zoo") == 0)
        return printed(zoo_command(argc - 1, argv + 1));
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return printed(check(argc, argv));
    status = tp_sim_main(argc, argv, scenarios, sim_scenarios(scenarios));
    if (status == APP_EXIT_DONE && argc > 1 &&
        (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
         strcmp(argv[1], "-h") == 0)) {
        (void)fputs("\nAnd without a scenario, with options of their own (--help):\n"
                    "  tempest-sim zoo [NUMBER]...   hunts the bugs of the zoo\n"
                    "  tempest-sim check FILE...     whether histories of clients are "
                    "linearizable\n",
                    stdout);
        return printed(status);
    }
    return status;
}
