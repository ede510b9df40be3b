#include "apps/sim/help.h"

#include <stdio.h>

#include "apps/sim/manner.h"
#include "apps/sim/sim_internal.h"

static const char usage[] =
    "usage: %s list\n"
    "       %s run SCENARIO [OPTION]...\n"
    "       %s replay|shrink|explain|sweep|trace|show SCENARIO\n"
    "                    --seed N|--tape FILE [OPTION]...\n"
    "       %s help\n"
    "\n"
    "list     the scenarios there are\n"
    "run      many seeds: which fail, and a summary\n"
    "replay   one seed or tape once more\n"
    "shrink   the smallest run that fails like it: in words, and as a tape\n"
    "explain  what was missing, and after which line\n"
    "sweep    the power cut at every operation of one run, and again in the recovery\n"
    "trace    a file for ui.perfetto.dev: every operation of a run, by node\n"
    "show     a page for any browser: the run to step through, and why it failed\n"
    "\n"
    "Runs programs in a simulated world that tries to break them: processes die, power is\n"
    "cut, disks and networks fail. A seed decides everything, and repeats it.\n"
    "\n"
    "      --seeds A..B         which seeds (1..1000); A.. has no end\n"
    "  -n, --count N            so many seeds, from A or 1 on\n"
    "      --seed N             this one, and say more\n"
    "      --time T             stop after so long, as 90s, 10m, 2h (run: no limit,\n"
    "                           shrink: 30s)\n"
    "      --limit T            a seed that takes longer is a hang (run: 2m, others: 10s)\n"
    "      --until-failure      stop at the lowest seed that fails; go on until then, if "
    "no\n"
    "                           --seeds and no --time say otherwise\n"
    "  -j, --jobs J             processes at a time (one per processor)\n"
    "      --profile P          what disks promise: paranoid, ext4, xfs, btrfs, nvme-plp,\n"
    "                           consumer-ssd, direct (the scenario's, else paranoid);\n"
    "                           --profile=help explains them\n"
    "      --faults +X,-Y       families of faults always on, or never; --faults=help\n"
    "                           explains them\n"
    "      --tape FILE          instead of a seed: every choice of a run, as shrink saves "
    "it\n"
    "  -o, --output FILE        where shrink, sweep, trace and show write to, instead of "
    "a\n"
    "                           name made of the scenario's; show and trace: - is\n"
    "                           standard output\n"
    "      --c-test             shrink prints it as a C function, too\n"
    "      --others             shrink begins with the shortest of other runs that fail\n"
    "                           alike, and tries more if over ten choices are left\n"
    "      --survivors N        sweep tries so many sets of survivors at each cut (64),\n"
    "                           or all there are if they are no more\n"
    "      --json               the outcome as one JSON object on standard output\n"
    "  -v, --verbose            replay prints all that happened\n"
    "      --io=virtual         said of all programs; there is no other world here\n"
    "  -q, --quiet              no progress\n"
    "  -h, --help               this text\n"
    "      --version            the version\n"
    "\n"
    "Exit status: 0 all is well: every seed passed, or what was asked for is there; 1 a "
    "seed\n"
    "failed, or shrink and explain were given one that passes; 2 wrong usage, or a file "
    "that\n"
    "cannot be read or written; 130, 143 it was ended by Ctrl-C, SIGTERM (a summary is "
    "told).\n"
    "\n"
    "Examples:\n"
    "  %s run %s --seeds 1..10000\n"
    "  %s run %s --time 10m --until-failure\n"
    "  %s shrink %s --seed 7\n";

void tp_help_usage(const char *program, const char *scenario)
{
    (void)printf(usage, program, program, program, program, program, scenario, program,
                 scenario, program, scenario);
}

void tp_help_families(void)
{
    static const char *const what[TP_FAMILIES] = {
        [TP_FAMILY_ERROR] = "operations fail: EIO and the like",
        [TP_FAMILY_INTERRUPT] = "operations give EINTR and EAGAIN",
        [TP_FAMILY_SHORT] = "reads, writes, receives and sends transfer fewer bytes",
        [TP_FAMILY_FULL] = "the disk is small, and becomes full: ENOSPC",
        [TP_FAMILY_SYNC] = "syncs fail, and what they were to keep is forgotten",
        [TP_FAMILY_JOURNAL] = "the file system takes no change until the power is cut",
        [TP_FAMILY_CLOSE] = "close fails, and has closed",
        [TP_FAMILY_SLOW] = "other latencies, stalls, throttling",
        [TP_FAMILY_KILL] = "a process dies, and is started again",
        [TP_FAMILY_POWER] = "a node's power is cut",
        [TP_FAMILY_PAUSE] = "a node stands still for a while",
        [TP_FAMILY_CLOCK] = "clocks are wrong: offsets, drift, steps, jumps",
        [TP_FAMILY_PARTITION] = "links break for a while",
        [TP_FAMILY_CLOG] = "links stand still, packets are late",
        [TP_FAMILY_RESET] = "connections are reset",
        [TP_FAMILY_REFUSE] = "connections are refused, or never answered",
        [TP_FAMILY_UPGRADE] = "a node is started again with another version",
        [TP_FAMILY_MEDIA] = "what was synced is damaged",
        [TP_FAMILY_BUS] = "the device's cache is lost, and nothing tells",
        [TP_FAMILY_HANG] = "a completion never comes",
        [TP_FAMILY_ROLLBACK] = "a node boots with its disk as it was earlier",
        [TP_FAMILY_WIPE] = "a node boots with an empty disk",
    };

    for (uint32_t i = 0; i < TP_FAMILIES; i++)
        (void)printf("%-10s  %s%s\n", tp_family_name(i), what[i],
                     tp_swarm_is_fair(i) ? "" : " (only where asked for)");
    (void)printf("all         each of them; what comes later counts: -all,+power\n");
}

void tp_help_profiles(void)
{
    for (uint32_t i = 0; i < TP_DISK_PROFILES; i++)
        (void)printf("%-12s  %s\n", tp_disk_profile_name(i), tp_manner_profile_summary(i));
}
