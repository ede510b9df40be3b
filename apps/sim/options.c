#include "apps/sim/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/help.h"
#include "apps/sim/manner.h"
#include "apps/sim/text.h"

enum { JOBS_MAX = 1024, SEEDS_DEFAULT = 1000, SURVIVORS = 64, SURVIVORS_MAX = 1000000 };

#define SECOND UINT64_C(1000000000)

enum option {
    SEEDS,
    SEED,
    COUNT,
    TIME,
    LIMIT,
    UNTIL_FAILURE,
    JOBS,
    PROFILE,
    FAULTS,
    TAPE,
    OUTPUT,
    C_TEST,
    OTHERS,
    SURVIVORS_OF,
    JSON,
    VERBOSE,
    QUIET,
    IO,
    HELP,
    VERSION,
    OPTIONS
};

static const struct app_option options[OPTIONS] = {
    [SEEDS] = {"seeds", 0, true},     [SEED] = {"seed", 0, true},
    [COUNT] = {"count", 'n', true},   [LIMIT] = {"limit", 0, true},
    [TIME] = {"time", 0, true},       [UNTIL_FAILURE] = {"until-failure", 0, false},
    [JOBS] = {"jobs", 'j', true},     [PROFILE] = {"profile", 0, true},
    [FAULTS] = {"faults", 0, true},   [TAPE] = {"tape", 0, true},
    [OUTPUT] = {"output", 'o', true}, [C_TEST] = {"c-test", 0, false},
    [OTHERS] = {"others", 0, false},  [SURVIVORS_OF] = {"survivors", 0, true},
    [JSON] = {"json", 0, false},      [VERBOSE] = {"verbose", 'v', false},
    [QUIET] = {"quiet", 'q', false},  [IO] = {"io", 0, true},
    [HELP] = {"help", 'h', false},    [VERSION] = {"version", 0, false},
};

static const char *const commands[TP_COMMANDS] = {
    [TP_COMMAND_LIST] = "list",       [TP_COMMAND_RUN] = "run",
    [TP_COMMAND_REPLAY] = "replay",   [TP_COMMAND_SHRINK] = "shrink",
    [TP_COMMAND_EXPLAIN] = "explain", [TP_COMMAND_SWEEP] = "sweep",
    [TP_COMMAND_TRACE] = "trace",     [TP_COMMAND_SHOW] = "show",
};

#define BIT(option) (UINT32_C(1) << (option))

/* What says how anything is run, and what is never wrong. */
#define ANY     (BIT(QUIET) | BIT(IO) | BIT(JOBS) | BIT(PROFILE) | BIT(FAULTS) | BIT(LIMIT))
#define ONE_RUN (ANY | BIT(SEED) | BIT(TAPE))

/* Options that have an effect on a command; others are refused. */
static const uint32_t taken[TP_COMMANDS] = {
    [TP_COMMAND_LIST] = BIT(JSON) | BIT(QUIET) | BIT(IO),
    [TP_COMMAND_RUN] = ANY | BIT(SEEDS) | BIT(SEED) | BIT(COUNT) | BIT(TIME) |
                       BIT(UNTIL_FAILURE) | BIT(JSON),
    [TP_COMMAND_REPLAY] = ONE_RUN | BIT(JSON) | BIT(VERBOSE),
    [TP_COMMAND_SHRINK] =
        ONE_RUN | BIT(TIME) | BIT(OUTPUT) | BIT(C_TEST) | BIT(OTHERS) | BIT(JSON),
    [TP_COMMAND_EXPLAIN] = ONE_RUN | BIT(JSON),
    [TP_COMMAND_SWEEP] =
        (ONE_RUN & ~BIT(FAULTS)) | BIT(TIME) | BIT(OUTPUT) | BIT(SURVIVORS_OF) | BIT(JSON),
    [TP_COMMAND_TRACE] = ONE_RUN | BIT(OUTPUT),
    [TP_COMMAND_SHOW] = ONE_RUN | BIT(OUTPUT),
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

/* Says what is wrong with a range, and how it is written. */
static void suggest_seeds(const char *text)
{
    const char *at = text;
    uint64_t first, last;
    bool has_first = read_number(&at, &first);

    if (has_first && *at == '\0') {
        app_say("--seeds: '%s' is no range; --seed %s is one seed, -n %s as many", text,
                text, text);
        return;
    }
    at += strspn(at, "-:,. ");
    if (has_first && read_number(&at, &last) && *at == '\0' && first <= last)
        app_say("--seeds: '%s' is no range of seeds; %" PRIu64 "..%" PRIu64 " is", text,
                first, last);
    else
        app_say("--seeds: '%s' is no range of seeds, as 1..1000 is", text);
}

static bool read_seeds(const char *text, struct tp_sim_arguments *arguments)
{
    const char *at = text;

    if (read_number(&at, &arguments->first) && strncmp(at, "..", 2) == 0) {
        at += 2;
        if (*at == '\0') {
            arguments->last = UINT64_MAX;
            return true;
        }
        if (read_number(&at, &arguments->last) && *at == '\0' &&
            arguments->first <= arguments->last)
            return true;
    }
    suggest_seeds(text);
    return false;
}

static bool read_time(const char *option, const char *text, uint64_t *ret_time_ns)
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
        app_say("--%s: '%s' is no time, as 90s, 10m and 2h are", option, text);
        return false;
    }
    *ret_time_ns = number * unit_ns;
    return true;
}

/* An option of all programs; here is one world only. */
static bool read_io(const char *text)
{
    if (strcmp(text, "virtual") == 0)
        return true;
    app_say("--io is virtual, not '%s': programs run in a simulated world here", text);
    return false;
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

/* ------------------------------------------------------------------ words */

/* What has no value. */
static void set_switch(int option, struct tp_sim_arguments *ret)
{
    ret->until_failure = ret->until_failure || option == UNTIL_FAILURE;
    ret->c_test = ret->c_test || option == C_TEST;
    ret->others = ret->others || option == OTHERS;
    ret->json = ret->json || option == JSON;
    ret->verbose = ret->verbose || option == VERBOSE;
    ret->quiet = ret->quiet || option == QUIET;
}

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
    case COUNT:
        good = app_args_number(args, option, false, 1, UINT64_MAX, &ret->count);
        break;
    case TIME:
        good = read_time(options[TIME].name, args->value, &ret->time_ns);
        break;
    case LIMIT:
        good = read_time(options[LIMIT].name, args->value, &ret->limit_ns);
        break;
    case JOBS:
        good = app_args_number(args, option, false, 1, JOBS_MAX, &number);
        ret->jobs = (uint32_t)number;
        break;
    case SURVIVORS_OF:
        good = app_args_number(args, option, false, 1, SURVIVORS_MAX, &number);
        ret->survivors = (uint32_t)number;
        break;
    case PROFILE:
        ret->profile = args->value;
        if (strcmp(args->value, "help") == 0) {
            tp_help_profiles();
            return TP_ARGUMENTS_SHOWN;
        }
        good = read_profile(args->value, &ret->run);
        break;
    case FAULTS:
        ret->faults = args->value;
        if (strcmp(args->value, "help") == 0) {
            tp_help_families();
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
    case IO:
        good = read_io(args->value);
        break;
    case UNTIL_FAILURE:
    case C_TEST:
    case OTHERS:
    case JSON:
    case VERBOSE:
    case QUIET:
        set_switch(option, ret);
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

/* What goes with the command, and with each other. */
static bool agrees(const struct tp_sim_arguments *arguments, uint32_t given)
{
    const char *command = commands[arguments->command];
    uint32_t more = given & ~taken[arguments->command];
    static const uint32_t pairs[][2] = {
        {SEED, TAPE}, {SEED, SEEDS}, {SEED, COUNT}, {JSON, C_TEST}, {SEED, UNTIL_FAILURE}};

    if (arguments->command == TP_COMMAND_RUN && arguments->tape != NULL) {
        app_say("run takes seeds; '%s replay' takes a tape", arguments->program);
        return false;
    }
    for (uint32_t i = 0; i < OPTIONS; i++) {
        if ((more & BIT(i)) != 0) {
            app_say("--%s has no effect on %s; --help says what has", options[i].name,
                    command);
            return false;
        }
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if ((given & BIT(pairs[i][0])) != 0 && (given & BIT(pairs[i][1])) != 0) {
            app_say("--%s and --%s do not go together", options[pairs[i][0]].name,
                    options[pairs[i][1]].name);
            return false;
        }
    }
    if (arguments->count > 0 && arguments->first <= arguments->last &&
        arguments->last != UINT64_MAX) {
        app_say("-n counts seeds from the first on: --seeds %" PRIu64 ".. is enough",
                arguments->first);
        return false;
    }
    return true;
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
    if (arguments->command > TP_COMMAND_RUN && !arguments->one_seed &&
        arguments->tape == NULL) {
        app_say("which run? --seed N or --tape FILE says");
        return false;
    }
    return true;
}

/* As many as there are, where the range ends before. */
static void set_count(struct tp_sim_arguments *arguments)
{
    uint64_t more = arguments->count - 1;

    arguments->last =
        more > UINT64_MAX - arguments->first ? UINT64_MAX : arguments->first + more;
}

static void set_defaults(struct tp_sim_arguments *arguments)
{
    int64_t processors = sysconf(_SC_NPROCESSORS_ONLN);

    arguments->one_seed = arguments->one_seed || arguments->tape != NULL;
    if (arguments->first > arguments->last && arguments->tape != NULL)
        arguments->first = 0; /* a tape's run is of no seed */
    else if (arguments->count > 0)
        set_count(arguments);
    else if (arguments->first > arguments->last)
        arguments->last =
            arguments->time_ns > 0 || arguments->until_failure ? UINT64_MAX : SEEDS_DEFAULT;
    if (arguments->jobs == 0)
        arguments->jobs = processors > 0 ? (uint32_t)processors : 1;
    if (arguments->one_seed && arguments->command == TP_COMMAND_RUN)
        arguments->jobs = 1;
    if (arguments->survivors == 0)
        arguments->survivors = SURVIVORS;
}

/* A shell takes it as it is, unless there is something in it that it would not. */
static void note_typed(const char *program, struct tp_sim_arguments *ret_arguments)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789/._-+@%,:=";
    size_t size = sizeof ret_arguments->typed;

    if (program[strspn(program, plain)] == '\0')
        (void)snprintf(ret_arguments->typed, size, "%s", program);
    else
        (void)app_quote(program, ret_arguments->typed, size);
}

enum tp_arguments_result tp_arguments_read(int argc, char **argv,
                                           const struct tp_scenario *scenarios,
                                           uint32_t count,
                                           struct tp_sim_arguments *ret_arguments)
{
    struct app_args args = app_args_of(argc, argv, options, OPTIONS);
    struct tp_sim_arguments *ret = ret_arguments;
    const char *one = scenarios[0].name;
    uint32_t operands = 0, given = 0;
    int option;

    memset(ret, 0, sizeof *ret);
    ret->first = 1; /* above the last: none were given */
    ret->program = argc > 0 ? tp_text_base(argv[0]) : "simulation";
    app_say_as(ret->program);
    note_typed(argc > 0 ? argv[0] : ret->program, ret);
    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        enum tp_arguments_result result = TP_ARGUMENTS_GO;

        if (option == APP_ARGS_WRONG)
            return TP_ARGUMENTS_WRONG;
        if (option == HELP || (option == APP_ARGS_OPERAND && operands == 0 &&
                               strcmp(args.value, "help") == 0)) {
            tp_help_usage(ret->program, one);
            return TP_ARGUMENTS_SHOWN;
        }
        if (option == VERSION) {
            (void)printf("%s (tempest) %d.%d.%d\n", ret->program, TP_VERSION_MAJOR,
                         TP_VERSION_MINOR, TP_VERSION_PATCH);
            return TP_ARGUMENTS_SHOWN;
        }
        if (option != APP_ARGS_OPERAND) {
            given |= BIT(option);
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
    if (!is_whole(ret, operands) || !agrees(ret, given))
        return TP_ARGUMENTS_WRONG;
    set_defaults(ret);
    return TP_ARGUMENTS_GO;
}
