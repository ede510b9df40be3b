/** apps/sim/options.h - the command line of every program that simulates. */
#ifndef TEMPEST_APPS_SIM_OPTIONS_H
#define TEMPEST_APPS_SIM_OPTIONS_H

#include "apps/sim/sim.h"

enum tp_command {
    TP_COMMAND_LIST,
    TP_COMMAND_RUN,
    TP_COMMAND_REPLAY,
    TP_COMMAND_SHRINK,
    TP_COMMAND_EXPLAIN,
    TP_COMMAND_SWEEP,
    TP_COMMAND_TRACE,
    TP_COMMAND_SHOW,
    TP_COMMANDS,
};

struct tp_sim_arguments {
    const char *program; /* its name */
    char typed[512];     /* as it was called, for lines that say how to repeat something */
    enum tp_command command;
    const struct tp_scenario *scenario; /* NULL for list */
    struct tp_sim_options run;          /* families and profile */
    uint64_t first, last;               /* seeds */
    uint64_t count;                     /* of seeds; 0: as `last` says */
    uint64_t time_ns;                   /* 0: no limit */
    uint64_t limit_ns;                  /* for one seed; 0: what the command has */
    uint32_t jobs;
    uint32_t survivors; /* sweep: sets of them at each cut, at most */
    bool one_seed;      /* --seed */
    bool until_failure;
    bool json;
    bool quiet;
    bool c_test;
    bool others; /* shrink: also other seeds that fail alike */
    bool verbose;
    const char *tape;             /* a file to be replayed; NULL: the seed */
    const char *output;           /* where a tape goes; NULL: a name of its own */
    const char *faults, *profile; /* as given; NULL: not */
};

/** What to do next. */
enum tp_arguments_result { TP_ARGUMENTS_GO, TP_ARGUMENTS_SHOWN, TP_ARGUMENTS_WRONG };

/** Reads the command line. What is wrong is said on standard error; --help and --version
 * are answered on standard output. */
enum tp_arguments_result tp_arguments_read(int argc, char **argv,
                                           const struct tp_scenario *scenarios,
                                           uint32_t count,
                                           struct tp_sim_arguments *ret_arguments);

#endif
