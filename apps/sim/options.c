#include "apps/sim/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/manner.h"
#include "apps/sim/text.h"

enum { JOBS_MAX = 1024, SEEDS_DEFAULT = 1000 };

#define SECOND UINT64_C(1000000000)

static const char usage[] =
    "usage: %s list\n"
    "       %s run SCENARIO [OPTION]...\n"
    "       %s replay|shrink|explain|sweep|trace|show SCENARIO\n"
    "                    --seed N|--tape FILE [OPTION]...\n"
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
    "      --seeds A..B         which seeds (1..1000)\n"
    "      --seed N             this one, and say more\n"
    "      --time T             stop after so long, as 90s, 10m, 2h (run: no limit,\n"
    "                           shrink: 30s)\n"
    "      --until-failure      stop at the lowest seed that fails; go on until then, if "
    "no\n"
    "                           --seeds and no --time say otherwise\n"
    "  -j, --jobs J             processes at a time (one per processor)\n"
    "      --profile P          what disks promise: paranoid, ext4, xfs, btrfs, nvme-plp,\n"
    "                           consumer-ssd (the scenario's, else paranoid)\n"
    "      --faults +X,-Y       families of faults always on, or never; --faults=help "
    "says\n"
    "                           which there are\n"
    "      --tape FILE          instead of a seed: every choice of a run, as shrink saves "
    "it\n"
    "  -o, --output FILE        where shrink, sweep, trace and show write to, instead of "
    "a\n"
    "                           name made of the scenario's\n"
    "      --c-test             shrink prints it as a C function, too\n"
    "      --others             shrink tries other seeds that fail alike, if more than\n"
    "                           ten choices are left\n"
    "      --json               the outcome as one JSON object on standard output\n"
    "  -v, --verbose            replay prints all that happened\n"
    "  -q, --quiet              no progress\n"
    "  -h, --help               this text\n"
    "      --version            the version\n"
    "\n"
    "Exit status: 0 every seed passed, 1 one failed, 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  %s run %s --seeds 1..10000\n"
    "  %s run %s --time 10m --until-failure\n"
    "  %s shrink %s --seed 7\n";

enum option {
    SEEDS,
    SEED,
    TIME,
    UNTIL_FAILURE,
    JOBS,
    PROFILE,
    FAULTS,
    TAPE,
    OUTPUT,
    C_TEST,
    OTHERS,
    JSON,
    VERBOSE,
    QUIET,
    HELP,
    VERSION,
    OPTIONS
};

static const struct app_option options[OPTIONS] = {
    [SEEDS] = {"seeds", 0, true},        [SEED] = {"seed", 0, true},
    [TIME] = {"time", 0, true},          [UNTIL_FAILURE] = {"until-failure", 0, false},
    [JOBS] = {"jobs", 'j', true},        [PROFILE] = {"profile", 0, true},
    [FAULTS] = {"faults", 0, true},      [TAPE] = {"tape", 0, true},
    [OUTPUT] = {"output", 'o', true},    [C_TEST] = {"c-test", 0, false},
    [OTHERS] = {"others", 0, false},     [JSON] = {"json", 0, false},
    [VERBOSE] = {"verbose", 'v', false}, [QUIET] = {"quiet", 'q', false},
    [HELP] = {"help", 'h', false},       [VERSION] = {"version", 0, false},
};

static const char *const commands[TP_COMMANDS] = {
    [TP_COMMAND_LIST] = "list",       [TP_COMMAND_RUN] = "run",
    [TP_COMMAND_REPLAY] = "replay",   [TP_COMMAND_SHRINK] = "shrink",
    [TP_COMMAND_EXPLAIN] = "explain", [TP_COMMAND_SWEEP] = "sweep",
    [TP_COMMAND_TRACE] = "trace",     [TP_COMMAND_SHOW] = "show",
};

/* ------------------------------------------------------------------ values */

/* A whole number at `*at`, which moves behind it. */
static bool read_number(const char **at, uint64_t *ret_number)
{
    const char *begin = *at;
    uint64_t number = 0;

    while (**at >= '0' && **at <= '9') {
        uint64_t digit = (uint64_t)(**at - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
        (*at)++;
    }
    *ret_number = number;
    return *at > begin;
}

static bool read_seeds(const char *text, struct tp_sim_arguments *arguments)
{
    const char *at = text;

    if (read_number(&at, &arguments->first) && strncmp(at, "..", 2) == 0) {
        at += 2;
        if (read_number(&at, &arguments->last) && *at == '\0' &&
            arguments->first <= arguments->last)
            return true;
    }
    app_say("--seeds: '%s' is no range of seeds, as 1..1000 is", text);
    return false;
}

static bool read_time(const char *text, uint64_t *ret_time_ns)
{
    const char *at = text;
    uint64_t number, unit_ns = 0;

    if (read_number(&at, &number)) {
        if (strcmp(at, "s") == 0 || *at == '\0')
            unit_ns = SECOND;
        else if (strcmp(at, "m") == 0)
            unit_ns = 60 * SECOND;
        else if (strcmp(at, "h") == 0)
            unit_ns = 3600 * SECOND;
        else if (strcmp(at, "ms") == 0)
            unit_ns = SECOND / 1000;
    }
    if (unit_ns == 0 || number == 0 || number > UINT64_MAX / unit_ns) {
        app_say("--time: '%s' is no time, as 90s, 10m and 2h are", text);
        return false;
    }
    *ret_time_ns = number * unit_ns;
    return true;
}

static bool read_profile(const char *text, struct tp_sim_options *run)
{
    if (tp_manner_profile(text, run))
        return true;
    app_say("--profile: there is no profile '%s'; --help lists them", text);
    return false;
}

static bool read_faults(const char *text, struct tp_sim_options *run)
{
    const char *wrong = tp_manner_faults(text, run);

    if (wrong == NULL)
        return true;
    app_say("--faults: '%.*s' is neither +NAME nor -NAME of a family; "
            "--faults=help says which there are",
            (int)strcspn(wrong, ","), wrong);
    return false;
}

static void list_families(void)
{
    static const char *const fair[TP_FAMILIES] = {
#define WORD(family, name, is_fair) [family] = (is_fair) ? "" : "  only where asked for",
        TP_FAMILY_TABLE(WORD)
#undef WORD
    };

    for (uint32_t i = 0; i < TP_FAMILIES; i++)
        (void)printf("%-10s%s\n", tp_family_name(i), fair[i]);
}

/* ------------------------------------------------------------------ words */

static enum tp_arguments_result read_option(const struct app_args *args, int option,
                                            struct tp_sim_arguments *ret)
{
    uint64_t number = 0;
    bool good = true;

    switch ((enum option)option) {
    case SEEDS:
        good = read_seeds(args->value, ret);
        break;
    case SEED:
        good = app_args_number(args, option, false, 0, UINT64_MAX, &ret->first);
        ret->last = ret->first;
        ret->one_seed = true;
        break;
    case TIME:
        good = read_time(args->value, &ret->time_ns);
        break;
    case UNTIL_FAILURE:
        ret->until_failure = true;
        break;
    case JOBS:
        good = app_args_number(args, option, false, 1, JOBS_MAX, &number);
        ret->jobs = (uint32_t)number;
        break;
    case PROFILE:
        ret->profile = args->value;
        good = read_profile(args->value, &ret->run);
        break;
    case FAULTS:
        ret->faults = args->value;
        if (strcmp(args->value, "help") == 0) {
            list_families();
            return TP_ARGUMENTS_SHOWN;
        }
        good = read_faults(args->value, &ret->run);
        break;
    case TAPE:
        ret->tape = args->value;
        break;
    case OUTPUT:
        ret->output = args->value;
        break;
    case C_TEST:
        ret->c_test = true;
        break;
    case OTHERS:
        ret->others = true;
        break;
    case JSON:
        ret->json = true;
        break;
    case VERBOSE:
        ret->verbose = true;
        break;
    case QUIET:
        ret->quiet = true;
        break;
    case HELP:
    case VERSION:
    case OPTIONS:
        break;
    }
    return good ? TP_ARGUMENTS_GO : TP_ARGUMENTS_WRONG;
}

static bool read_command(const char *word, struct tp_sim_arguments *ret)
{
    for (uint32_t i = 0; i < TP_COMMANDS; i++) {
        if (strcmp(commands[i], word) == 0) {
            ret->command = (enum tp_command)i;
            return true;
        }
    }
    app_say("there is no command '%s'; --help says what there is", word);
    return false;
}

static bool read_scenario(const char *word, const struct tp_scenario *scenarios,
                          uint32_t count, struct tp_sim_arguments *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(scenarios[i].name, word) == 0) {
            ret->scenario = &scenarios[i];
            return true;
        }
    }
    app_say("there is no scenario '%s'; '%s list' says which there are", word,
            ret->program);
    return false;
}

static bool is_whole(const struct tp_sim_arguments *arguments, uint32_t operands)
{
    if (operands == 0) {
        app_say("what is to be done? --help says what there is");
        return false;
    }
    if (arguments->command != TP_COMMAND_LIST && arguments->scenario == NULL) {
        app_say("which scenario? '%s list' says which there are", arguments->program);
        return false;
    }
    if (arguments->command == TP_COMMAND_RUN && arguments->tape != NULL) {
        app_say("run takes seeds; '%s replay' takes a tape", arguments->program);
        return false;
    }
    if (arguments->command > TP_COMMAND_RUN && !arguments->one_seed &&
        arguments->tape == NULL) {
        app_say("which run? --seed N or --tape FILE says");
        return false;
    }
    return true;
}

static void set_defaults(struct tp_sim_arguments *arguments)
{
    int64_t processors = sysconf(_SC_NPROCESSORS_ONLN);

    arguments->one_seed = arguments->one_seed || arguments->tape != NULL;
    if (arguments->first > arguments->last && arguments->tape != NULL)
        arguments->first = 0; /* a tape's run is of no seed */
    else if (arguments->first > arguments->last)
        arguments->last =
            arguments->time_ns > 0 || arguments->until_failure ? UINT64_MAX : SEEDS_DEFAULT;
    if (arguments->jobs == 0)
        arguments->jobs = processors > 0 ? (uint32_t)processors : 1;
    if (arguments->one_seed)
        arguments->jobs = 1;
}

enum tp_arguments_result tp_arguments_read(int argc, char **argv,
                                           const struct tp_scenario *scenarios,
                                           uint32_t count,
                                           struct tp_sim_arguments *ret_arguments)
{
    struct app_args args = app_args_of(argc, argv, options, OPTIONS);
    struct tp_sim_arguments *ret = ret_arguments;
    const char *one = scenarios[0].name;
    uint32_t operands = 0;
    int option;

    memset(ret, 0, sizeof *ret);
    ret->first = 1; /* above the last: none were given */
    ret->program = argc > 0 ? tp_text_base(argv[0]) : "simulation";
    app_say_as(ret->program);
    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        enum tp_arguments_result result = TP_ARGUMENTS_GO;

        if (option == APP_ARGS_WRONG)
            return TP_ARGUMENTS_WRONG;
        if (option == HELP) {
            (void)printf(usage, ret->program, ret->program, ret->program, ret->program, one,
                         ret->program, one, ret->program, one);
            return TP_ARGUMENTS_SHOWN;
        }
        if (option == VERSION) {
            (void)printf("%s (tempest) %d.%d.%d\n", ret->program, TP_VERSION_MAJOR,
                         TP_VERSION_MINOR, TP_VERSION_PATCH);
            return TP_ARGUMENTS_SHOWN;
        }
        if (option != APP_ARGS_OPERAND) {
            result = read_option(&args, option, ret);
        } else {
            bool good = operands == 0   ? read_command(args.value, ret)
                        : operands == 1 ? read_scenario(args.value, scenarios, count, ret)
                                        : false;

            if (operands > 1)
                app_say("'%s' is one word too many", args.value);
            operands++;
            result = good ? TP_ARGUMENTS_GO : TP_ARGUMENTS_WRONG;
        }
        if (result != TP_ARGUMENTS_GO)
            return result;
    }
    if (!is_whole(ret, operands))
        return TP_ARGUMENTS_WRONG;
    set_defaults(ret);
    return TP_ARGUMENTS_GO;
}
