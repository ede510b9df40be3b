#include "apps/sim/zoo/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "apps/sim/zoo/hunt.h"

enum { BASES_MAX = 100 };
#define BASE_STEP UINT64_C(1000000) /* base seeds lie so far apart */

enum { OPTION_JSON, OPTION_BASES, OPTION_SEEDS, OPTION_TWINS, OPTION_SHRINK, OPTION_HELP };

static const struct app_option options[] = {
    {"json", 0, false}, {"bases", 0, true},  {"seeds", 0, true},
    {"twins", 0, true}, {"shrink", 0, true}, {"help", 'h', false},
};

static const char help[] =
    "usage: tempest-sim zoo [NUMBER...] [options]\n"
    "\n"
    "Hunts the bugs of the zoo (all, or those of these numbers) with the default profile "
    "and\n"
    "rates, from several base seeds each, and checks that their repaired twins stay "
    "green.\n"
    "\n"
    "  --bases=N    base seeds a bug (default: 10)\n"
    "  --seeds=N    seeds after which a hunt is given up (default: 100000)\n"
    "  --twins=N    seeds of each twin (default: 1000; 0: none)\n"
    "  --shrink=S   seconds that shrinking may take, and explaining (default: 30; 0: "
    "neither)\n"
    "  --json       one JSON object instead of the table\n";

struct arguments {
    uint64_t bases, seeds, twins, shrink_s;
    bool json;
    uint64_t numbers[32];
    uint32_t number_count;
};

/* A row of the table. */
struct row {
    const struct zoo_bug *bug;
    uint64_t seeds, cpu_ns; /* medians over the base seeds */
    uint32_t found;         /* of the base seeds */
    bool is_studied;
    struct zoo_study study; /* of `first` */
    struct zoo_hunt first;  /* from the first base seed that found it */
    struct zoo_hunt twin;
};

/* ------------------------------------------------------------------ arguments */

static bool read_operand(struct arguments *arguments, const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*end == '\0' && arguments->number_count < 32) {
        for (uint32_t i = 0; i < zoo_bug_count; i++) {
            if (zoo_bugs[i].number == number) {
                arguments->numbers[arguments->number_count++] = number;
                return true;
            }
        }
    }
    app_say("zoo: there is no bug '%s'", text);
    return false;
}

static bool read_option(struct app_args *args, int option, struct arguments *arguments)
{
    switch (option) {
    case OPTION_JSON:
        arguments->json = true;
        return true;
    case OPTION_BASES:
        return app_args_number(args, option, false, 1, BASES_MAX, &arguments->bases);
    case OPTION_SEEDS:
        return app_args_number(args, option, false, 1, BASE_STEP, &arguments->seeds);
    case OPTION_TWINS:
        return app_args_number(args, option, false, 0, UINT32_MAX, &arguments->twins);
    case OPTION_SHRINK:
        return app_args_number(args, option, false, 0, 3600, &arguments->shrink_s);
    default:
        return false;
    }
}

static bool is_wanted(const struct arguments *arguments, const struct zoo_bug *bug)
{
    for (uint32_t i = 0; i < arguments->number_count; i++) {
        if (arguments->numbers[i] == bug->number)
            return true;
    }
    return arguments->number_count == 0;
}

/* ------------------------------------------------------------------ hunting */

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* Of an even number the upper one of the two in the middle. */
static uint64_t median(uint64_t *numbers, uint64_t count)
{
    qsort(numbers, count, sizeof *numbers, by_size);
    return numbers[count / 2];
}

static int hunt(const struct arguments *arguments, struct row *row)
{
    uint64_t seeds[BASES_MAX], cpu_ns[BASES_MAX];
    int error = 0;

    for (uint64_t base = 0; base < arguments->bases && error == 0; base++) {
        struct zoo_hunt one;

        error = zoo_hunt_run(row->bug->bug, base * BASE_STEP + 1, arguments->seeds, &one);
        seeds[base] = one.found ? one.seeds : UINT64_MAX;
        cpu_ns[base] = one.cpu_ns;
        if (one.found && row->found++ == 0)
            row->first = one;
    }
    row->seeds = median(seeds, arguments->bases);
    row->cpu_ns = median(cpu_ns, arguments->bases);
    if (error == 0 && arguments->shrink_s > 0 && row->found > 0) {
        error = zoo_hunt_study(row->bug->bug, &row->first, arguments->shrink_s * 1000000000,
                               &row->study);
        row->is_studied = error == 0;
    }
    if (error == 0 && arguments->twins > 0)
        error = zoo_hunt_run(row->bug->twin, 1, arguments->twins, &row->twin);
    return error;
}

/* ------------------------------------------------------------------ the table */

static void print_head(void)
{
    (void)printf("%2s  %-18s %-22s %7s %8s %7s  %-24s %-8s %s\n", "#", "source", "seen in",
                 "seeds", "cpu s", "choices", "missing after", "what", "twin green");
}

static void print_row(const struct row *row)
{
    char seeds[APP_TEXT_BYTES] = "-", choices[APP_TEXT_BYTES] = "-", line[96] = "-";
    const char *what = row->study.missing != NULL ? row->study.missing : "-";

    if (row->seeds != UINT64_MAX)
        (void)snprintf(seeds, sizeof seeds, "%" PRIu64, row->seeds);
    if (row->is_studied)
        (void)snprintf(choices, sizeof choices, "%" PRIu32, row->study.choices);
    if (row->study.line > 0)
        (void)snprintf(line, sizeof line, "%s:%" PRIu32, row->study.file, row->study.line);
    (void)printf("%2" PRIu32 "  %-18s %-22s %7s %8.2f %7s  %-24s %-8s ", row->bug->number,
                 row->bug->file, row->bug->seen_in, seeds, (double)row->cpu_ns / 1e9,
                 choices, line, what);
    if (row->twin.found)
        (void)printf("BLAMED: seed %" PRIu64 ": %s\n", row->twin.seed,
                     row->twin.outcome.message);
    else
        (void)printf("%" PRIu64 "\n", row->twin.seeds);
    (void)fflush(stdout);
}

static void print_json(const struct row *row, uint64_t bases, bool is_first)
{
    (void)printf("%s\n  {\"id\": %" PRIu32 ", \"source\": \"%s\", \"found\": %s",
                 is_first ? "" : ",", row->bug->number, row->bug->file,
                 row->found == bases ? "true" : "false");
    if (row->seeds != UINT64_MAX)
        (void)printf(", \"seeds\": %" PRIu64, row->seeds);
    (void)printf(", \"cpu_s\": %.3f", (double)row->cpu_ns / 1e9);
    if (row->is_studied)
        (void)printf(", \"shrunk\": %" PRIu32 ", \"explained\": %s", row->study.choices,
                     row->study.missing != NULL ? "true" : "false");
    if (row->study.missing != NULL)
        (void)printf(", \"kind\": \"%s\"", row->study.missing);
    if (row->study.line > 0)
        (void)printf(", \"file\": \"%s\", \"line\": %" PRIu32, row->study.file,
                     row->study.line);
    (void)printf(", \"twin_seeds\": %" PRIu64 ", \"twin_failures\": %u}", row->twin.seeds,
                 row->twin.found ? 1 : 0);
    (void)fflush(stdout);
}

static int run(const struct arguments *arguments)
{
    bool is_first = true, is_good = true;

    if (arguments->json)
        (void)printf("{\"bases\": %" PRIu64 ", \"rows\": [", arguments->bases);
    else
        print_head();
    for (uint32_t i = 0; i < zoo_bug_count; i++) {
        struct row row = {.bug = &zoo_bugs[i]};
        int error;

        if (!is_wanted(arguments, row.bug))
            continue;
        error = hunt(arguments, &row);
        if (error < 0) {
            app_say("zoo: no seed could be run: %s (%s)", tp_errno_name(error),
                    strerror(-error));
            return APP_EXIT_FAILED;
        }
        if (arguments->json)
            print_json(&row, arguments->bases, is_first);
        else
            print_row(&row);
        is_first = false;
        is_good = is_good && row.found == arguments->bases && !row.twin.found;
    }
    if (arguments->json)
        (void)printf("\n]}\n");
    return is_good ? APP_EXIT_DONE : APP_EXIT_FAILED;
}

int zoo_command(int argc, char **argv)
{
    struct arguments arguments = {
        .bases = 10, .seeds = 100000, .twins = 1000, .shrink_s = 30};
    struct app_args args =
        app_args_of(argc, argv, options, sizeof options / sizeof *options);
    int option;

    app_say_as("tempest-sim");
    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        bool is_good = option != APP_ARGS_WRONG;

        if (option == OPTION_HELP) {
            (void)fputs(help, stdout);
            return APP_EXIT_DONE;
        }
        if (option == APP_ARGS_OPERAND)
            is_good = read_operand(&arguments, args.value);
        else if (is_good)
            is_good = read_option(&args, option, &arguments);
        if (!is_good)
            return APP_EXIT_USAGE;
    }
    return run(&arguments);
}
